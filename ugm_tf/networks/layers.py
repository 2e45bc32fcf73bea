"""Keras layers that the networks need and Keras lacks."""

from typing import Any

import keras
import tensorflow as tf

__all__ = ["AppendShared", "AppendVector", "Modulate", "SpectralNorm", "full_precision"]


def full_precision() -> str:
    """The type of the layers that end in logits or parameters: that of variables, in mixed precision too.

    A bfloat16 has 8 bits: of a scale of exp(-4) they leave 2 %, and of its density as much.
    """
    return keras.config.dtype_policy().variable_dtype


@keras.saving.register_keras_serializable(package="ugm_tf")
class SpectralNorm(keras.layers.Wrapper):
    """A dense or convolutional layer whose kernel is divided by its largest singular value.

    The kernel itself stays a free variable, and the gradient flows through the division, as published.
    (`keras.layers.SpectralNormalization` overwrites the kernel with the normalised one instead.)

    Args:
        layer: A Dense, Conv2D or Conv2DTranspose without bias or activation.
        bias: Whether to add one, after the division.
        epsilon: Keeps the division finite.

    Call args:
        inputs: As the layer's.
        training: Whether to take a step of the power iteration that follows the largest singular value.

    References:
        Takeru Miyato et al. Spectral Normalization for Generative Adversarial Networks. ICLR 2018.
        https://arxiv.org/abs/1802.05957, algorithm 1.
    """

    def __init__(self, layer: keras.layers.Layer, bias: bool = True, epsilon: float = 1e-12, **kwargs: Any):
        super().__init__(layer, **kwargs)
        if getattr(layer, "use_bias", False) or getattr(layer, "activation", None) is not keras.activations.linear:
            raise ValueError(f"SpectralNorm takes a layer with use_bias=False and no activation. Received: {layer!r}.")
        self.bias, self.epsilon = bias, epsilon

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        rows = self._matrix().shape[0]
        self.left = self.add_weight(shape=(1, rows), initializer="random_normal", trainable=False, name="left")
        channels = self.layer.compute_output_shape(input_shape)[-1]
        self.offset = self.add_weight(shape=(channels,), initializer="zeros", name="bias") if self.bias else None

    def _matrix(self) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.layer.kernel)
        return tf.reshape(kernel, [-1, kernel.shape[-1]])

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        matrix = self._matrix()
        frozen, left = tf.stop_gradient(matrix), tf.convert_to_tensor(self.left)
        right = tf.math.l2_normalize(left @ frozen, epsilon=self.epsilon)
        if training:
            left = tf.math.l2_normalize(right @ tf.transpose(frozen), epsilon=self.epsilon)
            self.left.assign(left)
            right = tf.math.l2_normalize(left @ frozen, epsilon=self.epsilon)
        sigma = tf.squeeze(left @ matrix @ tf.transpose(right)) / tf.maximum(tf.norm(left), self.epsilon)
        outputs = self.layer(inputs) / tf.cast(sigma, self.compute_dtype)  # linear in the kernel
        return outputs if self.offset is None else outputs + tf.cast(self.offset, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bias": self.bias, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="ugm_tf")
class AppendVector(keras.layers.Layer):
    """Appends a vector [B, n] to an image [B, H, W, C] as n constant channels: [B, H, W, C + n]."""

    def call(self, inputs: Any) -> tf.Tensor:
        image, vector = inputs
        height, width = image.shape[1:3]
        planes = tf.tile(vector[:, None, None, :], [1, height, width, 1])
        return tf.concat([image, tf.cast(planes, image.dtype)], -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        image, vector = input_shape
        return (*image[:-1], image[-1] + vector[-1])


@keras.saving.register_keras_serializable(package="ugm_tf")
class Modulate(keras.layers.Layer):
    """Scales and shifts each channel of an image [B, H, W, C] by a vector v [B, n]: (1 + v S) image + v O.

    Of a one-hot class, behind a normalisation without a scale and an offset of its own, it is conditional
    normalisation: a scale and an offset of each channel for each class.  At first it changes nothing.

    References:
        Vincent Dumoulin, Jonathon Shlens, Manjunath Kudlur. A Learned Representation For Artistic Style. ICLR 2017.
        https://arxiv.org/abs/1610.07629, equation 5.
    """

    def build(self, input_shape: Any) -> None:
        image, vector = input_shape
        shape = (vector[-1], image[-1])
        self.scales = self.add_weight(shape=shape, initializer="zeros", name="scales")
        self.offsets = self.add_weight(shape=shape, initializer="zeros", name="offsets")
        self.built = True

    def call(self, inputs: Any) -> tf.Tensor:
        image, vector = inputs
        scale, offset = (
            tf.matmul(vector, tf.cast(w, vector.dtype))[:, None, None] for w in (self.scales, self.offsets)
        )
        return image * (1.0 + scale) + offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape[0])


@keras.saving.register_keras_serializable(package="ugm_tf")
class AppendShared(keras.layers.Layer):
    """Appends weights of its own on the last axis, the same for all examples: [B, ..., C] to [B, ..., C + number].

    Args:
        number: How many.
        rate: What each weight is multiplied by.  Adam moves a weight by the learning rate whatever its gradient, so
            this is how many times as fast as a weight of a kernel the number moves.
    """

    def __init__(self, number: int = 1, rate: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.number, self.rate = number, rate

    def build(self, input_shape: Any) -> None:
        self.shared = self.add_weight(shape=(self.number,), initializer="zeros", name="shared")
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([tf.shape(inputs)[:-1], [self.number]], 0)
        shared = self.rate * tf.cast(self.shared, inputs.dtype)
        return tf.concat([inputs, tf.broadcast_to(shared, shape)], -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + self.number)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "number": self.number, "rate": self.rate}
