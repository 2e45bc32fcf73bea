"""The loops of Keras over data: what they run, and what they refuse before they start."""

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.arrays import give_batches, is_symbolic, of_examples, of_numbers
from ugm_tf.data import naming_files
from ugm_tf.data.batching import rows_of
from ugm_tf.data.readers import Rows
from ugm_tf.training import accumulation, execution, first_batch, keras_callbacks, keras_internals
from ugm_tf.training.stepping import Stepping

__all__ = ["Loops"]


class Loops(Stepping):
    """`fit`, `evaluate`, `predict` and their like, for single batches; a base class of models."""

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
            x: A `tf.data.Dataset` of dicts by variable (see `ugm_tf.data.batches`) or of tuples; or arrays, or lists of
                numbers.
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
                that the densities do not take, of which nothing is learned then; or one of whose images was taken away.
            FloatingPointError: At a step with a loss or a gradient that is not finite, see `compile`.
        """
        if class_weight is not None or sample_weight is not None:
            raise ValueError(
                "fit() takes no class_weight and no sample_weight: expectations are under the data as given. "
                "Weigh a term with Expectation(weight=...), or draw the data with other frequencies."
            )
        self._check_compiled("fit")
        kwargs = first_batch.check_counts("fit()", kwargs | {"whole_epoch": whole_epoch})
        x, y = self._arrays("fit()", x, y)
        whole_epoch, steps, size = kwargs.pop("whole_epoch"), kwargs.get("steps_per_epoch"), kwargs.get("batch_size")
        first_batch.check_end(x, steps, "give fit() steps_per_epoch")
        if (held_out := kwargs.get("validation_data")) is not None:
            held_out = kwargs["validation_data"] = self._held_out(held_out)
        kwargs["callbacks"] = keras_callbacks.adapted(
            self, kwargs.get("callbacks"), held_out is not None or bool(kwargs.get("validation_split"))
        )
        with naming_files():
            first = first_batch.check_first(self.joint, x, y, size)
            first_batch.check_held_out(self.joint, held_out, size, kwargs.get("validation_steps"))
        if first is not None and first.rows is not None and steps is None:
            number = math.floor(first.rows * (1.0 - (kwargs.get("validation_split") or 0.0)))
            accumulation.check_rows(self._compile_arguments["accumulate"], number, size or 32)
        if first is not None:
            self._choose_steps(whole_epoch or steps or first.batches, first.bytes)
        self._left.looks = first is None or not first.known
        one_by_one = self._left.looks or self.run_eagerly or self.distributed or not self.jit_compile
        rows = None if one_by_one else rows_of(x)
        x = x if rows is None else rows.dataset
        self._fit_steps = self._epoch_steps = steps
        ordered = give_batches(x) and not isinstance(x, keras.utils.PyDataset)  # as the data come
        kwargs.setdefault("shuffle", not ordered)
        if isinstance(x, tf.data.Dataset) and steps:
            x = x.repeat()  # Keras counts whole calls of steps, and would start anew before the end
        given = keras.tree.flatten(getattr(kwargs["callbacks"], "callbacks", kwargs["callbacks"]))
        self._ends_at_nan = any(isinstance(callback, keras.callbacks.TerminateOnNaN) for callback in given)
        self._fits = True
        try:
            with naming_files(), self._reading(rows):
                return super().fit(x, y, **kwargs)
        finally:
            self._fits, self._left.looks = False, True
            self._fit_steps = self._epoch_steps = None
            self._ends_at_nan = False

    @contextlib.contextmanager
    def _reading(self, rows: Rows | None) -> Iterator[None]:
        """Lets training read rows, where there are such."""
        if rows is None:
            yield
            return
        usual, self._reads = (self.train_function, self._health), rows
        self.train_function, self._health = self._of_rows.get(rows.reader, (None, None))
        try:
            yield
        finally:
            self._of_rows[rows.reader] = self.train_function, self._health
            (self.train_function, self._health), self._reads = usual, None

    def _arrays(self, owner: str, x: Any, y: Any = None) -> tuple[Any, Any]:
        """Data as Keras takes them: what gives batches as it is, and else arrays by variable."""
        if x is None:
            raise ValueError(f"{owner} takes data of {', '.join(self.joint.recipe.data)}. Received: None.")
        if give_batches(x):
            return first_batch.opened(x), y
        return of_examples(self.joint.named(x if y is None else (x, y))), None

    def _held_out(self, data: Any) -> Any:
        """As `_arrays`, of `validation_data`: data, or a tuple of them and of Nones that Keras takes behind them."""
        owner = "fit(validation_data)"
        if not isinstance(data, tuple) or len(data) < 2 or not give_batches(data[0]):
            if isinstance(data, tuple) and len(data) == len(self.joint.recipe.data) + 1 and data[-1] is not None:
                raise ValueError(f"{owner} takes no weights of examples: expectations are under the data as given.")
            return self._arrays(owner, data)[0]
        return data

    def _choose_steps(self, epoch: int | None, batch_bytes: int) -> None:
        """Fits the number of steps in a call to the epoch, if it is to be chosen."""
        if self._compile_arguments["steps_per_execution"] != "auto" or self.run_eagerly:
            return
        chosen = execution.choose_steps(epoch, batch_bytes, bool(self.jit_compile))
        if chosen != self.steps_per_execution:
            self.steps_per_execution = chosen
            self.train_function = self.test_function = self.predict_function = None
            self._of_rows = {}

    def evaluate(self, x: Any = None, y: Any = None, *, sample_weight: Any = None, **kwargs: Any) -> Any:
        """The metrics on data, in nats; as `keras.Model.evaluate`.  The same data give the same numbers."""
        if sample_weight is not None:
            raise ValueError("evaluate() takes no sample_weight: expectations are under the data as given.")
        self._check_compiled("evaluate")
        kwargs = first_batch.check_counts("evaluate()", kwargs)
        if keras_internals.FIT_EVALUATES not in kwargs:
            x, y = self._arrays("evaluate()", x, y)
            first_batch.check_end(x, kwargs.get("steps"), "give evaluate() steps")
            keras_callbacks.adapted(self, kwargs.get("callbacks"))
            with naming_files():
                first_batch.check_first(self.joint, x, y, kwargs.get("batch_size"))
        self._epoch_steps = kwargs.get("steps")
        try:
            with self._apart(), naming_files():
                return super().evaluate(x, y, **kwargs)
        finally:
            self._epoch_steps = self._fit_steps

    @contextlib.contextmanager
    def _apart(self) -> Iterator[None]:
        """What a callback may ask within an epoch: data of its own, which take no steps from it, and are looked at."""
        left = dataclasses.replace(self._left)
        self._left.looks = True
        try:
            yield
        finally:
            self._left.number, self._left.looks = left.number, left.looks

    @tf.autograph.experimental.do_not_convert
    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer to `model(inputs)`, see `call`."""
        if not is_symbolic(inputs):
            given = self.call_named(inputs)[1]
            inputs = {name: of_numbers(value, f"The data of {name}") for name, value in given.items()}
        return super().__call__(inputs, *args, **kwargs)

    def _to_predict(self, inputs: Any) -> Any:
        """Inputs of `model(inputs)` by name, or what gives batches of them as it is."""
        return first_batch.opened(inputs) if give_batches(inputs) else of_examples(self.call_named(inputs)[1])

    def predict(
        self, x: Any, batch_size: Any = None, verbose: Any = "auto", steps: Any = None, callbacks: Any = None
    ) -> Any:
        """The answers of `model(x)` over batches; as `keras.Model.predict`."""
        counts = first_batch.check_counts("predict()", {"batch_size": batch_size, "steps": steps})
        x = self._to_predict(x)
        first_batch.check_some(x)
        first_batch.check_end(x, counts["steps"], "give predict() steps")
        keras_callbacks.adapted(self, callbacks)
        return super().predict(x, verbose=verbose, callbacks=callbacks, **counts)

    def predict_on_batch(self, x: Any) -> Any:
        """The answers of `model(x)` on one batch, as NumPy arrays; on several devices of one of them."""
        x = self._to_predict(x)
        if not self.distributed:
            return super().predict_on_batch(x)
        self.check_call(x)  # Keras would give each device the batch, and return its answers as many times
        return keras.tree.map_structure(keras.ops.convert_to_numpy, self(x, training=False))

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """A training step on one batch; as `keras.Model.train_on_batch`, without weights of examples."""
        self._check_compiled("train_on_batch")
        _refuse_weights("train_on_batch()", sample_weight, class_weight)
        x, y = self._arrays("train_on_batch()", x, y)
        with self._apart():
            self._left.number = None
            return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The metrics on one batch; as `keras.Model.test_on_batch`, without weights of examples."""
        self._check_compiled("test_on_batch")
        _refuse_weights("test_on_batch()", sample_weight)
        x, y = self._arrays("test_on_batch()", x, y)
        with self._apart():
            self._left.number = None
            return super().test_on_batch(x, y, return_dict=return_dict)


def _refuse_weights(owner: str, *weights: Any) -> None:
    if any(weight is not None for weight in weights):
        raise ValueError(
            f"{owner} takes no weights of examples or classes: expectations are under the data as given. Weigh a term "
            "with Expectation(weight=...)."
        )
