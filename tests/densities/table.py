"""Every family, with a shape of values and parameters to try it on."""

import numpy as np
import tensorflow as tf

from ugm_tf import densities
from ugm_tf.densities.noise import standard_noise

# name, family, event shape, parameter shape
FAMILIES = (
    ("bernoulli", densities.Bernoulli(), (2, 3, 1), (2, 3, 1)),
    ("categorical", densities.Categorical(classes=4), (3,), (3, 4)),
    ("categorical_label", densities.Categorical(classes=4), (), (4,)),
    ("continuous_bernoulli", densities.ContinuousBernoulli(), (2, 3, 1), (2, 3, 1)),
    ("discretized_logistic", densities.DiscretizedLogistic(), (2, 3, 1), (2, 3, 2)),
    ("discretized_logistic_given", densities.DiscretizedLogistic(scale=0.1, levels=8), (2, 3, 1), (2, 3, 1)),
    ("discretized_logistic_mixture", densities.DiscretizedLogisticMixture(2, 8), (2, 3, 3), (2, 3, 20)),
    ("discretized_logistic_mixture_grey", densities.DiscretizedLogisticMixture(3, 256), (2, 3, 1), (2, 3, 9)),
    ("full_covariance_gaussian", densities.FullCovarianceGaussian(), (3,), (9,)),
    ("gaussian", densities.Gaussian(), (5,), (10,)),
    ("gaussian_given", densities.Gaussian(scale=0.3), (2, 3, 1), (2, 3, 1)),
    ("laplace", densities.Laplace(), (2, 3, 1), (2, 3, 1)),
    ("laplace_learned", densities.Laplace(scale=None), (5,), (10,)),
    ("logit", densities.Logit(), (), (1,)),
    ("mixture", densities.Mixture(3), (5,), (33,)),
    ("mixture_of_laplace", densities.Mixture(2, densities.Laplace(scale=None)), (4,), (18,)),
    ("one_hot", densities.OneHot(), (4,), (4,)),
    ("patch_logit", densities.PatchLogit(2, 3), (), (2, 3, 1)),
    ("point", densities.Point(), (2, 3, 1), (2, 3, 1)),
    ("relaxed_bernoulli", densities.RelaxedBernoulli(), (2, 3, 1), (2, 3, 1)),
    ("relaxed_one_hot", densities.RelaxedOneHot(), (4,), (4,)),
    ("shared_scale_gaussian", densities.SharedScaleGaussian(), (2, 3, 2), (2, 3, 3)),
    ("uniform", densities.Uniform(), (5,), (5,)),
)

WITH_LOG_PROB = tuple(row for row in FAMILIES if row[1].has_log_prob)
REPARAMETERISED = tuple(row for row in FAMILIES if row[1].reparameterised)


def parameters(shape, *batch, seed=0):
    """Parameters of order 1, [*batch, *shape]."""
    return np.random.default_rng(seed).normal(size=(*batch, *shape)).astype(np.float32)


def distribution(family, values):
    """The family's distribution of one example with these parameters, of batch shape []."""
    values = tf.convert_to_tensor(values)
    return family.distribution(values, len(family.event_shape(tuple(values.shape))))


def draws(family, values, n, seed):
    """n draws with these parameters, [n, *event_shape]."""
    law = distribution(family, values)
    noise = standard_noise(family.noise, (n, *family.noise_shape(tuple(law.event_shape))), tf.constant([seed, 0]))
    return family.draw(law, noise).numpy()


def log_prob(family, values, at):
    return distribution(family, values).log_prob(tf.constant(at, tf.float32)).numpy()
