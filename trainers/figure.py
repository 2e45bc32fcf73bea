"""A number to remember a run by, and its protocol in words."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from ugm_tf.evaluation import Estimate

__all__ = ["Figure", "from_dict", "words"]


class Figure(NamedTuple):
    """A number to remember the run by.

    Args:
        name: What it measures, such as "ELBO".
        estimate: The number, its error, how many examples it is over, and its protocol.
        unit: Such as "nats"; where it is empty, that of the figure's row in `figure_table.ROWS`.
        real: The same of real data in the place of the model's, where there is such a thing.
        group: What it is about, such as "Likelihood"; where it is empty, that of its row.
        row: The key of its row.
    """

    name: str
    estimate: Estimate
    unit: str = ""
    real: Estimate | None = None
    group: str = ""
    row: str = ""

    @property
    def value(self) -> float:
        """The number."""
        return self.estimate.value

    @property
    def spread(self) -> float | None:
        """Its standard error or deviation; the protocol says which."""
        return self.estimate.error

    @property
    def how(self) -> str:
        """Its protocol in words."""
        return words(self.estimate)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        real = None if self.real is None else self.real.as_dict()
        return {
            "name": self.name,
            **self.estimate.as_dict(),
            "unit": self.unit,
            "group": self.group,
            "row": self.row,
            "real": real,
        }


def from_dict(written: Mapping[str, Any]) -> Figure:
    """The figure that `as_dict` wrote."""
    real = written["real"]
    fields = ("value", "error", "n", "how")
    return Figure(
        written["name"],
        Estimate(*(written[name] for name in fields)),
        written["unit"],
        None if real is None else Estimate(*(real[name] for name in fields)),
        written["group"],
        written.get("row", ""),
    )


def words(estimate: Estimate, less: Collection[str] = ()) -> str:
    """The number of examples and the protocol, as a person reads them, without some fields.

    >>> words(Estimate(1.5, 0.1, 250, {"split": "test", "k": 100, "network_hash": "5f", "error": None}))
    'n 250; split test; k 100; network hash 5f'
    """
    parts = [f"n {estimate.n:,}"]
    for name, value in estimate.how.items():
        if value is not None and name not in less:
            parts.append(f"{name.replace('_', ' ')} {_text(value)}")
    return "; ".join(parts)


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
