"""Frozen records that Keras can save: the parts that densities and recipes are made of."""

import dataclasses
from typing import Any, TypeVar

import keras
from typing_extensions import dataclass_transform

__all__ = ["record", "shown"]

_T = TypeVar("_T")


def _get_config(self: Any) -> dict[str, Any]:
    values = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self) if f.init)
    return {name: keras.saving.serialize_keras_object(value) for name, value in values}


def _from_config(cls: type[_T], config: dict[str, Any]) -> _T:
    values = {name: keras.saving.deserialize_keras_object(value) for name, value in config.items()}
    # A file has no tuples, and a record with a list in it could not be told from another by its hash.
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


@dataclass_transform(frozen_default=True)
def record(cls: type[_T]) -> type[_T]:
    """Makes `cls` a frozen dataclass that is saved with the model that holds it.

    Equal records are the same thing: a sampler that two terms name is drawn from
    once.  Use it for a term or a family of your own:

    >>> @ugm_tf.record
    ... class Brier(ugm_tf.Term):
    ...     by: str = "discriminator"
    ...
    ...     def __call__(self, sample):
    ...         return tf.square(1.0 - tf.sigmoid(sample.distribution(self.by).logits))
    >>> Brier() == Brier(by="discriminator")
    True
    """
    frozen: Any = dataclasses.dataclass(frozen=True)(cls)
    frozen.get_config = _get_config
    frozen.from_config = classmethod(_from_config)
    return keras.saving.register_keras_serializable(package="ugm_tf")(frozen)


def shown(part: Any, without: tuple[type, ...] = ()) -> str:
    """A record as descriptions show it: its class, and its fields in brackets if it has any.

    Args:
        part: The record.
        without: Classes of the fields to leave out.

    >>> from ugm_tf.algebra.weights import DiscriminatorProbability
    >>> shown(DiscriminatorProbability(temperature=2.0))
    'DiscriminatorProbability(by=discriminator, temperature=2)'
    """
    name = type(part).__name__
    fields = [f.name for f in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
    values = {field: getattr(part, field) for field in fields}
    text = ", ".join(f"{field}={_text(v)}" for field, v in values.items() if not isinstance(v, without))
    return f"{name}({text})" if text else name


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
