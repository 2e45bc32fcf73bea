"""Expectations: a term under a sampler, with its scale and its weight."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ugm_tf.algebra import schedules
from ugm_tf.algebra.chunks import Chunked
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.part import Part
from ugm_tf.algebra.role import Roles
from ugm_tf.algebra.samplers import DATA, Sampler
from ugm_tf.algebra.terms import Term
from ugm_tf.algebra.weights import Weight
from ugm_tf.serialization import record

__all__ = ["E", "Expectation"]


@record
class Expectation:
    """scale * E_under[weight * of], in nats.

    The mean is over the batch and over the draws of an example.  No gradient flows through `weight`.

    Args:
        of: A `Term`.
        under: A `Sampler`.
        scale: A factor, such as the beta of a beta-VAE: a number; or a function of the training step, a `Schedule` of
            `ugm_tf.schedules` or a `keras.optimizers.schedules.LearningRateSchedule`.
        weight: A `Weight`.
        name: Name of the metric; the term's own name if it is not given.

    Raises:
        ValueError: If a part is of another kind, or does not say what it asks; see `Part`.
    """

    of: Term
    under: Any = DATA
    scale: Any = 1.0
    weight: Weight | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        _check_part(self.of, Term, "minimises a term")
        if self.weight is not None:
            _check_part(self.weight, Weight, "has a weight")
        if not isinstance(self.under, Sampler):
            raise ValueError(
                "An expectation is under a sampler, such as ugm_tf.GENERATED, or a class of your own derived from "
                f"ugm_tf.Sampler. Received: {self.under!r}."
            )
        self.under.check()
        object.__setattr__(self, "scale", schedules.of(self.scale))

    def __call__(self, sample: JointSample | Chunked) -> tf.Tensor:
        """The expectation without its scale, a scalar; on one of several devices, its part of the sum."""
        if isinstance(sample, Chunked):
            return sample.start.mean(self.by_example(sample))
        if self.of.pooled and self.weight is not None:
            return self._mean(self.of.value(self._weighted(sample)), sample)
        return self._mean(self.of.value(sample), sample)

    def by_example(self, sample: JointSample | Chunked) -> tf.Tensor:
        """Its term at each example, times its weights: [B], or with axes before it."""
        if isinstance(sample, Chunked):
            return sample.value(self)
        value = self.of.value(sample)
        return self.factor(sample, value.dtype) * value

    def beside(self, sample: JointSample | Chunked) -> dict[str, tf.Tensor]:
        """What is logged beside it, by the endings of the metrics' names; scalars."""
        if isinstance(sample, Chunked):
            return {name: sample.start.mean(sample.value_beside(self, i)) for i, name in enumerate(self.of.beside)}
        values = zip(self.of.beside, self.of.logged(sample), strict=True)
        return {name: self._mean(value, sample) for name, value in values}

    def factor(self, sample: JointSample, dtype: tf.DType) -> tf.Tensor:
        """What its term is multiplied by: its weight, and that of the sample."""
        weight = 1.0 if self.weight is None else tf.stop_gradient(self.weight.value(sample))
        return tf.cast(weight if sample.weight is None else weight * sample.weight, dtype)

    def _mean(self, value: tf.Tensor, sample: JointSample) -> tf.Tensor:
        if sample.weight is not None:
            value = sample.weight * value
        if self.weight is not None:
            value = tf.stop_gradient(self.weight.value(sample)) * value
        return sample.mean(value)

    def _weighted(self, sample: JointSample) -> JointSample:
        """The sample with the weight among its own."""
        if self.weight is None:
            return sample
        weight = tf.stop_gradient(self.weight.value(sample))
        return sample.where(weight=weight if sample.weight is None else weight * sample.weight)

    @property
    def label(self) -> str:
        """Name of its metric within the phase."""
        return self.name or self.of.label

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its term, and its weight if it has one."""
        return (self.of,) if self.weight is None else (self.of, self.weight)

    @property
    def scored(self) -> tuple[str, ...]:
        """Names of the densities whose log-probability it takes."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.scored))

    @property
    def conditioned(self) -> tuple[str, ...]:
        """Names of the densities that it asks for a distribution given their parents."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.conditioned))

    @property
    def judges(self) -> tuple[str, ...]:
        """Names of the densities that it asks for a logit."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.judges))

    @property
    def asked(self) -> tuple[str, ...]:
        """Names of all these densities."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.asked))

    def about(self, roles: Roles, data: Sequence[str]) -> tuple[str, ...]:
        """Which of the data its parts and its sampler look at."""
        seen = {variable for part in self.parts for variable in part.variables(roles)}
        seen |= {variable for step in self.under.steps for variable in step.needs(roles)}
        return tuple(v for v in data if v in seen) or (() if self.under.steps else tuple(data))

    def describe(self, roles: Roles, data: Sequence[str]) -> str:
        """The expectation as the paper writes it, without its scale: "E[x ~ data] -log q(y=1 | x)"."""
        weight = "" if self.weight is None else f"{self.weight.describe(roles)} * "
        sums = any(step.adds_axis and step.k is None for step in self.under.steps)  # which weigh their rows
        weighted = self.of.pooled and (sums or self.weight is not None)
        of = self.of.describe_weighted(roles) if weighted else self.of.describe(roles)
        return f"E[{self.under.describe(roles, self.about(roles, data))}] {weight}{of}"


E = Expectation


def _check_part(part: Any, kind: type[Part], what: str) -> None:
    if not isinstance(part, kind):
        function = f"function '{part.__name__}'" if hasattr(part, "__name__") else repr(part)
        raise ValueError(f"An expectation {what}. Received: {function}. Write it as {kind.form()}.")
    part.check()
