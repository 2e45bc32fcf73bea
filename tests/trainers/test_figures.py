"""The numbers of a trained model, on models whose answers are known."""

from unittest import mock

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from trainers import building, defaults, figures, inputs, pictures
from trainers.settings import Settings
from ugm_tf.evaluation import FeatureNetwork


def untrained(recipe, prior=None, **hyperparameters):
    """An untrained model of digits, maybe with a prior that learns, and its three splits."""
    given = tuple(sorted(hyperparameters.items()))
    settings = Settings(recipe, "digits", given, prior, hidden=(8,), code_size=None if recipe == "cyclegan" else 3)
    settings = defaults.resolve(settings, (8, 8, 1), 1297)
    recipe = settings.make_recipe()
    splits = [inputs.load(settings, split, inputs.Sources()) for split in ("train", "validation")]
    keras.utils.set_random_seed(0)
    densities = ugm_tf.networks.build(
        recipe,
        building.shapes(settings, splits[0].examples),
        hidden=(8,),
        likelihood=settings.likelihood or "bernoulli",
        families_by_name=dict(settings.families),
    )
    return ugm_tf.UnifiedModel(recipe, densities), *splits


class NatsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("vae", {}, {"wake/distortion", "wake/rate", "wake/loss"}, {"wake/rate_scale"}),
        ("wae", {}, {"wake/distortion"}, {"wake/mmd", "wake/loss"}),
        ("gan", {}, {"discriminate/loss", "generate/loss"}, set()),
        ("gan", {"contest": "wasserstein", "gradient_penalty": 1.0}, set(), {"discriminate/loss", "generate/loss"}),
        ("beta_tc_vae", {}, {"wake/total_correlation", "wake/loss"}, set()),
    )
    def test_are_the_unit_of_log_probabilities_alone(self, name, given, nats, others):
        recipe = ugm_tf.recipes.get(name, **given)
        found = figures.in_nats(recipe)
        self.assertLessEqual(nats, found)
        self.assertLessEqual(nats, set(recipe.metrics))
        self.assertFalse(others & found)

    def test_losses_have_their_units(self):
        model, _, held_out = untrained("wae")
        model.compile("adam")
        found = {figure.name: figure.unit for figure in figures.losses(model, held_out, every=True)}
        self.assertEqual(found, {"wake/distortion": "nats", "wake/mmd": "", "wake/loss": ""})


class SamplesTest(parameterized.TestCase):
    @parameterized.parameters("mixture(3)", "vamp(3)", "flow(1)")
    @pytest.mark.slow
    def test_draws_of_a_prior_that_learns_are_its_own_and_walks_are_along_lines(self, prior):
        model, examples, _ = untrained("vae", prior)
        draws = pictures.prior_draws(model, ["z"], 5)["z"]
        self.assertEqual((draws.shape, np.all(np.isfinite(draws))), ((5, 3), True))
        with mock.patch.object(type(model), "decode", autospec=True, side_effect=type(model).decode) as decode:
            walk = pictures.interpolations(model, examples)
        codes = decode.call_args[0][1].reshape(*walk.shape[:2], 3)
        middle = 0.5 * (codes[:, :1] + codes[:, -1:])
        np.testing.assert_allclose(0.5 * (codes + codes[:, ::-1]), np.broadcast_to(middle, codes.shape), atol=1e-5)

    @parameterized.parameters("conditional_gan", "semi_supervised_vae", "stacked_semi_supervised_vae", "infogan")
    def test_come_with_their_class_as_many_of_each(self, name):
        model, *_ = untrained(name)
        x, c = pictures.samples(model, 20)
        self.assertEqual(x.shape, (20, 8, 8, 1))
        np.testing.assert_array_equal(c, np.repeat(np.arange(10), 2))

    def test_come_in_the_shares_of_the_data_where_the_class_is_given(self):
        shares = np.array([0.5, 0.25, 0.25, 0, 0, 0, 0, 0, 0, 0])
        _, c = pictures.samples(untrained("conditional_gan")[0], 8, shares=shares)
        np.testing.assert_array_equal(c, [0, 0, 0, 0, 1, 1, 2, 2])
        _, c = pictures.samples(untrained("conditional_gan")[0], 20, shares=np.full(10, 0.1))
        np.testing.assert_array_equal(c, np.repeat(np.arange(10), 2))
        _, c = pictures.samples(untrained("infogan")[0], 20, shares=shares)  # which has a p(c) of its own
        np.testing.assert_array_equal(c, np.repeat(np.arange(10), 2))

    def test_of_a_class_are_what_the_decoder_makes_of_it(self):
        model, *_ = untrained("conditional_gan")
        x, c = pictures.samples(model, 10, seed=3)
        np.testing.assert_array_equal(x, model.sample(10, seed=3, c=np.eye(10)[c]))

    def test_have_no_class_where_the_decoder_takes_none(self):
        self.assertIsNone(pictures.samples(untrained("vae")[0], 5)[1])

    def test_rows_are_called_as_the_classes_of_the_data(self):
        names = tuple("abcdefghij")
        self.assertEqual(pictures.row_names(untrained("conditional_gan")[0], names), names)
        for name, given in (
            ("conditional_gan", None),
            ("conditional_gan", names[:9]),
            ("infogan", names),
            ("gan", names),
        ):
            self.assertEqual(pictures.row_names(untrained(name)[0], given), (), name)

    def test_weights_are_named(self):
        model = mock.Mock(steps=1234)
        for given, words in (
            ({}, "the weights after 1,234 steps"),
            ({"ema": 0.0}, "the weights after 1,234 steps"),
            ({"ema": 0.99}, "averages of the weights, decay up to 0.99, after 1,234 steps"),
            ({"keep_best": "val_a/loss"}, "the weights after 1,234 steps, where val_a/loss was lowest"),
        ):
            self.assertEqual(pictures.weights_in_words(model, Settings("vae", "digits", **given)), words)

    def test_a_picture_has_a_row_for_each_class(self):
        model, *_ = untrained("acgan")
        self.assertEqual((len(pictures.samples_to_show(model)), pictures.columns(model)), (100, 10))
        model, *_ = untrained("gan")
        self.assertEqual((len(pictures.samples_to_show(model)), pictures.columns(model)), (64, None))


class ReconstructionsTest(absltest.TestCase):
    def test_an_encoder_that_takes_noise_gets_it(self):
        model, _, held_out = untrained("avb")
        originals, found = pictures.reconstructions(model, held_out)
        self.assertEqual(found.shape, originals.shape)

    def test_a_model_without_an_encoder_has_none(self):
        model, _, held_out = untrained("gan")
        self.assertIsNone(pictures.reconstructions(model, held_out))


class UnitsTest(absltest.TestCase):
    @pytest.mark.slow
    def test_redundancy_comes_with_what_it_is_of_and_with_what_can_be_read(self):
        model, training, held_out = untrained("predictability_minimization")
        model.compile(building.optimizers(model.recipe, 1e-3))
        asked = mock.patch.object(ugm_tf.evaluation, "redundancy", return_value=ugm_tf.evaluation.Redundancy(2.0, 1.75))
        with asked as redundancy:
            found = figures.redundancy(model, training, held_out)
        _, learned, measured = redundancy.call_args.args
        np.testing.assert_array_equal(learned, np.concatenate([batch["x"] for batch in training.once()]))
        np.testing.assert_array_equal(measured, held_out.first(250)["x"])
        values = {f.name: f.value for f in found}
        self.assertAlmostEqual(
            values.pop("distortion"), model.evaluate(held_out.once(), verbose=0, return_dict=True)["code/distortion"]
        )
        self.assertEqual(values, {"cross-entropy of single units": 2.0, "redundancy of the code": 0.25})
        self.assertIn("n 250; split validation; draws 20", found[-1].how)


class ClassifiedTest(absltest.TestCase):
    def test_a_classifier_that_knows_beats_one_of_labels_alone_that_does_not(self):
        model, training, held_out = untrained("semi_supervised_vae")
        quick = mock.patch.object(ugm_tf.evaluation, "supervised", lambda *_, **__: mock.Mock(name="never asked"))
        known = mock.patch.object(ugm_tf.evaluation, "classified", lambda *_: held_out.examples.c)
        chance = mock.patch.object(ugm_tf.evaluation, "accuracy", lambda *_: 0.1)
        with quick, known, chance:
            found = figures.accuracies(model, training, held_out)
        self.assertEqual([(f.name, f.value) for f in found], [("accuracy", 1.0), ("accuracy, labels alone", 0.1)])
        self.assertAlmostEqual(found[1].spread, np.sqrt(0.1 * 0.9 / 250))
        self.assertIn("n 250; split validation; data digits; observation ", found[0].how)
        self.assertIn("trained on the 100 labelled examples alone", found[1].how)
        self.assertNotIn("alone", found[0].how)

    def test_labels_alone_are_learned_from_the_seed_of_the_run(self):
        model, training, held_out = untrained("semi_supervised_vae")
        model.seed = 5
        accuracy = mock.patch.object(ugm_tf.evaluation, "accuracy", lambda *_: 0.1)
        with mock.patch.object(ugm_tf.evaluation, "supervised") as supervised, accuracy:
            figures.accuracies(model, training, held_out)
        self.assertEqual(supervised.call_args.kwargs["seed"], 5)

    def test_of_two_domains_the_target_comes_first(self):
        model, training, held_out = untrained("adversarial_domain_adaptation")
        with mock.patch.object(ugm_tf.evaluation, "supervised", lambda *_, **__: mock.Mock(name="never asked")):
            with mock.patch.object(ugm_tf.evaluation, "accuracy", lambda *_: 0.5):
                found = figures.accuracies(model, training, held_out)
        names = [
            f"accuracy of the {domain}{kind}" for domain in ("target", "source") for kind in ("", ", labels alone")
        ]
        self.assertEqual([f.name for f in found], names)
        self.assertIn("trained on the 1297 source examples alone", found[1].how)


class TranslatedTest(absltest.TestCase):
    def test_a_negative_is_undone_by_a_negative(self):
        model, training, held_out = untrained("cyclegan", cycle=1.0)
        right = mock.patch.object(ugm_tf.evaluation, "cycle", lambda _, x, start: (1.0 - x, x))
        flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Identity()])
        first = mock.patch.object(FeatureNetwork, "trained", lambda *_: FeatureNetwork.of_classifier(flat))
        with right, first:
            found = {f.name: f.value for f in figures.translations(model, training, held_out)}
        names = ("source to target", "target to source")
        self.assertEqual([found[f"cycle error, {name} and back"] for name in names], [0.0, 0.0])
        negative = 1.0 - held_out.examples.x.reshape(250, 64) / 255.0
        self.assertAlmostEqual(found["accuracy, source to target"], np.mean(negative.argmax(-1) == held_out.examples.c))


class JudgedTest(absltest.TestCase):
    def test_a_code_is_of_its_commonest_class(self):
        found, code = np.array([3, 3, 4, 7, 7, 7, 1]), np.array([0, 0, 0, 1, 1, 1, 2])
        self.assertAlmostEqual(figures._purity(found, code), 6 / 7)

    def test_samples_of_the_class_asked_for_are_counted(self):
        model, training, held_out = untrained("conditional_gan")
        c = np.arange(1000) * 10 // 1000

        flat = [keras.layers.Flatten(), keras.layers.Lambda(lambda x: 9.0 * x[:, :10]), keras.layers.Identity()]
        told = FeatureNetwork.of_classifier(keras.Sequential([keras.Input((8, 8, 1)), *flat]))
        asked = np.zeros((1000, 8, 8, 1), np.float32)
        asked.reshape(1000, 64)[np.arange(1000), np.where(np.arange(1000) < 250, 9, c)] = 1.0  # wrong in the first 250
        images = mock.patch.object(pictures, "samples", lambda *_, **__: (asked, c))
        with images:
            found = {f.name: f for f in figures.sample_quality(model, held_out.examples, told)}
        self.assertEqual(found["samples of the class asked for"].estimate.how["network_hash"], told.hash)
        self.assertEqual(found["classes covered"].real.how["n_real"], 250)
        first = held_out.examples.x.reshape(250, 64)[:, :10] / 255.0
        right = np.mean(first.argmax(-1) == held_out.examples.c)
        self.assertBetween(right, 0.01, 0.99)
        for estimate in (found["classes covered"].estimate, found["classes covered"].real):
            self.assertAlmostEqual(estimate.how["classifier_accuracy"], right)
        found = {name: figure.value for name, figure in found.items()}
        self.assertEqual(found["samples of the class asked for"], 0.75)
        self.assertEqual(found["classes covered"], 8)  # all but 0 and 1, and half of 2


class BoundTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_is_given_what_it_asks_for_and_no_more(self):
        for name in (
            "vae",
            "conditional_vae",
            "semi_supervised_vae",
            "stacked_semi_supervised_vae",
            "hierarchical_vae",
        ):
            model, _, held_out = untrained(name)
            found = figures.bound(model, held_out, draws=2, number=20)
            self.assertTrue(np.isfinite(found.value), name)
            self.assertEqual((found.estimate.n, found.estimate.how["k"]), (20, 2))

    @parameterized.parameters(
        ("bernoulli", "binarised", 0.0),
        ("discretized_logistic", "grey", 0.0),
        ("discretized_logistic_mixture(components=2)", "grey", 0.0),
        ("shared_scale_gaussian", "dequantised", 8.0),
        ("continuous_bernoulli", "dequantised", 8.0),
        ("gaussian(scale=0.3)", "grey", None),  # a density at levels is no number of bits
    )
    def test_is_bits_per_dimension_too(self, likelihood, observation, more):
        settings = Settings("vae", "digits", likelihood=likelihood, observation=observation, hidden=(8,), code_size=3)
        settings = defaults.resolve(settings, (8, 8, 1), 1297)
        held_out = inputs.load(settings, "validation", inputs.Sources())
        model = building.build(settings.make_recipe(), settings, held_out.examples)
        bound, *bits = figures.bounds(model, held_out, draws=2, number=20)
        if more is None:
            self.assertEmpty(bits)
            return
        self.assertAlmostEqual(bits[0].value, -bound.value / 64 / np.log(2.0) + more, delta=1e-5)
        self.assertAlmostEqual(bits[0].spread, bound.spread / 64 / np.log(2.0), delta=1e-6)
        self.assertEqual((bits[0].name, bits[0].unit), ("bits per dimension, k=2", "bits"))


if __name__ == "__main__":
    absltest.main()
