"""The divergence probe of a run: its rows in probe.csv, its words in the log, and its section of the report."""

import dataclasses
import logging
import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import keras

import ugm_tf
from ugm_tf import files
from ugm_tf.callbacks import DivergenceProbe
from ugm_tf.callbacks.warnings import warnings_of

from . import curves, metrics
from .inputs import Inputs

__all__ = ["MEANINGS", "Asked", "Rows", "check", "classifier", "section", "watching"]

_LEAST = 20  # validation examples
_QUICK = 10_000  # training examples up to which a classifier takes seconds
_LOG = logging.getLogger("ugm_tf.trainers")

# By figure: what it is, and how it reads.
MEANINGS: dict[str, str] = {
    "jsd": "Jensen-Shannon divergence of the two sides, nats: 0 where samples are like data, 0.69 where nothing is",
    "kl_generated": "KL(p(x | y=0) || q^r), nats: what pulls samples to the data",
    "kl_real": "KL(p(x | y=1) || q^r), nats: of heavy tails where the discriminator is sure",
    "discriminator_gap": "how far the discriminator's loss is above the best one's, nats: it is behind where large",
    "objective": "mean KL less JSD, the right side of Lemma 1, nats: what the generator descends, net",
    "cosine": "between the gradients of KL and JSD: near 1 they pull one way, and half the KL is left",
    "pull": "slope of the generator's loss in the logit: near 0 it saturates",
    "real_accuracy": "how often the discriminator is right on data that it has not seen",
    "fake_accuracy": "how often the discriminator is right on samples",
    "spread": "variance of samples over that of data: far below 1 where modes are dropped",
    "coverage": "share of classes that samples reach",
    "training_accuracy": "how often the discriminator is right on training data: by heart, if far above real_accuracy",
    "authenticity": "share of samples that are no near copies of training examples",
    "authenticity_held_out": "the same of data that the model has not seen: what to compare it with",
    "rate": "KL(q(z | x) || p(z)), nats: near 0 where the posterior has collapsed",
    "distortion": "E -log p(x | z), nats: rate and distortion are the negative ELBO",
    "active_units": "units of the code that vary with x",
}
_BOUND = ("rate", "distortion", "active_units")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is asked of a probe.

    Attributes:
        every: Steps between measurements.
        budget: The share of the training time that they may take.
    """

    every: int
    budget: float = 0.03


class Rows(keras.callbacks.Callback):
    """Writes a row for each epoch in which the probe measured, and says its warnings when they change.

    It comes after the probe in the list of callbacks, and before TensorBoard.  What the probe found is of the time that
    it was given, so it has a file of its own: metrics.csv is the same with it and without, and after a restart.

    Args:
        path: probe.csv.
        probe: The probe.
    """

    def __init__(self, path: str | os.PathLike[str], probe: DivergenceProbe):
        super().__init__()
        self.path, self.probe = pathlib.Path(path), probe
        self._written, self._epoch = -1, -1
        self._said: tuple[str, ...] = ()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._write()

    def on_train_end(self, logs: Any = None) -> None:
        if self._epoch >= 0 and self.probe.measured_at == int(self.model.steps):  # the last one is made now
            metrics.truncate(self.path, self._epoch)
            self._written = -1
            self._write()
        if self.probe.passed_over:
            _LOG.warning(
                "Probe: %d measurements were passed over, which would have taken more than %g%% of the time; "
                "--probe_budget gives it another share.",
                self.probe.passed_over,
                100 * self.probe.budget,
            )

    def _write(self) -> None:
        if self.probe.measured_at == self._written:
            return
        self._written = self.probe.measured_at
        rows = metrics.read(self.path) if self.path.exists() and self.path.stat().st_size else []
        rows.append({"epoch": self._epoch, "step": self._written, **self.probe.latest})
        columns = sorted(
            {name for row in rows for name in row} - {"epoch", "step"}
        )  # of what is not finite there is less
        lines = [",".join(["epoch", "step", *columns])]
        for row in rows:
            found = (repr(float(row.get(name, math.nan))) for name in columns)
            lines.append(",".join([str(int(row["epoch"])), str(int(row["step"])), *found]))
        files.write(self.path, "".join(f"{line}\n" for line in lines).encode())
        if self.probe.warnings != self._said:
            self._said = self.probe.warnings
            _LOG.warning(
                "Probe, step %d: %s.",
                self._written,
                "; ".join(self._said) or "no threshold of a warning is passed any more",
            )


def watching(
    path: str | os.PathLike[str],
    asked: Asked | None,
    training: Inputs,
    held_out: Inputs,
    judge: keras.Model | None,
) -> list[keras.callbacks.Callback]:
    """The probe and what writes its rows; nothing where it is not asked for.

    Args:
        path: probe.csv.
        asked: How often it measures; None for no probe.
        training: What the model learns from, to find copies of it.
        held_out: What is measured on.
        judge: A classifier of the data, for the classes that samples reach.
    """
    if asked is None:
        return []
    probe = DivergenceProbe(
        held_out.once(250), asked.every, budget=asked.budget, classifier=judge, training=training.once(250)
    )
    return [probe, Rows(path, probe)]


def check(asked: Asked | None, held_out: Inputs) -> None:
    """Refuses a probe of too few validation examples, before work starts.

    Raises:
        ValueError: With how many there are.
    """
    if asked is not None and len(held_out.examples) < _LEAST:
        raise ValueError(
            f"--probe_every measures on at least {_LEAST} validation examples. Received: {len(held_out.examples)} of "
            f"{held_out.examples.title}. Leave it out, or give more data."
        )


def classifier(examples: ugm_tf.data.Examples, asked: Asked | None, cache_dir: str | None = None) -> keras.Model | None:
    """A classifier of the training data for the probe; None without a probe, or where it would take minutes."""
    if asked is None or not examples.is_image or examples.c is None or len(examples) > _QUICK:
        return None
    if examples.num_classes == 1:
        return None
    return ugm_tf.evaluation.FeatureNetwork.trained(examples, cache_dir).classifier


def section(path: str | os.PathLike[str], epochs: Sequence[int]) -> dict[str, Any] | None:
    """What the report shows of a probe: the same lines for every recipe; None where there was no probe.

    Args:
        path: probe.csv.
        epochs: The epochs of the report's other charts, whose x axis these share.
    """
    path = pathlib.Path(path)
    rows = metrics.read(path) if path.exists() else []
    if not rows:
        return None
    found = {int(row["epoch"]): row for row in rows}
    drawn = [{"epoch": epoch, **found.get(epoch, {})} for epoch in epochs] or rows
    last = {name: value for name, value in rows[-1].items() if name not in curves.NOT_METRICS}
    return {
        "curves": curves.curves(drawn, {"": "probe"}),
        "step": int(rows[-1]["step"]),
        "warnings": warnings_of(last),
        "lines": [line for name in MEANINGS for line in _lines(name, last)],
    }


def _lines(name: str, last: dict[str, float]) -> list[dict[str, str]]:
    """A figure's line, one for each discriminator; of a recipe that has no such figure, the reason."""
    own = {column: value for column, value in last.items() if column.rpartition("/")[2] == name}
    if own:
        return [
            {"name": column.removeprefix("probe/"), "value": curves.number(value), "meaning": MEANINGS[name]}
            for column, value in own.items()
        ]
    kind = "no bound on log p(x)" if name in _BOUND else "no discriminator"
    whole = any(column.rpartition("/")[2] == ("rate" if name in _BOUND else "jsd") for column in last)
    reason = "not measured of this recipe and these data" if whole else f"the recipe has {kind}"
    return [{"name": name, "value": "–", "meaning": f"{MEANINGS[name]}. Here: {reason}"}]
