"""Averages of the weights over training, which Keras's optimizers keep with `use_ema=True`."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ugm_tf.model import UnifiedModel

__all__ = ["averaged", "averages"]


def averages(model: "UnifiedModel") -> list[tuple[Any, Any]]:
    """Each variable that has an average, with the average: the last phase's, where several phases update it.

    Args:
        model: The model; compiled and trained, for it to have any.
    """
    out: dict[int, tuple[Any, Any]] = {}
    for phase in dict.fromkeys(model.recipe.phases):
        optimizer = model.optimizers.get(phase.name)
        if optimizer is None or not optimizer.use_ema or not int(optimizer.iterations):
            continue
        kept = optimizer._model_variables_moving_average
        out |= {id(v): (v, average) for v, average in zip(model.variables_of(phase), kept, strict=True)}
    return list(out.values())


@contextlib.contextmanager
def averaged(self: "UnifiedModel") -> Iterator[None]:
    """Within it, the weights are the averages that the optimizers keep: a GAN's decoder samples best with those.

    >>> model = ugm_tf.load_model("run/model.keras")
    >>> model.compile(keras.optimizers.Adam(1e-4, use_ema=True, ema_momentum=0.999))
    >>> history = model.fit(np.zeros([64, 8, 8, 1]), batch_size=16, verbose=0)
    >>> with model.averaged():
    ...     images = model.sample(16)

    Raises:
        ValueError: If no optimizer keeps averages, or nothing was trained yet.
    """
    pairs = averages(self)
    if not pairs and any(optimizer.use_ema for optimizer in self.optimizers.values()):
        raise ValueError("Averages of the weights are there after the first training step. Train the model first.")
    if not pairs:
        raise ValueError(
            "This model keeps no averages of its weights. Give an optimizer that does, as in "
            "compile(keras.optimizers.Adam(1e-4, use_ema=True, ema_momentum=0.999)); in the trainer, --ema=0.999."
        )
    current = [variable.numpy() for variable, _ in pairs]
    for variable, average in pairs:
        variable.assign(average)
    try:
        yield
    finally:
        for (variable, _), value in zip(pairs, current, strict=True):
            variable.assign(value)
