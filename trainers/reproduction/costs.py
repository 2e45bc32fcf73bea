"""What an experiment takes, by the speeds that were measured on two cores."""

import dataclasses

from .. import own_networks
from ..settings import Settings
from . import choosing
from .units import Plan, Unit

__all__ = ["Cost", "cost"]

# Images a second, by recipe and networks: MNIST on two shared cores of an x86 processor, with XLA for dense networks.
_SPEEDS = {
    ("vae", "mlp"): 12_606,
    ("aavae", "mlp"): 4_034,
    ("conditional_vae", "mlp"): 8_259,
    ("aacvae", "mlp"): 2_594,
    ("semi_supervised_vae", "mlp"): 766,
    ("aasvae", "mlp"): 735,
    ("gan", "mlp"): 3_988,
    ("vae", "dcgan"): 1_004,
    ("aavae", "dcgan"): 322,
    ("gan", "dcgan"): 639,
    ("iwgan", "dcgan"): 499,
    ("conditional_gan", "dcgan"): 499,
    ("iwcgan", "dcgan"): 491,
}
_DRAWS = 95_000  # images times draws a second, of dense networks whose bound is of several draws: 1,900 at 50
_SIZES = {"digits": 1_297, "mnist": 55_000, "fashion_mnist": 55_000, "stacked_mnist": 128_000, "stacked_digits": 12_800}
_FEW = 100_000  # images that are seconds, whatever the model
_START_AND_END = 30.0  # seconds a run, whatever its length: to load, to compile, to draw and to export


@dataclasses.dataclass(frozen=True)
class Cost:
    """What the runs of a plan take.

    Attributes:
        runs: How many there are.
        hours: On two cores, estimated; without those that were not timed.
        untimed: Recipes, with their networks, of which no speed was measured.
    """

    runs: int
    hours: float
    untimed: tuple[str, ...]

    def __str__(self) -> str:
        """
        >>> str(Cost(30, 2.25, ())), str(Cost(3, 0.1, ("avb, mlp",)))
        ('30 runs, about 2.2 hours', '3 runs, about 0.1 hours and what was not timed: avb, mlp')
        """
        more = f" and what was not timed: {'; '.join(self.untimed)}" if self.untimed else ""
        return f"{self.runs} runs, about {self.hours:.1f} hours{more}"


def cost(plan: Plan) -> Cost:
    """Estimates a plan: no data are read and nothing is built."""
    units, seconds, untimed = choosing.needed(plan, []), 0.0, {}
    for run, unit in {unit.run: unit for unit in units}.items():
        speed, images = _speed(unit.settings), _images(unit)
        seconds += _START_AND_END
        if images is not None and images < _FEW:
            continue
        if speed is None or images is None:
            untimed[f"{unit.settings.recipe} on {unit.settings.dataset}"] = run
        else:
            seconds += images / speed
    return Cost(len(units), seconds / 3600.0, tuple(untimed))


def _images(unit: Unit) -> float | None:
    """Training examples that a run sees, with repetition."""
    size = unit.settings.batch_size
    if unit.updates is not None:
        return None if size is None else unit.updates * size
    examples, epochs = _SIZES.get(unit.settings.dataset), unit.settings.epochs
    return None if examples is None or epochs is None else examples * (unit.settings.fraction or 1.0) * epochs


def _speed(settings: Settings) -> float | None:
    """Images a second; None where it was not measured."""
    network = own_networks.kind(settings.network or "mlp")
    draws = dict(settings.hyperparameters).get("k", 5)
    if settings.recipe == "iwae" and network == "mlp":
        return min(_SPEEDS["vae", "mlp"], _DRAWS / draws)
    return _SPEEDS.get((settings.recipe, network)) if settings.dataset in _SIZES else None
