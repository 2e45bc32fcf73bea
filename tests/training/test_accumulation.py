"""A batch in parts is the batch: the update, the draws, the metrics and the count of steps."""

import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.training import accumulation

X = (np.random.default_rng(0).random((32, 4)) < 0.4).astype("float32")


def made(recipe, densities=None, **options):
    keras.utils.set_random_seed(0)
    densities = densities or ugm_tf.networks.build(recipe, {"x": (4,), "z": (3,)}, hidden=(8,))
    model = ugm_tf.UnifiedModel(recipe, densities, seed=1)
    model.compile(keras.optimizers.SGD(0.1), **{"jit_compile": False, **options})
    return model


def fitted(recipe, epochs=2, **options):
    model = made(recipe, **options)
    history = model.fit(X, batch_size=16, epochs=epochs, shuffle=False, verbose=0).history
    return model, history


class SameTest(parameterized.TestCase):
    def check(self, recipe, **options):
        (whole, logs), (parts, found) = fitted(recipe, **options), fitted(recipe, accumulate=4, **options)
        for a, b in zip(whole.weights, parts.weights, strict=True):
            np.testing.assert_allclose(b, a, rtol=0, atol=1e-6)
        self.assertEqual(list(found), list(logs))
        for name, values in logs.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5)
        self.assertEqual(int(parts.steps.numpy()), 4)  # batches, not parts

    @pytest.mark.slow
    def test_four_parts_are_the_batch(self):
        self.check(ugm_tf.recipes.vae())

    @parameterized.product(
        recipe=(
            ugm_tf.recipes.gan(),
            ugm_tf.recipes.gan(discriminator_steps=2),
            ugm_tf.recipes.gan(gradient_penalty=1.0),
            ugm_tf.recipes.vae(beta="warmup(9)"),
            ugm_tf.recipes.iwae(k=6, chunk=3),
            ugm_tf.recipes.reweighted_wake_sleep(),
            ugm_tf.recipes.wake_sleep(),
        ),
        schedule=("alternating", "simultaneous"),
    )
    @pytest.mark.slow
    def test_of_every_kind_in_both_schedules(self, recipe, schedule):
        if schedule == "simultaneous" and any(phase.repeats > 1 for phase in recipe.phases):
            return
        self.check(recipe, schedule=schedule)

    @pytest.mark.slow
    def test_with_xla(self):
        self.check(ugm_tf.recipes.gan(), jit_compile=True)

    @pytest.mark.slow
    def test_goes_on_from_a_saved_model_to_the_same_bits(self):
        recipe = ugm_tf.recipes.gan()
        whole, _ = fitted(recipe, epochs=2, accumulate=2)
        model, _ = fitted(recipe, epochs=1, accumulate=2)
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/model.keras")
            again = ugm_tf.load_model(f"{folder}/model.keras")
        self.assertEqual(again.accumulate, 2)
        again.fit(X, batch_size=16, shuffle=False, verbose=0)
        for a, b in zip(whole.weights, again.weights, strict=True):
            np.testing.assert_array_equal(a, b)


class RefusedTest(parameterized.TestCase):
    @parameterized.parameters(
        (ugm_tf.recipes.iwgan(), "'generate/fool': its weight, ImportanceWeight, is normalised over the whole batch"),
        (ugm_tf.recipes.vae(free_bits=0.1), "'wake/rate': its term, KL, is normalised over the whole batch"),
        (ugm_tf.recipes.beta_tc_vae(), "'wake/total_correlation': its term, TotalCorrelation, is normalised over"),
        (ugm_tf.recipes.factor_vae(), "'discriminate/fake': Permute.* is of the whole batch. Leave out accumulate"),
        (ugm_tf.recipes.gan(pack=2), "Pack.* joins examples of the whole batch. Use pack=1"),
    )
    def test_what_is_of_the_whole_batch(self, recipe, advice):
        with self.assertRaisesRegex(ValueError, f"accumulate=4 is not for {advice}|{advice}"):
            accumulation.check(recipe, 4, "simultaneous")
        accumulation.check(recipe, 1, "simultaneous")

    def test_draws_from_before_an_update(self):
        dreams = ugm_tf.E(ugm_tf.NegativeLogProb("encoder"), ugm_tf.GENERATED.detached())
        distortion = ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), ugm_tf.INFERRED)
        sleep, wake = ugm_tf.Phase("sleep", (dreams,), "encoder"), ugm_tf.Phase("wake", (distortion,), "decoder")
        again = ugm_tf.Phase("again", (dreams,), "encoder")
        recipe = ugm_tf.Recipe({"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"}, (sleep, wake, again))
        advice = "phase 'again' in the alternating schedule: it uses draws of 'decoder' from before an update"
        with self.assertRaisesRegex(ValueError, advice):
            accumulation.check(recipe, 2, "alternating")
        accumulation.check(recipe, 2, "simultaneous")

    @parameterized.parameters("vae", "gan", "aavae", "wake_sleep", "reweighted_wake_sleep", "iwae", "vae_gan")
    def test_no_other_draws(self, name):
        accumulation.check(ugm_tf.recipes.get(name), 2, "alternating")

    def test_batches_that_are_not_in_equal_parts(self):
        with self.assertRaisesRegex(ValueError, "Received one of 10 examples: choose a batch_size that is a multiple"):
            accumulation.parts_of({"x": tf.zeros([10, 4])}, 4)

    @parameterized.parameters((45, 5, {}), (40, 4, {"validation_split": 0.1}), (5, 5, {}))
    def test_arrays_whose_last_batch_is_not_are_refused_before_a_step(self, rows, rest, options):
        recipe = ugm_tf.recipes.vae()
        densities = ugm_tf.networks.build(recipe, {"x": (4,), "z": (2,)}, hidden=(4,))
        model = ugm_tf.UnifiedModel(recipe, densities)
        model.compile("sgd", accumulate=8, jit_compile=False)
        with self.assertRaisesRegex(ValueError, f"in as many equal parts. Received .* of which one has {rest}: choose"):
            model.fit(np.zeros([rows, 4]), batch_size=8, verbose=0, **options)
        self.assertEqual(int(model.steps), 0)

    def test_layers_of_the_whole_batch(self):
        recipe = ugm_tf.recipes.gan()
        densities = ugm_tf.networks.build(
            recipe, {"x": (8, 8, 1), "z": (3,)}, network="dcgan", filters=4, kernel_size=3, normalization="batch"
        )
        with self.assertRaisesRegex(ValueError, r"whose layer '.*' \(FusedBatchNormalization\) is of the whole batch"):
            made(recipe, densities, accumulate=2)

    @parameterized.parameters(0, 1.5, True)
    def test_what_is_no_number_of_parts(self, accumulate):
        with self.assertRaisesRegex(ValueError, f"at least 1. Received: {accumulate}"):
            made(ugm_tf.recipes.vae(), accumulate=accumulate)

    def test_the_other_way_to_accumulate(self):
        model = made(ugm_tf.recipes.vae())
        with self.assertRaisesRegex(ValueError, "gradient_accumulation_steps=4 out, and use compile"):
            model.compile(keras.optimizers.Adam(gradient_accumulation_steps=4))


if __name__ == "__main__":
    absltest.main()
