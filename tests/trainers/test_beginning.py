"""A run that begins with the weights of another."""

import pathlib

import keras
import numpy as np
import pytest
from absl.testing import absltest

import ugm_tf
from tests.trainers.test_figures import untrained
from trainers import beginning
from ugm_tf import DATA, E, NegativeLogProb, Phase, Recipe


def weights(model, *names):
    return [w.numpy() for name in names for w in model.densities[name].weights]


class BeginningTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.run = pathlib.Path(self.create_tempdir().full_path) / "run"
        self.run.mkdir()
        self.source, *_ = untrained("vae")
        for weight in self.source.weights:
            weight.assign(weight + 1)
        self.source.compile("adam")
        self.source.save(self.run / "model.keras")

    def begin(self, recipe, path=None, prior=None):
        model, *_ = untrained(recipe, prior)
        with self.assertLogs("ugm_tf.trainers", "INFO") as logged:
            beginning.begin(model, path or self.run)
        return model, logged.output[0]

    def test_takes_the_weights_of_a_run_or_of_a_file(self):
        for path in (self.run, self.run / "model.keras"):
            model, line = self.begin("vae", path)
            for found, expected in zip(
                weights(model, "encoder", "decoder"), weights(self.source, "encoder", "decoder"), strict=True
            ):
                np.testing.assert_array_equal(found, expected)
            self.assertEqual(int(model.steps), 0)
            self.assertIn("Begins with the weights of", line)
            self.assertIn(": decoder, encoder.", line)

    @pytest.mark.slow
    def test_says_which_densities_begin_anew_and_which_are_not_used(self):
        model, line = self.begin("aavae")
        np.testing.assert_array_equal(weights(model, "decoder")[0], weights(self.source, "decoder")[0])
        self.assertIn("Anew: discriminator.", line)
        self.source, *_ = untrained("aavae")
        self.source.compile("adam")
        self.source.save(self.run / "model.keras")
        self.assertIn("Not used: discriminator.", self.begin("vae")[1])

    @pytest.mark.slow
    def test_a_prior_that_learns_begins_anew_after_a_fixed_one(self):
        model, line = self.begin("vae", prior="mixture(3)")
        np.testing.assert_array_equal(weights(model, "decoder")[0], weights(self.source, "decoder")[0])
        self.assertIn("Anew: prior.", line)
        model.compile("adam")
        model.save(self.run / "model.keras")
        self.assertIn("Not used: prior.", self.begin("vae")[1])

    @pytest.mark.slow
    def test_takes_averages_where_they_are_kept(self):
        self.source.compile(keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.9), jit_compile=False)
        self.source.fit(np.zeros([4, 8, 8, 1], np.float32), batch_size=2, verbose=0)
        self.source.save(self.run / "model.keras")
        model, line = self.begin("vae")
        with self.source.averaged():
            expected = weights(self.source, "decoder")
        self.assertGreater(np.abs(expected[0] - weights(self.source, "decoder")[0]).max(), 1e-4)
        np.testing.assert_array_equal(weights(model, "decoder")[0], expected[0])
        self.assertIn("the averages of the weights", line)

    def test_refuses_what_does_not_fit_and_names_it(self):
        model, *_ = untrained("vae")
        source, *_ = untrained("iaf_vae")
        source.compile("adam")
        source.save(self.run / "model.keras")
        arrays = [len(of.densities["encoder"].weights) for of in (source, model)]
        said = rf"encoder \(there {arrays[0]} arrays of weights, here {arrays[1]}\)\. Give the networks that"
        with self.assertRaisesRegex(ValueError, f"does not fit this run: {said}"):
            beginning.begin(model, self.run)

    def test_the_first_array_that_differs_is_said_with_both_shapes(self):
        there, here = [(64, 8), (8,), (8, 6)], [(64, 8), (9,), (9, 6)]
        self.assertEqual(beginning._difference(there, here), "its array 1 is [8] there and [9] here")

    @pytest.mark.slow
    def test_a_refusal_changes_no_weight(self):
        source, *_ = untrained("iaf_vae")
        source.compile("adam")
        source.save(self.run / "model.keras")
        model, *_ = untrained("vae")
        before = weights(model, "decoder")
        with self.assertRaises(ValueError):
            beginning.begin(model, self.run)
        np.testing.assert_array_equal(weights(model, "decoder")[0], before[0])

    def test_refuses_a_model_without_a_density_in_common(self):
        learn = Phase("learn", E(NegativeLogProb("reader"), DATA), "reader")
        recipe = Recipe({"reader": "q(z | x)"}, learn, data=("x", "z"))
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (8,), "z": (2,)}, hidden=(4,)))
        with self.assertRaisesRegex(ValueError, "fit this run: it has prior, encoder, decoder, and this run reader"):
            beginning.begin(model, self.run)

    def test_refuses_a_place_without_a_model(self):
        model, *_ = untrained("vae")
        with self.assertRaisesRegex(ValueError, "finished run's directory or a model.keras, and there is no .*none"):
            beginning.begin(model, self.run / "none")


if __name__ == "__main__":
    absltest.main()
