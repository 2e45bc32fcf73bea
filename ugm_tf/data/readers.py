"""From rows to a batch in two steps: what is taken of tables as it lies there, and what a model sees of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from ugm_tf.data.augmentation import augmented
from ugm_tf.data.observations import observe, unpacked

__all__ = ["STREAMS", "Reader", "Rows", "key"]

_NOISE, _AUGMENT = 0x0D1, 0x0D3  # what a seed is for: keeps the streams apart
STREAMS = {"x": 0, "labelled": 0x100, "target": 0x200}  # and those of the sources


@dataclasses.dataclass(frozen=True)
class Reader:
    """What a model sees of examples: a function of them, of the seed and of the step.

    Two that are equal give the same graph, and neither holds data.

    Attributes:
        names: The variables of a batch.
        sources: The names of the sources beside x, in the order in which their rows come.
        owner: The source of labels.
        observation: How examples become what a likelihood scores.
        shape: Of one example.
        classes: Number of classes; None without labels.
        augment: The changes of each image, in words, and
        changes: by source, as functions.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...]
    owner: str
    observation: str
    shape: tuple[int, ...]
    classes: int | None
    augment: tuple[str, ...]
    changes: Mapping[str, Sequence[Any]] = dataclasses.field(compare=False, repr=False)

    def take(self, given: tuple[Mapping[str, tf.Tensor], tf.Tensor], elements: Any) -> tuple[Any, tf.Tensor]:
        """Rows of tables as they lie there, by variable, and the seed and the step, for `see`.

        Args:
            given: The tables and the seed, as `Rows` has them.
            elements: An element of its dataset, or several on a leading axis.
        """
        (tables, seed), ((step, rows), *others) = given, elements
        chosen = {"x": rows, **dict(zip(self.sources, others, strict=True))}
        run = tf.stack([tf.fill(tf.shape(step), seed), step], -1)
        with tf.device("/CPU:0"):  # where the tables lie
            return {name: tf.gather(table, chosen[self.of(name)]) for name, table in tables.items()}, run

    def see(self, taken: Mapping[str, tf.Tensor], run: tf.Tensor) -> dict[str, tf.Tensor]:
        """A batch.

        Args:
            taken: By variable, rows of its table, [B, ...]; of "c" numbers of classes, [B].
            run: The seed and the global step, int64 [2].
        """
        return {name: self._see(name, taken[name], run) for name in self.names}

    def of(self, name: str) -> str:
        """The source of a variable."""
        return self.owner if name == "c" else name

    def _see(self, name: str, taken: tf.Tensor, run: tf.Tensor) -> tf.Tensor:
        if name == "c":
            return tf.one_hot(taken, self.classes)
        if self.observation == "static":
            taken = unpacked(taken, self.shape)
        noise, moves = (
            run + tf.constant([(purpose + STREAMS[name]) << 32, 0], tf.int64) for purpose in (_NOISE, _AUGMENT)
        )
        return observe(augmented(taken, self.changes[name], moves), self.observation, noise)


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """The batches of a dataset as numbers of rows, for a loop over many steps in one program.

    What is taken of the tables for all steps at once is as small as it lies there, and is seen within the program.

    Attributes:
        dataset: ((step, rows of x), *rows of the other sources), each int32 [B].
        given: By variable, the tables that rows are of, arrays in memory; and the seed, int64.
        reader: From rows to what was taken, and to a batch.
    """

    dataset: tf.data.Dataset
    given: tuple[Mapping[str, tf.Tensor], tf.Tensor]
    reader: Reader


def key(seed: int, purpose: int, number: Any) -> tf.Tensor:
    """Two integers that name one stream of random numbers."""
    return tf.stack([tf.constant(seed + (purpose << 32), tf.int64), tf.cast(number, tf.int64)])
