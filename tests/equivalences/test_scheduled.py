"""A scale that follows a schedule trains as constant ones do, step by step, however the steps are run."""

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table

BETA = "linear(0.5, 2.5, 4)"
EACH = (0.5, 1.0, 1.5)  # beta in the first three steps


class ScheduledTest(parameterized.TestCase):
    @parameterized.product(schedule=["alternating", "simultaneous"], name=["vae", "aavae"])
    @pytest.mark.slow
    def test_gradients_are_those_of_constant_scales(self, schedule, name):
        """After a step of SGD(1) the weights differ from those before by the gradient."""
        options = {"optimizer": keras.optimizers.SGD(1.0), "schedule": schedule}
        warming = table.model(name, {"beta": BETA}, table.dense, **options)
        batches = list(table.dataset(warming.recipe))
        for step, beta in enumerate(EACH):
            constant = table.model(name, {"beta": beta}, table.dense, **options)
            constant.set_weights(warming.get_weights())  # the number of steps among them
            warming.run_phases(batches[step])
            constant.run_phases(batches[step])
            for left, right in zip(warming.get_weights(), constant.get_weights(), strict=True):
                np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6)

    @pytest.mark.slow
    def test_the_scale_is_a_metric_and_evaluation_has_that_of_the_step(self):
        model = table.model("vae", {"beta": BETA}, table.dense)
        data = table.dataset(model.recipe)
        history = model.fit(data, epochs=1, verbose=0).history
        self.assertAlmostEqual(history["wake/rate_scale"][0], np.mean(EACH), places=6)
        found = model.evaluate(data, verbose=0, return_dict=True)
        self.assertEqual(found["wake/rate_scale"], 2.0)  # of the fourth step, which would come next
        self.assertAlmostEqual(found["wake/loss"], found["wake/distortion"] + 2.0 * found["wake/rate"], places=3)

    @pytest.mark.slow
    def test_several_steps_in_one_compiled_program_are_those_one_by_one(self):
        ends = []
        for options in ({"steps_per_execution": 3, "jit_compile": True}, {}):
            model = table.model("vae", {"beta": BETA}, table.dense, **options)
            model.fit(table.dataset(model.recipe), epochs=2, verbose=0)
            ends.append(model.get_weights())
        for left, right in zip(*ends, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)

    @pytest.mark.slow
    def test_a_constant_schedule_is_the_constant(self):
        one, other = (
            table.model("vae", {"beta": beta}, table.dense) for beta in (1.5, ugm_tf.schedules.linear(1.5, 1.5, 7))
        )
        for model in (one, other):
            model.fit(table.dataset(model.recipe), verbose=0)
        table.assert_same(table.state(one), table.state(other))


if __name__ == "__main__":
    absltest.main()
