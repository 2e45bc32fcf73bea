"""Expectations and phases: what half of a training step minimises, and who learns."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.judged import DiscriminatorLoss
from ugm_tf.algebra.samplers import DATA, Ancestral, Drawn, draw
from ugm_tf.algebra.terms import Term
from ugm_tf.algebra.weights import Weight
from ugm_tf.serialization import record

__all__ = ["E", "Expectation", "Phase", "adversarial"]


@record
class Expectation:
    """scale * E_under[weight * of], in nats.

    The mean is over the batch and over the draws of an example.  No gradient flows through `weight`.

    Args:
        of: A `Term`, or any function from a joint sample to nats, [B] or [k, B].
        under: The sampler.
        scale: A constant factor, such as the beta of a beta-VAE.
        weight: A `Weight`, or any function from a joint sample to factors, [B].
        name: Name of the metric; the term's own name if it is not given.
    """

    of: Term | Callable[[JointSample], tf.Tensor]
    under: Any = DATA
    scale: float = 1.0
    weight: Weight | Callable[[JointSample], tf.Tensor] | None = None
    name: str | None = None

    def __call__(self, sample: JointSample) -> tf.Tensor:
        """The expectation without its scale, a scalar."""
        value = self.of(sample)
        if sample.weight is not None:
            value = sample.weight * value
        if self.weight is not None:
            value = tf.stop_gradient(self.weight(sample)) * value
        return tf.reduce_mean(value)

    @property
    def label(self) -> str:
        """Name of its metric within the phase."""
        return self.name or str(getattr(self.of, "label", None) or getattr(self.of, "__name__", type(self.of).__name__))


E = Expectation


@record
class Phase:
    """One half of a training step: the sum of expectations that it minimises, and the densities that learn from it.

    Args:
        name: Name of the phase, which is also that of its optimizer.
        minimise: The expectations.
        updates: Names of the densities whose parameters it changes.
        repeats: How often it runs in one step of the alternating schedule, each time on fresh draws.
    """

    name: str
    minimise: tuple[Expectation, ...]
    updates: tuple[str, ...]
    repeats: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "minimise", tuple(self.minimise))
        object.__setattr__(self, "updates", (self.updates,) if isinstance(self.updates, str) else tuple(self.updates))

    def metric(self, expectation: Expectation) -> str:
        """Name of an expectation's metric: "wake/distortion"."""
        return f"{self.name}/{expectation.label}"

    def values(self, start: JointSample, seed: Any, drawn: Drawn | None = None) -> dict[str, tf.Tensor]:
        """The value of every expectation, without its scale, by the name of its metric; each a scalar in nats.

        Args:
            start: The joint sample that samplers start from: the data.
            seed: int32 [2]; each expectation folds its index in.
            drawn: Joint samples that were drawn already, by sampler; this phase adds its own.
        """
        drawn = {} if drawn is None else drawn
        out = {}
        for i, expectation in enumerate(self.minimise):
            folded = tf.random.experimental.stateless_fold_in(tf.convert_to_tensor(seed, tf.int32), i, alg="philox")
            out[self.metric(expectation)] = expectation(draw(expectation.under, start, folded, drawn))
        return out

    def loss(self, values: dict[str, tf.Tensor]) -> tf.Tensor:
        """What the phase minimises, from `values`: the sum of its expectations times their scales, a scalar in nats."""
        return tf.add_n([e.scale * values[self.metric(e)] for e in self.minimise])


def adversarial(
    fake: Any,
    updates: tuple[str, ...],
    real: Any = DATA,
    by: str = "discriminator",
    extra: tuple[Expectation, ...] = (),
    contest: str = "logistic",
    scale: float = 1.0,
    suffix: str = "",
) -> tuple[Phase, Phase]:
    """The paired phases of equation 3: the discriminator learns q(y | .), then the others the reversed q^r(y | .).

        discriminate:  min over `by`       E_real[-log q(y=1 | .)]   + E_fake[-log q(y=0 | .)]
        generate:      min over `updates`  E_fake[-log q^r(y=0 | .)] + E_real[-log q^r(y=1 | .)]

    In the second phase a side is left out where nothing that learns draws it, as the real side in a GAN: it
    would be a constant (equation 5).  The common factor p(y) = 1/2 is left out everywhere.

    Args:
        fake: Sampler of the generated side, y = 0; or a tuple of several, each with an expectation of its own.
        updates: Names of the densities that the second phase updates.
        real: Sampler of the real side, y = 1.
        by: Name of the discriminator.
        extra: Expectations that the second phase minimises as well.
        contest: What both sides minimise; see `ugm_tf.contests.names`.  "logistic" is the above.
        scale: Factor of the second phase's adversarial expectations.
        suffix: Ending of the names of the phases and of what the second one minimises, for recipes with several pairs.

    Raises:
        ValueError: If nothing that learns draws either side.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equations 3 and 5.
    """
    sides = fake if isinstance(fake, tuple) else (fake,)
    fakes = {"fake" if i == 0 else f"fake_{i + 1}": side for i, side in enumerate(sides)}
    judge = [E(DiscriminatorLoss(1, by, contest=contest), real, name="real")]
    judge += [E(DiscriminatorLoss(0, by, contest=contest), sampler, name=name) for name, sampler in fakes.items()]
    fool, fool_real = (DiscriminatorLoss(y, by, reverse=True, contest=contest) for y in (0, 1))
    against = [
        E(fool, sampler, scale, name=name.replace("fake", "fool") + suffix)
        for name, sampler in fakes.items()
        if not isinstance(sampler, Ancestral) or sampler.draws(updates)
    ]
    if isinstance(real, Ancestral) and real.draws(updates):
        against.append(E(fool_real, real, scale, name=f"fool_real{suffix}"))
    if not against:
        raise ValueError(
            f"'{by}' would play against nobody: neither side is drawn through what learns, {', '.join(updates)}. "
            "Give `fake` or `real` a sampler that draws from one of them."
        )
    discriminate = Phase(f"discriminate{suffix}", tuple(judge), (by,))
    return discriminate, Phase(f"generate{suffix}", (*against, *extra), tuple(updates))
