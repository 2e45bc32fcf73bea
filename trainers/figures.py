"""The numbers of a trained model on a split that it did not learn from, each with how it was measured."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

import ugm_tf
from ugm_tf.evaluation import Estimate, FeatureNetwork

from . import pictures
from .figure import Figure
from .inputs import Inputs

__all__ = [
    "accuracies",
    "bound",
    "bounds",
    "first",
    "in_nats",
    "losses",
    "redundancy",
    "sample_quality",
    "scaled",
    "translations",
]

_JUDGED, _DRAWS, _BOUNDED = 1000, 100, 500
_MOST_BYTES = 2**32  # of held-out images as floats: of sets that are larger the first ones are looked at


def losses(model: ugm_tf.UnifiedModel, held_out: Inputs, every: bool = False) -> list[Figure]:
    """The loss of each phase; with `every`, each metric of the recipe."""
    how, nats = (
        {"split": held_out.examples.split, "draws": 1, "observation": held_out.observation},
        in_nats(model.recipe),
    )
    return [
        Figure(name, Estimate(float(value), None, len(held_out.examples), how), "nats" if name in nats else "")
        for name, value in model.evaluate(held_out.once(), verbose=0, return_dict=True).items()
        if every or name.endswith("/loss")
    ]


def in_nats(recipe: ugm_tf.Recipe) -> set[str]:
    """The metrics that are in nats: of log-probabilities, divergences and log-ratios; no distances or penalties."""
    out = set()
    for phase in recipe.phases:
        known = [e for e in phase.minimise if _of_logs(e.of)]
        for e in known:
            out |= {phase.metric(e), *(f"{phase.metric(e)}_{name}" for name in e.of.beside)}
        if len(known) == len(phase.minimise):
            out |= {f"{phase.name}/loss", phase.unscheduled}
    return out


def _of_logs(term: ugm_tf.Term) -> bool:
    if isinstance(term, ugm_tf.DiscriminatorLoss):
        return ugm_tf.contests.get(term.contest).log_ratio
    return isinstance(
        term, ugm_tf.NegativeLogProb | ugm_tf.KL | ugm_tf.ImportanceWeightedBound | ugm_tf.TotalCorrelation
    )


def bound(model: ugm_tf.UnifiedModel, held_out: Inputs, draws: int = _DRAWS, number: int = _BOUNDED) -> Figure:
    """The importance-weighted bound on log p(x), the ELBO for one draw, over the first examples, with its
    standard error."""
    data = held_out.first(number)
    generative, inference = model.recipe.bound() or ((), ())
    asked = {variable for name in (*generative, *inference) for variable in model.recipe.roles[name].given}
    inferred = {model.recipe.roles[name].of for name in inference}
    given = {name: value for name, value in data.items() if name in asked - inferred - {"x"}}
    values = np.asarray(model.log_prob_bound(data["x"], draws, 0, **given))
    how = {"split": held_out.examples.split, "k": draws, "seed": 0, "observation": held_out.observation}
    error = None if len(values) < 2 else float(np.std(values, ddof=1) / np.sqrt(len(values)))
    how |= {} if error is None else {"error": "over examples"}
    name = "ELBO" if draws == 1 else f"bound on log p(x), k={draws}"
    return Figure(name, Estimate(float(np.mean(values)), error, len(values), how))


def bounds(model: ugm_tf.UnifiedModel, held_out: Inputs, draws: int = _DRAWS, number: int = _BOUNDED) -> list[Figure]:
    """`bound`, and beside it as bits per dimension of x, where x is levels, or its density that of dequantised ones.

    The density of a level n of 256 that is spread over [n / 256, (n+1) / 256] bounds the level's probability: a
    dimension is then log2(256) = 8 bits more.

    References:
        Lucas Theis, Aaron van den Oord, Matthias Bethge. A note on the evaluation of generative models. ICLR 2016.
        https://arxiv.org/abs/1511.01844, section 3.1.
    """
    of = bound(model, held_out, draws, number)._replace(name=f"bound on log p(x), k={draws}")
    counted = model.densities["decoder"].family.support in ("binary", "levels")
    dequantised = held_out.observation == "dequantised"
    if not counted and not dequantised:
        return [of]
    scale = -1.0 / (np.log(2.0) * np.prod(held_out.examples.shape))
    estimate = dataclasses.replace(
        of.estimate,
        value=float(scale * of.estimate.value) + (0.0 if counted else 8.0),
        error=None if of.estimate.error is None else float(-scale * of.estimate.error),
    )
    return [of, Figure(f"bits per dimension, k={draws}", estimate, "bits")]


def sample_quality(
    model: ugm_tf.UnifiedModel, held_out: ugm_tf.data.Examples, network: FeatureNetwork, seeds: int = 1
) -> list[Figure]:
    """What a classifier of the training examples makes of samples: means over seeds of sampling, with their
    deviation; and of the held-out examples."""
    drawn = [pictures.samples(model, _JUDGED, seed=1 + seed) for seed in range(seeds)]
    given = [network.probabilities(pictures.seen(x)) for x, _ in drawn]
    each = [ugm_tf.evaluation.judgement_of(p) for p in given]
    images = scaled(held_out, first(held_out))
    told = network.probabilities(images)
    real = ugm_tf.evaluation.judgement_of(told) if len(told) > 1 else None  # one image has no spread of classes
    classes = told.shape[1]
    sure = {} if held_out.c is None else {"classifier_accuracy": _accuracy(told, held_out.c[: len(told)])}
    judge = {**network.how, **sure}
    how: dict[str, Any] = {"n_fake": _JUDGED, "sampling_seeds": [1 + seed for seed in range(seeds)], **judge}
    how |= {"error": "deviation over sampling seeds"} if seeds > 1 else {}
    of_real = {"n_real": len(images), "split": held_out.split, **judge}

    def figure(name: str, unit: str, values: Sequence[float], of_data: float | None = None, **more: Any) -> Figure:
        spread = float(np.std(values, ddof=1)) if seeds > 1 else None
        estimate = Estimate(float(np.mean(values)), spread, seeds * _JUDGED, {**how, **more})
        real = None if of_data is None else Estimate(of_data, None, len(images), {**of_real, **more})
        return Figure(name, estimate, unit, real)

    def own(name: str) -> float | None:
        return None if real is None else float(getattr(real, name))

    out = [
        figure("classes covered", f"of {classes}", [j.coverage for j in each], own("coverage"), least=0.01),
        figure("classifier's confidence", "", [j.confidence for j in each], own("confidence")),
        figure("class entropy of a sample", "nats", [j.entropy for j in each], own("entropy")),
        figure(
            "inception score",
            f"of {classes}",
            [j.inception_score for j in each],
            own("inception_score"),
            splits=1,
        ),
    ]
    if asked := [c for _, c in drawn if c is not None]:
        found = [np.argmax(p, -1) for p in given]
        if "c" in model.recipe.data:
            right = [float(np.mean(f == a)) for f, a in zip(found, asked, strict=True)]
            of_data = sure.get("classifier_accuracy")
            out.insert(1, figure("samples of the class asked for", "", right, of_data, classes="as many of each"))
        else:
            right = [_purity(f, a) for f, a in zip(found, asked, strict=True)]
            counted = "of a code the commonest among its samples, as many samples of each code"
            out.insert(1, figure("samples of their code's class", "", right, classes=counted))
    return out


def _accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """How often a classifier is right."""
    return float(np.mean(np.argmax(probabilities, -1) == labels))


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
        how: dict[str, Any] = {
            "split": examples.split,
            "data": examples.name,
            "observation": held_out.observation,
            "error": "over examples",
        }
        rate = float(np.mean(ugm_tf.evaluation.classified(model, x) == examples.c))
        out.append(Figure(f"accuracy{suffix}", Estimate(rate, _error(rate, len(x)), len(x), how)))
        rate = ugm_tf.evaluation.accuracy(alone, x, examples.c)
        kind = "labelled" if training.labelled is not None else "source" if held_out.target is not None else "training"
        how["classifier"] = f"the same, trained on the {len(labelled)} {kind} examples alone"
        how["seed"] = model.seed
        out.append(Figure(f"accuracy{suffix}, labels alone", Estimate(rate, _error(rate, len(x)), len(x), how)))
    return out


def translations(
    model: ugm_tf.UnifiedModel, training: Inputs, held_out: Inputs, cache_dir: str | None = None
) -> list[Figure]:
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
            network, seen = FeatureNetwork.trained(train, cache_dir), first(there)
            rates = [
                float(np.mean(np.argmax(network.probabilities(images), -1) == labels))
                for images, labels in ((pictures.seen(moved), here.c), (scaled(there, seen), there.c[seen]))
            ]
            how = {"split": here.split, "error": "over examples", **network.how}
            estimates = [
                Estimate(rate, _error(rate, n), n, how)
                for rate, n in zip(rates, (len(x), len(there.c[seen])), strict=True)
            ]
            out.append(Figure(f"accuracy, {arrow}", estimates[0], real=estimates[1]))
        error = ugm_tf.evaluation.cycle_error(x, back)
        how = {"split": here.split, "mean": "absolute difference of a pixel in [0, 1], there and back"}
        out.append(Figure(f"cycle error, {arrow} and back", Estimate(error, None, len(x), how)))
    return sorted(out, key=lambda figure: not figure.name.startswith("accuracy"))


def redundancy(model: ugm_tf.UnifiedModel, training: Inputs, held_out: Inputs) -> list[Figure]:
    """Of a model that predicts each unit of its code from the others: how much they say of it."""
    x, y = (np.concatenate([b["x"] for b in inputs.once()]) for inputs in (training, held_out))
    found = ugm_tf.evaluation.redundancy(model, x, y)
    how = {"split": held_out.examples.split, "draws": 20, "sum": "over units"}
    read = [f for f in losses(model, held_out, every=True) if f.name.endswith("/distortion")]
    more = "learned on while the code was held"
    return [
        *(f._replace(name="distortion") for f in read),
        Figure("cross-entropy of single units", Estimate(found.marginal, None, len(y), how)),
        Figure("redundancy of the code", Estimate(found.redundancy, None, len(y), {**how, "predictor": more})),
    ]


def _error(rate: float, number: int) -> float:
    return float(np.sqrt(rate * (1.0 - rate) / number))


def first(examples: ugm_tf.data.Examples) -> slice:
    """As many examples as may be in memory at once as floats: all but of sets that are larger than it."""
    return slice(_MOST_BYTES // (4 * int(np.prod(examples.shape))))


def scaled(examples: ugm_tf.data.Examples, rows: slice | np.ndarray) -> np.ndarray:
    """The images of some rows in [0, 1], float32 [N, H, W, C]."""
    return np.asarray(examples.x[rows], np.float32) / 255.0
