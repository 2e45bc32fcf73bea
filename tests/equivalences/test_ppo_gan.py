"""One step of PPO-GAN is the update that one computes by hand."""

import numpy as np
from absl.testing import absltest

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import sigmoid, weights

X = toys.column(1.4, -0.3, 0.7, 2.2)
REAL = X.numpy()[:, 0]
TOLERANCE = 2e-6  # float32 sums of four
RATE = 0.5


class Step:
    """A step of the recipe on x = 0.8 z - 0.2, l = 1.1 x + 0.3 and the classifier's logit 0.6 x - 0.1."""

    def __init__(self, shift=0.3, rate=RATE, **hyperparameters):
        densities, self.kept = toys.affine_gan()
        if shift != 0.3:
            densities["discriminator"].network.set_weights([np.array([[1.1]]), np.array([shift])])
        self.ratio = toys.Kept()
        densities["ratio"] = toys.KeptDensity(self.ratio, toys.affine([0.6], [-0.1]), "logit")
        recipe = ugm_tf.recipes.ppo_gan(**{"critic_steps": 1, "gradient_penalty": 0.0, **hyperparameters})
        names = ("decoder", "discriminator", "ratio")
        self.before = {name: weights(densities[name]) for name in names}
        self.values = toys.model(recipe, densities, rate).run_phases(X)
        self.after = {name: weights(densities[name]) for name in names}
        self.z = self.kept["prior"][0]
        self.fake = self.before["decoder"][0] * self.z + self.before["decoder"][1]

    def critic(self, x, weights):
        return weights[0] * x + weights[1]


class CriticTest(absltest.TestCase):
    def test_it_weighs_draws_by_the_softmax_of_its_own_output_times_the_batchs_size(self):
        step = Step(moves=1)
        logits = step.critic(step.fake, step.before["discriminator"])
        w = 4 * np.exp(logits) / np.exp(logits).sum()
        self.assertAlmostEqual(step.values["discriminate/fake"].numpy(), np.mean(w * logits), delta=TOLERANCE)
        self.assertGreater(np.max(np.abs(w - 1)), 0.1)

    def test_it_learns_with_the_weights_held_fixed(self):
        step = Step(moves=1)
        logits = step.critic(step.fake, step.before["discriminator"])
        w = 4 * np.exp(logits) / np.exp(logits).sum()
        gradient = np.array([np.mean(w * step.fake) - np.mean(REAL), np.mean(w) - 1.0])
        expected = step.before["discriminator"] - RATE * gradient
        np.testing.assert_allclose(step.after["discriminator"], expected, atol=TOLERANCE)

    def test_not_as_a_plain_wasserstein_critic(self):
        step = Step(moves=1)
        plain = step.before["discriminator"] - RATE * np.array([np.mean(step.fake) - np.mean(REAL), 0.0])
        self.assertGreater(np.max(np.abs(step.after["discriminator"] - plain)), 1e-2)


class ClassifierTest(absltest.TestCase):
    """Its first update, of the logit 0.6 x - 0.1, at l = 0.6 x - 0.1."""

    def change(self, **options):
        step = Step(moves=1, **options)
        return step, step.after["ratio"] - step.before["ratio"]

    def test_its_penalty_shrinks_the_slope_on_data(self):
        """gamma/2 |dl/dx|^2 = 0.35 0.6^2 has the gradient 0.7 0.6 by the slope, and none by the bias."""
        step, with_penalty = self.change(ratio_r1=0.7)
        _, without = self.change()
        np.testing.assert_allclose(with_penalty - without, [-RATE * 0.7 * 0.6, 0.0], atol=TOLERANCE)
        self.assertAlmostEqual(step.values["classify/r1"].numpy(), 0.36, delta=TOLERANCE)

    def test_the_critic_is_not_penalised(self):
        step, _ = self.change(ratio_r1=0.7)
        plain, _ = self.change()
        np.testing.assert_array_equal(step.after["discriminator"], plain.after["discriminator"])


class OneMoveTest(absltest.TestCase):
    """The draws have not moved: the ratio is 1."""

    def test_the_value_is_minus_the_mean_output_of_the_critic(self):
        step = Step(moves=1)
        logits = step.critic(step.fake, step.after["discriminator"])
        self.assertAlmostEqual(step.values["generate/fool"].numpy(), -np.mean(logits), delta=TOLERANCE)

    def test_the_decoder_follows_the_critic_and_what_makes_a_draw_likelier(self):
        step = Step(moves=1)
        (slope, _), logits = step.after["discriminator"], step.critic(step.fake, step.after["discriminator"])
        # r l = exp(l_0 - now(x)) l(x): at r = 1 its slope in x is dl/dx - l d now/dx.
        by_x = -(slope - logits * step.after["ratio"][0])
        expected = step.before["decoder"] - RATE * np.array([np.mean(by_x * step.z), np.mean(by_x)])
        np.testing.assert_allclose(step.after["decoder"], expected, atol=TOLERANCE)

    def test_the_classifier_learns_data_from_draws(self):
        step = Step(moves=1)
        on_real, on_fake = (step.critic(x, step.before["ratio"]) for x in (REAL, step.fake))
        real, fake = -sigmoid(-on_real), sigmoid(on_fake)
        gradient = np.array([np.mean(real * REAL) + np.mean(fake * step.fake), np.mean(real) + np.mean(fake)])
        np.testing.assert_allclose(step.after["ratio"], step.before["ratio"] - RATE * gradient, atol=TOLERANCE)

    def test_nothing_is_clipped_whatever_epsilon(self):
        narrow, wide = Step(moves=1, epsilon=0.01), Step(moves=1, epsilon=0.9)
        np.testing.assert_array_equal(narrow.after["decoder"], wide.after["decoder"])


class SecondMoveTest(absltest.TestCase):
    """With a critic whose output is positive on every draw, and in small steps."""

    options = {"shift": 5.0, "rate": 0.02}

    def second(self, epsilon):
        """The step's value, and by hand the ratios and the critic's outputs at the draws of its second move."""
        step, once = (Step(epsilon=epsilon, moves=moves, **self.options) for moves in (2, 1))
        x = once.after["decoder"][0] * step.z + once.after["decoder"][1]
        logits = step.critic(x, step.after["discriminator"])
        self.assertGreater(np.min(logits), 0.0)
        ratio = np.exp(step.critic(step.fake, once.after["ratio"]) - step.critic(x, step.after["ratio"]))
        return step.values["generate/fool"].numpy(), ratio, logits

    def test_the_value_is_of_the_clipped_ratio(self):
        value, ratio, logits = self.second(epsilon=0.01)
        clipped = np.minimum(ratio * logits, np.clip(ratio, 0.99, 1.01) * logits)
        self.assertAlmostEqual(value, -np.mean(clipped), delta=2e-5)  # of float32 numbers of order 5
        self.assertGreater(abs(np.mean(ratio * logits) - np.mean(clipped)), 1e-2)

    def test_with_a_large_epsilon_nothing_is_clipped(self):
        value, ratio, logits = self.second(epsilon=0.9)
        self.assertAlmostEqual(value, -np.mean(ratio * logits), delta=2e-5)

    def test_what_is_clipped_teaches_the_decoder_otherwise(self):
        narrow, wide = Step(epsilon=0.01, **self.options), Step(epsilon=0.9, **self.options)
        self.assertGreater(np.max(np.abs(narrow.after["decoder"] - wide.after["decoder"])), 1e-3)


if __name__ == "__main__":
    absltest.main()
