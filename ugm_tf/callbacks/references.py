"""What a probe lays samples beside: held-out classes and training examples, each looked at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.evaluation.ratio import pooled
from ugm_tf.evaluation.samples.memorisation import Authenticity

__all__ = ["References", "concatenated", "spread"]

_SAMPLES = 1_000
_TRAINING = 5_000  # of which all pairs are compared, once


class References:
    """Held-out and training examples of a variable that a discriminator judges.

    Args:
        held_out: Held-out examples, [N, ...]; None if there are none of this variable.
        training: Training examples; None likewise, or if neighbours say nothing.
        classifier: A Keras model from images to logits, [N, C]; None for no classes.
    """

    def __init__(self, held_out: Any, training: Any, classifier: Any):
        self._held_out, self._classifier = held_out, None if held_out is None else classifier
        if self._classifier is not None:
            self._classes = np.unique(_classes(classifier, held_out))
        self._authenticity: Authenticity | None = None
        self._of_held_out: float | None = None
        if training is not None:
            self._authenticity = Authenticity(np.asarray(pooled([training[:_TRAINING]])))

    def figures(self, drawn: Any, fake: Any, real: Any) -> dict[str, float]:
        """What samples reach and copy.

        Args:
            drawn: Samples as they are, [N, ...].
            fake: Their features, as `pooled` gives them, [N, D].
            real: Features of held-out data, [M, D].
        """
        out: dict[str, float] = {}
        if self._classifier is not None and drawn.shape[1:] == self._held_out.shape[1:]:
            seen = _classes(self._classifier, drawn)
            # as `judge` counts: at least one sample in 100
            out["coverage"] = float(np.mean([np.mean(seen == c) >= 0.01 for c in self._classes]))
        if self._authenticity is not None and self._authenticity.train.shape[1] == fake.shape[1]:
            if self._of_held_out is None:
                self._of_held_out = self._authenticity(np.asarray(real)[:_SAMPLES]).value
            out["authenticity"] = self._authenticity(np.asarray(fake)[:_SAMPLES]).value
            out["authenticity_held_out"] = self._of_held_out
        return out


def concatenated(batches: Sequence[Mapping[str, tf.Tensor]] | None, variable: str) -> tf.Tensor | None:
    """All examples of a variable; None if batches have none of it."""
    if batches is None or variable not in batches[0]:
        return None
    return tf.concat([values[variable] for values in batches], 0)


def spread(fake: Any, real: Any) -> float:
    """The variance of samples over that of data, summed over features, [M, D] and [N, D]; 1 of data without any."""
    of_data = float(np.var(real, axis=0).sum())
    return float(np.var(fake, axis=0).sum()) / of_data if of_data > 0.0 else 1.0


def _classes(classifier: Any, x: Any) -> np.ndarray:
    return np.argmax(classifier.predict(np.asarray(x), batch_size=500, verbose=0), -1)
