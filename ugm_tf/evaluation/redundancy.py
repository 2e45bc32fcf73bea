"""How much the units of a code tell of one another."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf.evaluation.checks import check_rows
from ugm_tf.evaluation.own_classifier import Supervised
from ugm_tf.model import UnifiedModel

__all__ = ["Redundancy", "has_predictor", "redundancy"]

_BATCH, _DRAWS = 256, 20


@dataclasses.dataclass(frozen=True)
class Redundancy:
    """What the units of a code tell of one another, over held-out draws.

    Attributes:
        marginal: Cross-entropy of the units with their own means and nothing else, in nats, summed over units: their
            entropies, if they are 0 or 1.
        predicted: Cross-entropy of the units with what a predictor makes of the others, in nats, summed over units.
    """

    marginal: float
    predicted: float

    @property
    def redundancy(self) -> float:
        """How much less a unit is a surprise to who knows the others, in nats, summed over units: 0 of a factorial
        code.  Of the best predictor that was found: the truth is this or more, but for the noise of the draws."""
        return self.marginal - self.predicted


def has_predictor(model: UnifiedModel) -> bool:
    """Whether the model has an encoder q(z | x) of nothing but x, and a predictor q(u | z) of its units."""
    encoder, predictor = (model.recipe.roles.get(name) for name in ("encoder", "predictor"))
    if encoder is None or predictor is None or encoder.given != ("x",) or predictor.given != (encoder.of,):
        return False
    return model.densities["encoder"].event_shape == model.densities["predictor"].event_shape


def redundancy(
    model: UnifiedModel,
    x: np.ndarray,
    held_out: np.ndarray,
    steps: int = 2000,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> Redundancy:
    """The redundancy of a code: what its units tell of one another, whatever the model's own predictor knows of it.

    A copy of the predictor learns on while the code is held fixed, as in the game it may lag behind.

    Args:
        model: A model with an encoder q(z | x) of units in [0, 1] and a predictor q(u | z).
        x: Examples as the model takes them, [N, ...], whose codes the predictor learns from.
        held_out: Examples whose codes it is measured on, [M, ...], 20 draws each.
        steps: Training steps of the predictor, on 256 fresh draws each.
        learning_rate: Adam's, which falls to 0 by a cosine.
        seed: Fixes the draws.

    Raises:
        ValueError: If the model has no such encoder and predictor, see `has_predictor`; or an example is not finite.

    References:
        Juergen Schmidhuber. Learning Factorial Codes by Predictability Minimization. Neural Computation 4, 1992.
    """
    if not has_predictor(model):
        raise ValueError(
            "Redundancy takes an encoder q(z | x) and a predictor q(u | z) of as many units, as "
            "predictability_minimization has them. "
            f"This model has: {', '.join(str(role) for role in model.recipe.roles.values())}."
        )
    x, held_out = check_rows("Examples to learn from", x), check_rows("Held-out examples", held_out)
    encoder = model.densities["encoder"]

    def draw(rows: tf.Tensor, draws: int, number: Any) -> tf.Tensor:
        code = encoder.draw(encoder.distribution(rows), [draws], tf.stack([seed, tf.cast(number, tf.int32)]))
        return tf.reshape(code, [-1, code.shape[-1]])

    predictor = Supervised([model.densities["predictor"]])
    codes = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=seed).repeat().batch(_BATCH)
    codes = codes.enumerate(1).map(lambda number, rows: (draw(rows, 1, number),) * 2)
    # The training batches have the numbers from 1, what follows has those below 0: no two draws share their noise.
    known, test = (
        np.concatenate([draw(v[i : i + _BATCH], _DRAWS, -2 * i - odd) for i in range(0, len(v), _BATCH)])
        for odd, v in ((1, x), (2, held_out))
    )
    predictor(test[:1])
    predictor.set_weights(model.densities["predictor"].get_weights())
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    predictor.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    predictor.fit(codes, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
    logits = predictor.predict(test, batch_size=_BATCH, verbose=0)
    tiny = 1e-6  # a unit that never changed is no surprise but once in a million
    chance = np.clip(known.mean(0), tiny, 1.0 - tiny)
    return Redundancy(_cross_entropy(test, np.log(chance) - np.log1p(-chance)), _cross_entropy(test, logits))


def _cross_entropy(units: np.ndarray, logits: np.ndarray) -> float:
    """Nats, summed over units and averaged over rows."""
    units, logits = np.asarray(units, np.float64), np.asarray(logits, np.float64)
    return float(np.mean(np.sum(np.logaddexp(0.0, logits) - units * logits, -1)))
