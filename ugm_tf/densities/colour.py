"""Families of colour images: one scale for all values, and mixtures in which a channel depends on those before it."""

from typing import ClassVar

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from ugm_tf.densities.continuous import Gaussian, positive
from ugm_tf.densities.family import Family
from ugm_tf.densities.logistic_mixture import LogisticMixture
from ugm_tf.serialization import record

__all__ = ["DiscretizedLogisticMixture", "SharedScaleGaussian"]


@record
class SharedScaleGaussian(Family):
    """Independent normals with one learned scale for all values of an example: the likelihood of the sigma-VAE.

    Parameters are a location for each value, and behind them on the last axis raw scales, whose mean is the one.
    `ugm_tf.networks.build` ends such a network in a weight of its own, so that one scale serves all examples.  The
    scale at its best is the root of the mean squared error, which balances distortion and rate without a beta.

    References:
        Oleh Rybkin, Kostas Daniilidis, Sergey Levine. Simple and Effective VAE Training with Calibrated Decoders.
        ICML 2021. https://arxiv.org/abs/2006.13202, section 4.1.
    """

    shared: ClassVar[int] = 1

    def event_shape(self, parameter_shape):
        if not parameter_shape or parameter_shape[-1] < 2:
            raise ValueError(
                "A SharedScaleGaussian takes a location for each value and one raw scale more on the last axis. "
                f"Received a network of output shape {tuple(parameter_shape)}."
            )
        return (*parameter_shape[:-1], parameter_shape[-1] - 1)

    def parameter_shape(self, event_shape):
        if not event_shape:
            raise ValueError("A SharedScaleGaussian is of values with an axis, such as (20,). Received: ().")
        return (*event_shape[:-1], event_shape[-1] + 1)

    def distribution(self, parameters, event_rank):
        loc, raw = parameters[..., :-1], parameters[..., -1:]
        axes = list(range(-event_rank, 0))
        return tfd.Independent(tfd.Normal(loc, positive(tf.reduce_mean(raw, axes, keepdims=True))), event_rank)

    def draw(self, distribution, noise):
        normal = distribution.distribution
        return normal.loc + normal.scale * noise

    def standard(self, event_shape):
        unit = Gaussian().standard((1,))[1]  # the raw scale of 1
        return tf.concat([tf.zeros(event_shape), tf.fill([*event_shape[:-1], 1], unit)], -1)


@record
class DiscretizedLogisticMixture(Family):
    """Mixtures of logistic distributions rounded to levels 0, 1/(levels-1), ..., 1, for the channels of each pixel.

    Each pixel has a mixture over components.  Within one, channels are logistic in turn: the location of a channel
    moves in proportion to the values of the channels before it, by learned coefficients in [-1, 1].  Parameters of a
    pixel of C channels and K components are K logits, C K locations, C K logarithms of scales and C (C-1) / 2 K raw
    coefficients, in this order: 100 for 3 channels and 10 components.

    Args:
        components: K.
        levels: Number of levels, 256 for 8-bit images.

    References:
        Tim Salimans, Andrej Karpathy, Xi Chen, Diederik Kingma. PixelCNN++. ICLR 2017.
        https://arxiv.org/abs/1701.05517, equations 1 to 3.
    """

    components: int = 10
    levels: int = 256
    support: ClassVar[str] = "levels"
    noise: ClassVar[str | None] = "uniform"
    reparameterised: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.components < 1 or self.levels < 2:
            raise ValueError(
                "A DiscretizedLogisticMixture has at least 1 component and 2 levels. Received: "
                f"components={self.components}, levels={self.levels}."
            )

    def event_shape(self, parameter_shape):
        size = parameter_shape[-1] if len(parameter_shape) == 3 else 0
        channels = next((c for c in range(1, size + 1) if self._size(c) == size), None)
        if channels is None:
            raise ValueError(
                f"A mixture of {self.components} logistics takes {self._size(1)} parameters for a pixel of 1 channel "
                f"and {self._size(3)} for one of 3. Received a network of output shape {tuple(parameter_shape)}."
            )
        return (*parameter_shape[:-1], channels)

    def parameter_shape(self, event_shape):
        if len(event_shape) != 3:
            raise ValueError(
                f"A DiscretizedLogisticMixture is of images, such as (32, 32, 3). Received: {event_shape}."
            )
        return (*event_shape[:-1], self._size(event_shape[-1]))

    def noise_shape(self, event_shape):
        return (*event_shape[:-1], event_shape[-1] + 1)  # the first picks the component

    def distribution(self, parameters, event_rank):
        return LogisticMixture(parameters, self.components, self.levels)

    def draw(self, distribution, noise):
        return distribution.quantile_of(noise)

    def _size(self, channels: int) -> int:
        return self.components * (1 + 2 * channels + channels * (channels - 1) // 2)
