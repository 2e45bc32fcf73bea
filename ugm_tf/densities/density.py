"""Densities: a Keras network and a family."""

import itertools
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from ugm_tf.densities import families
from ugm_tf.densities.family import Family, Shape
from ugm_tf.densities.noise import standard_noise

__all__ = ["Density", "Drawn"]


class Drawn(keras.layers.Layer):
    """What a density and a prior have in common: draws of their distribution.

    Attributes:
        through: Names of other densities that its distribution is made of, which `distribution` takes.
    """

    family: Family
    flow: Any = None
    through: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("network", "family", "flow") and vars(self).get("built") and value is not getattr(self, name, None):
            raise AttributeError(
                f"The {name} of a density cannot be assigned once it is made. Make another density, and give a model "
                f"that in the place of this one: model.decoder = ugm_tf.{type(self).__name__}(...)."
            )
        super().__setattr__(name, value)

    @property
    def title(self) -> str:
        """Its family, and its flow if it has one, in words."""
        return f"{self.family}{'' if self.flow is None else f', bent by {type(self.flow).__name__}'}"

    def value(self, distribution: tfd.Distribution, noise: tf.Tensor) -> tf.Tensor:
        """The draw that `noise`, of shape [..., *noise_shape], picks."""
        if self.flow is None:
            return self.family.draw(distribution, noise)
        return distribution.bijector.forward(self.family.draw(distribution.distribution, noise))

    def location(self, distribution: tfd.Distribution) -> tf.Tensor:
        """The one value to show: the family's mean, through the flow if there is one."""
        if self.flow is None:
            shown = self.family.location(distribution)
        else:
            shown = distribution.bijector.forward(self.family.location(distribution.distribution))
        event = distribution.event_shape  # of which TFP's deterministic means forget axes of size 1
        lead = shown.shape[: shown.shape.rank - event.rank] if event.is_fully_defined() else None
        return shown if lead is None else tf.ensure_shape(shown, lead.concatenate(event))

    def draw(
        self, distribution: tfd.Distribution, lead: Any, seed: tf.Tensor, first_row: Any = 0, draws: Any = None
    ) -> tf.Tensor:
        """Draws of shape [*lead, *batch_shape, *event_shape], by a stateless seed, int32 [2].

        Their last axis before the event's is of the rows of a batch, of which the first has the number `first_row`;
        their first one may be a part of more `draws`, see `standard_noise`.
        """
        event_shape = tuple(distribution.event_shape)
        own = self.family.noise_shape(event_shape)
        parts = (lead, distribution.batch_shape_tensor(), own)
        shape = tf.concat([tf.convert_to_tensor(part, tf.int32) for part in parts], 0)
        axes = shape.shape[0] - len(own)
        noise = standard_noise(self.family.noise, shape, seed, axes=axes, first_row=first_row, draws=draws)
        value = self.value(distribution, noise)
        return value if noise is not None else tf.broadcast_to(value, shape)


@keras.saving.register_keras_serializable(package="ugm_tf")
class Density(Drawn):
    """The density of one variable given others: a network from the parents to a family's parameters.

    The distribution is built outside `call`, so that any Keras network serves, and in float32 under
    every dtype policy.

    Args:
        network: Any built Keras model or layer from the parents, in the order of the role's
            "| ..." part, each [B, ...], to the family's parameters [B, *parameter_shape].
        family: A family's name (see `ugm_tf.densities.names()`) or a `Family`.
        flow: A layer with a method `bijector(context)`, such as `InverseAutoregressiveFlow`, that bends the family's
            draws; the network then puts out the flow's context, too, behind the family's parameters.

    Call args:
        given: The parents, each [B, ...], or [k, B, ...] with leading axes of draws.
        training: Whether batch normalisation and dropout behave as in training.

    Attributes:
        rematerialised: Whether a gradient computes the network again instead of keeping what its layers put out.

    Returns:
        Parameters, of shape [B, *parameter_shape] or [k, B, *parameter_shape].

    Example:

    >>> network = keras.Sequential([keras.Input((20,)), keras.layers.Dense(784), keras.layers.Reshape((28, 28, 1))])
    >>> decoder = ugm_tf.Density(network, "bernoulli")
    >>> decoder.distribution(tf.zeros([5, 20])).log_prob(tf.zeros([5, 28, 28, 1])).shape
    TensorShape([5])
    """

    def __init__(self, network: keras.layers.Layer, family: str | Family, flow: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(network, keras.layers.Layer) or not network.built:
            raise ValueError(
                "A Density takes a built Keras network: give a Sequential an Input, or call the network once. "
                f"Received: {network!r}."
            )
        self.network = network
        self.family = families.get(family)
        self.flow = flow
        self.parameter_shape: Shape = tuple(network.output_shape[1:]) if _has_shapes(network) else ()
        self.event_shape: Shape | None = None
        if _has_shapes(network):
            *axes, last = self.parameter_shape or (0,)
            own = self.parameter_shape if flow is None else (*axes, last - flow.context)
            self.event_shape = self.family.event_shape(own)
        self.rematerialised = False
        self.built = True

    @property
    def given_shapes(self) -> list[Shape] | None:
        """Shapes of the parents without their batch axis; None if the network does not tell."""
        if not _has_shapes(self.network):
            return None
        shapes = self.network.input_shape
        return [tuple(s[1:]) for s in (shapes if isinstance(shapes, list) else [shapes])]

    def call(self, *given: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        shapes = self.given_shapes
        if shapes is None:
            return self._run(list(given), training)
        ranks = [g.shape.rank - len(s) for g, s in zip(given, shapes, strict=True)]
        if max(ranks) <= 1:
            return self._run(list(given), training)
        # [k, B, ...] -> [k * B, ...], and back
        lead = tf.shape(given[ranks.index(max(ranks))])[: max(ranks)]
        folded = [
            tf.reshape(tf.broadcast_to(g, tf.concat([lead, tf.shape(g)[r:]], 0)), (-1, *s))
            for g, r, s in zip(given, ranks, shapes, strict=True)
        ]
        out = self._run(folded, training)
        return tf.reshape(out, tf.concat([lead, tf.shape(out)[1:]], 0))

    def _run(self, inputs: list[tf.Tensor], training: bool | None) -> tf.Tensor:
        """What the network makes of its inputs."""

        def run(*values: tf.Tensor) -> tf.Tensor:
            return self.network(list(values) if len(values) > 1 else values[0], training=training)

        if not (self.rematerialised and training):
            return run(*inputs)
        # Made again, layers are to draw what they drew, and to change nothing that they have changed before.
        before = [(v, tf.identity(v.value)) for v in self.network.variables if not v.trainable]
        calls = itertools.count()

        def again(*values: tf.Tensor) -> tf.Tensor:
            if not next(calls):
                return run(*values)
            with keras.StatelessScope(state_mapping=before):
                return run(*values)

        return tf.recompute_grad(again)(*inputs)

    def distribution(self, *given: tf.Tensor, training: bool | None = None) -> tfd.Distribution:
        """The distribution given the parents, of batch shape [B] or [k, B]."""
        parameters = tf.cast(self(*given, training=training), tf.float32)
        if self.parameter_shape:
            parameters = tf.ensure_shape(
                parameters, [*parameters.shape[: -len(self.parameter_shape)], *self.parameter_shape]
            )
        rank = len(self.event_shape) if self.event_shape is not None else parameters.shape.rank - 1
        if self.flow is None:
            return self.family.distribution(parameters, rank)
        own, context = tf.split(parameters, [parameters.shape[-1] - self.flow.context, self.flow.context], axis=-1)
        return tfd.TransformedDistribution(self.family.distribution(own, rank), self.flow.bijector(context))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "network": keras.saving.serialize_keras_object(self.network),
            "family": keras.saving.serialize_keras_object(self.family),
            "flow": None if self.flow is None else keras.saving.serialize_keras_object(self.flow),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Density":
        parts = {
            name: keras.saving.deserialize_keras_object(config.pop(name, None))
            for name in ("network", "family", "flow")
        }
        return cls(**parts, **config)


def _has_shapes(network: keras.layers.Layer) -> bool:
    """Whether the network tells the shapes of its inputs and outputs, as Sequential and functional models do."""
    try:
        return network.input_shape is not None and network.output_shape is not None
    except AttributeError:
        return False
