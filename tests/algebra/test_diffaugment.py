"""DiffAugment: the changes by hand, their gradients and their noise, and which recipes may judge changed images."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    Ancestral,
    DiffAugment,
    E,
    Interpolated,
    JointSample,
    NegativeLogProb,
    Pack,
    Phase,
    Recipe,
    contested,
    diffaugmented,
    importance_weighted,
    packed,
)
from ugm_tf.densities import fold, standard_noise

SEED = tf.constant([3, 4])
AUGMENT = DiffAugment("x", "x_augmented")
X = np.random.default_rng(0).uniform(size=(16, 24, 17, 3)).astype(np.float32)


def changed(policy, x=X, seed=SEED):
    sample = JointSample({}, {}, {"x": tf.constant(x)}, training=True)
    return DiffAugment("x", "x_augmented", policy)(sample, seed)["x_augmented"].numpy()


def uniform(i, count):
    """The numbers that the i-th change of a policy gets, [16, count]."""
    return standard_noise("uniform", [16, count], fold(SEED, i)).numpy()


class ChangesTest(parameterized.TestCase):
    def test_color_by_hand(self):
        for x, u, found in zip(X, uniform(0, 3), changed(("color",)), strict=True):
            x = 2.0 * x - 1.0  # as published, of images in [-1, 1]
            x = x + (u[0] - 0.5)
            mean = x.mean(-1, keepdims=True)
            x = (x - mean) * (2.0 * u[1]) + mean
            x = (x - x.mean()) * (u[2] + 0.5) + x.mean()
            np.testing.assert_allclose(found, (x + 1.0) / 2.0, rtol=1e-4, atol=1e-5)

    @parameterized.parameters(
        (("color",), (-3.0, 4.0)), (("translation",), (0.0, 1.0)), (("color", "cutout"), (-3.0, 4.0))
    )
    def test_lie_within_their_reach(self, policy, expected):
        self.assertEqual(DiffAugment("x", "x_augmented", policy).reach(0.0, 1.0), expected)
        least, most = DiffAugment("x", "x_augmented", policy).reach(0.7, 0.9)
        for seed in range(40):
            found = changed(policy, 0.7 + 0.2 * np.round(X), tf.constant([seed, 0]))
            self.assertBetween(found.min(), least, most)
            self.assertBetween(found.max(), least, most)

    def test_translation_by_hand(self):
        for x, u, found in zip(X, uniform(0, 2), changed(("translation",)), strict=True):
            down, right = int(u[0] * 7) - 3, int(u[1] * 5) - 2  # an eighth of 24 and of 17
            expected = np.full_like(x, 0.5)
            for i in range(24):
                for j in range(17):
                    if 0 <= i + down < 24 and 0 <= j + right < 17:
                        expected[i, j] = x[i + down, j + right]
            np.testing.assert_array_equal(found, expected)

    def test_cutout_by_hand(self):
        for x, u, found in zip(X, uniform(0, 2), changed(("cutout",)), strict=True):
            down, right = int(u[0] * 25), int(u[1] * 18)  # centres of 12 x 8, at each place and at the far ends
            expected = x.copy()
            expected[max(down - 6, 0) : down + 6, max(right - 4, 0) : right + 4] = 0.5
            np.testing.assert_array_equal(found, expected)

    def test_all_are_made_in_their_order_each_with_noise_of_its_own(self):
        both = changed(("cutout", "color"))
        sample = JointSample({}, {}, {"x": tf.constant(changed(("cutout",)))}, training=True)
        self.assertFalse(np.allclose(both, DiffAugment("x", "x_augmented", ("color",))(sample, SEED)["x_augmented"]))
        self.assertEqual(both.shape, X.shape)

    @parameterized.parameters("color", "translation", "cutout")
    def test_gradients_flow_to_what_is_still_seen(self, name):
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            sample = JointSample({}, {}, {"x": x}, training=True)
            y = DiffAugment("x", "x_augmented", (name,))(sample, SEED)["x_augmented"]
            total = tf.reduce_sum(tf.sin(3.0 * y))
        gradient, direction = tape.gradient(total, x), np.random.default_rng(1).normal(size=X.shape)
        ends = [self.total((name,), X + s * direction) for s in (1e-3, -1e-3)]
        self.assertAlmostEqual(float(np.sum(gradient * direction)), (ends[0] - ends[1]) / 2e-3, delta=1.0)
        self.assertGreater(np.mean(gradient != 0.0), 0.4)

    def total(self, policy, x):
        return np.sum(np.sin(3.0 * changed(policy, x.astype(np.float32)).astype(np.float64)))

    @pytest.mark.slow
    def test_a_row_does_not_depend_on_who_else_is_in_the_batch(self):
        whole = changed(("color", "translation", "cutout"))
        np.testing.assert_allclose(whole[:5], changed(("color", "translation", "cutout"), X[:5]), atol=1e-6)
        part = JointSample({}, {}, {"x": tf.constant(X[5:])}, training=True).from_row(tf.constant(5))
        np.testing.assert_allclose(whole[5:], AUGMENT(part, SEED)["x_augmented"], atol=1e-6)

    @pytest.mark.slow
    def test_draws_of_an_example_are_changed_each_by_itself(self):
        x = tf.constant(np.repeat(X[None], 3, 0))
        sample = JointSample({}, {}, {"x": tf.constant(X)}, training=True).where(axis=3, x=x)
        found = AUGMENT(sample, SEED)["x_augmented"].numpy()
        self.assertEqual(found.shape, (3, *X.shape))
        self.assertFalse(np.array_equal(found[0], found[1]))

    @parameterized.parameters((((),)), ((("flip",),)), ((("color", "color"),)))
    def test_refuses_a_policy_that_there_is_not(self, policy):
        with self.assertRaisesRegex(ValueError, "of color, translation, cutout, each at most once. Received: policy="):
            DiffAugment("x", "x_augmented", policy)

    def test_refuses_vectors(self):
        with self.assertRaisesRegex(ValueError, r"changes images, .* Received: x of shape \[2\]. Leave it out"):
            ugm_tf.networks.build(diffaugmented(ugm_tf.recipes.gan()), {"x": (2,), "z": (2,)})


class RecipesTest(parameterized.TestCase):
    def test_both_sides_are_changed_for_both_players(self):
        made = diffaugmented(ugm_tf.recipes.gan())
        self.assertEqual(made.densities, {**ugm_tf.recipes.gan().densities, "discriminator": "q(y | x_augmented)"})
        unders = [e.under for phase in made.phases for e in phase.minimise]
        self.assertEqual(unders, [DATA.then(AUGMENT), GENERATED.then(AUGMENT), GENERATED.then(AUGMENT)])

    def test_a_class_and_a_code_stay_as_they_are(self):
        recipes = ugm_tf.recipes
        judges = {n: diffaugmented(recipes.get(n)).densities["discriminator"] for n in ("conditional_gan", "bigan")}
        self.assertEqual(judges, {"conditional_gan": "q(y | x_augmented, c)", "bigan": "q(y | x_augmented, z)"})

    def test_each_domain_is_changed_before_its_discriminator_and_cycles_are_of_images_as_they_are(self):
        made = diffaugmented(ugm_tf.recipes.cyclegan())
        self.assertEqual(made.densities["target_discriminator"], "q(y | target_augmented)")
        before, after = (r.phase("generate").minimise[2:] for r in (ugm_tf.recipes.cyclegan(), made))
        self.assertEqual(before, after)

    def test_likelihoods_beside_a_discriminator_are_of_images_as_they_are(self):
        before, made = ugm_tf.recipes.vae_gan(), diffaugmented(ugm_tf.recipes.vae_gan())
        scored = [[e for e in r.expectations if e.scored] for r in (before, made)]
        self.assertEqual(*scored)

    def test_penalties_are_of_changed_images(self):
        made = diffaugmented(ugm_tf.recipes.gan(gradient_penalty=1.0, r1=1.0))
        _, _, between, r1 = made.phase("discriminate").minimise
        self.assertEqual(between.under, Interpolated(DATA.then(AUGMENT), GENERATED.then(AUGMENT)))
        self.assertEqual(r1.under, DATA.then(AUGMENT))
        self.assertEqual(made, contested(diffaugmented(ugm_tf.recipes.gan()), gradient_penalty=1.0, r1=1.0))

    def test_packs_are_of_changed_images(self):
        made = diffaugmented(ugm_tf.recipes.gan(pack=2))
        self.assertEqual(made.densities["discriminator"], "q(y | x_pack)")
        self.assertEqual(made.expectations[0].under, DATA.then(AUGMENT, Pack("x_augmented", "x_pack", 2)))
        other = packed(diffaugmented(ugm_tf.recipes.gan()), 2)
        self.assertEqual(other.expectations[0].under, DATA.then(AUGMENT, Pack("x_augmented", "x_augmented_pack", 2)))

    def test_is_weighted_before_or_after(self):
        gan = ugm_tf.recipes.gan()
        self.assertEqual(importance_weighted(diffaugmented(gan)), diffaugmented(importance_weighted(gan)))

    @parameterized.parameters(
        ("vae", "discriminators: none. Leave it out, flip or shift the data, or use a recipe such as gan"),
        ("aae", "discriminators: 'discriminator': q.y . z.. Leave it out"),
        ("avb", "discriminators: 'discriminator': q.y . x, z.. Leave it out"),  # its x are data on both sides
        ("adversarial_domain_adaptation", "codes alone.* Leave it out"),
        ("aavae", "weighs 'distortion_data', -log p.x . z., by 'discriminator', .*would bias the likelihood"),
        ("ppo_gan", "keeps the logit of 'ratio'.*use a recipe without Ask"),
    )
    def test_refuses(self, name, advice):
        with self.assertRaisesRegex(ValueError, advice):
            diffaugmented(ugm_tf.recipes.get(name))

    def test_refuses_to_augment_twice(self):
        with self.assertRaisesRegex(ValueError, "judge augmented images already. Apply diffaugmented once"):
            diffaugmented(diffaugmented(ugm_tf.recipes.gan()))

    def test_every_other_recipe_with_a_discriminator_of_images_trains_with_it(self):
        made = []
        for name in ugm_tf.recipes.names():
            try:
                made.append(diffaugmented(ugm_tf.recipes.get(name)))
            except ValueError:
                continue
        self.assertGreaterEqual(len(made), 12)
        for recipe in made:
            steps = [step for step in recipe.steps if isinstance(step, DiffAugment)]
            judged = {v for name in recipe.judges for v in recipe.roles[name].given}
            self.assertTrue(steps and {step.new for step in steps} <= judged, recipe.describe())

    def test_a_likelihood_of_changed_images_is_refused_by_name(self):
        inferred = Ancestral(("encoder", DiffAugment("x", "x")))
        wake = Phase("wake", (E(NegativeLogProb("decoder"), inferred),), ("encoder", "decoder"))
        advice = r"'wake' scores 'decoder', which is p\(x \| z\), at a x that DiffAugment.* has changed: this would be"
        with self.assertRaisesRegex(ValueError, advice):
            Recipe({"encoder": "q(z | x)", "decoder": "p(x | z)"}, (wake,))

    def test_an_encoder_may_be_given_changed_images(self):
        sees = Ancestral((AUGMENT, "encoder"))
        wake = Phase("wake", (E(NegativeLogProb("decoder"), sees),), ("encoder", "decoder"))
        recipe = Recipe({"encoder": "q(z | x_augmented)", "decoder": "p(x | z)"}, (wake,))
        self.assertIn("x_augmented = color + translation + cutout of x", recipe.describe())

    def test_another_draw_after_the_change_may_be_scored(self):
        again = Ancestral(("prior", DiffAugment("x", "x"), "decoder"))
        sleep = Phase("sleep", (E(NegativeLogProb("decoder"), again),), ("decoder",))
        Recipe({"prior": "p(z)", "decoder": "p(x | z)"}, (sleep,))

    def test_is_a_record_that_is_saved(self):
        again = dataclasses.replace(AUGMENT, policy=["color"])
        self.assertEqual(DiffAugment.from_config(again.get_config()), again)


if __name__ == "__main__":
    absltest.main()
