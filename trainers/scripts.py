"""What the scripts share: how one starts, and how it refuses."""

import sys
from collections.abc import Callable

from absl import app, logging

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

    logging.set_verbosity(logging.INFO)
    logging.use_absl_handler()
    app.run(refusing)
