"""Two-dimensional mixtures of Gaussians whose modes are known, to count the modes that a model finds."""

import numpy as np

from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.fingerprints import Fingerprint
from ugm_tf.data.readings import Reading, say

__all__ = ["TOYS", "centers", "grid", "ring", "scale"]

TOYS = ("grid", "ring")
_SCALES = {"grid": 0.05, "ring": 0.01}
_SIZES = {"train": 100_000, "validation": 2_500, "test": 2_500}


def centers(name: str) -> np.ndarray:
    """The modes of a toy density.

    Args:
        name: "ring": 8 modes (cos(pi i / 4), sin(pi i / 4)); or "grid": 25 modes
            (-4 + 2 i, -4 + 2 j), i and j from 0 to 4.

    Returns:
        float32 [C, 2]; row c is the mean of the examples labelled c.

    Raises:
        ValueError: If there is no such toy density.

    References:
        Akash Srivastava et al. VEEGAN: Reducing Mode Collapse in GANs using Implicit
        Variational Learning. NIPS 2017. https://arxiv.org/abs/1705.07761, section 5.
        Zinan Lin et al. PacGAN: The power of two samples in generative adversarial
        networks. NeurIPS 2018. https://arxiv.org/abs/1712.04086, section 4.1: the same
        means, and variances 0.0001 (ring) and 0.0025 (grid).
    """
    _check(name)
    if name == "ring":
        angle = np.pi / 4 * np.arange(8)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    side = np.arange(-4.0, 5.0, 2.0)
    return np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)


def scale(name: str) -> float:
    """The standard deviation of each mode of a toy density: 0.01 ("ring") or 0.05 ("grid").

    A sample is of high quality in the literature's sense when it lies within three of
    them of some center.

    Args:
        name: "ring" or "grid".

    Returns:
        The standard deviation in each of the two dimensions.

    Raises:
        ValueError: If there is no such toy density.
    """
    _check(name)
    return _SCALES[name]


def ring(num_examples: int = _SIZES["train"], seed: int = 0) -> Examples:
    """Draws from 8 equally likely Gaussians on the unit circle, labelled by their mode.

    Args:
        num_examples: How many.
        seed: Which draws; from 0 to 2**32 - 1.

    Returns:
        `Examples` with x float32 [N, 2] and 8 classes.

    References: see `centers`.
    """
    return _draw("ring", num_examples, (seed,))


def grid(num_examples: int = _SIZES["train"], seed: int = 0) -> Examples:
    """Draws from 25 equally likely Gaussians on a 5x5 grid, labelled by their mode.

    Args:
        num_examples: How many.
        seed: Which draws; from 0 to 2**32 - 1.

    Returns:
        `Examples` with x float32 [N, 2] and 25 classes.

    References: see `centers`.
    """
    return _draw("grid", num_examples, (seed,))


def toy_split(name: str, split: str, seed: int) -> Examples:
    """A split of a toy density: 100,000 examples to train, 2,500 for validation and 2,500 for test.

    Args:
        name: "ring" or "grid".
        split: "train", "validation" or "test"; their draws are independent.
        seed: Which draws.

    Returns:
        `Examples` with x float32 [N, 2].
    """
    key = (seed,) if split == "train" else (seed, sorted(_SIZES).index(split) + 1)
    examples = _draw(name, _SIZES[split], key, split)
    reading = Reading(name, _SIZES, examples.num_classes)
    say(reading)
    origin = Fingerprint("split", {part: f"{size} draws" for part, size in _SIZES.items()})
    return loaded(examples, (reading, origin), density=name, seed=seed)


def _draw(name: str, num_examples: int, key: tuple[int, ...], split: str = "") -> Examples:
    if num_examples < 1:
        raise ValueError(f"num_examples must be at least 1. Received: num_examples={num_examples}.")
    rng = np.random.RandomState(key)  # its streams never change between versions of NumPy
    means = centers(name)
    c = rng.randint(len(means), size=num_examples)
    x = means[c] + scale(name) * rng.standard_normal((num_examples, 2))
    modes = tuple(map(str, range(len(means))))  # of few draws some have none
    return Examples(x.astype(np.float32), c, name=name, split=split, class_names=modes)


def _check(name: str) -> None:
    if name not in TOYS:
        raise ValueError(f"The toy densities are {', '.join(TOYS)}. Received: '{name}'.")
