"""Discriminators in the place of a term: with the best one, what AVB, alpha-GAN, VEEGAN and AS-VAE descend.

Asked of the recipes' own phases with the discriminator held fixed at theta_0, on S2's densities."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0, X, gradient, log_data, log_normal
from ugm_tf.algebra import GENERATED, INFERRED, Ancestral, Draw, Mean

tfd = tfp.distributions

TOLERANCE = 1e-8  # float64 quadrature on both sides
VAE = np.array([0.4659375, -0.3125, 0.95315625, 0.67875, -0.28125, -0.11015625])  # the VAE's ascent, lemma 2
V_0 = tf.constant(V0, tf.float64)
THETA, ETA = slice(0, 3), slice(3, 6)
VEEGAN, AS_VAE, RATIOS = ugm_tf.recipes.veegan(), ugm_tf.recipes.as_vae(), ("fool", "fool_real")
NODES, PROBABILITIES = exact.nodes(0.2)
DATA = ((0.6, -1.0, 0.8), (0.4, 2.0, 0.6))  # p_data: weights, means, scales
# Noise of the code stands on the first axis, x on the second; their weights are a product.
WEIGHT = len(NODES) * PROBABILITIES[:, None] * len(X) * exact.DX * tf.exp(log_data(X))


def standard(noise):
    return exact.Noisy(lambda: tfd.Normal(tf.constant(0.0, tf.float64), 1.0), noise)


def log_encoder(v, x, z):
    return log_normal(z, v[3] * x + v[4], tf.exp(v[5]))


def log_prior(z):
    return log_normal(z, 0.0, tf.constant(1.0, tf.float64))


def log_decoder(v, x, z):
    return log_normal(x, v[0] * z + v[1], tf.exp(v[2]))


def pair_judge(logit):
    return exact.Law(lambda x, z: tfd.Bernoulli(logits=logit(x, z)))


class AvbTest(parameterized.TestCase):
    """Its encoder is a point density of x and noise, here c x + d + t e, so that the best logit is known."""

    def loss(self, v, name="generate", logit=lambda x, z: log_encoder(V_0, x, z) - log_prior(z)):
        recipe = ugm_tf.recipes.avb()
        c, d, t = v[3], v[4], tf.exp(v[5])
        densities = {
            "prior": standard(NODES[:, None]),
            "noise": standard(NODES[:, None]),
            "encoder": exact.Law(lambda x, e: tfd.Deterministic(c * x + d + t * e)),
            "decoder": exact.normal(v[0], v[1], tf.exp(v[2])),
            "discriminator": pair_judge(logit),
        }
        start = ugm_tf.JointSample(densities, recipe.roles, {"x": X}, training=True, weight=WEIGHT)
        return exact.loss(recipe.phase(name), start)

    def test_with_the_best_discriminator_it_is_the_vae(self):
        np.testing.assert_allclose(-gradient(self.loss, V0), VAE, atol=TOLERANCE)

    def test_with_the_best_discriminator_its_loss_is_the_negative_elbo(self):
        elbo = exact.integral(tf.exp(log_data(X)) * exact.elbo(V_0, X))
        self.assertAlmostEqual(-self.loss(V_0).numpy(), elbo.numpy(), delta=TOLERANCE)

    def test_a_discriminator_that_followed_the_encoder_would_teach_it_the_same(self):
        live = gradient(lambda v: self.loss(v, logit=lambda x, z: log_encoder(v, x, z) - log_prior(z)), V0)
        np.testing.assert_allclose(-live, VAE, atol=TOLERANCE)  # the mean of d log q / d eta is 0

    def test_another_discriminator_teaches_the_encoder_alone_otherwise(self):
        other = -gradient(lambda v: self.loss(v, logit=lambda x, z: 0.5 * z * x), V0)
        np.testing.assert_allclose(other[THETA], VAE[THETA], atol=TOLERANCE)
        self.assertGreater(np.max(np.abs(other - VAE)[ETA]), 1e-2)

    def test_discriminate_is_lowest_at_that_logit(self):
        best = self.loss(V_0, "discriminate")
        for bend in (lambda x, z: 1.0 + 0.0 * x * z, lambda x, z: x + 0.0 * z, lambda x, z: x * z):

            def bent(size, bend=bend):
                def logit(x, z):
                    return log_encoder(V_0, x, z) - log_prior(z) + size * bend(x, z)

                return self.loss(V_0, "discriminate", logit)

            slope = gradient(bent, 0.0)
            self.assertAlmostEqual(slope, 0.0, delta=TOLERANCE)
            self.assertGreater(bent(0.1).numpy(), best.numpy())


def log_mixed(y, parts):
    return tf.reduce_logsumexp(tf.stack([np.log(w) + log_normal(y, mean, scale) for w, mean, scale in parts]), 0)


class AlphaGanTest(absltest.TestCase):
    """Codes of all data, samples and reconstructions are mixtures of normals."""

    def log_codes(self, v, z):
        """log q(z), of the codes of data."""
        c, d, t = v[3], v[4], tf.exp(v[5])
        return log_mixed(z, [(w, c * m + d, tf.sqrt((c * s) ** 2 + t**2)) for w, m, s in DATA])

    def log_made(self, v, x):
        """log of the mean of the densities of samples and of reconstructions, both of the decoder's mean."""
        a, b, c, d, t = v[0], v[1], v[3], v[4], tf.exp(v[5])
        of = [(w, a * (c * m + d) + b, a * tf.sqrt((c * s) ** 2 + t**2)) for w, m, s in DATA]
        return exact.log_mixture(log_normal(x, b, a), log_mixed(x, of))

    def loss(self, v, labels, image=None, code=None):
        recipe = ugm_tf.recipes.alpha_gan(contest="log_ratio")
        densities = {
            "prior": standard(NODES[:, None]),
            "encoder": exact.Noisy(lambda x: tfd.Normal(v[3] * x + v[4], tf.exp(v[5])), NODES[:, None]),
            "decoder": exact.normal(v[0], v[1], tf.exp(v[2])),
            # There are two generated sides to one of data: hence the 2.
            "discriminator": exact.judge(image or (lambda x: log_data(x) - np.log(2.0) - self.log_made(V_0, x))),
            "code_discriminator": exact.Law(
                lambda z: tfd.Bernoulli(logits=(code or (lambda z: log_prior(z) - self.log_codes(V_0, z)))(z))
            ),
        }
        densities["decoder"].draw = None  # only its mean is judged
        for name in ("prior", "encoder", "decoder"):
            densities[name].location = lambda distribution: distribution.loc
        start = ugm_tf.JointSample(densities, recipe.roles, {"x": X}, training=True, weight=WEIGHT)
        return exact.loss(exact.only(recipe.phase("generate"), *labels), start)

    def test_the_code_discriminators_term_descends_the_kl_from_the_codes_of_data_to_the_prior(self):
        left = gradient(lambda v: self.loss(v, ("fool_codes",)), V0)
        right = gradient(lambda v: exact.kl(self.log_codes(v, X), log_prior(X)), V0)
        np.testing.assert_allclose(left, right, atol=TOLERANCE)

    def test_not_with_another_code_discriminator(self):
        left = gradient(lambda v: self.loss(v, ("fool_codes",), code=lambda z: 0.3 * z), V0)
        right = gradient(lambda v: exact.kl(self.log_codes(v, X), log_prior(X)), V0)
        self.assertGreater(np.max(np.abs(left - right)), 1e-2)

    def test_the_image_discriminators_terms_descend_the_kl_from_samples_and_reconstructions_to_the_data(self):
        left = gradient(lambda v: self.loss(v, ("fool", "fool_2")), V0)
        right = gradient(lambda v: 2.0 * exact.kl(self.log_made(v, X), log_data(X)), V0)
        np.testing.assert_allclose(left, right, atol=1e-6)  # log p_data bends sharply between nodes

    def test_not_one_of_them_alone(self):
        left = gradient(lambda v: 2 * self.loss(v, ("fool",)), V0)
        right = gradient(lambda v: 2.0 * exact.kl(self.log_made(v, X), log_data(X)), V0)
        self.assertGreater(np.max(np.abs(left - right)), 1e-2)


class SymmetricTest(parameterized.TestCase):
    """VEEGAN and AS-VAE: pairs (x, z) of q = p_data(x) q(z | x) and of p = p(z) p(x | z), in two dimensions.

    AS-VAE judges the decoder's means, whose pairs have no density: here it takes draws in their place."""

    def densities(self, v, logit=None):
        def best(x, z):
            return log_data(x) + log_encoder(V_0, x, z) - log_prior(z) - log_decoder(V_0, x, z)

        codes = NODES[:, None, None]
        return {
            "prior": standard(codes),
            "encoder": exact.Noisy(lambda x: tfd.Normal(v[3] * x + v[4], tf.exp(v[5])), codes),
            "decoder": exact.Noisy(lambda z: tfd.Normal(v[0] * z + v[1], tf.exp(v[2])), NODES[:, None]),
            "discriminator": pair_judge(logit or best),
        }

    def start(self, recipe, densities):
        x, of_noise = X[::8], len(NODES) * PROBABILITIES
        weight = of_noise[:, None, None] * of_noise[:, None] * len(x) * 8 * exact.DX * tf.exp(log_data(x))
        return ugm_tf.JointSample(densities, recipe.roles, {"x": x}, training=True, weight=weight)

    def loss(self, v, recipe, labels=None, logit=None, hold=()):
        """That of `generate`, or of some of its terms, some of them with their draws held fixed."""
        terms = []
        for e in recipe.phase("generate").minimise:
            steps = tuple(Draw(step.density) if isinstance(step, Mean) else step for step in e.under.steps)
            under = Ancestral(steps).detached() if e.label in hold else Ancestral(steps)
            terms.append(dataclasses.replace(e, under=under))
        phase = dataclasses.replace(recipe.phase("generate"), minimise=tuple(terms))
        phase = exact.only(phase, *labels) if labels else phase
        return exact.loss(phase, self.start(recipe, self.densities(v, logit)))

    def divergence(self, sampler, v, other):
        """KL(p_v || q_other) of generated pairs, or KL(q_v || p_other) of inferred ones."""
        sample = sampler(self.start(VEEGAN, self.densities(v)), tf.constant([0, 0]))
        x, z = sample["x"], sample["z"]
        ps, qs, sign = (v, other, 1.0) if sampler is GENERATED else (other, v, -1.0)
        log_p = log_prior(z) + log_decoder(ps, x, z)
        log_q = log_data(x) + log_encoder(qs, x, z)
        return tf.reduce_mean(sample.weight * sign * (log_p - log_q))

    def divergences(self, v, other):
        return self.divergence(GENERATED, v, other) + self.divergence(INFERRED, v, other)

    def test_the_log_ratios_of_as_vae_are_the_symmetric_kl(self):
        found = self.loss(V_0, AS_VAE, RATIOS)
        self.assertAlmostEqual(found.numpy(), self.divergences(V_0, V_0).numpy(), delta=TOLERANCE)

    def test_each_side_of_as_vae_learns_to_lower_the_kl_from_itself_to_the_other_held_fixed(self):
        left = gradient(lambda v: self.loss(v, AS_VAE, RATIOS), V0)
        np.testing.assert_allclose(left, gradient(lambda v: self.divergences(v, V_0), V0), atol=TOLERANCE)

    def test_not_with_another_discriminator(self):
        left = gradient(lambda v: self.loss(v, AS_VAE, RATIOS, lambda x, z: x * z), V0)
        self.assertGreater(np.max(np.abs(left - gradient(lambda v: self.divergences(v, V_0), V0))), 1e-2)

    def test_the_log_ratio_of_veegan_is_the_kl_of_generated_pairs_and_teaches_the_decoder_alone(self):
        found = self.loss(V_0, VEEGAN, ("fool",))
        self.assertAlmostEqual(found.numpy(), self.divergence(GENERATED, V_0, V_0).numpy(), delta=TOLERANCE)
        left = gradient(lambda v: self.loss(v, VEEGAN, ("fool",)), V0)
        right = gradient(lambda v: self.divergence(GENERATED, v, V_0), V0)
        np.testing.assert_allclose(left, right, atol=TOLERANCE)
        np.testing.assert_array_equal(left[ETA], np.zeros(3))

    def test_with_its_codes_read_back_on_draws_held_fixed_veegan_descends_the_whole_kl_of_generated_pairs(self):
        left = gradient(lambda v: self.loss(v, VEEGAN, hold=("recall",)), V0)
        np.testing.assert_allclose(left, gradient(lambda v: self.divergence(GENERATED, v, v), V0), atol=TOLERANCE)

    def test_without_them_it_does_not_and_never_the_symmetric_kl(self):
        whole = gradient(lambda v: self.divergence(GENERATED, v, v), V0)
        left = gradient(lambda v: self.loss(v, ugm_tf.recipes.veegan(reconstruction=0.0)), V0)
        self.assertGreater(np.max(np.abs(left - whole)), 1e-2)
        both = gradient(lambda v: self.divergences(v, v), V0)
        left = gradient(lambda v: self.loss(v, VEEGAN, hold=("recall",)), V0)
        self.assertGreater(np.max(np.abs(left - both)), 1e-2)

    def test_with_cycles_on_draws_held_fixed_as_vae_descends_the_whole_symmetric_kl(self):
        left = gradient(lambda v: self.loss(v, AS_VAE, hold=("cycle", "recall")), V0)
        np.testing.assert_allclose(left, gradient(lambda v: self.divergences(v, v), V0), atol=TOLERANCE)

    def test_without_cycles_it_does_not(self):
        left = gradient(lambda v: self.loss(v, ugm_tf.recipes.as_vae(cycle=0.0)), V0)
        self.assertGreater(np.max(np.abs(left - gradient(lambda v: self.divergences(v, v), V0))), 1e-2)


if __name__ == "__main__":
    absltest.main()
