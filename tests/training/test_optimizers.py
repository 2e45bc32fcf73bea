"""`compile` takes what the phases need, and refuses the rest by its name."""

import keras
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

    def test_each_phases_optimizer_has_slots_for_its_variables_alone(self):
        model = uncompiled(gan())
        model.compile("adam")
        for phase in model.recipe.phases:
            counts = 2 * len(model.joint.variables_of(phase)) + 2  # two moments each, iterations, learning rate
            self.assertLen(model.optimizers[phase.name].variables, counts)
        self.assertIsNone(model.optimizer)  # no spare one with slots for all

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


if __name__ == "__main__":
    absltest.main()
