"""Functions that are made at one line of the source, once for each model, are no retracing."""

import tensorflow as tf
from absl.testing import absltest

import ugm_tf
from ugm_tf.traced import traced

RETRACING = r"triggered tf\.function retracing"


def by(decorate):
    """Several functions of one line of the source, each called once."""
    for i in range(10):
        decorate(lambda x, i=i: x + i)(tf.constant(1.0))


class TracedTest(absltest.TestCase):
    def test_tensorflow_takes_many_functions_for_one(self):
        with self.assertLogs("tensorflow", "WARNING") as logs:
            by(lambda f: tf.function(f, autograph=False))
        self.assertRegex(logs.output[0], RETRACING)

    def test_each_counts_by_itself(self):
        with self.assertNoLogs("tensorflow", "WARNING"):
            by(traced())

    def test_one_that_is_traced_again_and_again_is_said(self):
        function = traced()(lambda x: x)
        with self.assertLogs("tensorflow", "WARNING") as logs:
            for i in range(10):
                function(i)
        self.assertRegex(logs.output[0], RETRACING)

    def test_questions_to_many_models(self):
        recipe = ugm_tf.recipes.gan()
        with self.assertNoLogs("tensorflow", "WARNING"):
            for _ in range(7):
                densities = ugm_tf.networks.build(recipe, {"x": (2,), "z": (3,)}, hidden=(2,))
                ugm_tf.UnifiedModel(recipe, densities).sample(2)


if __name__ == "__main__":
    absltest.main()
