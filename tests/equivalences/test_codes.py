"""What beta-TC-VAE, FactorVAE and InfoVAE are of a VAE, and their total correlation of codes where it is known."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra import stubs
from tests.equivalences.toys import draws, trained
from tests.equivalences.transfer_toys import ACTIVATED, WEIGHTED, X
from ugm_tf import recipes
from ugm_tf.algebra import INFERRED, Draws, E, JointSample

tfd = tfp.distributions
ROUNDING = 1e-6
A, S = np.array([[0.9, 0.3], [0.6, 0.8]], np.float32), 0.5  # z = A x + S noise, x standard normal
SIGMA = A @ A.T + S**2 * np.eye(2)
TC = 0.5 * (np.sum(np.log(np.diag(SIGMA))) - np.linalg.slogdet(SIGMA)[1])


def gaussian_codes(recipe, n, slope=A, **more):
    """The values of all phases where codes are Gaussian of covariance slope slope^T + S^2 I, by metric."""
    densities = {
        "prior": stubs.standard(2),
        "encoder": stubs.Stub(lambda x: tfd.Independent(tfd.Normal(x @ slope.T, S), 1)),
        "decoder": stubs.shifted(),
        **more,
    }
    x = draws(0, n, 2)
    start = JointSample(densities, recipe.roles, {"x": x}, training=True)
    return {name: v.numpy() for p in recipe.phases for name, v in p.values(Draws(start), stubs.seed()).items()}


def log_ratio(z, scale=1.0, shift=0.0):
    """log q(z) - sum_j log q(z_j) of those codes: the best logit; times a scale, and more."""
    joint = tfd.MultivariateNormalTriL(tf.zeros(2), tf.constant(np.linalg.cholesky(SIGMA), tf.float32))
    marginals = tfd.Independent(tfd.Normal(tf.zeros(2), tf.constant(np.sqrt(np.diag(SIGMA)), tf.float32)), 1)
    return scale * (joint.log_prob(z) - marginals.log_prob(z)) + shift


class TotalCorrelationTest(parameterized.TestCase):
    def test_the_closed_form_is_a_third_of_the_rate(self):
        """Mutual information, total correlation and the units' divergences, each in closed form, sum to the KL."""
        information = 0.5 * (np.linalg.slogdet(SIGMA)[1] - 2 * np.log(S**2))
        units = 0.5 * np.sum(np.diag(SIGMA) - 1 - np.log(np.diag(SIGMA)))
        rate = 0.5 * (np.trace(A @ A.T) + 2 * (S**2 - 1 - np.log(S**2)))
        self.assertAlmostEqual(information + TC + units, rate, delta=1e-6)

    def test_beta_tc_vae_measures_it(self):
        found = gaussian_codes(recipes.beta_tc_vae(), 2000)["wake/total_correlation"]
        self.assertAlmostEqual(found, TC, delta=0.05)
        self.assertGreater(TC, 0.05 * 1.5)

    def test_of_independent_codes_there_is_none(self):
        found = gaussian_codes(recipes.beta_tc_vae(), 2000, slope=np.diag([0.9, 0.8]).astype(np.float32))
        self.assertAlmostEqual(found["wake/total_correlation"], 0.0, delta=0.05)


class FactorVaeTest(parameterized.TestCase):
    N = 20_000

    def values(self, recipe=None, scale=1.0, shift=0.0):
        judge = stubs.judge(lambda z: log_ratio(z, scale, shift))
        return gaussian_codes(recipe or recipes.factor_vae(), self.N, discriminator=judge)

    def discriminator(self, recipe=None, **options):
        values = self.values(recipe, **options)
        return values["discriminate/real"] + values["discriminate/fake"]

    @parameterized.parameters((0.7, 0.0), (1.4, 0.0), (1.0, 0.2), (1.0, -0.2))
    @pytest.mark.slow
    def test_its_best_discriminator_is_the_log_ratio_of_codes_and_permuted_ones(self, scale, shift):
        self.assertGreater(self.discriminator(scale=scale, shift=shift), self.discriminator() + 1e-4)

    def test_with_it_what_the_encoder_pays_is_the_total_correlation(self):
        self.assertAlmostEqual(self.values()["generate/fool_real"], TC, delta=5 * 0.8 / np.sqrt(self.N))

    @pytest.mark.slow
    def test_against_codes_that_are_not_permuted_it_tells_nothing(self):
        same = ugm_tf.adversarial(INFERRED.detached(), ("encoder",), real=INFERRED, contest="log_ratio")
        discriminate, generate = same
        more = (*generate.minimise, *recipes.factor_vae().phase("generate").minimise[1:])
        phases = (discriminate, ugm_tf.Phase("generate", more, ("encoder", "decoder")))
        control = ugm_tf.Recipe(recipes.factor_vae().densities, phases)
        chance = self.discriminator(control, scale=0.0)
        self.assertAlmostEqual(chance, 2 * np.log(2.0), delta=1e-5)
        self.assertGreater(self.discriminator(control), chance + 1e-3)
        self.assertLess(self.discriminator(), chance - 1e-3)

    @pytest.mark.slow
    def test_without_its_weight_encoder_and_decoder_take_the_steps_of_the_vae(self):
        densities = WEIGHTED["factor_vae"][0]
        of_vae = {name: d for name, d in densities().items() if name != "discriminator"}
        left, right = trained(recipes.factor_vae(gamma=0.0), densities(), X), trained(recipes.vae(), of_vae, X)
        other = trained(recipes.factor_vae(gamma=1.0), densities(), X)
        for name in ("encoder", "decoder"):
            np.testing.assert_allclose(left[name], right[name], atol=ROUNDING)
        self.assertGreater(np.max(np.abs(other["encoder"] - right["encoder"])), 1e-3)


class OfAVaeTest(parameterized.TestCase):
    @parameterized.parameters(
        (recipes.beta_tc_vae, {"beta": 1.0}, {"beta": 2.0}),
        (recipes.info_vae, {"alpha": 0.0, "scale": 1.0}, {"alpha": 0.0, "scale": 3.0}),
    )
    def test_with_these_weights_its_steps_are_those_of_the_vae(self, recipe, same, other):
        densities = ACTIVATED["wae"][1]
        right = trained(recipes.vae(), densities(), X)
        left, control = (trained(recipe(**options), densities(), X) for options in (same, other))
        for name in ("encoder", "decoder"):
            np.testing.assert_allclose(left[name], right[name], atol=ROUNDING)
        self.assertGreater(np.max(np.abs(control["encoder"] - right["encoder"])), 1e-3)

    def test_wae_is_info_vae_that_pays_for_no_information(self):
        self.assertEqual(recipes.wae(penalty=3.0), recipes.info_vae(1.0, 3.0, kernel="inverse_multiquadric"))
        self.assertNotEqual(recipes.wae(penalty=3.0), recipes.info_vae(0.9, 3.0, kernel="inverse_multiquadric"))

    def test_its_rate_is_the_vaes(self):
        self.assertIn(
            E(recipes.vae().phase("wake").minimise[1].of, INFERRED, name="rate"), recipes.info_vae().expectations
        )


if __name__ == "__main__":
    absltest.main()
