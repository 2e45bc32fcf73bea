"""Annealed chains of a model at fixed settings, on data and on what the model makes itself."""

import dataclasses
from typing import Any

import numpy as np
import scipy.special
import tensorflow as tf

from ugm_tf.evaluation.checks import check_count
from ugm_tf.evaluation.estimate import Estimate
from ugm_tf.evaluation.likelihood import inputs
from ugm_tf.evaluation.likelihood.hamiltonian import chain
from ugm_tf.evaluation.likelihood.path import Path

__all__ = ["Runs", "Settings", "over_examples", "summed"]

_FIRST_STEP = 0.2


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to run chains; checked once for all that run them."""

    chains: int
    temperatures: int
    leapfrog: int
    seed: int
    observation: float | None
    start: str
    jit_compile: bool | str

    def __post_init__(self) -> None:
        check_count("chains", self.chains, least=2)
        check_count("temperatures", self.temperatures)
        check_count("leapfrog", self.leapfrog)
        check_count("seed", self.seed, least=0, most=2**31 - 8)
        if self.start not in ("prior", "encoder"):
            raise ValueError(f"Chains start from the 'prior' or the 'encoder'. Received: start={self.start!r}.")
        if self.observation is not None and not 0.0 < self.observation < np.inf:
            raise ValueError(
                "observation is the standard deviation of Gaussian noise around the decoder's output, above 0. "
                f"Received: {self.observation}."
            )

    def how(self) -> dict[str, Any]:
        names = ("chains", "temperatures", "leapfrog", "seed", "observation", "start")
        return {name: getattr(self, name) for name in names}


class Runs:
    """The chains of a model at fixed settings: a pilot run that adapts, and runs with its steps."""

    def __init__(self, model: Any, settings: Settings, given: tuple[str, ...]):
        self.settings, observed = settings, settings.observation is not None
        self.path = Path(model, given, observed, settings.start == "encoder")
        jit = inputs.compiles(model, settings.jit_compile)
        make = lambda reverse: chain(self.path, settings.temperatures, settings.leapfrog, reverse, jit)  # noqa: E731
        self._forward, self._reverse = make(False), make(True)

    def rows(self, x: np.ndarray) -> int:
        return max(1, min(len(x), inputs.codes_at_once(x) // self.settings.chains))

    def forward(self, values: dict[str, np.ndarray], scale: float | None, number: int) -> list[np.ndarray]:
        """Log-weights, steps, acceptance and codes of one part of the data."""
        chains, temperatures = self.settings.chains, self.settings.temperatures
        tensors, rows = self._tensors(values), len(next(iter(values.values())))
        first = tf.fill([temperatures, rows], tf.constant(_FIRST_STEP))
        start = self.path.first(tensors, chains, self._seed(number, 0))
        _, steps, *_ = self._run(self._forward, tensors, start, scale, self._seed(number, 1), first, True)
        start = self.path.first(tensors, chains, self._seed(number, 2))
        return self._run(self._forward, tensors, start, scale, self._seed(number, 3), steps, False)

    def reverse(
        self, values: dict[str, np.ndarray], codes: Any, scale: float | None, number: int, steps: Any
    ) -> np.ndarray:
        """Log-weights of chains back from these codes, [chains, B]."""
        chains = self.settings.chains
        start = tuple(tf.repeat(code[None], chains, 0) for code in codes)
        seed = self._seed(number, 4)
        return np.asarray(self._run(self._reverse, self._tensors(values), start, scale, seed, steps, False)[0])

    def mean_squares(self, values: dict[str, np.ndarray], codes: Any, scale: float) -> np.ndarray:
        """Of what the decoder's output leaves of x, over the numbers of an example, [chains, N]."""
        n, out = len(next(iter(values.values()))), []
        size = int(np.prod(values[self.path.asked[0]].shape[1:]))
        for i in range(0, n, rows := self.rows(values[self.path.asked[0]])):
            part = self._tensors({v: a[i : i + rows] for v, a in values.items()})
            log_prob = self.path.observed_log_prob(part, [tf.constant(c[:, i : i + rows]) for c in codes], scale)
            out.append(np.asarray(log_prob, np.float64))
        free = np.concatenate(out, 1) / size + np.log(scale) + 0.5 * np.log(2.0 * np.pi)
        return -2.0 * scale**2 * free

    def simulate(self, values: dict[str, np.ndarray], n: int) -> tuple[list[np.ndarray], np.ndarray]:
        """Codes and examples from the model, [n, ...]."""
        codes, x = self.path.simulate(self._tensors(values), n, self.settings.observation or 1.0, self._seed(0, 5))
        return [np.asarray(code) for code in codes], np.asarray(x)

    def _run(self, function: Any, values: Any, codes: Any, scale: Any, seed: Any, steps: Any, adapt: bool) -> Any:
        scale = tf.constant(1.0 if scale is None else scale, tf.float32)
        return function(values, codes, scale, seed, steps, tf.constant(adapt))

    def _seed(self, number: int, run: int) -> tf.Tensor:
        return tf.constant([self.settings.seed + run, number], tf.int32)

    @staticmethod
    def _tensors(values: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
        return {variable: tf.constant(array) for variable, array in values.items()}


def summed(log_w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The logarithm of the mean weight, its standard error and the effective number of chains, each [N]."""
    log_sum = scipy.special.logsumexp(log_w, axis=0)
    relative = np.exp(scipy.special.logsumexp(2.0 * log_w, axis=0) - 2.0 * log_sum)
    chains = len(log_w)
    return log_sum - np.log(chains), np.sqrt(np.maximum(relative - 1.0 / chains, 0.0)), 1.0 / relative


def over_examples(values: np.ndarray, errors: np.ndarray, **how: Any) -> Estimate:
    n, of_chains = len(values), float(np.sqrt(np.sum(errors**2)) / len(values))
    error = float(np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else of_chains
    over = "examples and chains" if n > 1 else "chains"
    return Estimate(np.mean(values), error, n, {**how, "error_over": over, "error_of_chains": of_chains})
