"""The families that can be given by name."""

from collections.abc import Callable

from ugm_tf.densities import continuous, discrete
from ugm_tf.densities.family import Family

__all__ = ["get", "names"]

_FAMILIES: dict[str, Callable[[], Family]] = {
    "bernoulli": discrete.Bernoulli,
    "categorical": discrete.Categorical,
    "continuous_bernoulli": continuous.ContinuousBernoulli,
    "discretized_logistic": continuous.DiscretizedLogistic,
    "full_covariance_gaussian": continuous.FullCovarianceGaussian,
    "gaussian": continuous.Gaussian,
    "laplace": continuous.Laplace,
    "logit": discrete.Logit,
    "one_hot": discrete.OneHot,
    "point": continuous.Point,
    "relaxed_one_hot": discrete.RelaxedOneHot,
    "uniform": continuous.Uniform,
    "unit_gaussian": lambda: continuous.Gaussian(scale=1.0),
}


def names() -> list[str]:
    """The families that can be given by name."""
    return sorted(_FAMILIES)


def get(family: str | Family) -> Family:
    """The family of this name, with its defaults; a `Family` is returned as it is.

    Raises:
        ValueError: If the name is not known.
    """
    if isinstance(family, Family):
        return family
    if family not in _FAMILIES:
        raise ValueError(
            f"There is no family '{family}'. Give one of {', '.join(names())}, or a Family, such as "
            "Gaussian(scale=0.1)."
        )
    return _FAMILIES[family]()
