"""Parts of one's own that do not do what they say are refused when the densities come, before there are data."""

import keras
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import DATA, GENERATED, INFERRED, KL, Ancestral, E, NegativeLogProb, Phase, Recipe

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
class Noisy(ugm_tf.Step):
    generator: str = "RandomStandardNormal"

    def __call__(self, sample, seed):
        x = sample["x"]
        draw = {
            "RandomStandardNormal": lambda: tf.random.normal(tf.shape(x)),
            "RandomUniform": lambda: tf.random.uniform(tf.shape(x)),
            "RandomShuffle": lambda: tf.random.shuffle(x),
            "Multinomial": lambda: tf.cast(tf.random.categorical([[0.0, 1.0]], 1), tf.float32)[:, :, None, None],
            "stateless": lambda: tf.random.stateless_normal(tf.shape(x), seed),
        }
        return sample.where(x=x + draw[self.generator]())

    def needs(self, roles):
        return ("x",)

    def sets(self, roles):
        return "x"


@ugm_tf.record
class Wrapped(ugm_tf.Sampler):
    inner: ugm_tf.Sampler
    says: ugm_tf.Sampler = Ancestral(("prior",))

    @property
    def sides(self):
        return self.says.sides

    def each(self, change):
        return Wrapped(self.inner.each(change), self.says.each(change))

    def draw(self, draws, seed):
        return draws(self.inner, seed)


@ugm_tf.record
class Eager(ugm_tf.Term):
    takes = ("z",)

    def __call__(self, sample):
        return tf.reduce_sum(sample["z"], -1).numpy()


@ugm_tf.record
class Scoring(ugm_tf.Term):
    conditioned = ("encoder",)

    def __call__(self, sample):
        return -sample.log_prob("encoder")


@ugm_tf.record
class Judging(ugm_tf.Term):
    conditioned = ("encoder",)

    def __call__(self, sample):
        return sample.distribution("encoder").logits


@ugm_tf.record
class Logging(ugm_tf.Term):
    takes = ("x",)
    beside = ("code",)

    def __call__(self, sample):
        return tf.reduce_sum(sample["x"], [1, 2, 3])

    def values_beside(self, sample):
        return (tf.reduce_sum(sample["z"], -1),)


@ugm_tf.record
class Precise(ugm_tf.Term):
    dtype: str = "float64"
    takes = ("z",)

    def __call__(self, sample):
        return tf.cast(tf.reduce_sum(sample["z"], -1), self.dtype)


@ugm_tf.record
class Kept(ugm_tf.Step):
    holds = True

    def __call__(self, sample, seed):
        return sample


@ugm_tf.record
class Joined(ugm_tf.Sampler):
    left: ugm_tf.Sampler
    right: ugm_tf.Sampler

    @property
    def sides(self):
        return (*self.left.sides, *self.right.sides)

    def each(self, change):
        return Joined(self.left.each(change), self.right.each(change))

    def draw(self, draws, seed):
        left, right = draws(self.left, seed), draws(self.right, seed)
        return left.where(x=tf.concat([left["x"], right["x"]], 0), drawn_by=right.drawn_by)


class Silent(keras.layers.Layer):
    """A dense layer on flat values that does not tell its shapes."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.dense = keras.layers.Dense(outputs)
        self(tf.zeros([1, inputs]))

    def call(self, inputs):
        return self.dense(inputs)


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
        (
            "a_log_probability",
            E(Scoring(), DATA),
            "Scoring takes the log-probability of 'encoder' and does not say so.*Name 'encoder' in its `scored`",
        ),
        ("a_logit", E(Judging(), DATA), "Judging takes the logit of 'encoder', which has none.*in its `judges`"),
        *(
            (
                f"noise_of_{kind}",
                E(KL("encoder", "prior"), DATA.then(Noisy(kind), "encoder"), name="noisy"),
                rf"The recipe draws by {kind}, made at test_rehearsal.py:\d+, from a generator of TensorFlow's own.*"
                r"by tf.random.stateless_normal\(shape, seed\)",
            )
            for kind in ("RandomStandardNormal", "RandomUniform", "RandomShuffle", "Multinomial")
        ),
        ("what_is_logged", E(Logging(), INFERRED), "Logging reads the variable 'z' and does not say so"),
        (
            "a_step_that_holds_nothing",
            E(NegativeLogProb("encoder"), GENERATED.then(Kept()), name="kept"),
            "Kept says that it holds what was drawn, and what 'decoder' drew is as it was",
        ),
        (
            "a_sampler_of_more_examples",
            E(NegativeLogProb("encoder"), Joined(INFERRED, DATA.then("prior")), name="joined"),
            r"Joined draws x of shape \[14, 4, 4, 1\] in a batch of 7 examples. A sampler keeps their number",
        ),
    )
    def test_refuses(self, expectation, words):
        with self.assertRaisesRegex(ValueError, words):
            joint(expectation)

    def test_noise_of_the_seed_that_it_is_given_is_taken(self):
        joint(E(KL("encoder", "prior"), DATA.then(Noisy("stateless"), "encoder"), name="noisy"))

    def test_a_part_that_runs_step_by_step_alone_is_left_to_do_so(self):
        made = joint(E(Eager(), INFERRED))
        sample = INFERRED(made.sample({"x": tf.zeros([2, 4, 4, 1])}, training=False), tf.constant([0, 0]))
        self.assertEqual(Eager().value(sample).shape, (2,))


class WidthTest(parameterized.TestCase):
    """Networks that do not tell their shapes."""

    def densities(self, encoder, decoder):
        return {
            "prior": ugm_tf.Prior((3,)),
            "encoder": ugm_tf.Density(Silent(16, encoder), "gaussian"),
            "decoder": ugm_tf.Density(decoder, "bernoulli"),
        }

    def test_a_code_of_another_width_is_refused(self):
        with self.assertRaisesRegex(
            ValueError, r"'encoder', which is q\(z \| x\), is compared at z of shape \[1\] for"
        ):
            ugm_tf.Joint(VAE, self.densities(2, Silent(3, 16)))

    def test_examples_of_another_width_are_refused_when_they_come(self):
        made = ugm_tf.Joint(VAE, self.densities(6, Silent(3, 1)))  # which says nothing of x
        sample = INFERRED(made.sample({"x": tf.zeros([2, 16])}, training=False), tf.constant([0, 0]))
        with self.assertRaisesRegex(ValueError, r"'decoder', .* scores x of shape \[1\] .* and x has shape \[16\]"):
            sample.log_prob("decoder")

    def test_generated_ones_too(self):
        made = ugm_tf.Joint(VAE, self.densities(6, Silent(3, 1)))
        with self.assertRaisesRegex(
            ValueError, r"'decoder', .* is a density of x of shape \[1\] .* x has shape \[16\]"
        ):
            GENERATED(made.sample({"x": tf.zeros([2, 16])}, training=False), tf.constant([0, 0]))

    def test_those_that_agree_are_taken(self):
        made = ugm_tf.Joint(VAE, self.densities(6, Silent(3, 16)))
        sample = INFERRED(made.sample({"x": tf.zeros([2, 16])}, training=False), tf.constant([0, 0]))
        self.assertEqual(sample.log_prob("decoder").shape, (2,))


class PrecisionTest(parameterized.TestCase):
    @parameterized.parameters("float64", "float16")
    def test_terms_and_weights_are_of_the_precision_of_the_densities(self, dtype):
        made = joint(E(Precise(dtype), INFERRED))
        sample = INFERRED(made.sample({"x": tf.zeros([2, 4, 4, 1])}, training=False), tf.constant([0, 0]))
        self.assertEqual(Precise(dtype).value(sample).dtype, tf.float32)


if __name__ == "__main__":
    absltest.main()
