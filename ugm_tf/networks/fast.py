"""Convolutions and batch normalisation that a CPU runs fast without XLA: the mathematics of Keras's own layers.

Measured on 2 cores (DCGAN-28): oneDNN's transposed convolution to an image of one channel is 2 times slower than the
same as a convolution at the low resolution; so is the gradient of a strided convolution to such an image.  Keras's
BatchNormalization does not use TensorFlow's fused kernel.
"""

from typing import Any

import keras
import tensorflow as tf

from ugm_tf import replicas

__all__ = ["FusedBatchNormalization", "ImageConv2D", "ImageConv2DTranspose"]

_FEW = 4  # channels of an image; from 8 on oneDNN is as fast


def _upsample(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """A "same" transposed convolution as one convolution at the low resolution and `depth_to_space`.

    Args:
        x: [B, h, w, in].
        kernel: [k, k, out, in], k >= stride.
        stride: 2 or more.

    Returns:
        [B, stride * h, stride * w, out], what `tf.nn.conv2d_transpose(..., padding="SAME")` returns.
    """
    size, _, filters, channels = kernel.shape
    before = max(size - stride, 0) // 2
    low, high = -((stride - 1 + before) // stride), (size - 1 - before) // stride  # blocks that one input reaches
    taps, front = high - low + 1, -stride * low - before
    pad = [front, stride * taps - size - front]
    kernel = tf.reshape(tf.pad(kernel, [pad, pad, [0, 0], [0, 0]]), [taps, stride, taps, stride, filters, channels])
    kernel = tf.transpose(tf.reverse(kernel, [0, 2]), [0, 2, 5, 1, 3, 4])
    kernel = tf.reshape(kernel, [taps, taps, channels, stride**2 * filters])
    padding = [[0, 0], [high, -low], [high, -low], [0, 0]]
    return tf.nn.depth_to_space(tf.nn.conv2d(x, kernel, 1, padding), stride)


def _kernel_gradient(image: tf.Tensor, kernel: tf.Tensor, dy: tf.Tensor, stride: int) -> tf.Tensor:
    return tf.raw_ops.Conv2DBackpropFilter(
        input=image, filter_sizes=kernel.shape, out_backprop=dy, strides=[1, stride, stride, 1], padding="SAME"
    )


def _transposed(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """`_upsample` with the gradients of the ordinary convolution, which are the fastest."""

    @tf.custom_gradient
    def apply(x: tf.Tensor, kernel: tf.Tensor) -> Any:
        def gradient(dy: tf.Tensor) -> Any:
            return tf.nn.conv2d(dy, kernel, stride, "SAME"), _kernel_gradient(dy, kernel, x, stride)

        return _upsample(x, kernel, stride), gradient

    return apply(x, kernel)


def _strided(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """`tf.nn.conv2d(x, kernel, stride, "SAME")` whose gradient to x is by `_upsample`."""

    @tf.custom_gradient
    def apply(x: tf.Tensor, kernel: tf.Tensor) -> Any:
        def gradient(dy: tf.Tensor) -> Any:
            return _upsample(dy, kernel, stride), _kernel_gradient(x, kernel, dy, stride)

        return tf.nn.conv2d(x, kernel, stride, "SAME"), gradient

    return apply(x, kernel)


def _applies(layer: Any, channels: int | None, sizes: Any) -> bool:
    """Whether the fast form is the layer's own mathematics, and faster, here."""
    stride, kernel = layer.strides[0], layer.kernel_size[0]
    return (
        channels is not None
        and channels <= _FEW
        and layer.strides == (stride, stride)
        and layer.kernel_size == (kernel, kernel)
        and kernel >= stride >= 2
        and layer.padding == "same"
        and layer.dilation_rate in (1, (1, 1))
        and getattr(layer, "groups", 1) == 1
        and layer.data_format == "channels_last"
        and all(size is not None and size % stride == 0 for size in sizes)
        and not tf.config.list_physical_devices("GPU")
    )


def _finish(layer: Any, y: tf.Tensor) -> tf.Tensor:
    if layer.use_bias:
        y = tf.nn.bias_add(y, tf.cast(layer.bias, y.dtype))
    return layer.activation(y)


@keras.saving.register_keras_serializable(package="ugm_tf")
class ImageConv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, faster on a CPU where it ends in an image of at most 4 channels."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if not _applies(self, self.filters, (0,)):
            return super().call(inputs)
        return _finish(self, _transposed(inputs, tf.cast(self.kernel, inputs.dtype), self.strides[0]))


@keras.saving.register_keras_serializable(package="ugm_tf")
class ImageConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, whose gradient to an image of at most 4 channels is faster on a CPU."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if not _applies(self, inputs.shape[-1], inputs.shape[1:3]):
            return super().call(inputs)
        return _finish(self, _strided(inputs, tf.cast(self.kernel, inputs.dtype), self.strides[0]))


@keras.saving.register_keras_serializable(package="ugm_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last axis of [B, H, W, C], by TensorFlow's fused kernel in
    training."""

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        fused = training and self.trainable and len(inputs.shape) == 4 and mask is None
        if not fused or replicas.count() > 1:  # over several devices Keras's own is synchronised
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(self.gamma, tf.float32) if self.scale else tf.ones([channels]),
            offset=tf.cast(self.beta, tf.float32) if self.center else tf.zeros([channels]),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        biased = variance * ((count - 1.0) / count)  # Keras keeps the variance of the batch, not its unbiased estimate
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1.0 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + biased * (1.0 - self.momentum))
        return y
