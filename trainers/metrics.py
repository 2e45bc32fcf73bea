"""The numbers of a run, by epoch, as `metrics.csv` keeps them."""

import csv
import logging
import os
import pathlib
from typing import Any

import keras

from ugm_tf import files

__all__ = ["Log", "read", "truncate"]

_LOG = logging.getLogger("ugm_tf.trainers")
_ABSENT = ("", "NA")  # what loggers write where a row lacks a column


class Log(keras.callbacks.Callback):
    """Adds a row for each epoch: the metrics, and those of the validation, "NA" where it did not run.

    (Keras's own logger takes its columns from the first epoch that it sees, which after a restart may be another one.)

    Args:
        path: The file; its folder is there.
    """

    def __init__(self, path: str | os.PathLike[str]):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        names = sorted(name for name in logs if not name.startswith("val_"))
        columns = [*names, *(f"val_{name}" for name in names)]
        lines = [] if self.path.exists() and self.path.stat().st_size else [",".join(["epoch", *columns])]
        cells = [repr(float(logs[name])) if name in logs else _ABSENT[1] for name in columns]
        with open(self.path, "a", newline="") as file:
            file.write("".join(f"{line}\n" for line in [*lines, ",".join([str(epoch), *cells])]))
            file.flush()
            os.fsync(file.fileno())  # as checkpoints are, which come after


def check_whole(path: str | os.PathLike[str], epochs: int) -> None:
    """Says in the log which of the epochs that are done have no row."""
    there = {row["epoch"] for row in read(path)} if pathlib.Path(path).exists() else set()
    if lost := [epoch for epoch in range(epochs) if epoch not in there]:
        _LOG.warning(
            "%s has no row of %d of the %d epochs that are done, from epoch %d on: it was cut or removed. Curves and "
            "--keep_best go without them.",
            path,
            len(lost),
            epochs,
            lost[0],
        )


def _lines(path: str | os.PathLike[str]) -> list[bytes]:
    """The file's lines, the header first, less a last one that was torn: that ends in no newline."""
    with open(path, "rb") as file:
        return [line for line in file if line.endswith(b"\n")]


def _rows(path: str | os.PathLike[str], lines: list[bytes]) -> list[dict[str, float]]:
    header, *body = csv.reader(line.decode() for line in lines) if lines else [[]]
    if lines and "epoch" not in header:
        raise ValueError(f"{path} must have a column 'epoch'. Received the columns {header}. Is it a metrics.csv?")
    rows = []
    for number, cells in enumerate(body, start=2):
        if len(cells) != len(header):
            raise ValueError(
                f"{path}, line {number}: expected {len(header)} cells, as in the header. Received {len(cells)}. "
                "Delete that line by hand, or train into a new directory."
            )
        try:
            row = {name: float(cell) for name, cell in zip(header, cells, strict=True) if cell not in _ABSENT}
            epoch = int(row["epoch"])
            if epoch != row["epoch"]:
                raise ValueError
        except (KeyError, OverflowError, ValueError):
            raise ValueError(
                f"{path}, line {number}: expected numbers, and a whole one for the epoch. Received {cells}. "
                "Delete that line by hand, or train into a new directory."
            ) from None
        rows.append(row | {"epoch": epoch})
    return rows


def read(path: str | os.PathLike[str]) -> list[dict[str, float]]:
    """The rows of a metrics file.

    A last line that a killed process left unfinished is not a row.  A cell that is empty or "NA" is absent from its
    row (a validation that did not run, say); one that is "nan" or "inf" is that number.

    Args:
        path: The file.

    Returns:
        One dict of numbers by column for each row, in the file's order; "epoch" is an int.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If a finished line is not of such a file; the message names the line.
    """
    return _rows(path, _lines(path))


def truncate(path: str | os.PathLike[str], epochs: int) -> None:
    """Forgets every epoch from the given one on, so that a run that resumes there repeats none.

    The rows that stay, stay byte for byte; an unfinished last line goes.  The file is replaced at once, so that being
    killed here as well does no harm.  Where there is no file, there is nothing to forget.

    Args:
        path: The file.
        epochs: How many epochs are done: rows whose epoch, counted from 0, is this or later are dropped.

    Raises:
        ValueError: If `epochs` is negative, or a finished line is not of such a file.
    """
    if epochs < 0:
        raise ValueError(f"A number of epochs to keep is at least 0. Received: {epochs}.")
    path = pathlib.Path(path)
    if not path.exists():
        return
    lines = _lines(path)
    kept = lines[:1] + [line for line, row in zip(lines[1:], _rows(path, lines), strict=True) if row["epoch"] < epochs]
    content = b"".join(kept)
    if content != path.read_bytes():
        files.write(path, content)
