"""The mixture of discretised logistics of PixelCNN++."""

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

from ugm_tf.densities.quantized import QuantizedLogistic

__all__ = ["LogisticMixture"]

_LEAST_LOG_SCALE = -7.0  # on [-1, 1], as published: less than a third of a level of 256


class LogisticMixture(tfd.Distribution):
    """Images [H, W, C] whose pixels are mixtures of rounded logistics, each channel given those before it.

        P(x) = prod over pixels of sum_k pi[k] prod_c P(x[c] | m[c, k], s[c, k])
        m[c, k] = location[c, k] + sum_{j < c} tanh(raw[c, j, k]) x[j],   s = exp(log scale)

    with x, m and s on [-1, 1], and P(x | m, s) that of `QuantizedLogistic`.

    Args:
        parameters: [..., H, W, K (1 + 2 C + C (C-1) / 2)]; see `DiscretizedLogisticMixture`.
        components: K.
        levels: Number of levels of [0, 1].
    """

    def __init__(self, parameters, components, levels=256, name="LogisticMixture"):
        given = dict(locals())
        with tf.name_scope(name):
            parameters = tf.convert_to_tensor(parameters)
            each = parameters.shape[-1] // components  # 1 + 2 C + C (C-1) / 2
            channels = next(c for c in range(1, each + 1) if 1 + 2 * c + c * (c - 1) // 2 == each)
            self._components, self._levels, self._channels = components, levels, channels
            sizes = [components, channels * components, channels * components]
            parts = tf.split(parameters, [*sizes, parameters.shape[-1] - sum(sizes)], axis=-1)
            self._logits = parts[0]
            self._locations, self._log_scales, raw = (self._by_component(part) for part in parts[1:])
            self._coefficients = tf.tanh(raw)
            super().__init__(
                dtype=parameters.dtype,
                reparameterization_type=tfd.NOT_REPARAMETERIZED,
                validate_args=False,
                allow_nan_stats=True,
                parameters=given,
                name=name,
            )

    def _by_component(self, part: tf.Tensor) -> tf.Tensor:
        """[..., n K] as [..., n, K]."""
        number = part.shape[-1] // self._components
        shape = tf.concat([tf.shape(part)[:-1], [number, self._components]], 0)
        return tf.ensure_shape(tf.reshape(part, shape), [*part.shape[:-1], number, self._components])

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {"parameters": tfp.util.ParameterProperties(event_ndims=3)}

    def _event_shape(self):
        return tf.TensorShape([*self._logits.shape[-3:-1], self._channels])

    def _event_shape_tensor(self):
        return tf.concat([tf.shape(self._logits)[-3:-1], [self._channels]], 0)

    def _batch_shape(self):
        return self._logits.shape[:-3]

    def _batch_shape_tensor(self, **kwargs):
        return tf.shape(self._logits)[:-3]

    def _location(self, channel: int, before: list[tf.Tensor]) -> tf.Tensor:
        """m of a channel, given the ones before it on [-1, 1], each [..., H, W, K] or [..., H, W, 1]."""
        first = channel * (channel - 1) // 2
        moved = [self._coefficients[..., first + j, :] * x for j, x in enumerate(before)]
        return self._locations[..., channel, :] + (tf.add_n(moved) if moved else 0.0)

    def _rounded(self, channel: int, before: list[tf.Tensor]) -> QuantizedLogistic:
        """The channel given those before it, on [0, 1], for each component."""
        scale = tf.exp(tf.maximum(self._log_scales[..., channel, :], _LEAST_LOG_SCALE))
        return QuantizedLogistic(0.5 + 0.5 * self._location(channel, before), 0.5 * scale, self._levels)

    def _log_prob(self, value):
        channels = [value[..., c, None] for c in range(self._channels)]
        inside = [2.0 * x - 1.0 for x in channels]
        each = [self._rounded(c, inside[:c]).log_prob(x) for c, x in enumerate(channels)]
        by_pixel = tf.reduce_logsumexp(tf.math.log_softmax(self._logits) + tf.add_n(each), -1)
        return tf.reduce_sum(by_pixel, [-2, -1])

    def _mean(self):
        """Of the logistics before they are rounded, held inside the levels."""
        means: list[tf.Tensor] = []
        for c in range(self._channels):
            means.append(self._location(c, means))
        weights = tf.nn.softmax(self._logits)
        mean = tf.stack([tf.reduce_sum(weights * m, -1) for m in means], -1)
        return tf.clip_by_value(0.5 + 0.5 * mean, 0.0, 1.0)

    def quantile_of(self, uniform: tf.Tensor) -> tf.Tensor:
        """The image that uniform numbers pick, [..., H, W, 1 + C]: the component, then each channel in turn."""
        below = tf.cumsum(tf.nn.softmax(self._logits), axis=-1, exclusive=True)
        number = tf.reduce_sum(tf.cast(uniform[..., :1] >= below, tf.int32), -1) - 1
        chosen = tf.one_hot(number, self._components, dtype=self.dtype)
        values: list[tf.Tensor] = []
        for c in range(self._channels):
            before = [2.0 * x[..., None] - 1.0 for x in values]
            every = self._rounded(c, before).quantile(uniform[..., 1 + c, None])
            values.append(tf.reduce_sum(chosen * every, -1))
        return tf.stack(values, -1)
