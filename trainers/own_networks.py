"""Kinds of networks by the text of a flag: the package's own, or a builder in a file or a module of the user's."""

from collections.abc import Callable
from typing import Any

import ugm_tf
from ugm_tf.arguments import call, did_you_mean
from ugm_tf.networks import builders

from . import own_code

__all__ = ["absolute", "get", "kind"]


def kind(network: str) -> str:
    """The network without its options: "dcgan" of "dcgan(filters=32)"."""
    return network.partition("(")[0] if not own_code.is_own(network) else _split(network)[0]


def absolute(network: str) -> str:
    """A kind of the package's, or a builder's name from any working directory.

    Raises:
        ValueError: If it is neither, or has other options than the kind takes.
    """
    if own_code.is_own(network):
        _split(network)
        return own_code.absolute(network)
    known = ugm_tf.networks.names()
    if kind(network) not in known:
        raise ValueError(
            f"--network is one of {', '.join(known)}, maybe with options, such as dcgan(filters=32); or a builder of "
            "your own, as path/to/file.py:function or module:function. Received: "
            f"'{network}'.{did_you_mean(kind(network), known)}"
        )
    get(network)
    return network


def get(network: str) -> tuple[str | Callable[..., Any], dict[str, Any]]:
    """What `ugm_tf.networks.build` takes: the kind's name, or the user's function; and its options.

    Args:
        network: One of `ugm_tf.networks.names()`, "path/to/file.py:function" or "module:function"; each maybe with
            options in brackets, "dcgan(filters=32)".

    Raises:
        ValueError: If its file or its module cannot be run, or has no such function, or does not take the options.
    """
    name, options = _split(network)
    builder = own_code.function("network", name) if own_code.is_own(name) else name
    try:
        builders.check_options(builder, options)
    except ValueError as error:
        raise ValueError(f"--network={network}: {error}") from None
    if name == "mlp" and "hidden" in options:
        raise ValueError(
            f"--network={network}: sizes of hidden layers are given by --hidden, such as --hidden=500,500."
        )
    return builder, options


def _split(network: str) -> tuple[str, dict[str, Any]]:
    """The name, and the options in brackets behind it."""
    place, called = own_code.split(network)
    try:
        name, unnamed, options = call(called, words=True) if "(" in called else (called, [], {})
    except ValueError as error:
        raise ValueError(f"--network={network}: {error}") from None
    if unnamed:
        raise ValueError(f"--network={network}: give options by their names, such as dcgan(filters=32).")
    return f"{place}:{name}" if place else name, options
