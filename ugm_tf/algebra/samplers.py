"""Samplers: what an expectation is taken under."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Role
from ugm_tf.serialization import record

__all__ = ["DATA", "GENERATED", "INFERRED", "Ancestral", "Detach", "Draw", "Enumerate", "Rename", "Step", "draw"]

Drawn = dict[Any, JointSample]


class Step:
    """One step of ancestral sampling, from one joint sample to the next.

    Attributes:
        density: Name of the density whose variable the step sets; None if there is none.
    """

    density: str | None = None

    def __call__(self, sample: JointSample, seed: tf.Tensor) -> JointSample:
        raise NotImplementedError


@record
class Draw(Step):
    """Draws a density's variable given the values so far.

    Args:
        density: Name of the density.
        k: Number of draws for each example, on a new leading axis; None for one draw and no axis.
    """

    density: str = dataclasses.field()  # required: without this, Step's None would be its default
    k: int | None = None

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise ValueError(f"A sampler takes k >= 1 draws for each example. Received: k={self.k}.")

    def __call__(self, sample, seed):
        lead = sample.lead(self.density) if self.k is None else [self.k, *sample.lead(self.density)]
        value = sample.densities[self.density].draw(sample.distribution(self.density), lead, seed)
        return sample.where(drawn_by=(self.density,), axis=self.k, **{sample.roles[self.density].of: value})


@record
class Detach(Step):
    """Holds the draws so far fixed: no gradient flows through them, nor through the probabilities of exact sums."""

    def __call__(self, sample, seed):
        weight = None if sample.weight is None else tf.stop_gradient(sample.weight)
        return sample.where(weight=weight, **{name: tf.stop_gradient(value) for name, value in sample.values.items()})


@record
class Rename(Step):
    """Gives the value of one variable to another, as when two domains share one encoder.

    Args:
        old: A variable that has a value.
        new: The variable that gets it.
    """

    old: str
    new: str

    def __call__(self, sample, seed):
        return sample.where(**{self.new: sample[self.old]})


@record
class Enumerate(Step):
    """Every value of a one-hot density in place of a draw, weighted by its probability: an exact sum.

    The values stand on a new leading axis of size C; gradients flow through the probabilities.

    Args:
        density: Name of a density of family "one_hot".
    """

    density: str = dataclasses.field()  # required: without this, Step's None would be its default

    def __call__(self, sample, seed):
        distribution = sample.distribution(self.density)
        classes = distribution.event_shape[-1]
        shape = tf.concat([[classes], sample.lead(self.density), distribution.batch_shape_tensor(), [classes]], 0)
        rank = shape.shape[0]
        every = tf.broadcast_to(tf.reshape(tf.eye(classes), [classes] + [1] * (rank - 2) + [classes]), shape)
        # The mean over C rows times C is the sum.
        weight = float(classes) * distribution.prob(every)
        weight = weight if sample.weight is None else weight * sample.weight
        of = sample.roles[self.density].of
        return sample.where(weight=weight, drawn_by=(self.density,), axis=classes, **{of: every})


@record
class Ancestral:
    """Ancestral sampling: starting from the data, takes each step in turn.

    Equal samplers are the same draws, within a phase and, until a density that drew them learns,
    within a training step: the discriminator's phase and the decoder's see the same generated batch,
    which is decoded once.

    Args:
        steps: Names of densities to draw from, or `Draw`, `Enumerate`, `Detach`, `Rename` steps.
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

    def __call__(self, start: JointSample, seed: tf.Tensor, drawn: Drawn | None = None) -> JointSample:
        drawn = {} if drawn is None else drawn
        drawn.setdefault((), start)
        for i in range(len(self.steps)):
            prefix = self.steps[: i + 1]
            if prefix not in drawn:
                before = drawn[self.steps[:i]]
                drawn[prefix] = self.steps[i](before, tf.random.experimental.stateless_fold_in(seed, i, alg="philox"))
        return drawn[self.steps]

    def describe(self, roles: Mapping[str, Role], data: Sequence[str]) -> str:
        """The sampler as the paper writes it: "x ~ data, z ~ encoder"."""
        parts: list[str] = []
        known: set[str] = set()
        for step in self.steps:
            if isinstance(step, Detach):
                live = [part for part in parts if " ~ " in part and not part.endswith((" ~ data", ")"))]
                parts = [part.replace(" ~ ", " ~ sg(") + ")" if part in live else part for part in parts]
                continue
            if isinstance(step, Rename):
                parts.append(f"{step.new} = {step.old}{'' if step.old in known else ' ~ data'}")
                known |= {step.old, step.new}
                continue
            role = roles[str(step.density)]
            for variable in role.given:
                if variable in data and variable not in known:
                    parts.append(f"{variable} ~ data")
            known |= {role.of, *role.given}
            if isinstance(step, Enumerate):
                parts.append(f"every {role.of} ~ {step.density}")
            else:
                draws = "" if getattr(step, "k", None) is None else f"_1..{step.k}"
                parts.append(f"{role.of}{draws} ~ {step.density}")
        return ", ".join(parts) if parts else ", ".join(f"{variable} ~ data" for variable in data)


Sampler = Ancestral | Callable[[JointSample, tf.Tensor], JointSample]

DATA = Ancestral()
INFERRED = Ancestral(("encoder",))
GENERATED = Ancestral(("prior", "decoder"))


def draw(sampler: Sampler, start: JointSample, seed: tf.Tensor, drawn: Drawn) -> JointSample:
    """The joint sample of `sampler`, from `drawn` if it is there, which then also holds it."""
    if isinstance(sampler, Ancestral):
        return sampler(start, seed, drawn)
    if sampler not in drawn:
        drawn[sampler] = sampler(start, seed)
    return drawn[sampler]
