"""The families that can be given by name."""

import inspect
from collections.abc import Callable

from ugm_tf import serialization
from ugm_tf.arguments import call, check, did_you_mean
from ugm_tf.densities import colour, continuous, discrete
from ugm_tf.densities.family import Family
from ugm_tf.densities.mixture import Mixture

__all__ = ["get", "names"]

_FAMILIES: dict[str, Callable[[], Family]] = {
    "bernoulli": discrete.Bernoulli,
    "categorical": discrete.Categorical,
    "continuous_bernoulli": continuous.ContinuousBernoulli,
    "discretized_logistic": continuous.DiscretizedLogistic,
    "discretized_logistic_mixture": colour.DiscretizedLogisticMixture,
    "full_covariance_gaussian": continuous.FullCovarianceGaussian,
    "gaussian": continuous.Gaussian,
    "laplace": continuous.Laplace,
    "logit": discrete.Logit,
    "mixture": Mixture,
    "one_hot": discrete.OneHot,
    "patch_logit": discrete.PatchLogit,
    "point": continuous.Point,
    "relaxed_bernoulli": discrete.RelaxedBernoulli,
    "relaxed_one_hot": discrete.RelaxedOneHot,
    "shared_scale_gaussian": colour.SharedScaleGaussian,
    "uniform": continuous.Uniform,
    "unit_gaussian": lambda: continuous.Gaussian(scale=1.0),
}


def names() -> list[str]:
    """The families that can be given by name."""
    return sorted(_FAMILIES)


def get(family: str | Family) -> Family:
    """The family of this name, with its defaults or with others: "laplace", "laplace(scale=0.1)".

    Args:
        family: The name, maybe with arguments; or a `Family`, which is returned as it is.

    Raises:
        ValueError: If the name or an argument is not known; if a `Family` is no record, and could not be saved.

    Example:

    >>> get("gaussian(scale=0.1)")
    Gaussian(scale=0.1)
    """
    if isinstance(family, Family):
        serialization.check(family, "family")
        return family
    family = str(family).strip().replace(" (", "(")
    name, brackets, rest = family.partition("(")
    if name not in _FAMILIES or (brackets and not rest.endswith(")")):
        near = " Did you mean 'gaussian'?" if name == "normal" else did_you_mean(name, _FAMILIES)
        raise ValueError(
            f"There is no family '{family}'.{near} Give one of {', '.join(names())}, maybe with arguments, such as "
            "'gaussian(scale=0.1)'; or a Family, such as Gaussian(scale=0.1)."
        )
    make = _FAMILIES[name]
    if not brackets:
        return make()
    known = inspect.signature(make).parameters
    try:
        _, unnamed, values = call(family)
        if unnamed or not set(values) <= set(known):
            raise ValueError
    except ValueError:
        takes = ", ".join(str(parameter) for parameter in known.values()) or "none"
        raise ValueError(f"'{name}' takes the arguments: {takes}. Received: '{family}'.") from None
    for argument, value in values.items():
        check(f"the family '{name}'", known[argument], value)
    return make(**values)
