"""Densities for a recipe, from shapes alone."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras

from ugm_tf import arguments
from ugm_tf.algebra import Recipe, Rename, Role
from ugm_tf.algebra.recipe import check_is_recipe
from ugm_tf.densities import Density, Family, InverseAutoregressiveFlow, Logit, PatchLogit, Prior, families
from ugm_tf.networks import builders
from ugm_tf.networks.builders import CONVOLVED, Builder
from ugm_tf.networks.conditioned import PAIRED, leave_one_out
from ugm_tf.networks.layers import AppendShared, full_precision
from ugm_tf.networks.priors import prior

__all__ = ["build", "default_families", "is_adversarial"]

Shape = tuple[int, ...]
_SHARED_RATE = 10.0  # a scale of 1 would take thousands of steps to that of the data, and moves the whole likelihood


def is_adversarial(recipe: Recipe, density: str | None = None) -> bool:
    """Whether the recipe has a discriminator, or, of one density, whether it is judged or judges."""
    if density is None:
        return bool(recipe.judges)
    return density in recipe.judges or not recipe.scores(density)


def default_families(recipe: Recipe, likelihood: str | Family = "bernoulli") -> dict[str, str | Family]:
    """A family for each density.

    The recipe's own, where it names one; "logit" for what judges, `likelihood` for a scored density of data, "point"
    for what is only sampled, and a Gaussian for codes.

    Args:
        recipe: The recipe.
        likelihood: Family of the densities that score data.
    """
    out: dict[str, str | Family] = {}
    for name, role in recipe.roles.items():
        if name in recipe.families:
            out[name] = recipe.families[name]
        elif name in recipe.judges:
            out[name] = "logit"
        elif role.of in (*recipe.data, "x"):
            out[name] = likelihood if recipe.scores(name) else "point"
        elif role.given:
            out[name] = "gaussian" if recipe.scores(name) else "point"
        else:
            out[name] = "gaussian"
    return out


def build(
    recipe: Recipe,
    shapes: Mapping[str, Shape],
    network: str | Builder = "mlp",
    likelihood: str | Family = "bernoulli",
    families_by_name: Mapping[str, str | Family] | None = None,
    conditioning: str | None = None,
    **options: Any,
) -> dict[str, Density | Prior]:
    """Untrained densities for a recipe.

    Args:
        recipe: The recipe.
        shapes: Shape of one value of each variable: {"x": (28, 28, 1), "z": (20,)}.
        network: "mlp", "dcgan" or "resnet", what lies between vectors being dense in each; "cyclegan" between images;
            or a builder of one's own: a function of the shapes `inputs` and `output`, without the batch axis, to a
            built Keras model.  It may take `bounded`, whether the output is to lie in [0, 1]; `name`; and options.
        likelihood: Family of the densities that score data, such as "bernoulli"; its support must be that of the data.
        families_by_name: Families of single densities, by name, where `default_families` is not what you want; "iaf"
            is a Gaussian with an `InverseAutoregressiveFlow`.
        conditioning: How a discriminator takes a vector beside an image: as another input of its network ("concat"), by
            its inner product with the network's features of the image ("projection"), or by dense layers of its own and
            then of both ("joint"). None is "joint" of a code where the network is "dcgan" or "resnet", else "concat".
        **options: Those of the network's builder, such as hidden=(500, 500) for "mlp".

    Returns:
        A density for each name in the recipe, to give to `UnifiedModel`.

    Raises:
        TypeError: If it is no recipe.
        ValueError: If a shape is missing or none, a name or an option is not known, or a conditioning is given and no
            discriminator takes a vector beside an image.

    Example:

    >>> densities = build(ugm_tf.recipes.gan(), {"x": (28, 28, 1), "z": (100,)}, network="dcgan")
    >>> {name: str(density.family) for name, density in densities.items()}
    {'prior': 'Gaussian(scale=None)', 'decoder': 'Point()', 'discriminator': 'Logit()'}
    """
    check_is_recipe("build", recipe)
    shapes = _shapes(shapes)
    builder = builders.get(network)
    builders.check_options(network, options)
    if unknown := sorted(set(families_by_name or {}) - set(recipe.densities)):
        raise ValueError(f"This recipe has no density {', '.join(unknown)}. It has: {', '.join(recipe.densities)}.")
    if conditioning not in (None, "concat", *PAIRED):
        raise ValueError(f"conditioning is 'concat' or one of {', '.join(PAIRED)}. Received: {conditioning!r}.")
    chosen = {**default_families(recipe, likelihood), **(families_by_name or {})}
    for step in recipe.steps:
        shapes |= step.shape(shapes)
    ways = _ways(recipe, shapes, builder, conditioning)
    out: dict[str, Density | Prior] = {}
    for name, role in recipe.roles.items():
        bent = chosen[name] == "iaf"
        family = families.get("gaussian" if bent or not role.given else chosen[name])
        judged = isinstance(family, Logit)
        needed = (*role.given, *(() if judged else (role.of,)))
        _check_known(name, role, needed, shapes)
        event = () if judged else tuple(shapes[role.of])
        if bent and (not role.given or len(event) != 1 or event[0] < 2):
            raise ValueError(
                f"The family 'iaf' is of vectors of at least 2 numbers that depend on others. Received: '{name}', "
                f"which is {role}, of shape {event}."
            )
        if not role.given:
            out[name] = prior(name, recipe, shapes, chosen)
            continue
        more = {**(builders.of_judges(builder) if judged else {}), **options}
        if network == "mlp" and is_adversarial(recipe, name):
            more.setdefault("activation", "leaky_relu")
        inputs = [shapes[v] for v in role.given]
        size = family.parameter_shape(event)
        size = (*size[:-1], size[-1] - family.shared) if size else size
        flow = InverseAutoregressiveFlow(event[-1]) if bent else None
        if flow is not None:
            size = (*size[:-1], size[-1] + flow.context)
        if role.of not in recipe.data and _copies(recipe, role.of) in role.given:
            body = leave_one_out(size[0], name=f"{name}_network", **_of(leave_one_out, more))
        elif ways.get(name) in PAIRED:
            body = _paired(PAIRED[ways[name]], builder, inputs, name=f"{name}_network", **more)
        else:
            # An image that is only sampled lies in [0, 1].
            bounded = not family.has_log_prob and len(event) == 3
            body = _made(builder, network, inputs, size, bounded=bounded, name=f"{name}_network", **more)
        if judged and len(getattr(body, "output_shape", ())) == 4:
            family = PatchLogit(*body.output_shape[1:3])
        out[name] = Density(_with_shared(body, inputs, family.shared), family, flow, name=name)
    return out


def _ways(recipe: Recipe, shapes: Mapping[str, Shape], builder: Builder, conditioning: str | None) -> dict[str, str]:
    """How discriminators take a vector beside an image, by the names of those that take the two."""
    pairs = {name: recipe.roles[name].given for name in recipe.judges}
    pairs = {name: given for name, given in pairs.items() if sorted(len(shapes.get(v, ())) for v in given) == [1, 3]}
    if conditioning is not None and not pairs:
        raise ValueError(
            "No discriminator of this recipe takes a vector beside an image, so that conditioning says nothing: leave "
            f"it out. Received: {conditioning!r}."
        )
    convolved = builder in map(builders.get, CONVOLVED)
    vectors = {name: min(given, key=lambda v: len(shapes[v])) for name, given in pairs.items()}
    of_codes = {name: convolved and vector not in ("c", *recipe.data) for name, vector in vectors.items()}
    return {name: conditioning or ("joint" if of_code else "concat") for name, of_code in of_codes.items()}


def _paired(way: Builder, builder: Builder, inputs: Sequence[Shape], **options: Any) -> keras.Model:
    """A discriminator of an image and a vector, which a role may name in either order."""
    body = way(builder, sorted(inputs, key=len, reverse=True), **options)
    return body if len(inputs[0]) == 3 else keras.Model(body.inputs[::-1], body.outputs[0], name=body.name)


def _shapes(shapes: Any) -> dict[str, Shape]:
    """Shapes that were given, as tuples of ints."""
    given = dict(shapes) if isinstance(shapes, Mapping) else {"": shapes}
    for name, shape in given.items():
        if not name or isinstance(shape, str) or not isinstance(shape, Iterable):
            raise ValueError(
                'The shapes of one value of each variable are tuples by its name, such as {"x": (28, 28, 1), '
                f'"z": (20,)}}. Received: {shapes!r}.'
            )
        given[name] = tuple(arguments.count("build()", f"the shape of {name}", size, 0) for size in shape)
    return given


def _check_known(name: str, role: Role, needed: Sequence[str], shapes: Mapping[str, Shape]) -> None:
    """Refuses a density of variables without a shape, or without a number in it."""
    if missing := [variable for variable in needed if variable not in shapes]:
        raise ValueError(
            f"'{name}' is {role}: give the shape of {', '.join(missing)}. Received shapes of: {', '.join(shapes)}."
        )
    if empty := [variable for variable in needed if 0 in shapes[variable]]:
        raise ValueError(f"'{name}' is {role}, and {empty[0]} of shape {shapes[empty[0]]} holds nothing.")


def _made(builder: Builder, network: str | Builder, *shapes: Any, **options: Any) -> keras.Model:
    """A network, or a refusal of its options that says whose they are: Keras's own names a layer."""
    try:
        return builder(*shapes, **options)
    except (ValueError, TypeError) as error:
        if not isinstance(network, str):
            raise
        given = ", ".join(f"{key}={value!r}" for key, value in options.items() if key != "bounded")
        raise ValueError(f"A '{network}' network cannot be made with {given}. {error}") from error


def _with_shared(body: keras.Model, inputs: Sequence[Shape], number: int) -> keras.Model:
    """The network, ending in so many weights of its own."""
    if not number:
        return body
    tensors = [keras.Input(shape) for shape in inputs]
    y = body(tensors if len(tensors) > 1 else tensors[0])
    y = AppendShared(number, _SHARED_RATE, dtype=full_precision())(y)
    return keras.Model(tensors if len(tensors) > 1 else tensors[0], y, name=body.name)


def _copies(recipe: Recipe, variable: str) -> str | None:
    """The variable that a sampler copies into this one, if it does: one to be predicted unit by unit."""
    return next((step.old for step in recipe.steps if isinstance(step, Rename) and step.new == variable), None)


def _of(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    known = inspect.signature(function).parameters
    return {key: value for key, value in options.items() if key in known}
