"""Graphs of functions that are made anew for each model, or each call."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow as tf

__all__ = ["traced", "unconverted"]

_C = TypeVar("_C", bound=type)


def traced(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: `tf.function` without autograph, of a function that is one of many made at its line of the source.

    TensorFlow counts tracings by that line, and warns of retracing where five of them were each traced once.  Of a
    partial application it counts each by itself.

    Args:
        **options: Other options of `tf.function`.
    """
    return lambda function: tf.function(functools.partial(function), autograph=False, **options)


def unconverted(cls: _C) -> _C:
    """A class whose public methods may be used in a `tf.function` of the user's own.

    That rewrites what it calls by AutoGraph, if it is not told to leave it, which has no walrus in `while`.
    """
    for name, value in list(vars(cls).items()):
        if callable(value) and not name.startswith("_"):
            setattr(cls, name, tf.autograph.experimental.do_not_convert(value))
    return cls
