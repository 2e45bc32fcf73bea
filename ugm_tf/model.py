"""The one model: a Keras model whose training step runs the phases of a recipe."""

import contextlib
import os
from collections.abc import Mapping
from typing import Any

import keras

from ugm_tf import arguments, files
from ugm_tf.algebra import Recipe
from ugm_tf.densities import Density, Prior
from ugm_tf.inference import Answers
from ugm_tf.joint import Joint
from ugm_tf.training import averages, distributed, execution, keras_internals, memory, metrics, optimizers
from ugm_tf.training.loops import Loops

__all__ = ["UnifiedModel"]

# Attributes that are not to be assigned, and what to do.
_FIXED = {
    "joint": "Replace a density by its name, as in model.decoder = other, or make another UnifiedModel.",
    "recipe": "With another recipe make another UnifiedModel, of the same densities if they fit.",
    "densities": "Replace a density by its name, as in model.decoder = other.",
    "schedule": "Give it to compile(schedule=...).",
    "optimizers": "Give them to compile(optimizer=...), one by one in a dict by phase.",
}


@keras.saving.register_keras_serializable(package="ugm_tf")
class UnifiedModel(Answers, Loops):
    """A generative model: the densities of a recipe, trained by its phases.

    It is an ordinary Keras model: `compile`, `fit`, `evaluate`, `predict`, `save` and callbacks work as ever,
    and metrics are named "phase/term", in nats.  Every draw is a function of (seed, step, phase,
    expectation) alone, so that a run can be stopped, saved, loaded and continued without changing a bit (on a CPU).

    Args:
        recipe: A `Recipe`, such as `ugm_tf.recipes.vae(beta=4.0)`.
        densities: A `Density` or a `Prior` for each name in the recipe; see `ugm_tf.networks.build` for ready ones.
        seed: Fixes every draw of training and evaluation.  Initial weights are drawn where networks are built: call
            `keras.utils.set_random_seed` before that to fix them.

    Call args:
        inputs: x, [B, ...], of a recipe with an encoder: returns its reconstruction.  Without an encoder, z,
            [B, ...]: returns what it decodes to.

    Raises:
        ValueError: If the densities do not fit the recipe or one another, or the seed is no whole number of 32 bits.

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

    def __init__(self, recipe: Recipe, densities: Mapping[str, Density | Prior], seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.joint, self.seed = Joint(recipe, densities), arguments.seed("UnifiedModel()", seed)
        self.steps = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="steps")
        self._trackers = [metrics.MeanOfSome(name=name) for name in recipe.metrics]
        self._evaluated = keras.metrics.Sum(name="evaluated_batches")
        self._start_loops()
        self.functions: dict[Any, Any] = {}
        for name in recipe.densities:
            if hasattr(type(self), name) or name in self.__dict__:
                raise ValueError(
                    f"A density cannot be called '{name}': a Keras model has an attribute of that name. Rename it."
                )
            setattr(self, name, densities[name])
        self.built = True

    def __setattr__(self, name: str, value: Any) -> None:
        joint = self.__dict__.get("joint")
        if joint is None or not self.built:
            super().__setattr__(name, value)
        elif name in _FIXED:
            raise AttributeError(f"The {name} of a model cannot be assigned. {_FIXED[name]}")
        elif name == "seed":
            value = arguments.seed("A model", value)
            if value != self.seed:
                self._forget(name)
                super().__setattr__(name, value)
        elif name not in joint.densities:
            known = list(joint.densities)
            if isinstance(value, Density | Prior) and (hint := arguments.did_you_mean(name, known)):
                raise AttributeError(f"This model has no density '{name}'. It has: {', '.join(known)}.{hint}")
            super().__setattr__(name, value)
        elif value is not joint.densities[name]:
            self._replace(name, value)

    def _replace(self, name: str, density: Density | Prior) -> None:
        before = self.joint.densities[name]
        changed = Joint(self.recipe, {**self.joint.densities, name: density})  # which refuses what does not fit
        self._forget(name)
        if all(other is not before for other in changed.densities.values()):
            keras_internals.untrack(self, before)
        super().__setattr__(name, density)
        super().__setattr__("joint", changed)
        if self.compiled:  # the optimizers have slots for the weights of the one before
            self.compiled = False
            self._replaced = name

    def _forget(self, name: str) -> None:
        """Drops what was traced, of which the densities and the seed are constants, as `name` changes."""
        if self._fits:
            raise ValueError(f"'{name}' cannot change while fit() runs. Change it before, and call fit() again.")
        self.functions, self.train_function, self.test_function, self.predict_function = {}, None, None, None
        self._of_rows = {}

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

    # -------------------------------------------------------------- compile

    def compile(
        self,
        optimizer: Any = "adam",
        schedule: str = "alternating",
        jit_compile: bool | str = "auto",
        steps_per_execution: int | str = "auto",
        run_eagerly: bool = False,
        check_values: bool = True,
        on_nan: str = "stop",
        accumulate: int = 1,
        remat: bool = False,
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
            check_values: Look at every batch, and stop before one with NaN or with values outside of a likelihood's
                support, as if it had never come.
            on_nan: What to do at a step with a loss or a gradient that is not finite: "stop" before its update, with a
                FloatingPointError that names the phase, the term and the density; or "skip" the rest of the step, and
                warn.
            accumulate: In how many equal parts, one after the other, a step takes its batch: the update is that of the
                whole batch, with the memory of a part.  A step stays one batch and one update of each phase.
            remat: Whether gradients compute the networks' layers again instead of keeping what these put out.

        Raises:
            ValueError: If a phase has no optimizer, an optimizer no phase, or an argument is not known.
        """
        arguments: dict[str, Any] = {"schedule": schedule, "jit_compile": jit_compile, "run_eagerly": run_eagerly}
        arguments |= {"steps_per_execution": steps_per_execution, "check_values": check_values}
        arguments |= {"on_nan": on_nan, "accumulate": accumulate, "remat": remat}
        optimizers.check(self.recipe, unknown, **arguments)
        layers = keras_internals.flat_layers(self)
        memory.check(self.joint, accumulate, remat, schedule)
        distributed.check_here("compile()", self._distribute_strategy)
        if self.distributed:
            variables = [v for density in self.densities.values() for v in density.variables]
            distributed.check_scope(self.distribute_strategy, variables)
        with self.distribute_strategy.scope():
            super().__setattr__("optimizers", optimizers.by_phase(self.joint, optimizer, layers))
        if self.distributed:
            distributed.prepare(layers, self.optimizers, **arguments)
        memory.rematerialise(self.densities, remat)
        super().__setattr__("schedule", schedule)
        self._replaced, self._of_rows = None, {}
        with self.distribute_strategy.scope():
            jit, self.execution = execution.choose_jit(layers, jit_compile)
        super().compile(
            optimizer=None,  # else Keras would hang a spare one, with slots for every weight, on the model
            jit_compile=jit and not run_eagerly,
            steps_per_execution=1 if steps_per_execution == "auto" else steps_per_execution,
            run_eagerly=run_eagerly,
        )
        self.optimizer = optimizers.ByPhase(self.optimizers, self.steps)
        self._compile_arguments = arguments

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        optimizers = {name: keras.saving.serialize_keras_object(o) for name, o in self.optimizers.items()}
        return {"optimizer": optimizers, **self._compile_arguments}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        optimizers = {name: keras.saving.deserialize_keras_object(o) for name, o in config.pop("optimizer").items()}
        self.compile(optimizer=optimizers, **config)

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

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Refused: a model has several answers, each with a signature; see `ugm_tf.serving.export_model`."""
        raise ValueError(
            "A model has several answers, so export() of Keras does not serve it. Use "
            "ugm_tf.serving.export_model(model, path)."
        )

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True, **kwargs: Any) -> None:
        """Writes the model with its optimizers to a .keras file, as `keras.Model.save`; `ugm_tf.load_model` reads it.

        The file is there whole or not at all, and a file that was there before is, until then.

        Raises:
            ValueError: If the name ends otherwise.
        """
        if not str(filepath).endswith(".keras"):
            raise ValueError(
                f"A model with an optimizer for each phase is saved as a .keras file. Received: {filepath}. Weights "
                "alone are saved by save_weights('m.weights.h5'), and for serving there is ugm_tf.serving.export_model."
            )
        if "://" in str(filepath) or not overwrite:  # where Keras copies a whole file; and it asks whether to overwrite
            super().save(filepath, overwrite=overwrite, **kwargs)
            return
        with files.replacing(filepath) as draft:
            super().save(draft, **kwargs)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for i, state in enumerate(self._random_states()):
            store[f"random_{i}"] = state

    def load_own_variables(self, store: Any) -> None:
        names = set(store.keys())
        super().load_own_variables({name: store[name] for name in names if not name.startswith("random_")})
        for i, state in enumerate(self._random_states()):
            if f"random_{i}" in names:  # not in a file of an earlier version
                state.assign(store[f"random_{i}"])

    def _random_states(self) -> list[Any]:
        """Of layers that draw, such as Dropout: without them a loaded model would draw anew what it has drawn."""
        weights = {id(variable) for variable in self.weights}
        return [variable for variable in self.variables if id(variable) not in weights]

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
