"""Evaluation: likelihoods, samples, classifiers, modes, codes and translations, measured on real data."""

from ugm_tf.evaluation import likelihood, samples
from ugm_tf.evaluation.codes import Plane, interpolate, plane, traverse
from ugm_tf.evaluation.divergences import Divergences, divergences
from ugm_tf.evaluation.estimate import Estimate, fingerprint
from ugm_tf.evaluation.features import FeatureNetwork
from ugm_tf.evaluation.judgement import Judgement, accuracy, judge, judgement_of, probabilities, train_classifier
from ugm_tf.evaluation.modes import Modes, count_modes
from ugm_tf.evaluation.own_classifier import Supervised, classified, has_classifier, supervised
from ugm_tf.evaluation.ratio import LogRatio
from ugm_tf.evaluation.redundancy import Redundancy, has_predictor, redundancy
from ugm_tf.evaluation.translation import cycle, cycle_error, is_translator

__all__ = [
    "Divergences",
    "Estimate",
    "FeatureNetwork",
    "LogRatio",
    "Judgement",
    "Modes",
    "Plane",
    "Redundancy",
    "Supervised",
    "accuracy",
    "classified",
    "count_modes",
    "cycle",
    "cycle_error",
    "divergences",
    "fingerprint",
    "has_classifier",
    "has_predictor",
    "interpolate",
    "is_translator",
    "judge",
    "judgement_of",
    "likelihood",
    "plane",
    "probabilities",
    "redundancy",
    "samples",
    "supervised",
    "train_classifier",
    "traverse",
]
