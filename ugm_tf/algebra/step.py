"""What a step of ancestral sampling is, and what it may do."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from ugm_tf import serialization
from ugm_tf.algebra.guarded import Declared, Misdeclared
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Roles
from ugm_tf.densities import Density, Prior
from ugm_tf.serialization import shown

__all__ = ["Shape", "Step"]

Shape = tuple[int, ...]


class Step:
    """One step of ancestral sampling, from one joint sample to the next.

    A step of your own is a `record` with `__call__`, `needs`, `sets` and `source`, or with `density` and `__call__`:

    >>> @ugm_tf.record
    ... class Mirror(ugm_tf.Step):
    ...     def __call__(self, sample, seed):
    ...         return sample.where(x=sample["x"][:, :, ::-1])
    ...
    ...     def needs(self, roles):
    ...         return ("x",)
    ...
    ...     def sets(self, roles):
    ...         return "x"
    ...
    ...     def source(self, roles):
    ...         return "= mirrored x"
    >>> ugm_tf.DATA.then(Mirror(), "encoder").describe(ugm_tf.recipes.vae().roles, ("x",))
    'x ~ data, x = mirrored x, z ~ encoder'

    Attributes:
        density: Name of the density that the step asks; None if there is none.
        verb: What it does to that density, for messages.
        k: Number of values for each example, on a new leading axis; None if it adds no axis of draws.
        adds_axis: Whether what it sets has a new leading axis.
        holds: Whether it holds what was drawn before fixed, and sets nothing.
        outlasts: Whether what it sets is under theta_0, and so stays when its density learns.
        chunk: How many of the k values are there at a time; None for all.
        of_batch: Whether what it sets of an example depends on others of the batch.
        alters: Whether what it sets is a changed value, and so no draw of the variable: none that a likelihood scores.
        by_draw: Whether what it sets of a draw depends on no other draw of the example: it may come in chunks then.
    """

    density: str | None = None
    verb = "draws from"
    k: int | None = None
    chunk: int | None = None
    of_batch = False
    alters = False
    by_draw = False
    holds = False
    outlasts = False

    @property
    def adds_axis(self) -> bool:
        return self.k is not None

    def declares(self) -> bool:
        """Whether its class says what it does: which density it asks, which variable it sets, or that it holds."""
        own = type(self)
        return self.density is not None or self.holds or own.sets is not Step.sets

    def check(self) -> None:
        """Refuses a class that does not say what it sets, or how.

        Raises:
            ValueError: With what is missing; if it is no record.
        """
        if not self.declares():
            raise ValueError(
                f"The step {self} does not say what it sets: define `sets`, and `needs` if it needs anything; or "
                "`density`, if it draws from one; or holds = True, if it sets nothing."
            )
        if type(self).__call__ is Step.__call__:
            raise ValueError(
                f"The step {shown(self)} does not say what it does: define `__call__(self, sample, seed)`, which "
                "returns `sample.where(...)` of the variable that it sets."
            )
        serialization.check(self, "step")

    def __call__(self, sample: JointSample, seed: tf.Tensor) -> JointSample:
        raise NotImplementedError(f"{type(self).__name__} does not define `__call__(self, sample, seed)`.")

    def needs(self, roles: Roles) -> tuple[str, ...]:
        """Variables that must be known."""
        return roles[self.density].given if self.density else ()

    def sets(self, roles: Roles) -> str | None:
        """The variable that becomes known."""
        return roles[self.density].of if self.density else None

    def source(self, roles: Roles) -> str:
        """Where it comes from, as `describe` prints it: "~ encoder"."""
        return f"~ {self.density}" if self.density else f"= {shown(self)}"

    def shape(self, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
        """Shape of one value of the variable, where it follows from another variable's."""
        return {}

    def take(self, sample: JointSample, seed: tf.Tensor) -> JointSample:
        """The next joint sample, from a sample that gives the step what it declares and nothing else.

        Raises:
            ValueError: If it asks for more, sets another variable than it says, changes the number of examples, adds
                another axis than it says, or loses through which densities the values depend on parameters.
        """
        who = f"The step {shown(self)}"
        asks = frozenset([self.density] if self.density else [])
        declared = Declared(
            *(who, asks, frozenset(self.needs(Roles(sample.roles))), asks),
            *("Give the step `density = '{name}'`.", "Name it in its `needs`: ('{name}',).", ""),
        )
        after = self(sample.declared(declared), seed)
        if not isinstance(after, JointSample):
            raise Misdeclared(f"{who} is to return `sample.where(...)`, a JointSample. Received: {after!r}.")
        after = after.declared(None)
        if self.holds:
            self._check_held(who, sample, after)
            return after
        self._check_set(who, sample, after)
        self._check_drawn_by(who, sample, after)
        return self._sized(who, sample, after)

    def _check_held(self, who: str, sample: JointSample, after: JointSample) -> None:
        if after.drawn_by:
            raise Misdeclared(
                f"{who} says that it holds what was drawn, and what '{min(after.drawn_by)}' drew is as it was. Return "
                "`sample.detached()`; or leave out holds = True, and say what it sets."
            )
        before = {name: value.shape.as_list() for name, value in sample.values.items()}
        now = {name: value.shape.as_list() for name, value in after.values.items()}
        if (before, sample.axes) != (now, after.axes):
            raise Misdeclared(f"{who} says that it holds what was drawn, and changes {before} to {now}.")

    def _check_set(self, who: str, sample: JointSample, after: JointSample) -> None:
        says = self.sets(Roles(sample.roles))
        before, now = sample.values, after.values
        changed = [name for name, value in now.items() if name not in before or value is not before[name]]
        if set(changed) - {says} or says not in now:
            does = f"sets {', '.join(changed)}" if changed else "sets nothing"
            raise Misdeclared(
                f"{who} says that it sets {says}, and {does}. Return `sample.where({says}=...)`, or mend `sets`."
            )

    def _sized(self, who: str, sample: JointSample, after: JointSample) -> JointSample:
        says = str(self.sets(Roles(sample.roles)))
        shape: Any = after[says].shape
        self._check_axes(who, says, sample, after)
        places = [] if shape.rank is None else [shape[i] for i in (0, len(after.axes)) if i < shape.rank]
        wrong = sample.examples is not None and None not in places and sample.examples not in places
        ours = self.density is None or isinstance(sample.densities[self.density], Density | Prior)
        if not after.sized or (wrong and not ours):  # a density in closed form draws as many as it likes
            return after.of_any_size()
        self._check_event(says, sample)
        if shape.rank == 0 or wrong or after.batch_size is not sample.batch_size:
            raise Misdeclared(
                f"{who} sets {says} of shape {list(shape)} in a batch of {sample.examples or 'B'} examples. A step "
                "keeps their number, [B, ...]; several values of each have an axis before it, "
                "`sample.where(axis=k, ...)`."
            )
        return after

    def _check_axes(self, who: str, says: str, sample: JointSample, after: JointSample) -> None:
        """The axes that it adds are those that it says."""
        added, shape = after.axes[: len(after.axes) - len(sample.axes)], after[says].shape
        kept = after.axes[len(added) :] == sample.axes
        if not kept or len(added) != int(self.adds_axis) or (added and self.k not in (None, added[0])):
            said = f"k = {self.k}" if self.k is not None else "an axis" if self.adds_axis else "no axis of draws"
            raise Misdeclared(
                f"{who} says that it adds {said}, and adds {list(added) or 'none'}. Give the step a field `k`, the "
                f"number of values for each example, and return `sample.where(axis=self.k, {says}=...)`."
            )
        ours = self.density is None or isinstance(sample.densities[self.density], Density | Prior)
        if added and after.sized and ours and shape.rank and shape[0] not in (None, added[0]):
            raise Misdeclared(
                f"{who} says that it sets {added[0]} values of {says} for each example, and sets shape {list(shape)}: "
                "they stand on its first axis."
            )

    def _check_event(self, says: str, sample: JointSample) -> None:
        """What a density draws is of the shape that its variable has had."""
        if self.density is None or sample.roles[self.density].of != says or says not in sample.values:
            return
        event = getattr(sample.distribution(self.density), "event_shape", None)
        sample.check_event(self.density, event, sample[says].shape, "is a density of")

    def _check_drawn_by(self, who: str, sample: JointSample, after: JointSample) -> None:
        says = self.sets(Roles(sample.roles))
        own = {self.density} if self.density and not self.outlasts else set()
        lost = sorted(str(name) for name in (sample.drawn_by | own) - after.drawn_by)
        if lost:
            raise Misdeclared(
                f"{who} sets {says} by '{lost[0]}' and does not say so, and the draws would be kept when that learns. "
                f"Return `sample.where(..., drawn_by=({', '.join(map(repr, lost))},))`; or say outlasts = True, if the "
                "value is held under theta_0."
            )
        more = sorted(after.drawn_by - sample.drawn_by - {str(self.density)})
        if more:
            raise Misdeclared(
                f"{who} draws from '{more[0]}' and does not say so. Give the step `density = '{more[0]}'`."
            )
