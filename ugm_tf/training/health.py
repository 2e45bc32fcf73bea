"""Whether the losses and gradients of training are finite, and what is done at a step where they are not."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf.algebra import Phase
from ugm_tf.joint import Joint

__all__ = ["ON_NAN", "Health", "Watch"]

ON_NAN = ("stop", "skip")
_MOST = 100  # updates skipped one after the other: nothing is learned any more
_ADVICE = "Lower the learning rate, or look at the data and at the scale of the likelihood."
_LOG = logging.getLogger(__package__)


class Health:
    """Watches the steps of a model's training; what it keeps between them are a few numbers.

    Args:
        joint: The densities and the recipe.
        on_nan: "stop": no update is made from a bad step on.  "skip": a bad update is left out.
        variables: What forward passes change, such as moving averages: a bad step does not.
    """

    def __init__(self, joint: Joint, on_nan: str, variables: Sequence[Any]):
        self.skip, self.variables = on_nan == "skip", list(variables)
        self.entries: list[tuple[str, str, str]] = []  # phase; "term" or "density"; its name
        self.visits: list[range] = []  # the entries of each repeat of each phase
        for phase in joint.recipe.phases:
            for _ in range(phase.repeats):
                start = len(self.entries)
                self.entries += [(phase.name, "term", name.partition("/")[2]) for name in phase.metrics]
                self.entries += [(phase.name, "density", name) for name in phase.updates]
                self.visits.append(range(start, len(self.entries)))
        # Of the first bad step since the last look: its entries' values, zeros if there was none; that step; how many
        # bad steps there were; how many of them are the latest steps, whenever they were; and in how many of the latest
        # steps an optimizer that scales its loss made no update.
        self._values = tf.Variable(tf.zeros(len(self.entries)), trainable=False)
        self._counts = tf.Variable(tf.zeros(4, tf.float64), trainable=False)  # exact beyond 2**24

    def watch(self, step: tf.Tensor) -> "Watch":
        """A watch over one step, of this number."""
        return Watch(self, self._values, self._counts, step)

    def fine(self) -> tf.Tensor:
        """Whether no step since the last look was bad, a bool scalar."""
        return tf.equal(self._counts[1], 0.0)

    def look(self) -> None:
        """Looks at the steps since the last look.

        Raises:
            FloatingPointError: If one was bad and training is to stop; or if too many were, one after the other.
        """
        first, number, latest, unscaled = self._counts.numpy()
        if unscaled >= _MOST:
            raise FloatingPointError(
                f"The gradients of the last {int(unscaled)} steps were not finite at any scale of the loss, so that "
                f"nothing was learned from them. {_ADVICE}"
            )
        if not number:
            return
        words = self._words(int(first) + 1, self._values.numpy())
        self._values.assign(tf.zeros_like(self._values))
        self._counts.assign([0.0, 0.0, latest if self.skip else 0.0, unscaled])
        if not self.skip:
            raise FloatingPointError(
                f"Training diverged at step {words}. Nothing was learned from it, and what was saved is from before. "
                f"{_ADVICE}"
            )
        if latest >= _MOST:
            raise FloatingPointError(f"The last {int(latest)} steps were all skipped, such as step {words}. {_ADVICE}")
        others = f", and {int(number) - 1} after it" if number > 1 else ""
        _LOG.warning("Skipped an update at step %s%s.", words, others)

    def _words(self, step: int, values: np.ndarray) -> str:
        bad = [entry for entry, value in zip(self.entries, values, strict=True) if not np.isfinite(value)]
        phase = bad[0][0]
        terms = [
            f"{name} = {value}"
            for (of, kind, name), value in zip(self.entries, values, strict=True)
            if of == phase and kind == "term" and not np.isfinite(value)
        ]
        density = next((name for of, kind, name in bad if of == phase and kind == "density"), None)
        parts = [*terms, *([f"the gradient of '{density}' is not finite"] if density else [])]
        return f"{step}, in phase '{phase}': {', '.join(dict.fromkeys(parts))}"


class Watch:
    """Watches one step, in its graph.

    Attributes:
        good: Whether all so far was finite, and no step before was bad where that stops training; bool scalar.
    """

    def __init__(self, health: Health, values: tf.Variable, counts: tf.Variable, step: tf.Tensor):
        self._health, self._values, self._counts, self._step = health, values, counts, tf.cast(step, tf.float64)
        self._seen: dict[int, tf.Tensor] = {}
        self._scaled: list[tf.Tensor] = []  # whether gradients of a scaled loss are finite
        self._before = [tf.identity(variable.value) for variable in health.variables]
        self.good = tf.constant(True) if health.skip else tf.equal(counts[1], 0.0)

    def terms(self, visit: int, values: Mapping[str, tf.Tensor]) -> None:
        """Notes the terms and the loss of a phase; `visit` counts phases and repeats, from 0."""
        self._note(visit, "term", {name.partition("/")[2]: value for name, value in values.items()})

    def gradients(self, visit: int, phase: Phase, joint: Joint, gradients: Sequence[Any], optimizer: Any) -> tf.Tensor:
        """Notes a phase's gradients; returns whether the update may be made, a bool scalar."""
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):  # which looks itself, and lowers the scale
            self._scaled.append(_are_finite(gradients, optimizer.inner_optimizer))
            return self.good
        of, found = {id(v): g for v, g in zip(joint.variables_of(phase), gradients, strict=True)}, {}
        for name in phase.updates:
            own = [of[id(variable)] for variable in joint.densities[name].trainable_variables]
            found[name] = tf.where(_are_finite(own, optimizer), 0.0, float("nan"))
        self._note(visit, "density", found)
        return self.good

    def _note(self, visit: int, kind: str, values: Mapping[str, tf.Tensor]) -> None:
        fine = [self.good]
        for i in self._health.visits[visit]:
            _, of_kind, name = self._health.entries[i]
            if of_kind == kind and name in values:
                self._seen[i] = tf.cast(values[name], tf.float32)
                fine.append(tf.math.is_finite(self._seen[i]))
        self.good = tf.reduce_all(tf.stack(fine))

    def close(self) -> tf.Tensor:
        """Keeps what was noted, if it is bad; returns whether the step counts, a bool scalar."""
        zero = tf.constant(0.0)
        noted = tf.stack([self._seen.get(i, zero) for i in range(len(self._health.entries))])
        step, number, latest, unscaled = tf.unstack(self._counts)
        first = tf.logical_and(tf.equal(number, 0.0), tf.logical_not(self.good))
        bad = tf.cast(tf.logical_not(self.good), tf.float64)
        unscaled = (unscaled + 1.0) * (1.0 - tf.cast(tf.reduce_all(tf.stack([True, *self._scaled])), tf.float64))
        self._values.assign(tf.where(first, noted, self._values))
        counts = [tf.where(first, self._step, step), number + bad, (latest + 1.0) * bad, unscaled]
        self._counts.assign(tf.stack(counts))
        for variable, before in zip(self._health.variables, self._before, strict=True):
            variable.assign(tf.where(self.good, variable.value, before))
        return self.good


def _are_finite(gradients: Sequence[Any], optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
    """Whether all are, and their norms where the optimizer clips by them: by one that overflows it would make zeros."""
    clips = optimizer.clipnorm is not None or optimizer.global_clipnorm is not None
    given = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    found = [tf.math.is_finite(tf.reduce_sum(tf.square(g)) if clips else g) for g in given]
    return tf.reduce_all(tf.stack([True, *map(tf.reduce_all, found)]))
