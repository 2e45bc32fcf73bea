"""The one model: a Keras model whose training step runs the phases of a recipe."""

import contextlib
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.algebra import Recipe
from ugm_tf.densities import Density, Prior
from ugm_tf.inference import Answers
from ugm_tf.joint import Joint
from ugm_tf.training import averages, execution, first_batch, keras_internals, optimizers, steps

__all__ = ["UnifiedModel"]


@keras.saving.register_keras_serializable(package="ugm_tf")
class UnifiedModel(Answers, keras.Model):
    """A generative model: the densities of a recipe, trained by its phases.

    It is an ordinary Keras model: `compile`, `fit`, `evaluate`, `predict`, `save` and callbacks work as ever,
    and metrics are named "phase/term", in nats.  Every draw is a function of (seed, step, phase,
    expectation) alone, so that a run can be stopped, saved, loaded and continued without changing a bit (on a CPU).

    Args:
        recipe: A `Recipe`, such as `ugm_tf.recipes.vae(beta=4.0)`.
        densities: A `Density` or a `Prior` for each name in the recipe; see `ugm_tf.networks.build` for ready ones.
        seed: Fixes every draw.

    Call args:
        inputs: x, [B, ...], of a recipe with an encoder: returns its reconstruction.  Without an encoder, z,
            [B, ...]: returns what it decodes to.

    Raises:
        ValueError: If the densities do not fit the recipe or one another.

    Example:

    >>> recipe = ugm_tf.recipes.vae()
    >>> densities = ugm_tf.networks.build(recipe, {"x": (28, 28, 1), "z": (20,)}, likelihood="bernoulli")
    >>> model = ugm_tf.UnifiedModel(recipe, densities)
    >>> model.compile(keras.optimizers.Adam(1e-3))
    >>> x = (np.random.default_rng(0).random((640, 28, 28, 1)) < 0.1).astype("float32")
    >>> history = model.fit(x, batch_size=64, epochs=2, verbose=0)
    >>> sorted(history.history)
    ['wake/distortion', 'wake/loss', 'wake/rate']
    >>> model.sample(16).shape
    TensorShape([16, 28, 28, 1])

    References:
        Zhiting Hu, Zichao Yang, Ruslan Salakhutdinov, Eric Xing. On Unifying Deep Generative
        Models. ICLR 2018. https://arxiv.org/abs/1706.00550
    """

    steps_per_execution: int  # Keras's own

    def __init__(self, recipe: Recipe, densities: Mapping[str, Density | Prior], seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.joint, self.seed = Joint(recipe, densities), int(seed)
        self.steps = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="steps")
        self._trackers = [keras.metrics.Mean(name=name) for name in recipe.metrics]
        self._evaluated = keras.metrics.Sum(name="evaluated_batches")
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        self.schedule = "alternating"
        self._left = execution.StepsLeft()
        self._epoch_steps: int | None = None
        self._fit_steps: int | None = None
        self._compile_arguments: dict[str, Any] = {}
        self.train_function: Any = None
        self.test_function: Any = None
        self.functions: dict[Any, Any] = {}
        for name in recipe.densities:
            if hasattr(type(self), name) or name in self.__dict__:
                raise ValueError(
                    f"A density cannot be called '{name}': a Keras model has an attribute of that name. Rename it."
                )
            setattr(self, name, densities[name])
        self.built = True

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        joint = self.__dict__.get("joint")
        if joint is not None and self.built and name in joint.densities and value is not joint.densities[name]:
            self.joint = Joint(joint.recipe, {**joint.densities, name: value})
            self.functions, self.train_function, self.test_function = {}, None, None

    @property
    def recipe(self) -> Recipe:
        """The recipe."""
        return self.joint.recipe

    @property
    def densities(self) -> dict[str, Density | Prior]:
        """The densities by name."""
        return dict(self.joint.densities)

    def describe(self) -> str:
        """The model's equations; see `Recipe.describe`."""
        return self.recipe.describe()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers)

    def reset_metrics(self) -> None:
        super().reset_metrics()
        self._evaluated.reset_state()
        self._left.number = self._epoch_steps

    # -------------------------------------------------------------- compile

    def compile(
        self,
        optimizer: Any = "adam",
        schedule: str = "alternating",
        jit_compile: bool | str = "auto",
        steps_per_execution: int | str = "auto",
        run_eagerly: bool = False,
        **unknown: Any,
    ) -> None:
        """Says how the phases learn.

        Args:
            optimizer: A Keras optimizer or its name, of which each phase gets a copy; or a dict of them by phase.
            schedule: "alternating" updates after each phase, as the literature trains; "simultaneous" takes every
                gradient at the same parameters, as the lemmas are stated, and shares draws and forward passes.
            jit_compile: Whether training steps are compiled with XLA; "auto" decides by device and layers.
            steps_per_execution: Training steps in one call, after which callbacks run; "auto" decides by the epoch.
            run_eagerly: Run without `tf.function`, to debug.

        Raises:
            ValueError: If a phase has no optimizer, an optimizer no phase, or an argument is not known.
        """
        arguments: dict[str, Any] = {"schedule": schedule, "jit_compile": jit_compile, "run_eagerly": run_eagerly}
        arguments["steps_per_execution"] = steps_per_execution
        optimizers.check(self.recipe, unknown, **arguments)
        self.optimizers = optimizers.by_phase(self.joint, optimizer)
        self.schedule = schedule
        jit, self.execution = execution.choose_jit(keras_internals.flat_layers(self), jit_compile)
        super().compile(
            optimizer=None,  # else Keras would hang a spare one, with slots for every weight, on the model
            jit_compile=jit and not run_eagerly,
            steps_per_execution=1 if steps_per_execution == "auto" else steps_per_execution,
            run_eagerly=run_eagerly,
        )
        self._compile_arguments = arguments

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        optimizers = {name: keras.saving.serialize_keras_object(o) for name, o in self.optimizers.items()}
        return {"optimizer": optimizers, **self._compile_arguments}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        optimizers = {name: keras.saving.deserialize_keras_object(o) for name, o in config.pop("optimizer").items()}
        self.compile(optimizer=optimizers, **config)

    def run_phases(self, data: Any) -> dict[str, tf.Tensor]:
        """One training step: the phases in turn, or at once; returns the metrics' values, scalars in nats."""
        values = self.joint.values(data)
        out = steps.train(self.joint, values, self.seed, self.steps.value, self.optimizers, self.schedule)
        self.steps.assign_add(1)
        return out

    def evaluate_phases(self, data: Any) -> dict[str, tf.Tensor]:
        """The metrics' values on a batch, scalars in nats; nothing learns."""
        batch = tf.cast(self._evaluated.result(), tf.int32)
        self._evaluated.update_state(1.0)
        return steps.evaluate(self.joint, self.joint.values(data), self.seed, self.steps.value, batch)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        return self._report(self.run_phases(data), data)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        return self._report(self.evaluate_phases(data), data)

    def _report(self, values: dict[str, tf.Tensor], data: Any) -> dict[str, tf.Tensor]:
        size = tf.shape(tf.nest.flatten(data)[0])[0]
        for metric in self._trackers:
            metric.update_state(values[metric.name], sample_weight=size)
        return {metric.name: metric.result() for metric in self._trackers}

    # ------------------------------------------------------- fit, evaluate

    def make_train_function(self, force: bool = False) -> Any:
        if self.train_function is None or force:
            self.train_function = self._function_of(self.run_phases, self.train_step, bool(self.jit_compile))
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        if self.test_function is None or force:
            # A last, smaller batch would be compiled anew: evaluation does without XLA.
            self.test_function = self._function_of(self.evaluate_phases, self.test_step, jit=False)
        return self.test_function

    def _function_of(self, step_values: Any, step: Any, jit: bool) -> Any:
        if self.run_eagerly or tf.distribute.has_strategy():
            return keras_internals.one_step_function(self, step)
        return execution.make_function(step_values, self._trackers, self.steps_per_execution, self._left, jit)

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
            ValueError: Before the first step, if the data do not fit the densities.
        """
        if class_weight is not None or sample_weight is not None:
            raise ValueError(
                "fit() takes no class_weight and no sample_weight: expectations are under the data as given. "
                "Weigh a term with Expectation(weight=...), or draw the data with other frequencies."
            )
        keras_internals.assert_compiled(self, "fit")
        first = first_batch.check_first(self.joint, x, y, kwargs.get("batch_size"))
        first_batch.check_held_out(self.joint, kwargs.get("validation_data"), kwargs.get("batch_size"))
        steps = kwargs.get("steps_per_epoch")
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
        if keras_internals.FIT_EVALUATES not in kwargs:
            first_batch.check_first(self.joint, x, y, kwargs.get("batch_size"))
        left, self._epoch_steps = self._left.number, kwargs.get("steps")
        try:
            return super().evaluate(x, y, **kwargs)
        finally:  # a callback may evaluate within an epoch
            self._left.number, self._epoch_steps = left, self._fit_steps

    def averaged(self) -> contextlib.AbstractContextManager[None]:
        """Within it, the weights are the averages that the optimizers keep: a GAN's decoder samples best with those.

        >>> model = ugm_tf.load_model("run/model.keras")
        >>> model.compile(keras.optimizers.Adam(1e-4, use_ema=True, ema_momentum=0.999))
        >>> history = model.fit(np.zeros([64, 8, 8, 1]), batch_size=16, verbose=0)
        >>> with model.averaged():
        ...     images = model.sample(16)

        Raises:
            ValueError: If no optimizer keeps averages, or nothing was trained yet.
        """
        return averages.averaged(self.joint, self.optimizers)

    # --------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "recipe": keras.saving.serialize_keras_object(self.recipe),
            "densities": {name: keras.saving.serialize_keras_object(d) for name, d in self.densities.items()},
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "UnifiedModel":
        recipe = keras.saving.deserialize_keras_object(config.pop("recipe"))
        densities = {name: keras.saving.deserialize_keras_object(d) for name, d in config.pop("densities").items()}
        return cls(recipe, densities, **config)
