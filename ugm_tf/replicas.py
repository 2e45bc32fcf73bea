"""What the replicas of a training step under `tf.distribute` hold of a global batch, and what they tell one another.

Outside of a strategy, or with one replica, all of it is what a single device does, bit for bit.
"""

import dataclasses
from typing import Any

import tensorflow as tf

__all__ = ["Share", "count", "gathered", "is_chief", "processes", "rows", "share_of", "softmax", "total"]


@dataclasses.dataclass(frozen=True)
class Share:
    """The rows of the global batch that a replica holds.

    Attributes:
        first: Number of its first row, int32.
        size: Rows of the global batch, int32.
    """

    first: Any
    size: Any


def count() -> int:
    """How many replicas run this step together; 1 outside of a strategy's replica."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else int(context.num_replicas_in_sync)


def processes(strategy: Any) -> int:
    """How many processes train together; 1 without a strategy."""
    resolver = getattr(strategy, "cluster_resolver", None)
    return 1 if resolver is None else max(1, sum(map(len, resolver.cluster_spec().as_dict().values())))


def is_chief(strategy: Any) -> bool:
    """Whether this process is the one that writes files: the first of several, or the only one."""
    if processes(strategy) == 1:
        return True
    resolver = strategy.cluster_resolver
    return resolver.task_type == "chief" or ("chief" not in resolver.cluster_spec().jobs and resolver.task_id == 0)


def total(value: Any) -> Any:
    """The sum over replicas of a tensor, or of each of several that are reduced together."""
    if count() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def gathered(value: tf.Tensor) -> tf.Tensor:
    """The values of all replicas, [R, ...], in their order."""
    if count() == 1:
        return value[None]
    context = tf.distribute.get_replica_context()
    mine = tf.equal(tf.range(count()), context.replica_id_in_sync_group)
    mine = tf.reshape(mine, [-1, *[1] * value.shape.rank])
    return total(tf.where(mine, value[None], tf.zeros_like(value)[None]))  # and not a product: 0 * -inf is NaN


def share_of(batch_size: tf.Tensor) -> Share:
    """The share of a replica that holds so many rows; of uneven shares, too.  Rows are in the order of replicas."""
    if count() == 1:
        return Share(0, batch_size)
    sizes = gathered(tf.cast(batch_size, tf.float32))  # float32 is reduced everywhere, and exact up to 2**24
    before = tf.range(count()) < tf.distribute.get_replica_context().replica_id_in_sync_group
    first = tf.reduce_sum(tf.where(before, sizes, 0.0))
    return Share(tf.cast(tf.round(first), tf.int32), tf.cast(tf.round(tf.reduce_sum(sizes)), tf.int32))


def rows(value: tf.Tensor, axis: int) -> tf.Tensor:
    """The rows of all replicas: values [..., B, ...] joined on the axis of B."""
    if count() == 1:
        return value
    return tf.distribute.get_replica_context().all_gather(value, axis)


def softmax(logits: tf.Tensor) -> tf.Tensor:
    """Over the first axis of all replicas together, [B, ...]; each has the part of its own rows.

    No gradient flows through it where there are several replicas.
    """
    if count() == 1:
        return tf.nn.softmax(logits, axis=0)
    logits = tf.stop_gradient(logits)
    whole = tf.reduce_logsumexp(gathered(tf.reduce_logsumexp(logits, 0)), 0)
    return tf.exp(logits - whole)
