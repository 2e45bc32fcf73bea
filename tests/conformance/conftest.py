"""The tests of a row of the table run one after another, in whatever files they are, so that they share its model.

What trains a row that is not of `table.CHOSEN` is slow, and so is what compiles further ones than two.  Only
`test_describe.py`, which trains none, takes all rows in quickly.  Slow tests are over `table.MECHANISMS`, and those of
`_SHARING` over every row that is no transfer without a name; all further ones are exhaustive: `.ci/run exhaustive`.
"""

import pathlib

import pytest

from tests.conformance import table

_NAMES = [row[0] for row in table.ROWS]
_QUICK = {_NAMES.index(row[0]) for row in table.CHOSEN} | {len(_NAMES)}
_FEWEST = {_NAMES.index(row[0]) for row in (table.VAE, table.GAN)} | {len(_NAMES)}
_TRANSFERS = {_NAMES.index(row[0]) for row in table.TRANSFERS}
_SLOW = _QUICK | {_NAMES.index(row[0]) for row in table.MECHANISMS}
_COMPILING = ("test_xla.py", "test_precision.py", "test_evaluate.py")
_SHARING = ("test_fit.py", "test_order.py")  # one training of a row for them all


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
        quick = _FEWEST if item.path.name in _COMPILING else _QUICK
        if _place(item) in quick or item.path.name == "test_describe.py":
            continue
        item.add_marker(pytest.mark.slow)
        if _place(item) in _TRANSFERS or (_place(item) not in _SLOW and item.path.name not in _SHARING):
            item.add_marker(pytest.mark.exhaustive)
