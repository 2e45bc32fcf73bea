"""What a model can be asked, by its roles; and the formulas behind the answers."""

import numpy as np
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.densities import noise_by_row
from ugm_tf.inference import endpoints

SHAPES = {"x": (2, 2, 1), "z": (3,), "w": (2,), "c": (4,), "e": (2,), "h": (5,)}


def recipe(densities, updates, data=("x",)):
    """A recipe of these densities whose one phase scores them all: endpoints look at roles alone."""
    drawn = [name for name, role in densities.items() if "(x" not in role]
    order = [name for name in ("top", "classifier", "prior", "encoder") if name in drawn]
    terms = [ugm_tf.E(ugm_tf.NegativeLogProb(name), ugm_tf.Ancestral(tuple(order)), name=name) for name in densities]
    return ugm_tf.Recipe(densities, (ugm_tf.Phase("wake", tuple(terms), updates),), data)


def model(made, **options):
    return ugm_tf.UnifiedModel(made, ugm_tf.networks.build(made, SHAPES, hidden=(5,), **options))


def conditional():
    roles = {"prior": "p(z)", "encoder": "q(z | x, c)", "decoder": "p(x | z, c)"}
    return model(recipe(roles, ("encoder", "decoder"), ("x", "c")))


def ask(of, name, **values):
    return {key: value.numpy() for key, value in of.endpoints()[name].function(**values).items()}


def seeds(n):
    return tf.stack([tf.range(n) + 5, tf.range(n)], 1)


class NamesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("vae", ["sample", "reconstruct", "score", "encode", "decode"]),
        ("gan", ["sample", "score", "decode", "discriminate"]),
        ("iwgan", ["sample", "score", "decode", "discriminate"]),
        ("aavae", ["sample", "reconstruct", "score", "encode", "decode", "discriminate"]),
    )
    def test_of_each_recipe_samples_first(self, name, expected):
        self.assertEqual(list(model(ugm_tf.recipes.get(name)).endpoints()), expected)

    def test_a_density_of_another_name_is_asked_by_it(self):
        of = model(recipe({"prior": "p(w)", "up": "p(z | w)"}, ("up",), ("z",)))
        self.assertEqual(list(of.endpoints()), ["up"])

    def test_a_discriminator_of_codes_scores_no_data(self):
        made = ugm_tf.Recipe(
            {"prior": "p(z)", "decoder": "p(x | z)", "encoder": "q(z | x)", "discriminator": "q(y | x, z)"},
            ugm_tf.adversarial(fake=ugm_tf.GENERATED, real=ugm_tf.INFERRED, updates=("decoder", "encoder")),
        )
        found = model(made).endpoints()
        self.assertNotIn("score", found)
        self.assertEqual(list(found["discriminate"].inputs), ["x", "z"])

    def test_there_is_no_bound_where_the_encoder_needs_what_is_neither_data_nor_inferred(self):
        roles = {"prior": "p(z)", "encoder": "q(z | x, w)", "decoder": "p(x | z)"}
        under = ugm_tf.Ancestral(("noise", "encoder"))
        terms = (ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), under), ugm_tf.E(ugm_tf.KL("encoder", "prior"), under))
        of = model(ugm_tf.Recipe({**roles, "noise": "p(w)"}, (ugm_tf.Phase("wake", terms, ("encoder", "decoder")),)))
        self.assertNotIn("score", of.endpoints())
        self.assertFalse(of.can("log_prob_bound"))

    def test_there_is_one_where_what_the_encoder_needs_is_inferred_first(self):
        roles = {"prior": "p(z)", "top": "p(c)", "classifier": "q(c | x)", "encoder": "q(z | x, c)"}
        made = recipe({**roles, "decoder": "p(x | z, c)"}, ("encoder", "decoder"))
        of = model(made, families_by_name={"top": "one_hot", "classifier": "one_hot"})
        self.assertTrue(of.can("log_prob_bound"))
        self.assertEqual(list(of.endpoints()["score"].inputs), ["seed", "x"])

    def test_there_is_none_where_a_density_of_it_is_a_point(self):
        for name in ("bigan", "aae"):  # the encoder; and the decoder, too, of a BiGAN
            self.assertFalse(model(ugm_tf.recipes.get(name)).can("log_prob_bound"))
        of = model(ugm_tf.recipes.aae(), families_by_name={"encoder": "gaussian"})
        self.assertTrue(of.can("log_prob_bound"))

    @parameterized.parameters(
        ("acgan", ["sample", "score", "decode", "classify", "discriminate"]),
        ("alpha_gan", ["sample", "reconstruct", "score", "encode", "decode", "discriminate", "code_discriminator"]),
        ("avb", ["sample", "reconstruct", "encode", "decode", "discriminate"]),
        ("bigan", ["sample", "reconstruct", "decode", "encode", "discriminate"]),
        ("semi_supervised_vae", ["sample", "reconstruct", "score", "encode", "decode", "classify"]),
        ("adversarial_domain_adaptation", ["encode", "classify", "discriminate"]),
    )
    def test_of_recipes_with_more_densities(self, name, expected):
        self.assertEqual(list(model(ugm_tf.recipes.get(name)).endpoints()), expected)


class InputsTest(parameterized.TestCase):
    def test_conditions_are_inputs(self):
        found = conditional().endpoints()
        inputs = {name: list(endpoint.inputs) for name, endpoint in found.items()}
        self.assertEqual(inputs["sample"], ["seed", "c"])
        self.assertEqual(inputs["reconstruct"], ["x", "c"])
        self.assertEqual(inputs["score"], ["seed", "x", "c"])
        self.assertEqual(inputs["decode"], ["z", "c"])
        self.assertEqual(found["decode"].inputs["c"], tf.TensorSpec([None, 4], tf.float32, "c"))
        self.assertEqual(found["sample"].inputs["seed"], tf.TensorSpec([None, 2], tf.int32, "seed"))

    def test_a_discriminator_of_part_of_the_data_scores_that_part(self):
        made = ugm_tf.recipes.gan()
        roles = {**made.densities, "decoder": "p(x | z, c)"}
        of = model(ugm_tf.Recipe(roles, made.phases, ("x", "c")))
        self.assertEqual(list(of.endpoints()["score"].inputs), ["x"])

    def test_a_shape_that_no_network_tells_is_unknown(self):
        class Own(ugm_tf.Density):
            given_shapes = None

        of = conditional()
        of.encoder, of.decoder = (Own(density.network, density.family) for density in (of.encoder, of.decoder))
        self.assertIsNone(endpoints.specs(of.joint, ["c"])["c"].shape.rank)


class AnswersTest(parameterized.TestCase):
    def test_a_sample_is_decoded_from_noise_by_the_priors_stream(self):
        of = model(ugm_tf.recipes.vae())
        out = ask(of, "sample", seed=seeds(4))
        np.testing.assert_allclose(out["z"], noise_by_row("normal", (3,), seeds(4), stream=0), atol=1e-6)
        np.testing.assert_allclose(out["x"], tf.sigmoid(of.decoder.network(out["z"])), atol=1e-6)

    def test_a_hierarchy_is_drawn_from_the_top(self):
        made = recipe({"top": "p(w)", "prior": "p(z | w)", "decoder": "p(x | z)"}, ("prior", "decoder"))
        of = model(made)
        out = ask(of, "sample", seed=seeds(4))
        np.testing.assert_allclose(out["w"], noise_by_row("normal", (2,), seeds(4), stream=0), atol=1e-6)
        mean, raw = np.split(of.prior.network(out["w"]), 2, -1)
        z = mean + (np.log1p(np.exp(raw)) + 1e-4) * noise_by_row("normal", (3,), seeds(4), stream=1)
        np.testing.assert_allclose(out["z"], z, atol=1e-5)

    def test_a_class_is_drawn_by_row(self):
        made = recipe({"prior": "p(z)", "top": "p(c)", "decoder": "p(x | z, c)"}, ("decoder",))
        of = model(made, families_by_name={"top": "one_hot"})
        many = ask(of, "sample", seed=seeds(40))["c"]
        np.testing.assert_array_equal(many[7:9], ask(of, "sample", seed=seeds(40)[7:9])["c"])
        np.testing.assert_array_equal(many.sum(-1), 1.0)
        self.assertTrue(np.all(many.sum(0) > 0))

    def test_a_draw_without_noise_is_the_same_for_every_seed(self):
        of = model(ugm_tf.recipes.gan(), families_by_name={"prior": "point"})
        np.testing.assert_array_equal(ask(of, "sample", seed=seeds(4))["z"], np.zeros([4, 3]))

    def test_parameters_are_the_networks(self):
        of, x = model(ugm_tf.recipes.vae()), tf.ones([2, 2, 2, 1])
        mean, raw = np.split(of.encoder.network(x), 2, -1)
        out = ask(of, "encode", x=x)
        np.testing.assert_allclose(out["z"], mean, atol=1e-6)
        np.testing.assert_allclose(out["z_stddev"], np.log1p(np.exp(raw)) + 1e-4, atol=1e-6)

    def test_a_spread_that_is_not_learned_is_not_told(self):
        of = model(ugm_tf.recipes.vae(), likelihood="unit_gaussian")
        self.assertEqual(list(ask(of, "decode", z=tf.zeros([2, 3]))), ["x"])

    def test_a_discriminator_tells_logit_and_probability(self):
        of, x = model(ugm_tf.recipes.gan()), tf.ones([2, 2, 2, 1])
        out, logit = ask(of, "discriminate", x=x), of.discriminator.network(x)[:, 0]
        np.testing.assert_allclose(out["logit"], logit, atol=1e-6)
        np.testing.assert_allclose(out["probability"], 1 / (1 + np.exp(-logit)), atol=1e-6)

    def test_a_reconstruction_is_decoded_from_the_mean_code(self):
        of, x, c = conditional(), tf.ones([2, 2, 2, 1]), tf.eye(4)[:2]
        out = ask(of, "reconstruct", x=x, c=c)
        z = of.encoder.network([x, c])[:, :3]
        np.testing.assert_allclose(out["z"], z, atol=1e-6)
        np.testing.assert_allclose(out["x"], tf.sigmoid(of.decoder.network([z, c])), atol=1e-6)

    def test_the_elbo_is_its_definition_by_the_encoders_stream(self):
        of = model(ugm_tf.recipes.vae())
        x = np.random.default_rng(0).integers(0, 2, [4, 2, 2, 1]).astype(np.float32)
        mean, raw = np.split(of.encoder.network(x).numpy(), 2, -1)
        stddev = np.log1p(np.exp(raw)) + 1e-4
        eps = noise_by_row("normal", (3,), seeds(4), stream=1).numpy()
        z = mean + stddev * eps
        logits = of.decoder.network(z).numpy()
        log_likelihood = np.sum(x * logits - np.log1p(np.exp(logits)), (1, 2, 3))
        log_ratio = np.sum(-(z**2) / 2 + eps**2 / 2 + np.log(stddev), -1)  # log p(z) - log q(z | x)
        out = ask(of, "score", x=x, seed=seeds(4))
        np.testing.assert_allclose(out["elbo"], log_likelihood + log_ratio, rtol=1e-5)

    def test_the_elbo_of_a_hierarchy_is_of_all_its_densities(self):
        of = model(ugm_tf.recipes.hierarchical_vae())
        x = np.random.default_rng(0).integers(0, 2, [4, 2, 2, 1]).astype(np.float32)
        streams = {name: i for i, name in enumerate(of.recipe.densities)}

        def law(name, parent):
            mean, raw = np.split(of.densities[name].network(parent).numpy(), 2, -1)
            return scipy.stats.norm(mean, np.log1p(np.exp(raw)) + 1e-4)

        def drawn(name, parent, size):
            noise = noise_by_row("normal", (size,), seeds(4), streams[name]).numpy()
            return law(name, parent).mean() + law(name, parent).std() * noise

        z = drawn("encoder", x, 3)
        h = drawn("top_encoder", z.astype(np.float32), 5)
        p = 1 / (1 + np.exp(-of.decoder.network(z.astype(np.float32)).numpy()))
        log_p = np.sum(np.log(np.where(x == 1, p, 1 - p)), (1, 2, 3)) + scipy.stats.norm.logpdf(h).sum(-1)
        log_p += law("middle", h.astype(np.float32)).logpdf(z).sum(-1)
        log_q = law("encoder", x).logpdf(z).sum(-1) + law("top_encoder", z.astype(np.float32)).logpdf(h).sum(-1)
        np.testing.assert_allclose(ask(of, "score", x=x, seed=seeds(4))["elbo"], log_p - log_q, rtol=1e-4)

    def test_the_elbo_of_a_semi_supervised_model_draws_the_class(self):
        of = model(ugm_tf.recipes.semi_supervised_vae())
        x = np.random.default_rng(0).integers(0, 2, [4, 2, 2, 1]).astype(np.float32)
        found = of.endpoints()["score"]
        self.assertEqual(list(found.inputs), ["seed", "x"])
        elbo = [found.function(x=x, seed=seeds(4) + n)["elbo"].numpy() for n in (0, 0, 100)]
        np.testing.assert_array_equal(elbo[0], elbo[1])
        self.assertTrue(np.all(np.isfinite(elbo)) and np.all(elbo[0] != elbo[2]))

    def test_a_classifier_tells_probabilities(self):
        of, x = model(ugm_tf.recipes.acgan()), tf.ones([2, 2, 2, 1])
        np.testing.assert_allclose(ask(of, "classify", x=x)["c"], tf.nn.softmax(of.classifier.network(x)), atol=1e-6)

    def test_a_code_bent_by_a_flow_has_a_mean_code_and_no_spread(self):
        of, x = model(ugm_tf.recipes.iaf_vae()), tf.ones([2, 2, 2, 1])
        out = ask(of, "encode", x=x)
        self.assertEqual(list(out), ["z"])
        np.testing.assert_allclose(out["z"], of.encoder.network(x)[:, :3], atol=1e-5)  # untrained, it bends nothing
        self.assertEqual(ask(of, "score", x=x, seed=seeds(2))["elbo"].shape, (2,))

    def test_scores_tell_the_logit_beside_the_bound(self):
        of, x = model(ugm_tf.recipes.aavae()), tf.ones([2, 2, 2, 1])
        out = ask(of, "score", x=x, seed=seeds(2))
        self.assertCountEqual(out, ["elbo", "logit"])
        np.testing.assert_allclose(out["logit"], of.discriminator.network(x)[:, 0], atol=1e-6)


if __name__ == "__main__":
    absltest.main()
