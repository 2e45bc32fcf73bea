"""ugm_tf: deep generative models as sets of densities and lists of phases, on TensorFlow and Keras 3."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"ugm_tf runs on Keras's TensorFlow backend. Received: KERAS_BACKEND={keras.backend.backend()}. "
        "Set KERAS_BACKEND=tensorflow before Keras is imported."
    )

from ugm_tf import algebra, callbacks, data, densities, evaluation, networks, recipes
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    KL,
    Ancestral,
    Detach,
    DiscriminatorLoss,
    DiscriminatorProbability,
    Draw,
    E,
    Enumerate,
    Expectation,
    ImportanceWeight,
    ImportanceWeightedBound,
    JointSample,
    NegativeLogProb,
    Phase,
    Recipe,
    Rename,
    Role,
    Term,
    Weight,
    adversarial,
    adversary_activated,
    importance_weighted,
)
from ugm_tf.densities import Density, Prior
from ugm_tf.model import UnifiedModel
from ugm_tf.saving import load_model
from ugm_tf.serialization import record

__version__ = "0.1.0"

__all__ = [
    "DATA",
    "GENERATED",
    "INFERRED",
    "KL",
    "Ancestral",
    "Density",
    "Detach",
    "DiscriminatorLoss",
    "DiscriminatorProbability",
    "Draw",
    "E",
    "Enumerate",
    "Expectation",
    "ImportanceWeight",
    "ImportanceWeightedBound",
    "JointSample",
    "NegativeLogProb",
    "Phase",
    "Prior",
    "Recipe",
    "Rename",
    "Role",
    "Term",
    "UnifiedModel",
    "Weight",
    "adversarial",
    "adversary_activated",
    "algebra",
    "callbacks",
    "data",
    "densities",
    "evaluation",
    "importance_weighted",
    "load_model",
    "networks",
    "recipes",
    "record",
]
