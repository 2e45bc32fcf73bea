"""The numbers of a trained model on a split that it did not learn from, each with how it was measured."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

import ugm_tf

from . import pictures
from .inputs import Inputs

__all__ = ["Figure", "accuracies", "bound", "losses", "redundancy", "sample_quality", "translations"]

_JUDGED, _DRAWS, _BOUNDED = 1000, 100, 500


class Figure(NamedTuple):
    """A number to remember the run by.

    Args:
        name: What it measures, such as "test ELBO".
        value: The number.
        spread: Its standard error or deviation; `how` says which.
        unit: Such as "nats"; where it is empty, that of the figure's row in `figure_table.ROWS`.
        how: How it was computed: on what, with how many draws.
    """

    name: str
    value: float
    spread: float | None = None
    unit: str = ""
    how: str = ""


def losses(model: ugm_tf.UnifiedModel, held_out: Inputs, every: bool = False) -> list[Figure]:
    """The loss of each phase; with `every`, each metric of the recipe."""
    how = f"{len(held_out.examples)} {held_out.examples.split} examples, one draw each"
    return [
        Figure(name, float(value), how=how)
        for name, value in model.evaluate(held_out.once(), verbose=0, return_dict=True).items()
        if every or name.endswith("/loss")
    ]


def bound(model: ugm_tf.UnifiedModel, held_out: Inputs, draws: int = _DRAWS, number: int = _BOUNDED) -> Figure:
    """The importance-weighted bound on log p(x), the ELBO for one draw, over the first examples, with its
    standard error."""
    data = held_out.first(number)
    generative, inference = model.recipe.bound() or ((), ())
    asked = {variable for name in (*generative, *inference) for variable in model.recipe.roles[name].given}
    inferred = {model.recipe.roles[name].of for name in inference}
    given = {name: value for name, value in data.items() if name in asked - inferred - {"x"}}
    values = np.asarray(model.log_prob_bound(data["x"], draws, 0, **given))
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    how = f"{len(values)} {held_out.examples.split} example{'s' if len(values) > 1 else ''}"
    how += "; the spread is the standard error over them" if len(values) > 1 else ""
    name = "ELBO" if draws == 1 else f"bound on log p(x), k={draws}"
    return Figure(name, float(np.mean(values)), error, how=how)


def sample_quality(
    model: ugm_tf.UnifiedModel, examples: ugm_tf.data.Examples, held_out: ugm_tf.data.Examples, seeds: int = 1
) -> list[Figure]:
    """What a classifier of the training examples makes of samples: means over seeds of sampling, with their
    deviation."""
    classifier, how = _classifier(examples, held_out)
    drawn = [pictures.samples(model, _JUDGED, seed=1 + seed) for seed in range(seeds)]
    each = [ugm_tf.evaluation.judge(classifier, x) for x, _ in drawn]
    how = f"{seeds} x {_JUDGED} samples, by {how}"

    def figure(name: str, unit: str, values: Sequence[float], more: str = "") -> Figure:
        spread = float(np.std(values, ddof=1)) if seeds > 1 else None
        return Figure(name, float(np.mean(values)), spread, unit, how + more)

    out = [
        figure("classes covered", f"of {examples.num_classes}", [j.coverage for j in each]),
        figure("classifier's confidence", "", [j.confidence for j in each]),
        figure("class entropy of a sample", "nats", [j.entropy for j in each]),
        figure("inception score", f"of {examples.num_classes}", [j.inception_score for j in each]),
    ]
    if asked := [c for _, c in drawn if c is not None]:
        found = [np.argmax(classifier.predict(x, batch_size=500, verbose=0), -1) for x, _ in drawn]
        if "c" in model.recipe.data:
            right = [float(np.mean(f == a)) for f, a in zip(found, asked, strict=True)]
            out.insert(1, figure("samples of the class asked for", "", right, ", as many of each class"))
        else:
            right = [_purity(f, a) for f, a in zip(found, asked, strict=True)]
            more = ", as many of each code; a code's class is the commonest among its samples"
            out.insert(1, figure("samples of their code's class", "", right, more))
    return out


def _purity(found: np.ndarray, code: np.ndarray) -> float:
    """Share of samples in the commonest class of their code; found is the class of each, code its code, [N]."""
    return float(sum(np.bincount(found[code == k]).max() for k in np.unique(code)) / len(code))


def accuracies(model: ugm_tf.UnifiedModel, training: Inputs, held_out: Inputs) -> list[Figure]:
    """The accuracy of the model's classifier, and of the same network trained on the labels and on nothing else."""
    labelled = training.labelled or training.examples
    source = Inputs(labelled, ("x", "c"), training.observation)
    batches = source.batches(min(64, len(labelled)), seed=model.seed)
    alone = ugm_tf.evaluation.supervised(model, batches, seed=model.seed)
    splits = {"": held_out.examples}
    if held_out.target is not None:
        splits = {" of the target": held_out.target, " of the source": held_out.examples}
    out = []
    for suffix, examples in splits.items():
        if examples.c is None:
            continue
        x = np.concatenate([b["x"] for b in Inputs(examples, ("x",), held_out.observation).once()])
        how = f"{len(x)} {examples.split} examples of {examples.name}, observed as {held_out.observation}"
        rate = float(np.mean(ugm_tf.evaluation.classified(model, x) == examples.c))
        out.append(
            Figure(f"accuracy{suffix}", rate, _error(rate, len(x)), how=f"{how}; the spread is its standard error")
        )
        rate = ugm_tf.evaluation.accuracy(alone, x, examples.c)
        kind = "labelled" if training.labelled is not None else "source" if held_out.target is not None else "training"
        how = f"the same; the same network trained on the {len(labelled)} {kind} examples alone"
        out.append(Figure(f"accuracy{suffix}, labels alone", rate, _error(rate, len(x)), how=how))
    return out


def translations(model: ugm_tf.UnifiedModel, training: Inputs, held_out: Inputs) -> list[Figure]:
    """Of a model that translates: whether a digit stays that digit, and what is left of it on its way back."""
    out = []
    for start, end in (("x", "target"), ("target", "x")):
        sources = {"x": held_out.examples, "target": held_out.target}
        learned = {"x": training.examples, "target": training.target}
        here, there, train = sources[start], sources[end], learned[end]
        if here is None or there is None or train is None:
            continue
        x = np.concatenate([b["x"] for b in Inputs(here, ("x",), held_out.observation).once()])
        moved, back = ugm_tf.evaluation.cycle(model, x, start)
        arrow = f"{'source' if start == 'x' else 'target'} to {'source' if end == 'x' else 'target'}"
        if here.c is not None and there.c is not None and train.c is not None:
            classifier, how = _classifier(train, there)
            rate = ugm_tf.evaluation.accuracy(classifier, moved, here.c)
            how = f"{len(x)} translated {here.split} examples keep their class, by {how}"
            out.append(Figure(f"accuracy, {arrow}", rate, _error(rate, len(x)), how=how))
        error = ugm_tf.evaluation.cycle_error(x, back)
        how = f"mean absolute difference of a pixel in [0, 1], there and back, {len(x)} {here.split} examples"
        out.append(Figure(f"cycle error, {arrow} and back", error, how=how))
    return sorted(out, key=lambda figure: not figure.name.startswith("accuracy"))


def redundancy(model: ugm_tf.UnifiedModel, training: Inputs, held_out: Inputs) -> list[Figure]:
    """Of a model that predicts each unit of its code from the others: how much they say of it."""
    x, y = (np.concatenate([b["x"] for b in inputs.once()]) for inputs in (training, held_out))
    found = ugm_tf.evaluation.redundancy(model, x, y)
    how = f"{len(y)} {held_out.examples.split} examples"
    read = [f for f in losses(model, held_out, every=True) if f.name.endswith("/distortion")]
    each = ", 20 draws each, summed over units"
    more = (
        "; how much less a unit surprises who knows the others, by a predictor that learned on while the code was held"
    )
    return [
        *(f._replace(name="distortion") for f in read),
        Figure("cross-entropy of single units", found.marginal, how=how + each),
        Figure("redundancy of the code", found.redundancy, how=how + each + more),
    ]


def _classifier(examples: ugm_tf.data.Examples, held_out: ugm_tf.data.Examples) -> tuple[keras.Model, str]:
    """A classifier of the examples, and what it is in words."""
    if examples.c is None or examples.num_classes is None or held_out.c is None:
        raise ValueError(f"A classifier learns from labels, and {examples.title} has none.")
    classifier = ugm_tf.evaluation.train_classifier(_scaled(examples), examples.c, examples.num_classes)
    right = ugm_tf.evaluation.accuracy(classifier, _scaled(held_out), held_out.c)
    return classifier, f"a classifier of {examples.title} that is right on {right:.1%} of {held_out.split}"


def _error(rate: float, number: int) -> float:
    return float(np.sqrt(rate * (1.0 - rate) / number))


def _scaled(examples: ugm_tf.data.Examples) -> np.ndarray:
    return np.asarray(examples.x, np.float32) / 255.0
