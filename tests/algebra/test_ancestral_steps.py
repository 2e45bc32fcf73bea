"""The steps that a sampler takes beside draws: means, reversals, packs, questions; and what holding fixed means."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    Ancestral,
    Ask,
    Detach,
    Draw,
    Draws,
    Enumerate,
    JointSample,
    Mean,
    Pack,
    Rename,
    Reverse,
)

tfd = stubs.tfd
ROLES = stubs.roles(
    prior="p(z)",
    encoder="q(z | x)",
    decoder="p(x | z)",
    discriminator="q(y | x)",
    coins="p(u | x)",
    classes="q(c | x)",
    image="p(v | c)",
)
X = tf.constant([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]])
B = 4


def start(x=X):
    densities = {
        "prior": stubs.standard(),
        "encoder": stubs.shifted(),
        "decoder": stubs.point(),
        "discriminator": stubs.judge(lambda x: 3.0 * x[..., 0]),
        "coins": stubs.Stub(lambda x: tfd.Independent(tfd.Bernoulli(logits=x, dtype=tf.float32), 1), "bernoulli"),
        "classes": stubs.classes(lambda x: x),
    }
    return JointSample(densities, ROLES, {"x": x}, training=True)


def gradient(sampler, variable):
    """Of the sum of a variable by x; None if none reaches it."""
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(sampler(start(x), stubs.seed())[variable])
    return tape.gradient(value, x)


class MeanTest(absltest.TestCase):
    def test_is_the_mean_given_the_values_so_far_whatever_the_seed(self):
        for number in (0, 1):
            sample = Ancestral((Mean("encoder"), Mean("decoder")))(start(), stubs.seed(number))
            np.testing.assert_allclose(sample["z"], X + 1.0, rtol=1e-6)
            np.testing.assert_allclose(sample["x"], 2.0 * (X + 1.0), rtol=1e-6)

    def test_a_gradient_flows_through_the_mean_of_coins_and_none_through_their_draws(self):
        p = 1 / (1 + np.exp(-X.numpy()))
        np.testing.assert_allclose(gradient(Ancestral((Mean("coins"),)), "u"), p * (1 - p), rtol=1e-5)
        self.assertIsNone(gradient(Ancestral(("coins",)), "u"))

    def test_depends_on_the_parameters_of_its_density(self):
        self.assertEqual(Ancestral(("prior", Mean("decoder")))(start(), stubs.seed()).drawn_by, {"prior", "decoder"})

    def test_of_several_draws_there_are_several_means(self):
        sample = Ancestral((Draw("prior", 5), Mean("decoder")))(start(), stubs.seed())
        self.assertEqual((tuple(sample["x"].shape), sample.axes), ((5, B, 2), (5,)))

    def test_is_no_draw_but_shares_what_was_drawn_before(self):
        draws = Draws(start())
        drawn, means = (draws(Ancestral(("prior", step)), stubs.seed()) for step in ("coins", Mean("coins")))
        self.assertIs(drawn["z"], means["z"])
        self.assertFalse(np.any(drawn["u"] == means["u"]))


class ReverseTest(absltest.TestCase):
    def test_is_one_less_the_value_with_the_opposite_gradient(self):
        sampler = Ancestral((Reverse("x", "u"),))
        np.testing.assert_allclose(sampler(start(), stubs.seed())["u"], 1.0 - X)
        np.testing.assert_array_equal(gradient(sampler, "u"), -np.ones([B, 2]))

    def test_twice_is_where_it_began(self):
        sample = Ancestral((Reverse("x", "u"), Reverse("u", "v")))(start(), stubs.seed())
        np.testing.assert_allclose(sample["v"], X, rtol=1e-6)


class PackTest(parameterized.TestCase):
    def test_each_example_is_joined_with_the_next_in_a_circle(self):
        packs = Ancestral((Pack("x", "x_pack", 3),))(start(), stubs.seed())["x_pack"]
        by_hand = [np.concatenate([X[i], X[(i + 1) % B], X[(i + 2) % B]]) for i in range(B)]
        np.testing.assert_array_equal(packs, by_hand)

    @parameterized.parameters(2, 3, 4)
    def test_each_example_is_in_as_many_packs_once_at_each_place(self, size):
        packs = Pack("x", "p", size)(start(), stubs.seed())["p"].numpy().reshape(B, size, 2)
        for place in range(size):
            np.testing.assert_array_equal(np.sort(packs[:, place], 0), np.sort(X, 0))

    def test_images_are_joined_by_channels(self):
        images = tf.random.stateless_normal([B, 5, 6, 3], [0, 0])
        packs = Pack("x", "p", 2)(start(images), stubs.seed())["p"]
        self.assertEqual(tuple(packs.shape), (B, 5, 6, 6))
        np.testing.assert_array_equal(packs[0, ..., :3], images[0])
        np.testing.assert_array_equal(packs[-1, ..., 3:], images[0])

    def test_draws_are_packed_with_draws_of_the_same_number(self):
        sample = Ancestral((Draw("prior", 5), Pack("z", "p", 2)))(start(), stubs.seed())
        by_hand = np.concatenate([sample["z"], np.roll(sample["z"], -1, 1)], -1)
        np.testing.assert_array_equal(sample["p"], by_hand)

    def test_a_function_of_packs_has_the_expectation_of_independent_pairs(self):
        """E[(a - b)^2] = 2 for independent standard normals: unbiased though packs overlap, and 0 for copies."""
        sample = Pack("x", "p", 2)(start(tf.random.stateless_normal([40_000, 1], [0, 1])), stubs.seed())
        squares = np.square(sample["p"][:, 0] - sample["p"][:, 1])
        self.assertAlmostEqual(squares.mean(), 2.0, delta=5 * np.sqrt(12.0 / 40_000))  # neighbours correlate by 1/2
        copies = Pack("x", "p", 2)(start(tf.ones([10, 1])), stubs.seed())["p"]
        self.assertEqual(np.square(copies[:, 0] - copies[:, 1]).max(), 0.0)

    def test_a_gradient_reaches_each_example_by_each_of_its_packs(self):
        np.testing.assert_array_equal(gradient(Ancestral((Pack("x", "p", 3),)), "p"), np.full([B, 2], 3.0))

    @parameterized.parameters(1, 0, -3)
    def test_refuses_packs_of_less_than_two(self, size):
        with self.assertRaisesRegex(ValueError, f"A pack has at least 2 examples. Received: size={size}"):
            Pack("x", "p", size)


class AskTest(absltest.TestCase):
    def test_keeps_the_logit_without_gradient(self):
        sampler = Ancestral((Ask("discriminator"),))
        np.testing.assert_allclose(sampler(start(), stubs.seed())["l"], 3.0 * X[:, 0])
        self.assertIsNone(gradient(sampler, "l"))

    def test_is_under_theta_0_it_outlasts_the_discriminators_updates(self):
        sample = Ancestral((Ask("discriminator", "before"),))(start(), stubs.seed())
        sample.densities["discriminator"] = stubs.judge(lambda x: 5.0 * x[..., 0])
        left = sample.after_update(("discriminator",))
        np.testing.assert_allclose(left["before"], 3.0 * X[:, 0])
        np.testing.assert_allclose(left.distribution("discriminator").logits, 5.0 * X[:, 0])


class DetachTest(absltest.TestCase):
    def test_what_is_held_fixed_outlasts_the_updates_of_what_drew_it(self):
        live, held = GENERATED(start(), stubs.seed()), GENERATED.detached()(start(), stubs.seed())
        self.assertIsNone(live.after_update(("decoder",)))
        self.assertIs(held.after_update(("prior", "decoder"))["x"], held["x"])

    def test_what_is_drawn_after_it_does_not(self):
        sample = GENERATED.detached().then("encoder")(start(), stubs.seed())
        self.assertEqual(sample.drawn_by, {"encoder"})
        self.assertIsNotNone(sample.after_update(("decoder",)))
        self.assertIsNone(sample.after_update(("encoder",)))

    def test_a_density_asked_before_and_after_it_has_a_gradient_only_after(self):
        slope = tf.Variable(2.0)
        sample = start()
        sample.densities["encoder"] = stubs.Stub(lambda x: tfd.Independent(tfd.Normal(slope * x, 1.0), 1))
        with tf.GradientTape() as tape:
            held = INFERRED.detached()(sample, stubs.seed())
            score = -tf.reduce_sum(held.log_prob("encoder"))
        noise = held["z"] - 2.0 * X  # d/d slope of 1/2 (z - slope x)^2 at fixed z
        np.testing.assert_allclose(tape.gradient(score, slope), -np.sum(noise * X), rtol=1e-4)

    def test_the_prior_is_not_asked_again(self):
        held = GENERATED.detached()(start(), stubs.seed())
        held.log_prob("prior")
        self.assertLen(held.densities["prior"].asked, 1)


class ShapeTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("rename", Rename("x", "v"), {"v": (4, 4, 3)}),
        ("reverse", Reverse("x", "v"), {"v": (4, 4, 3)}),
        ("pack", Pack("x", "v", 3), {"v": (4, 4, 9)}),
        ("mean", Mean("decoder"), {}),
        ("ask", Ask("discriminator"), {}),
        ("detach", Detach(), {}),
    )
    def test_follows_from_that_of_another_variable(self, step, shapes):
        self.assertEqual(step.shape({"x": (4, 4, 3)}), shapes)
        self.assertEqual(step.shape({"z": (2,)}), {})  # of x nothing is known


class DescribeTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("mean", Ancestral(("prior", Mean("decoder"))), "z ~ prior, x = mean of decoder"),
        ("mean_held", Ancestral(("prior", Mean("decoder"))).detached(), "z ~ sg(prior), x = sg(mean of decoder)"),
        ("reversed", INFERRED.then(Reverse("z", "u")), "x ~ data, z ~ encoder, u = 1 - z"),
        ("packed", GENERATED.then(Pack("x", "x_pack", 2)), "z ~ prior, x ~ decoder, x_pack = 2 of x"),
        ("packed_data", DATA.then(Pack("x", "x_pack", 3)), "x ~ data, x_pack = 3 of x"),
        ("asked", GENERATED.then(Ask("discriminator")), "z ~ prior, x ~ decoder, l = sg(logit of discriminator)"),
        ("held_twice", INFERRED.detached().detached(), "x ~ data, z ~ sg(encoder)"),
        ("exact", Ancestral((Enumerate("classes"), Mean("image"))), "x ~ data, every c ~ classes, v = mean of image"),
    )
    def test_as_the_paper_writes_it(self, sampler, text):
        self.assertEqual(sampler.describe(ROLES, ("x",)), text)

    def test_needs_and_sets(self):
        self.assertEqual((Pack("x", "p", 2).needs(ROLES), Pack("x", "p", 2).sets(ROLES)), (("x",), "p"))
        self.assertEqual((Reverse("z", "u").needs(ROLES), Reverse("z", "u").sets(ROLES)), (("z",), "u"))
        self.assertEqual((Ask("discriminator").needs(ROLES), Ask("discriminator", "m").sets(ROLES)), (("x",), "m"))
        self.assertEqual((Mean("decoder").needs(ROLES), Mean("decoder").sets(ROLES)), (("z",), "x"))
        self.assertEqual((Detach().needs(ROLES), Detach().sets(ROLES)), ((), None))


if __name__ == "__main__":
    absltest.main()
