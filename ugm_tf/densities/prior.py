"""Priors: densities without parents, fixed or learned."""

from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from ugm_tf.densities import families
from ugm_tf.densities.density import Density, Drawn
from ugm_tf.densities.family import Family, Shape
from ugm_tf.densities.mixture import Mixture

__all__ = ["Prior", "VampPrior"]


@keras.saving.register_keras_serializable(package="ugm_tf")
class Prior(Drawn):
    """The density of a variable without parents.

    A Gaussian is the standard normal, a one-hot or a Bernoulli is fair, a uniform one lies on [-1, 1].  Where it is
    `learned`, that is where its parameters start, and phases may have it among their `updates`.

    Args:
        shape: Shape of one value: (20,) for a code, (C,) for a one-hot class.
        family: A family's name or a `Family`.
        flow: A layer with a method `bijector()`, such as `MaskedAutoregressiveFlow(20, context=0)`, that bends the
            family's draws; its weights are the prior's.
        learned: Whether the family's parameters are weights.

    Example:

    >>> ugm_tf.Prior((20,), "gaussian").distribution().log_prob(tf.zeros([5, 20])).shape
    TensorShape([5])
    >>> prior = ugm_tf.Prior((20,), ugm_tf.densities.Mixture(50), learned=True)
    >>> [tuple(weight.shape) for weight in prior.trainable_variables]  # 50 logits, 50 x 20 locations, 50 x 20 scales
    [(2050,)]
    """

    def __init__(
        self, shape: Shape, family: str | Family = "gaussian", flow: Any = None, learned: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.event_shape: Shape = tuple(int(n) for n in shape)
        if any(n < 1 for n in self.event_shape):
            raise ValueError(f"A prior's shape has positive sizes, such as (20,). Received: {tuple(shape)}.")
        if flow is not None and getattr(flow, "context", None):
            raise ValueError(
                "A prior has no network to give its flow a context: use one of context=0. Received: "
                f"context={flow.context}."
            )
        self.family = families.get(family)
        self.flow = flow
        self.learned = bool(learned)
        size = self.family.parameter_shape(self.event_shape)  # refuses a shape that the family cannot have
        self.given_shapes: list[Shape] | None = []
        self._parameters = self._weight("parameters", size, lambda: self.family.initial(self.event_shape), self.learned)
        self.built = True

    def _weight(self, name: str, shape: Shape, start: Any, learned: bool = True) -> Any:
        """A weight of float32 under every dtype policy; None if it is not learned."""
        if not learned:
            return None

        def initializer(shape: Any, dtype: Any = None) -> tf.Tensor:
            return tf.cast(tf.reshape(start(), shape), dtype or tf.float32)

        return self.add_weight(shape=shape, initializer=initializer, dtype="float32", autocast=False, name=name)

    @property
    def title(self) -> str:
        return f"{super().title}{', learned' if self.learned else ''}"

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.distribution().log_prob(inputs)

    def distribution(self, *through: Density, training: bool | None = None) -> tfd.Distribution:
        """The distribution, of batch shape []; made with the densities that `through` names, if it names any."""
        own = self._parameters
        parameters = self.family.standard(self.event_shape) if own is None else tf.convert_to_tensor(own)
        base = self.family.distribution(parameters, len(self.event_shape))
        return base if self.flow is None else tfd.TransformedDistribution(base, self.flow.bijector())

    def get_config(self) -> dict[str, Any]:
        parts = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in ("family", "flow")}
        return {**super().get_config(), "shape": self.event_shape, "learned": self.learned, **parts}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Prior":
        parts = {n: keras.saving.deserialize_keras_object(config.pop(n)) for n in ("family", "flow") if n in config}
        return cls(**parts, **config)


@keras.saving.register_keras_serializable(package="ugm_tf")
class VampPrior(Prior):
    """The variational mixture of posteriors: what an encoder makes of learned pseudo-inputs, 1/K sum{ q(z | u[k]) }.

    The encoder is the recipe's own: a model gives it to the prior, which has the pseudo-inputs alone for weights.  It
    looks at them as outside of training, so that they leave no trace in batch normalisation.

    Args:
        shape: Shape of one code, (n,).
        given: Shape of one pseudo-input, that of what the encoder is given.  An image's lies in [0, 1].
        pseudo_inputs: Their number, K.
        family: The encoder's family.
        encoder: Name of the encoder.

    References:
        Jakub Tomczak, Max Welling. VAE with a VampPrior. AISTATS 2018. https://arxiv.org/abs/1705.07120, equation 9.
    """

    def __init__(
        self,
        shape: Shape,
        given: Shape,
        pseudo_inputs: int = 500,
        family: str | Family = "gaussian",
        encoder: str = "encoder",
        **kwargs: Any,
    ):
        self._of = families.get(family)
        super().__init__(shape, Mixture(pseudo_inputs, self._of), **kwargs)
        self.given: Shape = tuple(int(n) for n in given)
        self.pseudo_inputs, self.through = pseudo_inputs, (encoder,)
        shape = (self.pseudo_inputs, *self.given)
        self._pseudo = self._weight("pseudo_inputs", shape, lambda: keras.initializers.RandomNormal(stddev=1.0)(shape))

    def inputs(self) -> tf.Tensor:
        """The pseudo-inputs, [K, *given]."""
        own = tf.convert_to_tensor(self._pseudo)
        return tf.sigmoid(own) if len(self.given) == 3 else own

    @property
    def title(self) -> str:
        return f"posteriors of '{self.through[0]}' at {self.pseudo_inputs} learned pseudo-inputs, {self._of}"

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        raise ValueError("A VampPrior is made of an encoder's posteriors: ask a model or a joint sample that has both.")

    def distribution(self, *through: Density, training: bool | None = None) -> tfd.Distribution:
        """The distribution, of batch shape [].

        Args:
            *through: The encoder.
            training: Not used: see above.
        """
        (encoder,) = through
        components = encoder.distribution(self.inputs(), training=False)
        return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros([self.pseudo_inputs])), components)

    def check(self, variable: str, encoder: Any, role: Any) -> None:
        """Refuses an encoder that its posteriors cannot be of.

        Args:
            variable: The variable that it is the prior of.
            encoder: The density of its encoder's name; None if there is none.
            role: Its role.

        Raises:
            ValueError: If it is missing, is of another variable, has other parents than one of the pseudo-inputs'
                shape, or another family.
        """
        who = f"A VampPrior of {variable} is made of the posteriors q({variable} | .) of '{self.through[0]}'"
        if encoder is None or role.of != variable or not role.given:
            found = "this recipe has no such density" if encoder is None else f"this one is {role}"
            raise ValueError(f"{who}, and {found}. Name another one, encoder='...', or use a mixture or a flow.")
        if encoder.flow is not None or encoder.family != self._of:
            flow = "" if encoder.flow is None else f" with a flow, {encoder.flow.name}"
            raise ValueError(
                f"{who} of family {self._of}. Received an encoder of {encoder.family}{flow}. "
                "Make the prior for the encoder's family, without a flow."
            )
        if encoder.given_shapes is not None and encoder.given_shapes != [self.given]:
            raise ValueError(
                f"{who} at pseudo-inputs of shape {self.given}. Received an encoder, {role}, of inputs "
                f"{encoder.given_shapes}. It is to be of one input, of that shape; else use a mixture or a flow."
            )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("flow", "learned"):
            del config[name]
        family = keras.saving.serialize_keras_object(self._of)
        own = {"given": self.given, "pseudo_inputs": self.pseudo_inputs, "encoder": self.through[0]}
        return {**config, **own, "family": family}
