"""Samples: distances, shares and scores of arrays of features or of probabilities, in float64."""

from ugm_tf.evaluation.samples.classes import (
    ClassCoverage,
    class_coverage,
    classification_accuracy_score,
    inception_score,
)
from ugm_tf.evaluation.samples.diversity import vendi_score
from ugm_tf.evaluation.samples.frechet import (
    frechet_distance,
    frechet_distance_at_infinity,
    frechet_distance_of_moments,
)
from ugm_tf.evaluation.samples.kernel import kernel_distance
from ugm_tf.evaluation.samples.likelihood_divergence import feature_likelihood_divergence
from ugm_tf.evaluation.samples.manifold import Manifold, precision_recall_density_coverage
from ugm_tf.evaluation.samples.memorisation import Neighbours, authenticity, data_copying, training_neighbours
from ugm_tf.evaluation.samples.resize import resize
from ugm_tf.evaluation.samples.sliced import sliced_wasserstein_distance

__all__ = [
    "ClassCoverage",
    "Manifold",
    "Neighbours",
    "authenticity",
    "class_coverage",
    "classification_accuracy_score",
    "data_copying",
    "feature_likelihood_divergence",
    "frechet_distance",
    "frechet_distance_at_infinity",
    "frechet_distance_of_moments",
    "inception_score",
    "kernel_distance",
    "precision_recall_density_coverage",
    "resize",
    "sliced_wasserstein_distance",
    "training_neighbours",
    "vendi_score",
]
