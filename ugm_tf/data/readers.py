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

    Two that are equal give the same graph.

    Attributes:
        names: The variables of a batch.
        owner: The source of labels.
        observation: How examples become what a likelihood scores.
        shape: Of one example.
        classes: Number of classes; None without labels.
        seed: Fixes the noise.
        augment: The changes of each image, in words, and
        changes: by source, as functions.
    """

    names: tuple[str, ...]
    owner: str
    observation: str
    shape: tuple[int, ...]
    classes: int | None
    seed: int
    augment: tuple[str, ...]
    changes: Mapping[str, Sequence[Any]] = dataclasses.field(compare=False, repr=False)

    def see(self, taken: Mapping[str, tf.Tensor], step: Any) -> dict[str, tf.Tensor]:
        """A batch.

        Args:
            taken: By variable, rows of its table, [B, ...]; of "c" numbers of classes, [B].
            step: Global step.
        """
        return {name: self._see(name, taken[name], step) for name in self.names}

    def _see(self, name: str, taken: tf.Tensor, step: Any) -> tf.Tensor:
        if name == "c":
            return tf.one_hot(taken, self.classes)
        if self.observation == "static":
            taken = unpacked(taken, self.shape)
        noise, moves = (key(self.seed, purpose + STREAMS[name], step) for purpose in (_NOISE, _AUGMENT))
        return observe(augmented(taken, self.changes[name], moves), self.observation, noise)


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """The batches of a dataset as numbers of rows, for a loop over many steps in one program.

    What is taken of the tables for all steps at once is as small as it lies there, and is seen within the program.

    Attributes:
        dataset: ((step, rows of x), *rows of the other sources), each int32 [B].
        sources: The names of these others.
        tables: By variable, what rows are of: arrays in memory.
        reader: From what was taken to a batch.
    """

    dataset: tf.data.Dataset
    sources: tuple[str, ...]
    tables: Mapping[str, tf.Tensor]
    reader: Reader

    def take(self, tables: Mapping[str, tf.Tensor], elements: Any) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """What the reader sees, by variable, and the step.

        Args:
            tables: As `tables`, which a graph takes as arguments.
            elements: An element of the dataset, or several on a leading axis.
        """
        (step, rows), *others = elements
        chosen = {"x": rows, **dict(zip(self.sources, others, strict=True))}
        with tf.device("/CPU:0"):  # where the tables lie
            return {name: tf.gather(table, chosen[self.of(name)]) for name, table in tables.items()}, step

    def of(self, name: str) -> str:
        """The source of a variable."""
        return self.reader.owner if name == "c" else name


def key(seed: int, purpose: int, number: Any) -> tf.Tensor:
    """Two integers that name one stream of random numbers."""
    return tf.stack([tf.constant(seed + (purpose << 32), tf.int64), tf.cast(number, tf.int64)])
