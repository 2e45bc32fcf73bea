import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    Ancestral,
    Detach,
    Draw,
    Draws,
    Enumerate,
    JointSample,
    Rename,
)

ROLES = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)", classifier="q(c | x)", other="p(v)")
X = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
B = 3


def start(x=X):
    densities = {
        "prior": stubs.standard(),
        "other": stubs.standard(),
        "encoder": stubs.shifted(),
        "decoder": stubs.point(),
    }
    return JointSample(densities, ROLES, {"x": x}, training=True)


def shape(tensor):
    return tuple(tensor.shape)


class AncestralTest(parameterized.TestCase):
    def test_data_is_the_start_itself(self):
        sample = start()
        self.assertIs(DATA(sample, stubs.seed()), sample)

    def test_each_step_sees_what_the_last_drew(self):
        sample = GENERATED(start(), stubs.seed())
        np.testing.assert_allclose(sample["x"], 2.0 * sample["z"])
        self.assertEqual(sample.drawn_by, {"prior", "decoder"})

    def test_inferred_draws_codes_of_the_data(self):
        sample = INFERRED(start(), stubs.seed())
        self.assertIs(sample["x"], X)
        noise = Ancestral(("other",))(start(), stubs.seed())["v"]  # the same step, seed and shape: the same noise
        np.testing.assert_allclose(sample["z"], X + 1.0 + noise, rtol=1e-6)

    def test_a_density_without_parents_draws_one_value_for_each_example(self):
        self.assertEqual(shape(Ancestral(("prior",))(start(), stubs.seed())["z"]), (B, 2))

    def test_k_draws_stand_on_a_leading_axis(self):
        sample = Ancestral(("encoder", "decoder"), k=5)(start(), stubs.seed())
        self.assertEqual((shape(sample["z"]), shape(sample["x"])), ((5, B, 2), (5, B, 2)))
        self.assertEqual(len({tuple(z) for z in sample["z"].numpy()[:, 0]}), 5)
        self.assertEqual(shape(Ancestral(("prior",), k=1)(start(), stubs.seed())["z"]), (1, B, 2))

    def test_k_is_that_of_the_first_draw(self):
        self.assertEqual(
            Ancestral((Detach(), "prior", "decoder"), k=5), Ancestral((Detach(), Draw("prior", 5), "decoder"))
        )

    def test_draws_of_draws(self):
        sample = Ancestral((Draw("prior", 5), "decoder", Draw("encoder", 7)))(start(), stubs.seed())
        self.assertEqual(shape(sample["z"]), (7, 5, B, 2))

    def test_densities_without_common_parents_share_the_axis_of_draws(self):
        sample = Ancestral((Draw("prior", 5), "other"))(start(), stubs.seed())
        self.assertEqual(shape(sample["v"]), (5, B, 2))
        self.assertTrue(np.all(sample["v"].numpy() != sample["z"].numpy()))

    def test_then_adds_steps_and_detached_holds_draws_fixed(self):
        self.assertEqual(GENERATED.then("encoder"), Ancestral(("prior", "decoder", "encoder")))
        self.assertEqual(GENERATED.detached(), Ancestral(("prior", "decoder", Detach())))

    def test_names_are_draws(self):
        self.assertEqual(Ancestral(("prior",)), Ancestral((Draw("prior"),)))
        self.assertEqual(hash(Ancestral(("prior",))), hash(Ancestral((Draw("prior"),))))

    @parameterized.parameters(0, -1)
    def test_refuses_fewer_than_one_draw(self, k):
        with self.assertRaisesRegex(ValueError, f"k >= 1 draws for each example. Received: k={k}"):
            Ancestral(("encoder",), k=k)

    def test_refuses_k_with_nothing_to_draw(self):
        with self.assertRaisesRegex(ValueError, "k=5 draws needs a density to draw from"):
            Ancestral((Detach(),), k=5)

    def test_one_step_needs_no_tuple(self):
        self.assertEqual(Ancestral("encoder"), Ancestral(("encoder",)))
        self.assertEqual(Ancestral(Draw("encoder")), Ancestral(("encoder",)))

    def test_refuses_what_is_no_step(self):
        with self.assertRaisesRegex(ValueError, r"names of densities or Steps, such as Draw\('encoder'\). Received: 3"):
            Ancestral((3,))

    @parameterized.parameters(Draw, Enumerate)
    def test_a_step_needs_its_density(self, step):
        with self.assertRaises(TypeError):
            step()


class SharingTest(absltest.TestCase):
    def test_equal_samplers_are_the_same_draws(self):
        draws = Draws(start())
        first = draws(Ancestral(("prior", "decoder")), stubs.seed(0))
        self.assertIs(draws(Ancestral((Draw("prior"), Draw("decoder"))), stubs.seed(1)), first)

    def test_samplers_share_their_common_beginning(self):
        sample = start()
        draws = Draws(sample)
        generated = draws(GENERATED, stubs.seed(0))
        inferred_again = draws(GENERATED.detached().then("encoder"), stubs.seed(1))
        np.testing.assert_array_equal(inferred_again["x"], generated["x"])
        self.assertLen(sample.densities["decoder"].asked, 1)

    def test_they_do_not_share_another_beginning(self):
        draws = Draws(start())
        generated = draws(GENERATED, stubs.seed(0))
        others = draws(Ancestral(("prior", "decoder"), k=1), stubs.seed(1))
        self.assertTrue(np.all(others["z"][0].numpy() != generated["z"].numpy()))

    def test_what_was_drawn_through_a_density_that_learned_is_forgotten(self):
        draws = Draws(start())
        held, generated, inferred = (draws(s, stubs.seed()) for s in (GENERATED.detached(), GENERATED, INFERRED))
        left = draws.after_update(("decoder",))
        self.assertEqual([s in left for s in (GENERATED.detached(), GENERATED, INFERRED)], [True, False, True])
        self.assertIs(left(GENERATED.detached(), None)["x"], held["x"])
        self.assertIs(left(INFERRED, None)["z"], inferred["z"])
        self.assertIsNot(left(GENERATED, stubs.seed(1))["x"], generated["x"])
        self.assertNotIn(INFERRED, draws.afresh())

    def test_draws_are_a_function_of_the_seed_and_of_the_step(self):
        one, same, other = (Ancestral(("prior", "other"))(start(), stubs.seed(n)) for n in (0, 0, 1))
        np.testing.assert_array_equal(one["z"], same["z"])
        self.assertTrue(np.all(one["z"].numpy() != other["z"].numpy()))
        self.assertTrue(np.all(one["z"].numpy() != one["v"].numpy()))


class DetachTest(absltest.TestCase):
    def gradient(self, sampler):
        with tf.GradientTape() as tape:
            x = tf.constant(X)
            tape.watch(x)
            values = sampler(start(x), stubs.seed())["z"]
        return tape.gradient(values, x)

    def test_no_gradient_flows_through_what_was_drawn_before(self):
        np.testing.assert_allclose(self.gradient(INFERRED), np.ones([B, 2]))
        self.assertIsNone(self.gradient(INFERRED.detached()))

    def test_gradients_flow_through_what_is_drawn_after(self):
        slope = tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch(slope)
            sample = start()
            sample.densities["decoder"] = stubs.point(slope)
            out = Ancestral(("prior", Detach(), "decoder"))(sample, stubs.seed())
        np.testing.assert_allclose(tape.gradient(out["x"], slope), np.sum(out["z"]), rtol=1e-5)

    def test_values_stay(self):
        one, other = INFERRED(start(), stubs.seed()), INFERRED.detached()(start(), stubs.seed())
        np.testing.assert_array_equal(one["z"], other["z"])


class RenameTest(absltest.TestCase):
    def test_gives_a_value_to_another_variable(self):
        sample = Ancestral((Rename("x", "z"), "decoder"))(start(), stubs.seed())
        np.testing.assert_allclose(sample["z"], X)
        np.testing.assert_allclose(sample["x"], 2 * X)


class DescribeTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("data", DATA, "x ~ data"),
        ("inferred", INFERRED, "x ~ data, z ~ encoder"),
        ("generated", GENERATED, "z ~ prior, x ~ decoder"),
        ("several_draws", Ancestral(("encoder",), k=50), "x ~ data, z_1..50 ~ encoder"),
        ("detached", GENERATED.detached().then("encoder"), "z ~ sg(prior), x ~ sg(decoder), z ~ encoder"),
        ("detached_twice", GENERATED.detached().detached(), "z ~ sg(prior), x ~ sg(decoder)"),
        ("detached_data", INFERRED.detached(), "x ~ data, z ~ sg(encoder)"),
        ("exact", Ancestral((Enumerate("classifier"), "encoder")), "x ~ data, every c ~ classifier, z ~ encoder"),
        ("renamed_data", Ancestral((Rename("x", "z"), "decoder")), "x ~ data, z = x, x ~ decoder"),
        ("renamed_draw", Ancestral(("prior", Rename("z", "v"))), "x ~ data, z ~ prior, v = z"),
    )
    def test_as_the_paper_writes_it(self, sampler, text):
        self.assertEqual(sampler.describe(ROLES, ("x",)), text)

    def test_two_variables_of_data(self):
        roles = stubs.roles(decoder="p(x | z, c)", prior="p(z)")
        self.assertEqual(GENERATED.describe(roles, ("x", "c")), "z ~ prior, c ~ data, x ~ decoder")
        self.assertEqual(DATA.describe(roles, ("x", "c")), "x ~ data, c ~ data")

    def test_data_that_no_step_takes_are_named_if_the_expectation_is_about_them(self):
        self.assertEqual(Ancestral(("prior",)).describe(ROLES, ("x",)), "x ~ data, z ~ prior")
        self.assertEqual(Ancestral(("prior",)).describe(ROLES, ()), "z ~ prior")


if __name__ == "__main__":
    absltest.main()
