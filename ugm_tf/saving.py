"""Loading a saved model, with errors that say what to do."""

import json
import os
import pathlib
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from ugm_tf import serialization
from ugm_tf.model import UnifiedModel

__all__ = ["load_model"]


def load_model(path: str | os.PathLike[str], **options: Any) -> UnifiedModel:
    """The model that `UnifiedModel.save` wrote, with its optimizers.

    Args:
        path: The file, such as "run/model.keras".
        **options: Those of `keras.saving.load_model`, such as custom_objects={"MyLayer": MyLayer}; also for a `record`
            that has moved since: custom_objects={"old_module>Smooth": Smooth}.

    Raises:
        ValueError: If there is no such file, if it is damaged or no Keras file, if it holds another kind of
            model, or one with a class that this program has not registered.

    Example:

    >>> ugm_tf.load_model("run/model.keras").sample(16).shape
    TensorShape([16, 8, 8, 1])
    """
    path = pathlib.Path(path)
    config = _config(path)
    _check_ours(path, config)
    known = options.pop("custom_objects", None) or {}
    unknown = dict(_unknown(config, known))
    found = {name: record for name, module in unknown.items() if (record := serialization.named(name, module))}
    try:
        model = keras.saving.load_model(path, custom_objects={**found, **known}, **options)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if lost := sorted(set(unknown) - set(found)):
            raise ValueError(
                f"{path} was saved with {', '.join(lost)}, which this program does not know. Import the module that "
                "defines it first, where @ugm_tf.record or @keras.saving.register_keras_serializable() registers it; "
                f"or say which class it is now, custom_objects={{'{lost[0]}': ...}}."
            ) from error
        raise ValueError(f"{path} could not be loaded: {_first_cause(error)}") from error
    if not isinstance(model, UnifiedModel):
        raise ValueError(
            f"{path} holds a {type(model).__name__}, and not a UnifiedModel. Give a file that `UnifiedModel.save` or "
            "the trainer wrote; keras.saving.load_model loads other models."
        )
    return model


def _config(path: pathlib.Path) -> Any:
    if path.is_dir():
        raise ValueError(f"A model is a file such as {path / 'model.keras'}. Received a directory: {path}.")
    if not path.exists():
        raise ValueError(f"There is no file {path}. Give the model.keras of a finished run.")
    if path.suffix != ".keras":
        raise ValueError(f"A model is a file that ends in .keras. Received: {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            config = None if damaged else json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is not a whole Keras file ({path.stat().st_size:,} bytes): it was cut short, or is something "
            "else. Save the model again, or copy the file again."
        ) from error
    if damaged:
        raise ValueError(f"{path} is damaged in its part {damaged}. Save the model again, or copy the file again.")
    return config


def _named(config: Any) -> Iterator[tuple[str, str]]:
    """Classes and functions in a config, by their registered names, and their modules; "" for a script's."""
    if isinstance(config, dict) and isinstance(config.get("registered_name"), str):
        yield config["registered_name"], config.get("module") or ""
    for part in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _named(part)


def _unknown(config: Any, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Those that stand for nothing in this program."""
    for name, module in _named(config):
        registered = keras.saving.get_registered_object(name, custom_objects=known) is not None
        if not registered and not module.startswith("keras"):
            yield name, module


def _check_ours(path: pathlib.Path, config: Any) -> None:
    """Refuses a file from when classes of one's own were called "ugm_tf>NAME", of one that has the name of ours."""
    for name, module in _named(config):
        found = keras.saving.get_registered_object(name)
        of_ours = found is not None and name.startswith("ugm_tf>") and serialization.ours(found)
        if of_ours and not f"{module}.".startswith("ugm_tf."):
            raise ValueError(
                f"{path} was saved by an earlier version with a class of {module or 'a script'} called {name}, the "
                f"name of {found.__module__}.{found.__name__}, so that it cannot be told which it holds. Load it by "
                "the version that saved it."
            )


def _first_cause(error: BaseException) -> BaseException:
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
