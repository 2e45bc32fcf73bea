"""Flows: bijections whose parameters a network makes, to bend a posterior or a prior."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ["MADE", "InverseAutoregressiveFlow", "MaskedAutoregressiveFlow"]

tfb = tfp.bijectors


@keras.saving.register_keras_serializable(package="ugm_tf")
class MADE(keras.layers.Layer):
    """A masked dense network: output i depends on the inputs before i and, but for the first, on a context.

    (TFP's `AutoregressiveNetwork` is a Keras 2 layer, which no Keras 3 model can hold.)

    Args:
        size: Inputs, n.
        outputs: Numbers for each input.
        hidden: Sizes of the hidden layers.
        context: Size of the context; 0 for none.
        reverse: Whether the order of the inputs is from the last to the first.

    Call args:
        inputs: [..., n], and the context, [..., context].

    Returns:
        [..., n, outputs]; zeros as long as nothing was learned.

    References:
        Mathieu Germain et al. MADE: Masked Autoencoder for Distribution Estimation. ICML 2015.
        https://arxiv.org/abs/1502.03509, equations 12 and 13.
    """

    def __init__(
        self,
        size: int,
        outputs: int = 2,
        hidden: tuple[int, ...] = (64,),
        context: int = 0,
        reverse: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if size < 2 or outputs < 1 or context < 0 or not hidden or any(n < 1 for n in hidden):
            raise ValueError(
                "A MADE is of at least 2 inputs, 1 output for each, and hidden layers of at least 1 unit. Received: "
                f"{size=}, {outputs=}, {hidden=}, {context=}."
            )
        self.size, self.outputs, self.hidden, self.context, self.reverse = (
            size,
            outputs,
            tuple(hidden),
            context,
            reverse,
        )
        order = np.arange(size)[::-1] if reverse else np.arange(size)
        degrees = [order, *(np.arange(n) % (size - 1) for n in self.hidden)]
        self._masks = [
            (below[:, None] <= above[None, :]).astype(np.float32)
            for below, above in zip(degrees[:-1], degrees[1:], strict=True)
        ]
        last = (degrees[-1][:, None] < order[None, :]).astype(np.float32)
        self._masks.append(np.repeat(last, outputs, axis=1))
        self._kernels, self._biases = [], []
        for i, mask in enumerate(self._masks):
            start = "zeros" if i == len(self.hidden) else "glorot_uniform"  # the flow starts as the identity
            self._kernels.append(self.add_weight(shape=mask.shape, initializer=start, name=f"kernel_{i}"))
            self._biases.append(self.add_weight(shape=(mask.shape[1],), initializer="zeros", name=f"bias_{i}"))
        self._of_context = (
            self.add_weight(shape=(context, self.hidden[0]), initializer="glorot_uniform", name="context")
            if context
            else None
        )
        self.built = True

    def call(self, inputs: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        return self.function()(inputs, context)

    def function(self) -> Callable[..., tf.Tensor]:
        """What `call` computes, of the weights as they are now: a loop that asks it reads none within."""
        masked = zip(self._kernels, self._masks, strict=True)
        kernels = [tf.convert_to_tensor(kernel) * mask for kernel, mask in masked]
        biases = [tf.convert_to_tensor(bias) for bias in self._biases]
        of_context = None if self._of_context is None else tf.convert_to_tensor(self._of_context)

        def function(inputs: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
            y = tf.cast(inputs, tf.float32)
            for i, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
                y = tf.matmul(y, kernel) + bias
                if i == 0 and of_context is not None:
                    y += tf.matmul(context, of_context)
                if i < len(self.hidden):
                    y = tf.nn.elu(y)
            return tf.reshape(y, tf.concat([tf.shape(y)[:-1], [self.size, self.outputs]], 0))

        return function

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("size", "outputs", "hidden", "context", "reverse")}
        return {**super().get_config(), **own, "dtype": "float32"}


@keras.saving.register_keras_serializable(package="ugm_tf")
class InverseAutoregressiveFlow(keras.layers.Layer):
    """A chain of inverse autoregressive steps, every other one in the reverse order of the values.

    Each step is z -> (z - shift(z)) exp(-log_scale(z)), the inverse of a masked autoregressive one, with shift and
    scale by a `MADE` of the values before and of the context.  A draw costs a pass through each MADE, and so does
    its own density; the density of a value from elsewhere costs a pass for each of its numbers.

    Args:
        size: Numbers of a value, n.
        steps: Steps of the chain, at least 1.
        hidden: Sizes of the hidden layers of each MADE.
        context: Numbers that the density's network gives to the flow beside the family's parameters; a prior has none.

    References:
        Diederik Kingma et al. Improved variational inference with inverse autoregressive flow.
        NIPS 2016. https://arxiv.org/abs/1606.04934, algorithm 1.
    """

    def __init__(self, size: int, steps: int = 2, hidden: tuple[int, ...] = (64,), context: int = 16, **kwargs: Any):
        super().__init__(**kwargs)
        if steps < 1:
            raise ValueError(f"A flow has at least one step. Received: steps={steps}.")
        self.size, self.steps, self.hidden, self.context = size, steps, tuple(hidden), context
        self.mades = [
            MADE(size, 2, self.hidden, context, reverse=bool(i % 2), name=f"made_{i}", dtype="float32")
            for i in range(steps)
        ]
        self.built = True

    def bijector(self, context: tf.Tensor | None = None) -> Any:
        """The bijection for contexts [..., context]: from the family's draws to the values."""

        def step(made: MADE) -> Any:
            function = made.function()

            def shift_and_log_scale(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                shift, raw = tf.unstack(function(z, context), axis=-1)
                return shift, 2.0 * tf.tanh(raw / 2.0)  # a step widens or narrows by e^2 at most

            return self._direction(tfb.MaskedAutoregressiveFlow(shift_and_log_scale))

        return tfb.Chain([step(made) for made in reversed(self.mades)])

    def _direction(self, masked: Any) -> Any:
        """A step from the family's draws to the values, of one that is autoregressive in the values."""
        return tfb.Invert(masked)

    def call(self, inputs: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        return self.bijector(context).forward(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{n: getattr(self, n) for n in ("size", "steps", "hidden", "context")}}


@keras.saving.register_keras_serializable(package="ugm_tf")
class MaskedAutoregressiveFlow(InverseAutoregressiveFlow):
    """The other direction of `InverseAutoregressiveFlow`: each step is z -> v = z exp(log_scale(v)) + shift(v), by the
    values of v before.

    The density of a value costs a pass through each MADE, wherever the value is from: so it suits a prior, which
    scores what an encoder drew.  A draw costs a pass for each of its numbers.

    Args: as of `InverseAutoregressiveFlow`.

    References:
        George Papamakarios, Theo Pavlakou, Iain Murray. Masked Autoregressive Flow for Density Estimation. NIPS 2017.
        https://arxiv.org/abs/1705.07057, equations 3 to 5.
        Xi Chen et al. Variational Lossy Autoencoder. ICLR 2017. https://arxiv.org/abs/1611.02731, section 3.2 (such
        a flow for a prior).
    """

    def _direction(self, masked: Any) -> Any:
        return masked
