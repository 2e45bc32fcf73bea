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
