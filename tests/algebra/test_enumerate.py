"""Exact sums over a discrete variable."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import (
    Ancestral,
    Draw,
    Enumerate,
    JointSample,
)

ROLES = stubs.roles(
    prior="p(z)", encoder="q(z | x)", classifier="q(c | x)", fair="p(c)", labelled="p(w | z, c)", second="p(d | c)"
)
X = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
B, C = 3, 4
GIVEN = tf.constant(np.random.default_rng(1).normal(size=(C, C)), tf.float32)


def shape(tensor):
    return tuple(tensor.shape)


class EnumerateTest(parameterized.TestCase):
    """An exact sum is compared with the sum that one writes out."""

    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(0)
        self.logits = tf.Variable(rng.normal(size=(B, C)), dtype=tf.float32)
        self.table = tf.constant(rng.normal(size=(B, C)), tf.float32)
        self.sampler = Ancestral((Enumerate("classifier"),))

    def sample(self, sampler):
        densities = {
            "prior": stubs.standard(),
            "encoder": stubs.shifted(),
            "classifier": stubs.classes(lambda x: self.logits),
            "fair": stubs.classes(lambda: tf.zeros(C)),
            "labelled": stubs.Stub(lambda z, c: stubs.tfd.Independent(stubs.tfd.Normal(z + c[..., :2], 1.0), 1)),
            "second": stubs.classes(lambda c: tf.linalg.matmul(c, GIVEN)),
        }
        return sampler(JointSample(densities, ROLES, {"x": X}, training=True), stubs.seed())

    def test_the_weighted_mean_is_the_exact_sum_and_so_is_its_gradient(self):
        with tf.GradientTape(persistent=True) as tape:
            sample = self.sample(self.sampler)
            mean = tf.reduce_mean(sample.weight * tf.reduce_sum(self.table * sample["c"], -1))
            probabilities = tf.nn.softmax(self.logits)
            by_hand = tf.add_n([probabilities[b, c] * self.table[b, c] for b in range(B) for c in range(C)]) / B
        self.assertAlmostEqual(mean.numpy(), by_hand.numpy(), delta=1e-6)
        np.testing.assert_allclose(tape.gradient(mean, self.logits), tape.gradient(by_hand, self.logits), atol=1e-6)
        self.assertGreater(np.max(np.abs(tape.gradient(mean, self.logits))), 1e-2)

    def test_no_gradient_flows_through_a_detached_sum(self):
        with tf.GradientTape() as tape:
            sample = self.sample(self.sampler.detached())
            mean = tf.reduce_mean(sample.weight * tf.reduce_sum(self.table * sample["c"], -1))
        self.assertIsNone(tape.gradient(mean, self.logits))
        live = self.sample(self.sampler)
        np.testing.assert_array_equal(sample.weight, live.weight)

    def test_every_class_stands_on_the_leading_axis(self):
        sample = self.sample(self.sampler)
        np.testing.assert_allclose(sample["c"], np.broadcast_to(np.eye(C)[:, None], (C, B, C)))
        np.testing.assert_allclose(tf.reduce_mean(sample.weight, 0), np.ones(B), rtol=1e-6)
        self.assertEqual(sample.drawn_by, {"classifier"})

    def test_a_density_without_parents(self):
        sample = self.sample(Ancestral((Enumerate("fair"),)))
        self.assertEqual(shape(sample["c"]), (C, B, C))
        np.testing.assert_allclose(sample.weight, np.ones([C, B]), rtol=1e-6)

    def test_densities_of_other_variables_are_still_computed_once_for_each_example(self):
        sample = self.sample(self.sampler)
        self.assertEqual(sample.distribution("encoder").batch_shape, [B])

    @parameterized.named_parameters(
        ("then_draws", ("classifier", ("encoder", 5)), (5, C, B)),
        ("after_draws", (("encoder", 5), "classifier"), (C, 5, B)),
        ("as_many_draws_as_classes", (("encoder", C), "classifier"), (C, C, B)),
        ("then_draws_of_a_prior", ("classifier", ("prior", 5)), (5, C, B)),
        ("after_draws_of_a_prior", (("prior", C), "fair"), (C, C, B)),
        ("and_one_draw", ("classifier", ("encoder", None)), (C, B)),
    )
    def test_beside_draws_every_pair_of_a_class_and_a_draw_is_scored(self, steps, axes):
        steps = tuple(Draw(*step) if isinstance(step, tuple) else Enumerate(step) for step in steps)
        sample = self.sample(Ancestral(steps)).where(w=tf.zeros([B, 2]))
        log_prob = sample.log_prob("labelled")
        self.assertEqual(shape(sample.weight * log_prob), axes)
        z = np.broadcast_to(sample["z"], (*axes, 2))
        c = np.broadcast_to(sample["c"], (*axes, C))
        by_hand = -0.5 * np.sum((z + c[..., :2]) ** 2, -1) - np.log(2 * np.pi)
        np.testing.assert_allclose(log_prob, by_hand, rtol=1e-5)
        classes = c.reshape(-1, C).argmax(-1)
        pairs = {(int(label), tuple(code)) for label, code in zip(classes, z.reshape(-1, 2), strict=True)}
        self.assertLen(pairs, np.prod(axes))  # none twice
        self.assertAlmostEqual(tf.reduce_mean(sample.weight * tf.ones(axes)).numpy(), 1.0, delta=1e-6)

    def test_two_exact_sums_are_a_double_sum(self):
        out = self.sample(Ancestral((Enumerate("classifier"), Enumerate("second"))))
        values = np.random.default_rng(2).normal(size=(C, C)).astype(np.float32)
        mean = tf.reduce_mean(out.weight * tf.einsum("...c,cd,...d->...", out["c"], values, out["d"]))
        q, p = tf.nn.softmax(self.logits).numpy(), tf.nn.softmax(GIVEN).numpy()
        self.assertAlmostEqual(mean.numpy(), np.mean(np.sum(q[:, :, None] * p * values, (1, 2))), delta=1e-6)


if __name__ == "__main__":
    absltest.main()
