"""Translation between two domains: what becomes of an example there, and on its way back."""

import numpy as np

from ugm_tf.evaluation.checks import check_rows
from ugm_tf.inference import VERBS
from ugm_tf.model import UnifiedModel

__all__ = ["cycle", "cycle_error", "is_translator"]

_BATCH = 500


def is_translator(model: UnifiedModel) -> bool:
    """Whether the model has p(target | x) and p(x | target)."""
    return _name(model, "x", "target") is not None and _name(model, "target", "x") is not None


def cycle(model: UnifiedModel, values: np.ndarray, start: str = "x") -> tuple[np.ndarray, np.ndarray]:
    """Examples of one domain in the other, and from there back in their own.

    Args:
        model: A model with p(target | x) and p(x | target), such as "cyclegan".
        values: Examples, [N, ...].
        start: Their domain: "x" or "target".

    Returns:
        The means there, [N, ...], and the means back here, [N, ...].

    Raises:
        ValueError: If the model does not translate, or there is no such domain, or an example is not finite.
    """
    if start not in ("x", "target"):
        raise ValueError(f"A domain is 'x' or 'target'. Received: start={start!r}.")
    if not is_translator(model):
        roles = ", ".join(str(role) for role in model.recipe.roles.values())
        raise ValueError(f"Translation takes p(target | x) and p(x | target). This model has: {roles}.")
    values = check_rows("Examples to translate", values, least=1)
    end = "target" if start == "x" else "x"
    there = _translated(model, values, start, end)
    return there, _translated(model, there, end, start)


def cycle_error(values: np.ndarray, back: np.ndarray) -> float:
    """Mean absolute difference of a pixel from itself after the way there and back, in the units of x.

    Args:
        values: Examples, [N, ...].
        back: What came back of each, of the same shape.

    Raises:
        ValueError: If shapes differ, there is no example, or a number is not finite.
    """
    values, back = (check_rows(f"The {what}", a, least=1) for what, a in (("examples", values), ("way back", back)))
    if values.shape != back.shape:
        raise ValueError(f"What came back has the examples' shape. Received: {values.shape} and {back.shape}.")
    return float(np.mean(np.abs(np.subtract(values, back, dtype=np.float64))))


def _translated(model: UnifiedModel, values: np.ndarray, start: str, end: str) -> np.ndarray:
    name = str(_name(model, start, end))
    endpoint = model.endpoints()[VERBS.get(name, name)]
    parts = [endpoint.function(**{start: values[i : i + _BATCH]})[end] for i in range(0, len(values), _BATCH)]
    return np.concatenate([part.numpy() for part in parts])


def _name(model: UnifiedModel, start: str, end: str) -> str | None:
    roles = model.recipe.roles
    return next((n for n, r in roles.items() if r.letter == "p" and r.of == end and r.given == (start,)), None)
