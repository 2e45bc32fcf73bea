"""Functions of the user's own, by the name that a flag gives them: path/to/file.py:function or module:function."""

import functools
import importlib
import importlib.util
import inspect
import os
import pathlib
import re
import sys
import types
from collections.abc import Callable
from typing import Any

__all__ = ["absolute", "function", "is_own", "short", "split"]

_CALLED = re.compile(r"(?s)(?:(?P<place>.*?):)?(?P<called>\w+(?:\(.*\))?)")


def split(name: str) -> tuple[str, str]:
    """The file or the module, "" if it names none; and what is called there, with its options.

    >>> split("my (old) files/networks.py:small(act='a:b')"), split("dcgan(filters=8)")
    (('my (old) files/networks.py', "small(act='a:b')"), ('', 'dcgan(filters=8)'))
    """
    found = _CALLED.fullmatch(name)
    if found is None:
        place, _, called = name.rpartition(":")
        return place, called
    return found["place"] or "", found["called"]


def is_own(name: str) -> bool:
    """Whether it names what is the user's, and not the package's."""
    return bool(split(name)[0]) or name.startswith(":") or name.endswith((":", ".py"))


def absolute(name: str) -> str:
    """The same name, whatever the working directory: a file's path is made absolute."""
    path, called = split(name)
    return f"{os.path.abspath(path)}:{called}" if path.endswith(".py") else name


def short(name: str) -> str:
    """The name without where it is from: "my_gan" of "path/to/file.py:my_gan"."""
    return split(name)[1]


def function(flag: str, name: str) -> Callable[..., Any]:
    """The function.

    Args:
        flag: The flag's name, for messages.
        name: "path/to/file.py:function" or "module:function".

    Raises:
        ValueError: If its file or its module cannot be run, or has no such function.
    """
    example = f"Give --{flag}=path/to/file.py:function or --{flag}=module:function"
    place, colon, called = name.rpartition(":")
    if not colon or not place or not called:
        raise ValueError(f"{example}. Received: --{flag}={name}.")
    module = _file(pathlib.Path(place), example) if place.endswith(".py") else _import(place)
    found = getattr(module, called, None)
    if not inspect.isfunction(found):
        own = [n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__]
        raise ValueError(f"{place} has no function '{called}'. It has: {', '.join(own) or 'none'}.")
    if found.__name__ != called:
        raise ValueError(f"{place} calls '{found.__name__}' by another name, '{called}'. {example} of its own name.")
    return found


def _file(path: pathlib.Path, example: str) -> types.ModuleType:
    path = path.resolve()
    if not path.is_file():
        raise ValueError(f"There is no file {path}. {example}.")
    return _run(path, path.stat().st_mtime_ns)


@functools.cache
def _run(path: pathlib.Path, changed: int) -> types.ModuleType:
    """What a file defines; it is run once, also where several flags name it, as what it registers is one thing."""
    del changed  # a part of the key
    spec = importlib.util.spec_from_file_location(f"recipes_of_{path.stem}", path)  # what saved models call it
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's own file raises
        raise ValueError(f"{path} could not be run: {type(error).__name__}: {error}.") from error
    return module


def _import(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever the user's own module raises
        raise ValueError(f"Module '{name}' could not be imported: {type(error).__name__}: {error}.") from error
