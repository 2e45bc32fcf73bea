"""Divergences by the probe's log-ratio against quadrature, on problems of one and two dimensions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized
from scipy import integrate, stats

from ugm_tf.evaluation.divergences import divergences
from ugm_tf.evaluation.ratio import LogRatio

N = 20_000


def mixture(*parts):
    """A density on the line and its draws: parts of (weight, mean, scale)."""
    weights, means, scales = (np.array(column, float) for column in zip(*parts, strict=True))

    def log_prob(x):
        return np.log(np.sum(weights * stats.norm.pdf(np.asarray(x)[..., None], means, scales), -1) + 1e-300)

    def draw(n, seed):
        rng = np.random.default_rng(seed)
        which = rng.choice(len(weights), n, p=weights)
        return rng.normal(means[which], scales[which])

    return log_prob, draw


REAL = mixture((0.5, -2.0, 0.5), (0.5, 2.0, 0.5))
CASES = {
    "near": mixture((0.45, -1.9, 0.55), (0.55, 2.1, 0.5)),
    "equal": REAL,
    "dropped_mode": mixture((1.0, -2.0, 0.5)),
    "collapse": mixture((1.0, 0.5, 0.1)),
    "wide": mixture((1.0, 0.0, 2.5)),
}
DISCRIMINATORS = {
    "optimal": lambda ratio, x: ratio,
    "biased": lambda ratio, x: ratio + 0.7,
    "weak": lambda ratio, x: 0.3 * np.tanh(x),
}


def exact(real, fake, logit):
    """JSD, both KLs and the gap by quadrature."""
    x = np.linspace(-14.0, 14.0, 40_001)
    log_p1, log_p0 = real(x), fake(x)
    p1, p0 = np.exp(log_p1), np.exp(log_p0)
    log_m = np.logaddexp(log_p1, log_p0) - np.log(2.0)
    m, logits = np.exp(log_m), logit(log_p1 - log_p0, x)

    def total(values):
        return integrate.simpson(values, x=x)

    jsd = 0.5 * total(p1 * (log_p1 - log_m)) + 0.5 * total(p0 * (log_p0 - log_m))
    log_q0, log_q1 = -np.logaddexp(0.0, -logits), -np.logaddexp(0.0, logits)  # q^r(y | x)
    z0, z1 = total(m * np.exp(log_q0)), total(m * np.exp(log_q1))
    generated = total(p0 * (log_p0 - log_m - log_q0 + np.log(z0)))
    of_real = total(p1 * (log_p1 - log_m - log_q1 + np.log(z1)))
    loss = -0.5 * total(p1 * log_q0) - 0.5 * total(p0 * log_q1)
    gap = loss - (np.log(2.0) - jsd)
    return {
        "jsd": jsd,
        "kl_generated": generated,
        "kl_real": of_real,
        "discriminator_gap": gap,
        "objective": 0.5 * (generated + of_real) - jsd,
    }


class ByTheExactRatioTest(parameterized.TestCase):
    """The estimators alone: within 3 of their own standard errors."""

    @parameterized.product(case=tuple(CASES), discriminator=tuple(DISCRIMINATORS))
    def test_each_is_that_of_quadrature(self, case, discriminator):
        (real, draw_real), (fake, draw_fake) = REAL, CASES[case]

        def logit(ratio, x):
            return DISCRIMINATORS[discriminator](np.clip(ratio, -6.0, 6.0), x)  # of exp(l) no variance is there else

        sets = [draw(N, seed) for seed, draw in enumerate((draw_real, draw_fake))]
        ratios = [real(x) - fake(x) for x in sets]
        logits = [logit(r, x) for r, x in zip(ratios, sets, strict=True)]
        found = divergences(*ratios, *logits)
        for name, value in exact(real, fake, logit).items():
            estimate = getattr(found, name)
            self.assertLess(abs(estimate.value - value), 3.0 * estimate.error + 1e-6, f"{name}: {estimate}, {value}")


class ByTheProbeTest(parameterized.TestCase):
    """With the ratio fitted: within 10 % or 0.01 nats."""

    @parameterized.named_parameters(
        ("near_optimal", "near", "optimal"),
        ("near_biased", "near", "biased"),
        ("equal_weak", "equal", "weak"),
        ("dropped_mode_weak", "dropped_mode", "weak"),
        ("collapse_weak", "collapse", "weak"),
        ("wide_optimal", "wide", "optimal"),
        ("wide_biased", "wide", "biased"),
    )
    @pytest.mark.slow
    def test_on_the_line(self, case, discriminator):
        (real, draw_real), (fake, draw_fake) = REAL, CASES[case]
        logit, ratio = DISCRIMINATORS[discriminator], LogRatio([(1,)])
        fitted = [ratio.features([draw(N, seed)[:, None]]) for seed, draw in enumerate((draw_real, draw_fake))]
        sets = [draw(N, 10 + seed) for seed, draw in enumerate((draw_real, draw_fake))]
        ratio.fit(*fitted, 1000)
        features = [ratio.features([x[:, None]]) for x in sets]
        ratio.calibrate(*features)
        logits = [logit(real(x) - fake(x), x) for x in sets]
        found = divergences(*(ratio(f) for f in features), *logits)
        for name, value in exact(real, fake, logit).items():
            difference = abs(getattr(found, name).value - value)
            self.assertLess(difference, max(0.1 * abs(value), 0.01), f"{name}: {getattr(found, name)}, {value}")

    @pytest.mark.slow
    def test_in_the_plane(self):
        """Two normals of the same covariance, where every quantity is one of the distance between them."""
        rng = np.random.default_rng(0)
        shift = np.array([0.8, 0.6])  # of length 1: along it the two are N(0, 1) and N(1, 1)
        sets = [rng.normal(size=(4, N, 2))[i] + (shift if i % 2 else 0.0) for i in range(4)]
        ratio = LogRatio([(2,)])
        features = [ratio.features([x]) for x in sets]
        ratio.fit(features[0], features[1], 1000)
        ratio.calibrate(features[2], features[3])
        logits = [0.5 - x @ shift for x in sets[2:]]  # the exact log-ratio
        found = divergences(*(ratio(f) for f in features[2:]), *logits)
        line = [mixture((1.0, mean, 1.0))[0] for mean in (0.0, 1.0)]
        for name, value in exact(*line, lambda ratio, x: ratio).items():
            self.assertLess(abs(getattr(found, name).value - value), max(0.1 * abs(value), 0.01), name)


class LogRatioTest(parameterized.TestCase):
    def test_images_are_pooled_and_variables_stand_side_by_side(self):
        ratio = LogRatio([(64, 64, 3), (5,)])
        x = np.random.default_rng(0).random((2, 64, 64, 3)).astype(np.float32)
        features = ratio.features([x, np.ones((2, 5))])
        self.assertEqual(features.shape, (2, 16 * 16 * 3 + 5))
        means = x.reshape(2, 16, 4, 16, 4, 3).mean((2, 4)).reshape(2, -1)
        np.testing.assert_allclose(features[:, :-5], means, rtol=1e-5)

    @parameterized.parameters(((1, 2048, 1), 1024), ((4096, 2, 1), 1024), ((1, 1, 2000), 2000), ((33, 33, 1), 256))
    def test_images_of_any_sides_are_pooled(self, shape, width):
        ratio = LogRatio([shape])
        self.assertEqual((ratio.width, ratio.features([np.ones((2, *shape))]).shape[1]), (width, width))

    @pytest.mark.slow
    def test_the_same_seed_gives_the_same_ratio_and_keras_goes_on_as_before(self):
        rows = tf.random.stateless_normal([500, 3], [0, 0]), tf.random.stateless_normal([500, 3], [0, 1]) + 1.0
        found = []
        for _ in range(2):
            keras.utils.set_random_seed(3)
            ratio = LogRatio([(3,)], seed=5)
            ratio.fit(*rows, 20)
            first = ratio(rows[0]).numpy()
            ratio.reset()
            ratio.fit(*rows, 20)
            np.testing.assert_array_equal(ratio(rows[0]), first)
            ratio.fit(*rows, 20)
            found.append((ratio(rows[0]).numpy(), keras.random.normal([2]).numpy()))
        np.testing.assert_array_equal(found[0][0], found[1][0])
        keras.utils.set_random_seed(3)
        np.testing.assert_array_equal(found[0][1], keras.random.normal([2]))

    @pytest.mark.slow
    def test_a_ratio_of_equal_sets_is_calibrated_to_nothing(self):
        rows = [tf.random.stateless_normal([60, 40], [0, i]) for i in range(4)]
        ratio = LogRatio([(40,)])
        ratio.fit(rows[0], rows[1], 400)  # by heart
        ratio.calibrate(rows[2], rows[3])
        found = divergences(ratio(rows[2]), ratio(rows[3]))
        self.assertLess(abs(found.jsd.value), 0.02)

    @parameterized.parameters(1.0, 40.0, -0.5)
    def test_a_discriminator_stands_beside_the_network_whatever_its_scale(self, scale):
        rows = [
            tf.random.stateless_normal([2000, 5], [0, i]) + mean * tf.eye(1, 5) for i, mean in ((0, 0.5), (1, -0.5))
        ]
        logits = [scale * side[:, 0] for side in rows]  # of N(0.5, 1) and N(-0.5, 1)
        ratio = LogRatio([(5,)])
        ratio.calibrate(*rows, *logits)
        found = divergences(*(ratio(features, given) for features, given in zip(rows, logits, strict=True)))
        line = [mixture((1.0, mean, 1.0))[0] for mean in (0.5, -0.5)]
        value = exact(*line, lambda ratio, x: ratio)["jsd"]
        self.assertLess(abs(found.jsd.value - value), 3.0 * found.jsd.error, f"{found.jsd}, {value}")

    def test_sides_that_lie_apart_keep_finite_weights(self):
        ratio, ones = LogRatio([(1,)]), tf.ones([50, 1])
        ratio.calibrate(ones, -ones, tf.ones([50]), -tf.ones([50]))
        found = divergences(ratio(ones, tf.ones([50])), ratio(-ones, -tf.ones([50])))
        self.assertLess(np.log(2.0) - found.jsd.value, 1e-3)


class RefusalsTest(parameterized.TestCase):
    def test_numbers_that_differ(self):
        with self.assertRaisesRegex(ValueError, "real_ratio and real_logit are of the same examples. Received 3 and 2"):
            divergences(np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(3))

    def test_a_contest_without_a_log_ratio_has_the_jsd_alone(self):
        found = divergences(np.zeros(3), np.zeros(3))
        self.assertEqual(found.jsd.value, 0.0)
        self.assertIsNone(found.kl_generated)


if __name__ == "__main__":
    absltest.main()
