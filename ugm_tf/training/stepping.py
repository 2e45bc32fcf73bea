"""The functions that Keras's loops call: steps of training and evaluation, on one device or several."""

import functools
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf import foreign_noise, validation
from ugm_tf.data.readers import Reader, Rows
from ugm_tf.joint import Joint
from ugm_tf.training import batches, distributed, execution, health, keras_internals, steps
from ugm_tf.training.optimizers import inner

__all__ = ["Stepping"]

_FEWEST_UNWATCHED = 8  # steps in one program, before which the state is kept
_MOST_KEPT = 2**28  # bytes of it


def _hides(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether what an optimizer leaves is finite though a gradient is not: it clips, scales, or is one of one's own."""
    own = inner(optimizer)
    clips = own.clipvalue is not None or own.clipnorm is not None
    return clips or own is not optimizer or not type(own).__module__.startswith("keras.")


class Stepping(keras.Model):
    """What runs a step, and what refuses a batch; a base class of models.

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
    compiled: bool
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
        self._fits = False  # fit() runs
        self._replaced: str | None = None  # the density that was, since `compile`
        self.train_function: Any = None
        self.test_function: Any = None
        self._reads: Rows | None = None  # what fit() reads, where it reads rows
        self._of_rows: dict[Any, Any] = {}  # training functions by how rows are read

    @property
    def check_values(self) -> bool:
        """Whether every batch is looked at; see `compile`."""
        return bool(self._compile_arguments.get("check_values", True))

    @property
    def accumulate(self) -> int:
        """In how many parts a step takes its batch; see `compile`."""
        return int(self._compile_arguments.get("accumulate", 1))

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
        self._check_compiled("run_phases")
        out = self._learn(self._values(data))
        self.steps.assign_add(1)
        return out

    def _learn(self, values: dict[str, tf.Tensor], watch: health.Watch | None = None) -> dict[str, tf.Tensor]:
        options = (self.seed, self.steps.value, self.optimizers, self.schedule, watch, self.accumulate)
        out = steps.train(self.joint, values, *options)
        foreign_noise.refuse("A training step")
        return out

    def _run_watched(self, data: Any) -> dict[str, tf.Tensor]:
        """As `run_phases`, without updates at a bad step; and with the share of it that counts in the metrics."""
        if self._health is None:
            return self.run_phases(data)
        values, watch = self._values(data), self._health.watch(self.steps.value)
        out = self._learn(values, watch)
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
        out = steps.evaluate(self.joint, self._values(data), self.seed, self.steps.value, batch)
        foreign_noise.refuse("A step of evaluation")
        return out

    def _check_compiled(self, method: str) -> None:
        if self._replaced is not None:
            raise ValueError(
                f"'{self._replaced}' was replaced after compile(), and the optimizers know the weights of the one "
                f"before. Call compile() again before {method}()."
            )
        keras_internals.assert_compiled(self, method)
        distributed.check_here(f"{method.removesuffix('()')}()", self._distribute_strategy)

    def _values(self, data: Any) -> dict[str, tf.Tensor]:
        values = self.joint.values(data)
        batches.fits(self.joint, data)
        if self.check_values and tf.executing_eagerly():  # in a graph, it was looked at before
            arrays = {variable: np.asarray(value) for variable, value in values.items()}
            validation.check_values(self.joint.recipe, self.joint.densities, arrays)
            validation.check_bytes(self.joint.recipe, self.joint.densities, self.joint.named(data))
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
            run = self._function_of(self._run_watched, self.train_step, jit, self._refuse_training, self._reads)
            self.train_function = functools.partial(self._run_and_look, run, self._health)
        return self.train_function

    def _run_and_look(self, run: Any, watching: health.Health, iterator: Any) -> Any:
        """Runs steps; raises an error if one was bad, or lets a callback end the training that is there for it."""
        try:
            logs = run(iterator)
        except ValueError:  # a batch was refused; what went wrong before it is told before it
            watching.look()
            raise
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

    def _function_of(self, step_values: Any, step: Any, jit: bool, refuse: Any, rows: Rows | None = None) -> Any:
        if self.run_eagerly:
            return keras_internals.one_step_function(self, step)
        if rows is not None:
            return self._function_of_rows(rows.reader)
        good = batches.good(self.joint) if self.check_values else None
        if self.distributed:
            going_on = self._health.fine if self._health and step_values == self._run_watched else None
            options = (self._trackers, self.steps_per_execution, self._left, good, refuse, going_on)
            return distributed.make_function(self.distribute_strategy, step_values, *options)
        fits = functools.partial(batches.fits, self.joint)
        most = self.steps_per_execution
        unwatched = self._unwatched(most) if jit and step_values == self._run_watched else None
        return execution.make_function(
            step_values, self._trackers, most, self._left, jit, good, refuse, fits, unwatched
        )

    def _function_of_rows(self, reader: Reader) -> Any:
        """As `_function_of` has it of training with XLA, from rows of what needs no look to what a step takes."""
        see, most = reader.see, self.steps_per_execution

        def watched(taken: Any) -> dict[str, tf.Tensor]:
            return self._run_watched(see(*taken))

        def run_phases(taken: Any) -> dict[str, tf.Tensor]:
            return self.run_phases(see(*taken))

        unwatched = self._unwatched(most, run_phases)
        taken = execution.Taken(reader.take, lambda: self._reads and self._reads.given)  # of the fit() that runs
        return execution.make_function(
            watched, self._trackers, most, self._left, True, unwatched=unwatched, taken=taken
        )

    def _unwatched(self, most: int, run_phases: Any = None) -> execution.Unwatched | None:
        """Steps without a look at each, where a look at what several end with says as much."""
        optimizers = self.optimizers.values()
        slots = [v for optimizer in optimizers for v in optimizer.variables]
        state = [v.value for v in (*self.variables, *slots)]
        hidden = any(map(_hides, optimizers)) or any(v.constraint is not None for v in self.trainable_variables)
        size = sum(v.dtype.size * math.prod(v.shape) for v in state)
        if self._compile_arguments["on_nan"] != "stop" or hidden or most < _FEWEST_UNWATCHED or size > _MOST_KEPT:
            return None
        learned = [v.value for v in (*self.trainable_variables, *slots) if v.value.dtype.is_floating]
        return execution.Unwatched(run_phases or self.run_phases, state, learned)

    def _refuse_training(self, data: Any) -> None:
        done = int(np.asarray(self.steps))
        self._refuse(data, f"Training stopped before step {done + 1}, at a batch that does not fit")

    def _refuse_evaluation(self, data: Any) -> None:
        done = int(self._evaluated.result()) // self.distribute_strategy.num_replicas_in_sync  # each counts
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
                for batch in data:
                    for rows in self._rows(keras.utils.unpack_x_y_sample_weight(batch)[0]):
                        self.check_call(rows)
                return answer(data)

            self.predict_function = checked
        return self.predict_function

    def _rows(self, inputs: Any) -> list[Any]:
        """Inputs of a batch, in one part; or in those that this process's devices have of it."""
        if not any(isinstance(part, tf.distribute.DistributedValues) for part in tf.nest.flatten(inputs)):
            return [inputs]
        parts = [self.distribute_strategy.experimental_local_results(part) for part in tf.nest.flatten(inputs)]
        return [tf.nest.pack_sequence_as(inputs, rows) for rows in zip(*parts, strict=True) if len(rows[0])]

    def call_named(self, inputs: Any) -> tuple[str, dict[str, Any]]:
        """What `model(inputs)` asks, and the inputs by name."""
        raise NotImplementedError

    def check_call(self, inputs: Any) -> None:
        """Refuses inputs that `model(inputs)` has no answer to."""
        raise NotImplementedError
