"""How the scripts of this repository begin: a refusal is one line and exit status 2, that of a flag too."""

import sys
from collections.abc import Callable
from typing import NoReturn

from absl import app, flags

from ugm_tf.arguments import in_a_line

__all__ = ["parse", "refuse", "start"]


def refuse(error: object) -> NoReturn:
    """Ends the script with what was wrong, in one line, and exit status 2."""
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


def parse(arguments: list[str]) -> list[str]:
    """What is left of a command line without its flags; a parser for `app.run`, whose own refuses in many lines."""
    try:
        rest = flags.FLAGS(arguments)
    except SystemExit:  # --help was printed, which is no failure
        sys.exit(0)
    except flags.Error as error:
        said = in_a_line(error)
        refuse(f"{said.rstrip('.')}. See --help.".replace("?.", "?"))
    for name, value in flags.FLAGS.flag_values_dict().items():
        if flags.FLAGS[name].present and (value == "" or value != value):  # an unset variable of the shell, or NaN
            refuse(f"--{name}={value} says nothing. Leave it out, or give it a value.")
    return rest


def start(main: Callable[[list[str]], None], arguments: bool = False, command_line: list[str] | None = None) -> None:
    """Runs a script of which a ValueError is a refusal, and an OSError, too.

    Args:
        main: Gets what the command line holds without the flags.
        arguments: Whether it takes more than flags.
        command_line: In the place of `sys.argv`.
    """

    def refusing(argv: list[str]) -> None:
        if len(argv) > 1 and not arguments:
            refuse(f"Flags only. Received: {argv[1:]}. See --help.")
        try:
            main(argv)
        except ValueError as error:
            refuse(error)
        except OSError as error:
            refuse(f"{error.filename}: {error.strerror}." if error.filename else error)

    app.run(refusing, argv=command_line, flags_parser=parse)
