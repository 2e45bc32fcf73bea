"""The algebra: samplers, terms, weights, expectations, phases and recipes."""

from ugm_tf.algebra import contests, schedules
from ugm_tf.algebra.ancestral_steps import Ask, Detach, Draw, Enumerate, Mean, Pack, Permute, Rename, Reverse
from ugm_tf.algebra.bounds import ImportanceWeightedBound
from ugm_tf.algebra.codes import MMD, TotalCorrelation
from ugm_tf.algebra.contested import contested, packed
from ugm_tf.algebra.diffaugment import DiffAugment, diffaugmented
from ugm_tf.algebra.draws import Draws
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.judged import ClippedRatio, DiscriminatorLoss, GradientPenalty
from ugm_tf.algebra.learned_prior import learned_prior
from ugm_tf.algebra.part import Part
from ugm_tf.algebra.phases import E, Expectation, Phase, adversarial
from ugm_tf.algebra.recipe import Recipe
from ugm_tf.algebra.role import Role, Roles
from ugm_tf.algebra.samplers import DATA, GENERATED, INFERRED, Ancestral, Interpolated, Sampler
from ugm_tf.algebra.schedule import Scale, Schedule
from ugm_tf.algebra.step import Step
from ugm_tf.algebra.terms import KL, NegativeLogProb, Term
from ugm_tf.algebra.transfers import adversary_activated, importance_weighted
from ugm_tf.algebra.weights import DiscriminatorProbability, ImportanceWeight, PosteriorWeight, Weight

__all__ = [
    "DATA",
    "GENERATED",
    "INFERRED",
    "KL",
    "MMD",
    "Ancestral",
    "Ask",
    "ClippedRatio",
    "Detach",
    "DiffAugment",
    "DiscriminatorLoss",
    "DiscriminatorProbability",
    "Draw",
    "Draws",
    "E",
    "Enumerate",
    "Expectation",
    "GradientPenalty",
    "ImportanceWeight",
    "ImportanceWeightedBound",
    "Interpolated",
    "JointSample",
    "Mean",
    "NegativeLogProb",
    "Pack",
    "Part",
    "Permute",
    "Phase",
    "PosteriorWeight",
    "Recipe",
    "Rename",
    "Reverse",
    "Role",
    "Roles",
    "Sampler",
    "Scale",
    "Schedule",
    "Step",
    "Term",
    "TotalCorrelation",
    "Weight",
    "adversarial",
    "adversary_activated",
    "contested",
    "contests",
    "diffaugmented",
    "importance_weighted",
    "learned_prior",
    "packed",
    "schedules",
]
