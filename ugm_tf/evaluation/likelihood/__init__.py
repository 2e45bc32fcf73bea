"""Likelihood: bounds on log p(x), what they are made of, and annealed estimates of it."""

from ugm_tf.evaluation.likelihood.annealing import Annealed, annealed, observation_scale
from ugm_tf.evaluation.likelihood.bounds import Bounds, bounds, bounds_by_example
from ugm_tf.evaluation.likelihood.dependence import factorises, total_correlation
from ugm_tf.evaluation.likelihood.rates import RateDistortion, rate_distortion
from ugm_tf.evaluation.likelihood.sandwich import Sandwich, sandwich

__all__ = [
    "Annealed",
    "Bounds",
    "RateDistortion",
    "Sandwich",
    "annealed",
    "bounds",
    "bounds_by_example",
    "factorises",
    "observation_scale",
    "rate_distortion",
    "sandwich",
    "total_correlation",
]
