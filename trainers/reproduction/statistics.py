"""What results of several seeds say: means, and differences of pairs with their intervals."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import scipy.stats

from ..curves import deviation

__all__ = ["CONFIDENCE", "METHOD", "Difference", "Mean", "mean", "paired"]

CONFIDENCE = 0.95
METHOD = "t interval of 95 % and two-sided t test over the paired seeds, not corrected for the number of comparisons"


@dataclasses.dataclass(frozen=True)
class Mean:
    """A figure over seeds.

    Attributes:
        value: The mean.
        spread: The standard deviation over seeds; None of one seed, or where a value is not finite.
        seeds: Number of seeds.
    """

    value: float
    spread: float | None
    seeds: int


@dataclasses.dataclass(frozen=True)
class Difference:
    """How much more one contender has than another, from the same seeds.

    Attributes:
        value: The mean of the differences, seed by seed.
        low: Where its interval begins; None of one seed, or where a value is not finite.
        high: Where it ends.
        p: Of a t test that the mean is 0; None where there is no interval, or all differences are equal.
        seeds: Number of seeds that both have.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    seeds: int


def mean(values: Mapping[int, float]) -> Mean | None:
    """The mean over seeds; None where there are none."""
    if not values:
        return None
    found = list(map(float, values.values()))
    return Mean(math.fsum(found) / len(found), deviation(found) if all(map(math.isfinite, found)) else None, len(found))


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> Difference | None:
    """The difference of two contenders over the seeds that both have.

    Args:
        first: Values by seed.
        second: Likewise.

    Returns:
        first - second; None where no seed has both.

    >>> found = paired({0: 2.0, 1: 3.0, 2: 5.0}, {0: 1.0, 1: 1.0, 2: 2.0, 3: 9.0})
    >>> found.value, found.seeds, round(found.low, 3), round(found.high, 3), round(found.p, 3)
    (2.0, 3, -0.484, 4.484, 0.074)
    """
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    pairs = [(first[seed], second[seed]) for seed in seeds]
    differences = np.array([a - b if a != b else 0.0 for a, b in pairs], np.float64)  # two infinities are alike
    value = float(np.mean(differences))
    if len(seeds) < 2 or not np.isfinite(differences).all():
        return Difference(value, None, None, None, len(seeds))
    if np.ptp(differences) == 0.0:
        return Difference(value, value, value, None, len(seeds))
    test = scipy.stats.ttest_1samp(differences, 0.0)
    interval = test.confidence_interval(CONFIDENCE)
    return Difference(value, float(interval.low), float(interval.high), float(test.pvalue), len(seeds))
