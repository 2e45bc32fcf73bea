"""Parts of an expectation: what a term and a weight have in common."""

from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

from ugm_tf import serialization
from ugm_tf.algebra.guarded import Declared, Misdeclared
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Roles
from ugm_tf.densities import Density, Prior
from ugm_tf.serialization import shown

__all__ = ["Part"]


class Part:
    """A function of a joint sample that an expectation is made of: a `Term` or a `Weight`.

    It says what it asks of the sample, so that a recipe can be checked, printed and given networks before there is a
    tensor.  A part of your own says so in at least one of these attributes, with () if it asks nothing.

    Each of them is a tuple, also of one name: ("x",).

    Attributes:
        scored: Names of the densities whose log-probability it takes, at values of their variable.
        conditioned: Names of the densities that it asks for a distribution, given values of their parents.
        judges: Names of those among them that it asks for a logit.
        takes: Names of the variables that it looks at itself, beside what these densities take.
        pooled: Whether it is a statistic of the batch; a term then takes the sample's weights into account itself.
        by_draw: Whether its value at a draw depends on no other draw of the example: so it may come in chunks.
    """

    kind = "part"
    _names: ClassVar[tuple[str, ...]] = ("scored", "judges", "conditioned", "takes")  # which are tuples of names

    @property
    def by_draw(self) -> bool:
        return False

    @property
    def pooled(self) -> bool:
        return False

    @property
    def scored(self) -> tuple[str, ...]:
        return ()

    @property
    def judges(self) -> tuple[str, ...]:
        return ()

    @property
    def conditioned(self) -> tuple[str, ...]:
        return self.judges

    @property
    def takes(self) -> tuple[str, ...]:
        return ()

    @property
    def asked(self) -> tuple[str, ...]:
        """Every density that it asks, each once."""
        return tuple(dict.fromkeys((*self.scored, *self.conditioned, *self.judges)))

    def variables(self, roles: Roles) -> tuple[str, ...]:
        """Every variable that must be known, each once."""
        asked = [v for name in self.scored for v in (roles[name].of, *roles[name].given)]
        asked += [v for name in self.conditioned for v in roles[name].given]
        return tuple(dict.fromkeys((*asked, *self.takes)))

    @classmethod
    def form(cls) -> str:
        """How one is written, for messages."""
        return (
            f"a class under @ugm_tf.record, derived from ugm_tf.{cls.kind.capitalize()}, which says which densities it "
            "asks in `scored`, `conditioned` or `judges` and which variables in `takes`"
        )

    def declares(self) -> bool:
        """Whether its class says what it asks."""
        own = type(self)
        return not (
            own.scored is Part.scored
            and own.conditioned is Part.conditioned
            and own.judges is Part.judges
            and own.takes is Part.takes
        )

    def check(self) -> None:
        """Refuses a class that does not say what it asks, or how it is computed.

        Raises:
            ValueError: With what is missing, and where it belongs.
        """
        who = f"The {self.kind} {type(self).__name__}"
        if not self.declares():
            raise ValueError(
                f"{who} does not say what it asks of a sample. Write it as {self.form()}, or () if there are none."
            )
        for attribute in self._names:
            names = getattr(self, attribute)
            if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
                such = f"({names!r},)" if isinstance(names, str) else "('x',), or () for none"
                raise ValueError(f"{who} gives `{attribute}` as a tuple of names, such as {such}. Received: {names!r}.")
        if type(self).__call__ is Part.__call__:
            raise ValueError(
                f"{who} does not say how it is computed: define `__call__(self, sample)`, which returns a tensor of "
                "shape [B], a number for each example."
            )
        serialization.check(self, self.kind)

    def __call__(self, sample: JointSample) -> tf.Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define `__call__(self, sample)`.")

    def value(self, sample: JointSample) -> tf.Tensor:
        """What it is of a sample, [B] or [k, B]; from which it gets what it declares and nothing else.

        Raises:
            ValueError: If it asks for more, or is of another shape.
        """
        return self._of_examples(self._asking(self, sample), sample)

    def leading(self, axes: tuple[int, ...], chunks: int = 1) -> tuple[int, ...]:
        """The axes before that of examples that its value may have, of a sample with these; it may lack the first.

        Args:
            axes: Those of the sample.
            chunks: Of how many chunks of the draws it has one.
        """
        return axes

    def log_mass(self, sample: JointSample, value: tf.Tensor) -> tf.Tensor | None:
        """What some of the draws count among all draws of an example, as a logarithm, [B], where its value is of all
        draws together; None if each draw counts alike.

        Args:
            sample: A sample of these draws.
            value: Its value of them.
        """
        return None

    def describe(self, roles: Roles) -> str:
        """The part as the paper writes it."""
        return shown(self)

    def _asking(self, function: Callable[[JointSample], Any], sample: JointSample) -> Any:
        """A function of what the part declares of a sample."""
        try:
            return function(self._declared(sample))
        except AttributeError as error:
            asked = [n for n, d in sample.distributions.items() if d is error.obj and n not in self.judges]
            if error.name != "logits" or not asked:
                raise
            raise Misdeclared(
                f"{type(self).__name__} takes the logit of '{asked[0]}', which has none, and does not say so. Name "
                f"'{asked[0]}' in its `judges`, and give it the family 'logit'."
            ) from error

    def _declared(self, sample: JointSample) -> JointSample:
        of_density = (
            "Name '{name}' in its `scored`, if it takes its log-probability, its `judges`, if it takes its logit, or "
            "else its `conditioned`."
        )
        asked, reads = frozenset(self.asked), frozenset(self.variables(Roles(sample.roles)))
        says = (of_density, "Name '{name}' in its `takes`.", "Name '{name}' in its `scored`.")
        return sample.declared(Declared(type(self).__name__, asked, reads, frozenset(self.scored), *says))

    def _of_examples(self, value: Any, sample: JointSample) -> tf.Tensor:
        several = value is None or isinstance(value, tuple | list)
        tensor = None if several else tf.convert_to_tensor(value)
        if tensor is not None and tensor.dtype.is_floating and self._fits(tensor.shape, sample):
            ours = all(isinstance(density, Density | Prior) for density in sample.densities.values())
            return tf.cast(tensor, tf.float32) if ours and sample.densities else tensor  # as theirs are
        size = sample.examples or "B"
        axes = f", or with the axes of draws before it, {[*sample.axes, size]}" if sample.axes else ""
        found = f"a {type(value).__name__} of {len(value)}" if value is not None and several else "None"
        found = found if tensor is None else f"{tensor.dtype.name} of shape {list(tensor.shape)}"
        raise Misdeclared(
            f"{type(self).__name__} is to give a number for each example, floating-point of shape [{size}]{axes}. "
            f"Received: {found}. Sum over what else there is, such as tf.reduce_sum(..., axis=-1), and keep the axis "
            "of examples."
        )

    def _fits(self, shape: tf.TensorShape, sample: JointSample) -> bool:
        """Whether a value may be of the sample's examples, by what is known of its shape."""
        if shape.rank is None or not sample.sized:
            return True
        chunks = 1 if sample.part is None else sample.part[1]
        every = [*self.leading(sample.axes, chunks), sample.examples]
        return 1 <= shape.rank <= len(every) and shape.is_compatible_with(every[len(every) - shape.rank :])
