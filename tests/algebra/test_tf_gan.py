"""Losses of recipes against TF-GAN's own code, on random outputs: values, and gradients by the outputs.

See `tests/tf_gan.py`.  The numbers of its own tests are in `test_contests.py`.
"""

import functools
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests import tf_gan
from tests.algebra import stubs
from tests.equivalences import toys
from tests.lemmas import exact

tfd = tfp.distributions

SIZE, SEEDS = 8, (0, 1, 2)
TOLERANCE = 1e-5  # float32 means of eight, of numbers of order 1 to 10
CONTESTS = {
    "logistic": "modified",
    "minimax": "minimax",
    "least_squares": "least_squares",
    "wasserstein": "wasserstein",
}
CONTESTS["hinge"] = "wasserstein_hinge"
C = toys.one_hot(3, 0, 2, 1, 1, 0, 2, 2, 0)


def outputs(seed):
    """A discriminator's outputs on data and on draws."""
    return 2 * toys.draws(seed, SIZE, 1), 2 * toys.draws(seed + 100, SIZE, 1)


def densities(fake):
    """Draws are these, and the discriminator's output is what it judges."""
    return {
        "prior": toys.Given(fake),
        "decoder": stubs.point(1.0),
        "discriminator": stubs.judge(lambda x: x[:, 0]),
    }


def values(recipe, phase, parts, data):
    start = ugm_tf.JointSample(parts, recipe.roles, data, training=True)
    return recipe.phase(phase).values(ugm_tf.algebra.Draws(start), seed=(0, 0))


def ours(recipe, phase, labels, real, fake):
    phase = exact.only(recipe.phase(phase), *labels)
    start = ugm_tf.JointSample(densities(fake), recipe.roles, {"x": real}, training=True)
    return exact.loss(phase, start)


def with_gradients(loss, *by):
    """The loss and its gradients in one vector; what it does not depend on gives zeros."""
    with tf.GradientTape() as tape:
        tape.watch(by)
        value = loss(*by)
    gradients = tape.gradient(value, by, unconnected_gradients="zero")
    return np.concatenate([[value.numpy()], *(np.ravel(g) for g in gradients)])


@pytest.mark.slow
class Loaded(tf_gan.TFGANTest):
    MODULE = ("python/losses", "losses_impl", "tensorflow_gan.python.contrib_utils")

    def assert_same(self, left, right, same=True):
        error = np.max(np.abs(left - right))
        self.assertEqual(bool(error < TOLERANCE), same, error)
        self.assertTrue(same or error > 1e-2, error)


class ContestTest(Loaded):
    def theirs(self, contest, seed):
        """Losses of discriminator and generator with their gradients."""
        real, fake = outputs(seed)
        judge, fool = (
            getattr(self.tf_gan, f"{CONTESTS[contest]}_{who}_loss") for who in ("discriminator", "generator")
        )
        smoothed = {"label_smoothing": 0.0} if contest in ("logistic", "minimax") else {}
        # Its minimax generator adds the discriminator's loss on a real output of 1.
        constant = np.log1p(np.exp(-1.0)) if contest == "minimax" else 0.0
        of_fool = with_gradients(lambda fake: fool(fake) + constant, fake)
        return np.concatenate([with_gradients(lambda *by: judge(*by, **smoothed), real, fake), of_fool])

    def ours(self, contest, seed):
        recipe = ugm_tf.recipes.gan(contest=contest)
        judge, fool = (
            functools.partial(ours, recipe, phase, labels)
            for phase, labels in (("discriminate", ("real", "fake")), ("generate", ("fool",)))
        )
        real, fake = outputs(seed)
        of_fool = with_gradients(lambda fake: fool(real, fake), fake)
        return np.concatenate([with_gradients(judge, real, fake), of_fool])

    @parameterized.product(contest=list(CONTESTS), seed=SEEDS)
    def test_both_players_losses_and_gradients_are_tf_gans(self, contest, seed):
        self.assert_same(self.ours(contest, seed), self.theirs(contest, seed))

    @parameterized.parameters(*CONTESTS)
    def test_and_not_those_of_its_other_contests(self, contest):
        for other in set(CONTESTS) - {contest}:
            self.assert_same(self.ours(contest, 0), self.theirs(other, 0), same=False)

    @parameterized.product(seed=SEEDS, weighted=(True, False))
    def test_iwgans_loss_is_tf_gans_of_these_weights(self, seed, weighted):
        """Its losses take weights of examples: with equation 16's it is iwgan's, without them not."""
        real, fake = outputs(seed)
        weights = SIZE * tf.nn.softmax(fake, axis=0) if weighted else 1.0
        theirs = with_gradients(lambda fake: self.tf_gan.modified_generator_loss(fake, weights=weights), fake)
        left = with_gradients(lambda fake: ours(ugm_tf.recipes.iwgan(), "generate", ("fool",), real, fake), fake)
        self.assert_same(left, theirs, same=weighted)


class PenaltyTest(Loaded):
    def critic(self, x):
        return tf.reduce_sum(tf.tanh(1.3 * x) * tf.constant([1.2, -0.9]), -1)

    def theirs(self, real, fake, share, **kwargs):
        """On points of which this share is data, where its own would be drawn; it runs in a graph alone."""
        with tf.Graph().as_default(), mock.patch.object(tf.random, "uniform", lambda shape: 1.0 - share):
            by = lambda x, condition: self.critic(x)  # noqa: E731
            penalty = self.tf_gan.wasserstein_gradient_penalty(real, fake, None, by, "critic", **kwargs)
            with tf.compat.v1.Session() as session:
                return session.run(penalty)

    def test_the_gradient_penalty_is_tf_gans_at_the_same_points(self):
        real, fake = toys.draws(1, SIZE, 2), toys.draws(2, SIZE, 2)
        parts = {**densities(fake), "discriminator": stubs.judge(self.critic)}
        found = values(ugm_tf.recipes.gan(contest="wasserstein"), "discriminate", parts, {"x": real})
        between = parts["discriminator"].asked[-1][0][0].numpy()
        real, fake = real.numpy(), fake.numpy()
        share = ((between - fake) / (real - fake)).mean(1, keepdims=True)
        np.testing.assert_allclose(fake + share * (real - fake), between, atol=TOLERANCE)
        self.assertTrue(np.all((share > 0) & (share < 1)) and np.std(share) > 0.1, share)
        penalty = found["discriminate/gradient_penalty"].numpy()
        self.assert_same(penalty, self.theirs(real, fake, share))
        self.assert_same(penalty, self.theirs(real, fake, 1.0 - share), same=False)
        self.assert_same(penalty, self.theirs(real, fake, share, target=0.5), same=False)


class ReaderTest(Loaded):
    """Readers of classes and codes, asked of x of two numbers."""

    def setUp(self):
        super().setUp()
        self.real, self.fake = toys.draws(1, SIZE, 2), toys.draws(2, SIZE, 2)
        self.weights, self.parts = toys.draws(5, 2, 3), densities(self.fake)
        self.parts["discriminator"] = stubs.judge(lambda x: x[:, 0])

    def told(self, x):
        return x @ self.weights

    def test_acgans_losses_of_the_class_are_tf_gans(self):
        self.parts |= {
            "decoder": stubs.Stub(lambda z, c: tfd.Independent(tfd.Deterministic(z), 1), "point"),
            "classifier": stubs.classes(self.told),
        }
        data, recipe = {"x": self.real, "c": C}, ugm_tf.recipes.acgan()
        judge, fool = (values(recipe, phase, self.parts, data) for phase in ("discriminate", "generate"))
        left = judge["discriminate/real_class"] + judge["discriminate/told_class"]
        theirs = functools.partial(self.tf_gan.acgan_discriminator_loss, self.told(self.real), self.told(self.fake))
        self.assert_same(left.numpy(), theirs(C).numpy())
        self.assert_same(left.numpy(), theirs(tf.roll(C, 1, 0)).numpy(), same=False)
        right = self.tf_gan.acgan_generator_loss(self.told(self.fake), C)
        self.assert_same(fool["generate/told_class"].numpy(), right.numpy())

    def test_infogans_recall_is_tf_gans_penalty_on_mutual_information(self):
        u = tf.random.stateless_uniform([SIZE, 2], [0, 0], -1.0, 1.0)

        def of_codes(x):
            return tfd.Independent(tfd.Normal(0.5 * x - 0.1, 0.7 + 0.1 * x**2), 1)

        self.parts |= {
            "classes": toys.Given(C, "one_hot"),
            "codes": toys.Given(u, "uniform"),
            "decoder": stubs.Stub(lambda z, *_: tfd.Independent(tfd.Deterministic(z), 1), "point"),
            "class_encoder": stubs.classes(self.told),
            "code_encoder": stubs.Stub(of_codes),
        }
        found = values(ugm_tf.recipes.infogan(), "generate", self.parts, {"x": self.real})
        left = (found["generate/recall_class"] + found["generate/recall_codes"]).numpy()
        readers = [tfd.OneHotCategorical(logits=self.told(self.fake), dtype=tf.float32), of_codes(self.fake)]
        theirs = self.tf_gan.mutual_information_penalty
        self.assert_same(left, 2 * theirs([C, u], readers).numpy())  # its penalty is the mean over the two
        self.assert_same(left, 2 * theirs([C, tf.roll(u, 1, 0)], readers).numpy(), same=False)

    def test_cyclegans_cycle_is_tf_gans_but_for_the_laplace_densitys_constant(self):
        def forward(x):
            return tf.tanh(x) + 0.3

        def back(y):
            return 0.6 * y - 0.2 * y**2

        parts = {
            name: stubs.Stub(lambda x, f=f: tfd.Independent(tfd.Laplace(f(x), 1.0), 1), "laplace")
            for name, f in (("forward", forward), ("decoder", back))
        }
        parts |= {name: self.parts["discriminator"] for name in ("discriminator", "target_discriminator")}
        x, y = self.real, self.fake
        found = values(ugm_tf.recipes.cyclegan(), "generate", parts, {"x": x, "target": y})
        left = (found["generate/cycle"] + found["generate/cycle_target"]).numpy() - 4 * np.log(2.0)
        theirs = self.tf_gan.cycle_consistency_loss  # a mean over numbers and domains, where ours are sums: 2 and 2
        self.assert_same(left, 4 * theirs(x, back(forward(x)), y, forward(back(y))).numpy())
        self.assert_same(left, 4 * theirs(x, back(x), y, forward(y)).numpy(), same=False)


if __name__ == "__main__":
    absltest.main()
