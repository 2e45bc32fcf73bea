"""What the scripts share: how one starts, and how it refuses."""

import logging
import sys
from collections.abc import Callable

from absl import app
from absl import logging as absl_logging

__all__ = ["start"]


def start(main: Callable[[list[str]], None]) -> None:
    """Runs a script: a refusal is printed as its message, without a traceback, and exits with 2."""

    def refusing(argv: list[str]) -> None:
        if len(argv) > 1:
            raise app.UsageError(f"Flags only. Received: {argv[1:]}.")
        try:
            main(argv)
        except ValueError as e:
            print(f"error: {e}", file=sys.stderr)
            sys.exit(2)

    absl_logging.set_verbosity(absl_logging.WARNING)  # TensorFlow's own remarks would break the progress bar
    log = logging.getLogger("ugm_tf")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    log.propagate = False
    app.run(refusing)
