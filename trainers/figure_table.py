"""The table of figures: what each is, which models and data have it, how it is measured, and in which unit.

The end of a run and `trainers.evaluate` read it; the first rows matter most.  A new figure is a new row.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import ugm_tf

from . import figures
from .figures import Figure
from .inputs import Inputs
from .parts import Parts

__all__ = ["AT_THE_END", "ROWS", "Effort", "Row", "Skipped", "Subject", "measure"]

_QUICK = 10_000  # training examples up to which a classifier takes seconds


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """What figures are of.

    Attributes:
        model: A trained model.
        training: What it learned from.
        held_out: What it did not learn from.
        weights: Which weights of the model these are, in words.
    """

    model: ugm_tf.UnifiedModel
    training: Inputs
    held_out: Inputs
    weights: str = ""


@dataclasses.dataclass(frozen=True)
class Effort:
    """How thoroughly to measure.

    Attributes:
        draws: k of the importance-weighted bound.
        examples: How many held-out examples that bound is over; all if None.
        seeds: How many sets of samples a classifier judges; 0 for none.
        quick: Whether what takes minutes is left out, as at the end of a run.
    """

    draws: int = 100
    examples: int | None = None
    seeds: int = 3
    quick: bool = False


AT_THE_END = Effort(examples=500, seeds=1, quick=True)

Condition = Callable[[Subject, Effort], str | None]


@dataclasses.dataclass(frozen=True)
class Row:
    """Figures that are measured together.

    Attributes:
        names: Their names, or how those begin.
        needs: Conditions, each of which returns what is missing, in words, or None.
        measure: Measures them.
        unit: Their unit; "" for a share, or where each has its own.
    """

    names: tuple[str, ...]
    needs: Sequence[Condition]
    measure: Callable[[Subject, Effort], list[Figure]]
    unit: str = ""

    def lacks(self, subject: Subject, effort: Effort) -> str | None:
        """Why these figures cannot be measured here; None if they can."""
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


def measure(
    subject: Subject, effort: Effort, rows: Sequence[Row] | None = None, parts: Parts | None = None
) -> tuple[list[Figure], list[Skipped]]:
    """The figures that this model and these data have, in the table's order, and why they have no others.

    Args:
        subject: What to measure.
        effort: How thoroughly.
        rows: Those to measure; all of `ROWS` if not given.
        parts: Takes the errors of rows that fail, which cost no other row then; if not given, the first is raised.
    """
    found: list[Figure] = []
    skipped: list[Skipped] = []
    for row in ROWS if rows is None else rows:
        if (reason := row.lacks(subject, effort)) is not None:
            skipped += [Skipped(name, reason) for name in row.names]
        else:
            make = functools.partial(row.measure, subject, effort)
            each = make() if parts is None else parts.attempt(f"figures: {', '.join(row.names)}", make)
            found += [_whole(figure, row, subject) for figure in each or ()]
    return found, skipped


def _whole(figure: Figure, row: Row, subject: Subject) -> Figure:
    """A figure with the unit of its row, and which weights it is of."""
    of = f"of {subject.weights}" if subject.weights else ""
    return figure._replace(unit=figure.unit or row.unit, how="; ".join(filter(None, (figure.how, of))))


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


ROWS: tuple[Row, ...] = (
    Row(
        names=("accuracy", "accuracy, labels alone"),
        needs=(_classifier,),
        measure=lambda s, _: figures.accuracies(s.model, s.training, s.held_out),
    ),
    Row(
        names=("accuracy, source to target", "cycle error"),
        needs=(_translator, _images, _classifier_of_the_data),
        measure=lambda s, _: figures.translations(s.model, s.training, s.held_out),
    ),
    Row(
        names=("classes covered", "classifier's confidence", "class entropy of a sample", "inception score"),
        needs=(_sampler, _images, _labels, _seeds, _classifier_of_the_data),
        measure=lambda s, e: figures.sample_quality(s.model, s.training.examples, s.held_out.examples, seeds=e.seeds),
    ),
    Row(
        names=("cross-entropy of single units", "redundancy of the code"),
        needs=(_predictor,),
        measure=lambda s, _: figures.redundancy(s.model, s.training, s.held_out),
        unit="nats",
    ),
    Row(
        names=("ELBO",),
        needs=(_bound, _thorough),
        measure=lambda s, _: [figures.bound(s.model, s.held_out, draws=1, number=len(s.held_out.examples))],
        unit="nats",
    ),
    Row(
        names=("bound on log p(x)",),
        needs=(_bound,),
        measure=lambda s, e: [figures.bound(s.model, s.held_out, e.draws, e.examples or len(s.held_out.examples))],
        unit="nats",
    ),
    Row(
        names=("loss of each phase",),
        needs=(),
        measure=lambda s, e: figures.losses(s.model, s.held_out, every=not e.quick),
        unit="nats",
    ),
)
