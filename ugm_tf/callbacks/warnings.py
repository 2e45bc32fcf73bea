"""What the figures of a probe mean, in words."""

import math
from collections.abc import Mapping

__all__ = ["warnings_of"]


def warnings_of(figures: Mapping[str, float]) -> tuple[str, ...]:
    """Sentences about what looks wrong, by the figures of a `DivergenceProbe`.

    Args:
        figures: Values by name, "probe/jsd" or "probe/PHASE/jsd".
    """
    out = []
    groups = dict.fromkeys(name.rpartition("/")[0] for name in figures)
    for group in groups:
        own = {name.rpartition("/")[2]: value for name, value in figures.items() if name.rpartition("/")[0] == group}
        where = "" if group == "probe" else f" ({group.partition('/')[2]})"
        out += [f"{text}{where}" for text in _of(own)]
    return tuple(out)


def _of(f: Mapping[str, float]) -> list[str]:
    """Each threshold is far from what healthy runs on digits show; see docs/evaluation.md."""
    out = []
    if f.get("spread", 1.0) < 0.25:
        out.append(f"mode dropping: samples have {f['spread']:.0%} of the variance of the data")
    elif f.get("coverage", 1.0) < 0.75:
        out.append(f"mode dropping: samples reach {f['coverage']:.0%} of the classes")
    if f.get("pull", 1.0) < 0.02:
        out.append(f"saturation: the generator's loss has a slope of {f['pull']:.2g} in the discriminator's output")
    accuracy = min(f.get("real_accuracy", 0.0), f.get("fake_accuracy", 0.0))
    if accuracy > 0.97 and f.get("jsd", 0.0) > 0.9 * math.log(2.0):
        out.append("a winning discriminator: it tells every sample from the data, on data that it has not seen")
    by_heart = f.get("training_accuracy", 0.0) - f.get("real_accuracy", 0.0)
    if by_heart > 0.3:
        out.append(
            f"memorisation: the discriminator takes {f['training_accuracy']:.0%} of its training examples for real, "
            f"and {f['real_accuracy']:.0%} of data that it has not seen"
        )
    elif (worse := f.get("discriminator_gap", 0.0) - f.get("jsd", 0.0)) > 0.1:  # log 2 - JSD is the best one's loss
        out.append(
            f"a discriminator that is behind: its loss is {worse:.2g} nats above that of one which knows nothing, so "
            "that the generator follows something else than the divergence"
        )
    if "authenticity" in f and f["authenticity"] < min(0.3, 0.5 * f["authenticity_held_out"]):
        out.append(
            f"memorisation: {1.0 - f['authenticity']:.0%} of the samples lie nearer to a training example than its own "
            f"neighbours; of held-out data {1.0 - f['authenticity_held_out']:.0%}"
        )
    if "active_units" in f and (f["active_units"] < 1 or f["rate"] < 0.05):
        active = f"{f['active_units']:.0f} units of the code are active"
        out.append(f"a collapsed posterior: {active}, at a rate of {f['rate']:.2g} nats")
    return out
