"""What a step of one's own is refused for: by its class, and by what it makes of a sample."""

import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra import stubs
from ugm_tf.algebra import DATA, Ancestral, Draws, Interpolated, JointSample

ROLES = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)")
X = tf.constant([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


def start():
    densities = {"prior": stubs.standard(), "encoder": stubs.shifted(), "decoder": stubs.shifted()}
    return JointSample(densities, ROLES, {"x": X}, training=True)


def step(function, name="Own", **says):
    """A step of one's own that makes a joint sample of another."""
    own = {"__call__": lambda self, given, seed: function(given), "needs": lambda self, roles: ("x",)}
    own |= {"sets": lambda self, roles: "x", **says}
    return ugm_tf.record(
        type(name, (ugm_tf.Step,), {name: value for name, value in own.items() if value is not None})
    )()


def drawn(given):
    return given.densities["encoder"].distribution(given["x"]).mean()


OF_THE_ENCODER = {"density": "encoder", "needs": None, "sets": None}


class StepTest(parameterized.TestCase):
    def refuses(self, words, function, **says):
        with self.assertRaisesRegex(ValueError, words):
            Ancestral((step(function, **says),))(start(), stubs.seed())

    def test_one_that_does_nothing(self):
        with self.assertRaisesRegex(ValueError, r"The step Own does not say what it does: define `__call__\(self, sam"):
            DATA.then(step(None, __call__=None))

    def test_a_density_that_it_does_not_name(self):
        asks = "The step Own asks the density 'encoder' and does not say so.*Give the step `density = 'encoder'`"
        says = {"sets": lambda self, roles: "z"}
        self.refuses(asks, lambda given: given.where(z=given.distribution("encoder").mean()), **says)
        self.refuses(asks, lambda given: given.where(z=drawn(given)), **says)
        self.refuses(
            "draws from 'encoder' and does not say so", lambda given: given.where(x=X + 1.0, drawn_by=("encoder",))
        )

    def test_a_variable_that_it_does_not_name(self):
        self.refuses(
            r"The step Own reads the variable 'x' and does not say so.*`needs`: \('x',\)",
            lambda given: given.where(x=-given["x"]),
            needs=lambda self, roles: (),
        )

    def test_draws_that_forget_who_drew_them(self):
        self.refuses(
            r"The step Own sets z by 'encoder' and does not say so.*drawn_by=\('encoder',\)\)`; or say outlasts = True",
            lambda given: given.where(z=drawn(given)),
            **OF_THE_ENCODER,
        )

    def test_draws_that_say_so_are_taken_and_so_are_those_under_theta_0(self):
        live = step(lambda given: given.where(z=drawn(given), drawn_by=("encoder",)), **OF_THE_ENCODER)
        held = step(
            lambda given: given.where(z=tf.stop_gradient(drawn(given))), "Held", outlasts=True, **OF_THE_ENCODER
        )
        self.assertEqual(Ancestral((live,))(start(), stubs.seed()).drawn_by, {"encoder"})
        self.assertEqual(Ancestral((held,))(start(), stubs.seed()).drawn_by, frozenset())
        self.assertEqual(Ancestral((live,)).drawn_by(), {"encoder"})
        self.assertEqual(Ancestral((held,)).drawn_by(), frozenset())
        self.assertEqual(Ancestral((live,)).detached().drawn_by(), frozenset())

    def test_another_variable_than_it_says(self):
        self.refuses(
            r"says that it sets u, and sets x. Return `sample.where\(u=...\)`, or mend `sets`",
            lambda given: given.where(x=-given["x"]),
            sets=lambda self, roles: "u",
        )
        self.refuses("says that it sets x, and sets x, u", lambda given: given.where(x=-given["x"], u=given["x"]))
        self.refuses("says that it sets u, and sets nothing", lambda given: given, sets=lambda self, roles: "u")

    @parameterized.named_parameters(
        ("half", lambda x: x[:2]),
        ("one", lambda x: x[:1]),
        ("twice", lambda x: tf.concat([x, x], 0)),
        ("none", lambda x: tf.reduce_mean(x)),
    )
    def test_another_number_of_examples(self, change):
        self.refuses(r"sets x of shape .* in a batch of 3 examples. A step keeps", lambda g: g.where(x=change(g["x"])))

    def test_another_axis_of_draws(self):
        def several(n, axis=None):
            return lambda given: given.where(z=tf.stack([drawn(given)] * n), axis=axis, drawn_by=("encoder",))

        one = lambda given: given.where(z=drawn(given), drawn_by=("encoder",))  # noqa: E731
        for function, says, words in (
            (several(5, 5), {}, r"Own says that it adds no axis of draws, and adds \[5\]"),
            (one, {"k": 5}, "says that it adds k = 5, and adds none"),
            (several(3, 3), {"k": 5}, r"says that it adds k = 5, and adds \[3\]"),
        ):
            self.refuses(words, function, **OF_THE_ENCODER, **says)
        words = r"sets 5 values of u for each example, and sets shape \[4, 3, 2\]"
        four = lambda given: given.where(u=tf.stack([given["x"]] * 4), axis=5)  # noqa: E731
        self.refuses(words, four, sets=lambda self, roles: "u", k=5)
        right = step(several(5, 5), **OF_THE_ENCODER, k=5)
        self.assertEqual(Ancestral((right,))(start(), stubs.seed()).axes, (5,))

    def test_no_sample(self):
        self.refuses(r"is to return `sample.where\(...\)`, a JointSample. Received: None", lambda given: None)

    def test_a_sample_that_was_given_what_a_step_declares_is_whole_again(self):
        after = Ancestral((step(lambda given: given.where(x=-given["x"])),))(start(), stubs.seed())
        self.assertEqual(after.distribution("encoder").mean().shape, (3, 2))

    def test_one_that_does_not_say_where_it_comes_from_is_shown_by_its_class(self):
        text = DATA.then(step(lambda given: given)).describe(ROLES, ("x",))
        self.assertEqual(text, "x ~ data, x = Own")


class SamplerTest(parameterized.TestCase):
    def sampler(self, draw, sides=(DATA,)):
        own = {"sides": sides, "each": lambda self, change: self, "draw": lambda self, draws, seed: draw(draws, seed)}
        return ugm_tf.record(type("Own", (ugm_tf.Sampler,), own))()

    @parameterized.parameters(((),), (("encoder",),), ([DATA],), ((Interpolated(DATA, DATA),),))
    def test_sides_are_ancestral_ones(self, sides):
        with self.assertRaisesRegex(ValueError, "The `sides` of the sampler Own are the Ancestral.*at least one"):
            ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), self.sampler(None, sides))

    def test_what_it_draws_is_what_its_sides_draw(self):
        for draw, sides, words in (
            (
                lambda draws, seed: draws(ugm_tf.INFERRED, seed),
                (DATA,),
                "from 'encoder', which is in none of its `sides`",
            ),
            (lambda draws, seed: draws.start, (ugm_tf.INFERRED,), "'encoder' by a side of it and does not say so"),
            (lambda draws, seed: {"x": X}, (DATA,), "is to `draw` a JointSample"),
        ):
            with self.assertRaisesRegex(ValueError, f"The sampler Own.*{words}"):
                Draws(start())(self.sampler(draw, sides), stubs.seed())

    def test_each_changes_every_side_and_nothing_else(self):
        class Own(ugm_tf.Sampler):
            left, right = ugm_tf.INFERRED, ugm_tf.GENERATED
            sides, draw = (left, right), lambda self, draws, seed: draws.start
            __eq__, __hash__ = lambda self, other: self.sides == other.sides, None

        def changed(made, sides):
            made.sides = sides
            return made

        for each, words in (
            (lambda self, change: changed(Own(), (change(self.left), self.right)), "does not change all its sides by"),
            (lambda self, change: changed(Own(), self.sides), "does not change all its sides by `each`"),
            (lambda self, change: changed(Own(), (self.left,)), "is to be itself where `each` changes nothing"),
        ):
            Own.each = each
            with self.assertRaisesRegex(ValueError, f"The sampler Own {words}"):
                Own().check()
        Own.each = lambda self, change: changed(Own(), tuple(change(side) for side in self.sides))
        with self.assertRaisesRegex(ValueError, "The sampler Own is no record"):  # what is looked at next
            Own().check()

    def test_what_others_drew_cannot_be_changed(self):
        def values(draws, seed):
            draws.start.values["x"] = 0.0 * X

        def weight(draws, seed):
            draws.start.weight = tf.ones([3])

        for draw, error in ((values, TypeError), (weight, ValueError)):
            with self.assertRaisesRegex(error, "does not support item assignment|A joint sample is not changed"):
                Draws(start())(self.sampler(draw), stubs.seed())

    def test_it_adds_no_axis_that_no_side_adds(self):
        def draw(draws, seed):
            sample = draws(ugm_tf.INFERRED, seed)
            return sample.where(z=tf.stack([sample["z"]] * 5), axis=5)

        with self.assertRaisesRegex(ValueError, "Own adds an axis of 5 values of each example, which no step of its"):
            Draws(start())(self.sampler(draw, (ugm_tf.INFERRED,)), stubs.seed())

    def test_one_that_says_no_more_shows_its_fields_and_its_sides_in_brackets(self):
        @ugm_tf.record
        class Either(ugm_tf.Sampler):
            left: ugm_tf.Sampler
            share: float = 0.25
            sides = (DATA, ugm_tf.GENERATED)

        shown = Either(DATA).describe(ROLES, ("x",))
        self.assertEqual(shown, "Either(share=0.25) of [x ~ data] and [z ~ prior, x ~ decoder]")


if __name__ == "__main__":
    absltest.main()
