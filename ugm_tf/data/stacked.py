"""Stacked sets: three images of a set of grey ones as the channels of one, so that 10 classes become 1,000 modes."""

import numpy as np

from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.readings import Reading, say

__all__ = ["STACKED", "sizes", "stack", "unstacked"]

CHANNELS = 3
STACKED = {"stacked_mnist": "mnist", "stacked_digits": "digits"}
_SIZES = {
    "mnist": {"train": 128_000, "validation": 5_000, "test": 26_000},  # the literature's
    "digits": {"train": 12_800, "validation": 2_500, "test": 2_600},
}


def sizes(name: str) -> dict[str, int]:
    """How many examples each split of a stacked set has.

    Args:
        name: One of `STACKED`.
    """
    return _SIZES[STACKED[name]]


def stack(examples: Examples, name: str) -> Examples:
    """A split of a stacked set: each channel a random image of a split, each class a mode of its own.

    Args:
        examples: A split of grey images with labels of K classes.
        name: One of `STACKED`.

    Returns:
        uint8 [N, H, W, 3] of K^3 classes, called by the names of the three; the same at each call.

    Raises:
        ValueError: If the images are not grey, or have no labels.

    References:
        Luke Metz et al. Unrolled Generative Adversarial Networks. ICLR 2017.
        https://arxiv.org/abs/1611.02163, section 3.3.1.
        Zinan Lin et al. PacGAN: The power of two samples in generative adversarial networks. NeurIPS 2018.
        https://arxiv.org/abs/1712.04086, section 4.2: 128,000 examples, 26,000 samples.
    """
    if examples.shape[-1] != 1 or not examples.is_image or examples.c is None or examples.class_names is None:
        raise ValueError(f"Stacked are grey images with labels. Received: {examples!r}.")
    number, classes = sizes(name)[examples.split], len(examples.class_names)
    rng = np.random.RandomState((0, sorted(sizes(name)).index(examples.split)))  # its streams never change
    which = rng.randint(len(examples), size=(number, CHANNELS))
    x = np.concatenate([examples.x[which[:, channel]] for channel in range(CHANNELS)], -1)
    c = examples.c[which].astype(np.int64) @ classes ** np.arange(CHANNELS)[::-1]
    names = [f"{a} {b} {d}" for a in examples.class_names for b in examples.class_names for d in examples.class_names]
    names = [each.replace(" ", "") if max(map(len, examples.class_names)) == 1 else each for each in names]
    reading = Reading(name, sizes(name), len(names))
    say(reading)
    made = Examples(x, c, name=name, split=examples.split, class_names=names)
    return made if examples.origin is None else loaded(made, (reading, examples.origin), stacked=sizes(name))


def unstacked(examples: Examples) -> Examples | None:
    """The first channel of a stacked set as a set of its own, of the classes of that channel.

    Args:
        examples: Any examples.

    Returns:
        At most 55,000 of them, which may repeat; None if the examples are no stacked set.
    """
    if examples.name not in STACKED or examples.c is None or examples.num_classes is None:
        return None
    classes = round(examples.num_classes ** (1 / CHANNELS))
    x, c = examples.x[:55_000, :, :, :1], examples.c[:55_000] // classes ** (CHANNELS - 1)
    names = tuple(map(str, range(classes)))
    return Examples(np.ascontiguousarray(x), c, name=STACKED[examples.name], split=examples.split, class_names=names)
