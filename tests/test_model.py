"""The model: its parts, its arguments, and what it refuses; what it does over all recipes is in conformance/."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import GENERATED, INFERRED, Ancestral, E, NegativeLogProb, Phase, Recipe
from ugm_tf.recipes import gan, vae

X = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype(np.float32)


def built(recipe, seed=0, **options):
    keras.utils.set_random_seed(3)
    densities = ugm_tf.networks.build(recipe, {"x": (4, 4, 1), "z": (3,)}, hidden=(4,), **options)
    return ugm_tf.UnifiedModel(recipe, densities, seed=seed)


class PartsTest(parameterized.TestCase):
    def test_densities_are_attributes_by_their_names(self):
        model = built(vae())
        self.assertEqual(list(model.densities), ["prior", "encoder", "decoder"])
        self.assertIs(model.decoder, model.densities["decoder"])

    def test_a_phase_changes_the_variables_of_what_it_updates(self):
        model = built(gan())
        discriminate, generate = model.recipe.phases
        self.assertEqual(model.joint.variables_of(generate), model.decoder.trainable_variables)
        self.assertEqual(model.joint.variables_of(discriminate), model.discriminator.trainable_variables)

    @pytest.mark.slow
    def test_a_frozen_density_does_not_learn(self):
        model = built(vae())
        model.decoder.trainable = False
        model.compile("adam", jit_compile=False)
        before = [d.get_weights() for d in (model.encoder, model.decoder)]
        model.fit(X, verbose=0)
        np.testing.assert_array_equal(before[1][0], model.decoder.get_weights()[0])
        self.assertGreater(np.abs(before[0][0] - model.encoder.get_weights()[0]).max(), 0.0)

    def test_describes_itself_as_its_recipe(self):
        self.assertEqual(built(gan()).describe(), gan().describe())

    def test_refuses_a_recipe_by_its_name(self):
        advice = r"takes a Recipe, such as ugm_tf.recipes.get\('vae'\). Received: 'vae'"
        with self.assertRaisesRegex(ValueError, advice):
            ugm_tf.UnifiedModel("vae", {})

    @parameterized.parameters("sample", "fit", "optimizers", "name", "steps")
    def test_refuses_a_density_that_would_hide_a_part_of_a_keras_model(self, name):
        wake = Phase("wake", (E(NegativeLogProb(name), ugm_tf.DATA),), name)
        recipe = Recipe({name: "p(c | x)"}, (wake,), ("x", "c"))
        densities = ugm_tf.networks.build(recipe, {"x": (2,), "c": (3,)}, likelihood="one_hot")
        with self.assertRaisesRegex(ValueError, f"A density cannot be called '{name}'.*Rename "):
            ugm_tf.UnifiedModel(recipe, densities)


class SeedTest(absltest.TestCase):
    def losses(self, seed):
        model = built(vae(), seed=seed)
        model.compile(keras.optimizers.SGD(0.0), jit_compile=False)  # weights stand still: only draws differ
        history = model.fit(X, batch_size=8, epochs=2, shuffle=False, verbose=0).history["wake/distortion"]
        return [*history, model.evaluate(X, batch_size=8, verbose=0, return_dict=True)["wake/distortion"]]

    def test_is_a_whole_number_of_32_bits(self):
        model = built(vae(), seed=np.int64(-(2**31)))
        for wrong in (2**31, -(2**31) - 1, 1.5, "a", None, True):
            with self.assertRaisesRegex(ValueError, r"UnifiedModel\(\) takes seed, a whole number from -2147483648 to"):
                built(vae(), seed=wrong)
            with self.assertRaisesRegex(ValueError, "A model takes seed, a whole number from"):
                model.seed = wrong
        self.assertEqual(model.seed, -(2**31))

    def test_fixes_every_draw(self):
        self.assertEqual(self.losses(5), self.losses(5))

    @pytest.mark.slow
    def test_another_seed_another_step_and_evaluation_draw_otherwise(self):
        self.assertLen({*self.losses(5), *self.losses(6)}, 6)

    @pytest.mark.slow
    def test_phases_and_expectations_draw_otherwise(self):
        # Four expectations of one value: at one seed they differ by their draws alone.
        def wake(name):
            nats = (E(NegativeLogProb("decoder"), Ancestral(("encoder",), k=k), name=f"k{k}") for k in (1, 2))
            return Phase(name, tuple(nats), ("encoder", "decoder"))

        recipe = Recipe({"encoder": "q(z | x)", "decoder": "p(x | z)"}, (wake("first"), wake("second")))
        model = built(recipe, families_by_name={"encoder": "gaussian"})
        model.compile(keras.optimizers.SGD(0.0), jit_compile=False, steps_per_execution=1)
        metrics = model.train_on_batch(X, return_dict=True)
        self.assertLen({value for name, value in metrics.items() if not name.endswith("/loss")}, 4)


class FitTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.model = built(vae())

    def test_refuses_to_train_before_it_is_compiled(self):
        with self.assertRaisesRegex(ValueError, r"You must call `compile\(\)`"):
            self.model.fit(X)

    @parameterized.parameters("class_weight", "sample_weight")
    def test_refuses_weights_of_examples(self, name):
        self.model.compile("adam", jit_compile=False)
        advice = r"takes no class_weight and no sample_weight.*Expectation\(weight=...\)"
        with self.assertRaisesRegex(ValueError, advice):
            self.model.fit(X, **{name: {0: 1.0} if name == "class_weight" else np.ones(8)})

    def test_refuses_weights_in_evaluation(self):
        self.model.compile("adam", jit_compile=False)
        with self.assertRaisesRegex(ValueError, r"evaluate\(\) takes no sample_weight"):
            self.model.evaluate(X, sample_weight=np.ones(8))

    @pytest.mark.slow
    def test_a_weight_of_examples_is_a_weight_of_an_expectation(self):
        @ugm_tf.record
        class Twice(ugm_tf.Weight):
            takes = ("x",)

            def __call__(self, sample):
                return 2.0 * tf.ones([tf.shape(sample["x"])[0]])

        def recipe(weight):
            nats = E(NegativeLogProb("decoder"), INFERRED, weight=weight, name="nats")
            wake = Phase("wake", (nats,), ("encoder", "decoder"))
            return Recipe({"encoder": "q(z | x)", "decoder": "p(x | z)"}, (wake,))

        nats = []
        for weight in (None, Twice()):
            model = built(recipe(weight))
            model.compile("adam", jit_compile=False)
            nats.append(model.evaluate(X, verbose=0, return_dict=True)["wake/nats"])
        self.assertAlmostEqual(nats[1], 2.0 * nats[0], places=4)

    def test_a_summary_counts_the_weights(self):
        lines = []
        self.model.summary(print_fn=lambda line, **_: lines.append(line))
        # encoder 16 * 4 + 4, 4 * 6 + 6; decoder 3 * 4 + 4, 4 * 16 + 16; and the number of steps
        self.assertEqual(self.model.count_params(), 68 + 30 + 16 + 80 + 1)
        self.assertRegex("\n".join(lines), "encoder.*\n.*decoder|decoder")

    @pytest.mark.slow
    def test_repeats_are_steps_of_a_phase_on_fresh_draws(self):
        discriminate, generate = gan().phases
        phases = (Phase("discriminate", discriminate.minimise, discriminate.updates, repeats=3), generate)
        model = built(Recipe(gan().densities, phases))
        model.compile("adam", jit_compile=False)
        model.fit(X, batch_size=4, verbose=0)
        self.assertEqual(int(model.optimizers["discriminate"].iterations), 6)
        self.assertEqual(int(model.optimizers["generate"].iterations), 2)
        self.assertEqual(int(model.steps), 2)

    def test_a_phase_that_stands_several_times_runs_as_often(self):
        phases = gan().phases
        model = built(Recipe(gan().densities, (*phases, *phases, phases[0])))
        model.compile("adam", run_eagerly=True)
        model.run_phases(X)
        self.assertEqual(int(model.optimizers["discriminate"].iterations), 3)
        self.assertEqual(int(model.optimizers["generate"].iterations), 2)
        self.assertEqual(int(model.steps), 1)
        names = [metric.name for metric in model.metrics]
        self.assertEqual(names, [metric.name for metric in built(gan()).metrics])


class HeldTest(parameterized.TestCase):
    """Within a step, what is held fixed under theta_0 outlasts the updates of what drew it."""

    def seen(self, under, moves=3):
        """x at each of several moves of the decoder in one step, as a term sees it."""
        seen = []

        @ugm_tf.record
        class Look(ugm_tf.Term):
            takes = ("x",)

            def __call__(self, sample):
                seen.append(sample["x"].numpy())
                return tf.zeros([8])

        @ugm_tf.record
        class Pull(ugm_tf.Term):
            takes = ("x",)

            def __call__(self, sample):
                return tf.reduce_sum(tf.square(sample["x"] - 1.0), (1, 2, 3))

        move = Phase("move", (E(Look(), under), E(Pull(), under.then("decoder"))), ("decoder",))
        densities = {"prior": "p(z)", "decoder": "p(x | z)"}
        model = built(Recipe(densities, (move,) * moves))
        model.compile(keras.optimizers.SGD(0.5), jit_compile=False, run_eagerly=True)
        model.run_phases(X)
        return seen

    def test_held_draws_stay(self):
        one, two, three = self.seen(GENERATED.detached())
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)

    def test_others_are_drawn_anew(self):
        one, two, _ = self.seen(GENERATED)
        self.assertGreater(np.abs(one - two).max(), 1e-3)

    def test_the_code_stays_and_the_example_moves_where_the_code_alone_is_held(self):
        one, two, three = self.seen(Ancestral(("prior",)).detached().then("decoder"))
        self.assertLess(np.mean((two - 1.0) ** 2), np.mean((one - 1.0) ** 2))
        self.assertLess(np.mean((three - 1.0) ** 2), np.mean((two - 1.0) ** 2))


if __name__ == "__main__":
    absltest.main()
