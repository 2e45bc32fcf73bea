"""Which divergences a training run descends, while it trains."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf import validation
from ugm_tf.callbacks.pair_probe import PairProbe
from ugm_tf.callbacks.references import References, concatenated, spread
from ugm_tf.callbacks.warnings import warnings_of
from ugm_tf.evaluation import judged
from ugm_tf.evaluation.checks import check_count, check_rows
from ugm_tf.evaluation.likelihood import rates
from ugm_tf.evaluation.ratio import pooled

__all__ = ["DivergenceProbe"]

_ACTIVE = 0.01


class DivergenceProbe(keras.callbacks.Callback):
    """Measures on held-out data, now and then, what each phase of the recipe is about; in nats.

    For each discriminator's phase a small network of the probe's own, and the discriminator's logits beside it,
    estimate the log-ratio of the two sides; from it and these logits come (`ugm_tf.evaluation.divergences`):

    - `probe/jsd`, the Jensen-Shannon divergence of the sides, from 0 to log 2 = 0.69;
    - `probe/kl_generated` and `probe/kl_real`, KL(p(x | y) || q^r(x | y)) for y = 0 and 1;
    - `probe/discriminator_gap`, how far the discriminator's loss is from the best one's;
    - `probe/objective`, the right side of Lemma 1; `probe/cosine`, between the gradients of its KL and its JSD;
    - `probe/pull`, the mean slope of the generator's loss in l: near 0 where it saturates;
    - `probe/real_accuracy` and `probe/fake_accuracy`, how often the discriminator is right on each side, but for
      critics; `probe/training_accuracy`, with `training` data: how often it is right on those;

    and of samples, by what a discriminator judges, or of a recipe without one by `sample`:

    - `probe/spread`, the variance of generated examples over that of real ones;
    - `probe/coverage`, the share of real classes that samples reach, with a `classifier`;
    - `probe/authenticity`, with `training` data: the share of samples farther from their nearest training example than
      that is from its own; and `probe/authenticity_held_out`, the same of held-out data.

    For a recipe with a bound: `probe/rate`, `probe/distortion` and `probe/active_units`.  Of several discriminators'
    phases each has its name in between: `probe/discriminate_z/jsd`.

    They are in the logs of an epoch's end, so in the history, `CSVLogger` and TensorBoard, if the probe stands
    before those in the list; `warnings` says in words what they mean.  The probe draws by seeds of its own, with
    networks as in inference, and changes nothing of the model: training goes the same way, bit for bit, with it or
    without.

    Args:
        held_out: Data that the model does not train on, as `evaluate` takes them.
        every: Steps between measurements.
        steps: Steps of the probe's network, which begins anew, for a measurement.
        size: Units of its hidden layers.
        budget: The share of the training time that measurements may take; one that would take more is passed over, and
            counted in `passed_over`; `spent` is what they took, in seconds.  The first and the last measurement of a
            run are always made, and count, too.
        examples: How many held-out examples are looked at.
        classifier: A Keras model from images to logits, [N, C], such as `ugm_tf.evaluation.train_classifier` gives.
        training: Training data, as `held_out`, which the log-ratio learns from, and to find copies by.  Without them,
            or with less than half as many as held-out ones, it learns from a half of these, and is measured on the
            other.
        seed: Fixes the probe.

    Raises:
        ValueError: If held-out data are less than 20 examples or are none that `fit` takes, or a number is out of
            range.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018. https://arxiv.org/abs/1706.00550, Lemma 1.

    Example:

    >>> x = np.random.default_rng(0).integers(0, 2, (80, 8, 8, 1)).astype(np.float32)
    >>> recipe = ugm_tf.recipes.gan()
    >>> model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "z": (3,)}, hidden=(8,)))
    >>> model.compile("adam", jit_compile=False)
    >>> probe = ugm_tf.callbacks.DivergenceProbe(x[40:], every=1, steps=10)
    >>> history = model.fit(x[:40], epochs=2, callbacks=[probe], verbose=0).history
    >>> bool(-0.1 < history["probe/jsd"][-1] <= np.log(2.0))
    True
    """

    adds_to_logs = True

    def __init__(
        self,
        held_out: Any,
        every: int = 1000,
        steps: int = 100,
        size: Sequence[int] = (64, 64, 64),
        budget: float = 0.03,
        *,
        examples: int = 2000,
        classifier: Any = None,
        training: Any = None,
        seed: int = 0,
    ):
        super().__init__()
        self.every = check_count("every of a DivergenceProbe", every)
        self.steps = check_count("steps of a DivergenceProbe", steps)
        self.examples = check_count("examples of a DivergenceProbe", examples, least=20)
        if isinstance(budget, str) or not 0.0 < budget <= 1.0:
            raise ValueError(f"budget is a share of the training time, above 0 and at most 1. Received: {budget!r}.")
        self.size = tuple(check_count("A width in size of a DivergenceProbe", units) for units in np.atleast_1d(size))
        self.budget, self.classifier, self.seed = budget, classifier, seed
        self.held_out, self.training = held_out, training
        self._of: Any = None
        self._forget()

    def _forget(self) -> None:
        """What was found, of another run or model."""
        self.latest: dict[str, float] = {}
        self.warnings: tuple[str, ...] = ()
        self.spent, self._cost, self._traced = 0.0, 0.0, False
        self.measured_at, self.passed_over = -1, 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._forget()
        self._prepare()
        self._began = time.perf_counter()
        self._next = int(np.asarray(self.model.steps)) + self.every

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(np.asarray(self.model.steps)) >= self._next:
            self._next = int(np.asarray(self.model.steps)) + self.every
            left = self.budget * (time.perf_counter() - self._began) - self.spent
            if self.measured_at < 0 or left > 2.0 * self._cost:  # this one, and the last one of the run
                self.measure()
            else:
                self.passed_over += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.measured_at < 0:
            self.measure()
        if logs is not None:
            logs.update(self.latest)

    def on_train_end(self, logs: Any = None) -> None:
        if int(np.asarray(self.model.steps)) != self.measured_at:
            self.measure()

    def measure(self, steps: int | None = None) -> dict[str, float]:
        """Measures now.

        Args:
            steps: Steps of the probe's network; those of a measurement while training, if it is not given.

        Returns:
            The figures by name, which stay in `latest`.
        """
        if self.model is None:
            raise ValueError("A DivergenceProbe measures a model: give it to fit() in callbacks=[...], or set_model().")
        self._prepare()
        start, steps = time.perf_counter(), self.steps if steps is None else check_count("steps", steps)
        out: dict[str, float] = {}
        at = int(np.asarray(self.model.steps))
        for each in self._pairs:
            prefix = "probe/" if len(self._pairs) == 1 else f"probe/{each.pair.phase}/"
            out |= {prefix + name: value for name, value in each.measure(steps, at).items()}
        out |= {f"probe/{name}": value for name, value in {**self._sampled(), **self._bound()}.items()}
        lost = [name.removeprefix("probe/") for name, value in out.items() if not np.isfinite(value)]
        self.latest, self.warnings = out, warnings_of({n: v for n, v in out.items() if np.isfinite(v)})
        if lost:
            self.warnings += (f"what the model draws or says is not finite, so these are not known: {', '.join(lost)}",)
        self.measured_at = at
        took = time.perf_counter() - start
        if self._traced:  # the first measurement traces: it does not tell what one costs
            self._cost = took
        self.spent, self._traced = self.spent + took, True
        return out

    def _prepare(self) -> None:
        """Reads the data for this model, once."""
        if self._of is self.model:
            return
        joint = self.model.joint
        self._batches = _batches(self.model, "held_out", self.held_out, self.examples)
        self._train = None if self.training is None else _batches(self.model, "training", self.training, 10_000)
        self._pairs = [
            PairProbe(joint, pair, self.size, self.seed + i, self._batches, self._train, self.classifier)
            for i, pair in enumerate(judged.judged_pairs(joint))
        ]
        self._references: References | None = None
        self._of = self.model

    def _sampled(self) -> dict[str, float]:
        """What draws of a recipe without a discriminator are beside data."""
        real = concatenated(self._batches, "x")
        if self._pairs or real is None or not self.model.can("sample"):
            return {}
        conditions = set(self.model.endpoints()["sample"].inputs) - {"seed"}
        given = {variable: concatenated(self._batches, variable) for variable in conditions}
        if any(value is None for value in given.values()):
            return {}
        seed = (self.seed + int(np.asarray(self.model.steps))) % 2**31
        fake = self.model.sample(len(real), seed, mean=False, **given)
        if fake.shape[1:] != real.shape[1:]:
            return {}
        if not np.isfinite(fake).all():
            return {"spread": float("nan")}
        if self._references is None:
            self._references = References(real, concatenated(self._train, "x"), self.classifier)
        rows, others = pooled([fake]), pooled([real])
        return {"spread": spread(rows, others), **self._references.figures(fake, rows, others)}

    def _bound(self) -> dict[str, float]:
        if not self.model.can("log_prob_bound"):
            return {}
        rate, distortion, units = rates.parts(self.model, self._batches, self.seed)
        active = np.sum(np.var(units, axis=0) > _ACTIVE)
        return {"rate": float(rate.mean()), "distortion": float(distortion.mean()), "active_units": float(active)}


def _batches(model: Any, what: str, data: Any, examples: int) -> list[dict[str, tf.Tensor]]:
    """At most so many examples in batches by variable."""
    if not isinstance(data, tf.data.Dataset):
        names = model.recipe.data
        data = data if isinstance(data, Mapping) else {names[0]: data}
        arrays = {name: check_rows(f"{what} data of {name}", array, least=20) for name, array in data.items()}
        arrays = {name: array[:examples] for name, array in arrays.items()}
        data = tf.data.Dataset.from_tensor_slices(arrays).batch(250)
    out, seen = [], 0
    for batch in data:
        values = model.joint.values(batch)
        try:
            validation.check_data(model.recipe, model.densities, values)
            validation.check_bytes(model.recipe, model.densities, model.joint.named(batch))
        except ValueError as error:
            raise ValueError(f"A DivergenceProbe's {what} data are as those that fit() takes. {error}") from error
        rows = min(len(next(iter(values.values()))), examples - seen)
        if rows > 0:
            out.append({name: value[:rows] for name, value in values.items()})
        seen += rows
        if seen >= examples:
            break
    if seen < 20:
        raise ValueError(f"A DivergenceProbe takes at least 20 examples of {what} data. Received: {seen}.")
    return out
