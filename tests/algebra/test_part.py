"""What a term or a weight of one's own is refused for: by its class, and by what it does with a sample."""

import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra import stubs
from ugm_tf.algebra import DATA, INFERRED, Ancestral, E, JointSample

ROLES = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)")
X = tf.constant([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


def sample(sampler=INFERRED):
    densities = {"prior": stubs.standard(), "encoder": stubs.shifted(), "decoder": stubs.shifted()}
    return sampler(JointSample(densities, ROLES, {"x": X}, training=True), stubs.seed())


def part(function, base=ugm_tf.Term, name="Own", **says):
    """A part of one's own that computes a function of a sample."""
    own = {"__call__": lambda self, given: function(given), "takes": ("z",), **says}
    return ugm_tf.record(type(name, (base,), {name: value for name, value in own.items() if value is not None}))()


def square(given):
    return tf.reduce_sum(tf.square(given["z"]), -1)


class SaysTest(parameterized.TestCase):
    @parameterized.parameters((ugm_tf.Term, "term"), (ugm_tf.Weight, "weight"))
    def test_one_that_is_not_computed_is_refused(self, base, kind):
        own = part(None, base, __call__=None)
        with self.assertRaisesRegex(ValueError, rf"The {kind} Own does not say how.*define `__call__\(self, sample\)`"):
            E(own) if kind == "term" else E(part(square, name="Square"), weight=own)

    @parameterized.product(
        attribute=["takes", "scored", "conditioned", "judges"], names=["z", "xz", None, ("x", 3), {"x": 1}]
    )
    def test_names_are_a_tuple(self, attribute, names):
        own = {"__call__": lambda self, given: square(given), attribute: names}
        own = ugm_tf.record(type("Own", (ugm_tf.Term,), own))()
        with self.assertRaisesRegex(ValueError, rf"The term Own gives `{attribute}` as a tuple of names.*Received: "):
            E(own)

    def test_of_one_name_too(self):
        with self.assertRaisesRegex(ValueError, r"such as \('xz',\). Received: 'xz'"):
            E(part(square, takes="xz"))


class ReadsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("by_name", square), ("by_the_values", lambda given: tf.reduce_sum(given.values["z"], -1))
    )
    def test_a_variable_that_it_does_not_name_is_refused(self, function):
        with self.assertRaisesRegex(ValueError, "Own reads the variable 'z' and does not say so.*'z' in its `takes`"):
            part(function, takes=("x",)).value(sample())

    def test_a_density_beside_the_sample_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Own asks the density 'decoder' and does not say so"):
            part(lambda given: given.densities["decoder"].distribution(given["z"]).log_prob(X)).value(sample())

    def test_what_its_densities_take_it_may_read(self):
        own = part(lambda given: square(given) + tf.reduce_sum(given["x"], -1), takes=(), scored=("decoder",))
        self.assertEqual(own.value(sample()).shape, (3,))

    def test_what_it_sets_itself_stays_within_what_it_names(self):
        own = part(lambda given: tf.reduce_sum(given.where(z=given["z"] + 1.0)["x"], -1))
        with self.assertRaisesRegex(ValueError, "Own reads the variable 'x'"):
            own.value(sample())


class ShapeTest(parameterized.TestCase):
    @parameterized.product(
        base=[ugm_tf.Term, ugm_tf.Weight],
        found=[
            (lambda given: square(given)[:, None], r"float32 of shape \[3, 1\]"),
            (lambda given: tf.square(given["z"]), r"float32 of shape \[3, 2\]"),
            (lambda given: tf.reduce_mean(square(given)), r"float32 of shape \[\]"),
            (lambda given: square(given)[:2], r"float32 of shape \[2\]"),
            (lambda given: 1.5, r"float32 of shape \[\]"),
            (lambda given: tf.cast(square(given), tf.int32), r"int32 of shape \[3\]"),
            (lambda given: square(given) > 1.0, r"bool of shape \[3\]"),
            (lambda given: None, "None"),
            (lambda given: (square(given), square(given)), "a tuple of 2"),
        ],
    )
    def test_what_is_no_number_for_each_example_is_refused(self, base, found):
        function, words = found
        own = part(function, base)
        e = E(own, INFERRED) if base is ugm_tf.Term else E(part(square, name="Square"), INFERRED, weight=own)
        with self.assertRaisesRegex(
            ValueError, rf"Own is to give a number for each.* of shape \[3\]\. Received: {words}"
        ):
            e(sample())

    def test_several_draws_have_their_axis(self):
        drawn = sample(Ancestral(("encoder",), k=5))
        self.assertEqual(part(square).value(drawn).shape, (5, 3))
        self.assertEqual(part(lambda given: square(given)[0]).value(drawn).shape, (3,))
        with self.assertRaisesRegex(
            ValueError, r"shape \[3\], or with the axes of draws before it, \[5, 3\]. Received"
        ):
            part(lambda given: tf.transpose(square(given))).value(drawn)

    def test_an_axis_before_that_of_examples_is_that_of_the_draws(self):
        for k, function, found in (
            (5, lambda given: tf.stack([square(given)[0]] * 3), r"float32 of shape \[3, 3\]"),
            (2, lambda given: (square(given)[0], square(given)[1]), "a tuple of 2"),
        ):
            with self.assertRaisesRegex(ValueError, rf"\[{k}, 3\]\. Received: {found}"):
                part(function).value(sample(Ancestral(("encoder",), k=k)))

    def test_a_bound_of_groups_has_theirs(self):
        drawn = sample(Ancestral(("encoder",), k=6))
        bound = ugm_tf.ImportanceWeightedBound(group=2)
        self.assertEqual(bound.value(drawn).shape, (3, 3))
        self.assertEqual(ugm_tf.ImportanceWeightedBound().value(drawn).shape, (3,))

    def test_what_is_logged_is_as_many_numbers_for_each_example(self):
        for values, words in (
            (lambda self, given: (), "logs code beside it: its `values_beside` is to return a tuple.* Received: 0 of"),
            (lambda self, given: (given["z"],), r"Received: float32 of shape \[3, 2\]"),
            (lambda self, given: square(given), "Received: EagerTensor"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                E(part(square, beside=("code",), values_beside=values), INFERRED).beside(sample())
        with self.assertRaisesRegex(ValueError, r"gives `beside` as a tuple of names, such as \('code',\)"):
            E(part(square, beside="code"))

    def test_of_a_batch_of_any_size_what_is_known_is_checked(self):
        @tf.function(input_signature=[tf.TensorSpec([None, 2])])
        def run(x):
            densities = {"prior": stubs.standard(), "encoder": stubs.shifted(), "decoder": stubs.shifted()}
            drawn = DATA(JointSample(densities, ROLES, {"x": x}, training=True), stubs.seed())
            return part(lambda given: given["x"], takes=("x",)).value(drawn)

        with self.assertRaisesRegex(
            ValueError, r"floating-point of shape \[B\]. Received: float32 of shape \[None, 2\]"
        ):
            run(X)


class ShownTest(absltest.TestCase):
    def test_one_that_says_no_more_shows_its_fields(self):
        @ugm_tf.record
        class Distance(ugm_tf.Term):
            power: float = 2.0
            to: tuple[str, ...] = ("x", "z")
            takes = ("x",)

        self.assertEqual(Distance().describe(ROLES), "Distance(power=2, to=[x, z])")


if __name__ == "__main__":
    absltest.main()
