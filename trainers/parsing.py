"""Flags that are more than a word or a number."""

import json
import re
from typing import Any

import ugm_tf
from ugm_tf.arguments import did_you_mean, split

__all__ = ["parse_augment", "parse_families", "parse_hidden", "parse_hyperparameters"]


def parse_hyperparameters(pairs: list[str]) -> tuple[tuple[str, Any], ...]:
    """["beta=4", "kl=sampled"] -> (("beta", 4), ("kl", "sampled")).

    Raises:
        ValueError: If a pair has no name or value, or a name comes twice.
    """
    out: dict[str, Any] = {}
    for pair in (part for text in pairs for part in split(text)):
        name, _, text = pair.partition("=")
        if not name or not text:
            raise ValueError(f"--hyperparameter takes name=value, such as beta=4.0. Received: '{pair}'.")
        if name in out:
            raise ValueError(
                f"--hyperparameter takes each name once. Received: '{name}' as {out[name]!r} and as {text}."
            )
        try:
            out[name] = json.loads(text.lower() if text in ("True", "False") else text)
        except json.JSONDecodeError:
            out[name] = text
    return tuple(sorted(out.items()))


def parse_families(text: str) -> tuple[tuple[str, str], ...]:
    """ "encoder=iaf,decoder=laplace(scale=0.1)" -> (("decoder", "laplace(scale=0.1)"), ("encoder", "iaf")).

    Raises:
        ValueError: If a pair has no name or family, or a name comes twice.
    """
    pairs = split(text)
    found = [re.fullmatch(r"\s*(\w+)=(\w+(?:\(.*\))?)\s*", pair) for pair in pairs]
    names = [match[1] for match in found if match]
    if len(set(names)) < len(pairs):
        raise ValueError(
            "--families takes density=family, each density once, such as encoder=iaf or "
            f"decoder=laplace(scale=0.1). Received: '{text}'."
        )
    return tuple(sorted((match[1], match[2]) for match in found if match))


def parse_augment(text: str) -> tuple[str, ...]:
    """ "flip, shift(2), diffaugment" -> ("flip", "shift(2)", "diffaugment(color,translation,cutout)").

    Raises:
        ValueError: If one is none that there is, or comes twice.
    """
    found = []
    for part in split(text.replace(" ", "")):
        name, _, rest = part.partition("(")
        pixels = name == "shift" and re.fullmatch(r"\d+\)", rest)
        changes = name == "diffaugment" and (not rest or rest.endswith(")"))
        if changes:
            policy = tuple(rest[:-1].split(",")) if rest else ugm_tf.DiffAugment("x", "x").policy
            try:
                part = f"diffaugment({','.join(ugm_tf.DiffAugment('x', 'x', policy).policy)})"
            except ValueError as error:
                near = did_you_mean(policy[0], ugm_tf.DiffAugment("x", "x").policy)
                raise ValueError(f"--augment={text}: {error}{near}") from None
        if part != "flip" and not pixels and not changes:
            raise ValueError(
                "--augment takes flip, shift(n) with a number of pixels, and diffaugment with any of "
                f"({','.join(ugm_tf.DiffAugment('x', 'x').policy)}), such as --augment=flip,shift(2),diffaugment. "
                f"Received: '{part}'."
            )
        found.append(part)
    names = [part.partition("(")[0] for part in found]
    if len(set(names)) < len(names):
        raise ValueError(f"--augment takes each change once. Received: '{text}'.")
    return tuple(found)


def parse_hidden(sizes: list[str]) -> tuple[int, ...]:
    """["500", "500"] -> (500, 500).

    Raises:
        ValueError: If one is not a positive integer.
    """
    if not all(size.strip().isdecimal() and int(size) >= 1 for size in sizes):
        raise ValueError(f"--hidden lists sizes of at least 1, such as --hidden=500,500. Received: {','.join(sizes)}.")
    return tuple(int(size) for size in sizes)
