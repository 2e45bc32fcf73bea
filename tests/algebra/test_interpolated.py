"""Points between two joint samples."""

import numpy as np
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import DATA, GENERATED, INFERRED, Ancestral, Draw, Draws, Enumerate, Interpolated, JointSample, Pack

ROLES = stubs.roles(prior="p(z)", decoder="p(x | z)", encoder="q(z | x)")
N = 4000


def start(n=N, scale=0.0):
    """Data are all 0 (or of a given scale), and generated examples all 1."""
    densities = {
        "prior": stubs.standard(3),
        "encoder": stubs.shifted(),
        "decoder": stubs.Stub(lambda z: stubs.tfd.Independent(stubs.tfd.Deterministic(tf.ones_like(z)), 1), "point"),
    }
    x = scale * tf.random.stateless_normal([n, 3], [1, 2])
    return JointSample(densities, ROLES, {"x": x, "c": tf.eye(n)[:, :2]}, training=True)


class InterpolatedTest(parameterized.TestCase):
    def test_the_share_of_the_left_is_uniform_on_the_unit_interval(self):
        """Of data 0 and generated 1, the point is 1 - a: never outside, near both ends, and of a uniform law."""
        for seed in range(3):
            share = 1.0 - Interpolated(DATA, GENERATED)(start(), stubs.seed(seed))["x"][:, 0].numpy()
            self.assertBetween(share.min(), 0.0, 0.003)
            self.assertBetween(share.max(), 0.997, 1.0)
            self.assertGreater(scipy.stats.kstest(share, "uniform").pvalue, 1e-4)

    def test_what_the_left_lacks_the_right_has(self):
        """With the sides exchanged and the same seed, the two points lie in mirror image."""
        one = Interpolated(DATA, GENERATED)(start(), stubs.seed())["x"]
        other = Interpolated(GENERATED, DATA)(start(), stubs.seed())["x"]
        np.testing.assert_allclose(one + other, np.ones([N, 3]), atol=1e-6)

    def test_all_numbers_of_an_example_share_one_place_and_examples_do_not(self):
        x = Interpolated(DATA, GENERATED)(start(20), stubs.seed())["x"].numpy()
        np.testing.assert_allclose(x[:, 0], x[:, 2], atol=1e-6)
        self.assertLen(np.unique(x[:, 0]), 20)

    def test_x_and_z_of_an_example_share_one_place(self):
        sample = start(20, scale=1.0)
        draws = Draws(sample)
        between = draws(Interpolated(INFERRED, GENERATED), stubs.seed())
        left, right = draws(INFERRED, None), draws(GENERATED, None)  # as they are there
        share = [(between[v] - right[v]) / (left[v] - right[v]) for v in ("x", "z")]
        np.testing.assert_allclose(share[0], share[1], atol=1e-3)
        self.assertGreater(np.std(share[0][:, 0]), 0.1)

    def test_what_both_sides_have_alike_stays(self):
        sample = Interpolated(DATA, GENERATED)(start(20), stubs.seed())
        np.testing.assert_array_equal(sample["c"], np.eye(20)[:, :2])
        self.assertNotIn("z", sample.values)  # only the generated side has a code

    def test_the_ends_are_the_draws_that_other_expectations_see(self):
        sample = start(20, scale=1.0)
        draws = Draws(sample)
        generated = draws(GENERATED, stubs.seed(9))
        between = draws(Interpolated(DATA, GENERATED), stubs.seed())["x"]
        self.assertLen(sample.densities["decoder"].asked, 1)
        spread = (between - generated["x"]) / (sample["x"] - generated["x"])
        np.testing.assert_allclose(spread[:, 0], spread[:, 1], atol=1e-3)

    def test_equal_ones_are_drawn_once(self):
        draws = Draws(start(20))
        first = draws(Interpolated(DATA, GENERATED), stubs.seed(0))
        self.assertIs(draws(Interpolated(Ancestral(), Ancestral(("prior", "decoder"))), stubs.seed(1)), first)

    def test_depends_on_what_drew_either_side(self):
        sample = Interpolated(INFERRED, GENERATED)(start(20), stubs.seed())
        self.assertEqual(sample.drawn_by, {"encoder", "prior", "decoder"})
        self.assertIsNone(sample.after_update(("decoder",)))

    def test_packs_lie_between_packs(self):
        pack = Pack("x", "x_pack", 2)
        sample = Interpolated(DATA.then(pack), GENERATED.then(pack))(start(20), stubs.seed())
        np.testing.assert_allclose(sample["x_pack"][:, 0], sample["x_pack"][:, 5], atol=1e-6)

    @parameterized.parameters(Draw("encoder", 3), Draw("encoder", 1), Enumerate("encoder"))
    def test_refuses_a_side_of_several_values(self, step):
        several = Ancestral((step,))
        for sides in ((several, GENERATED), (GENERATED, several), (several, several)):
            with self.assertRaisesRegex(ValueError, r"between two single draws.*several values by (Draw|Enumerate)\("):
                Interpolated(*sides)

    def test_refuses_what_is_no_sampler(self):
        with self.assertRaisesRegex(ValueError, "between two samplers. Received: 'encoder'"):
            Interpolated(DATA, "encoder")

    @parameterized.named_parameters(
        ("data", Interpolated(DATA, GENERATED), "between x ~ data and z ~ prior, x ~ decoder"),
        (
            "codes",
            Interpolated(Ancestral(("prior",)), INFERRED),
            "between x ~ data, z ~ prior and x ~ data, z ~ encoder",
        ),
    )
    def test_describes_itself(self, sampler, text):
        self.assertEqual(sampler.describe(ROLES, ("x",)), text)


if __name__ == "__main__":
    absltest.main()
