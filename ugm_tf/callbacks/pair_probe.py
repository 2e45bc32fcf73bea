"""What a probe measures of one discriminator and the two sides that it tells apart."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ugm_tf.callbacks.references import References, concatenated, spread
from ugm_tf.densities import fold
from ugm_tf.evaluation import judged
from ugm_tf.evaluation.divergences import divergences
from ugm_tf.evaluation.ratio import LogRatio
from ugm_tf.joint import Joint
from ugm_tf.traced import traced

__all__ = ["PairProbe"]

_FRESH = 8  # training batches that are judged for a measurement
Batches = Sequence[Mapping[str, tf.Tensor]]


class _Drawn(NamedTuple):
    """Features of both sides, [N, D] and [M, D], and the discriminator's logits there; generated values of the first
    variable before a `DiffAugment`, and features of both sides with it as it is there."""

    real: tf.Tensor
    real_logits: tf.Tensor
    fake: tf.Tensor
    fake_logits: tf.Tensor
    values: tf.Tensor
    real_before: tf.Tensor
    fake_before: tf.Tensor


class PairProbe:
    """Figures of one discriminator's phase.

    The log-ratio is fitted to training data and samples, and weighed and measured on held-out ones; without training
    data, or with few, to one half of the held-out data, and measured on the other.

    Args:
        joint: The densities and the recipe.
        pair: The discriminator's phase.
        size: Units of the log-ratio's hidden layers.
        seed: Fixes its weights and the draws.
        held_out: Batches of held-out data.
        training: Batches of training data; None if there are none.
        classifier: From images to logits, for the classes that samples reach; None for no classes.
    """

    def __init__(
        self,
        joint: Joint,
        pair: judged.JudgedPair,
        size: Sequence[int],
        seed: int,
        held_out: Batches,
        training: Batches | None,
        classifier: Any,
    ):
        self.joint, self.pair, self.seed = joint, pair, seed
        self.held_out, self.training, self.classifier = held_out, training, classifier
        self.ratio = LogRatio(pair.shapes(joint), size, seed=seed)
        self._references: References | None = None
        self._real: tf.Tensor | None = None  # features of all training data, where these are what is judged
        self._draw = traced(reduce_retracing=True)(self._drawn)
        self._cosine = traced(reduce_retracing=True)(self._cosine_of)

    def measure(self, steps: int, at: int) -> dict[str, float]:
        """The figures by name.

        Args:
            steps: Of the log-ratio's network.
            at: The model's step, which the draws are a function of.
        """
        pair, seed = self.pair, fold([self.seed, 0], at)
        held_out, seen = self._all(self.held_out, seed), None
        if self.training is not None:
            seen = self._all(self.training[:_FRESH], fold(seed, -2))
        real, real_logits, fake, fake_logits = held_out[:4]
        if not all(np.isfinite(part).all() for part in (real, real_logits, fake, fake_logits, *(seen or ()))):
            return {"jsd": float("nan")}
        self.ratio.reset()  # so that figures of different times are found alike
        if seen is not None and len(seen.real) >= len(real) // 2:
            self.ratio.fit(self._learned(seen), seen.fake, steps)
        else:
            half, other = len(real) // 2, len(fake) // 2
            self.ratio.fit(real[:half], fake[:other], steps)
            real, real_logits, fake, fake_logits = real[half:], real_logits[half:], fake[other:], fake_logits[other:]
        out = self._divergences(real, real_logits, fake, fake_logits)
        if pair.moving is not None:
            if pair.log_ratio:
                out["cosine"] = float(self._cosine(self.held_out[0], fold(seed, -1)))
            out["pull"] = float(pair.pull(fake_logits))
        if pair.boundary is not None:
            out["real_accuracy"] = float(np.mean(real_logits > pair.boundary))
            out["fake_accuracy"] = float(np.mean(fake_logits < pair.boundary))
            if seen is not None:
                out["training_accuracy"] = float(np.mean(seen.real_logits > pair.boundary))
        before = held_out.fake_before, held_out.real_before
        out["spread"] = spread(*before)
        return out | self._beside().figures(held_out.values, *before)

    def _divergences(self, real: Any, real_logits: Any, fake: Any, fake_logits: Any) -> dict[str, float]:
        self.ratio.calibrate(real, fake, real_logits, fake_logits)
        logits = (real_logits, fake_logits) if self.pair.log_ratio else (None, None)
        found = divergences(self.ratio(real, real_logits), self.ratio(fake, fake_logits), *logits)
        names = ("jsd", "kl_generated", "kl_real", "discriminator_gap", "objective")
        return {name: each.value for name in names if (each := getattr(found, name)) is not None}

    def _learned(self, seen: _Drawn) -> tf.Tensor:
        """The real side's features that the log-ratio learns from: all where they are data, else fresh draws."""
        if not set(self.pair.variables(self.joint)) <= set(self.joint.recipe.data):
            return seen.real
        if self._real is None:
            rest = (self.training or ())[_FRESH:]
            more = [self._all(rest, fold([self.seed, 1], 0)).real] if rest else []
            self._real = tf.concat([seen.real, *more], 0)
        return self._real

    def _beside(self) -> References:
        if self._references is None:
            variable = self.pair.first(self.joint)
            training = concatenated(self.training, variable) if len(self.ratio.shapes) == 1 else None
            self._references = References(concatenated(self.held_out, variable), training, self.classifier)
        return self._references

    def _all(self, batches: Batches, seed: tf.Tensor) -> _Drawn:
        parts = [self._draw(values, fold(seed, i)) for i, values in enumerate(batches)]
        return _Drawn(*(tf.concat(part, 0) for part in zip(*parts, strict=True)))

    def _drawn(self, values: Mapping[str, tf.Tensor], seed: tf.Tensor) -> _Drawn:
        features, sides = self.ratio.features, self.pair.draw(self.joint, values, seed)
        (of_real, of_fake), (real, fake) = (features(side.values) for side in sides), sides
        before = of_real, of_fake
        if self.pair.first(self.joint) != self.pair.variables(self.joint)[0]:
            before = tuple(features((side.first, *side.values[1:])) for side in sides)
        return _Drawn(of_real, real.logits, of_fake, fake.logits, fake.first, *before)

    def _cosine_of(self, values: Mapping[str, tf.Tensor], seed: tf.Tensor) -> tf.Tensor:
        """Between the gradients of KL and JSD."""

        def ratio(side: judged.Side) -> tf.Tensor:
            return self.ratio(self.ratio.features(side.values), side.logits)

        kl, jsd = self.pair.gradients(self.joint, values, seed, ratio)
        return tf.reduce_sum(kl * jsd) / (tf.norm(kl) * tf.norm(jsd) + 1e-30)
