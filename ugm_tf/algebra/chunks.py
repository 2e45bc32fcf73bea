"""Many draws of an example, of which a few are in memory at a time: the value of all, and its exact gradient."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.tapes import unrecorded

__all__ = ["Chunked"]


class _Piece(NamedTuple):
    """What an expectation is of some of the draws.

    Attributes:
        value: Its term's, [c, ..., B]; or [..., B], of the draws together.
        factor: What it is multiplied by; 1.0 if there is nothing.
        log_mass: What these draws count among all, [..., B]; 0.0 if each draw counts alike.
    """

    value: tf.Tensor
    factor: tf.Tensor
    log_mass: tf.Tensor


class Chunked:
    """A joint sample of k draws that is not there: what it starts from, and the steps that draw a chunk of it.

    A first pass over the chunks gives the value of all draws.  Where a gradient asks for it, a second one draws each
    chunk again and adds its part.  Noise is a function of a draw's number, so the draws are those that there would be
    without chunks.  With m[c] = exp(log_mass) of chunk c, and r[c] = m[c] / sum(m), of C chunks:

        each draw counts alike        value = sum{ 1/C  * value[c] }       gradient = sum{ 1/C    * d value[c] }
        weights over the draws        value = sum{ r[c] * value[c] }       gradient = sum{ r[c]   * d value[c] }
        -log mean of weights          value = -log(1/C * sum{ m[c] })      gradient = sum{ r[c]   * d value[c] }
        doubly reparameterised        the same                             gradient = sum{ r[c]^2 * d value[c] }

    A factor of the value of all draws, such as the weight of a class in an exact sum, adds d factor * value.

    Args:
        start: The sample before the first of the steps, which draws k values.
        steps: The steps after it, each with its seed.
        drawn_by: Names of the densities through which the draws depend on parameters.
        drawing: The distribution that the first step draws from, where its density has learned since.
        stale: Name of a density that has learned since and without which, as it was, a chunk cannot be drawn again.
    """

    def __init__(
        self,
        start: JointSample,
        steps: Sequence[tuple[Any, tf.Tensor]],
        drawn_by: frozenset[str],
        drawing: tfd.Distribution | None = None,
        stale: str | None = None,
    ):
        self.start, self.steps, self.drawn_by = start, tuple(steps), drawn_by
        self._drawing, self._stale = drawing, stale
        first = self.steps[0][0]
        self._density, self._k, self._chunk = first.density, first.k, first.chunk

    @classmethod
    def begin(cls, start: JointSample, step: Any, seed: tf.Tensor) -> "Chunked":
        """The draws of a step that takes them in chunks."""
        start.distribution(step.density)  # once, for all chunks
        return cls(start, ((step, seed),), start.drawn_by | {step.density})

    def then(self, step: Any, seed: tf.Tensor) -> "Chunked":
        """These draws, with one more step for each."""
        own = {step.density} if step.density and not step.outlasts else set()
        drawn_by = frozenset[str]() if step.holds else self.drawn_by | own
        return Chunked(self.start, (*self.steps, (step, seed)), drawn_by, self._drawing, self._stale)

    def after_update(self, densities: Iterable[str]) -> "Chunked | None":
        """What is left when these densities have learned; None if the draws depend on one."""
        updated = set(densities)
        if self.drawn_by & updated:
            return None
        drawing, again = self._drawing, {step.density for step, _ in self.steps[1:]}
        if self._density in updated and drawing is None:
            drawing = self._known().get(self._density)
            again |= {self._density} if drawing is None else set()
        stale = next((name for name in sorted(filter(None, again)) if name in updated), self._stale)
        start = self.start.after_update(updated) or self.start.detached().after_update(updated)
        return None if start is None else Chunked(start, self.steps, self.drawn_by, drawing, stale)

    def value(self, e: Any) -> tf.Tensor:
        """An expectation at each example, with its weights, merged over the draws: [..., B]."""

        def piece(sample: JointSample) -> _Piece:
            value = e.of.value(sample)
            mass = e.of.log_mass(sample, value)
            return _Piece(value, e.factor(sample, value.dtype), _log_mass(e, sample) if mass is None else mass)

        return self._merged(e, piece, e.of)

    def value_beside(self, e: Any, number: int) -> tf.Tensor:
        """What its term logs beside itself, likewise."""

        def piece(sample: JointSample) -> _Piece:
            value = e.of.logged(sample)[number]
            return _Piece(value, e.factor(sample, value.dtype), _log_mass(e, sample))

        return self._merged(e, piece)

    def _merged(self, e: Any, piece: Callable[[JointSample], _Piece], together: Any = None) -> tf.Tensor:
        """The values of pieces merged; where `together` has a value of all draws alone, by that."""
        if self._stale is not None:
            raise ValueError(
                f"Draws in chunks are made again wherever they are used, and '{self._stale}', which makes them, has "
                "learned since. Leave out `chunk`, or train with schedule='simultaneous'."
            )
        self._compute_shared(e)
        axes = () if together is None else together.own_axes(self._k)
        state = ({"weight": self.start.weight, "drawing": self._drawing}, dict(self.start.values), self._known())
        state = ({name: value for name, value in state[0].items() if value is not None}, *state[1:])

        @tf.custom_gradient
        def merged(*tensors: tf.Tensor) -> Any:
            def of_chunk(local: Sequence[tf.Tensor], i: tf.Tensor) -> _Piece:
                return piece(self._sample(tf.nest.pack_sequence_as(state, local, expand_composites=True), i))

            with unrecorded():  # no tape is to go back through the first pass
                value, log_mass = self._forward(lambda i: of_chunk(tensors, i), axes, together)

            def gradient(upstream: tf.Tensor, variables: Sequence[tf.Variable] = ()) -> Any:
                given, own = self._backward(of_chunk, tensors, variables, log_mass, upstream, together)
                given = [None if g is None else _once(g) for g in given]
                return (given, [_once(g) for g in own]) if variables else given

            return tf.stop_gradient(value), gradient

        return merged(*tf.nest.flatten(state, expand_composites=True))

    def _forward(self, of_chunk: Callable[[tf.Tensor], _Piece], axes: tuple[int, ...], together: Any) -> Any:
        """The merged value, and the logarithm of the sum of what the chunks count, float64; both [..., B]."""
        shape = tf.stack([*axes, *self.start.axes, self.start.batch_size])
        dtypes: list[tf.DType] = []

        def add(i: tf.Tensor, log_mass: tf.Tensor, mean: tf.Tensor) -> Any:
            piece = of_chunk(i)
            dtypes.append(piece.value.dtype)
            mass = tf.broadcast_to(tf.cast(piece.log_mass, tf.float64), shape)
            total = tf.reduce_logsumexp(tf.stack([log_mass, mass]), 0)
            whole = together is not None and together.merged(mass, 1) is not None
            own = piece.factor if whole else piece.factor * piece.value
            own = _over_draws(tf.cast(own, tf.float64), shape, self._chunk)
            mean = _share(log_mass, total) * mean + tf.math.multiply_no_nan(own, _share(mass, total))
            return i + 1, total, mean

        zeros = tf.zeros(shape, tf.float64)
        _, log_mass, mean = self._loop(add, (zeros - float("inf"), zeros))
        value = None if together is None else together.merged(log_mass, self._k // self._chunk)
        return tf.cast(mean if value is None else mean * value, dtypes[0]), log_mass

    def _backward(
        self,
        of_chunk: Callable[[Sequence[tf.Tensor], tf.Tensor], _Piece],
        tensors: Sequence[tf.Tensor],
        variables: Sequence[tf.Variable],
        log_mass: tf.Tensor,
        upstream: tf.Tensor,
        together: Any,
    ) -> tuple[list[Any], list[tf.Tensor]]:
        """The gradients that reach the tensors, None where there cannot be one, and those of the variables."""
        power = 1 if together is None else together.power
        whole = None if together is None else together.merged(log_mass, self._k // self._chunk)
        floats = [i for i, tensor in enumerate(tensors) if tensor.dtype.is_floating]

        def add(i: tf.Tensor, *sums: tf.Tensor) -> Any:
            local = [tf.identity(tensor) for tensor in tensors]
            sources = [*(local[j] for j in floats), *variables]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(sources)
                piece = of_chunk(local, i)
                share = _share(tf.cast(piece.log_mass, tf.float64), log_mass)
                parts = [(share**power, piece.factor * piece.value)]
                if whole is not None:  # what multiplies the value of all draws is no part of a chunk's
                    parts = [(share**power, tf.stop_gradient(piece.factor) * piece.value)]
                    parts += [(share, piece.factor * tf.cast(whole, piece.factor.dtype))]
                loss = self._weighed(parts, upstream)
            found = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return i + 1, *(total + tf.convert_to_tensor(g) for total, g in zip(sums, found, strict=True))

        zeros = tuple(tf.zeros_like(source) for source in (*(tensors[j] for j in floats), *variables))
        _, *sums = self._loop(add, zeros)
        given = dict(zip(floats, sums, strict=False))
        return [given.get(i) for i in range(len(tensors))], sums[len(floats) :]

    def _weighed(self, parts: Sequence[tuple[tf.Tensor, tf.Tensor]], upstream: tf.Tensor) -> tf.Tensor:
        """The sum over examples of values, each times its share and what comes from above."""
        shape = tf.shape(upstream)
        shares = [tf.stop_gradient(tf.cast(share, upstream.dtype) * upstream) for share, _ in parts]
        values = [_over_draws(value, shape, self._chunk) for _, value in parts]
        return tf.add_n([tf.reduce_sum(share * value) for share, value in zip(shares, values, strict=True)])

    def _loop(self, add: Callable[..., Any], zeros: tuple[tf.Tensor, ...]) -> Any:
        n = self._k // self._chunk

        def body(i: tf.Tensor, *sums: tf.Tensor) -> Any:  # whose shapes may be known better before than after
            i, *sums = add(i, *sums)
            return i, *(tf.ensure_shape(total, zero.shape) for total, zero in zip(sums, zeros, strict=True))

        start = (tf.constant(0), *zeros)
        return tf.while_loop(lambda i, *_: i < n, body, start, parallel_iterations=1, maximum_iterations=n)

    def _sample(self, state: Any, i: tf.Tensor) -> JointSample:
        """Chunk i of the draws, of the start's tensors."""
        given, values, known = state
        drawing = given.get("drawing")
        part = (i, self._k // self._chunk)
        before = known if drawing is None else {**known, self._density: drawing}
        (first, seed), *others = self.steps
        sample = self.start.replaced(values, given.get("weight"), before, part)
        sample = dataclasses.replace(first, k=self._chunk, chunk=None).take(sample, seed)
        if drawing is not None:  # what scores the draws has learned
            rest = {name: d for name, d in sample.distributions.items() if name in known or name != self._density}
            sample = sample.replaced(sample.values, sample.weight, {**rest, **known}, part)
        for step, seed in others:
            sample = step.take(sample, seed)
        return sample

    def _known(self) -> dict[str, tfd.Distribution]:
        """The start's distributions that are made of tensors: a gradient reaches these from the chunks."""
        return {name: d for name, d in self.start.distributions.items() if _is_tensors(d)}

    def _compute_shared(self, e: Any) -> None:
        """Computes what is the same in every chunk, once."""
        roles = self.start.roles
        changing = {step.sets(roles) for step, _ in self.steps}
        for name in e.asked:
            if name in roles and not changing & {roles[name].of, *roles[name].given} and roles[name].given:
                self.start.distribution(name)


@tf.custom_gradient
def _once(gradient: tf.Tensor) -> Any:
    """A gradient that has none itself: the chunks' shares, of which it is made, are constants in it."""

    def of_it(_: tf.Tensor) -> Any:
        raise ValueError(
            "A gradient through draws in chunks has no gradient itself. Leave `chunk` out where one is taken of it."
        )

    return tf.identity(gradient), of_it


def _log_mass(e: Any, sample: JointSample) -> tf.Tensor:
    """What the draws of a sample count by the expectation's weight; 0 where it is of each draw, or there is none."""
    mass = None if e.weight is None else e.weight.log_mass(sample, None)
    return tf.constant(0.0) if mass is None else mass


def _over_draws(value: tf.Tensor, shape: tf.Tensor, chunk: int) -> tf.Tensor:
    """Values at each draw, [c, ..., B], as their mean over these; or values of all together as they are; [..., B]."""
    rank = shape.shape[0]
    if value.shape.rank > rank:
        return tf.reduce_mean(tf.broadcast_to(value, tf.concat([[chunk], shape], 0)), 0)
    return tf.broadcast_to(value, shape)


def _share(part: tf.Tensor, whole: tf.Tensor) -> tf.Tensor:
    """exp(part - whole), 0 where the whole is nothing."""
    return tf.where(tf.equal(whole, -float("inf")), tf.zeros_like(whole), tf.exp(part - whole))


def _is_tensors(distribution: tfd.Distribution) -> bool:
    parts = tf.nest.flatten(distribution, expand_composites=True)
    return not any(isinstance(part, tfd.Distribution) for part in parts)
