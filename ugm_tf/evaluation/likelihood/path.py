"""The path of annealing: from a density that can be drawn from to the joint p(x, z) at a given x."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from ugm_tf.algebra import Ancestral, JointSample
from ugm_tf.evaluation.likelihood import inputs

__all__ = ["Path"]

Codes = tuple[tf.Tensor, ...]


@dataclasses.dataclass(frozen=True)
class Path:
    """log f_b(z) = log f_0(z) + b (log p(x, z) - log f_0(z)), with f_0 the prior or q(z | x).

    Args:
        model: Densities that fill the roles of a recipe.
        given: Names of the data beside x.
        observed: Whether x is the decoder's mean plus Gaussian noise of a given scale, whatever the family says.
        from_encoder: Whether f_0 is q(z | x).
    """

    model: Any
    given: tuple[str, ...]
    observed: bool
    from_encoder: bool

    def __post_init__(self) -> None:
        drawn, needed = self._ancestors()
        if missing := [v for v in needed if v not in self.given] or [v for v in self.given if v not in self.asked]:
            raise ValueError(
                f"This decoder is {self.model.recipe.roles['decoder']}, which takes by name: "
                f"{', '.join(v for v in self.asked[1:]) or 'nothing'}. Missing or not known: {', '.join(missing)}."
            )
        for name in drawn:
            family, of = self.model.densities[name].family, self.model.recipe.roles[name].of
            if family.support not in ("real", "unit") or not family.has_log_prob:
                raise ValueError(
                    f"Annealing moves a code by gradients of its density, but {of} is of family {family}. Give it by "
                    f"name, as in {of}=..., for log p(x | {of}); `bounds` takes discrete codes."
                )
        if not self.observed and not self.model.densities["decoder"].family.has_log_prob:
            raise ValueError(
                "A point decoder has no log-probability. Give an observation model: observation=0.1 is the standard "
                "deviation of Gaussian noise around the decoder's output, such as observation_scale(model, x) finds."
            )
        if self.from_encoder:
            generative, inferring = (
                inputs.bounding(self.model) if not self.observed else self.model.recipe.bound() or ((), ())
            )
            if set(generative[1:]) != set(drawn):
                raise ValueError(
                    "start='encoder' takes a recipe that infers every code. This model has: "
                    f"{', '.join(str(role) for role in self.model.recipe.roles.values())}. Give start='prior'."
                )

    def _ancestors(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if "decoder" not in self.model.recipe.roles:
            raise ValueError(
                "Annealing takes a decoder, p(x | z). This model has: "
                f"{', '.join(str(role) for role in self.model.recipe.roles.values())}."
            )
        drawn, missing = self.model.recipe.ancestors("decoder", known=self.given)
        if not drawn:
            raise ValueError(
                f"Annealing takes a prior of what the decoder is given; this one is "
                f"{self.model.recipe.roles['decoder']}, and nothing of it is drawn."
            )
        return drawn, missing

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the densities that draw the codes, in order."""
        return self._ancestors()[0]

    @property
    def asked(self) -> tuple[str, ...]:
        """Variables of the data, x first."""
        roles, drawn = self.model.recipe.roles, self.drawn
        names = ("decoder", *drawn, *(self._inferring if self.from_encoder else ()))
        return inputs.variables(self.model, names, [roles[name].of for name in drawn])

    @property
    def codes(self) -> tuple[str, ...]:
        """The variables that are annealed."""
        return tuple(self.model.recipe.roles[name].of for name in self.drawn)

    @property
    def _inferring(self) -> tuple[str, ...]:
        return (self.model.recipe.bound() or ((), ()))[1]

    def first(self, values: Mapping[str, tf.Tensor], chains: int, seed: tf.Tensor) -> Codes:
        """Draws from f_0, each [chains, B, ...]."""
        sample = Ancestral(self._inferring if self.from_encoder else self.drawn, k=chains)(self._start(values), seed)
        return tuple(sample[code] for code in self.codes)

    def simulate(
        self, values: Mapping[str, tf.Tensor], n: int, scale: float, seed: tf.Tensor
    ) -> tuple[Codes, tf.Tensor]:
        """n draws of the codes and of x, from the model."""
        roles, density = self.model.recipe.roles, self.model.densities["decoder"]
        empty = JointSample(self.model.densities, roles, values, training=False, batch_size=tf.constant(n))
        sample = Ancestral((*self.drawn, "decoder"))(empty, seed)
        x = sample[roles["decoder"].of]
        if self.observed:
            x = density.location(sample.distribution("decoder"))
            x += scale * tf.random.stateless_normal(tf.shape(x), seed + 1)
        return tuple(sample[code] for code in self.codes), x

    def ends(self, values: Mapping[str, tf.Tensor], codes: Codes, scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """log f_0 and log p(x, z) - log f_0, in nats, each [chains, B]."""
        shape, known = tf.shape(codes[0])[:2], dict(zip(self.codes, codes, strict=True))
        sample = self._start(values).where(**known)
        prior = sum(sample.log_prob(name) for name in self.drawn)
        observed = self._observed(sample, scale) if self.observed else sample.log_prob("decoder")
        base = sum(sample.log_prob(name) for name in self._inferring) if self.from_encoder else prior
        difference = observed + prior - base if self.from_encoder else observed
        return tf.broadcast_to(base, shape), tf.broadcast_to(difference, shape)

    def observed_log_prob(self, values: Mapping[str, tf.Tensor], codes: Sequence[tf.Tensor], scale: float) -> tf.Tensor:
        """log N(x; the decoder's mean, scale^2), [chains, B], in nats."""
        known = dict(zip(self.codes, codes, strict=True))
        return self._observed(self._start(values).where(**known), tf.constant(scale, tf.float32))

    def _start(self, values: Mapping[str, tf.Tensor]) -> JointSample:
        return inputs.start(self.model, values)

    def _observed(self, sample: JointSample, scale: tf.Tensor) -> tf.Tensor:
        """log N(x; the decoder's mean, scale^2), [chains, B]."""
        x = sample[self.model.recipe.roles["decoder"].of]
        error = (x - self.model.densities["decoder"].location(sample.distribution("decoder"))) / scale
        axes = list(range(2, error.shape.rank))
        size = tf.cast(tf.reduce_prod(tf.shape(x)[1:]), tf.float32)
        return -0.5 * tf.reduce_sum(error * error, axes) - size * (tf.math.log(scale) + 0.5 * math.log(2.0 * math.pi))
