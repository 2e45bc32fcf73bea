"""Joint samples: the values that terms are functions of."""

import copy
import types
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from ugm_tf import replicas
from ugm_tf.algebra.guarded import Declared, Guarded, Misdeclared
from ugm_tf.algebra.role import Role
from ugm_tf.densities.noise import standard_noise

__all__ = ["JointSample"]


class JointSample:
    """A batch of joint draws, with the distributions that drew or score them.

    A distribution is computed once and shared by every term that asks for it, so the terms of a phase
    share their forward passes.  A joint sample is not changed: `where` makes another one.

    Args:
        densities: Densities by name; each has `distribution(*parents, training=...)`.
        roles: What each of them is a density of.
        values: Variables by name, each [B, ...] or, with axes of draws, [k, B, ...].
        training: Whether networks run as in training (batch normalisation, dropout).
        weight: Factor of every term, [B] or [k, B]; None for 1.  Exact sums carry their probabilities here.
        drawn_by: Names of the densities through which the values depend on parameters.
        distributions: Distributions that are known already, by density.
        batch_size: B, as an int32 scalar; that of the first variable if it is not given.
        axes: Sizes of the axes before B: k of several draws, C of an exact sum.  A value has all of them or the last.

    Attributes:
        part: Of the first axis of draws: the number of this chunk of them, and how many chunks there are; None of all.
        examples: B, where it is known without a tensor's value; else None.
        sized: Whether each value has the number of examples, and a term a number for each.
    """

    def __init__(
        self,
        densities: Mapping[str, Any],
        roles: Mapping[str, Role],
        values: Mapping[str, tf.Tensor],
        training: bool,
        weight: tf.Tensor | None = None,
        drawn_by: frozenset[str] = frozenset(),
        distributions: Mapping[str, tfd.Distribution] | None = None,
        batch_size: tf.Tensor | None = None,
        axes: tuple[int, ...] = (),
    ):
        self._densities, self.roles, self._values = densities, roles, dict(values)
        self.training, self.weight, self.drawn_by, self.axes = training, weight, drawn_by, axes
        self._distributions = dict(distributions or {})
        self._declared: Declared | None = None
        self.part: tuple[Any, int] | None = None
        shapes = [tf.TensorShape(value.shape) for value in self._values.values()]
        sizes = {shape[0] for shape in shapes if shape.rank}
        self.sized = len(sizes) < 2  # data of two variables may have more of one
        if not self.sized and replicas.count() > 1:
            found = ", ".join(sorted(map(str, sizes)))
            raise ValueError(f"On several devices all variables have as many examples. Received: {found}.")
        first = next(iter(self._values.values()), None) if batch_size is None else None
        self.batch_size = batch_size if first is None else tf.shape(first)[0]
        self.share = replicas.share_of(self.batch_size)  # of a global batch, where several devices hold one
        known = tf.get_static_value(batch_size) if first is None else first.shape[0]
        self.examples = known if self.sized else None
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_made" in vars(self):  # others may hold it, too
            raise Misdeclared(f"A joint sample is not changed. Received: {name} = ... Make another, by `sample.where`.")
        super().__setattr__(name, value)

    @property
    def values(self) -> Mapping[str, tf.Tensor]:
        """Variables by name; they cannot be set, but by `where` in another sample."""
        if self._declared is None:
            return types.MappingProxyType(self._values)
        return Guarded(self._values, self._declared.variable)

    @property
    def densities(self) -> Mapping[str, Any]:
        """Densities by name."""
        return self._densities if self._declared is None else Guarded(self._densities, self._declared.density)

    def __getitem__(self, variable: str) -> tf.Tensor:
        return self.values[variable]

    def distribution(self, density: str) -> tfd.Distribution:
        """The distribution of this density given the sample's values, of batch shape [B] or [k, B]."""
        if self._declared is not None:
            self._declared.density(density)
        if density not in self._distributions:
            given = [self._values[variable] for variable in self.roles[density].given]
            own = self._densities[density]
            given += [self._densities[name] for name in getattr(own, "through", ())]
            self._distributions[density] = own.distribution(*given, training=self.training)
        return self._distributions[density]

    @property
    def first_row(self) -> Any:
        """Number of its first row in the batch; None if it is all of it."""
        return self.share.first if replicas.count() > 1 or isinstance(self.share.first, tf.Tensor) else None

    def from_row(self, first: tf.Tensor) -> "JointSample":
        """This sample as a part of a larger batch, from this row on: the noise is of its rows there."""
        return self._with(share=replicas.Share(first, self.share.size))

    @property
    def distributions(self) -> Mapping[str, tfd.Distribution]:
        """Those that are known already, by density."""
        return dict(self._distributions)

    def log_prob(self, density: str) -> tf.Tensor:
        """The logarithm of this density at the sample's values, in nats, [B] or [k, B]."""
        value = self._scored(density)
        return self.distribution(density).log_prob(value)

    def _scored(self, density: str) -> tf.Tensor:
        """The value that a density is taken the log-probability at: of the shape that its distribution has."""
        of = self.roles[density].of
        if self._declared is not None:
            self._declared.log_prob(density)
            self._declared.variable(of)
        value, event = self._values[of], getattr(self.distribution(density), "event_shape", None)
        self.check_event(density, event, tf.TensorShape(value.shape), "scores")
        return value

    def check_event(self, density: str, event: tf.TensorShape | None, shape: tf.TensorShape, does: str) -> None:
        """Refuses a density of values of another shape than its variable's, which might broadcast in silence.

        Args:
            density: Its name.
            event: Shape of one value, as its distribution has it; None if it does not say.
            shape: Shape of the values of its variable, [..., *event]; of no axis of a batch, of another density's.
            does: What it does with them, for the message.
        """
        if event is None or not event.rank or shape.rank is None:
            return
        if shape.rank < event.rank or not shape[-event.rank :].is_compatible_with(event):
            of = self.roles[density].of
            one = list(shape[1 + len(self.axes) :]) if shape.rank > event.rank else list(shape)
            raise Misdeclared(
                f"'{density}', which is {self.roles[density]}, {does} {of} of shape {list(event)} for each example, "
                f"and {of} has shape {one}. Make their networks, and the data, agree."
            )

    def where(
        self,
        *,
        weight: tf.Tensor | None = None,
        drawn_by: Iterable[str] = (),
        axis: int | None = None,
        **values: tf.Tensor,
    ) -> "JointSample":
        """This sample with some variables set; distributions that were given the old values are forgotten.

        Args:
            weight: The factor of every term, if it changes.
            drawn_by: Names of densities through which the new values depend on parameters.
            axis: Size of the leading axis that the new values add, if they add one.
            **values: The new values by variable.
        """
        kept = {n: d for n, d in self._distributions.items() if not set(self.roles[n].given) & set(values)}
        return self._with(
            _values={**self._values, **values},
            weight=self.weight if weight is None else weight,
            drawn_by=self.drawn_by | frozenset(drawn_by),
            _distributions=kept,
            axes=self.axes if axis is None else (axis, *self.axes),
        )

    def pooled(self, value: tf.Tensor, dimensions: int = 0) -> tf.Tensor:
        """The mean of a value of each example over the batch and its draws, on all devices together.

        Args:
            value: [B, ...] or [..., B, ...].
            dimensions: Number of axes behind that of examples, which are kept.
        """
        mean = tf.reduce_mean(value, axis=list(range(value.shape.rank - dimensions)))
        if replicas.count() == 1:
            return mean
        share = tf.cast(self.batch_size, mean.dtype) / tf.cast(self.share.size, mean.dtype)
        return replicas.total(tf.math.multiply_no_nan(mean, share))  # the mean of no example is none

    def declared(self, declared: Declared | None) -> "JointSample":
        """This sample, which refuses all that was not declared; with None, nothing.  It shares what it computes."""
        return self._with(_declared=declared)

    def of_any_size(self) -> "JointSample":
        """This sample, with leave to have other numbers of examples, as grids of nodes have: no shape is checked."""
        return self._with(examples=None, sized=False)

    def noise(self, kind: str, seed: tf.Tensor, shape: Any = (), lead: Any = ()) -> tf.Tensor:
        """Standard noise for each example, [*lead, B, *shape]: a function of the seed and of the example's row in the
        batch, whichever device holds it.  See `ugm_tf.densities.standard_noise` for the kinds."""
        parts = [tf.convert_to_tensor(part, tf.int32) for part in (lead, [self.batch_size], shape)]
        return standard_noise(kind, tf.concat(parts, 0), seed, axes=len(lead) + 1, first_row=self.share.first)

    def mean(self, value: tf.Tensor) -> tf.Tensor:
        """The mean of a value of each example, [B] or [..., B], over the batch and its draws; of a batch that several
        devices share, this one's part of it, the parts' sum being the mean."""
        if replicas.count() == 1:
            return tf.reduce_mean(value)
        draws = tf.reduce_prod(tf.shape(value)[:-1])
        return tf.reduce_sum(value) / tf.cast(draws * self.share.size, value.dtype)

    def replaced(
        self,
        values: Mapping[str, tf.Tensor],
        weight: tf.Tensor | None,
        distributions: Mapping[str, tfd.Distribution],
        part: tuple[Any, int] | None = None,
    ) -> "JointSample":
        """This sample with the same values as other tensors, and these distributions as those that are known."""
        return self._with(_values=dict(values), weight=weight, _distributions=dict(distributions), part=part)

    def detached(self) -> "JointSample":
        """The same values under theta_0: no gradient flows through them, nor through the probabilities of exact sums,
        and they outlast the updates of the densities that drew them."""
        return self._with(
            _values={name: tf.stop_gradient(value) for name, value in self._values.items()},
            weight=None if self.weight is None else tf.stop_gradient(self.weight),
            drawn_by=frozenset(),
            _distributions={n: d for n, d in self._distributions.items() if not self.roles[n].given},
        )

    def log_weights(self, generative: Iterable[str], inference: Iterable[str], frozen: bool = False) -> tf.Tensor:
        """log of the product of the generative densities over that of the inferring ones, in nats, [B] or [k, B].

        Args:
            generative: Names of densities, such as ("decoder", "prior").
            inference: Names of densities, such as ("encoder",).
            frozen: Hold the parameters of the inferring ones fixed: gradients flow to them through the draws alone.
        """
        above = sum(self.log_prob(name) for name in generative)  # [B] and [k, B] broadcast: a class has one log p(c)
        return above - sum(self._frozen_log_prob(n) if frozen else self.log_prob(n) for n in inference)

    def _frozen_log_prob(self, density: str) -> tf.Tensor:
        distribution = self.distribution(density)
        parts = tf.nest.flatten(distribution, expand_composites=True)
        if any(isinstance(part, tfd.Distribution) for part in parts):
            raise ValueError(
                f"The parameters of '{density}' cannot be held fixed in {type(distribution).__name__}, as the doubly "
                "reparameterised gradient needs. Use the ordinary one, gradient='reparameterised', or a family "
                "without a flow."
            )
        fixed = tf.nest.map_structure(tf.stop_gradient, distribution, expand_composites=True)
        return fixed.log_prob(self._scored(density))

    def after_update(self, densities: Iterable[str]) -> "JointSample | None":
        """What is left of this sample when these densities have learned; None if it was drawn through one."""
        updated = set(densities)
        if self.drawn_by & updated:
            return None
        return self._with(_distributions={n: d for n, d in self._distributions.items() if n not in updated})

    def _with(self, **changes: Any) -> "JointSample":
        other = copy.copy(self)
        vars(other).update(changes)
        return other

    def lead(self, density: str) -> list[int | tf.Tensor]:
        """The leading axes of the sample that the distribution of this density lacks: those that a draw of it adds."""
        if not self.roles[density].given:
            return [*self.axes, self.batch_size]
        batch_rank = len(self.distribution(density).batch_shape)
        return list(self.axes[: max(0, len(self.axes) + 1 - batch_rank)])
