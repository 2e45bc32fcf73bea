"""What `--on_nan=rollback` does where training diverges: the latest checkpoint, and other noise from there."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from ugm_tf.callbacks import Checkpoints

__all__ = ["train"]

_MOST = 3  # times in a row that a run goes back without getting past the step at which it diverged first
_LOG = logging.getLogger("ugm_tf.trainers")


def train(
    go_on: Callable[[int], None], start: int, model: Any, checkpoints: Checkpoints, forget: Callable[[int], None]
) -> None:
    """Trains to the end, going back where training diverges.

    Args:
        go_on: Trains from a step on.
        start: The first step.
        model: What is trained.
        checkpoints: Where it goes back to.
        forget: Forgets what was written of the run from a step on.

    Raises:
        FloatingPointError: If it diverges before the first checkpoint, or again and again in the same place.
    """
    furthest, times = -1, 0
    while True:
        try:
            return go_on(start)
        except FloatingPointError as error:
            reached, latest = int(np.asarray(model.steps)), checkpoints.finish()
            furthest, times = (reached, 1) if reached > furthest else (furthest, times + 1)
            if not latest:
                raise FloatingPointError(f"{error} There is no checkpoint yet to go back to.") from error
            if times > _MOST:
                raise FloatingPointError(f"{error} It went back {_MOST} times before, in vain.") from error
            start = checkpoints.roll_back(model)
            forget(start)
            _LOG.warning("%s Going back to step %d, and on with other noise.", error, start)
