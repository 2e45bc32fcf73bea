"""The judge of samples: by hand on classifiers that are known, and on real digits."""

import keras
import numpy as np
import pytest
from absl.testing import absltest

import ugm_tf
from ugm_tf.evaluation import accuracy, judge, train_classifier


class Table(keras.Model):
    """A classifier whose probabilities are the image."""

    def call(self, x):
        return keras.ops.log(keras.ops.maximum(keras.ops.reshape(x, (-1, x.shape[-1])), 1e-30))


def probabilities(*rows):
    """Images of which a `Table` reads these probabilities."""
    return np.array(rows, np.float32)[:, None, None, :]


class JudgeTest(absltest.TestCase):
    def test_clear_samples_of_all_classes(self):
        judged = judge(Table(), probabilities((1, 0, 0), (0, 1, 0), (0, 0, 1)))
        self.assertAlmostEqual(judged.entropy, 0.0)
        self.assertAlmostEqual(judged.confidence, 1.0)
        self.assertEqual(judged.coverage, 3)
        self.assertAlmostEqual(judged.inception_score, 3.0, places=4)
        np.testing.assert_allclose(judged.share, [1 / 3] * 3)

    def test_clear_samples_of_one_class(self):
        judged = judge(Table(), probabilities((0, 1, 0), (0, 1, 0)))
        self.assertEqual(judged.coverage, 1)
        self.assertAlmostEqual(judged.inception_score, 1.0, places=4)
        self.assertEqual(judged.share, (0.0, 1.0, 0.0))

    def test_by_the_formula(self):
        p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.25, 0.25]])
        judged = judge(Table(), probabilities(*p))
        self.assertAlmostEqual(judged.entropy, -np.mean(np.sum(p * np.log(p), 1)), places=5)
        self.assertAlmostEqual(judged.confidence, (0.7 + 0.6 + 0.5) / 3, places=5)
        divergences = np.sum(p * np.log(p / p.mean(0)), 1)
        self.assertAlmostEqual(judged.inception_score, np.exp(np.mean(divergences)), places=5)
        np.testing.assert_allclose(judged.share, [2 / 3, 1 / 3, 0.0])

    def test_a_class_counts_from_one_sample_in_a_hundred(self):
        rows = [(1, 0, 0)] * 199 + [(0, 1, 0)]
        self.assertEqual(judge(Table(), probabilities(*rows)).coverage, 1)
        self.assertEqual(judge(Table(), probabilities(*rows[1:], (0, 1, 0))).coverage, 2)


class ClassifierTest(absltest.TestCase):
    def test_accuracy_is_the_share_that_is_right(self):
        x = probabilities((0.9, 0.1, 0), (0.2, 0.8, 0), (0.3, 0.3, 0.4), (1, 0, 0))
        self.assertEqual(accuracy(Table(), x, np.array([0, 1, 0, 0])), 0.75)

    @pytest.mark.slow
    def test_learns_real_digits_from_a_seed(self):
        train, held_out = (ugm_tf.data.load("digits", split) for split in ("train", "validation"))
        x, test = (np.asarray(part.x, np.float32) / 255.0 for part in (train, held_out))
        first, second = (train_classifier(x, train.c, 10, epochs=3, seed=5) for _ in range(2))
        self.assertGreater(accuracy(first, test, held_out.c), 0.9)  # 0.97 and more in 20 epochs; chance is 0.1
        np.testing.assert_array_equal(first.predict(test, verbose=0), second.predict(test, verbose=0))


if __name__ == "__main__":
    absltest.main()
