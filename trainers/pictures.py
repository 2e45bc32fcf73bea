"""What a run draws of its model: samples, reconstructions, translations and walks between codes."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import ugm_tf
from ugm_tf import grids

from .inputs import Inputs
from .settings import Settings

__all__ = [
    "columns",
    "during_training",
    "is_given_classes",
    "interpolations",
    "prior_draws",
    "reconstructions",
    "row_names",
    "samples",
    "samples_to_show",
    "seen",
    "translations",
    "weights",
    "weights_in_words",
]

_SAMPLES, _POINTS, _PAIRS, _WALKS, _STEPS = 64, 1000, 16, 6, 10
_BY_CLASS = 10  # samples of each class, where a grid has a row for each


def weights(model: ugm_tf.UnifiedModel, settings: Settings) -> contextlib.AbstractContextManager[None]:
    """The weights to draw and measure with: their averages where the run keeps them."""
    return model.averaged() if settings.ema else contextlib.nullcontext()


def during_training(
    model: ugm_tf.UnifiedModel, inputs: Inputs, settings: Settings
) -> dict[str, Callable[[Any], np.ndarray]]:
    """The pictures that this model can draw while it trains, by name."""
    out: dict[str, Callable[[Any], np.ndarray]] = {}
    image = inputs.examples.is_image
    if "sample" in _answers(model):
        out["samples"] = samples_to_show
    if image and reconstructions(model, inputs) is not None:
        out["reconstructions"] = lambda model: grids.stacks(*(reconstructions(model, inputs) or ()))
    if image and ugm_tf.evaluation.is_translator(model):
        out["samples"] = lambda model: np.concatenate([grids.stacks(*part) for part in translations(model, inputs)])

    def averaged(make: Callable[[Any], np.ndarray]) -> Callable[[Any], np.ndarray]:
        def draw(model: ugm_tf.UnifiedModel) -> np.ndarray:
            with weights(model, settings):
                return make(model)

        return draw

    return {name: averaged(make) for name, make in out.items()}


def columns(model: ugm_tf.UnifiedModel) -> int | None:
    """How many columns the grid of samples has, so that each row is one class; None if it has no such rows."""
    if ugm_tf.evaluation.is_translator(model):
        return _PAIRS
    return _BY_CLASS if _classes(model) is not None else None


def row_names(model: ugm_tf.UnifiedModel, class_names: Sequence[str] | None) -> tuple[str, ...]:
    """What each row of the grid of samples is called; empty where rows are no classes of the data.

    Args:
        model: The model.
        class_names: The names of the data's classes, None where these have none.
    """
    named = class_names is not None and "c" in model.recipe.data and _classes(model) == len(class_names)
    return tuple(class_names or ()) if named else ()


def weights_in_words(model: ugm_tf.UnifiedModel, settings: Settings) -> str:
    """Which weights pictures and figures are of: those within `weights`."""
    averages = f"averages of the weights, decay up to {settings.ema}, after" if settings.ema else "the weights after"
    best = f", where {settings.keep_best} was lowest" if settings.keep_best else ""
    return f"{averages} {int(np.asarray(model.steps)):,} steps{best}"


def _answers(model: ugm_tf.UnifiedModel) -> dict[str, Any]:
    return model.endpoints()


def _classes(model: ugm_tf.UnifiedModel) -> int | None:
    """How many classes the decoder takes; None if it takes none."""
    answers, roles = _answers(model), model.recipe.roles
    if "sample" not in answers:
        return None
    if "c" in answers["sample"].inputs:
        return int(answers["sample"].inputs["c"].shape[-1])
    own = next((name for name, role in roles.items() if role.letter == "p" and role.of == "c"), None)
    shape = model.densities[own].event_shape if own and "c" in roles["decoder"].given else None
    return shape[-1] if shape else None


def samples_to_show(model: ugm_tf.UnifiedModel) -> np.ndarray:
    """The samples to look at, [N, ...]; where the decoder takes a class, a row of 10 for each."""
    classes = _classes(model)
    if classes is not None:
        return samples(model, _BY_CLASS * classes)[0]
    vector = model.decoder.event_shape is not None and len(model.decoder.event_shape) == 1
    return samples(model, _POINTS if vector else _SAMPLES)[0]


def seen(images: np.ndarray) -> np.ndarray:
    """Images as they are looked at, within [0, 1]: a linear decoder's reach beyond; what is not finite stays so."""
    return np.clip(np.asarray(images, np.float32), 0.0, 1.0)


def samples(
    model: ugm_tf.UnifiedModel, n: int, seed: int = 0, shares: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples, and the class of each.

    Args:
        model: A model that can sample.
        n: How many.
        seed: Fixes the draws.
        shares: Of each class among data, [C], for models to which a class is given and that have no p(c) of their own.

    Returns:
        x, [n, ...]; and c, int [n]: as many of each class as can be, or in these shares, one class after the other;
        None where the decoder takes no class.
    """
    classes = _classes(model)
    if classes is None:
        return model.sample(n, seed=seed).numpy(), None
    c, given = np.arange(n) * classes // n, is_given_classes(model)
    if given and shares is not None:
        c = np.searchsorted(np.cumsum(shares[:-1]), (np.arange(n) + 0.5) / n)
    one_hot = np.eye(classes, dtype=np.float32)[c]
    if given:
        return model.sample(n, seed=seed, c=one_hot).numpy(), c
    others = prior_draws(model, [name for name in model.recipe.roles["decoder"].given if name != "c"], n, seed)
    return _answers(model)["decode"].function(**others, c=one_hot)["x"].numpy(), c


def is_given_classes(model: ugm_tf.UnifiedModel) -> bool:
    """Whether a sample takes a class that comes of data: of what is not drawn by the model itself."""
    return "c" in getattr(_answers(model).get("sample"), "inputs", ())


def prior_draws(model: ugm_tf.UnifiedModel, variables: Iterable[str], n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """n draws of variables that have a distribution of their own, such as z of p(z), by name."""
    found = {r.of: name for name, r in model.recipe.roles.items() if r.letter == "p" and not r.given}
    out = {}
    for variable in variables:
        prior, start = model.densities[found[variable]], model.joint.sample({}, False, batch_size=tf.constant(n))
        stream = np.array([seed, list(model.densities).index(found[variable])], np.int32)
        out[variable] = np.asarray(prior.draw(start.distribution(found[variable]), [n], stream))
    return out


def reconstructions(model: ugm_tf.UnifiedModel, inputs: Inputs) -> tuple[np.ndarray, np.ndarray] | None:
    """Examples, [N, ...], and what the model makes of them; None if it cannot."""
    endpoint = _answers(model).get("reconstruct")
    if endpoint is None:
        return None
    data = inputs.first(_PAIRS if inputs.examples.is_image else _POINTS)
    noise = prior_draws(model, [name for name in endpoint.inputs if name not in data], len(data["x"]))
    given = {name: value for name, value in {**data, **noise}.items() if name in endpoint.inputs and name != "x"}
    return data["x"], model.reconstruct(data["x"], **given).numpy()


def translations(model: ugm_tf.UnifiedModel, inputs: Inputs) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For x and for target: examples, what they become in the other domain, and that brought back, [N, ...] each."""
    data = inputs.first(_PAIRS)
    return [(data[start], *ugm_tf.evaluation.cycle(model, data[start], start)) for start in ("x", "target")]


def interpolations(model: ugm_tf.UnifiedModel, inputs: Inputs) -> np.ndarray | None:
    """Walks between two codes, decoded, [R, K, ...]: codes of real examples if there is an encoder, else of the prior.

    Of few examples there are fewer walks, and none of a single one.

    The walk is along a great circle, so that codes keep the length that a Gaussian prior gives them; of a prior that
    learned, which may lie anywhere, it is along a line.
    """
    answers, roles = _answers(model), model.recipe.roles
    if set(getattr(answers.get("decode"), "inputs", ())) != {"z"}:
        return None
    if set(getattr(answers.get("encode"), "inputs", ())) == {"x"}:
        ends = model.encode(inputs.first(2 * _WALKS)["x"]).numpy()
    elif any(role.letter == "p" and role.of == "z" and not role.given for role in roles.values()):
        ends = prior_draws(model, ["z"], 2 * _WALKS)["z"]
    else:
        return None
    walks = len(ends) // 2
    if not walks:
        return None
    first, last = ends[:walks], ends[walks : 2 * walks]
    learned = any(
        density.variables
        for name, density in model.densities.items()
        if roles[name].of == "z" and not roles[name].given
    )
    codes = ugm_tf.evaluation.interpolate(first, last, _STEPS, spherical=not learned)
    images = model.decode(codes.reshape(-1, codes.shape[-1])).numpy()
    return images.reshape(walks, _STEPS, *images.shape[1:])
