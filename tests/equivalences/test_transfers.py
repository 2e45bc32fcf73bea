"""What each transferred model is of the model it comes from: whole training steps of real networks.

An importance-weighted one takes the minimax one's steps, of another length; an adversary-activated one with a perfect
discriminator takes half of its base's."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra.pairs import ENCODING, FOOLING, PAIRS
from tests.equivalences import toys
from tests.equivalences.toys import trained
from tests.equivalences.transfer_toys import ACTIVATED, LABELLED, WEIGHTED, X

ROUNDING = 5e-6  # of changes of float32 weights of order 1
PAIR = {(pair.transfer, pair.name): pair for pair in PAIRS}


def rows(table):
    return parameterized.named_parameters((name, name, *row) for name, row in table.items())


def fooling(recipe):
    """The expectations by which others play against the discriminators."""
    return [e for e in recipe.phase("generate").minimise if isinstance(e.of, ugm_tf.DiscriminatorLoss)]


def only(recipe, labels):
    """The recipe where beside the discriminators' phases these expectations alone teach."""
    generate = recipe.phase("generate")
    terms = tuple(e if e.label in labels else dataclasses.replace(e, scale=0.0) for e in generate.minimise)
    phases = (dataclasses.replace(p, minimise=terms) if p == generate else p for p in recipe.phases)
    return dataclasses.replace(recipe, phases=tuple(phases))


def factor(recipe, densities, data, e):
    """k / sum{ w[i] } of the side that this expectation is of, w = q^r(y | .) / q(y | .)."""
    values = data if isinstance(data, dict) else {"x": data}
    start = ugm_tf.JointSample(densities, recipe.roles, values, training=True)
    logits = e.under(start, tf.constant([0, 0])).distribution(e.of.by).logits.numpy()
    return len(logits) / np.sum(np.exp(-logits if e.of.y else logits))


class PairsTest(absltest.TestCase):
    def test_every_pair_has_a_row(self):
        self.assertCountEqual(WEIGHTED, FOOLING)
        self.assertCountEqual(ACTIVATED, ENCODING)


def contest_alone(name, contest):
    """The recipe before it is importance-weighted, of which the contest alone teaches."""
    pair = PAIR[ugm_tf.importance_weighted, name]
    recipe = ugm_tf.recipes.get(pair.base, **{**pair.hyperparameters, "contest": contest})
    return only(recipe, [e.label for e in fooling(recipe)])


@functools.cache
def weighted(name):
    """The importance-weighted recipe of a row of `WEIGHTED`, and what its step changes."""
    recipe, (densities, data, _) = ugm_tf.importance_weighted(contest_alone(name, "logistic")), WEIGHTED[name]
    return recipe, trained(recipe, densities(), data, schedule="simultaneous")


@functools.cache
def base_of_activated(name):
    """What the step of a row of `ACTIVATED` changes before its transfer."""
    hyperparameters, densities, data, _ = ACTIVATED[name]
    base = ugm_tf.recipes.get(PAIR[ugm_tf.adversary_activated, name].base, **hyperparameters)
    return base, trained(base, densities(), data, schedule="simultaneous")


class ImportanceWeightedTest(parameterized.TestCase):
    @rows(WEIGHTED)
    @pytest.mark.slow
    def test_its_step_is_the_minimax_ones_times_k_over_the_sum_of_the_weights(self, name, densities, data, learners):
        """Of several expectations that play against discriminators each has its own length."""
        recipe, left = weighted(name)
        minimax = contest_alone(name, "minimax")
        expected = dict.fromkeys(learners, 0.0)
        for e in fooling(recipe):
            length = factor(recipe, densities(), data, e)
            self.assertGreater(abs(length - 1.0), 0.02)
            right = trained(only(minimax, [e.label]), densities(), data, schedule="simultaneous")
            for learner in learners:
                expected[learner] += length * right[learner]
            for judge in recipe.judges:
                if judge.endswith("discriminator"):
                    np.testing.assert_array_equal(left[judge], right[judge], err_msg=judge)
        for learner in learners:
            self.assertGreater(np.max(np.abs(left[learner])), 1e-3)
            np.testing.assert_allclose(left[learner], expected[learner], atol=ROUNDING, err_msg=learner)

    @rows(WEIGHTED)
    def test_it_is_no_multiple_of_its_bases(self, name, densities, data, learners):
        _, left = weighted(name)
        right = trained(contest_alone(name, "logistic"), densities(), data, schedule="simultaneous")
        for learner in learners:
            cosine = left[learner] @ right[learner] / np.linalg.norm(left[learner]) / np.linalg.norm(right[learner])
            self.assertLess(cosine, 0.9999)


class Knows(ugm_tf.Density):
    """A discriminator that knows what are data: y = 1 there, and y = 0 on all else."""

    data = (X, LABELLED)
    certainty = 1e3

    def distribution(self, x, training=None):
        known = any(x.shape == real.shape and np.array_equal(x, real) for real in self.data)
        undecided = super().distribution(x, training=training)
        sign = 1.0 if known else -1.0
        return type(undecided)(logits=0.0 * undecided.logits + sign * self.certainty, dtype=tf.float32)


class Doubts(Knows):
    """The same, but undecided."""

    certainty = 0.0


class AdversaryActivatedTest(parameterized.TestCase):
    def steps(self, name, densities, data, discriminator):
        """Steps of all phases from the same parameters, as a later one would see an earlier one's."""
        base, right = base_of_activated(name)
        judge = {"discriminator": discriminator(toys.mlp(2, 1, seed=9), "logit")}
        left = trained(ugm_tf.adversary_activated(base), {**densities(), **judge}, data, schedule="simultaneous")
        return left, right

    @rows(ACTIVATED)
    def test_a_perfect_discriminator_makes_its_step_half_of_its_bases(
        self, name, hyperparameters, densities, data, learners
    ):
        left, right = self.steps(name, densities, data, Knows)
        for learner in learners:
            self.assertGreater(np.max(np.abs(right[learner])), 1e-3)
            np.testing.assert_allclose(left[learner], 0.5 * right[learner], atol=ROUNDING, err_msg=learner)

    @rows(ACTIVATED)
    def test_an_undecided_one_does_not(self, name, hyperparameters, densities, data, learners):
        left, right = self.steps(name, densities, data, Doubts)
        self.assertGreater(np.max(np.abs(left["decoder"] - 0.5 * right["decoder"])), 1e-3)


if __name__ == "__main__":
    absltest.main()
