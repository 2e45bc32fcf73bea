"""Evaluation: samples judged by a classifier of the real data."""

from ugm_tf.evaluation.classifier import Judgement, accuracy, judge, train_classifier

__all__ = ["Judgement", "accuracy", "judge", "train_classifier"]
