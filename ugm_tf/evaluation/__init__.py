"""Evaluation: samples judged by a classifier of the real data, modes counted, classifiers and translations measured."""

from ugm_tf.evaluation.classification import Supervised, classified, has_classifier, supervised
from ugm_tf.evaluation.classifier import Judgement, accuracy, judge, train_classifier
from ugm_tf.evaluation.modes import Modes, count_modes
from ugm_tf.evaluation.translation import cycle, cycle_error, is_translator

__all__ = [
    "Judgement",
    "Modes",
    "Supervised",
    "accuracy",
    "classified",
    "count_modes",
    "cycle",
    "cycle_error",
    "has_classifier",
    "is_translator",
    "judge",
    "supervised",
    "train_classifier",
]
