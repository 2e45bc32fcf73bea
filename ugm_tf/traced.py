"""Graphs of functions that are made anew for each model, or each call."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

__all__ = ["traced"]


def traced(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: `tf.function` without autograph, of a function that is one of many made at its line of the source.

    TensorFlow counts tracings by that line, and warns of retracing where five of them were each traced once.  Of a
    partial application it counts each by itself.

    Args:
        **options: Other options of `tf.function`.
    """
    return lambda function: tf.function(functools.partial(function), autograph=False, **options)
