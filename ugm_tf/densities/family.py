"""What a family is: a map from a network's outputs to a distribution."""

from typing import ClassVar

import tensorflow as tf
from tensorflow_probability import distributions as tfd

__all__ = ["Family", "Shape"]

Shape = tuple[int, ...]


class Family:
    """Maps parameters to a `tfd.Distribution`, and noise to its draws.

    A draw is a deterministic function of the distribution and of noise with a
    standard distribution, so that training (one seed a batch) and serving (one seed a row)
    share it, and so that noise comes from the philox generator: the generator
    which XLA picks on a CPU costs 30 times more per number.

    Attributes:
        support: Where the values lie: "real", "unit" ([0, 1]), "binary" ({0, 1}),
            "levels" ({0, 1/255, ..., 1}), "one_hot", "simplex" or "label".
        noise: Law of the noise of a draw, "normal" or "uniform"; None if a draw needs none.
        reparameterised: Whether gradients flow from a draw to the parameters.
        has_log_prob: Whether there is a density to take the logarithm of.
        shared: How many of the parameters on the last axis all values have in common; `ugm_tf.networks.build` makes
            them weights.
    """

    support: ClassVar[str] = "real"
    reparameterised: ClassVar[bool] = True
    has_log_prob: ClassVar[bool] = True
    shared: ClassVar[int] = 0

    @property
    def noise(self) -> str | None:
        return "normal"

    def event_shape(self, parameter_shape: Shape) -> Shape:
        """Shape of one value, from the shape of the network's output without its batch axis."""
        return tuple(parameter_shape)

    def parameter_shape(self, event_shape: Shape) -> Shape:
        """Shape that a network must put out for values of `event_shape`."""
        return tuple(event_shape)

    def noise_shape(self, event_shape: Shape) -> Shape:
        """Shape of the noise of one draw."""
        return tuple(event_shape)

    def distribution(self, parameters: tf.Tensor, event_rank: int) -> tfd.Distribution:
        """The distribution, of batch shape `parameters.shape[:-len(parameter_shape)]`."""
        raise NotImplementedError

    def draw(self, distribution: tfd.Distribution, noise: tf.Tensor) -> tf.Tensor:
        """The draw that `noise`, of shape [..., *noise_shape], picks."""
        raise NotImplementedError

    def location(self, distribution: tfd.Distribution) -> tf.Tensor:
        """The one value to show: the mean."""
        return distribution.mean()

    def standard(self, event_shape: Shape) -> tf.Tensor:
        """Parameters of the distribution that a prior of this family has."""
        return tf.zeros(self.parameter_shape(event_shape))

    def initial(self, event_shape: Shape) -> tf.Tensor:
        """Parameters from which a prior of this family learns."""
        return self.standard(event_shape)
