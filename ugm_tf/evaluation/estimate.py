"""What every figure is: a number, how far it may be off, what it is over, and how it came about."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ugm_tf.arrays import of_numbers

__all__ = ["Estimate", "fingerprint", "mean"]


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure with its protocol.

    Attributes:
        value: The figure.
        error: Its standard error, by the way that `how` names; None where none is known.
        n: How many examples it is over.
        how: What else another one must share to be compared with it, by name: n_real, n_fake, splits, k, seed, the hash
            of a feature network, the fingerprint of the data.  Values that JSON has.

    Raises:
        ValueError: If `how` holds what JSON has not.

    Example:

    >>> print(Estimate(-84.31, 0.42, 1000, {"k": 5000}))
    -84.3 ± 0.42 (n=1000)
    """

    value: float
    error: float | None
    n: int
    how: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))
        object.__setattr__(self, "error", None if self.error is None else float(self.error))
        object.__setattr__(self, "n", int(self.n))
        object.__setattr__(self, "how", dict(self.how))  # the maker's may change
        try:
            json.dumps(dict(self.how))
        except TypeError as error:
            raise ValueError(
                f"An Estimate's `how` holds numbers, words and lists of them by name. Received: {dict(self.how)!r}."
            ) from error

    def __str__(self) -> str:
        error = "" if self.error is None else f" ± {self.error:.2g}"
        return f"{self.value:.3g}{error} (n={self.n})"

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, as JSON takes them."""
        return {"value": self.value, "error": self.error, "n": self.n, "how": dict(self.how)}


def mean(values: np.ndarray, **how: Any) -> Estimate:
    """The mean of independent values with its standard error, which one value alone does not tell.

    Args:
        values: Numbers, [N].
        **how: The protocol.
    """
    values = np.asarray(values, np.float64)
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else None
    return Estimate(np.mean(values), error, len(values), how)


def fingerprint(*arrays: Any) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over the arrays' types, shapes and bytes.

    Example:

    >>> fingerprint(np.zeros([2, 3])) == fingerprint(np.zeros([3, 2]))
    False
    """
    digest = hashlib.sha256()
    for array in (np.ascontiguousarray(of_numbers(array, "What fingerprint() takes")) for array in arrays):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()[:16]
