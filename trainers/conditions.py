"""What figures need of a model, of its data and of who asks: each condition says what is missing, or None."""

import ugm_tf
from ugm_tf.data.toys import TOYS

from . import likelihood_figures
from .subject import Effort, Subject

__all__ = [
    "anneals",
    "asked",
    "bound",
    "classes",
    "classifier",
    "classifier_of_the_data",
    "images",
    "labels",
    "modes",
    "predictor",
    "sampler",
    "seeds",
    "seen",
    "some",
    "thorough",
    "translator",
]

_LEAST = 20  # examples and samples that are compared
_QUICK = 10_000  # training examples up to which a classifier takes seconds


def classifier(subject: Subject, _: Effort) -> str | None:
    return None if ugm_tf.evaluation.has_classifier(subject.model) else "the recipe has no classifier"


def translator(subject: Subject, _: Effort) -> str | None:
    return None if ugm_tf.evaluation.is_translator(subject.model) else "the recipe does not translate between domains"


def predictor(subject: Subject, _: Effort) -> str | None:
    return None if ugm_tf.evaluation.has_predictor(subject.model) else "the recipe has no predictor of its code's units"


def bound(subject: Subject, _: Effort) -> str | None:
    return None if subject.model.can("log_prob_bound") else "the recipe has no bound on log p(x)"


def sampler(subject: Subject, _: Effort) -> str | None:
    return None if subject.model.can("sample") else "the recipe draws no samples"


def images(subject: Subject, _: Effort) -> str | None:
    return None if subject.training.examples.is_image else "the data are no images"


def labels(subject: Subject, _: Effort) -> str | None:
    examples = subject.training.examples
    if examples.c is None:
        return "the data have no labels"
    return "the data have one class" if examples.num_classes == 1 else None


def seeds(_: Subject, effort: Effort) -> str | None:
    return None if effort.seeds else "no set of samples was asked for: --seeds=0"


def classifier_of_the_data(subject: Subject, effort: Effort) -> str | None:
    number = len(subject.training.whole or subject.training.examples)
    if not effort.quick or number <= _QUICK:
        return None
    return f"a classifier of {number:,} examples takes minutes to train; `trainers.evaluate` trains one"


def thorough(_: Subject, effort: Effort) -> str | None:
    return "measured by `trainers.evaluate`" if effort.quick else None


def asked(_: Subject, effort: Effort) -> str | None:
    return None if effort.metrics is not None else "takes long, and is measured where --metrics names it"


def modes(subject: Subject, _: Effort) -> str | None:
    examples = subject.training.examples
    known = examples.name in TOYS or ugm_tf.data.unstacked(examples)
    return None if known else "the modes of the data are not known: they are no stacked set, ring or grid"


def classes(subject: Subject, _: Effort) -> str | None:
    of_modes = ugm_tf.data.unstacked(subject.training.examples) is not None
    return "the data are a stacked set, whose classes are counted as modes" if of_modes else None


def seen(subject: Subject, _: Effort) -> str | None:
    examples = subject.training.examples
    if not examples.is_image or examples.c is not None or subject.features.path is not None:
        return None
    return "the data have no labels for a feature network to learn: give one by --features=PATH"


def some(subject: Subject, effort: Effort) -> str | None:
    number = len(subject.held_out.examples)
    if number < _LEAST:
        return f"{number} examples are held out, and these figures take at least {_LEAST}"
    if effort.samples is not None and effort.samples < _LEAST:
        return f"--samples={effort.samples}, and these figures take at least {_LEAST}"
    return None


def anneals(subject: Subject, _: Effort) -> str | None:
    can = likelihood_figures.can_anneal(subject.model)
    return None if can else "annealing takes a decoder p(x | z) and a prior p(z)"
