"""A logistic distribution rounded to the levels of an image."""

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

__all__ = ["QuantizedLogistic"]


class QuantizedLogistic(tfd.Distribution):
    """The logistic distribution with values rounded to 0, 1/(levels-1), ..., 1.

        P(x) = F(x + h) - F(x - h),   h = 1 / (2 (levels - 1))

    where F is the logistic's distribution function, and F(0 - h) = 0, F(1 + h) = 1: the tails fall
    on the end levels, so that the probabilities sum to 1.  The logarithm is computed without
    cancellation: log(F(b) - F(a)) = log F(b) + log(1 - F(a)) + log(1 - exp(a - b)) in standard units.
    (TFP's `QuantizedDistribution` quantises to integers, and its difference of logarithms loses the tails.)

    Args:
        loc: Locations, of any shape.
        scale: Scales, of a shape that broadcasts with `loc`.
        levels: Number of levels.
    """

    def __init__(self, loc, scale, levels=256, name="QuantizedLogistic"):
        parameters = dict(locals())
        with tf.name_scope(name):
            self._loc = tf.convert_to_tensor(loc)
            self._scale = tf.convert_to_tensor(scale, self._loc.dtype)
            self._levels = levels
            super().__init__(
                dtype=self._loc.dtype,
                reparameterization_type=tfd.NOT_REPARAMETERIZED,
                validate_args=False,
                allow_nan_stats=True,
                parameters=parameters,
                name=name,
            )

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {"loc": tfp.util.ParameterProperties(), "scale": tfp.util.ParameterProperties()}

    def _event_shape(self):
        return tf.TensorShape([])

    def _event_shape_tensor(self):
        return tf.constant([], tf.int32)

    def _log_prob(self, value):
        half = 0.5 / (self._levels - 1)
        low = (value - half - self._loc) / self._scale
        high = (value + half - self._loc) / self._scale
        log_cdf_high = tf.where(value > 1.0 - half, 0.0, tf.math.log_sigmoid(high))
        log_survival_low = tf.where(value < half, 0.0, tf.math.log_sigmoid(-low))
        inside = (value >= half) & (value <= 1.0 - half)
        # log(F(high) - F(low)); at an end level one of the two factors is all there is.
        log_width = tf.where(inside, tf.math.log(-tf.math.expm1(-2.0 * half / self._scale)), 0.0)
        return log_cdf_high + log_survival_low + log_width

    def _quantile(self, value):
        value = tf.clip_by_value(value, 1e-7, 1.0 - 1e-7)
        x = self._loc + self._scale * (tf.math.log(value) - tf.math.log1p(-value))
        steps = self._levels - 1
        return tf.round(tf.clip_by_value(x, 0.0, 1.0) * steps) / steps

    def _mean(self):
        # The mean of the underlying logistic, held inside the levels.
        return tf.clip_by_value(self._loc + tf.zeros_like(self._scale), 0.0, 1.0)
