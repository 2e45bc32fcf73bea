"""Data of several variables: as many examples of each, fit for what they become, and one-hot classes."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import validation

SHAPES = {"x": (4, 4, 1), "z": (3,), "c": (3,), "labelled": (4, 4, 1), "target": (4, 4, 1)}


class LengthsTest(absltest.TestCase):
    """Arrays of several variables are cut into batches together."""

    def setUp(self):
        super().setUp()
        recipe = ugm_tf.recipes.cyclegan()
        self.model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(4,)))
        self.model.compile("adam", jit_compile=False)
        self.x = np.zeros((20, 4, 4, 1), np.float32)

    def refuses(self, advice, x, target, calls=()):
        for call in (self.model.fit, self.model.evaluate, *calls):
            for data in (({"x": x, "target": target},), (x, target)):
                with self.assertRaisesRegex(ValueError, advice):
                    call(*data)
        self.assertEqual(int(self.model.steps), 0)

    def test_fewer_examples_of_one(self):
        advice = "Received: 20 of x, 8 of target. Cut the longer ones or repeat the shorter ones, or give a tf.data.Dat"
        self.refuses(advice, self.x, self.x[:8])
        self.refuses("Received: 8 of x, 20 of target", self.x[:8], self.x)

    @pytest.mark.slow
    def test_held_out_data_too(self):
        with self.assertRaisesRegex(ValueError, "Received: 20 of x, 8 of target"):
            self.model.fit(self.x, self.x, validation_data=(self.x, self.x[:8]))

    def test_none_of_one_or_of_all(self):
        self.refuses("data of target hold no example", self.x, self.x[:0])
        self.refuses("data of x hold no example", self.x[:0], self.x[:0])

    @pytest.mark.slow
    def test_a_datasets_batches_may_have_more_of_one(self):
        data = tf.data.Dataset.from_tensors({"x": self.x, "target": self.x[:8]})
        self.model.fit(data, verbose=0)
        self.assertEqual(int(self.model.steps), 1)


class RenamedDataTest(parameterized.TestCase):
    """Data that a sampler gives to another variable are to fit as that."""

    def setUp(self):
        super().setUp()
        self.x, self.c = np.zeros((5, 4, 4, 1), np.float32), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]

    def check(self, name, **values):
        recipe = ugm_tf.recipes.get(name)
        densities = ugm_tf.networks.build(recipe, SHAPES, hidden=(4,))
        validation.check_data(recipe, densities, values)

    def test_labelled_examples_are_examples(self):
        self.check("semi_supervised_vae", x=self.x, labelled=self.x, c=self.c)
        with self.assertRaisesRegex(ValueError, r"takes labelled of shape \(4, 4, 1\).*data of shape \(2, 4, 1\)"):
            self.check("semi_supervised_vae", x=self.x, labelled=self.x[:, :2], c=self.c)
        advice = (
            r"'decoder', which is p\(x \| z, c\) .* 0 or 1: binarise.*Received data of labelled between 0.5 and 0.5"
        )
        with self.assertRaisesRegex(ValueError, advice):
            self.check("semi_supervised_vae", x=self.x, labelled=self.x + 0.5, c=self.c)

    def test_their_classes_are_one_hot(self):
        with self.assertRaisesRegex(ValueError, "'classes', which is .* a one-hot vector.*Received data of c"):
            self.check("semi_supervised_vae", x=self.x, labelled=self.x, c=0.5 * self.c)

    def test_those_of_another_domain_are_examples_of_the_encoder(self):
        self.check("adversarial_domain_adaptation", x=self.x, target=self.x + 7.0, c=self.c)
        with self.assertRaisesRegex(ValueError, r"'encoder', which is .*takes target of shape \(4, 4, 1\)"):
            self.check("adversarial_domain_adaptation", x=self.x, target=self.x[:, :, :2], c=self.c)


ZERO, TWICE, SOFT = [[0, 0, 0]], [[0, 2, 0]], [[0.5, 0.5, 0]]


class ClassTest(parameterized.TestCase):
    """A class that nothing infers is a one-hot row, because the recipe says so."""

    def made(self, name, **changes):
        recipe = dataclasses.replace(ugm_tf.recipes.get(name), **changes)
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(4,)))
        model.compile("adam", jit_compile=False)
        return model

    @parameterized.product(
        name=("conditional_gan", "conditional_vae", "iwcgan", "aacvae"), bad=(ZERO, TWICE, SOFT), last=(True, False)
    )
    def test_rows_that_are_not(self, name, bad, last):
        model, x = self.made(name), np.zeros((4, 4, 4, 1), np.float32)
        good = np.eye(3, dtype=np.float32)[[0, 1, 2]]
        c = np.concatenate([good, np.array(bad, np.float32)])[:: 1 if last else -1]
        advice = (
            r"The recipe, whose c is of family OneHot\(\), takes values that are a one-hot vector: use "
            rf"keras.ops.one_hot; those of example {3 if last else 0} are not. Received data of c between .* Change "
            "the data or the recipe's `families`"
        )
        for call in (model.fit, model.evaluate):
            with self.assertRaisesRegex(ValueError, advice):
                call({"x": x, "c": c})
        with self.assertRaisesRegex(ValueError, advice):
            model.sample(4, c=c)
        self.assertEqual(int(model.steps), 0)
        self.assertEqual(model.sample(3, c=good).shape[0], 3)

    @parameterized.parameters(("acgan", "classifier"), ("iwacgan", "classifier"), ("semi_supervised_vae", "classes"))
    def test_samples_of_a_class_that_a_density_scores(self, name, density):
        recipe = ugm_tf.recipes.get(name)
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(4,)))
        for bad in (ZERO, TWICE, SOFT):
            with self.assertRaisesRegex(ValueError, f"'{density}', which is .* example 0 are not. Received data of c"):
                model.sample(1, c=bad)

    def test_numbers_are_no_rows(self):
        model = self.made("conditional_vae")
        with self.assertRaisesRegex(ValueError, "a one-hot vector.*Received data of c between 0 and 1"):
            validation.check_classes(model.recipe, model.densities, {"c": np.array([1, 0, 0])})

    @pytest.mark.slow
    def test_a_recipe_that_says_otherwise_takes_others(self):
        model = self.made("conditional_vae", families={})
        c = np.array([*ZERO, *TWICE, *SOFT], np.float32)
        model.fit({"x": np.zeros((3, 4, 4, 1), np.float32), "c": c}, verbose=0)
        self.assertEqual(model.sample(3, c=c).shape[0], 3)

    def test_a_sample_within_a_graph_is_drawn(self):
        model = self.made("conditional_vae")
        drawn = tf.function(lambda c: model.sample(3, c=c), autograph=False)(tf.eye(3))
        np.testing.assert_allclose(drawn, model.sample(3, c=tf.eye(3)), atol=1e-6)


if __name__ == "__main__":
    absltest.main()
