"""Asking a model in Python: values, seeds and refusals."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.inference import answers

SHAPES = {"x": (2, 2, 1), "z": (3,), "c": (4,)}
X = np.random.default_rng(0).integers(0, 2, [5, 2, 2, 1]).astype(np.float32)
C = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0]]


def model(name, **options):
    recipe = ugm_tf.recipes.get(name)
    return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(5,), **options))


def conditional():
    made = ugm_tf.recipes.vae()
    roles = {"prior": "p(z)", "encoder": "q(z | x, c)", "decoder": "p(x | z, c)"}
    recipe = ugm_tf.Recipe(roles, made.phases, ("x", "c"))
    return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(5,)))


def translator():
    """A recipe without a decoder."""
    phase = ugm_tf.Phase("wake", (ugm_tf.E(ugm_tf.NegativeLogProb("to_c")),), ("to_c",))
    recipe = ugm_tf.Recipe({"to_c": "p(c | x)"}, (phase,), ("x", "c"))
    return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, likelihood="one_hot"))


class SampleTest(parameterized.TestCase):
    def test_an_example_is_a_function_of_seed_and_index(self):
        of = model("vae")
        np.testing.assert_allclose(of.sample(5, seed=3)[:2], of.sample(2, seed=3), atol=1e-6)
        self.assertGreater(np.abs(of.sample(5, seed=3) - of.sample(5, seed=4)).max(), 1e-3)

    def test_a_draw_has_the_mean_that_is_shown(self):
        of = model("vae")
        of.decoder.network.layers[1].kernel.assign(tf.zeros([3, 5]))  # so that x does not depend on z
        draws = of.sample(4000, mean=False).numpy()
        self.assertEqual(set(np.unique(draws)), {0.0, 1.0})
        np.testing.assert_allclose(draws.mean(0), of.sample(1)[0], atol=0.04)  # 5 standard errors

    def test_a_draw_is_a_function_of_seed_and_index(self):
        of = model("vae")
        np.testing.assert_array_equal(of.sample(5, mean=False)[:2], of.sample(2, mean=False))

    def test_takes_conditions(self):
        of = conditional()
        out = of.sample(5, c=C)
        np.testing.assert_allclose(out[3:4], of.sample(5, c=C[[3] * 5])[3:4], atol=1e-6)
        self.assertGreater(np.abs(out - of.sample(5, c=C[::-1])).max(), 1e-3)

    @parameterized.parameters(True, False)
    def test_refuses_conditions_that_do_not_fit(self, mean):
        with self.assertRaisesRegex(ValueError, r"sample\(\) takes c by name. Received by name: nothing"):
            conditional().sample(5, mean=mean)
        with self.assertRaisesRegex(ValueError, r"sample\(\) takes nothing by name. Received by name: c"):
            model("vae").sample(5, mean=mean, c=C)
        with self.assertRaisesRegex(ValueError, r"sample\(3\) takes 3 rows of c. Received 5"):
            conditional().sample(3, mean=mean, c=C)

    def test_refuses_to_draw_nothing(self):
        with self.assertRaisesRegex(ValueError, "at least 1. Received: n=0"):
            model("vae").sample(0)

    def test_sees_what_was_learned_since(self):
        of = model("vae")
        before = of.sample(2)
        of.decoder.network.layers[-2].bias.assign_add([1.0] * 4)
        self.assertGreater(np.abs(of.sample(2) - before).min(), 0.01)


class AskTest(parameterized.TestCase):
    def test_each_method_gives_its_endpoint(self):
        of, found = model("aavae"), model("aavae").endpoints()
        z = of.encode(X)
        self.assertCountEqual(found, ["sample", "reconstruct", "score", "encode", "decode", "discriminate"])
        np.testing.assert_allclose(z, of.encoder.network(X)[:, :3], atol=1e-6)
        np.testing.assert_allclose(of.decode(z), tf.sigmoid(of.decoder.network(z)), atol=1e-6)
        np.testing.assert_allclose(of.reconstruct(X), of.decode(z), atol=1e-6)
        np.testing.assert_allclose(of.discriminate(X), of.discriminator.network(X)[:, 0], atol=1e-6)

    def test_draws_of_a_code_have_the_mean_and_the_spread_of_the_encoder(self):
        of = model("vae")
        z = of.encode(X, draws=2000).numpy()
        q = of.joint.sample({"x": tf.constant(X)}, training=False).distribution("encoder")
        self.assertEqual(z.shape, (2000, 5, 3))
        np.testing.assert_allclose(z.mean(0), q.mean(), atol=5 * np.max(q.stddev()) / np.sqrt(2000))
        np.testing.assert_allclose(z.std(0) / q.stddev(), 1.0, atol=0.09)  # more than 5 standard errors

    @pytest.mark.slow
    def test_draws_of_a_code_are_a_function_of_seed_and_row(self):
        of = model("vae")
        np.testing.assert_allclose(of.encode(X, draws=3)[:, :2], of.encode(X[:2], draws=3), atol=1e-6)
        self.assertGreater(np.abs(of.encode(X, draws=3) - of.encode(X, draws=3, seed=1)).min(), 0.0)
        np.testing.assert_array_equal(conditional().encode(X, draws=2, c=C).shape, [2, 5, 3])

    def test_draws_of_a_code_that_cannot_be_are_refused(self):
        with self.assertRaisesRegex(ValueError, "encode.* draws"):
            model("vae").encode(X, draws=0)
        with self.assertRaisesRegex(ValueError, "cannot encode"):
            model("gan").encode(X, draws=2)
        with self.assertRaisesRegex(ValueError, "encode"):
            model("vae").encode(X + 7.0, draws=2)
        with self.assertRaisesRegex(ValueError, "draws nothing without `draws`, so seed=3 says nothing. Give draws=1"):
            model("vae").encode(X, seed=3)
        of = model("vae")
        np.testing.assert_array_equal(of.encode(X, draws=2), of.encode(X, draws=2, seed=0))

    def test_takes_any_numbers(self):
        of = model("vae")
        for kind in (np.float64, np.int64, np.uint8):
            np.testing.assert_array_equal(of.encode(X.astype(kind)), of.encode(X))
            np.testing.assert_array_equal(of.log_prob_bound(X.astype(kind)), of.log_prob_bound(X))
        np.testing.assert_array_equal(of.encode(X.tolist()), of.encode(X))

    def test_takes_others_by_name(self):
        of = conditional()
        z = of.encode(X, c=C)
        np.testing.assert_allclose(z, of.encoder.network([X, C])[:, :3], atol=1e-6)
        np.testing.assert_allclose(of.decode(z, c=C), of.reconstruct(X, c=C), atol=1e-6)

    def test_refuses_what_the_roles_do_not_allow(self):
        with self.assertRaisesRegex(
            ValueError, r"'decoder': p\(x \| z\).*cannot encode. It can: sample, score, decode"
        ):
            model("gan").encode(X)
        with self.assertRaisesRegex(ValueError, "cannot discriminate. It can: sample, reconstruct"):
            model("vae").discriminate(X)
        with self.assertRaisesRegex(ValueError, "cannot sample. It can: to_c"):
            translator().sample(2)

    @parameterized.parameters(({},), ({"c": C, "x": X},), ({"d": C},))
    @pytest.mark.slow
    def test_refuses_names_that_do_not_fit(self, given):
        with self.assertRaisesRegex(ValueError, r"decode\(\) takes z, c, the others by name. Received by name: "):
            conditional().decode(np.zeros([5, 3]), **given)

    def test_refuses_shapes_that_do_not_fit(self):
        with self.assertRaisesRegex(
            ValueError, r"encode\(\) takes x of shape \[B, 2, 2, 1\].*Received shape \[2, 2, 1\]"
        ):
            model("vae").encode(X[0])
        with self.assertRaisesRegex(ValueError, r"as many rows of each input. Received: {'x': 5, 'c': 4}"):
            conditional().encode(X, c=C[:4])


class ClassifyTest(parameterized.TestCase):
    SHAPES = {**SHAPES, "h": (6,), "target": (2, 2, 1), "labelled": (2, 2, 1)}

    def model(self, name):
        recipe = ugm_tf.recipes.get(name)
        return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, self.SHAPES, hidden=(5,)))

    def test_gives_the_probabilities_of_x(self):
        of = self.model("acgan")
        np.testing.assert_allclose(of.classify(X), tf.nn.softmax(of.classifier.network(X)), atol=1e-6)
        np.testing.assert_allclose(np.sum(of.classify(X), -1), np.ones(5), rtol=1e-6)

    @parameterized.parameters(
        ("adversarial_domain_adaptation", "encoder", 3), ("stacked_semi_supervised_vae", "features", 6)
    )
    def test_goes_through_the_mean_features_where_it_is_of_those(self, name, maker, size):
        of = self.model(name)
        features = of.densities[maker].network(X)[:, :size]
        np.testing.assert_allclose(of.classify(X), tf.nn.softmax(of.classifier.network(features)), atol=1e-6)

    def test_refuses_a_model_without_a_classifier(self):
        with self.assertRaisesRegex(ValueError, "cannot classify. It can: sample, reconstruct, score"):
            self.model("vae").classify(X)


class LogProbBoundTest(parameterized.TestCase):
    def exact(self):
        """A model whose x is independent of z and whose encoder is the prior: its bound is log p(x) for any draws."""
        of = model("vae")
        softplus_of_1 = float(np.log(np.expm1(1.0 - 1e-4)))
        for density, bias in ((of.encoder, [0.0] * 3 + [softplus_of_1] * 3), (of.decoder, [1.0, -1.0, 0.5, 2.0])):
            last = [layer for layer in density.network.layers if isinstance(layer, keras.layers.Dense)][-1]
            last.set_weights([np.zeros(last.kernel.shape), np.array(bias)])
        p = 1 / (1 + np.exp(-np.array([1.0, -1.0, 0.5, 2.0])))
        return of, np.log(np.where(X.reshape(5, 4) == 1, p, 1 - p)).sum(-1)

    @parameterized.parameters(1, 7)
    def test_is_the_log_probability_where_it_is_tight(self, k):
        of, log_prob = self.exact()
        np.testing.assert_allclose(of.log_prob_bound(X, k=k), log_prob, rtol=1e-5)

    def test_goes_in_parts_over_many_draws(self):
        of, log_prob = self.exact()
        with mock.patch.object(answers, "_MOST_DRAWS", 6):
            np.testing.assert_allclose(of.log_prob_bound(X, k=3), log_prob, rtol=1e-5)  # 2 rows a part

    def test_goes_in_chunks_of_more_draws_than_that(self):
        of, log_prob = self.exact()
        with mock.patch.object(answers, "_MOST_DRAWS", 6):
            np.testing.assert_allclose(of.log_prob_bound(X, k=12), log_prob, rtol=1e-5)

    def test_refuses_many_draws_that_have_no_equal_parts(self):
        with mock.patch.object(answers, "_MOST_DRAWS", 1000):
            with self.assertRaisesRegex(ValueError, "which k=1009 has only of 1, and would take long. Take k=1000."):
                model("vae").log_prob_bound(X, k=1009)

    def test_more_draws_are_tighter(self):
        of, many = model("vae"), np.repeat(X, 200, 0)
        bounds = [np.mean(of.log_prob_bound(many, k=k)) for k in (1, 50)]
        self.assertGreater(bounds[1], bounds[0] + 0.05)

    def test_the_seed_fixes_it(self):
        of = model("vae")
        np.testing.assert_array_equal(of.log_prob_bound(X, seed=2), of.log_prob_bound(X, seed=2))
        self.assertGreater(np.abs(of.log_prob_bound(X, seed=2) - of.log_prob_bound(X, seed=3)).max(), 1e-3)

    def test_takes_conditions(self):
        self.assertEqual(conditional().log_prob_bound(X, c=C, k=2).shape, (5,))

    @parameterized.parameters("hierarchical_vae", "semi_supervised_vae", "iaf_vae")
    def test_infers_every_code(self, name):
        """More draws are tighter, as of a VAE, where h or a class is inferred beside z, or z is bent by a flow."""
        made = ugm_tf.recipes.get(name)
        shapes = {**SHAPES, "h": (2,), "labelled": (2, 2, 1)}
        of = ugm_tf.UnifiedModel(made, ugm_tf.networks.build(made, shapes, hidden=(5,)))
        tf.config.run_functions_eagerly(True)  # as they are called once
        self.addCleanup(tf.config.run_functions_eagerly, False)
        bounds = [np.mean(of.log_prob_bound(np.repeat(X, 100, 0), k=k)) for k in (1, 50)]
        self.assertGreater(bounds[1], bounds[0] + 0.02)
        self.assertLess(bounds[1], 0.0)  # of coins, no log-probability is above 0

    def test_of_a_semi_supervised_model_needs_no_class(self):
        made = ugm_tf.recipes.semi_supervised_vae()
        of = ugm_tf.UnifiedModel(made, ugm_tf.networks.build(made, {**SHAPES, "labelled": (2, 2, 1)}, hidden=(5,)))
        with self.assertRaisesRegex(ValueError, r"log_prob_bound\(\) takes x, the others by name. Received by name: c"):
            of.log_prob_bound(X, c=C)

    def test_of_no_example_is_empty(self):
        self.assertEqual(model("vae").log_prob_bound(X[:0]).shape, (0,))

    def test_refuses_a_model_without_one(self):
        with self.assertRaisesRegex(ValueError, r"takes a prior, an encoder and a decoder.*p\(x \| z\) \(Point\(\)\)"):
            model("gan").log_prob_bound(X)

    def test_refuses_no_draws(self):
        with self.assertRaisesRegex(ValueError, "k, a whole number of at least 1. Received: k=0"):
            model("vae").log_prob_bound(X, k=0)

    def test_refuses_names_that_do_not_fit(self):
        with self.assertRaisesRegex(ValueError, r"takes x, c, the others by name. Received by name: nothing.$"):
            conditional().log_prob_bound(X)


class NoiseTest(absltest.TestCase):
    def test_that_is_not_given_is_told_how_to_draw(self):
        recipe = ugm_tf.recipes.avb()
        densities = ugm_tf.networks.build(recipe, {"x": (4,), "z": (2,), "e": (3,)}, hidden=(4,))
        made = ugm_tf.UnifiedModel(recipe, densities)
        draw = r"e, \[B, 3\], is drawn by model.densities\['noise'\].distribution\(\).sample\(B\).$"
        with self.assertRaisesRegex(ValueError, draw):
            made.encode(np.zeros([5, 4]))
        self.assertEqual(
            made.encode(np.zeros([5, 4]), e=made.densities["noise"].distribution().sample(5)).shape, (5, 2)
        )


class CallTest(parameterized.TestCase):
    def test_with_an_encoder_it_reconstructs(self):
        of = model("vae")
        np.testing.assert_allclose(of(X), of.reconstruct(X), atol=1e-6)
        np.testing.assert_allclose(of.predict(X, verbose=0), of.reconstruct(X), atol=1e-6)

    def test_without_one_it_decodes(self):
        of = model("gan")
        np.testing.assert_allclose(of(np.ones([2, 3])), of.decode(np.ones([2, 3])), atol=1e-6)

    def test_takes_a_batch_of_the_recipes_data(self):
        of = conditional()
        for batch in ({"x": X, "c": C}, (X, C)):
            np.testing.assert_allclose(of(batch), of.reconstruct(X, c=C), atol=1e-6)

    def test_refuses_another_number_of_inputs(self):
        with self.assertRaisesRegex(ValueError, "This model is called with z. Received: 2 of them"):
            model("gan")([np.ones([2, 3]), np.ones([2, 3])])

    def test_refuses_a_model_without_decoder(self):
        with self.assertRaisesRegex(ValueError, r"'to_c': p\(c \| x\) has no decoder.*call its densities"):
            translator()(X)


if __name__ == "__main__":
    absltest.main()
