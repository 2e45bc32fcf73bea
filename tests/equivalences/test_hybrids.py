"""Models of several parts with a part left out: whole training steps."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws, trained
from ugm_tf.algebra import Recipe

X, TARGET, Z = draws(3, 8, 2), draws(9, 8, 3), draws(4, 8, 3)
SCHEDULES = ("alternating", "simultaneous")


def network(sizes, outputs, seed, family):
    """A density with the same noise at each draw."""
    return toys.Seeded(toys.joined(sizes, outputs, seed), family)


def assert_same(left, right, names, atol=0.0):
    for name, other in names.items():
        np.testing.assert_allclose(left[name], right[other], rtol=0, atol=atol, err_msg=name)
        assert np.max(np.abs(left[name])) > 1e-3, name


class CycleGanTest(parameterized.TestCase):
    def cyclegan(self, cycle, **kwargs):
        densities = {
            "forward": network((2,), 3, 1, "laplace"),
            "decoder": network((3,), 2, 2, "laplace"),
            "discriminator": network((2,), 1, 3, "logit"),
            "target_discriminator": network((3,), 1, 4, "logit"),
        }
        return trained(ugm_tf.recipes.cyclegan(cycle=cycle), densities, {"x": X, "target": TARGET}, **kwargs)

    def two_gans(self, **kwargs):
        """Into x from the target domain, and into the target domain from x: the code is the other domain's example."""
        into_x = {
            "prior": toys.Given(TARGET),
            "decoder": network((3,), 2, 2, "point"),
            "discriminator": network((2,), 1, 3, "logit"),
        }
        into_target = {
            "prior": toys.Given(X),
            "decoder": network((2,), 3, 1, "point"),
            "discriminator": network((3,), 1, 4, "logit"),
        }
        gan = ugm_tf.recipes.gan()
        return trained(gan, into_x, X, **kwargs), trained(gan, into_target, TARGET, **kwargs)

    @parameterized.parameters(*SCHEDULES)
    def test_without_a_cycle_it_is_two_gans(self, schedule):
        left = self.cyclegan(0.0, steps=3, schedule=schedule)
        into_x, into_target = self.two_gans(steps=3, schedule=schedule)
        assert_same(left, into_x, {"decoder": "decoder", "discriminator": "discriminator"}, 1e-6)
        assert_same(left, into_target, {"forward": "decoder", "target_discriminator": "discriminator"}, 1e-6)

    def test_with_a_cycle_it_is_not(self):
        left, (into_x, _) = self.cyclegan(10.0), self.two_gans()
        self.assertGreater(np.max(np.abs(left["decoder"] - into_x["decoder"])), 1e-3)


class VaeGanTest(parameterized.TestCase):
    def vae(self, decoder):
        return {
            "prior": ugm_tf.Prior((3,)),
            "encoder": network((2,), 6, 1, "gaussian"),
            "decoder": network((3,), 2, 2, decoder),
        }

    def vae_gan(self, adversary, decoder, **kwargs):
        densities = {**self.vae(decoder), "discriminator": network((2,), 1, 3, "logit")}
        return trained(ugm_tf.recipes.vae_gan(beta=2.0, adversary=adversary), densities, X, **kwargs)

    @parameterized.product(decoder=("unit_gaussian", "laplace"), schedule=SCHEDULES)
    def test_without_its_adversary_it_is_the_vae_whichever_the_family(self, decoder, schedule):
        left = self.vae_gan(0.0, decoder, steps=2, schedule=schedule, learning_rate=0.02)
        right = trained(
            ugm_tf.recipes.vae(beta=2.0), self.vae(decoder), X, steps=2, schedule=schedule, learning_rate=0.02
        )
        assert_same(left, right, {"encoder": "encoder", "decoder": "decoder"}, 1e-6)

    def test_with_it_it_is_not(self):
        left = self.vae_gan(1.0, "laplace")
        right = trained(ugm_tf.recipes.vae(beta=2.0), self.vae("laplace"), X)
        self.assertGreater(np.max(np.abs(left["encoder"] - right["encoder"])), 1e-3)


class BiganTest(parameterized.TestCase):
    def bigan(self, decoder="point", judge=((2, 3), 4)):
        return {
            "prior": toys.Given(Z),
            "decoder": network((3,), 2, 1, decoder),
            "encoder": network((2,), 3, 2, "point"),
            "discriminator": network(judge[0], 1, judge[1], "logit"),
        }

    @parameterized.parameters(*SCHEDULES)
    def test_alice_without_a_cycle_is_bigan_on_the_decoders_means(self, schedule):
        left = trained(ugm_tf.recipes.alice(cycle=0.0), self.bigan("laplace"), X, 3, schedule=schedule)
        right = trained(ugm_tf.recipes.bigan(), self.bigan(), X, 3, schedule=schedule)
        assert_same(left, right, {name: name for name in ("encoder", "decoder", "discriminator")}, 1e-6)

    def test_with_a_cycle_it_is_not(self):
        left = trained(ugm_tf.recipes.alice(), self.bigan("laplace"), X)
        right = trained(ugm_tf.recipes.bigan(), self.bigan(), X)
        self.assertGreater(np.max(np.abs(left["decoder"] - right["decoder"])), 1e-3)

    def test_for_a_discriminator_that_does_not_look_at_codes_bigan_is_the_gan(self):
        blind = self.bigan()
        gan = {
            "prior": toys.Given(Z),
            "decoder": network((3,), 2, 1, "point"),
            "discriminator": network((2,), 1, 4, "logit"),
        }
        first, *others = gan["discriminator"].network.get_weights()
        blind["discriminator"].network.set_weights([np.concatenate([first, np.zeros((3, first.shape[1]))]), *others])
        left = trained(ugm_tf.recipes.bigan(), blind, X, schedule="simultaneous")
        right = trained(ugm_tf.recipes.gan(), gan, X, schedule="simultaneous")
        assert_same(left, right, {"decoder": "decoder"}, 1e-6)
        np.testing.assert_array_equal(left["encoder"], np.zeros_like(left["encoder"]))

    def test_bigan_is_domain_adaptation_of_pairs(self):
        """The features of generated z are (decoded z, z), those of data x are (x, encoded x)."""
        adaptation = ugm_tf.recipes.adversarial_domain_adaptation()
        features = {"discriminate": ("real", "fake"), "generate": ("fool", "fool_real")}
        for phase, labels in features.items():
            ours, theirs = (r.phase(phase).minimise for r in (ugm_tf.recipes.bigan(), adaptation))
            terms = {e.label: e.of for e in theirs if e.label in labels}
            self.assertEqual({e.label: e.of for e in ours}, terms)


class PredictabilityMinimizationTest(absltest.TestCase):
    def test_the_predictor_alone_learns_as_often_as_asked(self):
        recipe = ugm_tf.recipes.predictability_minimization(predictor_steps=3)
        self.assertEqual([(p.name, p.repeats) for p in recipe.phases], [("predict", 3), ("code", 1)])

    def densities(self):
        return {
            "encoder": network((2,), 3, 1, "relaxed_bernoulli"),
            "decoder": network((3,), 2, 2, "unit_gaussian"),
            "predictor": toys.Seeded(ugm_tf.networks.leave_one_out(3, (4,)), "bernoulli"),
        }

    def autoencoder(self):
        """What minimises the distortion, and nothing else."""
        recipe = ugm_tf.recipes.predictability_minimization()
        densities = {name: role for name, role in recipe.densities.items() if name != "predictor"}
        code = recipe.phase("code")
        code = dataclasses.replace(code, minimise=tuple(e for e in code.minimise if e.label == "distortion"))
        parts = {name: density for name, density in self.densities().items() if name != "predictor"}
        return trained(Recipe(densities, (code,)), parts, X, 2)

    def test_at_weight_0_it_is_an_autoencoder(self):
        left = trained(ugm_tf.recipes.predictability_minimization(weight=0.0), self.densities(), X, 2)
        assert_same(left, self.autoencoder(), {"encoder": "encoder", "decoder": "decoder"}, 1e-6)

    def test_at_weight_1_it_is_not(self):
        left = trained(ugm_tf.recipes.predictability_minimization(), self.densities(), X, 2)
        self.assertGreater(np.max(np.abs(left["encoder"] - self.autoencoder()["encoder"])), 1e-3)


class WakeSleepTest(parameterized.TestCase):
    def densities(self):
        return {
            "prior": ugm_tf.Prior((3,), "bernoulli"),
            "encoder": ugm_tf.Density(toys.mlp(2, 3, seed=1), "bernoulli"),
            "decoder": ugm_tf.Density(toys.mlp(3, 2, seed=2), "unit_gaussian"),
        }

    def assert_steps(self, same, recipe, **kwargs):
        left = trained(recipe, self.densities(), X, 2, **kwargs)
        right = trained(ugm_tf.recipes.wake_sleep(), self.densities(), X, 2, **kwargs)
        gap = max(np.max(np.abs(left[name] - right[name])) for name in ("encoder", "decoder"))
        self.assertEqual(bool(gap < 2e-6), same, gap)  # float32
        self.assertGreater(np.max(np.abs(right["decoder"])), 1e-3)

    @parameterized.parameters(*SCHEDULES)
    def test_reweighted_by_one_draw_it_is_wake_sleep(self, schedule):
        self.assert_steps(True, ugm_tf.recipes.reweighted_wake_sleep(k=1, inference="sleep"), schedule=schedule)

    def test_by_several_it_is_not(self):
        self.assert_steps(False, ugm_tf.recipes.reweighted_wake_sleep(k=3, inference="sleep"))

    def test_nor_with_the_wake_phase_for_the_encoder(self):
        self.assert_steps(False, ugm_tf.recipes.reweighted_wake_sleep(k=1, inference="wake"))


if __name__ == "__main__":
    absltest.main()
