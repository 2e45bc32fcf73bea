"""What was drawn from one batch of data."""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf.algebra.chunks import Chunked
from ugm_tf.algebra.guarded import Misdeclared
from ugm_tf.algebra.joint_sample import JointSample

__all__ = ["Draws", "check_each"]


class Draws:
    """The joint samples that were drawn from one batch of data, by sampler: equal samplers are the same draws.

    Args:
        start: The batch, which every sampler starts from.
        samples: Joint samples that were drawn already.
    """

    def __init__(self, start: JointSample, samples: Mapping[Any, JointSample] | None = None):
        self.start = start
        self._samples = dict(samples or {})

    def __call__(self, sampler: Any, seed: tf.Tensor) -> Any:
        """The joint sample of a sampler, maybe `Chunked`: the one that is there, or one by this seed, int32 [2]."""
        if sampler not in self._samples:
            self._samples[sampler] = self._checked(sampler, sampler.draw(self, seed))
        return self._samples[sampler]

    def _checked(self, sampler: Any, sample: Any) -> JointSample | Chunked:
        """What a sampler drew, if it is what the sampler's sides say."""
        who = f"The sampler {type(sampler).__name__}"
        if not isinstance(sample, JointSample | Chunked):
            raise Misdeclared(f"{who} is to `draw` a JointSample, such as `left.where(...)`. Received: {sample!r}.")
        says = self.start.drawn_by | sampler.drawn_by()
        more, lost = sorted(sample.drawn_by - says), sorted(says - self.start.drawn_by - sample.drawn_by)
        if more:
            raise Misdeclared(f"{who} draws from '{more[0]}', which is in none of its `sides`. Add the side that does.")
        if lost:
            raise Misdeclared(
                f"{who} draws from '{lost[0]}' by a side of it and does not say so, and the draws would be kept when "
                "that learns. Return `left.where(drawn_by=right.drawn_by, ...)`; or detach that side before."
            )
        if isinstance(sample, JointSample) and sample.sized:
            self._check_size(who, sampler, sample)
        return sample

    def _check_size(self, who: str, sampler: Any, sample: JointSample) -> None:
        most = max(sum(step.adds_axis for step in side.steps) for side in sampler.sides)
        if len(sample.axes) > most:
            raise Misdeclared(
                f"{who} adds an axis of {sample.axes[0]} values of each example, which no step of its `sides` does. "
                "Draw several by a side, as Ancestral(('encoder',), k=5) does; or reduce them to one."
            )
        for variable, value in sample.values.items():
            shape = value.shape
            if shape.rank is None or value is self.start.values.get(variable):
                continue
            places = shape[: 1 + len(sample.axes)]
            fits = self.start.examples is None or None in list(places) or self.start.examples in list(places)
            if not fits or sample.batch_size is not self.start.batch_size:
                raise Misdeclared(
                    f"{who} draws {variable} of shape {list(shape)} in a batch of {self.start.examples or 'B'} "
                    "examples. A sampler keeps their number, [B, ...]: take each from one of its sides, or between "
                    "them, instead of joining them."
                )

    def __contains__(self, sampler: Any) -> bool:
        return sampler in self._samples

    def afresh(self) -> "Draws":
        """The same batch, with nothing drawn from it."""
        return Draws(self.start)

    def after_update(self, densities: Iterable[str]) -> "Draws":
        """What is left when these densities have learned: the batch, and what was drawn through none of them."""
        start = self.start.after_update(densities) or self.start  # nothing draws the data: it is never None
        left = {
            sampler: start if sample is self.start else sample.after_update(densities)
            for sampler, sample in self._samples.items()
        }
        return Draws(start, {sampler: sample for sampler, sample in left.items() if sample is not None})


def check_each(sampler: Any, held: Any) -> None:
    """Refuses a sampler whose `each` does not change all of its sides, and these alone.

    Args:
        sampler: A sampler.
        held: A step to add to each side, such as `Detach()`.

    Raises:
        ValueError: With what was found and what was expected.
    """
    who = f"The sampler {type(sampler).__name__}"
    same = sampler.each(lambda side: side)
    if same != sampler:
        raise ValueError(
            f"{who} is to be itself where `each` changes nothing: return one of the same fields, each sampler `s` "
            f"among them as s.each(change), of a class under @ugm_tf.record. Received: {same!r}."
        )
    found = getattr(sampler.each(lambda side: side.then(held)), "sides", None)
    expected = tuple(side.then(held) for side in sampler.sides)
    if found != expected:
        raise ValueError(
            f"{who} does not change all its sides by `each`, so that it could not be detached: return one of the same "
            f"fields, each sampler `s` among them as s.each(change). Expected sides: {expected}. Received: {found}."
        )
