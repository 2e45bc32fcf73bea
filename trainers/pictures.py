"""What a run draws of its model: samples, reconstructions and walks between codes."""

from collections.abc import Callable
from typing import Any

import numpy as np

import ugm_tf
from ugm_tf.callbacks import grids

from . import defaults

__all__ = ["examples_of", "interpolations", "of", "reconstructions", "samples"]

_SAMPLES, _POINTS, _PAIRS, _WALKS, _STEPS = 64, 1000, 16, 6, 10


def examples_of(examples: ugm_tf.data.Examples, n: int, settings: defaults.Settings) -> dict[str, np.ndarray]:
    """The first n examples as the model takes them, by variable."""
    recipe = settings.make_recipe()
    batches = ugm_tf.data.batches(
        examples,
        min(n, len(examples)),
        observation=settings.observation,
        variables=recipe.data,
        shuffle=False,
        epochs=1,
    )
    return {name: np.asarray(value) for name, value in next(iter(batches)).items()}


def _answers(model: ugm_tf.UnifiedModel) -> dict[str, Any]:
    return ugm_tf.inference.endpoints(model)


def of(
    model: ugm_tf.UnifiedModel, examples: ugm_tf.data.Examples, settings: defaults.Settings
) -> dict[str, Callable[[Any], np.ndarray]]:
    """The pictures that this model can draw while it trains, by name."""
    out: dict[str, Callable[[Any], np.ndarray]] = {}
    if "sample" in _answers(model):
        n = _SAMPLES if examples.is_image else _POINTS
        out["samples"] = lambda model: samples(model, n, examples, settings)
    if "reconstruct" in _answers(model) and examples.is_image:
        out["reconstructions"] = lambda model: grids.pairs(*reconstructions(model, examples, settings))
    return out


def samples(
    model: ugm_tf.UnifiedModel, n: int, examples: ugm_tf.data.Examples, settings: defaults.Settings, seed: int = 0
) -> np.ndarray:
    """n samples, [n, ...]; where the decoder takes a class, each class in turn, and other conditions from the
    examples."""
    given = _conditions(_answers(model)["sample"], examples, n, settings)
    return model.sample(n, seed=seed, **given).numpy()


def _conditions(
    endpoint: Any, examples: ugm_tf.data.Examples, n: int, settings: defaults.Settings
) -> dict[str, np.ndarray]:
    names = [name for name in endpoint.inputs if name != "seed"]
    if not names:
        return {}
    if names == ["c"]:  # every class in turn
        return {"c": np.eye(examples.num_classes, dtype=np.float32)[np.arange(n) % examples.num_classes]}
    data = examples_of(examples, n, settings)
    return {name: np.resize(data[name], (n, *data[name].shape[1:])) for name in names}


def reconstructions(
    model: ugm_tf.UnifiedModel, examples: ugm_tf.data.Examples, settings: defaults.Settings
) -> tuple[np.ndarray, np.ndarray] | None:
    """Examples, [N, ...], and what the model makes of them; None if it cannot."""
    endpoint = _answers(model).get("reconstruct")
    if endpoint is None:
        return None
    data = examples_of(examples, _PAIRS if examples.is_image else _POINTS, settings)
    given = {name: data[name] for name in endpoint.inputs if name != "x"}
    return data["x"], model.reconstruct(data["x"], **given).numpy()


def interpolations(
    model: ugm_tf.UnifiedModel, examples: ugm_tf.data.Examples, settings: defaults.Settings
) -> np.ndarray | None:
    """Walks between two codes, decoded, [R, K, ...]: codes of real examples if there is an encoder, else of the prior.

    The walk is along a great circle, so that codes keep the length that a Gaussian prior gives them.
    """
    answers = _answers(model)
    if set(getattr(answers.get("decode"), "inputs", ())) != {"z"}:
        return None
    if set(getattr(answers.get("encode"), "inputs", ())) == {"x"}:
        ends = model.encode(examples_of(examples, 2 * _WALKS, settings)["x"]).numpy()
    else:
        ends = np.asarray(model.prior.draw(model.prior.distribution(), [2 * _WALKS], np.array([0, 1], np.int32)))
    first, last = ends[:_WALKS], ends[_WALKS : 2 * _WALKS]
    t = np.linspace(0.0, 1.0, _STEPS, dtype=np.float32)[None, :, None]
    a, b = first[:, None], last[:, None]
    lengths = np.linalg.norm(a, axis=-1, keepdims=True) * np.linalg.norm(b, axis=-1, keepdims=True)
    angle = np.arccos(np.clip(np.sum(a * b, -1, keepdims=True) / np.maximum(lengths, 1e-12), -0.9995, 0.9995))
    codes = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    images = model.decode(codes.reshape(-1, codes.shape[-1]).astype(np.float32)).numpy()
    return images.reshape(_WALKS, _STEPS, *images.shape[1:])
