"""What Keras has no public name for.  Each was seen in Keras 3.15.1, and is used nowhere else."""

from collections.abc import Callable, Iterable
from typing import Any

import keras

__all__ = [
    "FIT_EVALUATES",
    "assert_compiled",
    "flat_layers",
    "leave_sums",
    "moving_averages",
    "one_step_function",
    "untrack",
]

# The argument by which `fit` tells `evaluate` that the data are its own validation data (`Trainer.fit`).
FIT_EVALUATES = "_use_cached_eval_dataset"


def flat_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Every layer of a model, nested ones too (`Layer._flatten_layers`)."""
    return list(model._flatten_layers())


def assert_compiled(model: keras.Model, method: str) -> None:
    """Raises Keras's own error if a method needs a compiled model (`Trainer._assert_compile_called`)."""
    model._assert_compile_called(method)


def leave_sums(optimizer: keras.optimizers.Optimizer) -> None:
    """Takes the sum of gradients over replicas from an optimizer, which clips before it sums
    (`TFOptimizer._all_reduce_sum_gradients`)."""
    optimizer._all_reduce_sum_gradients = list


def one_step_function(model: keras.Model, step: Callable[[Any], Any]) -> Any:
    """Keras's own function of an iterator, which runs one step at a time (`TensorFlowTrainer._make_function`)."""
    return model._make_function(step)


def untrack(model: keras.Model, layer: keras.layers.Layer) -> None:
    """Leaves a layer out of a model's, where assignment to its attribute keeps it (`Layer._tracker`)."""
    model._tracker.untrack(layer)


def moving_averages(optimizer: keras.optimizers.Optimizer) -> Iterable[Any]:
    """The averages of an optimizer's variables, in their order (`BaseOptimizer._model_variables_moving_average`)."""
    return optimizer._model_variables_moving_average
