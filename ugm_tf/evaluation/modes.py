"""Which modes of a mixture a sampler finds."""

import dataclasses

import numpy as np

from ugm_tf.evaluation.checks import check_positive, check_rows

__all__ = ["Modes", "count_modes"]


@dataclasses.dataclass(frozen=True)
class Modes:
    """What samples tell of the modes of a mixture.

    Attributes:
        found: Number of modes with at least one sample of high quality.
        high_quality: Share of the samples that lie within three standard deviations of a mode.
        reverse_kl: KL(samples || data) between the shares of the modes, in nats, over samples of high quality by their
            nearest mode; 0 if they are as even as the data's, infinite if there is no such sample.
    """

    found: int
    high_quality: float
    reverse_kl: float


def count_modes(samples: np.ndarray, centers: np.ndarray, scale: float) -> Modes:
    """Counts the modes that samples find, by the literature's rules.

    Args:
        samples: Points, [N, D].
        centers: The modes, [C, D], equally likely in the data; see `ugm_tf.data.centers`.
        scale: Standard deviation of a mode in each dimension; see `ugm_tf.data.scale`.

    Raises:
        ValueError: If there is no sample, one is not finite, the shapes do not fit, or the scale is not above 0.

    Example:

    >>> points = ugm_tf.data.ring(2500).x
    >>> count_modes(points, ugm_tf.data.centers("ring"), ugm_tf.data.scale("ring")).found
    8

    References:
        Akash Srivastava et al. VEEGAN: Reducing Mode Collapse in GANs using Implicit
        Variational Learning. NIPS 2017. https://arxiv.org/abs/1705.07761, section 5.1.
        Zinan Lin et al. PacGAN: The power of two samples in generative adversarial networks. NeurIPS 2018.
        https://arxiv.org/abs/1712.04086, section 4.1: the reverse KL divergence.
    """
    samples = check_rows("Samples", samples, least=1, rank=2).astype(np.float64)
    centers = check_rows("Centers", centers, least=1, rank=2).astype(np.float64)
    scale = check_positive("The scale of a mode", scale)
    if samples.shape[1] != centers.shape[1]:
        raise ValueError(
            f"Samples [N, D] and centers [C, D] are points of one space. Received: {samples.shape}, {centers.shape}."
        )
    distances = np.linalg.norm(samples[:, None] - centers[None], axis=-1)
    nearest = np.argmin(distances, axis=1)
    good = distances[np.arange(len(samples)), nearest] < 3.0 * scale
    counts = np.bincount(nearest[good], minlength=len(centers))
    shares = counts[counts > 0] / max(1, counts.sum())
    reverse_kl = float(np.sum(shares * np.log(shares * len(centers)))) if len(shares) else float("inf")
    return Modes(found=int(np.sum(counts > 0)), high_quality=float(np.mean(good)), reverse_kl=reverse_kl)
