"""What the scripts share: how one starts, how it refuses, and how it is stopped."""

import inspect
import logging
import sys
from collections.abc import Callable
from typing import NoReturn

import tensorflow as tf
from absl import app, flags
from absl import logging as absl_logging

import ugm_tf
from ugm_tf.arguments import in_a_line

from . import comparison, comparison_page, devices, rundir, stopping, summary

__all__ = ["show", "show_comparison", "start"]

# Flags, and what they are called elsewhere or by another script.
_ELSEWHERE = {
    "workdir": ("run", "out", "output", "output_dir", "logdir", "run_dir"),
    "out": ("output",),
    "output": ("out",),
    "learning_rate": ("lr",),
    "epochs": ("num_epochs", "n_epochs"),
    "batch_size": ("bs", "batch"),
    "recipe": ("model",),
    "code_size": ("latent_dim", "latent_size", "z_dim"),
    "image_size": ("img_size", "resolution"),
    "dataset": ("data", "data_path", "dataset_path"),
    "precision": ("dtype", "amp", "mixed_precision"),
    "number": ("num_samples", "n_samples"),
}


def start(main: Callable[[list[str]], int | None], arguments: bool = False) -> None:
    """Runs a script.

    Its exit status is what `main` returns, 0 for None.  A refusal is printed as its message, without a traceback, and
    exits with 2; so does what the system says of a file, and a run that diverged, or whose directory can no longer be
    written.  A process of several whose
    others ended exits with 75, which schedulers start again.  One that is interrupted
    exits with 128 and the signal's number.

    Args:
        main: Gets what `sys.argv` holds without the flags.
        arguments: Whether it takes more than flags.
    """

    def refusing(argv: list[str]) -> None:
        if len(argv) > 1 and not arguments:
            _refuse(f"Flags only. Received: {argv[1:]}. See --help.")
        try:
            with stopping.at_once("Stopped."):
                status = main(argv)
        except (ValueError, FloatingPointError, rundir.Lost) as e:
            print(f"error: {e}", file=sys.stderr)
            status = 2
        except devices.Lost as e:
            print(f"error: {e}", file=sys.stderr)
            status = devices.TRY_AGAIN
        except (MemoryError, tf.errors.ResourceExhaustedError) as e:
            said = next((line.strip() for line in str(e).splitlines() if "alloc" in line), "no more is to be had")
            print(
                f"error: Out of memory: {said[:200].rstrip('.')}. A smaller --batch_size, --image_size or --network "
                "needs less, as do --accumulate and --remat.",
                file=sys.stderr,
            )
            status = 2
        except OSError as e:
            print(f"error: {f'{e.filename}: ' if e.filename else ''}{e.strerror or e}", file=sys.stderr)
            status = 2
        except KeyboardInterrupt as e:
            print(str(e) or "Stopped.", file=sys.stderr)
            status = e.status if isinstance(e, stopping.Stopped) else 130
        sys.exit(status)

    absl_logging.set_verbosity(absl_logging.WARNING)  # TensorFlow's own remarks would break the progress bar
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # as would those on functions that are traced again
    log = logging.getLogger("ugm_tf")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    log.propagate = False
    app.run(refusing, flags_parser=_parse)


def _parse(arguments: list[str]) -> list[str]:
    """What is left of a command line without its flags; absl's own parser refuses in many lines."""
    try:
        rest = flags.FLAGS(arguments)
    except SystemExit:  # --help was printed, which is no failure
        sys.exit(0)
    except flags.Error as e:
        said = in_a_line(e)
        if isinstance(e, flags.UnrecognizedFlagError) and _is_hyperparameter(e.flagname):
            said = f"There is no flag '{e.flagname}'. A recipe's own: --hyperparameter={e.flagname}=VALUE"
        elif isinstance(e, flags.UnrecognizedFlagError) and (meant := _meant(e.flagname)):
            said = f"There is no flag '{e.flagname}'. Here it is {' or '.join(f'--{name}' for name in meant)}"
        _refuse(f"{said.rstrip('.')}. See --help.".replace("?.", "?"))
    for name, value in flags.FLAGS.flag_values_dict().items():
        if flags.FLAGS[name].present and (value == "" or value != value):  # an unset variable of the shell, or NaN
            _refuse(f"--{name}={value} says nothing. Leave it out, or give it a value.")
    return rest


def _meant(name: str) -> list[str]:
    """Flags of this script that are called so elsewhere."""
    return [flag for flag, names in _ELSEWHERE.items() if name in names and flag in flags.FLAGS]


def _is_hyperparameter(name: str) -> bool:
    """Whether it is one of some recipe, of which a script takes any."""
    known = (inspect.signature(ugm_tf.recipes.function(recipe)).parameters for recipe in ugm_tf.recipes.names())
    return "hyperparameter" in flags.FLAGS and any(name in parameters for parameters in known)


def _refuse(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def show(end: summary.End, directory: rundir.RunDirectory) -> int:
    """Prints what a run ended with; returns the exit status, 1 if a part of the end failed."""
    for name, value in end.figures.items():
        print(f"{name}: {value:.4g}")
    print(
        f"\nReport:     {directory.report}\nSamples:    {directory.path / 'samples.png'}\nSavedModel: "
        f"{directory.latest_export()}"
    )
    if end.failures:
        parts = "; ".join(failure.part for failure in end.failures)
        print(f"Failed:     {parts}\nTracebacks: {directory.errors}", file=sys.stderr)
    return int(bool(end.failures))


def show_comparison(compared: comparison.Comparison, path: str) -> None:
    """Writes a comparison's page, and prints its table."""
    print(f"\n{comparison.table(compared)}\n\nComparison: {comparison_page.write_comparison(path, compared)}")
