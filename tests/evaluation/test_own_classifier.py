"""A model's own classifier: what it finds, and what the same networks find that learned labels alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest

import ugm_tf
from ugm_tf.evaluation import classified, has_classifier, supervised

SHAPES = {"x": (2,), "labelled": (2,), "target": (2,), "z": (3,), "h": (4,), "c": (2,)}


def model(name, **options):
    recipe = ugm_tf.recipes.get(name)
    keras.utils.set_random_seed(0)
    return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(8,), likelihood="gaussian"))


def sides(n):
    """Points left (class 0) and right (class 1) of 0."""
    x = np.random.default_rng(0).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(int)


def endless(x, c):
    batch = {"x": tf.constant(x), "c": tf.one_hot(c, 2)}
    return tf.data.Dataset.from_tensors(batch).repeat()


class ClassificationTest(absltest.TestCase):
    def test_a_class_is_the_most_likely_one(self):
        of_x = model("semi_supervised_vae")
        x, _ = sides(7)
        p = of_x.classifier.distribution(tf.constant(x)).probs_parameter().numpy()
        np.testing.assert_array_equal(classified(of_x, x), p.argmax(-1))

    def test_many_examples_are_classified_in_parts(self):
        of_x = model("semi_supervised_vae")
        x, _ = sides(1203)
        np.testing.assert_array_equal(classified(of_x, x)[1100:], classified(of_x, x[1100:]))

    def test_only_some_models_have_a_classifier(self):
        self.assertTrue(has_classifier(model("adversarial_domain_adaptation")))
        self.assertFalse(has_classifier(model("vae")))

    @pytest.mark.slow
    def test_the_same_networks_learn_from_labels_alone(self):
        for name in ("semi_supervised_vae", "stacked_semi_supervised_vae", "adversarial_domain_adaptation"):
            made = model(name)
            before = [v.numpy() for v in made.variables]
            alone = supervised(made, endless(*sides(64)), steps=200, learning_rate=1e-2)
            x, c = sides(200)
            self.assertGreater(np.mean(np.argmax(alone.predict(x, verbose=0), -1) == c), 0.95, name)
            for a, b in zip(before, made.variables, strict=True):  # the model's own are as they were
                np.testing.assert_array_equal(a, b.numpy())

    @pytest.mark.slow
    def test_their_sizes_are_those_of_the_model(self):
        made = model("adversarial_domain_adaptation")
        alone = supervised(made, endless(*sides(8)), steps=1)
        self.assertEqual(alone.count_params(), made.encoder.count_params() + made.classifier.count_params())

    @pytest.mark.slow
    def test_a_seed_gives_the_same_networks(self):
        made = model("semi_supervised_vae")
        x, c = sides(16)
        first, second = (supervised(made, endless(x, c), steps=3).predict(x, verbose=0) for _ in range(2))
        np.testing.assert_array_equal(first, second)


if __name__ == "__main__":
    absltest.main()
