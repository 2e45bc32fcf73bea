"""Builders of networks: those that have a name, and functions of one's own."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from ugm_tf.arguments import check, did_you_mean
from ugm_tf.networks.cyclegan import cyclegan
from ugm_tf.networks.dcgan import dcgan
from ugm_tf.networks.mlp import mlp
from ugm_tf.networks.resnet import resnet

__all__ = ["CONVOLVED", "Builder", "check_options", "get", "names", "of_judges"]

Builder = Callable[..., keras.Model]
Shape = tuple[int, ...]

_BUILDERS: dict[str, Builder] = {"cyclegan": cyclegan, "dcgan": dcgan, "mlp": mlp, "resnet": resnet}
CONVOLVED = ("dcgan", "resnet")
_OF_JUDGES: dict[Builder, dict[str, Any]] = {
    cyclegan: {"patches": True},
    resnet: {"normalization": "spectral", "pooling": "sum"},
}
_GIVEN = ("inputs", "output", "bounded", "name")  # by `build`
_EXAMPLE = "def mine(inputs, output, bounded=False, name=None) -> keras.Model"


def names() -> list[str]:
    """The kinds of networks that can be built by name."""
    return sorted(_BUILDERS)


def get(network: str | Builder) -> Builder:
    """The builder of this name, or one's own, which is checked at each network that it makes.

    Args:
        network: One of `names()`; or a function from shapes to a built Keras model.

    Raises:
        ValueError: If there is no such name, or the function does not take the shapes.
    """
    if isinstance(network, str):
        if network not in _BUILDERS:
            kind, _, options = network.partition("(")
            apart = f" Give options as further arguments: {options.rstrip(')')}." if options and kind in names() else ""
            raise ValueError(
                f"There are networks of kind {', '.join(names())}; or give a function, {_EXAMPLE}. Received: "
                f"'{network}'.{did_you_mean(network, names())}{apart}"
            )
        return _BUILDERS[network]
    if not callable(network):
        raise ValueError(f"network is one of {', '.join(names())}, or a function, {_EXAMPLE}. Received: {network!r}.")
    if network in _BUILDERS.values():
        return network
    lacking = {"inputs", "output"} - set(_parameters(network))
    if lacking and not _takes_any(network):
        raise ValueError(
            f"A builder takes `inputs`, the shapes of what its network is given, and `output`: {_EXAMPLE}. "
            f"{_called(network)} lacks {', '.join(sorted(lacking))}."
        )
    return functools.wraps(network)(functools.partial(_own, network))


def check_options(network: str | Builder, options: Mapping[str, Any]) -> None:
    """Refuses options that a builder does not take, or that are of another kind.

    Args:
        network: Its name, or the function.
        options: By name.

    Raises:
        ValueError: If there is one.
    """
    builder = _BUILDERS[network] if isinstance(network, str) else network
    known = _parameters(builder)
    own = set(known) - set(_GIVEN)
    called = f"'{network}' networks" if isinstance(network, str) else _called(network)
    if (unknown := sorted(set(options) - own)) and not _takes_any(builder):
        takes = "take " if isinstance(network, str) else "takes "
        raise ValueError(
            f"{called} {takes}{', '.join(sorted(own)) or 'no options'}. Received: {', '.join(unknown)}."
            f"{did_you_mean(unknown[0], own)}"
        )
    for name in sorted(own & set(options)):
        if known[name].annotation is not inspect.Parameter.empty:  # a default alone promises no kind
            check(called.replace("The ", "the "), known[name], options[name])


def of_judges(builder: Builder) -> dict[str, Any]:
    """The options with which a builder makes a discriminator, where they are not asked for."""
    return dict(_OF_JUDGES.get(builder, {}))


def _own(
    function: Builder,
    inputs: Sequence[Shape],
    output: Shape,
    bounded: bool = False,
    name: str | None = None,
    **options: Any,
) -> keras.Model:
    """What a user's function makes, or a refusal of it."""
    given = {key: value for key, value in (("bounded", bounded), ("name", name)) if key in _parameters(function)}
    if _takes_any(function):
        given = {"bounded": bounded, "name": name}
    inputs, output = [tuple(shape) for shape in inputs], tuple(output)
    try:
        made = function(inputs=inputs, output=output, **given, **options)
    except Exception as error:
        raise ValueError(
            f"{_called(function)}, asked for '{name}' from {_listed(inputs)} to {list(output)}, failed. "
            f"{type(error).__name__}: {error}"
        ) from error
    who = f"{_called(function)}, asked for '{name}',"
    if not isinstance(made, keras.layers.Layer) or not made.built:
        raise ValueError(f"{who} is to return a built keras.Model. It returned: {made!r}.")
    try:
        shapes, found = made.input_shape, tuple(made.output_shape[1:])
    except AttributeError:  # a subclass, which does not tell
        return made
    given_shapes = [tuple(shape[1:]) for shape in (shapes if isinstance(shapes, list) else [shapes])]
    patches = output == (1,) and len(found) == 3 and found[-1] == 1  # of a discriminator
    if given_shapes != inputs or not (found == output or patches):
        raise ValueError(
            f"{who} is to return a network from {_listed(inputs)} to {list(output)}, without the batch axis. It "
            f"returned one from {_listed(given_shapes)} to {list(found)}."
        )
    return made


def _parameters(function: Builder) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def _takes_any(function: Builder) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in _parameters(function).values())


def _called(function: Any) -> str:
    return f"The builder {getattr(function, '__name__', repr(function))}"


def _listed(shapes: Sequence[Shape]) -> str:
    return " and ".join(str(list(shape)) for shape in shapes)
