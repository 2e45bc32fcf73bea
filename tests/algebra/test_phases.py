import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra import stubs
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    Ancestral,
    DiscriminatorLoss,
    Draws,
    E,
    Expectation,
    Interpolated,
    JointSample,
    Mean,
    NegativeLogProb,
    Phase,
    adversarial,
)

ROLES = stubs.roles(prior="p(z)", decoder="p(x | z)", encoder="q(z | x)", discriminator="q(y | x)")
X = tf.constant([[1.0], [3.0], [5.0]])


def start(weight=None):
    densities = {
        "prior": stubs.standard(1),
        "decoder": stubs.point(),
        "encoder": stubs.shifted(),
        "discriminator": stubs.judge(lambda x: x[..., 0]),
    }
    return JointSample(densities, ROLES, {"x": X}, training=True, weight=weight)


@ugm_tf.record
class XOf(ugm_tf.Term):
    takes = ("x",)

    def __call__(self, sample):
        return sample["x"][..., 0]


@ugm_tf.record
class WeightByX(ugm_tf.Weight):
    takes = ("x",)

    def __call__(self, sample):
        return sample["x"][..., 0]


@ugm_tf.record
class Given(ugm_tf.Weight):
    values: tuple[float, ...]
    takes = ()

    def __call__(self, sample):
        return tf.constant(self.values)


x_of, by_x = XOf(), WeightByX()


class ExpectationTest(absltest.TestCase):
    def test_is_the_mean_of_the_term(self):
        self.assertEqual(E(x_of)(start()).numpy(), 3.0)

    def test_the_mean_is_over_draws_too(self):
        sample = start().where(x=tf.reshape(tf.range(6.0), [2, 3, 1]), axis=2)
        self.assertEqual(E(x_of)(sample).numpy(), 2.5)

    def test_weights_multiply_the_term(self):
        self.assertEqual(E(x_of, weight=Given((1.0, 0.0, 2.0)))(start()).numpy(), 11.0 / 3)

    def test_so_do_those_of_an_exact_sum(self):
        weighted = start(tf.constant([1.0, 2.0, 0.0]))
        self.assertAlmostEqual(E(x_of)(weighted).numpy(), 7.0 / 3, places=6)
        self.assertAlmostEqual(E(x_of, weight=by_x)(weighted).numpy(), (1.0 + 2 * 9.0) / 3, places=6)

    def test_no_gradient_flows_through_the_weight(self):
        with tf.GradientTape() as tape:
            x = tf.constant(X)
            tape.watch(x)
            value = E(x_of, weight=by_x)(start().where(x=x))
        np.testing.assert_allclose(tape.gradient(value, x), X / 3)  # and not 2 X / 3

    def test_gradients_flow_through_the_weight_of_an_exact_sum(self):
        with tf.GradientTape() as tape:
            weight = tf.constant([1.0, 1.0, 1.0])
            tape.watch(weight)
            value = E(x_of)(start(weight))
        np.testing.assert_allclose(tape.gradient(value, weight), X[:, 0] / 3)

    def test_the_scale_is_left_to_the_phase(self):
        self.assertEqual(E(x_of, scale=7.0)(start()).numpy(), 3.0)

    def test_label_is_the_name_or_that_of_the_term(self):
        self.assertEqual(E(NegativeLogProb("decoder"), name="distortion").label, "distortion")
        self.assertEqual(E(NegativeLogProb("decoder")).label, "decoder")
        self.assertEqual(E(x_of).label, "xof")

    def test_e_is_short_for_it(self):
        self.assertIs(E, Expectation)


class PhaseTest(absltest.TestCase):
    def phase(self):
        return Phase(
            "mixed", (E(x_of, name="data"), E(x_of, GENERATED, scale=-2.0, name="generated")), updates=("decoder",)
        )

    def test_values_are_named_by_phase_and_term(self):
        values = self.phase().values(Draws(start()), (0, 0))
        self.assertEqual(list(values), ["mixed/data", "mixed/generated"])
        self.assertEqual(values["mixed/data"].numpy(), 3.0)

    def test_loss_is_the_sum_of_values_times_scales(self):
        self.assertEqual(
            self.phase().loss({"mixed/data": tf.constant(3.0), "mixed/generated": tf.constant(5.0)}).numpy(), -7.0
        )

    def test_expectations_under_equal_samplers_share_draws(self):
        sample = start()
        phase = Phase(
            "p", (E(x_of, GENERATED, name="a"), E(x_of, Ancestral(("prior", "decoder")), name="b")), ("decoder",)
        )
        values = phase.values(Draws(sample), (0, 0))
        self.assertEqual(values["p/a"].numpy(), values["p/b"].numpy())
        self.assertLen(sample.densities["decoder"].asked, 1)

    def test_expectations_under_other_samplers_have_noise_of_their_own(self):
        other = E(x_of, Ancestral(("prior", "decoder"), k=1), name="b")
        values = Phase("p", (E(x_of, GENERATED, name="a"), other), ("decoder",)).values(Draws(start()), (0, 0))
        self.assertNotEqual(values["p/a"].numpy(), values["p/b"].numpy())

    def test_what_was_drawn_before_is_used_and_what_is_drawn_is_added(self):
        draws = Draws(start())
        first = self.phase().values(draws, (0, 0))
        self.assertIn(GENERATED, draws)
        again = self.phase().values(draws, (9, 9))
        self.assertEqual(first["mixed/generated"].numpy(), again["mixed/generated"].numpy())
        fresh = self.phase().values(Draws(start()), (9, 9))
        self.assertNotEqual(first["mixed/generated"].numpy(), fresh["mixed/generated"].numpy())

    def test_one_updated_density_may_be_given_by_name(self):
        self.assertEqual(Phase("p", (E(x_of),), "decoder").updates, ("decoder",))

    def test_lists_are_as_good_as_tuples(self):
        self.assertEqual(Phase("p", [E(x_of)], ["decoder"]), Phase("p", (E(x_of),), ("decoder",)))


class AdversarialTest(parameterized.TestCase):
    def test_the_paired_phases_of_a_gan(self):
        discriminate, generate = adversarial(fake=GENERATED, updates=("decoder",))
        self.assertEqual(
            discriminate,
            Phase(
                "discriminate",
                (E(DiscriminatorLoss(1), DATA, name="real"), E(DiscriminatorLoss(0), GENERATED, name="fake")),
                ("discriminator",),
            ),
        )
        fool = E(DiscriminatorLoss(0, reverse=True), GENERATED, name="fool")
        self.assertEqual(generate, Phase("generate", (fool,), ("decoder",)))

    def test_where_what_learns_draws_both_sides_it_fools_on_both(self):
        _, generate = adversarial(fake=GENERATED, real=INFERRED, updates=("decoder", "encoder"))
        self.assertEqual(generate.minimise[1:], (E(DiscriminatorLoss(1, reverse=True), INFERRED, name="fool_real"),))

    def test_where_it_does_not_learn_the_real_side_is_a_constant_and_left_out(self):
        _, generate = adversarial(fake=GENERATED, real=INFERRED, updates=("decoder",))
        self.assertLen(generate.minimise, 1)

    def test_minimax_ascends_the_discriminators_own_loss(self):
        discriminate, generate = adversarial(
            fake=GENERATED, real=INFERRED, updates=("decoder", "encoder"), contest="minimax"
        )
        self.assertEqual([e.under for e in generate.minimise], [e.under for e in reversed(discriminate.minimise)])
        sample = start()
        for mine, theirs in zip(generate.minimise, reversed(discriminate.minimise), strict=True):
            np.testing.assert_array_equal(mine.of(sample), -theirs.of(sample))

    @parameterized.parameters("logistic", "hinge", "kl_forward")
    def test_all_four_losses_are_of_one_contest(self, contest):
        phases = adversarial(GENERATED, ("decoder", "encoder"), real=INFERRED, contest=contest)
        found = [(e.of.y, e.of.reverse, e.of.contest) for phase in phases for e in phase.minimise]
        self.assertEqual(found, [(1, False, contest), (0, False, contest), (0, True, contest), (1, True, contest)])

    def test_several_generated_sides_have_an_expectation_each(self):
        means = Ancestral(("prior", Mean("decoder")))
        discriminate, generate = adversarial(fake=(GENERATED, means), updates=("decoder",))
        sides = [(e.label, e.of.y, e.under) for e in discriminate.minimise]
        self.assertEqual(sides, [("real", 1, DATA), ("fake", 0, GENERATED), ("fake_2", 0, means)])
        fools = [(e.label, e.of, e.under) for e in generate.minimise]
        loss = DiscriminatorLoss(0, reverse=True)
        self.assertEqual(fools, [("fool", loss, GENERATED), ("fool_2", loss, means)])

    def test_a_generated_side_that_nothing_that_learns_draws_is_left_out(self):
        """As in adversarial variational Bayes, where the prior is the generated side."""
        discriminate, generate = adversarial(fake=Ancestral(("prior",)), real=INFERRED, updates=("encoder",))
        self.assertEqual([e.label for e in discriminate.minimise], ["real", "fake"])
        self.assertEqual([e.label for e in generate.minimise], ["fool_real"])

    def test_the_scale_is_of_who_fools_alone(self):
        extra = E(NegativeLogProb("encoder"), GENERATED, scale=3.0)
        discriminate, generate = adversarial(
            GENERATED, ("decoder", "encoder"), real=INFERRED, extra=(extra,), scale=0.5
        )
        self.assertEqual([e.scale for e in discriminate.minimise], [1.0, 1.0])
        self.assertEqual([e.scale for e in generate.minimise], [0.5, 0.5, 3.0])

    @parameterized.parameters(
        (GENERATED, DATA, ("encoder",), "encoder"),
        (GENERATED.detached(), DATA, ("decoder",), "decoder"),
        (GENERATED, INFERRED.detached(), ("encoder", "classifier"), "encoder, classifier"),
    )
    def test_refuses_a_contest_against_nobody(self, fake, real, updates, names):
        advice = f"'critic' would play against nobody: neither side is drawn through what learns, {names}. Give `fake`"
        with self.assertRaisesRegex(ValueError, advice):
            adversarial(fake, updates, real=real, by="critic")

    def test_the_real_side_may_be_a_sampler_of_ones_own(self):
        between = Interpolated(DATA, INFERRED)
        discriminate, generate = adversarial(fake=GENERATED, real=between, updates=("decoder",))
        self.assertIs(discriminate.minimise[0].under, between)
        self.assertEqual([e.label for e in generate.minimise], ["fool"])
        _, generate = adversarial(fake=GENERATED, real=between, updates=("decoder", "encoder"))
        self.assertEqual([e.label for e in generate.minimise], ["fool", "fool_real"])

    def test_options(self):
        extra = E(NegativeLogProb("encoder"), GENERATED)
        discriminate, generate = adversarial(GENERATED, ("decoder",), by="critic", extra=(extra,), suffix="_x")
        self.assertEqual((discriminate.name, discriminate.updates), ("discriminate_x", ("critic",)))
        self.assertEqual({e.of.by for e in (*discriminate.minimise, generate.minimise[0])}, {"critic"})
        self.assertEqual((generate.name, generate.minimise[-1]), ("generate_x", extra))


if __name__ == "__main__":
    absltest.main()
