"""Samplers: what an expectation is taken under."""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Any

import tensorflow as tf

from ugm_tf import arguments, serialization
from ugm_tf.algebra.ancestral_steps import Detach, Draw
from ugm_tf.algebra.chunks import Chunked
from ugm_tf.algebra.draws import Draws, check_each
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Roles
from ugm_tf.algebra.step import Step
from ugm_tf.densities import fold
from ugm_tf.serialization import record, shown

__all__ = ["DATA", "GENERATED", "INFERRED", "Ancestral", "Interpolated", "Sampler"]


class Sampler:
    """What an expectation is taken under: a function from a batch of data and a seed to a joint sample.

    Every sampler is made of ancestral ones, its `sides`.  A kind of your own is a `record` with these three methods:

    >>> @ugm_tf.record
    ... class Blend(ugm_tf.Sampler):
    ...     left: ugm_tf.Sampler
    ...     right: ugm_tf.Sampler
    ...     share: float = 0.5
    ...
    ...     @property
    ...     def sides(self):
    ...         return (*self.left.sides, *self.right.sides)
    ...
    ...     def each(self, change):
    ...         return dataclasses.replace(self, left=self.left.each(change), right=self.right.each(change))
    ...
    ...     def draw(self, draws, seed):
    ...         left, right = draws(self.left, fold(seed, 0)), draws(self.right, fold(seed, 1))
    ...         of_left = draws.start.noise("uniform", fold(seed, 2)) < self.share
    ...         both = {v: tf.where(of_left[:, None, None, None], left[v], right[v]) for v in ("x",)}
    ...         return left.where(drawn_by=right.drawn_by, **both)
    >>> Blend(ugm_tf.DATA, ugm_tf.GENERATED).describe(ugm_tf.recipes.gan().roles, ("x",))
    'Blend(share=0.5) of [x ~ data] and [z ~ prior, x ~ decoder]'
    """

    @property
    def sides(self) -> tuple["Ancestral", ...]:
        """The ancestral samplers that it is made of.  What is asked under it must be known on each side."""
        raise NotImplementedError

    def each(self, change: Callable[["Ancestral"], "Sampler"]) -> "Sampler":
        """This sampler with each side changed."""
        raise NotImplementedError

    def draw(self, draws: Draws, seed: tf.Tensor) -> JointSample | Chunked:
        """The joint sample.

        Args:
            draws: What was drawn from the batch before; `draws(sampler, seed)` adds a side to it, or finds it there.
            seed: int32 [2].
        """
        raise NotImplementedError

    def describe(self, roles: Roles, data: Sequence[str]) -> str:
        """The sampler as the paper writes it: "x ~ data, z ~ encoder".

        Args:
            roles: The recipe's.
            data: Variables of the data that the expectation is about.
        """
        sides = " and ".join(f"[{side.describe(roles, data)}]" for side in self.sides)
        return f"{shown(self, without=(Sampler,))} of {sides}"

    def declares(self) -> bool:
        """Whether its class says what it is made of."""
        own = type(self)
        return own.sides is not Sampler.sides and own.each is not Sampler.each and own.draw is not Sampler.draw

    def check(self) -> None:
        """Refuses a class that does not say what it is made of.

        Raises:
            ValueError: With what is missing.
        """
        name = type(self).__name__
        if not self.declares():
            raise ValueError(
                f"The sampler {name} does not say what it is made of: define `sides`, `each` and `draw`; see "
                "ugm_tf.Sampler."
            )
        if not isinstance(self.sides, tuple) or not self.sides or not all(isinstance(s, Ancestral) for s in self.sides):
            raise ValueError(
                f"The `sides` of the sampler {name} are the Ancestral samplers that it draws from, at least one, such "
                f"as (*self.left.sides, *self.right.sides). Received: {self.sides!r}."
            )
        check_each(self, Detach())
        serialization.check(self, "sampler")

    def drawn_by(self) -> frozenset[str]:
        """Names of the densities through which its draws depend on parameters."""
        return frozenset[str]().union(*(side.drawn_by() for side in self.sides))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step of every side, each once."""
        return tuple(dict.fromkeys(step for side in self.sides for step in side.steps))

    def then(self, *steps: Any) -> "Sampler":
        """This sampler with more steps on each side."""
        return self.each(lambda side: side.then(*steps))

    def detached(self) -> "Sampler":
        """The same draws under theta_0: no gradient flows through them."""
        return self.then(Detach())

    def draws(self, densities: Collection[str]) -> bool:
        """Whether a step that is not detached goes through one of these densities."""
        return any(side.draws(densities) for side in self.sides)

    def __call__(self, start: JointSample, seed: tf.Tensor) -> JointSample:
        """The joint sample, drawn from a batch of data alone."""
        return Draws(start)(self, seed)


@record
class Ancestral(Sampler):
    """Ancestral sampling: starting from the data, takes each step in turn.

    Equal samplers are the same draws, within a phase and, until a density that drew them learns,
    within a training step: the discriminator's phase and the decoder's see the same generated batch,
    which is decoded once.

    Args:
        steps: Names of densities to draw from, or `Draw`, `Mean`, `Enumerate`, `Detach`, `Rename` and other steps.
        k: Number of draws for each example of the first density that is drawn.
        chunk: How many of these are in memory at a time, at most.  The draws, the expectation and its gradient are
            those of all k: each chunk is drawn once for the value and once more for the gradient.

    Example:

    >>> roles = ugm_tf.recipes.vae().roles
    >>> Ancestral(("encoder",), k=50).describe(roles, ("x",))
    'x ~ data, z_1..50 ~ encoder'
    >>> Ancestral(("prior", "decoder")).detached().then("encoder").describe(roles, ("x",))
    'z ~ sg(prior), x ~ sg(decoder), z ~ encoder'
    """

    steps: tuple[Any, ...] = ()
    k: int | None = None
    chunk: int | None = None

    def __post_init__(self) -> None:
        kinds: Any = (str, Step)
        what = "A sampler's steps are names of densities or Steps, such as Draw('encoder')"
        given = arguments.several(what, kinds, self.steps)
        steps = tuple(Draw(step) if isinstance(step, str) else step for step in given)
        for step in steps:
            step.check()
        if self.k is not None:
            first = next((i for i, step in enumerate(steps) if isinstance(step, Draw)), None)
            if first is None:
                raise ValueError(
                    f"A sampler of k={self.k} draws needs a density to draw from. Received: steps={self.steps}."
                )
            steps = (*steps[:first], dataclasses.replace(steps[first], k=self.k, chunk=self.chunk), *steps[first + 1 :])
        elif self.chunk is not None:
            raise ValueError(f"A chunk is of k draws. Received: k=None, chunk={self.chunk}.")
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "k", None)  # it is in the steps now
        object.__setattr__(self, "chunk", None)

    @property
    def sides(self) -> tuple["Ancestral", ...]:
        return (self,)

    def each(self, change: Callable[["Ancestral"], Sampler]) -> Sampler:
        return change(self)

    def then(self, *steps: Any) -> "Ancestral":
        """This sampler with more steps."""
        return dataclasses.replace(self, steps=(*self.steps, *steps))

    def detached(self) -> "Ancestral":
        """The same draws under theta_0: no gradient flows through them."""
        return self.then(Detach())

    def draws(self, densities: Collection[str]) -> bool:
        """Whether a step that is not detached goes through one of these densities."""
        live = False
        for step in self.steps:
            live = not step.holds and (live or step.density in densities)
        return live

    def draw(self, draws: Draws, seed: tf.Tensor) -> JointSample | Chunked:
        if not self.steps:
            return draws.start
        *before, last = self.steps
        sample = draws(Ancestral(tuple(before)), seed)  # samplers share their common beginning
        seed = fold(seed, len(before))
        if isinstance(sample, Chunked):
            return sample.then(last, seed)
        return last.take(sample, seed) if last.chunk is None else Chunked.begin(sample, last, seed)

    def drawn_by(self) -> frozenset[str]:
        """Names of the densities through which its draws depend on parameters."""
        live = frozenset[str]()
        for step in self.steps:
            own = {step.density} if step.density and not step.outlasts else set()
            live = frozenset() if step.holds else live | own
        return live

    def describe(self, roles: Roles, data: Sequence[str]) -> str:
        parts: list[tuple[str, str]] = []  # a variable and its source, such as "~ encoder"
        known: set[str] = set()
        for step in self.steps:
            if step.holds:
                parts = [(variable, _held(source)) for variable, source in parts]
                continue
            for variable in step.needs(roles):
                if variable in data and variable not in known:
                    parts.append((variable, "~ data"))
            known |= {*step.needs(roles), str(step.sets(roles))}
            every = "every " if step.verb == "enumerates" else ""
            draws = "" if step.k is None else f"_1..{step.k}"
            parts.append((f"{every}{step.sets(roles)}{draws}", step.source(roles)))
        # What the expectation asks of the data beside what a step needs.
        parts = [(variable, "~ data") for variable in data if variable not in known] + parts
        return ", ".join(f"{variable} {source}" for variable, source in parts)


def _held(source: str) -> str:
    """A source under "stop gradient"; data have none."""
    sign, _, of = source.partition(" ")
    return source if source == "~ data" or of.startswith("sg(") else f"{sign} sg({of})"


@record
class Interpolated(Sampler):
    """Points between two joint samples: a * left + (1 - a) * right, with a uniform on [0, 1] for each example.

    Args:
        left: A sampler.
        right: Another, of the same variables.

    Raises:
        ValueError: If a side has an axis of several draws or of an exact sum: its points have no one partner.

    References:
        Ishaan Gulrajani et al. Improved Training of Wasserstein GANs. NIPS 2017.
        https://arxiv.org/abs/1704.00028, algorithm 1.
    """

    left: Sampler
    right: Sampler

    def __post_init__(self) -> None:
        for side in (self.left, self.right):
            if not isinstance(side, Sampler):
                raise ValueError(f"Interpolated is between two samplers. Received: {side!r}.")
            if several := [step for step in side.steps if step.adds_axis]:
                raise ValueError(
                    "Interpolated is between two single draws for each example. Received a side of several values by "
                    f"{several[0]}. Draw one, without k and without Enumerate."
                )

    @property
    def sides(self) -> tuple[Ancestral, ...]:
        return (*self.left.sides, *self.right.sides)

    def each(self, change: Callable[[Ancestral], Sampler]) -> "Interpolated":
        return dataclasses.replace(self, left=self.left.each(change), right=self.right.each(change))

    def draw(self, draws: Draws, seed: tf.Tensor) -> JointSample:
        left, right = draws(self.left, fold(seed, 0)), draws(self.right, fold(seed, 1))
        uniform = draws.start.noise("uniform", fold(seed, 2))
        both = [v for v in left.values if v in right.values and left[v] is not right[v]]
        between = {}
        for variable in both:
            a = tf.reshape(uniform, [-1] + [1] * (left[variable].shape.rank - 1))
            one, other = left[variable], tf.cast(right[variable], left[variable].dtype)
            between[variable] = other + tf.cast(a, one.dtype) * (one - other)
        return left.where(drawn_by=right.drawn_by, **between)

    def describe(self, roles: Roles, data: Sequence[str]) -> str:
        return f"between {self.left.describe(roles, data)} and {self.right.describe(roles, data)}"


DATA = Ancestral()
INFERRED = Ancestral(("encoder",))
GENERATED = Ancestral(("prior", "decoder"))
