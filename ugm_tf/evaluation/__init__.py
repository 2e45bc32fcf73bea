"""Evaluation: samples and classifiers judged on real data; modes, codes and translations measured."""

from ugm_tf.evaluation.classification import Supervised, classified, has_classifier, supervised
from ugm_tf.evaluation.classifier import Judgement, accuracy, judge, train_classifier
from ugm_tf.evaluation.modes import Modes, count_modes
from ugm_tf.evaluation.redundancy import Redundancy, has_predictor, redundancy
from ugm_tf.evaluation.translation import cycle, cycle_error, is_translator

__all__ = [
    "Judgement",
    "Modes",
    "Redundancy",
    "Supervised",
    "accuracy",
    "classified",
    "count_modes",
    "cycle",
    "cycle_error",
    "has_classifier",
    "has_predictor",
    "is_translator",
    "judge",
    "redundancy",
    "supervised",
    "train_classifier",
]
