"""ugm_tf: deep generative models as sets of densities and lists of phases, on TensorFlow and Keras 3."""

import os
import platform
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if platform.machine() in ("x86_64", "AMD64") and "tensorflow" not in sys.modules:  # which has decided when imported
    # TensorFlow's own default leaves out processors without AVX-512 VNNI.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from ugm_tf import quiet

if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") != "0":  # which asks for all that TensorFlow has to say
    quiet.import_tensorflow()

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"ugm_tf runs on Keras's TensorFlow backend. Received: KERAS_BACKEND={keras.backend.backend()}. "
        "Set KERAS_BACKEND=tensorflow before Keras is imported."
    )

from ugm_tf import algebra, callbacks, data, densities, evaluation, inference, networks, recipes, serving
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    KL,
    MMD,
    Ancestral,
    Ask,
    ClippedRatio,
    Detach,
    DiffAugment,
    DiscriminatorLoss,
    DiscriminatorProbability,
    Draw,
    E,
    Enumerate,
    Expectation,
    GradientPenalty,
    ImportanceWeight,
    ImportanceWeightedBound,
    Interpolated,
    JointSample,
    Mean,
    NegativeLogProb,
    Pack,
    Part,
    Permute,
    Phase,
    PosteriorWeight,
    Recipe,
    Rename,
    Reverse,
    Role,
    Sampler,
    Schedule,
    Step,
    Term,
    TotalCorrelation,
    Weight,
    adversarial,
    adversary_activated,
    contested,
    contests,
    diffaugmented,
    importance_weighted,
    learned_prior,
    packed,
    schedules,
)
from ugm_tf.densities import Density, Prior
from ugm_tf.joint import Joint
from ugm_tf.model import UnifiedModel
from ugm_tf.saving import load_model
from ugm_tf.serialization import record
from ugm_tf.version import __version__ as __version__

__all__ = [
    "Ancestral",
    "Ask",
    "ClippedRatio",
    "DATA",
    "Density",
    "Detach",
    "DiffAugment",
    "DiscriminatorLoss",
    "DiscriminatorProbability",
    "Draw",
    "E",
    "Enumerate",
    "Expectation",
    "GENERATED",
    "GradientPenalty",
    "INFERRED",
    "ImportanceWeight",
    "ImportanceWeightedBound",
    "Interpolated",
    "Joint",
    "JointSample",
    "KL",
    "MMD",
    "Mean",
    "NegativeLogProb",
    "Pack",
    "Part",
    "Permute",
    "Phase",
    "PosteriorWeight",
    "Prior",
    "Recipe",
    "Rename",
    "Reverse",
    "Role",
    "Sampler",
    "Schedule",
    "Step",
    "Term",
    "TotalCorrelation",
    "UnifiedModel",
    "Weight",
    "adversarial",
    "adversary_activated",
    "algebra",
    "callbacks",
    "contested",
    "contests",
    "data",
    "densities",
    "diffaugmented",
    "evaluation",
    "importance_weighted",
    "inference",
    "learned_prior",
    "load_model",
    "networks",
    "packed",
    "recipes",
    "record",
    "schedules",
    "serving",
]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
