"""Families of real numbers, of images in [0, 1] and of implicit densities."""

from typing import Any, ClassVar

import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.densities import quantized
from ugm_tf.densities.family import Family, Shape
from ugm_tf.serialization import record

tfb, tfd = tfp.bijectors, tfp.distributions

__all__ = [
    "ContinuousBernoulli",
    "DiscretizedLogistic",
    "FullCovarianceGaussian",
    "Gaussian",
    "Laplace",
    "LocationScale",
    "Point",
    "Uniform",
    "positive",
]

_MIN_SCALE = 1e-4  # a scale of 0 would make a density of infinite height


def positive(raw: tf.Tensor) -> tf.Tensor:
    """Scales, from any numbers."""
    return tf.nn.softplus(raw) + _MIN_SCALE


class LocationScale(Family):
    """Families of a location and a scale, learned or given."""

    scale: float | None

    def __post_init__(self) -> None:
        if self.scale is not None and not self.scale > 0.0:
            raise ValueError(
                f"The scale of a {type(self).__name__} must be positive, or None to learn it. Received: {self.scale}."
            )

    def event_shape(self, parameter_shape: Shape) -> Shape:
        if self.scale is not None:
            return tuple(parameter_shape)
        *axes, last = parameter_shape
        if last % 2:
            raise ValueError(
                f"A {type(self).__name__} with a learned scale takes a location and a scale for each value, so its "
                f"network must put out an even last axis. Received a network of output shape {tuple(parameter_shape)}."
            )
        return (*axes, last // 2)

    def parameter_shape(self, event_shape: Shape) -> Shape:
        if self.scale is not None:
            return tuple(event_shape)
        if not event_shape:
            raise ValueError(
                f"A {type(self).__name__} with a learned scale is of values with an axis, such as (20,). Received: ()."
            )
        return (*event_shape[:-1], 2 * event_shape[-1])

    def _parameters(self, parameters: tf.Tensor) -> tuple[tf.Tensor, Any]:
        if self.scale is not None:
            return parameters, self.scale
        loc, raw = tf.split(parameters, 2, axis=-1)
        return loc, positive(raw)

    def standard(self, event_shape: Shape) -> tf.Tensor:
        if self.scale is not None:
            return tf.zeros(event_shape)
        raw = tfp.math.softplus_inverse(1.0 - _MIN_SCALE)
        return tf.concat([tf.zeros(event_shape), tf.fill(event_shape, raw)], -1)


@record
class Gaussian(LocationScale):
    """Independent normals; `scale=None` learns a scale for each value.

    Args:
        scale: The standard deviation of every value, or None to learn it.
    """

    scale: float | None = None

    def distribution(self, parameters, event_rank):
        return tfd.Independent(tfd.Normal(*self._parameters(parameters)), event_rank)

    def draw(self, distribution, noise):
        normal = distribution.distribution
        return normal.loc + normal.scale * noise


@record
class Laplace(LocationScale):
    """Independent Laplace distributions: an absolute error is its -log density.

    Args:
        scale: The scale b of every value, or None to learn it.
    """

    scale: float | None = 1.0
    noise: ClassVar[str | None] = "uniform"

    def distribution(self, parameters, event_rank):
        return tfd.Independent(tfd.Laplace(*self._parameters(parameters)), event_rank)

    def draw(self, distribution, noise):
        return distribution.distribution.quantile(noise)


@record
class Uniform(Family):
    """Independent uniform distributions on [location - width / 2, location + width / 2].

    Args:
        width: Length of the interval; a prior's is centred at 0.
    """

    width: float = 2.0
    noise: ClassVar[str | None] = "uniform"

    def __post_init__(self) -> None:
        if not self.width > 0.0:
            raise ValueError(f"The width of a Uniform must be positive. Received: {self.width}.")

    def distribution(self, parameters, event_rank):
        return tfd.Independent(tfd.Uniform(parameters - self.width / 2, parameters + self.width / 2), event_rank)

    def draw(self, distribution, noise):
        uniform = distribution.distribution
        return uniform.low + self.width * noise


@record
class FullCovarianceGaussian(Family):
    """A normal over vectors with a full covariance: parameters are its mean and a lower triangle."""

    def event_shape(self, parameter_shape):
        size = next((n for n in range(1, parameter_shape[-1]) if n + n * (n + 1) // 2 == parameter_shape[-1]), None)
        if len(parameter_shape) != 1 or size is None:
            raise ValueError(
                "A full-covariance Gaussian over n values takes a vector of n + n(n+1)/2 parameters, such as 5 for "
                "n=2. "
                f"Received a network of output shape {tuple(parameter_shape)}."
            )
        return (size,)

    def parameter_shape(self, event_shape):
        if len(event_shape) != 1:
            raise ValueError(f"A full-covariance Gaussian is of vectors, such as (20,). Received: {event_shape}.")
        (size,) = event_shape
        return (size + size * (size + 1) // 2,)

    def distribution(self, parameters, event_rank):
        (size,) = self.event_shape((parameters.shape[-1],))
        loc, raw = tf.split(parameters, [size, parameters.shape[-1] - size], axis=-1)
        triangle = tfb.FillScaleTriL(diag_bijector=tfb.Chain([tfb.Shift(_MIN_SCALE), tfb.Softplus()]), diag_shift=None)
        return tfd.MultivariateNormalTriL(loc, triangle.forward(raw))

    def draw(self, distribution, noise):
        return distribution.loc + distribution.scale.matvec(noise)

    def standard(self, event_shape):
        (size,) = event_shape
        raw = tfp.math.fill_triangular_inverse(tfp.math.softplus_inverse(1.0 - _MIN_SCALE) * tf.eye(size))
        return tf.concat([tf.zeros(event_shape), raw], -1)


@record
class ContinuousBernoulli(Family):
    """Independent continuous Bernoulli distributions on [0, 1], given by logits.

    References:
        Gabriel Loaiza-Ganem, John Cunningham. The continuous Bernoulli: fixing a pervasive
        error in variational autoencoders. NeurIPS 2019. https://arxiv.org/abs/1907.06845
    """

    support: ClassVar[str] = "unit"
    noise: ClassVar[str | None] = "uniform"

    def distribution(self, parameters, event_rank):
        return tfd.Independent(tfd.ContinuousBernoulli(logits=parameters), event_rank)

    def draw(self, distribution, noise):
        # The quantile log(1 - u + u exp(l)) / l at noise u and logit l.  Near l = 0 float32 has no digits left for
        # it (the gradient of TFP's is then off by up to 1): there the series in l serves, by a Bernoulli's cumulants.
        logits = distribution.distribution.logits
        small = tf.abs(logits) < 0.1
        near, size = tf.where(small, logits, 0.0), tf.where(small, 1.0, tf.abs(logits))
        mirror = tf.where(logits > 0.0, 1.0 - noise, noise)
        mirrored = -tf.math.log(1.0 - mirror + mirror * tf.exp(-size)) / size  # by symmetry, at a negative logit
        variance = noise * (1.0 - noise)
        third = variance * (1.0 - 2.0 * noise)
        fourth = variance * (1.0 - 6.0 * variance)
        series = noise + near * (variance / 2 + near * (third / 6 + near * fourth / 24))
        x = tf.where(small, series, tf.where(logits > 0.0, 1.0 - mirrored, mirrored))
        return tf.clip_by_value(x, 0.0, 1.0)


@record
class DiscretizedLogistic(LocationScale):
    """Independent logistic distributions rounded to levels 0, 1/(levels-1), ..., 1; values outside fall on the ends.

    Args:
        scale: The logistic's scale on the axis [0, 1], or None to learn it.
        levels: Number of levels, 256 for 8-bit images.

    References:
        Diederik Kingma et al. Improved variational inference with inverse autoregressive
        flow. NIPS 2016. https://arxiv.org/abs/1606.04934, appendix C.2.
    """

    scale: float | None = None
    levels: int = 256
    support: ClassVar[str] = "levels"
    noise: ClassVar[str | None] = "uniform"
    reparameterised: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.levels < 2:
            raise ValueError(
                f"A DiscretizedLogistic has at least 2 levels, such as 256 for 8-bit images. Received: {self.levels}."
            )

    def distribution(self, parameters, event_rank):
        return tfd.Independent(
            quantized.QuantizedLogistic(*self._parameters(parameters), levels=self.levels), event_rank
        )

    def draw(self, distribution, noise):
        return distribution.distribution.quantile(noise)


@record
class Point(Family):
    """All mass on the network's output: an implicit density, to be sampled and never scored."""

    noise: ClassVar[str | None] = None
    has_log_prob: ClassVar[bool] = False

    def distribution(self, parameters, event_rank):
        return tfd.Independent(tfd.Deterministic(parameters), event_rank)

    def draw(self, distribution, noise):
        return distribution.distribution.loc
