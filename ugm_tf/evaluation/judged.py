"""What a discriminator judges: draws of both sides, its logits there, and what a generator's gradient is made of."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf.algebra import DiffAugment, DiscriminatorLoss, Draws, Phase, Sampler, contests
from ugm_tf.algebra.tapes import persistent_tape
from ugm_tf.densities import fold
from ugm_tf.joint import Joint

__all__ = ["JudgedPair", "Side", "judged_pairs"]


@dataclasses.dataclass(frozen=True)
class Side:
    """Draws of one side of a discriminator.

    Attributes:
        values: What it judges, in the order of its role, each [N, ...].
        logits: Its output l, [N].
        first: The first of `values`, as it was before a `DiffAugment`.
    """

    values: tuple[tf.Tensor, ...]
    logits: tf.Tensor
    first: tf.Tensor


@dataclasses.dataclass(frozen=True)
class JudgedPair:
    """A phase in which a discriminator learns, and the one that plays against it.

    Attributes:
        phase: Name of the discriminator's phase.
        by: Name of the discriminator.
        contest: Name of the contest.
        real: Samplers of the side y = 1.
        fake: Samplers of the side y = 0.
        against: Name of the phase that moves the side y = 0; None if there is none.
        moving: The sampler there.
    """

    phase: str
    by: str
    contest: str
    real: tuple[Sampler, ...]
    fake: tuple[Sampler, ...]
    against: str | None
    moving: Sampler | None

    @property
    def log_ratio(self) -> bool:
        """Whether the best l is the log-ratio of the sides, so that sigmoid(l) is q(y=1 | .)."""
        return contests.get(self.contest).log_ratio

    @property
    def boundary(self) -> float | None:
        """The output above which the discriminator takes an example for real; None where none says so."""
        return contests.get(self.contest).boundary

    def variables(self, joint: Joint) -> tuple[str, ...]:
        """Variables that are judged."""
        return joint.roles[self.by].given

    def first(self, joint: Joint) -> str:
        """The first of them, or what a `DiffAugment` made it of."""
        changed = {step.new: step.old for step in joint.recipe.steps if isinstance(step, DiffAugment)}
        variable = self.variables(joint)[0]
        return changed.get(variable, variable)

    def shapes(self, joint: Joint) -> tuple[tuple[int, ...], ...]:
        """Shape of one value of each.

        Raises:
            ValueError: If the discriminator's network does not tell.
        """
        shapes = joint.densities[self.by].given_shapes
        if shapes is None:
            raise ValueError(
                f"The network of '{self.by}' does not tell the shapes of its inputs, which a probe of what it judges "
                "has to know. Make it a Sequential or functional model."
            )
        return tuple(tuple(int(n) for n in shape) for shape in shapes)

    def draw(self, joint: Joint, values: Mapping[str, tf.Tensor], seed: tf.Tensor) -> tuple[Side, Side]:
        """Both sides, drawn from a batch of data, with networks as in inference.

        Args:
            joint: The densities and the recipe.
            values: The batch by variable.
            seed: int32 [2].
        """
        draws = Draws(joint.sample(values, training=False))
        samplers = (self.real, self.fake)
        real, fake = (
            _joined([self._side(joint, draws, s, fold(seed, y, i)) for i, s in enumerate(side)])
            for y, side in enumerate(samplers)
        )
        return real, fake

    def gradients(
        self,
        joint: Joint,
        values: Mapping[str, tf.Tensor],
        seed: tf.Tensor,
        ratio: Callable[[Side], tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The gradients of KL(p(x | y=0) || q^r(x | y=0)) and of the JSD, each [P], of all parameters in one vector.

        Both are with respect to what the phase `against` updates, at its present value (Lemma 1), where
        d KL = d E_0[log p(y=0 | x) - log q^r(y=0 | x)] and d JSD = d E_0[log p(y=0 | x)] / 2 through the draws alone.

        Args:
            joint: The densities and the recipe.
            values: A batch of data by variable.
            seed: int32 [2].
            ratio: From draws to the log-ratio of real to generated there, [N].
        """
        phase = next(phase for phase in joint.recipe.phases if phase.name == self.against)
        variables = joint.variables_of(phase)
        with persistent_tape() as tape:
            side = self._side(joint, Draws(joint.sample(values, training=False)), self.moving, seed)
            of_fake = tf.reduce_mean(tf.math.log_sigmoid(-ratio(side)))
            kl = of_fake - tf.reduce_mean(tf.math.log_sigmoid(side.logits))
            jsd = 0.5 * of_fake
        of_kl, of_jsd = (_flat(tape.gradient(part, variables), variables) for part in (kl, jsd))
        return of_kl, of_jsd

    def pull(self, logits: tf.Tensor) -> tf.Tensor:
        """Mean size of the derivative of the generator's loss in l, at generated examples: 0 where it saturates."""
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = contests.get(self.contest).loss(0, True)(logits)
        return tf.reduce_mean(tf.abs(tape.gradient(loss, logits)))

    def _side(self, joint: Joint, draws: Draws, sampler: Any, seed: tf.Tensor) -> Side:
        sample = draws(sampler, seed)
        logits = sample.distribution(self.by).logits
        lead, shapes = tf.shape(logits), self.shapes(joint)

        def whole(variable: str, shape: tuple[int, ...]) -> tf.Tensor:
            return tf.reshape(tf.broadcast_to(sample[variable], tf.concat([lead, shape], 0)), [-1, *shape])

        values = tuple(whole(*each) for each in zip(self.variables(joint), shapes, strict=True))
        same = self.first(joint) == self.variables(joint)[0]
        return Side(values, tf.reshape(logits, [-1]), values[0] if same else whole(self.first(joint), shapes[0]))


def judged_pairs(joint: Joint) -> tuple[JudgedPair, ...]:
    """Every discriminator's phase of the recipe."""
    phases, out = tuple(dict.fromkeys(joint.recipe.phases)), []
    for phase in phases:
        losses = [(loss, under) for loss, under in _losses(phase) if not loss.reverse]
        for by in dict.fromkeys(loss.by for loss, _ in losses):
            own = [(loss, under) for loss, under in losses if loss.by == by]
            real, fake = (tuple(under for loss, under in own if loss.y == y) for y in (1, 0))
            if not (real and fake):
                continue
            others = ((p, *pair) for p in phases for pair in _losses(p))
            against = [(p.name, under) for p, loss, under in others if loss.reverse and (loss.by, loss.y) == (by, 0)]
            name, moving = against[0] if against else (None, None)
            out.append(JudgedPair(phase.name, by, own[0][0].contest, real, fake, name, moving))
    return tuple(out)


def _losses(phase: Phase) -> list[tuple[DiscriminatorLoss, Sampler]]:
    return [(e.of, e.under) for e in phase.minimise if isinstance(e.of, DiscriminatorLoss)]


def _flat(gradients: list[Any], variables: list[Any]) -> tf.Tensor:
    """All in one vector, with zeros for a variable that no gradient reaches."""
    parts = (tf.zeros(v.shape) if g is None else g for g, v in zip(gradients, variables, strict=True))
    return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)


def _joined(sides: list[Side]) -> Side:
    values = tuple(tf.concat(parts, 0) for parts in zip(*(side.values for side in sides), strict=True))
    logits, first = (tf.concat([getattr(side, name) for side in sides], 0) for name in ("logits", "first"))
    return Side(values, logits, first)
