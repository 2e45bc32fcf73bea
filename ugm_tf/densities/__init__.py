"""Densities: Keras networks that parameterise TensorFlow Probability distributions."""

from ugm_tf.densities.colour import DiscretizedLogisticMixture, SharedScaleGaussian
from ugm_tf.densities.continuous import (
    ContinuousBernoulli,
    DiscretizedLogistic,
    FullCovarianceGaussian,
    Gaussian,
    Laplace,
    Point,
    Uniform,
)
from ugm_tf.densities.density import Density
from ugm_tf.densities.discrete import Bernoulli, Categorical, Logit, OneHot, PatchLogit, RelaxedBernoulli, RelaxedOneHot
from ugm_tf.densities.families import get, names
from ugm_tf.densities.family import Family
from ugm_tf.densities.flows import MADE, InverseAutoregressiveFlow, MaskedAutoregressiveFlow
from ugm_tf.densities.kinds import Flow, Vamp
from ugm_tf.densities.mixture import Mixture
from ugm_tf.densities.noise import fold, noise_by_row, standard_noise
from ugm_tf.densities.prior import Prior, VampPrior

__all__ = [
    "MADE",
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "Density",
    "DiscretizedLogistic",
    "DiscretizedLogisticMixture",
    "Family",
    "Flow",
    "FullCovarianceGaussian",
    "Gaussian",
    "InverseAutoregressiveFlow",
    "Laplace",
    "Logit",
    "MaskedAutoregressiveFlow",
    "Mixture",
    "OneHot",
    "PatchLogit",
    "Point",
    "Prior",
    "RelaxedBernoulli",
    "RelaxedOneHot",
    "SharedScaleGaussian",
    "Uniform",
    "Vamp",
    "VampPrior",
    "get",
    "names",
    "fold",
    "noise_by_row",
    "standard_noise",
]
