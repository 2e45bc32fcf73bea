"""The untrained model of a run, and its optimizers."""

import re
from collections.abc import Mapping

import keras

import ugm_tf
from ugm_tf.supports import reach

from . import own_networks
from .optimizers import PhaseOptimizers, make, optimizer_of
from .rates import AnyRate, Rate, rate_of
from .settings import Resolved

__all__ = ["build", "is_adversarial", "is_wasserstein", "optimizers", "shapes", "unbounded"]

_CODES = 2  # numbers of InfoGAN's u


def build(recipe: ugm_tf.Recipe, settings: Resolved, examples: ugm_tf.data.Examples) -> ugm_tf.UnifiedModel:
    """The untrained model of a run, not yet compiled.

    Args:
        recipe: The recipe.
        settings: The run's settings.
        examples: Its training data, for their shape.
    """
    network, options = own_networks.get(settings.network)
    densities = ugm_tf.networks.build(
        recipe,
        shapes(settings, examples),
        network=network,
        likelihood=settings.likelihood or "bernoulli",
        families_by_name=dict(settings.families),
        conditioning=settings.conditioning if examples.is_image else None,  # which is "concat"
        **options,
        **({} if settings.hidden is None else {"hidden": settings.hidden}),
    )
    return ugm_tf.UnifiedModel(recipe, densities, seed=settings.seed)


def unbounded(model: ugm_tf.UnifiedModel) -> list[str]:
    """Densities that only draw images, as for a discriminator, by networks that may leave [0, 1]."""
    return [
        name
        for name, density in model.densities.items()
        if isinstance(density, ugm_tf.Density)
        and not density.family.has_log_prob
        and len(density.event_shape or ()) == 3
        and not _within(reach(density.network))
    ]


def _within(ends: tuple[float, float] | None) -> bool:
    return ends is not None and ends[0] >= 0.0 and ends[1] <= 1.0


def shapes(settings: Resolved, examples: ugm_tf.data.Examples) -> dict[str, tuple[int, ...]]:
    """Shape of one value of each variable that a recipe of the package may have.

    A variable of a user's own recipe is a vector of the size of a code.

    Args:
        settings: A run's settings.
        examples: Its data.
    """
    size = settings.code_size or 0  # without a code no variable asks for it
    roles = settings.make_recipe().roles.values()
    out: dict[str, tuple[int, ...]] = {
        **{variable: (size,) for role in roles for variable in (role.of, *role.given) if variable not in ("c", "y")},
        "x": examples.shape,
        "labelled": examples.shape,
        "target": examples.shape,
        "z": (size,),
        "e": (size,),  # the noise of AVB's encoder
        "h": (size,),  # the second layer of codes
        "u": (_CODES,),
    }
    if examples.num_classes is not None:
        out["c"] = (examples.num_classes,)
    return out


def optimizers(
    recipe: ugm_tf.Recipe,
    learning_rate: AnyRate,
    ema: float | None = None,
    steps: int = 1,
    asked: str | PhaseOptimizers | None = None,
    densities: Mapping[str, keras.layers.Layer] | None = None,
) -> dict[str, keras.optimizers.Optimizer]:
    """The optimizer of each phase: Adam, in phases against a discriminator with the moments of the literature.

    Those are DCGAN's, beta_1 = 0.5; and in a recipe with a Wasserstein contest WGAN-GP's, beta_1 = 0, beta_2 = 0.9.

    Args:
        recipe: The recipe.
        learning_rate: The step size, which may fall over the run; or that of each phase.
        ema: Decay of the average of the weights over the steps; 0 or None keeps none.
        steps: Training steps of the run, over which a learning rate falls.
        asked: Other optimizers than Adam, or other arguments of it: of all phases, or of some.
        densities: What they are to move, by name, so that Muon's `exclude_layers` may name their layers.

    Raises:
        ValueError: If a phase has no learning rate, there is no such optimizer, or no such layer.
    """
    average = {} if not ema else {"use_ema": True, "ema_momentum": ema}
    wasserstein, out = is_wasserstein(recipe), {}
    for phase in recipe.phases:
        rate = rate_of(learning_rate, phase.name)
        if rate is None:
            raise ValueError(f"Phase '{phase.name}' has no learning rate. Received: {learning_rate}.")
        step = rate.schedule(steps * phase.repeats * recipe.phases.count(phase)) if isinstance(rate, Rate) else rate
        moments = {}
        if is_adversarial(phase):
            moments = {"beta_1": 0.0, "beta_2": 0.9} if wasserstein else {"beta_1": 0.5}
        of = phase.updates if isinstance(asked, PhaseOptimizers) else densities or ()  # what the text is said of
        layers = None if densities is None else _layers({name: densities[name] for name in of})
        out[phase.name] = make(optimizer_of(asked, phase.name), step, moments, layers, **average)
    return out


def _layers(densities: Mapping[str, keras.layers.Layer]) -> dict[str, str]:
    """Paths of matrices of weights by names that are a density's and a count of its own: "decoder/dense_1/kernel".

    (Keras counts layers over all that a process makes.)
    """
    out: dict[str, str] = {}
    for name, density in densities.items():
        counts: dict[str, list[str]] = {}
        for weight in density.trainable_weights:
            layer, _, last = weight.path.rpartition("/")
            plain = re.sub(r"_[0-9]+(?=/|$)", "", layer)
            known = counts.setdefault(plain, [])
            if layer not in known:
                known.append(layer)
            if len(weight.shape) == 2:
                number = known.index(layer)
                out[f"{name}/{plain}{f'_{number}' if number else ''}/{last}"] = weight.path
    return out


def is_wasserstein(recipe: ugm_tf.Recipe) -> bool:
    """Whether a recipe plays a Wasserstein contest."""
    terms = [e.of for phase in recipe.phases for e in phase.minimise]
    return any(getattr(term, "contest", None) == "wasserstein" for term in terms)


def is_adversarial(phase: ugm_tf.Phase) -> bool:
    """Whether a phase is against a discriminator: of the discriminator itself, or of what it judges."""
    return any(isinstance(e.of, ugm_tf.DiscriminatorLoss | ugm_tf.ClippedRatio) for e in phase.minimise)
