"""Where IWAE, MIWAE and the flow's VAE are the VAE: whole training steps."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws, trained
from ugm_tf.algebra import Ancestral, Draws
from ugm_tf.densities import fold

tfd = tfp.distributions

X = draws(3, 8, 2)
ROUNDING = 2e-6  # of changes of float32 weights of order 1
SAMPLED = ugm_tf.recipes.vae(kl="sampled")


def vae(encoder=None):
    return {
        "prior": ugm_tf.Prior((3,)),
        "encoder": encoder or ugm_tf.Density(toys.mlp(2, 6, seed=1), "gaussian"),
        "decoder": ugm_tf.Density(toys.mlp(3, 2, seed=2), "unit_gaussian"),
    }


def with_draws(recipe, k):
    """The recipe with k draws of z for each example in place of one."""

    def several(phase):
        terms = (dataclasses.replace(e, under=Ancestral(("encoder",), k=k)) for e in phase.minimise)
        return dataclasses.replace(phase, minimise=tuple(terms))

    return dataclasses.replace(recipe, phases=tuple(map(several, recipe.phases)))


class SameStepsTest(parameterized.TestCase):
    def assert_same(self, left, right, same=True):
        for name in ("encoder", "decoder"):
            error = np.max(np.abs(left[name] - right[name]))
            self.assertEqual(bool(error < ROUNDING), same, f"{name}: {error}")
            self.assertGreater(np.max(np.abs(left[name])), 1e-2)

    def test_iwae_of_one_draw_is_the_vae_with_the_rate_at_its_draws(self):
        left = trained(ugm_tf.recipes.iwae(k=1), vae(), X, 2, learning_rate=0.05)
        self.assert_same(left, trained(SAMPLED, vae(), X, 2, learning_rate=0.05))

    def test_iwae_of_two_draws_is_not(self):
        left = trained(ugm_tf.recipes.iwae(k=2), vae(), X)
        self.assert_same(left, trained(with_draws(SAMPLED, 2), vae(), X), same=False)

    def test_one_group_makes_miwae_the_iwae(self):
        left = trained(ugm_tf.recipes.miwae(groups=1, k=5), vae(), X, 2, learning_rate=0.05)
        self.assert_same(left, trained(ugm_tf.recipes.iwae(k=5), vae(), X, 2, learning_rate=0.05))

    def test_groups_of_one_draw_make_miwae_the_vae_of_several_draws(self):
        left = trained(ugm_tf.recipes.miwae(groups=5, k=1), vae(), X, 2, learning_rate=0.05)
        self.assert_same(left, trained(with_draws(SAMPLED, 5), vae(), X, 2, learning_rate=0.05))

    def test_groups_between_are_neither(self):
        left = trained(ugm_tf.recipes.miwae(groups=2, k=3), vae(), X)
        self.assert_same(left, trained(ugm_tf.recipes.iwae(k=6), vae(), X), same=False)
        self.assert_same(left, trained(with_draws(SAMPLED, 6), vae(), X), same=False)

    def test_the_doubly_reparameterised_gradient_teaches_the_decoder_the_same_and_the_encoder_otherwise(self):
        left, right = (
            trained(ugm_tf.recipes.iwae(gradient=f"{name}reparameterised"), vae(), X, schedule="simultaneous")
            for name in ("doubly_", "")
        )
        np.testing.assert_allclose(left["decoder"], right["decoder"], atol=ROUNDING)
        self.assertGreater(np.max(np.abs(left["encoder"] - right["encoder"])), 1e-2)

    def test_it_is_by_hand_the_one_of_squared_weights_and_an_encoder_held_fixed_in_the_ratio(self):
        densities, recipe = vae(), ugm_tf.recipes.iwae(k=4, gradient="doubly_reparameterised")
        phase, variables = recipe.phase("infer"), densities["encoder"].trainable_variables
        start = toys.joint_sample(recipe, densities, X)
        with tf.GradientTape(persistent=True) as tape:
            loss = phase.loss(phase.values(Draws(start), (0, 0)))
            sample = phase.minimise[0].under(start, fold((0, 0), 0))
            normal = densities["encoder"].distribution(X).distribution
            held = tfd.Normal(tf.stop_gradient(normal.loc), tf.stop_gradient(normal.scale))
            log_q = tf.reduce_sum(held.log_prob(sample["z"]), -1)
            log_w = sample.log_prob("decoder") + sample.log_prob("prior") - log_q
            squares = tf.stop_gradient(tf.nn.softmax(log_w, axis=0)) ** 2
            by_hand = -tf.reduce_mean(tf.reduce_sum(squares * log_w, 0))
        for found, expected in zip(*(tape.gradient(value, variables) for value in (loss, by_hand)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


class FlowTest(absltest.TestCase):
    """The flow starts as the identity."""

    def values(self, recipe, encoder):
        densities = vae(encoder)
        return toys.model(recipe, densities, learning_rate=0.0).run_phases(X)

    def bent(self, seed=None):
        """An encoder of the same network with a flow: the flow's context is the network's last 2 outputs."""
        network, flow = toys.mlp(2, 8, seed=1), ugm_tf.densities.InverseAutoregressiveFlow(3, hidden=(5,), context=2)
        plain = toys.mlp(2, 6, seed=1).get_weights()
        network.set_weights([*plain[:2], *(np.concatenate([w, np.ones((*w.shape[:-1], 2))], -1) for w in plain[2:])])
        if seed is not None:
            rng = np.random.default_rng(seed)
            flow.set_weights([rng.normal(size=w.shape) for w in flow.get_weights()])
        return ugm_tf.Density(network, "gaussian", flow=flow)

    def test_at_first_the_flows_vae_is_the_vae_with_the_rate_at_its_draws(self):
        flow, plain = self.values(ugm_tf.recipes.iaf_vae(), self.bent()), self.values(SAMPLED, None)
        self.assertEqual(set(flow), set(plain))
        for name in plain:
            np.testing.assert_allclose(flow[name], plain[name], rtol=1e-5, err_msg=name)

    def test_later_it_is_not(self):
        flow, plain = self.values(ugm_tf.recipes.iaf_vae(), self.bent(seed=0)), self.values(SAMPLED, None)
        self.assertGreater(abs(flow["wake/loss"] - plain["wake/loss"]).numpy(), 0.01)

    def test_the_first_step_changes_what_both_have_alike(self):
        flow = trained(ugm_tf.recipes.iaf_vae(), vae(self.bent()), X)
        plain = trained(SAMPLED, vae(), X)
        np.testing.assert_allclose(flow["decoder"], plain["decoder"], atol=ROUNDING)


if __name__ == "__main__":
    absltest.main()
