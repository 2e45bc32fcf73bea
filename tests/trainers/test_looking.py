"""What a report shows of codes and of single examples: of every recipe that has it, and no error of the others."""

import dataclasses

import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers.test_figures import untrained
from trainers import looking


class LookingTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vae = untrained("vae")

    def test_a_map_has_a_point_and_a_class_for_each_held_out_example(self):
        model, _, held_out = self.vae
        found = looking.map_of_codes(model, held_out)
        self.assertEqual((found.points.shape, found.units), ((250, 2), 3))
        np.testing.assert_array_equal(found.c, held_out.examples.c)
        codes = model.encode(held_out.first(250)["x"]).numpy()
        self.assertEqual(found.active, int((codes.var(0) > 0.01).sum()))

    def test_traversals_begin_with_the_unit_that_varies_most_and_move_it_alone(self):
        model, _, held_out = self.vae
        found = looking.traversals(model, held_out)
        variances = model.encode(held_out.first(250)["x"]).numpy().var(0)
        self.assertEqual(found.units, tuple(np.argsort(-variances).tolist()))
        np.testing.assert_allclose(found.variances, np.sort(variances)[::-1], rtol=1e-5)
        self.assertEqual(found.images.shape, (3, 9, 8, 8, 1))
        self.assertGreater(np.abs(found.images[0, 0] - found.images[0, -1]).max(), 0.0)

    def test_the_nearest_training_example_is_the_nearest(self):
        model, training, _ = self.vae
        found = looking.neighbours(model, training)
        x = training.examples.x / 255.0
        distance = ((x[None] - found.samples[:, None]) ** 2).sum((2, 3, 4))
        np.testing.assert_allclose(found.nearest, x[distance.argmin(1)], atol=1e-6)

    def test_a_copied_example_is_found(self):
        model, training, _ = self.vae
        copied = training.examples.x[5:9].astype(np.float32) / 255.0
        with absltest.mock.patch.object(looking.pictures, "samples", return_value=(copied, None)):
            found = looking.neighbours(model, training)
        np.testing.assert_allclose(found.nearest, copied, atol=1e-6)

    def test_what_a_model_has_not_is_none(self):
        model, training, held_out = untrained("gan")
        self.assertIsNone(looking.map_of_codes(model, held_out))
        self.assertIsNone(looking.traversals(model, held_out))
        self.assertIsNone(looking.confusion(model, held_out))
        self.assertIsNone(looking.confusion(self.vae[0], self.vae[2]))

    @pytest.mark.slow
    def test_a_confusion_has_its_classes_in_rows_and_what_was_given_in_columns(self):
        model, _, held_out = untrained("semi_supervised_vae")
        always = np.array([0.0] * 3 + [5.0] + [0.0] * 6)
        last = model.classifier.network.layers[-1]
        last.kernel.assign(np.zeros(last.kernel.shape))
        last.bias.assign(always)  # every example is a three
        found = looking.confusion(model, held_out)
        np.testing.assert_array_equal(found.counts[:, 3], np.bincount(held_out.examples.c))
        self.assertEqual(found.counts.sum(), 250)
        self.assertEqual(found.names, tuple(map(str, range(10))))

    @parameterized.parameters(*ugm_tf.recipes.names())
    @pytest.mark.slow
    def test_of_every_recipe_each_is_there_or_none(self, name):
        model, training, held_out = untrained(name)
        few = dataclasses.replace(training, examples=training.examples.labelled_subset(per_class=2))
        for make, inputs in (
            (looking.map_of_codes, held_out),
            (looking.traversals, held_out),
            (looking.neighbours, few),
            (looking.confusion, held_out),
        ):
            make(model, inputs)


if __name__ == "__main__":
    absltest.main()
