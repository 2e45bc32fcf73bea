"""The semi-supervised VAE's bound against its definition: its recipe's own phase, every draw summed over."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest

import ugm_tf
from tests.lemmas import exact

tfd = tfp.distributions

TOLERANCE = 1e-8  # float64 sums
RECIPE = ugm_tf.recipes.semi_supervised_vae(labelled=1.0)
UNLABELLED = ("distortion", "rate", "class_rate")
rng = np.random.default_rng(11)
CLASSES = 5
X = tf.constant([1.5, -0.4], tf.float64)
SHIFTS, MEANS = tf.constant(rng.normal(size=CLASSES)), tf.constant(rng.normal(size=CLASSES))
LOGITS = tf.constant(rng.normal(size=(2, CLASSES)))


def conditional(slope, shifts, scale):
    """N(slope * parent + the class's shift, scale^2)."""

    def function(parent, c):
        of_class = tf.linalg.matvec(tf.cast(c, tf.float64), shifts)
        return tfd.Normal(slope * parent + of_class, tf.constant(scale, tf.float64))

    return exact.Law(function)


def loss(logits, labels=UNLABELLED, c=None):
    densities = {
        "classes": exact.Law(lambda: tfd.OneHotCategorical(tf.zeros([CLASSES], tf.float64), dtype=tf.float32)),
        "prior": exact.STANDARD,
        "encoder": conditional(0.5, MEANS, 0.7),
        "decoder": conditional(0.9, SHIFTS, 0.8),
        "classifier": exact.Law(lambda x: tfd.OneHotCategorical(logits, dtype=tf.float32)),
    }
    phase = exact.only(exact.exactly(RECIPE.phase("wake"), encoder=0.5), *labels)
    values = {"x": X, "labelled": X} | ({} if c is None else {"c": c})
    ones = tf.ones([2], tf.float64)
    start = ugm_tf.JointSample(densities, RECIPE.roles, values, training=True, weight=ones)
    return exact.loss(phase, start)


def class_bounds():
    """L(x, c) = E log p(x | z, c) - KL(q(z | x, c) || p(z)) + log p(c) by numpy, [2, classes]."""
    x, t2, s2 = X.numpy()[:, None], 0.7**2, 0.8**2
    mean = 0.5 * x + MEANS.numpy()
    error = (x - 0.9 * mean - SHIFTS.numpy()) ** 2 + 0.9**2 * t2
    rate = 0.5 * (t2 + mean**2 - 1 - np.log(t2))
    return -0.5 * np.log(2 * np.pi * s2) - error / (2 * s2) - rate - np.log(CLASSES)


class BoundTest(absltest.TestCase):
    def test_without_a_label_it_is_the_mean_over_classes_and_the_entropy(self):
        q = tf.nn.softmax(LOGITS).numpy()
        by_hand = np.sum(q * class_bounds(), 1) - np.sum(q * np.log(q), 1)
        self.assertAlmostEqual(-loss(LOGITS).numpy(), np.mean(by_hand), delta=TOLERANCE)

    def test_not_without_the_entropy(self):
        no_class_rate = -loss(LOGITS, UNLABELLED[:2]) - np.log(CLASSES)
        self.assertGreater(abs(-loss(LOGITS).numpy() - no_class_rate.numpy()), 0.1)

    def test_it_is_tight_where_the_classifier_is_the_bounds_softmax(self):
        bounds = class_bounds()
        best = np.mean(np.log(np.sum(np.exp(bounds), 1)))
        self.assertAlmostEqual(-loss(tf.constant(bounds)).numpy(), best, delta=TOLERANCE)
        np.testing.assert_allclose(exact.gradient(loss, bounds), np.zeros([2, CLASSES]), atol=TOLERANCE)

    def test_and_no_tighter_elsewhere(self):
        best = np.mean(np.log(np.sum(np.exp(class_bounds()), 1)))
        for seed in range(5):
            logits = class_bounds() + np.random.default_rng(seed).normal(size=(2, CLASSES))
            self.assertLess(-loss(tf.constant(logits)).numpy(), best - 1e-3)

    def test_with_a_label_it_is_the_bound_of_that_class_less_its_log_p(self):
        for i in range(CLASSES):
            c = tf.one_hot([i, i], CLASSES)
            found = -loss(LOGITS, ("labelled_distortion", "labelled_rate"), c)
            self.assertAlmostEqual(found.numpy(), np.mean(class_bounds()[:, i]) + np.log(CLASSES), delta=TOLERANCE)


if __name__ == "__main__":
    absltest.main()
