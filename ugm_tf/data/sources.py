"""Where the variables of a batch come from, and in which order each source gives its examples."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.data.checks import listed
from ugm_tf.data.examples import Examples
from ugm_tf.data.observations import check_observation

__all__ = ["VARIABLES", "check_sources", "check_variables", "in_batches", "order"]

VARIABLES = ("x", "c", "labelled", "target")
_NEVER = np.iinfo(np.int64).max


def check_variables(variables: str | Sequence[str]) -> tuple[str, ...]:
    """The names of the variables, or a refusal.

    Args:
        variables: Names of `VARIABLES`, each at most once.

    Raises:
        ValueError: If one is not known or comes twice, or there is none.
    """
    names = (variables,) if isinstance(variables, str) else tuple(variables)
    unknown = [name for name in names if name not in VARIABLES]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(
            f"variables must be of {', '.join(VARIABLES)}, each at most once. Received: variables={names}."
        )
    return names


def check_sources(
    examples: Examples, names: Sequence[str], observation: str, labelled: Examples | None, target: Examples | None
) -> dict[str, Examples]:
    """The source of each variable that is an example.

    Args:
        examples: The source of "x".
        names: The variables of a batch.
        observation: How all of them are observed.
        labelled: The source of "labelled", and of "c" beside it.
        target: The source of "target".

    Returns:
        `Examples` by variable: always "x", the others where `names` has them.

    Raises:
        ValueError: If a source is missing or not asked for, if shapes or classes differ, if labels are asked for and
            absent, or if a source cannot be observed so.
    """
    sources = {"x": examples}
    advice = {
        "labelled": "examples.labelled_subset(per_class=10), or to evaluate the examples themselves",
        "target": "the second domain, such as ugm_tf.data.shifted(examples, 'negative')",
    }
    for name, source in (("labelled", labelled), ("target", target)):
        if (name in names) != (source is not None):
            mend = f"Give {name}={advice[name]}" if source is None else f"Leave {name} out, or add it to the variables"
            given = "none is given" if source is None else f"{source.title} is given for it"
            raise ValueError(f"variables={tuple(names)} and {name}: {given}. {mend}.")
        if source is not None:
            if source.shape != examples.shape:
                raise ValueError(
                    f"{name} has the shape of the examples. Received: {list(source.shape)} of {source.title}, and "
                    f"{list(examples.shape)} of {examples.title}. Load both with one image_size."
                )
            differ = examples.class_names and source.class_names not in (None, examples.class_names)
            if name == "labelled" and differ:
                theirs, ours = listed(source.class_names or ()), listed(examples.class_names or ())
                raise ValueError(
                    f"labelled has the classes of the examples. Received: {theirs} of {source.title}, and {ours} of "
                    f"{examples.title}. Name them alike: class_names=[...]."
                )
            sources[name] = source
    for source in sources.values():
        check_observation(source, observation)
    if "c" in names:
        owner = sources.get("labelled", examples)
        if owner.c is None:
            raise ValueError(
                f"{owner.title} has no labels, and variables={tuple(names)} asks for c. "
                "Leave c out, or give the labels: Examples(x, c, num_classes)."
            )
    return sources


def order(size: int, batch_size: int, shuffle: bool, steps: int, start_step: int, key: Any) -> tf.data.Dataset:
    """Which rows a source beside x gives, batch after batch: a pure function of the step, without end.

    Shuffled, it has rounds of its own: a pass over its examples, or as many passes as fill a batch, each in an order of
    its own; what is left of a round is dropped.  Not shuffled, it goes along with the epochs of x, and begins anew
    where it ends: a source of the same examples gives the same rows.

    Args:
        size: Number of the source's examples.
        batch_size: B.
        shuffle: Whether each pass has an order of its own.
        steps: Steps of an epoch of x.
        start_step: Global step of the first batch.
        key: A function from the number of a pass to the two integers that seed its order.

    Returns:
        A dataset of rows, int32 [B].
    """
    if not shuffle:
        numbers = tf.data.Dataset.range(start_step, _NEVER)
        return numbers.map(lambda step: (tf.cast(step % steps, tf.int32) * batch_size + tf.range(batch_size)) % size)
    passes = -(-batch_size // size)
    per_round = passes * size // batch_size

    @tf.autograph.experimental.do_not_convert
    def batches(number: Any) -> tf.data.Dataset:
        orders = [
            tf.random.experimental.stateless_shuffle(tf.range(size), key(number * passes + i), alg="philox")
            for i in range(passes)
        ]
        rows = tf.concat(orders, 0)
        first = tf.maximum(start_step - number * per_round, 0)  # above 0 in the first round only
        return in_batches(rows[: per_round * batch_size], batch_size, first)

    return tf.data.Dataset.range(start_step // per_round, _NEVER).flat_map(batches)


def in_batches(rows: tf.Tensor, batch_size: int, first: int | tf.Tensor) -> tf.data.Dataset:
    """Rows in batches, from one on; the last is smaller, where they do not go in equal ones.

    They are cut as a whole: a function that cuts one batch takes longer to call than the batch to read.

    Args:
        rows: int32 [N], of a length that is known.
        batch_size: B.
        first: Number of the first batch.
    """
    whole = rows.shape[0] // batch_size
    out = tf.data.Dataset.from_tensor_slices(tf.reshape(rows[: whole * batch_size], [whole, batch_size])[first:])
    rest = rows[whole * batch_size :]
    return out.concatenate(tf.data.Dataset.from_tensors(rest)) if rest.shape[0] else out
