"""The tests of a row of the table run one after another, in whatever files they are, so that they share its model.

What trains a row of `table.SLOW_ROWS` is slow.  Only `test_describe.py`, which trains none, takes all rows in quickly.
"""

import pathlib

import pytest

from tests.conformance import table

_NAMES = [row[0] for row in table.ROWS]
_EXHAUSTIVE = {_NAMES.index(row[0]) for row in table.EXHAUSTIVE}
_COMPILING = ("test_xla.py", "test_precision.py", "test_evaluate.py")
_SLOW = {_NAMES.index(row[0]) for row in table.SLOW_ROWS}


def _place(item):
    """Number of the row of which a test is; one past the last if it is of none."""
    of = [name for name in _NAMES if item.name.endswith(f"_{name}")]
    return _NAMES.index(max(of, key=len)) if of else len(_NAMES)


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marks
def pytest_collection_modifyitems(items):
    here = pathlib.Path(__file__).parent
    places = [i for i, item in enumerate(items) if item.path.parent == here]
    for i, item in zip(places, sorted([items[i] for i in places], key=_place), strict=True):
        items[i] = item
        if _place(item) in _SLOW and item.path.name != "test_describe.py":
            item.add_marker(pytest.mark.slow)
        if _place(item) in _EXHAUSTIVE and item.path.name in _COMPILING:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.exhaustive)
