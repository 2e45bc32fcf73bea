"""The steps of ancestral sampling: each goes from one joint sample to the next."""

import dataclasses

import tensorflow as tf

from ugm_tf import replicas
from ugm_tf.algebra.step import Step
from ugm_tf.densities.noise import standard_noise
from ugm_tf.serialization import record

__all__ = ["Ask", "Detach", "Draw", "Enumerate", "Mean", "Pack", "Permute", "Rename", "Reverse", "Step"]


@record
class Draw(Step):
    """Draws a density's variable given the values so far.

    Args:
        density: Name of the density.
        k: Number of draws for each example, on a new leading axis; None for one draw and no axis.
        chunk: How many of them are in memory at a time, at most; None for all.  It becomes a number that divides k and
            is at least half of it: a multiple of 4 if there is one, whose noise costs least.
    """

    density: str = dataclasses.field()  # required: without this, Step's None would be its default
    k: int | None = None
    chunk: int | None = None
    by_draw = True

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise ValueError(f"A sampler takes k >= 1 draws for each example. Received: k={self.k}.")
        if self.chunk is not None:
            if self.k is None:
                raise ValueError(f"A chunk is of k draws. Received: k=None, chunk={self.chunk}.")
            object.__setattr__(self, "chunk", None if self.chunk >= self.k else _equal_chunks(self.k, self.chunk))

    def __call__(self, sample, seed):
        lead = sample.lead(self.density) if self.k is None else [self.k, *sample.lead(self.density)]
        density, distribution = sample.densities[self.density], sample.distribution(self.density)
        several = {} if sample.first_row is None else {"first_row": sample.first_row}
        several |= {} if sample.part is None else {"draws": sample.part}
        value = density.draw(distribution, lead, seed, **several)
        return sample.where(drawn_by=(self.density,), axis=self.k, **{sample.roles[self.density].of: value})


def _equal_chunks(k: int, most: int) -> int:
    """The largest number of draws up to `most` that divides k; a multiple of 4 before others."""
    if most < 1:
        raise ValueError(f"A chunk has at least 1 draw. Received: chunk={most}.")
    found = [c for c in range((most + 1) // 2, most + 1) if k % c == 0]
    if not found:
        raise ValueError(
            "Draws come in chunks of equal size, of at least half as many as asked for. Received: "
            f"k={k}, chunk={most}; k={round(k / most) * most} would do."
        )
    return max(found, key=lambda c: (c % 4 == 0, c))


@record
class Mean(Step):
    """Sets a density's variable to the mean given the values so far, through which a gradient flows for each family
    but "categorical", whose most probable label it is.

    Args:
        density: Name of the density; it has parents.
    """

    density: str = dataclasses.field()
    verb = "takes the mean of"
    by_draw = True

    def __call__(self, sample, seed):
        value = sample.densities[self.density].location(sample.distribution(self.density))
        return sample.where(drawn_by=(self.density,), **{sample.roles[self.density].of: value})

    def source(self, roles):
        return f"= mean of {self.density}"


@record
class Enumerate(Step):
    """Every value of a one-hot density in place of a draw, weighted by its probability: an exact sum.

    The values stand on a new leading axis of size C; gradients flow through the probabilities.

    Args:
        density: Name of a density of family "one_hot".
    """

    density: str = dataclasses.field()
    verb = "enumerates"
    adds_axis = True

    def __call__(self, sample, seed):
        distribution = sample.distribution(self.density)
        classes = distribution.event_shape[-1]
        shape = tf.concat([[classes], sample.lead(self.density), distribution.batch_shape_tensor(), [classes]], 0)
        rank = shape.shape[0]
        every = tf.broadcast_to(tf.reshape(tf.eye(classes), [classes] + [1] * (rank - 2) + [classes]), shape)
        # The mean over C rows times C is the sum.
        weight = float(classes) * distribution.prob(every)
        weight = weight if sample.weight is None else weight * sample.weight
        of = sample.roles[self.density].of
        return sample.where(weight=weight, drawn_by=(self.density,), axis=classes, **{of: every})


@record
class Detach(Step):
    """Holds the draws so far fixed, under theta_0: no gradient flows through them, nor through the probabilities of
    exact sums, and within a training step they outlast the updates of the densities that drew them."""

    holds = True
    by_draw = True

    def __call__(self, sample, seed):
        return sample.detached()


@record
class Rename(Step):
    """Gives the value of one variable to another, as when two domains share one encoder.

    Args:
        old: A variable that has a value.
        new: The variable that gets it.
    """

    old: str
    new: str
    by_draw = True

    def __call__(self, sample, seed):
        return sample.where(**{self.new: sample[self.old]})

    def needs(self, roles):
        return (self.old,)

    def sets(self, roles):
        return self.new

    def source(self, roles):
        return f"= {self.old}"

    def shape(self, shapes):
        return {self.new: shapes[self.old]} if self.old in shapes else {}


@record
class Reverse(Step):
    """Sets a variable to 1 less another: the reversal y -> 1 - y of equation 3, of any variable in [0, 1].

    Args:
        old: A variable that has a value.
        new: The variable that gets 1 - old.
    """

    old: str
    new: str
    by_draw = True

    def __call__(self, sample, seed):
        return sample.where(**{self.new: 1.0 - sample[self.old]})

    needs, sets, shape = Rename.needs, Rename.sets, Rename.shape

    def source(self, roles):
        return f"= 1 - {self.old}"


@record
class Pack(Step):
    """Joins each example with the next ones of the batch on the last axis: [B, ..., n] becomes [B, ..., size * n].

    A discriminator of packs sees several independent draws at once, and so whether they are too alike.  Each example
    is in `size` packs, the batch being a circle, so that a pack costs no more draws than an example.

    Args:
        old: The variable to pack.
        new: The variable that gets the packs.
        size: Examples in a pack.

    References:
        Zinan Lin et al. PacGAN: The power of two samples in generative adversarial networks. NeurIPS 2018.
        https://arxiv.org/abs/1712.04086, section 3.  (There, packs share no example.)
    """

    old: str
    new: str
    size: int
    by_draw = True
    of_batch = True

    def __post_init__(self) -> None:
        if self.size < 2:
            raise ValueError(f"A pack has at least 2 examples. Received: size={self.size}.")

    def __call__(self, sample, seed):
        value, axis = sample[self.old], len(sample.axes)
        every = replicas.rows(value, axis)  # of the global batch, where several devices hold one
        parts = [tf.roll(every, -i, axis) for i in range(self.size)]
        if replicas.count() > 1:
            mine = sample.share.first + tf.range(sample.batch_size)
            parts = [tf.gather(part, mine, axis=axis) for part in parts]
        return sample.where(**{self.new: tf.concat(parts, -1)})

    needs, sets = Rename.needs, Rename.sets

    def source(self, roles):
        return f"= {self.size} of {self.old}"

    def shape(self, shapes):
        if self.old not in shapes:
            return {}
        *axes, last = shapes[self.old]
        return {self.new: (*axes, self.size * last)}


@record
class Permute(Step):
    """Gives each dimension of a variable the values of other examples of the batch: draws of the product of its
    marginals, by a permutation of the batch for each dimension.

    The permutations are a function of the seed and of the number of examples, and are of the global batch where several
    devices hold one.

    Args:
        variable: The variable, [B, ...]; it keeps its name.

    References:
        Hyunjik Kim, Andriy Mnih. Disentangling by Factorising. ICML 2018.
        https://arxiv.org/abs/1802.05983, algorithm 1.
    """

    variable: str
    of_batch = True

    def __call__(self, sample, seed):
        if sample.axes:
            raise ValueError(
                f"Permute takes a single value of {self.variable} for each example. Received axes of draws or of an "
                f"exact sum before it, {list(sample.axes)}. Draw one, without k and without Enumerate."
            )
        value = sample[self.variable]
        every = replicas.rows(value, 0)  # of the global batch, where several devices hold one
        number, dimensions = tf.shape(every)[0], value.shape[1:].num_elements()
        noise = standard_noise("uniform", [number, dimensions], seed)  # the same on each device
        flat, order = tf.reshape(every, [number, dimensions]), tf.argsort(noise, axis=0, stable=True)
        if replicas.count() > 1:
            order = tf.gather(order, sample.share.first + tf.range(sample.batch_size))
        mixed = tf.gather(tf.transpose(flat), tf.transpose(order), batch_dims=1)  # [dimensions, B]
        return sample.where(**{self.variable: tf.reshape(tf.transpose(mixed), tf.shape(value))})

    def needs(self, roles):
        return (self.variable,)

    def sets(self, roles):
        return self.variable

    def source(self, roles):
        return f"= permuted {self.variable}"


@record
class Ask(Step):
    """Keeps a discriminator's logit under theta_0 as a variable, [B], for a later comparison.

    Args:
        density: Name of the discriminator.
        new: The variable that gets the logit; no gradient flows through it.
    """

    density: str = dataclasses.field()
    new: str = "l"
    verb = "asks"
    outlasts = True
    by_draw = True

    def __call__(self, sample, seed):
        return sample.where(**{self.new: tf.stop_gradient(sample.distribution(self.density).logits)})

    def sets(self, roles):
        return self.new

    def source(self, roles):
        return f"= sg(logit of {self.density})"
