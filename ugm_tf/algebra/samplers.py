"""Samplers: what an expectation is taken under."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ugm_tf.algebra.ancestral_steps import Detach, Draw, Step
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Role
from ugm_tf.densities import standard_noise
from ugm_tf.serialization import record

__all__ = ["DATA", "GENERATED", "INFERRED", "Ancestral", "Interpolated", "draw"]

Drawn = dict[Any, JointSample]


@record
class Ancestral:
    """Ancestral sampling: starting from the data, takes each step in turn.

    Equal samplers are the same draws, within a phase and, until a density that drew them learns,
    within a training step: the discriminator's phase and the decoder's see the same generated batch,
    which is decoded once.

    Args:
        steps: Names of densities to draw from, or `Draw`, `Mean`, `Enumerate`, `Detach`, `Rename` and other steps.
        k: Number of draws for each example of the first density that is drawn.

    Example:

    >>> roles = ugm_tf.recipes.vae().roles
    >>> Ancestral(("encoder",), k=50).describe(roles, ("x",))
    'x ~ data, z_1..50 ~ encoder'
    >>> Ancestral(("prior", "decoder")).detached().then("encoder").describe(roles, ("x",))
    'z ~ sg(prior), x ~ sg(decoder), z ~ encoder'
    """

    steps: tuple[Any, ...] = ()
    k: int | None = None

    def __post_init__(self) -> None:
        steps = tuple(Draw(step) if isinstance(step, str) else step for step in self.steps)
        for step in steps:
            if not isinstance(step, Step):
                raise ValueError(
                    f"A sampler's steps are names of densities or Steps, such as Draw('encoder'). Received: {step!r}."
                )
        if self.k is not None:
            first = next((i for i, step in enumerate(steps) if isinstance(step, Draw)), None)
            if first is None:
                raise ValueError(
                    f"A sampler of k={self.k} draws needs a density to draw from. Received: steps={self.steps}."
                )
            steps = (*steps[:first], Draw(steps[first].density, self.k), *steps[first + 1 :])
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "k", None)  # it is in the steps now

    def then(self, *steps: Any) -> "Ancestral":
        """This sampler with more steps."""
        return Ancestral((*self.steps, *steps))

    def detached(self) -> "Ancestral":
        """The same draws under theta_0: no gradient flows through them."""
        return self.then(Detach())

    def draws(self, densities: Sequence[str]) -> bool:
        """Whether a step that is not detached goes through one of these densities."""
        live = False
        for step in self.steps:
            live = not isinstance(step, Detach) and (live or step.density in densities)
        return live

    def __call__(self, start: JointSample, seed: tf.Tensor, drawn: Drawn | None = None) -> JointSample:
        drawn = {} if drawn is None else drawn
        drawn.setdefault((), start)
        known = next(i for i in range(len(self.steps), -1, -1) if self.steps[:i] in drawn)
        for i in range(known, len(self.steps)):
            folded = tf.random.experimental.stateless_fold_in(seed, i, alg="philox")
            drawn[self.steps[: i + 1]] = self.steps[i](drawn[self.steps[:i]], folded)
        return drawn[self.steps]

    def describe(self, roles: Mapping[str, Role], data: Sequence[str]) -> str:
        """The sampler as the paper writes it: "x ~ data, z ~ encoder"."""
        parts: list[tuple[str, str]] = []  # a variable and its source, such as "~ encoder"
        known: set[str] = set()
        for step in self.steps:
            if isinstance(step, Detach):
                parts = [(variable, _held(source)) for variable, source in parts]
                continue
            for variable in step.needs(roles):
                if variable in data and variable not in known:
                    parts.append((variable, "~ data"))
            known |= {*step.needs(roles), str(step.sets(roles))}
            k = getattr(step, "k", None)
            every = "every " if step.verb == "enumerates" else ""
            draws = "" if k is None else f"_1..{k}"
            parts.append((f"{every}{step.sets(roles)}{draws}", step.source(roles)))
        parts = parts or [(variable, "~ data") for variable in data]
        return ", ".join(f"{variable} {source}" for variable, source in parts)


def _held(source: str) -> str:
    """A source under "stop gradient"; data have none."""
    sign, _, of = source.partition(" ")
    return source if source == "~ data" or of.startswith("sg(") else f"{sign} sg({of})"


@record
class Interpolated:
    """Points between two joint samples: a * left + (1 - a) * right, with a uniform on [0, 1] for each example.

    Args:
        left: A sampler.
        right: Another, of the same variables.

    References:
        Ishaan Gulrajani et al. Improved Training of Wasserstein GANs. NIPS 2017.
        https://arxiv.org/abs/1704.00028, algorithm 1.
    """

    left: Ancestral
    right: Ancestral

    def __call__(self, start: JointSample, seed: tf.Tensor, drawn: Drawn | None = None) -> JointSample:
        drawn = {} if drawn is None else drawn
        if self not in drawn:
            seeds = [tf.random.experimental.stateless_fold_in(seed, i, alg="philox") for i in range(3)]
            left, right = self.left(start, seeds[0], drawn), self.right(start, seeds[1], drawn)
            uniform = standard_noise("uniform", [start.batch_size], seeds[2])
            both = [v for v in left.values if v in right.values and left[v] is not right[v]]
            between = {}
            for variable in both:
                a = tf.reshape(uniform, [-1] + [1] * (left[variable].shape.rank - 1))
                one, other = left[variable], tf.cast(right[variable], left[variable].dtype)
                between[variable] = other + tf.cast(a, one.dtype) * (one - other)
            drawn[self] = left.where(drawn_by=right.drawn_by, **between)
        return drawn[self]

    def describe(self, roles: Mapping[str, Role], data: Sequence[str]) -> str:
        return f"between {self.left.describe(roles, data)} and {self.right.describe(roles, data)}"


Sampler = Ancestral | Interpolated | Callable[[JointSample, tf.Tensor], JointSample]

DATA = Ancestral()
INFERRED = Ancestral(("encoder",))
GENERATED = Ancestral(("prior", "decoder"))


def draw(sampler: Sampler, start: JointSample, seed: tf.Tensor, drawn: Drawn) -> JointSample:
    """The joint sample of `sampler`, from `drawn` if it is there, which then also holds it."""
    if isinstance(sampler, Ancestral | Interpolated):
        return sampler(start, seed, drawn)
    if sampler not in drawn:
        drawn[sampler] = sampler(start, seed)
    return drawn[sampler]
