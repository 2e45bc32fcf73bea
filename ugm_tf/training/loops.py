"""The loops of Keras over data: what they run, and what they refuse before they start."""

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf import validation
from ugm_tf.joint import Joint
from ugm_tf.training import (
    batches,
    distributed,
    execution,
    first_batch,
    health,
    keras_callbacks,
    keras_internals,
    steps,
)

__all__ = ["Loops"]


class Loops(keras.Model):
    """`fit`, `evaluate`, `predict` and their like, for single batches; a base class of models.

    Attributes:
        joint: The densities and the recipe.
        seed: Fixes every draw.
        steps: Number of training steps so far.
        optimizers: By phase.
        schedule: "alternating" or "simultaneous".
    """

    joint: Joint
    seed: int
    steps: Any
    optimizers: dict[str, keras.optimizers.Optimizer]
    schedule: str
    steps_per_execution: int  # Keras's own
    predict_function: Any
    _trackers: list[keras.metrics.Mean]
    _evaluated: keras.metrics.Sum

    def _start_loops(self) -> None:
        self.optimizers, self.schedule = {}, "alternating"
        self._left = execution.StepsLeft()
        self._epoch_steps: int | None = None
        self._fit_steps: int | None = None
        self._compile_arguments: dict[str, Any] = {}
        self._health: health.Health | None = None
        self._ends_at_nan = False  # a callback is there for it
        self.train_function: Any = None
        self.test_function: Any = None

    @property
    def check_values(self) -> bool:
        """Whether every batch is looked at; see `compile`."""
        return bool(self._compile_arguments.get("check_values", True))

    @property
    def distributed(self) -> bool:
        """Whether the model was made in the scope of a distribution strategy."""
        return self._distribute_strategy is not None

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers)

    def reset_metrics(self) -> None:
        super().reset_metrics()
        self._evaluated.reset_state()
        self._left.number = self._epoch_steps

    def run_phases(self, data: Any) -> dict[str, tf.Tensor]:
        """One training step: the phases in turn, or at once; returns the metrics' values, scalars in nats."""
        values = self._values(data)
        out = steps.train(self.joint, values, self.seed, self.steps.value, self.optimizers, self.schedule)
        self.steps.assign_add(1)
        return out

    def _run_watched(self, data: Any) -> dict[str, tf.Tensor]:
        """As `run_phases`, without updates at a bad step; and with the share of it that counts in the metrics."""
        if self._health is None:
            return self.run_phases(data)
        values, watch = self._values(data), self._health.watch(self.steps.value)
        out = steps.train(self.joint, values, self.seed, self.steps.value, self.optimizers, self.schedule, watch)
        good = watch.close()
        if not self._health.skip:
            self.steps.assign_add(tf.cast(good, self.steps.dtype))
            return out
        self.steps.assign_add(1)
        counted = {name: tf.where(good, value, tf.zeros_like(value)) for name, value in out.items()}
        return {**counted, execution.SHARE: tf.cast(good, tf.float32)}

    def evaluate_phases(self, data: Any) -> dict[str, tf.Tensor]:
        """The metrics' values on a batch, scalars in nats; nothing learns."""
        batch = tf.cast(self._evaluated.result(), tf.int32)
        self._evaluated.update_state(1.0)
        return steps.evaluate(self.joint, self._values(data), self.seed, self.steps.value, batch)

    def _values(self, data: Any) -> dict[str, tf.Tensor]:
        values = self.joint.values(data)
        batches.fits(self.joint, data)
        if self.check_values and tf.executing_eagerly():  # in a graph, it was looked at before
            arrays = {variable: np.asarray(value) for variable, value in values.items()}
            validation.check_values(self.joint.recipe, self.joint.densities, arrays)
        return values

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        return self._report(self._run_watched(data), data)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        return self._report(self.evaluate_phases(data), data)

    def _report(self, values: dict[str, tf.Tensor], data: Any) -> dict[str, tf.Tensor]:
        size = tf.cast(tf.shape(tf.nest.flatten(data)[0])[0], tf.float32) * values.get(execution.SHARE, 1.0)
        for metric in self._trackers:
            metric.update_state(values[metric.name], sample_weight=size)
        return {metric.name: metric.result() for metric in self._trackers}

    def make_train_function(self, force: bool = False) -> Any:
        if self.train_function is None or force:
            changed = [v for v in self.variables if not v.trainable and v is not self.steps]
            with self.distribute_strategy.scope():
                self._health = health.Health(self.joint, self._compile_arguments["on_nan"], changed)
            jit = bool(self.jit_compile)
            run = self._function_of(self._run_watched, self.train_step, jit, self._refuse_training)
            self.train_function = functools.partial(self._run_and_look, run, self._health)
        return self.train_function

    def _run_and_look(self, run: Any, watching: health.Health, iterator: Any) -> Any:
        """Runs steps; raises an error if one was bad, or lets a callback end the training that is there for it."""
        logs = run(iterator)
        try:
            watching.look()
        except FloatingPointError:
            if not self._ends_at_nan:
                raise
            finite = all(np.isfinite(float(value)) for value in logs.values())
            return dict.fromkeys(logs, float("nan")) if finite else logs  # else it was a gradient alone
        return logs

    def make_test_function(self, force: bool = False) -> Any:
        if self.test_function is None or force:
            # A last, smaller batch would be compiled anew: evaluation does without XLA.
            self.test_function = self._function_of(self.evaluate_phases, self.test_step, False, self._refuse_evaluation)
        return self.test_function

    def _function_of(self, step_values: Any, step: Any, jit: bool, refuse: Any) -> Any:
        if self.run_eagerly:
            return keras_internals.one_step_function(self, step)
        good = batches.good(self.joint) if self.check_values else None
        if self.distributed:
            going_on = self._health.fine if self._health and step_values == self._run_watched else None
            options = (self._trackers, self.steps_per_execution, self._left, good, refuse, going_on)
            return distributed.make_function(self.distribute_strategy, step_values, *options)
        fits = functools.partial(batches.fits, self.joint)
        most = self.steps_per_execution
        return execution.make_function(step_values, self._trackers, most, self._left, jit, good, refuse, fits)

    def _refuse_training(self, data: Any) -> None:
        done = int(self.steps.numpy())
        self._refuse(data, f"Training stopped before step {done + 1}, at a batch that does not fit")

    def _refuse_evaluation(self, data: Any) -> None:
        done = int(self._evaluated.result())
        self._refuse(data, f"Evaluation stopped at batch {done + 1}")

    def _refuse(self, data: Any, when: str) -> None:
        if data is None:  # it is in parts, on several devices
            raise ValueError(
                f"{when}: it holds NaN or values that the densities do not take. On one device the message says which."
            )
        batches.refuse(self.joint, data, when)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Nothing: the densities are built.  (Keras would run a step on a batch of symbols under a strategy.)"""

    def make_predict_function(self, force: bool = False) -> Any:
        if self.predict_function is None or force:
            super().make_predict_function(force)
            answer = self.predict_function

            def checked(data: Any) -> Any:
                if not self.distributed:
                    for batch in data:
                        self.check_call(keras.utils.unpack_x_y_sample_weight(batch)[0])
                return answer(data)

            self.predict_function = checked
        return self.predict_function

    def check_call(self, inputs: Any) -> None:
        """Refuses inputs that `model(inputs)` has no answer to."""
        raise NotImplementedError

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        whole_epoch: int | None = None,
        class_weight: Any = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains; as `keras.Model.fit`.

        Args:
            x: A `tf.data.Dataset` of dicts by variable (see `ugm_tf.data.batches`) or of tuples; or arrays.
            y: The recipe's second variable, where it has two and x is an array.
            whole_epoch: Steps of a whole epoch, where `steps_per_epoch` is what one that was stopped still has: steps
                are run in the same groups as in an epoch that was never stopped.
            class_weight: Refused: a phase's expectations have no classes.  Weigh them in the recipe.
            sample_weight: Refused, likewise.
            **kwargs: The other arguments of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: Before the first step, if the data do not fit the densities, never end while there is no
                number of steps, or a callback can do nothing with the model; and before a step whose batch has values
                that the densities do not take, of which nothing is learned then.
            FloatingPointError: At a step with a loss or a gradient that is not finite, see `compile`.
        """
        if class_weight is not None or sample_weight is not None:
            raise ValueError(
                "fit() takes no class_weight and no sample_weight: expectations are under the data as given. "
                "Weigh a term with Expectation(weight=...), or draw the data with other frequencies."
            )
        keras_internals.assert_compiled(self, "fit")
        kwargs = first_batch.check_counts("fit()", kwargs | {"whole_epoch": whole_epoch})
        whole_epoch, steps, size = kwargs.pop("whole_epoch"), kwargs.get("steps_per_epoch"), kwargs.get("batch_size")
        first_batch.check_end(x, steps, "give fit() steps_per_epoch")
        held_out = kwargs.get("validation_data")
        kwargs["callbacks"] = keras_callbacks.adapted(
            self, kwargs.get("callbacks"), held_out is not None or bool(kwargs.get("validation_split"))
        )
        given = keras.tree.flatten(getattr(kwargs["callbacks"], "callbacks", kwargs["callbacks"]))
        self._ends_at_nan = any(isinstance(callback, keras.callbacks.TerminateOnNaN) for callback in given)
        first = first_batch.check_first(self.joint, x, y, size)
        first_batch.check_held_out(self.joint, held_out, size, kwargs.get("validation_steps"))
        if first is not None:
            self._choose_steps(whole_epoch or steps or first.batches, first.bytes)
        self._fit_steps = self._epoch_steps = steps
        kwargs.setdefault("shuffle", not isinstance(x, tf.data.Dataset))  # which has an order of its own
        if isinstance(x, tf.data.Dataset) and steps:
            x = x.repeat()  # Keras counts whole calls of steps, and would start anew before the end
        try:
            return super().fit(x, y, **kwargs)
        finally:
            self._fit_steps = self._epoch_steps = None
            self._ends_at_nan = False

    def _choose_steps(self, epoch: int | None, batch_bytes: int) -> None:
        """Fits the number of steps in a call to the epoch, if it is to be chosen."""
        if self._compile_arguments["steps_per_execution"] != "auto" or self.run_eagerly:
            return
        chosen = execution.choose_steps(epoch, batch_bytes, bool(self.jit_compile))
        if chosen != self.steps_per_execution:
            self.steps_per_execution, self.train_function, self.test_function = chosen, None, None

    def evaluate(self, x: Any = None, y: Any = None, *, sample_weight: Any = None, **kwargs: Any) -> Any:
        """The metrics on data, in nats; as `keras.Model.evaluate`.  The same data give the same numbers."""
        if sample_weight is not None:
            raise ValueError("evaluate() takes no sample_weight: expectations are under the data as given.")
        kwargs = first_batch.check_counts("evaluate()", kwargs)
        if keras_internals.FIT_EVALUATES not in kwargs:
            first_batch.check_end(x, kwargs.get("steps"), "give evaluate() steps")
            keras_callbacks.adapted(self, kwargs.get("callbacks"))
            first_batch.check_first(self.joint, x, y, kwargs.get("batch_size"))
        left, self._epoch_steps = self._left.number, kwargs.get("steps")
        try:
            return super().evaluate(x, y, **kwargs)
        finally:  # a callback may evaluate within an epoch
            self._left.number, self._epoch_steps = left, self._fit_steps

    def predict(
        self, x: Any, batch_size: Any = None, verbose: Any = "auto", steps: Any = None, callbacks: Any = None
    ) -> Any:
        """The answers of `model(x)` over batches; as `keras.Model.predict`."""
        counts = first_batch.check_counts("predict()", {"batch_size": batch_size, "steps": steps})
        first_batch.check_some(x)
        first_batch.check_end(x, counts["steps"], "give predict() steps")
        keras_callbacks.adapted(self, callbacks)
        return super().predict(x, verbose=verbose, callbacks=callbacks, **counts)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """A training step on one batch; as `keras.Model.train_on_batch`, without weights of examples."""
        _refuse_weights("train_on_batch()", sample_weight, class_weight)
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The metrics on one batch; as `keras.Model.test_on_batch`, without weights of examples."""
        _refuse_weights("test_on_batch()", sample_weight)
        return super().test_on_batch(x, y, return_dict=return_dict)


def _refuse_weights(owner: str, *weights: Any) -> None:
    if any(weight is not None for weight in weights):
        raise ValueError(
            f"{owner} takes no weights of examples or classes: expectations are under the data as given. Weigh a term "
            "with Expectation(weight=...)."
        )
