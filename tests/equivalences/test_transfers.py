"""What each transferred model is of the model it comes from: whole training steps of real networks.

An importance-weighted one takes the minimax one's steps, of another length; an adversary-activated one with a perfect
discriminator takes half of its base's."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws, trained

X, LABELLED = draws(3, 8, 2), draws(8, 8, 2)
C = toys.one_hot(2, 0, 1, 1, 0, 1, 0, 0, 1)
ROUNDING = 5e-6  # of changes of float32 weights of order 1


def network(sizes, outputs, seed, family):
    make = toys.mlp(sizes[0], outputs, seed) if len(sizes) == 1 else toys.joined(sizes, outputs, seed)
    if family == "logit":  # a discriminator that is not too certain to teach anything
        make.set_weights([0.4 * w for w in make.get_weights()])
    return toys.Seeded(make, family)


def adversaries(decoder=(3,), discriminator=(2,)):
    return {
        "prior": toys.Given(draws(4, 8, 3)),
        "decoder": network(decoder, 2, 1, "point"),
        "discriminator": network(discriminator, 1, 2, "logit"),
    }


def aae():
    return {
        "prior": toys.Given(draws(4, 8, 3)),
        "encoder": network((2,), 3, 1, "point"),
        "decoder": network((3,), 2, 5, "unit_gaussian"),
        "discriminator": network((3,), 1, 2, "logit"),
    }


# The weighted recipe, its base with hyperparameters under which only the contest teaches, the densities, the data, and
# who learns from which side.
WEIGHTED = (
    ("iwgan", "gan", {}, adversaries, X, {"decoder": "fool"}),
    ("iwcgan", "conditional_gan", {}, lambda: adversaries((3, 2), (2, 2)), {"x": X, "c": C}, {"decoder": "fool"}),
    (
        "iwacgan",
        "acgan",
        {"auxiliary": 0.0},
        lambda: {**adversaries((3, 2)), "classifier": network((2,), 2, 6, "one_hot")},
        {"x": X, "c": C},
        {"decoder": "fool"},
    ),
    (
        "iwinfogan",
        "infogan",
        {"info": 0.0, "structured": False},
        lambda: {**adversaries(), "encoder": network((2,), 6, 6, "gaussian")},
        X,
        {"decoder": "fool"},
    ),
    (
        "iwbigan",
        "bigan",
        {},
        lambda: {**adversaries(discriminator=(2, 3)), "encoder": network((2,), 3, 6, "point")},
        X,
        {"decoder": "fool", "encoder": "fool_real"},
    ),
    ("iwaae", "aae", {"reconstruction": 0.0}, aae, X, {"encoder": "fool"}),
)


def factor(recipe, densities, data, label):
    """k / sum{ w[i] } of the side that this expectation is of, w = q^r(y | .) / q(y | .)."""
    (e,) = [e for e in recipe.phase("generate").minimise if e.label == label]
    values = data if isinstance(data, dict) else {"x": data}
    start = ugm_tf.JointSample(densities, recipe.roles, values, training=True)
    logits = e.under(start, tf.constant([0, 0])).distribution("discriminator").logits.numpy()
    return len(logits) / np.sum(np.exp(-logits if label == "fool_real" else logits))


class ImportanceWeightedTest(parameterized.TestCase):
    @parameterized.named_parameters((row[0], *row) for row in WEIGHTED)
    def test_its_step_is_the_minimax_ones_times_k_over_the_sum_of_the_weights(
        self, weighted, base, hyperparameters, densities, data, learners
    ):
        recipe = ugm_tf.recipes.get(weighted, **hyperparameters)
        left = trained(recipe, densities(), data, schedule="simultaneous")
        minimax = trained(
            ugm_tf.recipes.get(base, contest="minimax", **hyperparameters), densities(), data, schedule="simultaneous"
        )
        for name, label in learners.items():
            length = factor(recipe, densities(), data, label)
            self.assertGreater(abs(length - 1.0), 0.02)
            self.assertGreater(np.max(np.abs(left[name])), 1e-3)
            np.testing.assert_allclose(left[name], length * minimax[name], atol=ROUNDING, err_msg=name)
        np.testing.assert_array_equal(left["discriminator"], minimax["discriminator"])

    @parameterized.named_parameters((row[0], *row) for row in WEIGHTED)
    def test_it_is_no_multiple_of_its_bases(self, weighted, base, hyperparameters, densities, data, learners):
        left, right = (
            trained(ugm_tf.recipes.get(name, **hyperparameters), densities(), data, schedule="simultaneous")
            for name in (weighted, base)
        )
        for name in learners:
            cosine = left[name] @ right[name] / np.linalg.norm(left[name]) / np.linalg.norm(right[name])
            self.assertLess(cosine, 0.9999)


class Knows(ugm_tf.Density):
    """A discriminator that knows which tensors are data, whatever is in them: y = 1 there, and y = 0 on all else."""

    data: tuple = ()
    certainty = 1e3

    def distribution(self, x, training=None):
        sign = 1.0 if any(x is real for real in type(self).data) else -1.0
        undecided = super().distribution(x, training=training)
        return type(undecided)(logits=0.0 * undecided.logits + sign * self.certainty, dtype=tf.float32)


class Doubts(Knows):
    """The same, but undecided."""

    certainty = 0.0


Knows.data = (X, LABELLED)


def autoencoder(inputs=(2,), codes=(3,)):
    return {
        "prior": ugm_tf.Prior((3,)),
        "encoder": network(inputs, 6, 1, "gaussian"),
        "decoder": network(codes, 2, 2, "unit_gaussian"),
    }


def hierarchical():
    return {
        "prior": ugm_tf.Prior((2,)),
        "middle": network((2,), 6, 5, "gaussian"),
        "decoder": network((3,), 2, 2, "unit_gaussian"),
        "encoder": network((2,), 6, 1, "gaussian"),
        "top_encoder": network((3,), 4, 6, "gaussian"),
    }


def semi_supervised():
    return {
        **autoencoder((2, 2), (3, 2)),
        "classes": ugm_tf.Prior((2,), "one_hot"),
        "classifier": network((2,), 2, 5, "one_hot"),
    }


BOTH = ("encoder", "decoder")
ACTIVATED = (
    ("aavae", "vae", {"beta": 2.0}, autoencoder, X, BOTH),
    ("aacvae", "conditional_vae", {}, lambda: autoencoder((2, 2), (3, 2)), {"x": X, "c": C}, BOTH),
    ("aaiwae", "iwae", {"k": 3}, autoencoder, X, BOTH),
    ("aahvae", "hierarchical_vae", {"k": 2}, hierarchical, X, (*BOTH, "middle", "top_encoder")),
    (
        "aasvae",
        "semi_supervised_vae",
        {"alpha": 0.0},  # the labels' own term is not weighted
        semi_supervised,
        {"x": X, "labelled": LABELLED, "c": C},
        (*BOTH, "classifier"),
    ),
)


class AdversaryActivatedTest(parameterized.TestCase):
    def steps(self, activated, base, hyperparameters, densities, data, discriminator):
        judge = discriminator(toys.mlp(2, 1, seed=9), "logit")
        left = trained(ugm_tf.recipes.get(activated, **hyperparameters), {**densities(), "discriminator": judge}, data)
        return left, trained(ugm_tf.recipes.get(base, **hyperparameters), densities(), data)

    @parameterized.named_parameters((row[0], *row) for row in ACTIVATED)
    def test_a_perfect_discriminator_makes_its_step_half_of_its_bases(
        self, activated, base, hyperparameters, densities, data, learners
    ):
        left, right = self.steps(activated, base, hyperparameters, densities, data, Knows)
        for name in learners:
            self.assertGreater(np.max(np.abs(right[name])), 1e-3)
            np.testing.assert_allclose(left[name], 0.5 * right[name], atol=ROUNDING, err_msg=name)

    @parameterized.named_parameters((row[0], *row) for row in ACTIVATED)
    def test_an_undecided_one_does_not(self, activated, base, hyperparameters, densities, data, learners):
        left, right = self.steps(activated, base, hyperparameters, densities, data, Doubts)
        self.assertGreater(np.max(np.abs(left["decoder"] - 0.5 * right["decoder"])), 1e-3)


if __name__ == "__main__":
    absltest.main()
