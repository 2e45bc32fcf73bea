"""One step of `UnifiedModel` is the update that one computes by hand, in both schedules."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import sigmoid, weights

X = toys.column(1.4, -0.3, 0.7, 2.2)
REAL = X.numpy()[:, 0]
TOLERANCE = 1e-6  # float32 sums of four
RATE = 0.5


def repeated(recipe, phase, repeats):
    phases = [dataclasses.replace(p, repeats=repeats) if p.name == phase else p for p in recipe.phases]
    return dataclasses.replace(recipe, phases=tuple(phases))


def discriminator_gradient(phi, fake):
    """Of mean softplus(-l(x)) + mean softplus(l(x_f)), l(x) = phi[0] x + phi[1]."""
    on_real, on_fake = -sigmoid(-(phi[0] * REAL + phi[1])), sigmoid(phi[0] * fake + phi[1])
    return np.array([np.mean(on_real * REAL) + np.mean(on_fake * fake), np.mean(on_real) + np.mean(on_fake)])


def decoder_gradient(theta, phi, z):
    """Of mean softplus(-l(x_f)), x_f = theta[0] z + theta[1]."""
    on_x = -sigmoid(-(phi[0] * (theta[0] * z + theta[1]) + phi[1])) * phi[0]
    return np.array([np.mean(on_x * z), np.mean(on_x)])


class GanTest(parameterized.TestCase):
    @parameterized.parameters("alternating", "simultaneous")
    def test_two_steps_by_hand(self, schedule):
        densities, kept = toys.affine_gan()
        theta, phi = weights(densities["decoder"]), weights(densities["discriminator"])
        model = toys.model(ugm_tf.recipes.gan(), densities, RATE, schedule)
        for step in range(2):
            model.run_phases(X)
            z = kept["prior"][step]
            new_phi = phi - RATE * discriminator_gradient(phi, theta[0] * z + theta[1])
            theta = theta - RATE * decoder_gradient(theta, new_phi if schedule == "alternating" else phi, z)
            phi = new_phi
            np.testing.assert_allclose(weights(densities["discriminator"]), phi, atol=TOLERANCE)
            np.testing.assert_allclose(weights(densities["decoder"]), theta, atol=TOLERANCE)

    def test_the_schedules_differ(self):
        after = []
        for schedule in ("alternating", "simultaneous"):
            densities, _ = toys.affine_gan()
            toys.model(ugm_tf.recipes.gan(), densities, RATE, schedule).run_phases(X)
            after.append(weights(densities["decoder"]))
        self.assertGreater(np.max(np.abs(after[0] - after[1])), 1e-3)

    def test_a_repeated_discriminator_by_hand(self):
        densities, kept = toys.affine_gan()
        theta, phi = weights(densities["decoder"]), weights(densities["discriminator"])
        model = toys.model(repeated(ugm_tf.recipes.gan(), "discriminate", 3), densities, RATE)
        model.run_phases(X)
        for repeat in range(3):
            z = kept["prior"][repeat]
            phi = phi - RATE * discriminator_gradient(phi, theta[0] * z + theta[1])
        np.testing.assert_allclose(weights(densities["discriminator"]), phi, atol=TOLERANCE)
        theta = theta - RATE * decoder_gradient(theta, phi, kept["prior"][-1])
        np.testing.assert_allclose(weights(densities["decoder"]), theta, atol=TOLERANCE)

    def test_a_repeated_decoder_by_hand(self):
        densities, kept = toys.affine_gan()
        theta, phi = weights(densities["decoder"]), weights(densities["discriminator"])
        model = toys.model(repeated(ugm_tf.recipes.gan(), "generate", 2), densities, RATE)
        model.run_phases(X)
        phi = phi - RATE * discriminator_gradient(phi, theta[0] * kept["prior"][0] + theta[1])
        for z in (kept["prior"][0], kept["prior"][1]):
            theta = theta - RATE * decoder_gradient(theta, phi, z)
        self.assertLen(kept["prior"], 2)
        np.testing.assert_allclose(weights(densities["decoder"]), theta, atol=TOLERANCE)

    def test_metrics_are_those_of_the_parameters_that_each_phase_saw(self):
        densities, kept = toys.affine_gan()
        theta, phi = weights(densities["decoder"]), weights(densities["discriminator"])
        values = toys.model(ugm_tf.recipes.gan(), densities, RATE).run_phases(X)
        z = kept["prior"][0]
        fake = theta[0] * z + theta[1]
        real = np.mean(np.log1p(np.exp(-(phi[0] * REAL + phi[1]))))
        self.assertAlmostEqual(values["discriminate/real"].numpy(), real, delta=TOLERANCE)
        fooled = np.mean(np.log1p(np.exp(phi[0] * fake + phi[1])))
        self.assertAlmostEqual(values["discriminate/fake"].numpy(), fooled, delta=TOLERANCE)
        self.assertAlmostEqual(values["discriminate/loss"].numpy(), real + fooled, delta=TOLERANCE)
        phi = weights(densities["discriminator"])
        self.assertAlmostEqual(
            values["generate/fool"].numpy(), np.mean(np.log1p(np.exp(-(phi[0] * fake + phi[1])))), delta=TOLERANCE
        )


class AavaeTest(parameterized.TestCase):
    @parameterized.parameters("alternating", "simultaneous")
    def test_the_decoder_by_hand(self, schedule):
        densities, kept = toys.affine_vae()
        densities["discriminator"] = toys.KeptDensity(kept["discriminator"], toys.affine([1.1], [0.3]), "logit")
        (slope, shift), phi = weights(densities["decoder"]), weights(densities["discriminator"])
        toys.model(ugm_tf.recipes.aavae(), densities, RATE, schedule).run_phases(X)

        fake = kept["decoder"][0]
        new_phi = phi - RATE * discriminator_gradient(phi, fake)
        np.testing.assert_allclose(weights(densities["discriminator"]), new_phi, atol=TOLERANCE)
        # -grad of 1/2 mean D(x) (x - slope z - shift)^2 / (2 0.8^2), over data and over generated x
        judge = new_phi if schedule == "alternating" else phi
        ascent = np.zeros(2)
        for x, z in ((REAL, kept["encoder"][0]), (fake, kept["encoder"][1])):
            error = 0.5 * sigmoid(judge[0] * x + judge[1]) * (x - slope * z - shift) / 0.8**2
            ascent += [np.mean(error * z), np.mean(error)]
        np.testing.assert_allclose(weights(densities["decoder"]), [slope, shift] + RATE * ascent, atol=TOLERANCE)

    def test_data_and_generated_x_are_drawn_and_encoded_once(self):
        densities, kept = toys.affine_vae()
        densities["discriminator"] = toys.KeptDensity(kept["discriminator"], toys.affine([1.1], [0.3]), "logit")
        toys.model(ugm_tf.recipes.aavae(), densities, RATE).run_phases(X)
        self.assertEqual([len(kept[name]) for name in ("prior", "decoder", "encoder")], [1, 1, 2])
        # p(x | z) draws x, and scores data and generated x; q(z | x) encodes both.
        self.assertEqual([kept[name].calls for name in ("decoder", "encoder")], [3, 2])


class DrawsTest(parameterized.TestCase):
    def test_while_alternating_both_phases_see_the_same_generated_x(self):
        densities, kept = toys.affine_gan()
        toys.model(ugm_tf.recipes.gan(), densities).run_phases(X)
        self.assertEqual([len(kept["prior"]), len(kept["decoder"])], [1, 1])

    @parameterized.parameters("alternating", "simultaneous")
    def test_the_decoder_runs_once_a_step(self, schedule):
        densities, kept = toys.affine_gan()
        model = toys.model(ugm_tf.recipes.gan(), densities, schedule=schedule)
        for step in (1, 2, 3):
            model.run_phases(X)
            self.assertEqual(kept["decoder"].calls, step)

    @parameterized.parameters(("alternating", 3), ("simultaneous", 2))
    def test_the_discriminator_judges_anew_only_after_it_has_learned(self, schedule, calls):
        densities, kept = toys.affine_gan()
        toys.model(ugm_tf.recipes.gan(), densities, schedule=schedule).run_phases(X)
        self.assertEqual(kept["discriminator"].calls, calls)

    def test_each_repeat_has_fresh_draws(self):
        densities, kept = toys.affine_gan()
        toys.model(repeated(ugm_tf.recipes.gan(), "discriminate", 3), densities).run_phases(X)
        self.assertLen(kept["prior"], 3)  # generate sees those of the last repeat
        self.assertLen({tuple(value.numpy()[:, 0]) for value in kept["prior"].values}, 3)

    def test_each_step_has_fresh_draws(self):
        densities, kept = toys.affine_gan()
        model = toys.model(ugm_tf.recipes.gan(), densities, learning_rate=0.0)
        for _ in range(3):
            model.run_phases(X)
        self.assertLen({tuple(value.numpy()[:, 0]) for value in kept["prior"].values}, 3)

    def test_draws_are_a_function_of_the_seed(self):
        draws = []
        for seed in (0, 0, 1):
            densities, kept = toys.affine_gan()
            toys.model(ugm_tf.recipes.gan(), densities, seed=seed).run_phases(X)
            draws.append(kept["prior"][0])
        np.testing.assert_array_equal(draws[0], draws[1])
        self.assertTrue(np.all(draws[0] != draws[2]))

    def test_a_vae_encodes_once_for_both_of_its_terms(self):
        densities, kept = toys.affine_vae()
        toys.model(ugm_tf.recipes.vae(), densities).run_phases(X)
        self.assertEqual((kept["encoder"].calls, len(kept["encoder"]), kept["decoder"].calls), (1, 1, 1))


if __name__ == "__main__":
    absltest.main()
