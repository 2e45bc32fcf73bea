"""`compile` takes what the phases need, and refuses the rest by its name."""

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.recipes import gan, vae


def uncompiled(recipe):
    densities = ugm_tf.networks.build(recipe, {"x": (4, 4, 1), "z": (3,)}, hidden=(4,))
    return ugm_tf.UnifiedModel(recipe, densities)


class CompileTest(parameterized.TestCase):
    def test_each_phase_gets_a_copy_of_one_optimizer(self):
        model, given = uncompiled(gan()), keras.optimizers.Adam(3e-4, beta_1=0.5)
        model.compile(given)
        for optimizer in model.optimizers.values():
            self.assertIsNot(optimizer, given)
            self.assertEqual(optimizer.get_config()["beta_1"], 0.5)
        self.assertIsNot(*model.optimizers.values())
        self.assertFalse(given.built)

    def test_a_copy_excludes_the_same_weights_from_decay(self):
        model, given = uncompiled(vae()), keras.optimizers.AdamW(1e-8, weight_decay=1e6)
        given.exclude_from_weight_decay(var_names=["kernel", "bias"])
        model.compile(keras.optimizers.LossScaleOptimizer(given), jit_compile=False)
        before = model.decoder.get_weights()
        model.train_on_batch(np.ones([8, 4, 4, 1]))
        for old, new in zip(before, model.decoder.get_weights(), strict=True):
            np.testing.assert_allclose(new, old, atol=1e-6)

    def test_each_phases_optimizer_has_slots_for_its_variables_alone(self):
        model = uncompiled(gan())
        model.compile("adam")
        for phase in model.recipe.phases:
            counts = 2 * len(model.joint.variables_of(phase)) + 2  # two moments each, iterations, learning rate
            self.assertLen(model.optimizers[phase.name].variables, counts)
        of_phases = [v for optimizer in model.optimizers.values() for v in optimizer.variables]
        self.assertEqual(list(map(id, model.optimizer.variables)), list(map(id, of_phases)))  # no spare one for all

    def test_phases_take_optimizers_of_their_own(self):
        model = uncompiled(gan())
        model.compile({"discriminate": "sgd", "generate": keras.optimizers.Adam(1e-4)})
        self.assertIsInstance(model.optimizers["discriminate"], keras.optimizers.SGD)
        self.assertAlmostEqual(float(model.optimizers["generate"].learning_rate), 1e-4)

    def test_compiling_anew_with_its_own_optimizers_keeps_them(self):
        model = uncompiled(gan())
        model.compile("adam")
        before = dict(model.optimizers)
        model.compile(model.optimizers, schedule="simultaneous")
        self.assertEqual(model.optimizers, before)

    def test_refuses_phases_without_an_optimizer_and_optimizers_without_a_phase(self):
        advice = "one for each phase: discriminate, generate. Missing: generate. Not used: generator"
        with self.assertRaisesRegex(ValueError, advice):
            uncompiled(gan()).compile({"discriminate": "adam", "generator": "adam"})

    @parameterized.parameters((None,), ({"discriminate": "adam", "generate": None},))
    def test_refuses_none_as_an_optimizer(self, optimizer):
        with self.assertRaisesRegex(ValueError, "A model is compiled with an optimizer, or a dict .*Received: None"):
            uncompiled(gan()).compile(optimizer)

    def test_refuses_one_optimizer_for_two_phases(self):
        adam = keras.optimizers.Adam()
        with self.assertRaisesRegex(ValueError, "Two phases cannot share one optimizer.*Make two"):
            uncompiled(gan()).compile({"discriminate": adam, "generate": adam})

    @parameterized.parameters(
        ({"loss": "mse"}, r"compile\(\) does not take loss: .* the recipe's phases"),
        ({"metrics": ["mse"], "loss_weights": [1.0]}, r"does not take loss_weights, metrics"),
        ({"schedule": "both"}, r"schedule is 'alternating' or 'simultaneous'. Received: 'both'"),
        ({"jit_compile": "yes"}, r"jit_compile is True, False or 'auto'. Received: 'yes'"),
        ({"steps_per_execution": 0}, r"steps_per_execution is 'auto' or at least 1. Received: 0"),
        ({"steps_per_execution": 2.5}, r"steps_per_execution is 'auto' or at least 1. Received: 2.5"),
        ({"run_eagerly": "yes"}, r"run_eagerly is True or False. Received: 'yes'"),
        ({"check_values": 1}, r"check_values is True or False. Received: 1"),
    )
    def test_refuses(self, arguments, advice):
        with self.assertRaisesRegex(ValueError, advice):
            uncompiled(vae()).compile("adam", **arguments)

    def test_a_phase_that_runs_several_times_has_one_optimizer(self):
        phases = gan().phases * 2
        model = uncompiled(ugm_tf.Recipe(gan().densities, phases))
        model.compile({"discriminate": "sgd", "generate": "adam"})
        self.assertEqual(list(model.optimizers), ["discriminate", "generate"])
        self.assertIsInstance(model.optimizers["discriminate"], keras.optimizers.SGD)

    def test_refuses_a_phase_that_runs_several_times_at_the_same_parameters(self):
        model = uncompiled(ugm_tf.Recipe(gan().densities, (*gan().phases, gan().phases[0])))
        with self.assertRaisesRegex(ValueError, "Phase 'discriminate' runs several times in a step.*use 'alternating'"):
            model.compile("adam", schedule="simultaneous")
        model.compile("adam")

    def test_refuses_repeats_at_the_same_parameters(self):
        discriminate, generate = gan().phases
        phases = (ugm_tf.Phase(discriminate.name, discriminate.minimise, discriminate.updates, repeats=3), generate)
        model = uncompiled(ugm_tf.Recipe(gan().densities, phases))
        with self.assertRaisesRegex(ValueError, "Phase 'discriminate' runs several times.*use 'alternating'"):
            model.compile("adam", schedule="simultaneous")
        model.compile("adam")

    def test_each_is_named_after_its_phase(self):
        model = uncompiled(gan())
        for given in ("adam", {"discriminate": "sgd", "generate": "sgd"}):
            model.compile(given)
            self.assertEqual([o.name for o in model.optimizer.optimizers], ["discriminate", "generate"])

    @pytest.mark.slow
    def test_one_phase_takes_what_has_no_config(self):
        for rate in (lambda: 0.5, Unregistered()):
            model = uncompiled(vae())
            model.compile(keras.optimizers.SGD(rate), jit_compile=False)
            before = model.decoder.get_weights()
            model.train_on_batch(np.ones([8, 4, 4, 1]))
            self.assertGreater(np.abs(before[-1] - model.decoder.get_weights()[-1]).max(), 0.1)

    @pytest.mark.slow
    def test_several_phases_take_it_in_a_dict(self):
        for rate in (lambda: 0.5, Unregistered()):
            advice = (
                "Each phase gets a copy of the optimizer by its config, and this SGD has none that can be read.* Give "
                "a dict with an optimizer of its own for each phase: discriminate, generate"
            )
            with self.assertRaisesRegex(ValueError, advice):
                uncompiled(gan()).compile(keras.optimizers.SGD(rate))
            model = uncompiled(gan())
            model.compile({phase.name: keras.optimizers.SGD(rate) for phase in gan().phases}, jit_compile=False)
            model.train_on_batch(np.ones([8, 4, 4, 1]))


class Unregistered(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.5

    def get_config(self):
        return {}


class LossScaleTest(parameterized.TestCase):
    """Where a loss is scaled, for float16's sake, a step is what it is without."""

    def change(self, optimizer, recipe=None, **options):
        keras.utils.set_random_seed(3)
        model = uncompiled(recipe or vae())
        model.compile(optimizer, **{"jit_compile": False, **options})
        before = model.decoder.get_weights()
        model.train_on_batch(np.ones([8, 4, 4, 1]))
        return model, [after - old for after, old in zip(model.decoder.get_weights(), before, strict=True)]

    @parameterized.parameters(
        {}, {"jit_compile": True}, {"schedule": "simultaneous"}, {"recipe": gan()}, {"run_eagerly": True}
    )
    @pytest.mark.slow
    def test_a_step_is_the_same(self, **options):
        _, expected = self.change(keras.optimizers.SGD(0.1), **options)
        scaled = (
            keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1024.0),
            keras.optimizers.SGD(0.1, loss_scale_factor=1024.0),
        )
        for optimizer in scaled:
            model, found = self.change(optimizer, **options)
            self.assertEqual(int(model.optimizers[model.recipe.phases[-1].name].iterations), 1)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-8)

    @pytest.mark.slow
    def test_its_averages_forget_the_first_weights_as_others_do(self):
        def average(wrap):
            one = wrap(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.999))
            model, _ = self.change(one)
            for _ in range(5):
                model.train_on_batch(np.ones([8, 4, 4, 1]))
            with model.averaged():
                return model.decoder.get_weights()

        plain, scaled = average(lambda one: one), average(keras.optimizers.LossScaleOptimizer)
        for a, b in zip(plain, scaled, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-7)

    @pytest.mark.slow
    def test_a_step_that_overflows_is_left_out(self):
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1e38)
        model, found = self.change(optimizer, vae(beta=1e6))  # the encoder's gradient is above 10 without the scale
        self.assertEqual(max(np.abs(part).max() for part in found), 0.0)
        self.assertEqual(int(model.steps), 1)
        self.assertAlmostEqual(float(model.optimizers["wake"].dynamic_scale) / 5e37, 1.0, places=5)

    @pytest.mark.slow
    def test_float16_has_its_losses_scaled_by_itself(self):
        keras.config.set_dtype_policy("mixed_float16")
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        model, found = self.change("adam", gan())
        for optimizer in model.optimizers.values():
            self.assertIsInstance(optimizer, keras.optimizers.LossScaleOptimizer)
        self.assertGreater(min(np.abs(part).max() for part in found), 0.0)
        path = self.create_tempdir().full_path + "/m.keras"
        model.save(path)
        loaded = ugm_tf.load_model(path)
        for name, optimizer in model.optimizers.items():
            for a, b in zip(optimizer.variables, loaded.optimizers[name].variables, strict=True):
                np.testing.assert_array_equal(a, b)

    def test_its_averages_are_those_of_the_optimizer_within(self):
        within = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
        model, _ = self.change(keras.optimizers.LossScaleOptimizer(within, initial_scale=8.0))
        with model.averaged():
            model.sample(2)


if __name__ == "__main__":
    absltest.main()
