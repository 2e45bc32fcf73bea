"""What does not fit is refused before training starts, by what was received, what was expected and how to mend it."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import (
    DATA,
    GENERATED,
    Ancestral,
    E,
    Enumerate,
    GradientPenalty,
    Interpolated,
    Mean,
    NegativeLogProb,
    Phase,
    PosteriorWeight,
    Recipe,
    density_validation,
    validation,
)
from ugm_tf.recipes import gan, vae

SHAPES = {"x": (4, 4, 1), "z": (3,), "c": (3,)}


def built(recipe, **options):
    return ugm_tf.networks.build(recipe, SHAPES, hidden=(4,), **options)


def network(*shapes, output=(4, 4, 1)):
    return ugm_tf.networks.mlp(shapes, output, hidden=())


class DensitiesTest(parameterized.TestCase):
    def refuses(self, advice, recipe, **changes):
        densities = {**built(recipe), **changes}
        with self.assertRaisesRegex(ValueError, advice):
            ugm_tf.UnifiedModel(recipe, densities)

    def test_a_density_is_missing(self):
        densities = built(vae())
        del densities["encoder"]
        advice = r"made of 'prior': p\(z\), 'encoder': q\(z \| x\), .* Missing: encoder. Not used: none."
        with self.assertRaisesRegex(ValueError, advice):
            ugm_tf.UnifiedModel(vae(), densities)

    def test_a_density_is_left_over(self):
        self.refuses(r"Missing: none. Not used: critic.", vae(), critic=ugm_tf.Prior((2,)))

    def test_densities_are_another_thing(self):
        with self.assertRaisesRegex(ValueError, "A model takes its densities by their names, .*Received: None"):
            ugm_tf.UnifiedModel(vae(), None)

    def test_a_density_is_another_thing(self):
        advice = r"'decoder' must be a ugm_tf.Density or a ugm_tf.Prior. Received: <Functional"
        self.refuses(advice, vae(), decoder=network((3,)))

    def test_a_prior_where_there_are_parents(self):
        advice = r"'decoder' is p\(x \| z\), so it must be a Density\(network, family\). Received: <Prior"
        self.refuses(advice, vae(), decoder=ugm_tf.Prior((4, 4, 1)))

    def test_a_network_where_there_are_no_parents(self):
        advice = r"'prior' is p\(z\), so it must be a Prior\(shape, family\)"
        self.refuses(advice, vae(), prior=ugm_tf.Density(network((3,), output=(3,)), "unit_gaussian"))

    def test_a_network_of_another_number_of_parents(self):
        decoder = ugm_tf.Density(network((3,), (3,)), "bernoulli")
        advice = r"'decoder' is p\(x \| z\), so its network takes 1 inputs?.* Received a network of 2"
        self.refuses(advice, vae(), decoder=decoder)

    def test_two_networks_of_other_shapes_of_a_variable(self):
        advice = r"z has shape \(3,\) in 'prior', which is p\(z\), and shape \(7,\) in 'decoder', which is p\(x \| z\)"
        self.refuses(advice, vae(), decoder=ugm_tf.Density(network((7,)), "bernoulli"))

    def test_a_point_density_asked_for_a_log_probability(self):
        advice = r"minimises .*decoder.*, but 'decoder' is a point density.*'laplace' or 'unit_gaussian'"
        self.refuses(advice, vae(), decoder=ugm_tf.Density(network((3,)), "point"))

    def test_a_judge_that_has_no_logit(self):
        judge = ugm_tf.Density(network((4, 4, 1), output=(3,)), "unit_gaussian")
        advice = "asks 'discriminator' for a discriminator's logit. Give it the family 'logit'"
        self.refuses(advice, gan(), discriminator=judge)

    def test_a_decoder_that_a_generate_phase_cannot_differentiate_through(self):
        advice = r"'generate' updates 'decoder', which is p\(x \| z\), through its draws of x.*Use 'point' or 'laplace'"
        self.refuses(advice, gan(), decoder=ugm_tf.Density(network((3,)), "bernoulli"))

    def test_draws_that_are_held_fixed_need_no_gradient(self):
        # The AAVAE's wake phase updates the decoder, and learns from its draws, but not through them.
        recipe = ugm_tf.recipes.aavae()
        self.assertIsNone(density_validation.check_densities(recipe, built(recipe, likelihood="bernoulli")))

    def test_an_exact_sum_over_what_is_not_discrete(self):
        nats = E(NegativeLogProb("decoder"), Ancestral((Enumerate("encoder"),)))
        wake = Phase("wake", (nats,), ("encoder", "decoder"))
        recipe = Recipe({"encoder": "q(z | x)", "decoder": "p(x | z)"}, (wake,))
        advice = "enumerates 'encoder', which must be of family 'one_hot'. Received: Gaussian"
        encoder = ugm_tf.Density(network((4, 4, 1), output=(6,)), "gaussian")
        self.refuses(advice, recipe, encoder=encoder)

    def test_the_mean_of_coins_carries_a_gradient_where_their_draws_do_not(self):
        coins = ugm_tf.Density(network((3,)), "bernoulli")
        recipe = Recipe(gan().densities, ugm_tf.adversarial(Ancestral(("prior", Mean("decoder"))), ("decoder",)))
        self.assertIsNone(density_validation.check_densities(recipe, {**built(gan()), "decoder": coins}))

    def test_points_between_draws_are_looked_at_on_both_sides(self):
        for sides in ((DATA, GENERATED), (GENERATED, DATA)):
            penalty = E(GradientPenalty(), Interpolated(*sides))
            phases = (*gan().phases, Phase("both", (penalty,), ("decoder",)))
            recipe = Recipe(gan().densities, (phases[0], phases[2]))
            coins = ugm_tf.Density(network((3,)), "bernoulli")
            self.refuses(r"'both' updates 'decoder', .* no reparameterised draws", recipe, decoder=coins)

    @parameterized.parameters(("discriminator",), ("ratio",))
    def test_each_that_is_asked_for_a_logit_has_one(self, name):
        judge = ugm_tf.Density(network((4, 4, 1), output=(3,)), "unit_gaussian")
        advice = f"asks '{name}' for a discriminator's logit. Give it the family 'logit'"
        self.refuses(advice, ugm_tf.recipes.ppo_gan(), **{name: judge})

    def test_a_point_density_asked_for_a_log_probability_by_a_weight(self):
        wake = E(NegativeLogProb("encoder"), Ancestral(("encoder",), k=3).detached(), weight=PosteriorWeight())
        recipe = Recipe(vae().densities, (Phase("wake", (wake,), ("encoder",)),))
        advice = "'wake' minimises .*, but 'decoder' is a point density, which has no log-probability"
        self.refuses(advice, recipe, decoder=ugm_tf.Density(network((3,)), "point"))

    def test_a_phase_that_runs_several_times_is_looked_at(self):
        recipe = ugm_tf.recipes.ppo_gan(moves=3)
        coins = ugm_tf.Density(network((3,)), "bernoulli")
        self.refuses(r"'generate' updates 'decoder', .* no reparameterised draws", recipe, decoder=coins)

    @parameterized.parameters(1, 4)
    def test_a_predictor_of_another_number_of_units(self, units):
        predictor = ugm_tf.Density(network((3,), output=(units,)), "bernoulli")
        advice = (
            r"sets u = z, of shape \(3,\), as z has shape \(3,\) in 'encoder'. Received 'predictor', .* of shape \("
        )
        self.refuses(rf"{advice}{units},\)", ugm_tf.recipes.predictability_minimization(), predictor=predictor)

    @parameterized.parameters(((4, 4, 1),), ((4, 4, 3),))
    def test_a_discriminator_of_other_packs(self, shape):
        judge = ugm_tf.Density(network(shape, output=(1,)), "logit")
        advice = (
            r"sets x_pack = 2 of x, of shape \(4, 4, 2\), as x has .*Build 'discriminator' for x_pack of shape \(4, 4"
        )
        self.refuses(advice, gan(pack=2), discriminator=judge)

    def test_packs_of_several_variables_and_of_sources_that_no_density_knows(self):
        for recipe in (ugm_tf.recipes.bigan(pack=3), ugm_tf.recipes.cyclegan(pack=2)):
            densities = ugm_tf.networks.build(recipe, {**SHAPES, "target": (4, 4, 1)}, hidden=(4,))
            self.assertIsNone(density_validation.check_densities(recipe, densities))

    def test_a_divergence_without_a_closed_form_says_what_to_do(self):
        encoder = ugm_tf.Density(network((4, 4, 1), output=(6,)), "laplace")
        recipe = vae()
        with self.assertRaisesRegex(ValueError, r"shape \(3,\).*shape \(6,\)|has no closed form"):
            ugm_tf.UnifiedModel(recipe, {**built(recipe), "encoder": encoder})


class DataTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.recipe = vae()
        self.model = ugm_tf.UnifiedModel(self.recipe, built(self.recipe))
        self.model.compile("adam", jit_compile=False)
        self.x = np.zeros((20, 4, 4, 1), np.float32)

    def refuses(self, advice, x, **options):
        for call in (self.model.fit, self.model.evaluate):
            with self.assertRaisesRegex(ValueError, advice):
                call(x, **options)
        self.assertEqual(int(self.model.steps), 0)

    def test_nan(self):
        self.x[7, 0, 0, 0] = np.nan
        self.refuses("data of x hold NaN or infinity, first in example 7. Remove or mend such examples", self.x)

    def test_infinity(self):
        self.x[:, 1] = -np.inf
        self.refuses("data of x hold NaN or infinity, first in example 0", self.x)

    def test_nan_in_a_dataset(self):
        self.x[3] = np.nan
        self.refuses("first in example 3", tf.data.Dataset.from_tensor_slices({"x": self.x}).batch(10))

    def test_wrong_shape(self):
        advice = r"'encoder', which is q\(z \| x\), takes x of shape \(4, 4, 1\) .*Received data of shape \(8, 8, 1\)"
        self.refuses(advice, np.zeros((5, 8, 8, 1), np.float32))

    def test_no_channel(self):
        self.refuses(r"Received data of shape \(4, 4\): reshape the data", self.x[..., 0])

    def test_data_outside_the_likelihoods_support(self):
        self.x[0, 0, 0, 0] = 0.5
        advice = r"'decoder', which is p\(x \| z\) of family Bernoulli\(\),.* 0 or 1: binarise it,.* between 0 and 0.5"
        self.refuses(advice, self.x)

    def test_images_of_bytes(self):
        x = np.arange(256, dtype=np.uint8).reshape(16, 4, 4, 1)
        self.refuses("between 0 and 255. Change the data or the family", x)

    def test_text(self):
        with self.assertRaisesRegex(ValueError, "data of x must be numbers. Received strings"):
            validation.check_data(self.recipe, self.model.densities, {"x": np.full((2, 4, 4, 1), "a")})

    def test_another_variable(self):
        self.refuses("The recipe takes data of x. Received a batch of image", {"image": self.x})

    def test_a_variable_too_many(self):
        advice = "takes data of x: give a dict .*or a tuple in that order. Received 2 parts"
        self.refuses(advice, (self.x, self.x))

    def test_no_example(self):
        self.refuses(r"data of x hold no example: shape \(0, 4, 4, 1\). Give at least one", self.x[:0])

    def test_a_batch_larger_than_the_data(self):
        dataset = tf.data.Dataset.from_tensor_slices(self.x).batch(32, drop_remainder=True)
        self.refuses("holds no batch. Is the batch larger than the data, with drop_remainder=True?", dataset)

    def test_validation_data_are_looked_at_before_the_first_step(self):
        for held_out in (self.x + 0.5, (self.x + 0.5,), {"x": self.x + 0.5}):
            with self.assertRaisesRegex(ValueError, "0 or 1: binarise it"):
                self.model.fit(self.x, validation_data=held_out)
        self.assertEqual(int(self.model.steps), 0)

    @parameterized.parameters(
        ("bernoulli", [0.0, 1.0], [0.0, 0.5]),
        ("continuous_bernoulli", [0.0, 0.3, 1.0], [0.0, 1.1]),
        ("discretized_logistic", [0.0, 1 / 255, 1.0], [0.0, 0.5 / 255]),
        ("discretized_logistic", [0.0, 1 / 255, 1.0], [0.0, 256 / 255]),
    )
    def test_each_support_has_its_values(self, family, inside, outside):
        densities = built(self.recipe, likelihood=family)
        for values, error in ((inside, False), (outside, True)):
            x = np.resize(np.array(values, np.float32), (5, 4, 4, 1))
            if error:
                with self.assertRaisesRegex(ValueError, "has a likelihood for values that are"):
                    validation.check_data(self.recipe, densities, {"x": x})
            else:
                validation.check_data(self.recipe, densities, {"x": x})

    @parameterized.parameters(
        ("one_hot", [[0.0, 1.0, 0.0]], [[0.5, 0.5, 0.0]]),
        ("relaxed_one_hot", [[0.5, 0.5, 0.0]], [[0.5, 0.5, 0.1]]),
        (ugm_tf.densities.Categorical(classes=3), [2.0, 0.0], [0.5, 1.0]),
        ("unit_gaussian", [[-7.0, 0.0, 9.0]], None),
    )
    def test_each_support_of_vectors_has_its_values(self, family, inside, outside):
        classify = Phase("wake", (E(NegativeLogProb("classifier")),), ("classifier",))
        recipe = Recipe({"classifier": "q(c | x)"}, (classify,), ("x", "c"))
        classifier = ugm_tf.Density(network((4, 4, 1), output=(3,)), family)
        for c, error in ((inside, False), (outside, True)):
            if c is None:
                continue
            values = {"x": self.x[: len(c)], "c": np.array(c, np.float32)}
            if error:
                with self.assertRaisesRegex(ValueError, r"'classifier', which is q\(c \| x\) of family"):
                    validation.check_data(recipe, {"classifier": classifier}, values)
            else:
                validation.check_data(recipe, {"classifier": classifier}, values)

    def test_a_decoder_that_scores_nothing_takes_any_data(self):
        model = ugm_tf.UnifiedModel(gan(), built(gan()))
        self.assertIsNone(validation.check_data(gan(), model.densities, {"x": self.x + 0.5}))


class UnusedTest(absltest.TestCase):
    def test_a_phase_whose_terms_do_not_depend_on_what_it_updates(self):
        wake = Phase("wake", (E(NegativeLogProb("decoder"), GENERATED),), ("decoder", "encoder"))
        recipe = Recipe({"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"}, (wake,))
        model = ugm_tf.UnifiedModel(recipe, built(recipe, likelihood="laplace"))
        model.compile("adam", jit_compile=False)
        with self.assertRaisesRegex(ValueError, "updates 'encoder', but what it minimises does not depend on it"):
            model.fit(np.zeros((4, 4, 4, 1), np.float32), verbose=0)


if __name__ == "__main__":
    absltest.main()
