"""Arguments of the kind that a function's signature names, or a refusal."""

import ast
import difflib
import functools
import inspect
import numbers
import re
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

__all__ = ["call", "check", "count", "did_you_mean", "in_a_line", "of_their_kind", "seed", "several", "shown", "split"]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SEEDS = 2**31  # as many of each sign
_KINDS: dict[Any, Any] = {bool: bool, int: numbers.Integral, float: numbers.Real, str: str}


def of_their_kind(owner: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Makes a function refuse numbers, switches and words of another kind than its signature names.

    A whole number serves where the signature says float, and None where it says "or None".  Arguments of other
    annotations are left to the function; one without an annotation is of the kind of its default.

    Args:
        owner: Who has the arguments, as messages call it.

    Example:

    >>> @of_their_kind("iwae()")
    ... def iwae(k: int = 5):
    ...     return k
    >>> iwae(k=1.5)
    Traceback (most recent call last):
    ...
    ValueError: 'k' of iwae() is of type int, such as 5. Received: 1.5.
    """

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:  # something is missing, as the call itself says, or unknown
                _refuse_unknown(owner, signature, kwargs)
                return function(*args, **kwargs)
            for name, value in given.items():
                check(owner, signature.parameters[name], value)
            return function(*args, **kwargs)

        return checked

    return decorate


def call(text: str, words: bool = False) -> tuple[str, list[Any], dict[str, Any]]:
    """What a text calls: its name, and its arguments by place and by name, which are numbers, words, lists and such.

    Args:
        text: What is written.
        words: Whether words need no quotes.

    Raises:
        ValueError: If it is no name, maybe with arguments in brackets.

    Example:

    >>> call("flow(2, hidden=(32, 32))")
    ('flow', [2], {'hidden': (32, 32)})
    >>> call("dcgan(normalization=spectral)", words=True)
    ('dcgan', [], {'normalization': 'spectral'})
    """
    try:
        found = ast.parse(text.strip(), mode="eval").body
        made = found if isinstance(found, ast.Call) else ast.Call(found, [], [])
        given = [keyword.arg for keyword in made.keywords]
        if not isinstance(made.func, ast.Name) or None in given or len(set(given)) < len(given):
            raise SyntaxError
        named = {str(keyword.arg): _literal(keyword.value, words) for keyword in made.keywords}
        return made.func.id, [_literal(argument, words) for argument in made.args], named
    except (SyntaxError, TypeError, ValueError):
        raise ValueError(f"'{text}' is no name, maybe with arguments in brackets, such as name(size=3).") from None


class _Quoting(ast.NodeTransformer):
    """Words as if they were quoted."""

    def visit_Name(self, node: ast.Name) -> ast.Constant:
        return ast.Constant(node.id)


def _literal(node: ast.expr, words: bool) -> Any:
    return ast.literal_eval(_Quoting().visit(node) if words else node)


def split(text: str) -> list[str]:
    """The parts of a text between commas, but for those within brackets or quotes.

    Example:

    >>> split("wake=muon(exclude_layers=('a', 'b')),generate=adam")
    ["wake=muon(exclude_layers=('a', 'b'))", 'generate=adam']
    """
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"" and depth:
            quote = sign
        if not quote:
            depth = max(0, depth + (sign in "([{") - (sign in ")]}"))
        if sign == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def in_a_line(refusal: Exception) -> str:
    """What absl's parser of a command line says, in one line and in words for who wrote it.

    Example:

    >>> in_a_line(ValueError("flag --seed=x: invalid literal for int() with base 10: 'x'"))
    "flag --seed=x: takes a whole number. Received: 'x'"
    """
    said = re.sub(r"\. Did you mean: (.*?) ?\?", r", did you mean --\1?", " ".join(str(refusal).split()))
    said = re.sub(r"invalid literal for int.*?: ('.*')", r"takes a whole number. Received: \1", said)
    return re.sub(r"could not convert string to float: ('.*')", r"takes a number. Received: \1", said)


def several(what: str, kind: type[_T], value: Any) -> tuple[_T, ...]:
    """One of a kind, or a sequence of them, as a tuple.

    Args:
        what: What they are, as messages say it: "A recipe has phases, ugm_tf.Phase(name, minimise, updates)".
        kind: Their class.
        value: What was given.

    Raises:
        ValueError: If it is neither.

    Example:

    >>> several("Data have names", str, "x")
    ('x',)
    """
    if isinstance(value, kind):
        return (value,)
    found = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    for one in found:
        if not isinstance(one, kind):
            raise ValueError(f"{what}. Received: {one!r}, of type {type(one).__name__}.")
    return found


def count(owner: str, name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """A number of things as an int: NumPy's integers and whole floats are taken, all else is refused by name.

    Args:
        owner: Who has the argument, as messages call it.
        name: The argument.
        value: What was given.
        least: The least that makes sense.
        most: The most that does, if there is one.

    Raises:
        ValueError: If it is no whole number, too small or too large.

    Example:

    >>> count("fit()", "epochs", 2.0)
    2
    """
    whole = isinstance(value, numbers.Real) and not isinstance(value, bool) and float(value).is_integer()
    if not whole or value < least or (most is not None and value > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{owner} takes {name}, a whole number {bounds}. Received: {name}={value!r}.")
    return int(value)


def seed(owner: str, value: Any) -> int:
    """A seed as an int of 32 bits, as noise is made of.

    Args:
        owner: Who has the argument, as messages call it.
        value: What was given.

    Raises:
        ValueError: If it is no whole number, or one of more bits, which would draw what another draws.
    """
    return count(owner, "seed", value, least=-_SEEDS, most=_SEEDS - 1)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ " Did you mean 'x'?" for the known name that is most alike, and of these of the nearest length; else "".

    >>> did_you_mean("vea", ["gan", "vae", "veegan"])
    " Did you mean 'vae'?"
    """

    def alike(other: str) -> tuple[float, int]:
        return difflib.SequenceMatcher(None, other, name).ratio(), -abs(len(other) - len(name))

    near = difflib.get_close_matches(name, known, n=3)
    return f" Did you mean '{max(near, key=alike)}'?" if near else ""


def _refuse_unknown(owner: str, signature: inspect.Signature, given: Iterable[str]) -> None:
    known = signature.parameters
    unknown = [name for name in given if name not in known]
    if unknown and not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values()):
        takes = ", ".join(map(shown, known.values())) or "no arguments"
        raise TypeError(f"{owner} has no argument '{unknown[0]}'. It takes {takes}.{did_you_mean(unknown[0], known)}")


def shown(parameter: inspect.Parameter) -> str:
    """A parameter as messages show it: "beta: float = 1.0"."""
    annotation, default = parameter.annotation, parameter.default
    empty = inspect.Parameter.empty
    kinds = [] if annotation is empty else _either(annotation)
    names = ["None" if kind is types.NoneType else getattr(kind, "__name__", str(kind)) for kind in kinds]
    value = "" if default is empty else f" = {default!r}"
    return f"{parameter.name}{': ' + ' | '.join(names) if names else ''}{value}"


def check(owner: str, parameter: inspect.Parameter, value: Any) -> None:
    """Refuses a value of another kind than a parameter's annotation, where this is of numbers, switches and words.

    Raises:
        ValueError: If it is.
    """
    empty, default = inspect.Parameter.empty, parameter.default
    annotation = type(default) if parameter.annotation is empty else parameter.annotation
    kinds = [kind for kind in _either(annotation) if kind is not types.NoneType]
    if not any(kind in _KINDS for kind in kinds) or not all(isinstance(kind, type) for kind in kinds):
        return
    if value is None and len(_either(annotation)) > len(kinds):
        return
    taken = [isinstance(value, _KINDS.get(kind, kind)) and isinstance(value, bool) == (kind is bool) for kind in kinds]
    if not any(taken):
        such = {None: " or None", empty: ""}.get(default, f", such as {default!r}")
        raise ValueError(
            f"'{parameter.name}' of {owner} is of type {' or '.join(kind.__name__ for kind in kinds)}{such}. "
            f"Received: {value!r}."
        )


def _either(annotation: Any) -> tuple[Any, ...]:
    """The types of a union; else the one that it is."""
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if union else (annotation,)
