"""Frozen records that Keras can save: the parts that densities and recipes are made of."""

import dataclasses
import functools
import inspect
import reprlib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import keras
import numpy as np
from typing_extensions import dataclass_transform

__all__ = ["check", "named", "number", "ours", "record", "shown"]

_T = TypeVar("_T")
_PLAIN = (bool, int, float, str, np.bool_, np.integer, np.floating)
_RECORDS: dict[str, type] = {}  # by the names that files have; where one was defined again, the newest


def _get_config(self: Any) -> dict[str, Any]:
    values = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self) if f.init)
    return {name: keras.saving.serialize_keras_object(value) for name, value in values}


def _from_config(cls: type[_T], config: dict[str, Any]) -> _T:
    return cls(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})


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

    A field is a number, a text, another record, or a tuple of these; a list becomes a tuple.  A file calls the class by
    its module and its name.  A `get_config` of its own is used in place of the one by fields.

    Raises:
        ValueError: If a field has the name of a method of a base class, or another module has a class of that name.
    """
    required = _required(cls)
    for name in required:
        setattr(cls, name, dataclasses.field())
    hashes = vars(cls).get("__hash__") is not None
    frozen: Any = dataclasses.dataclass(frozen=True)(cls)
    for name in required:
        if isinstance(getattr(frozen, name, None), property):  # of a base class: the field takes its place
            setattr(frozen, name, None)
    frozen.__init__ = _checked(frozen, hashes)
    if not hasattr(cls, "get_config"):
        frozen.get_config = _get_config
    if not hasattr(cls, "from_config"):
        frozen.from_config = classmethod(_from_config)
    package, name = _package(frozen), f"{_package(frozen)}>{frozen.__qualname__}"
    other = keras.saving.get_custom_objects().get(name)
    if other is not None and other.__module__ != frozen.__module__:
        raise ValueError(
            f"There is a class '{frozen.__qualname__}' already, from {other.__module__}, which files call {name}. "
            "Choose another name."
        )
    _RECORDS[name] = frozen
    return keras.saving.register_keras_serializable(package, frozen.__qualname__)(frozen)


def _required(cls: type) -> list[str]:
    """The fields that a class gives no default: an attribute of a base class that is no field is none."""
    bases = {f.name: f for base in cls.__bases__ if dataclasses.is_dataclass(base) for f in dataclasses.fields(base)}
    unset = dataclasses.MISSING
    given = {n for n, f in bases.items() if f.default is not unset or f.default_factory is not unset} | set(vars(cls))
    found = []
    for name, kind in inspect.get_annotations(cls).items():
        if "ClassVar" in str(kind) or typing.get_origin(kind) is ClassVar or "KW_ONLY" in str(kind):
            continue
        inherited = next((vars(base)[name] for base in cls.__mro__[1:] if name in vars(base)), None)
        if name not in bases and (inspect.isroutine(inherited) or isinstance(inherited, classmethod | staticmethod)):
            raise ValueError(
                f"The field `{name}` of {cls.__name__} has the name of a method of its base class. Choose another name."
            )
        if name not in given:
            found.append(name)
    return found


def _checked(frozen: Any, hashes: bool) -> Any:
    """The `__init__` of a record: its lists become tuples, and its fields are told from others by a hash."""
    made = frozen.__init__

    @functools.wraps(made)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *map(_tuples, args), **{name: _tuples(value) for name, value in kwargs.items()})
        if type(self) is not frozen or hashes:  # a class with a hash of its own looks after its fields
            return
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            try:
                hash(value if (f.compare if f.hash is None else f.hash) else None)
            except TypeError:
                raise ValueError(_unkept(self, f.name, value)) from None

    return __init__


def _tuples(value: Any) -> Any:
    """A value with tuples for lists at every depth: a file has no tuples, and a list has no hash."""
    return tuple(map(_tuples, value)) if isinstance(value, list) or type(value) is tuple else value


def _unkept(part: Any, name: str, value: Any) -> str:
    return (
        f"The field `{name}` of {type(part).__name__} is a number, a text, a record, or a tuple of these, which are "
        f"compared and saved. Received: {reprlib.repr(value)}, of type {type(value).__name__}. Write a dict as "
        "tuple(d.items()), an array as a.tolist(), and a function as a method of the class."
    )


def _package(cls: type) -> str:
    """What a file calls the package of a class: one name for our own, so that they may move; else the module."""
    if ours(cls):
        return "ugm_tf"
    return "__main__" if cls.__module__ == "__mp_main__" else cls.__module__  # the script, in a process that it starts


def ours(cls: Any) -> bool:
    """Whether a class is of this package."""
    return f"{cls.__module__}.".startswith("ugm_tf.")


def named(name: str, module: str | None) -> type | None:
    """The record of one's own that a file calls by another name than this program does; None if there is none, or
    several.

    That is one of a script, which has no name that lasts, or one of a file from when all were called "ugm_tf>NAME".

    Args:
        name: Such as "__main__>Smooth".
        module: The module that it was saved from, if that is known.
    """
    package, _, path = name.partition(">")
    same = [c for c in _RECORDS.values() if not ours(c) and c.__name__ == path.rpartition(".")[2]]
    found = [c for c in same if c.__module__ == module]
    found = found or [c for c in same if package in ("ugm_tf", "__main__") or _package(c) == "__main__"]
    return found[0] if len(found) == 1 else None


def check(part: Any, kind: str) -> None:
    """Refuses what could not be saved with a model, or would be loaded as something else.

    Args:
        part: What is to be a record, with all that it holds.
        kind: What it is, for messages: "term".

    Raises:
        ValueError: If the class itself is no record, if it was defined again, if a field cannot be saved, or if its
            own `get_config` leaves something out.
    """
    cls = type(part)
    who, name = f"The {kind} {cls.__name__}", f"{_package(cls)}>{cls.__qualname__}"
    if "__dataclass_fields__" not in vars(cls) or name not in _RECORDS:
        raise ValueError(
            f"{who} is no record, and a model with it could not be saved and loaded. Write @ugm_tf.record above `class "
            f"{cls.__name__}`, also where it derives from a class that has it."
        )
    if _RECORDS[name] is not cls:
        raise ValueError(
            f"{who} is of a class that was defined again since, and would be loaded as one of the new class. Make it "
            "again; or give one of two classes of your own another name."
        )
    for field in dataclasses.fields(part):
        for value in _flat(getattr(part, field.name)):
            if dataclasses.is_dataclass(type(value)) or isinstance(getattr(value, "check", None), types.MethodType):
                check(value, kind)
            elif not _is_kept(value):
                raise ValueError(_unkept(part, field.name, value))
    if cls.get_config is not _get_config:
        _check_config(part, who)


def _flat(value: Any) -> Iterator[Any]:
    """A field's value, or what is in its tuples and mappings."""
    if isinstance(value, Mapping):
        value = (*value.keys(), *value.values())
    if isinstance(value, tuple):
        for part in value:
            yield from _flat(part)
    else:
        yield value


def _is_kept(value: Any) -> bool:
    """Whether Keras saves a value that is no record, and loads it as what it was."""
    if value is None or isinstance(value, _PLAIN):
        return True
    what = value if inspect.isfunction(value) else type(value)
    of_keras = what.__module__.startswith("keras.") and hasattr(what, "get_config")
    return of_keras or keras.saving.get_registered_object(keras.saving.get_registered_name(what)) is what


def _check_config(part: Any, who: str) -> None:
    try:
        loaded = type(part).from_config(part.get_config())
    except Exception as error:
        raise ValueError(
            f"{who} cannot be made from its own `get_config`: {error}. Return each argument of it by its name, or "
            "leave `get_config` out: a record has one by its fields."
        ) from error
    if loaded != part:
        raise ValueError(
            f"{who} is {part}, and would be loaded as {loaded}: its own `get_config` does not say all that it is. "
            "Return each field in it, or leave it out: a record has one by its fields."
        )


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


def number(value: Any) -> str:
    """A number as descriptions show it: short, with all the figures that it takes to read it back.

    >>> number(0.5), number(1000.0), number(0.9999999)
    ('0.5', '1000', '0.9999999')
    """
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    return number(value) if isinstance(value, float | np.floating) else str(value)
