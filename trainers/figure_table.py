"""The table of figures: what each is, which models and data have it, how it is measured, and in which unit.

The end of a run and `trainers.evaluate` read it; the first rows matter most.  A new figure is a new row.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from . import conditions, figures, likelihood_figures, sample_figures
from .figure import Figure
from .parts import Parts
from .subject import Effort, Subject

__all__ = ["AT_THE_END", "ROWS", "Effort", "Row", "Skipped", "Subject", "check_metrics", "measure"]

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
    reasons = [row.lacks(subject, effort) for row in rows]
    done, number = 0, reasons.count(None)
    for row, reason in zip(rows, reasons, strict=True):
        if reason is not None:
            skipped += [Skipped(name, reason) for name in row.names]
            continue
        each, done = kept.get(row.key) if kept is not None else None, done + 1
        if each is None:
            if not effort.quick:
                _LOG.info("Measuring %s (%d of %d).", row.key, done, number)
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


def check_metrics(metrics: Sequence[str] | None) -> None:
    """Refuses keys that no row has, and none at all; None is for all.

    Raises:
        ValueError: If there is one.
    """
    known = [row.key for row in ROWS]
    if metrics is not None and not metrics:
        raise ValueError(f"--metrics is empty. Leave it out for all, or give some of {', '.join(known)}.")
    if wrong := [key for key in metrics or () if key not in known]:
        raise ValueError(f"--metrics knows {', '.join(known)}. Received: {', '.join(wrong)}.")


def _whole(figure: Figure, row: Row, subject: Subject) -> Figure:
    """A figure with the unit of its row, and which weights it is of."""
    how = dict(figure.estimate.how) | ({"of": subject.weights} if subject.weights else {})
    estimate = dataclasses.replace(figure.estimate, how=how)
    return figure._replace(
        estimate=estimate, unit=figure.unit or row.unit, group=figure.group or row.group, row=row.key
    )


_COMPARED = (conditions.sampler, conditions.thorough, conditions.seen, conditions.some)

ROWS: tuple[Row, ...] = (
    Row(
        "accuracy",
        "Classifier",
        names=("accuracy", "accuracy, labels alone"),
        needs=(conditions.classifier,),
        measure=lambda s, _: figures.accuracies(s.model, s.training, s.held_out),
    ),
    Row(
        "translation",
        "Translation",
        names=("accuracy, source to target", "cycle error"),
        needs=(conditions.translator, conditions.images, conditions.classifier_of_the_data),
        measure=lambda s, _: figures.translations(s.model, s.training, s.held_out, s.cache_dir),
    ),
    Row(
        "classes",
        "Samples",
        names=("classes covered", "classifier's confidence", "class entropy of a sample", "inception score"),
        needs=(
            conditions.sampler,
            conditions.images,
            conditions.labels,
            conditions.classes,
            conditions.seeds,
            conditions.classifier_of_the_data,
        ),
        measure=lambda s, e: figures.sample_quality(s.model, s.held_out.examples, s.classes, seeds=e.seeds),
    ),
    Row(
        "modes",
        "Samples",
        names=("modes found", "reverse KL of modes"),
        needs=(conditions.sampler, conditions.modes, conditions.thorough),
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
        needs=(
            conditions.sampler,
            conditions.thorough,
            conditions.images,
            conditions.labels,
            conditions.classes,
            conditions.seeds,
            conditions.some,
        ),
        measure=lambda s, e: sample_figures.accuracy_score(s, e),
    ),
    Row(
        "redundancy",
        "Code",
        names=("cross-entropy of single units", "redundancy of the code"),
        needs=(conditions.predictor,),
        measure=lambda s, _: figures.redundancy(s.model, s.training, s.held_out),
        unit="nats",
    ),
    Row(
        "elbo",
        "Likelihood",
        names=("ELBO",),
        needs=(conditions.bound, conditions.thorough),
        measure=lambda s, _: [figures.bound(s.model, s.held_out, draws=1, number=len(s.held_out.examples))],
        unit="nats",
    ),
    Row(
        "bound",
        "Likelihood",
        names=("bound on log p(x)", "bits per dimension"),
        needs=(conditions.bound,),
        measure=lambda s, e: figures.bounds(s.model, s.held_out, e.draws, e.examples or len(s.held_out.examples)),
        unit="nats",
    ),
    Row(
        "rates",
        "Likelihood",
        names=(
            "rate",
            "mutual information of the code",
            "marginal KL of the code",
            "active units",
            "total correlation of the code",
        ),
        needs=(conditions.bound, conditions.thorough),
        measure=lambda s, e: likelihood_figures.rates(s, e),
        unit="nats",
    ),
    Row(
        "annealed",
        "Likelihood",
        names=("annealed log p(x)",),
        needs=(conditions.thorough, conditions.anneals, conditions.asked),
        measure=lambda s, e: likelihood_figures.annealed(s, e),
        unit="nats",
    ),
    Row(
        "losses",
        "Losses",
        names=("loss of each phase",),
        needs=(),
        measure=lambda s, e: figures.losses(s.model, s.held_out, every=not e.quick),
    ),
)
