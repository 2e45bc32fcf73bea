"""The numbers of a run, by epoch, as `metrics.csv` keeps them."""

import csv
import os
import pathlib

from ugm_tf.callbacks import files

__all__ = ["read", "truncate"]

_ABSENT = ("", "NA")  # what loggers write where a row lacks a column


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
