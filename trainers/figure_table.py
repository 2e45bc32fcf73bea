"""The table of figures: what each is, which models and data have it, how it is measured, and in which unit.

The end of a run and `trainers.evaluate` read it; the first rows matter most.  A new figure is a new row.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import ugm_tf

from . import figures, likelihood_figures, sample_figures
from .figure import Figure
from .parts import Parts
from .subject import Effort, Subject

__all__ = ["AT_THE_END", "ROWS", "Effort", "Row", "Skipped", "Subject", "check_metrics", "measure"]

_QUICK = 10_000  # training examples up to which a classifier takes seconds
_LOG = logging.getLogger("ugm_tf.trainers")

AT_THE_END = Effort(examples=500, seeds=1, quick=True)

Condition = Callable[[Subject, Effort], str | None]


@dataclasses.dataclass(frozen=True)
class Row:
    """Figures that are measured together.

    Attributes:
        key: What `--metrics` calls them.
        group: What they are about: the report's heading.
        names: Their names, or how those begin.
        needs: Conditions, each of which returns what is missing, in words, or None.
        measure: Measures them.
        unit: Their unit; "" for a share, or where each has its own.
    """

    key: str
    group: str
    names: tuple[str, ...]
    needs: Sequence[Condition]
    measure: Callable[[Subject, Effort], list[Figure]]
    unit: str = ""

    def lacks(self, subject: Subject, effort: Effort) -> str | None:
        """Why these figures cannot be measured here; None if they can."""
        if effort.metrics is not None and self.key not in effort.metrics:
            return f"not asked for: --metrics={','.join(effort.metrics)}"
        return next((reason for condition in self.needs if (reason := condition(subject, effort))), None)


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A figure that was not measured.

    Attributes:
        name: Of the figure.
        reason: Why, in words.
    """

    name: str
    reason: str


class Kept(Protocol):
    """Rows that an interrupted measurement had finished."""

    def get(self, key: str) -> list[Figure] | None:
        """The figures of a row; None if it is to be measured."""

    def put(self, key: str, found: list[Figure]) -> None:
        """Keeps the figures of a row."""


def measure(
    subject: Subject,
    effort: Effort,
    rows: Sequence[Row] | None = None,
    parts: Parts | None = None,
    kept: Kept | None = None,
) -> tuple[list[Figure], list[Skipped]]:
    """The figures that this model and these data have, in the table's order, and why they have no others.

    Args:
        subject: What to measure.
        effort: How thoroughly.
        rows: Those to measure; all of `ROWS` if not given.
        parts: Takes the errors of rows that fail, which cost no other row then; if not given, the first is raised.
        kept: Rows that are done already, to which others are added.
    """
    found: list[Figure] = []
    skipped: list[Skipped] = []
    rows = ROWS if rows is None else rows
    for i, row in enumerate(rows):
        if (reason := row.lacks(subject, effort)) is not None:
            skipped += [Skipped(name, reason) for name in row.names]
            continue
        each = kept.get(row.key) if kept is not None else None
        if each is None:
            if not effort.quick:
                _LOG.info("Measuring %s (%d of %d).", row.key, i + 1, len(rows))
            make = functools.partial(row.measure, subject, effort)
            made = make() if parts is None else parts.attempt(f"figures: {', '.join(row.names)}", make)
            if made is None and parts is not None:
                skipped += [Skipped(name, f"failed: {parts.failures[-1].error}") for name in row.names]
                continue
            each = [_whole(figure, row, subject) for figure in made or ()]
            if kept is not None:
                kept.put(row.key, each)
        found += each
    return found, skipped


def check_metrics(metrics: Sequence[str]) -> None:
    """Refuses keys that no row has.

    Raises:
        ValueError: If there is one.
    """
    known = [row.key for row in ROWS]
    if wrong := [key for key in metrics if key not in known]:
        raise ValueError(f"--metrics knows {', '.join(known)}. Received: {', '.join(wrong)}.")


def _whole(figure: Figure, row: Row, subject: Subject) -> Figure:
    """A figure with the unit of its row, and which weights it is of."""
    how = dict(figure.estimate.how) | ({"of": subject.weights} if subject.weights else {})
    estimate = dataclasses.replace(figure.estimate, how=how)
    return figure._replace(estimate=estimate, unit=figure.unit or row.unit, group=figure.group or row.group)


def _classifier(subject: Subject, _: Effort) -> str | None:
    return None if ugm_tf.evaluation.has_classifier(subject.model) else "the recipe has no classifier"


def _translator(subject: Subject, _: Effort) -> str | None:
    return None if ugm_tf.evaluation.is_translator(subject.model) else "the recipe does not translate between domains"


def _predictor(subject: Subject, _: Effort) -> str | None:
    return None if ugm_tf.evaluation.has_predictor(subject.model) else "the recipe has no predictor of its code's units"


def _bound(subject: Subject, _: Effort) -> str | None:
    return None if subject.model.can("log_prob_bound") else "the recipe has no bound on log p(x)"


def _sampler(subject: Subject, _: Effort) -> str | None:
    return None if subject.model.can("sample") else "the recipe draws no samples"


def _images(subject: Subject, _: Effort) -> str | None:
    return None if subject.training.examples.is_image else "the data are no images"


def _labels(subject: Subject, _: Effort) -> str | None:
    return "the data have no labels" if subject.training.examples.c is None else None


def _seeds(_: Subject, effort: Effort) -> str | None:
    return None if effort.seeds else "no set of samples was asked for: --seeds=0"


def _classifier_of_the_data(subject: Subject, effort: Effort) -> str | None:
    number = len(subject.training.examples)
    if not effort.quick or number <= _QUICK:
        return None
    return f"a classifier of {number:,} examples takes minutes to train; `trainers.evaluate` trains one"


def _thorough(_: Subject, effort: Effort) -> str | None:
    return "measured by `trainers.evaluate`" if effort.quick else None


def _asked(_: Subject, effort: Effort) -> str | None:
    return None if effort.metrics is not None else "takes long, and is measured where --metrics names it"


def _stacked(subject: Subject, _: Effort) -> str | None:
    return None if ugm_tf.data.unstacked(subject.training.examples) else "the data are no stacked set"


def _seen(subject: Subject, _: Effort) -> str | None:
    examples = subject.training.examples
    if not examples.is_image or examples.c is not None or subject.features.path is not None:
        return None
    return "the data have no labels for a feature network to learn: give one by --features=PATH"


def _some(subject: Subject, _: Effort) -> str | None:
    number = len(subject.held_out.examples)
    return None if number >= 20 else f"{number} examples are held out, and these figures take at least 20"


def _conditional(subject: Subject, _: Effort) -> str | None:
    asked = sample_figures.conditional(subject.model)
    return None if asked else "samples cannot be asked for by the classes of the data"


def _anneals(subject: Subject, _: Effort) -> str | None:
    can = likelihood_figures.can_anneal(subject.model)
    return None if can else "annealing takes a decoder p(x | z) and a prior p(z)"


_COMPARED = (_sampler, _thorough, _seen, _some)

ROWS: tuple[Row, ...] = (
    Row(
        "accuracy",
        "Classifier",
        names=("accuracy", "accuracy, labels alone"),
        needs=(_classifier,),
        measure=lambda s, _: figures.accuracies(s.model, s.training, s.held_out),
    ),
    Row(
        "translation",
        "Translation",
        names=("accuracy, source to target", "cycle error"),
        needs=(_translator, _images, _classifier_of_the_data),
        measure=lambda s, _: figures.translations(s.model, s.training, s.held_out, s.cache_dir),
    ),
    Row(
        "classes",
        "Samples",
        names=("classes covered", "classifier's confidence", "class entropy of a sample", "inception score"),
        needs=(_sampler, _images, _labels, _seeds, _classifier_of_the_data),
        measure=lambda s, e: figures.sample_quality(s.model, s.held_out.examples, s.classes, seeds=e.seeds),
    ),
    Row(
        "modes",
        "Samples",
        names=("modes found", "reverse KL of modes"),
        needs=(_sampler, _stacked, _thorough),
        measure=lambda s, e: sample_figures.modes(s, e),
    ),
    Row(
        "distances",
        "Samples",
        names=(
            "Frechet distance",
            "kernel distance",
            "sliced Wasserstein distance",
            "Frechet distance at infinity",
        ),
        needs=_COMPARED,
        measure=lambda s, e: sample_figures.distances(s, e),
    ),
    Row(
        "manifold",
        "Samples",
        names=("precision", "recall", "density", "coverage"),
        needs=_COMPARED,
        measure=lambda s, e: sample_figures.manifold(s, e),
    ),
    Row(
        "memorisation",
        "Samples",
        names=(
            "authenticity",
            "data-copying statistic",
            "nearest neighbour in training data",
            "feature likelihood divergence",
        ),
        needs=_COMPARED,
        measure=lambda s, e: sample_figures.memorisation(s, e),
    ),
    Row(
        "diversity",
        "Samples",
        names=("Vendi score",),
        needs=_COMPARED,
        measure=lambda s, e: sample_figures.diversity(s, e),
    ),
    Row(
        "cas",
        "Samples",
        names=("classification accuracy score",),
        needs=(_sampler, _thorough, _images, _labels, _conditional, _seeds),
        measure=lambda s, e: sample_figures.accuracy_score(s, e),
    ),
    Row(
        "redundancy",
        "Code",
        names=("cross-entropy of single units", "redundancy of the code"),
        needs=(_predictor,),
        measure=lambda s, _: figures.redundancy(s.model, s.training, s.held_out),
        unit="nats",
    ),
    Row(
        "elbo",
        "Likelihood",
        names=("ELBO",),
        needs=(_bound, _thorough),
        measure=lambda s, _: [figures.bound(s.model, s.held_out, draws=1, number=len(s.held_out.examples))],
        unit="nats",
    ),
    Row(
        "bound",
        "Likelihood",
        names=("bound on log p(x)",),
        needs=(_bound,),
        measure=lambda s, e: [figures.bound(s.model, s.held_out, e.draws, e.examples or len(s.held_out.examples))],
        unit="nats",
    ),
    Row(
        "rates",
        "Likelihood",
        names=("rate", "mutual information of the code", "marginal KL of the code", "active units"),
        needs=(_bound, _thorough),
        measure=lambda s, e: likelihood_figures.rates(s, e),
        unit="nats",
    ),
    Row(
        "annealed",
        "Likelihood",
        names=("annealed log p(x)",),
        needs=(_thorough, _anneals, _asked),
        measure=lambda s, e: likelihood_figures.annealed(s, e),
        unit="nats",
    ),
    Row(
        "losses",
        "Losses",
        names=("loss of each phase",),
        needs=(),
        measure=lambda s, e: figures.losses(s.model, s.held_out, every=not e.quick),
        unit="nats",
    ),
)
