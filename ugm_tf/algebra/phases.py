"""Phases: what half of a training step minimises, and who learns."""

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from ugm_tf import arguments
from ugm_tf.algebra.draws import Draws
from ugm_tf.algebra.expectations import E, Expectation
from ugm_tf.algebra.judged import DiscriminatorLoss
from ugm_tf.algebra.role import Roles
from ugm_tf.algebra.samplers import DATA
from ugm_tf.algebra.schedule import Schedule
from ugm_tf.densities import fold
from ugm_tf.serialization import number, record

__all__ = ["E", "Expectation", "Phase", "adversarial"]


@record
class Phase:
    """One half of a training step: the sum of expectations that it minimises, and the densities that learn from it.

    Args:
        name: Name of the phase, which is also that of its optimizer.
        minimise: The expectations, or one.
        updates: Names of the densities whose parameters it changes, or one.
        repeats: How often it runs in one step of the alternating schedule, each time on fresh draws.

    Raises:
        ValueError: If what it minimises are no expectations, what it updates no names, or `repeats` no number of times.
    """

    name: str
    minimise: tuple[Expectation, ...]
    updates: tuple[str, ...]
    repeats: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ValueError(f"The name of a phase is a text. Received: {self.name!r}.")
        object.__setattr__(self, "repeats", arguments.count(f"Phase '{self.name}'", "repeats", self.repeats))
        expectations = f"Phase '{self.name}' minimises expectations, ugm_tf.E(term, sampler)"
        names = f"Phase '{self.name}' updates densities, by their names"
        object.__setattr__(self, "minimise", arguments.several(expectations, Expectation, self.minimise))
        object.__setattr__(self, "updates", arguments.several(names, str, self.updates))

    def metric(self, expectation: Expectation) -> str:
        """Name of an expectation's metric: "wake/distortion"."""
        return f"{self.name}/{expectation.label}"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all its metrics: its expectations', what terms log beside them, the scales that follow a schedule
        and the loss without these, and the loss."""
        own = [name for e in self.minimise for name in (self.metric(e), *self._beside(e))]
        scheduled = self._scheduled()
        return (*own, *scheduled, *([self.unscheduled] if scheduled else []), f"{self.name}/loss")

    @property
    def unscheduled(self) -> str:
        """Name of the metric to compare epochs by where a scale follows a schedule: "wake/loss_unscheduled"."""
        return f"{self.name}/loss_unscheduled"

    def values(self, draws: Draws, seed: Any) -> dict[str, tf.Tensor]:
        """The value of every expectation, without its scale, by the name of its metric; each a scalar in nats.

        Beside them, what their terms log; and where a scale follows a schedule, the loss with 1 in place of each
        schedule, which is the same function of the parameters in every epoch.

        Args:
            draws: What was drawn from the batch already; this phase adds its own.
            seed: int32 [2]; each expectation folds its index in.
        """
        values = {}
        for e, sample in zip(self.minimise, self.draw(draws, seed), strict=True):
            values[self.metric(e)] = e(sample)
            values |= {f"{self.metric(e)}_{name}": value for name, value in e.beside(sample).items()}
        if self._scheduled():
            values[self.unscheduled] = tf.add_n([_without(e.scale) * values[self.metric(e)] for e in self.minimise])
        return values

    def draw(self, draws: Draws, seed: Any) -> Iterator[Any]:
        """The joint sample of each expectation, one after the other, drawn by these seeds where it is not there."""
        for i, e in enumerate(self.minimise):
            yield draws(e.under, fold(seed, i))

    def scales(self, step: Any) -> dict[str, tf.Tensor]:
        """The scales that follow a schedule at a training step, by the names of their metrics: "wake/rate_scale"."""
        return {name: schedule(step) for name, schedule in self._scheduled().items()}

    def loss(self, values: dict[str, tf.Tensor], step: Any = 0) -> tf.Tensor:
        """What the phase minimises: the sum of its expectations times their scales, a scalar in nats.

        Args:
            values: From `values`.
            step: Number of training steps before this one.
        """
        return tf.add_n([_at(e.scale, step) * values[self.metric(e)] for e in self.minimise])

    def describe(self, roles: Roles, data: Sequence[str]) -> list[str]:
        """A line for each expectation, as the paper writes it."""
        lines = []
        for i, e in enumerate(self.minimise):
            negative, size = not isinstance(e.scale, Schedule) and e.scale < 0, _size(e.scale)
            sign = "- " if negative else "  " if i == 0 else "+ "
            lines.append(f"  {sign}{size}{e.describe(roles, data)}")
        return lines

    def _beside(self, e: Expectation) -> list[str]:
        return [f"{self.metric(e)}_{name}" for name in e.of.beside]

    def _scheduled(self) -> dict[str, Schedule]:
        return {f"{self.metric(e)}_scale": e.scale for e in self.minimise if isinstance(e.scale, Schedule)}


def _at(scale: float | Schedule, step: Any) -> Any:
    return scale(step) if isinstance(scale, Schedule) else scale


def _without(scale: float | Schedule) -> float:
    """A scale with 1 in place of a schedule."""
    return scale.number if isinstance(scale, Schedule) else scale


def _size(scale: float | Schedule) -> str:
    if isinstance(scale, Schedule):
        return f"{scale.describe()}(t) "
    return "" if abs(scale) == 1.0 else f"{number(abs(scale))} "


def adversarial(
    fake: Any,
    updates: tuple[str, ...],
    real: Any = DATA,
    by: str = "discriminator",
    extra: tuple[Expectation, ...] = (),
    contest: str = "logistic",
    scale: Any = 1.0,
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
        scale: Factor of the second phase's adversarial expectations, a number or a schedule.
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
        if sampler.draws(updates)
    ]
    if real.draws(updates):
        against.append(E(fool_real, real, scale, name=f"fool_real{suffix}"))
    if not against:
        raise ValueError(
            f"'{by}' would play against nobody: neither side is drawn through what learns, {', '.join(updates)}. "
            "Give `fake` or `real` a sampler that draws from one of them."
        )
    discriminate = Phase(f"discriminate{suffix}", tuple(judge), (by,))
    return discriminate, Phase(f"generate{suffix}", (*against, *extra), tuple(updates))
