"""Densities: Keras networks that parameterise TensorFlow Probability distributions."""

from ugm_tf.densities.continuous import (
    ContinuousBernoulli,
    DiscretizedLogistic,
    FullCovarianceGaussian,
    Gaussian,
    Laplace,
    Point,
    Uniform,
)
from ugm_tf.densities.density import Density, Prior
from ugm_tf.densities.discrete import Bernoulli, Categorical, Logit, OneHot, RelaxedBernoulli, RelaxedOneHot
from ugm_tf.densities.families import get, names
from ugm_tf.densities.family import Family
from ugm_tf.densities.flows import MADE, InverseAutoregressiveFlow
from ugm_tf.densities.noise import fold, noise_by_row, standard_noise

__all__ = [
    "MADE",
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "Density",
    "DiscretizedLogistic",
    "Family",
    "FullCovarianceGaussian",
    "Gaussian",
    "InverseAutoregressiveFlow",
    "Laplace",
    "Logit",
    "OneHot",
    "Point",
    "Prior",
    "RelaxedBernoulli",
    "RelaxedOneHot",
    "Uniform",
    "get",
    "names",
    "fold",
    "noise_by_row",
    "standard_noise",
]
