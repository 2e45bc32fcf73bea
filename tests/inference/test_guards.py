"""Values that a model has no answer to: their row is NaN, and the other rows are as without them."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.inference import guards

SHAPES = {"x": (2, 2, 1), "z": (3,), "c": (4,), "u": (2,), "h": (3,)}
NAN, INF = float("nan"), float("inf")


def model(name, **options):
    recipe = ugm_tf.recipes.get(name)
    return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(5,), **options))


class RulesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("vae", {"likelihood": "bernoulli"}, {"x": "in [0, 1]", "z": "finite"}),
        ("vae", {"likelihood": "laplace"}, {"x": "finite"}),
        ("gan", {}, {"x": "in [0, 1]"}),  # its decoder ends in a sigmoid
        ("conditional_vae", {}, {"c": "one-hot rows"}),
        ("infogan", {}, {"c": "probabilities that sum to 1"}),  # a code: its encoder answers probabilities
        ("predictability_minimization", {}, {"z": "in [0, 1]"}),
    )
    def test_values_lie_where_the_densities_say(self, name, options, expected):
        found = guards.rules(model(name, **options).joint, expected)
        self.assertEqual({variable: rule.text for variable, rule in found.items()}, expected)

    @parameterized.parameters(
        ("one_hot", [[0, 1, 0], [0, 1, 1], [0, 0, 0], [0.5, 0.5, 0], [NAN, 1, 0], [-7, 8, 0]], [1, 0, 0, 0, 0, 0]),
        ("simplex", [[0, 1, 0], [0.5, 0.25, 0.25], [0.5, 0.5, 0.5], [2, -1, 0], [NAN, 0, 1]], [1, 1, 0, 0, 0]),
        ("label", [0, 3, -1, 0.5, NAN, INF], [1, 1, 0, 0, 0, 0]),
        ("unit", [[0, 1], [0.2, 1.0000001], [0, 1.1], [-0.1, 0], [255, 0], [NAN, 0], [INF, 0]], [1, 1, 0, 0, 0, 0, 0]),
        ("real", [[0, -1e30], [INF, 0], [0, NAN]], [1, 0, 0]),
    )
    def test_a_rule_holds_by_rows(self, support, values, expected):
        holds = guards._RULES[support].holds(tf.constant(values, tf.float32))
        np.testing.assert_array_equal(holds, np.array(expected, bool))


class MaskedTest(parameterized.TestCase):
    def test_a_bad_row_is_nan_and_the_others_are_as_they_were(self):
        of = model("conditional_vae")
        rng = np.random.default_rng(0)
        x, c = rng.integers(0, 2, [5, 2, 2, 1]).astype(np.float32), np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0]]
        encode = tf.function(lambda x, c: of.encode(x, c=c), autograph=False)
        good = encode(x, c).numpy()
        x[1, 0, 0], c[3] = NAN, 0.5
        answers = encode(x, c).numpy()
        with self.assertRaisesRegex(ValueError, r"1 NaN or infinite in 1 of 5 rows, first in row 1"):
            of.encode(x, c=c)
        np.testing.assert_array_equal(np.isnan(answers).all(-1), [False, True, False, True, False])
        np.testing.assert_array_equal(np.isnan(answers).any(-1), [False, True, False, True, False])
        np.testing.assert_allclose(answers[[0, 2, 4]], good[[0, 2, 4]], rtol=1e-6)

    @parameterized.parameters(NAN, INF)
    def test_dense_layers_make_no_number_of_nan(self, bad):
        of = model("vae")
        for method, shape in ((of.encode, (2, 2, 2, 1)), (of.decode, (2, 3)), (of.reconstruct, (2, 2, 2, 1))):
            values = np.full(shape, bad, np.float32)
            self.assertTrue(np.isnan(tf.function(method, autograph=False)(values)).all())
            with self.assertRaisesRegex(ValueError, "NaN or infinite in 2 of 2 rows"):
                method(values)

    def test_ok_says_which_rows_have_an_answer(self):
        of = model("vae")
        endpoint = guards.masked(of.joint, of.endpoints()["decode"])
        out = endpoint.function(z=tf.constant([[0.0, 0, 0], [NAN, 0, 0]]))
        np.testing.assert_array_equal(out["ok"], [True, False])
        sample = guards.masked(of.joint, of.endpoints()["sample"])
        np.testing.assert_array_equal(sample.function(seed=tf.zeros([2, 2], tf.int32))["ok"], [True, True])


if __name__ == "__main__":
    absltest.main()
