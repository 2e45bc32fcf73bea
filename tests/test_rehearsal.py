"""Parts of one's own that do not do what they say are refused when the densities come, before there are data."""

import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import DATA, INFERRED, KL, Ancestral, E, NegativeLogProb, Phase, Recipe

SHAPES = {"x": (4, 4, 1), "z": (3,)}
VAE = ugm_tf.recipes.vae()


@ugm_tf.record
class Sneaky(ugm_tf.Term):
    takes = ("x",)

    def __call__(self, sample):
        return tf.reduce_sum(sample["x"], [1, 2, 3]) + tf.reduce_sum(sample["z"], -1)


@ugm_tf.record
class Unreduced(ugm_tf.Weight):
    takes = ("z",)

    def __call__(self, sample):
        return tf.square(sample["z"])


@ugm_tf.record
class Half(ugm_tf.Step):
    def __call__(self, sample, seed):
        return sample.where(x=sample["x"][:2])

    def needs(self, roles):
        return ("x",)

    def sets(self, roles):
        return "x"


@ugm_tf.record
class Wrapped(ugm_tf.Sampler):
    inner: ugm_tf.Sampler
    sides = (Ancestral(("prior",)),)

    def each(self, change):
        return Wrapped(self.inner.each(change))

    def draw(self, draws, seed):
        return draws(self.inner, seed)


@ugm_tf.record
class Eager(ugm_tf.Term):
    takes = ("z",)

    def __call__(self, sample):
        return tf.reduce_sum(sample["z"], -1).numpy()


def joint(*more):
    recipe = Recipe(VAE.densities, (Phase("wake", (*VAE.phases[0].minimise, *more), ("encoder", "decoder")),))
    return ugm_tf.Joint(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(5,)))


class RehearsalTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("a_term_that_reads_more", E(Sneaky(), INFERRED), "Sneaky reads the variable 'z' and does not say so"),
        (
            "a_weight_of_another_shape",
            E(NegativeLogProb("decoder"), INFERRED, weight=Unreduced(), name="weighted"),
            r"Unreduced is to give a number for each example.*Received: float32 of shape \[7, 3\]",
        ),
        (
            "a_step_of_fewer_examples",
            E(KL("encoder", "prior"), DATA.then(Half()), name="half"),
            r"Half sets x of shape \[2, 4, 4, 1\] in a batch of 7 examples",
        ),
        (
            "a_sampler_of_another_side",
            E(NegativeLogProb("decoder"), Wrapped(INFERRED), name="wrapped"),
            "Wrapped draws from 'encoder', which is in none of its `sides`",
        ),
    )
    def test_refuses(self, expectation, words):
        with self.assertRaisesRegex(ValueError, words):
            joint(expectation)

    def test_a_part_that_runs_step_by_step_alone_is_left_to_do_so(self):
        made = joint(E(Eager(), INFERRED))
        sample = INFERRED(made.sample({"x": tf.zeros([2, 4, 4, 1])}, training=False), tf.constant([0, 0]))
        self.assertEqual(Eager().value(sample).shape, (2,))


if __name__ == "__main__":
    absltest.main()
