"""Bidirectional Monte Carlo: how far annealing can be off."""

import dataclasses
from typing import Any

import numpy as np

from ugm_tf.evaluation.checks import check_count, check_rows
from ugm_tf.evaluation.estimate import Estimate, mean
from ugm_tf.evaluation.likelihood import inputs
from ugm_tf.evaluation.likelihood.runs import Runs, Settings, over_examples, summed

__all__ = ["Sandwich", "sandwich"]


@dataclasses.dataclass(frozen=True)
class Sandwich:
    """log p(x) of examples that the model made itself, in nats, between two stochastic bounds.

    Attributes:
        lower: Mean of forward chains, below the truth in expectation.
        upper: Mean of reverse chains from the codes that made x, above it in expectation.
        gap: Their mean difference: how far annealing with these settings can be off on such examples.
        lower_by_example: [N].
        upper_by_example: [N].
    """

    lower: Estimate
    upper: Estimate
    gap: Estimate
    lower_by_example: np.ndarray = dataclasses.field(repr=False)
    upper_by_example: np.ndarray = dataclasses.field(repr=False)


def sandwich(
    model: inputs.Jointly,
    n: int,
    chains: int = 16,
    temperatures: int = 1000,
    leapfrog: int = 10,
    seed: int = 0,
    observation: float | None = None,
    start: str = "prior",
    *,
    jit_compile: bool | str = "auto",
    **given: Any,
) -> Sandwich:
    """Bidirectional Monte Carlo: log p(x) of examples that the model made, from below and from above.

    A code that made x is an exact draw from p(z | x), so chains from it back to the prior bound log p(x) from above.
    Where the gap is small, `annealed` can be trusted with these settings, as far as data are like the model's examples.

    Args:
        model: As in `annealed`.
        n: How many examples to make, at least 2.
        chains: Chains of each example, in either direction.
        temperatures: Moves of each chain.
        leapfrog: Gradient steps of each move.
        seed: Fixes the examples and the chains.
        observation: As in `annealed`.
        start: As in `annealed`.
        jit_compile: As in `annealed`.
        **given: Further data by name, [n, ...].

    Raises:
        ValueError: As `annealed`.

    References:
        Roger Grosse, Zoubin Ghahramani, Ryan Adams. Sandwiching the marginal likelihood using
        bidirectional Monte Carlo. 2015. https://arxiv.org/abs/1511.02543
    """
    check_count("n of sandwich()", n, least=2)
    settings = Settings(chains, temperatures, leapfrog, seed, observation, start, jit_compile)
    runs = Runs(model, settings, tuple(given))
    data = {
        v: check_rows(f"The data of {v} in sandwich()", array, least=n).astype(np.float32)[:n]
        for v, array in given.items()
    }
    codes, x = runs.simulate(data, n)
    values = {runs.path.asked[0]: x, **data}
    rows, lower, upper = runs.rows(x), [], []
    for i in range(0, n, rows):
        index = np.minimum(np.arange(i, i + rows), n - 1)
        part = {v: a[index] for v, a in values.items()}
        log_w, steps, *_ = runs.forward(part, observation, i)
        back = runs.reverse(part, [code[index] for code in codes], observation, i, steps)
        lower.append(np.asarray(log_w)[:, : n - i])
        upper.append(back[:, : n - i])
    below, below_error, _ = summed(np.concatenate(lower, 1))
    above, above_error, _ = summed(-np.concatenate(upper, 1))
    how = settings.how()
    return Sandwich(
        over_examples(below, below_error, **how, bias="below log p(x)"),
        over_examples(-above, above_error, **how, bias="above log p(x)"),
        mean(-above - below, **how),
        below,
        -above,
    )
