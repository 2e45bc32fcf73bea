"""Figures against other packages' code on the same features: PRDC against `prdc`, FID, KID and IS against TF-GAN.

See `tests/tf_gan.py`.
"""

import importlib.util
from unittest import mock

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests import tf_gan
from ugm_tf.evaluation import samples

SHAPES = ((300, 300, 4), (400, 250, 16), (120, 200, 64))


def sets(n, m, size, seed=0):
    """Features that are correlated, and others that are moved and narrower."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=[size, size]) / np.sqrt(size)
    return rng.normal(size=[n, size]) @ mix, 0.8 * rng.normal(size=[m, size]) @ mix + 0.2


def by_definition(real, fake, k):
    """Equations 1 to 4 of Naeem et al., 2020, one pair at a time."""

    def distance(a, b):
        return np.sqrt(np.sum((a - b) ** 2))

    def reach(points):
        return [sorted(distance(a, b) for b in points)[k] for a in points]

    of_real, of_fake = reach(real), reach(fake)
    inside = np.array([[distance(r, f) < radius for f in fake] for r, radius in zip(real, of_real, strict=True)])
    back = np.array([[distance(r, f) < radius for f, radius in zip(fake, of_fake, strict=True)] for r in real])
    return inside.any(0).mean(), back.any(1).mean(), inside.sum() / (k * len(fake)), inside.any(1).mean()


def found(real, fake, k):
    each = samples.precision_recall_density_coverage(real, fake, k)
    return [each.precision.value, each.recall.value, each.density.value, each.coverage.value]


class DefinitionTest(parameterized.TestCase):
    @parameterized.parameters((30, 40, 2, 1), (40, 25, 5, 3), (25, 25, 20, 5))
    def test_precision_recall_density_and_coverage(self, n, m, size, k):
        real, fake = sets(n, m, size, seed=k)
        np.testing.assert_allclose(found(real, fake, k), by_definition(real, fake, k), atol=1e-12)


@pytest.mark.slow
class PrdcTest(parameterized.TestCase):
    @parameterized.product(shape=SHAPES, k=(1, 5))
    def test_precision_recall_density_and_coverage(self, shape, k):
        if importlib.util.find_spec("prdc") is None:
            self.skipTest("The package prdc is not installed: .ci/run installs it.")
        import prdc

        real, fake = sets(*shape, seed=k)
        with mock.patch("builtins.print"):
            theirs = prdc.compute_prdc(real, fake, nearest_k=k)
        names = ("precision", "recall", "density", "coverage")
        np.testing.assert_allclose(found(real, fake, k), [theirs[name] for name in names], atol=1e-12)


@pytest.mark.slow
class TFGANTest(tf_gan.TFGANTest):
    MODULE = ("python/eval", "classifier_metrics", "tensorflow_gan.python.eval.eval_utils")

    @parameterized.parameters(*SHAPES)
    def test_frechet_distance(self, *shape):
        real, fake = sets(*shape)
        theirs = self.tf_gan.frechet_classifier_distance_from_activations(tf.constant(real), tf.constant(fake))
        self.assertAlmostEqual(samples.frechet_distance(real, fake).value / float(theirs), 1.0, delta=1e-4)

    @parameterized.parameters(*SHAPES)
    def test_kernel_distance(self, *shape):
        real, fake = sets(*shape)
        theirs = self.tf_gan.kernel_classifier_distance_from_activations(tf.constant(real), tf.constant(fake))
        ours = samples.kernel_distance(real, fake).value
        self.assertAlmostEqual(ours, float(theirs), delta=1e-4 * max(1.0, abs(ours)))

    @parameterized.parameters(2, 10, 50)
    def test_inception_score(self, classes):
        logits = 3.0 * np.random.default_rng(classes).normal(size=[500, classes])
        theirs = self.tf_gan.classifier_score_from_logits(tf.constant(logits))
        ours = samples.inception_score(scipy.special.softmax(logits, -1), splits=1).value
        self.assertAlmostEqual(ours, float(theirs), delta=1e-4)


if __name__ == "__main__":
    absltest.main()
