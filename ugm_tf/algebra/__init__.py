"""The algebra: samplers, terms, weights, expectations, phases and recipes."""

from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.phases import E, Expectation, Phase, adversarial
from ugm_tf.algebra.recipe import Recipe
from ugm_tf.algebra.role import Role
from ugm_tf.algebra.samplers import DATA, GENERATED, INFERRED, Ancestral, Detach, Draw, Enumerate, Rename, Step
from ugm_tf.algebra.terms import KL, DiscriminatorLoss, ImportanceWeightedBound, NegativeLogProb, Term
from ugm_tf.algebra.transfers import adversary_activated, importance_weighted
from ugm_tf.algebra.weights import DiscriminatorProbability, ImportanceWeight, Weight

__all__ = [
    "DATA",
    "GENERATED",
    "INFERRED",
    "KL",
    "Ancestral",
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
    "Recipe",
    "Rename",
    "Role",
    "Step",
    "Term",
    "Weight",
    "adversarial",
    "adversary_activated",
    "importance_weighted",
]
