"""Kinds of networks by the name of a flag: the package's own, or a builder in a file or a module of the user's."""

from collections.abc import Callable
from typing import Any

import ugm_tf
from ugm_tf.arguments import did_you_mean

from . import own_code

__all__ = ["absolute", "get"]


def absolute(network: str) -> str:
    """A kind of the package's, or a builder's name from any working directory.

    Raises:
        ValueError: If it is neither.
    """
    if not own_code.is_own(network) and network not in ugm_tf.networks.names():
        hint = did_you_mean(network, ugm_tf.networks.names())
        raise ValueError(
            f"--network is one of {', '.join(ugm_tf.networks.names())}, or a builder of your own, as "
            f"path/to/file.py:function or module:function. Received: '{network}'.{hint}"
        )
    return own_code.absolute(network)


def get(network: str) -> str | Callable[..., Any]:
    """What `ugm_tf.networks.build` takes: the kind's name, or the user's function.

    Args:
        network: One of `ugm_tf.networks.names()`, "path/to/file.py:function" or "module:function".

    Raises:
        ValueError: If its file or its module cannot be run, or has no such function.
    """
    return own_code.function("network", network) if own_code.is_own(network) else network
