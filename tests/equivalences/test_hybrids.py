"""Models of several parts with a part left out: whole training steps."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
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
    @pytest.mark.slow
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

    def beside_the_gan(self, sight):
        """One step of bigan and of gan, whose discriminators are one in x; that of bigan sees z by these weights."""
        seeing = self.bigan()
        gan = {
            "prior": toys.Given(Z),
            "decoder": network((3,), 2, 1, "point"),
            "discriminator": network((2,), 1, 4, "logit"),
        }
        first, *others = gan["discriminator"].network.get_weights()
        of_codes = np.full((3, first.shape[1]), sight)
        seeing["discriminator"].network.set_weights([np.concatenate([first, of_codes]), *others])
        left = trained(ugm_tf.recipes.bigan(), seeing, X, schedule="simultaneous")
        return left, trained(ugm_tf.recipes.gan(), gan, X, schedule="simultaneous")

    def test_for_a_discriminator_that_does_not_look_at_codes_bigan_is_the_gan(self):
        left, right = self.beside_the_gan(0.0)
        assert_same(left, right, {"decoder": "decoder"}, 1e-6)
        np.testing.assert_array_equal(left["encoder"], np.zeros_like(left["encoder"]))

    def test_for_one_that_does_it_is_not(self):
        left, right = self.beside_the_gan(0.5)
        self.assertGreater(np.max(np.abs(left["decoder"] - right["decoder"])), 1e-3)
        self.assertGreater(np.max(np.abs(left["encoder"])), 1e-3)

    def adaptation(self, schedule="alternating", exchanged=False):
        """Domain adaptation with the pair as the feature: examples of both domains are (x, z, 1 for a source's).

        The encoder is made of bigan's networks: it gives (x, encoded x) of a source, (decoded z, z) of a target."""
        parts, ones = self.bigan(), tf.ones([8, 1])
        x, z, of_source = (keras.Input((size,)) for size in (2, 3, 1))
        inferred = keras.layers.Concatenate()([x, parts["encoder"].network(x)])
        generated = keras.layers.Concatenate()([parts["decoder"].network(z), z])
        pair = of_source * inferred + (1.0 - of_source) * generated
        joined = keras.Input((6,))
        encoder = keras.Model(
            joined, keras.Model([x, z, of_source], pair)([joined[:, :2], joined[:, 2:5], joined[:, 5:]])
        )
        densities = {
            "encoder": ugm_tf.Density(encoder, "point"),
            "classifier": network((5,), 2, 5, "one_hot"),
            "discriminator": network((5,), 1, 4, "logit"),
        }
        data = {
            "x": tf.concat([X, tf.zeros([8, 3]), ones], 1),
            "target": tf.concat([tf.zeros([8, 2]), Z, 0.0 * ones], 1),
            "c": tf.one_hot([0] * 8, 2),
        }
        if exchanged:
            data = {**data, "x": data["target"], "target": data["x"]}
        recipe = ugm_tf.recipes.adversarial_domain_adaptation(supervised=0.0)
        before = {name: parts[name].get_weights() for name in ("encoder", "decoder")}
        learnt = trained(recipe, densities, data, 3, schedule=schedule)
        changes = {
            name: np.concatenate([(n - o).ravel() for n, o in zip(parts[name].get_weights(), old, strict=True)])
            for name, old in before.items()
        }
        return {**changes, "discriminator": learnt["discriminator"][1:]}

    def steps(self, schedule="alternating"):
        left = trained(ugm_tf.recipes.bigan(), self.bigan(), X, 3, schedule=schedule)
        return {name: change[1:] for name, change in left.items()}

    @parameterized.parameters(*SCHEDULES)
    def test_bigan_is_domain_adaptation_of_pairs(self, schedule):
        """The features of generated z are (decoded z, z), those of data x are (x, encoded x)."""
        names = {name: name for name in ("encoder", "decoder", "discriminator")}
        assert_same(self.steps(schedule), self.adaptation(schedule), names, 2e-6)

    def test_not_with_the_domains_exchanged(self):
        left, right = self.steps(), self.adaptation(exchanged=True)
        for name, change in left.items():
            if name != "prior":
                self.assertGreater(np.max(np.abs(change - right[name])), 1e-3, name)


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
