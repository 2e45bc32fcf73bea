"""What a report shows of codes and of single examples: a map, traversals, nearest training examples, confusions."""

import dataclasses
from typing import Any

import numpy as np
from sklearn import metrics

import ugm_tf
from ugm_tf import evaluation

from . import pictures
from .figures import first, scaled
from .inputs import Inputs

__all__ = [
    "Confusion",
    "Map",
    "Neighbours",
    "Traversals",
    "confusion",
    "map_of_codes",
    "neighbours",
    "traversals",
]

_ACTIVE = 0.01  # least variance over examples of the mean of an active unit (Burda et al. 2016)
_MAPPED, _UNITS, _STEPS, _REACH, _SHOWN, _MOST, _CLASSES = 1000, 8, 9, 2.0, 16, 10_000, 30


@dataclasses.dataclass(frozen=True, eq=False)
class Map:
    """Codes of examples in the plane.

    Attributes:
        points: [N, 2].
        c: The class of each, [N]; None where the data have none.
        shares: What share of the variance lies along each axis.
        active: How many units of the code vary with x.
        units: How many there are.
    """

    points: np.ndarray
    c: np.ndarray | None
    shares: tuple[float, ...]
    active: int
    units: int


@dataclasses.dataclass(frozen=True, eq=False)
class Traversals:
    """One code with single units changed, decoded: the units that vary most with x first.

    Attributes:
        images: [U, K, H, W, C].
        units: Which units.
        variances: Over examples, of the mean of each of these.
    """

    images: np.ndarray
    units: tuple[int, ...]
    variances: tuple[float, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Neighbours:
    """Samples, and the training examples that are nearest to them.

    Attributes:
        samples: [N, H, W, C].
        nearest: Of the same shape.
    """

    samples: np.ndarray
    nearest: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Confusion:
    """Of a model's own classifier on held-out examples.

    Attributes:
        counts: Examples of each class (rows) that were given each class (columns), int [C, C].
        names: Of the classes.
    """

    counts: np.ndarray
    names: tuple[str, ...]


def map_of_codes(model: ugm_tf.UnifiedModel, held_out: Inputs) -> Map | None:
    """The means of the codes of held-out examples, by their two principal components; None without vectors of codes."""
    found = _codes(model, held_out, _MAPPED)
    if found is None or len(found[0]) < 3:
        return None
    codes, _ = found
    variances = codes.var(0)
    made = evaluation.plane(codes)
    c = held_out.examples.c
    return Map(
        made.points,
        None if c is None else c[: len(codes)],
        made.shares,
        int((variances > _ACTIVE).sum()),
        codes.shape[1],
    )


def traversals(model: ugm_tf.UnifiedModel, held_out: Inputs) -> Traversals | None:
    """Walks along single units through the code of the first example; None where no code is decoded to an image."""
    found, answers = _codes(model, held_out, _MAPPED), model.endpoints()
    if found is None or not held_out.examples.is_image or "decode" not in answers:
        return None
    (codes, data), of = found, model.recipe.roles["encoder"].of
    others = set(answers["decode"].inputs) - {of}
    if any(model.densities[n].family.support != "real" for n, role in model.recipe.roles.items() if role.of == of):
        return None  # of bits and their like there is no further
    if of not in answers["decode"].inputs or not others <= set(data) - {"x"}:
        return None
    variances = codes.var(0)
    units = np.argsort(-variances)[:_UNITS]
    spread = _spread(model, data)
    values = codes.mean(0)[units, None] + spread[units, None] * np.linspace(-_REACH, _REACH, _STEPS)
    walks = evaluation.traverse(codes[0], units.tolist(), values)
    flat = walks.reshape(-1, walks.shape[-1])
    given = {name: np.repeat(data[name][:1], len(flat), axis=0) for name in others}
    images = model.decode(flat, **given).numpy()
    shape = (len(units), _STEPS, *images.shape[1:])
    return Traversals(images.reshape(shape), tuple(units.tolist()), tuple(variances[units].tolist()))


def neighbours(model: ugm_tf.UnifiedModel, training: Inputs) -> Neighbours | None:
    """Some samples, and of the first training examples those that are nearest, by the distance of their pixels."""
    examples = training.examples
    if not examples.is_image or not model.can("sample") or evaluation.is_translator(model):
        return None
    train = scaled(examples, slice(min(_MOST, first(examples).stop)))
    fake = pictures.seen(pictures.samples(model, _SHOWN)[0])
    if not np.isfinite(fake).all():
        return None
    index = np.argmin(metrics.pairwise_distances(fake.reshape(len(fake), -1), train.reshape(len(train), -1)), axis=1)
    return Neighbours(fake, train[index])


def confusion(model: ugm_tf.UnifiedModel, held_out: Inputs) -> Confusion | None:
    """What the model's classifier makes of each class; None without one, without labels, or of more than 30 classes."""
    examples = held_out.examples
    classes = examples.num_classes or 0
    if not evaluation.has_classifier(model) or examples.c is None or classes > _CLASSES:
        return None
    of = dataclasses.replace(held_out, variables=("x",), labelled=None, target=None)
    x = np.concatenate([batch["x"] for batch in of.once()])
    given = evaluation.classified(model, x)
    counts = metrics.confusion_matrix(examples.c[: len(given)], given, labels=range(classes))
    return Confusion(counts, tuple(examples.class_names or map(str, range(classes))))


def _codes(model: ugm_tf.UnifiedModel, held_out: Inputs, n: int) -> tuple[np.ndarray, dict[str, Any]] | None:
    """Means of the codes of the first examples, [N, D], and these; None where data alone do not tell a vector."""
    answers = model.endpoints()
    asked = set(getattr(answers.get("encode"), "inputs", ()))
    if not asked or "x" not in asked or not asked <= set(model.recipe.data) - {"labelled", "target"}:
        return None
    data = held_out.first(n)
    given: dict[str, Any] = {name: data[name] for name in asked - {"x"}}
    codes = model.encode(data["x"], **given).numpy()
    if codes.ndim != 2 or not np.isfinite(codes).all():
        return None
    return codes, data


def _spread(model: ugm_tf.UnifiedModel, data: dict[str, Any]) -> np.ndarray:
    """The deviation of each unit over draws of the codes of all examples, [D]: near 1 where it is the prior's."""
    asked = set(model.endpoints()["encode"].inputs) - {"x"}
    draws = model.encode(data["x"], draws=1, **{name: data[name] for name in asked}).numpy()[0]
    return np.asarray(draws.std(0))
