"""Draws in chunks: the value, the gradient and the noise of all of them at once."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import (
    KL,
    Ancestral,
    Detach,
    DiscriminatorProbability,
    Draw,
    Draws,
    E,
    Enumerate,
    ImportanceWeightedBound,
    JointSample,
    NegativeLogProb,
    PosteriorWeight,
)

tfd = stubs.tfd
ROLES = stubs.roles(
    prior="p(z)", encoder="q(z | x)", decoder="p(x | z)", up="q(h | z)", top="p(h)", critic="q(y | x)", kind="q(c | x)"
)
X = np.array([[0.5], [-1.0], [2.0]])
BOUND = ImportanceWeightedBound()
DEEP = ImportanceWeightedBound(("decoder", "prior", "top"), ("encoder", "up"))
DREG = ImportanceWeightedBound(doubly_reparameterised=True)


class World:
    """Densities with parameters, of a precision; what is asked of them is an expectation's value and gradient."""

    def __init__(self, dtype=np.float64):
        self.variables = [tf.Variable(np.array(v, dtype)) for v in (0.5, 0.7, 2.0, 0.2)]
        slope, scale, decode, up = self.variables
        one = tf.constant(1.0, dtype)

        def gaussian(mean, width):
            return self.stub(lambda *given: tfd.Independent(tfd.Normal(mean(*given), width * one), 1))

        self.densities = {
            "prior": self.stub(lambda: tfd.Independent(tfd.Normal(tf.zeros([1], dtype), one), 1)),
            "top": self.stub(lambda: tfd.Independent(tfd.Normal(tf.zeros([1], dtype), one), 1)),
            "encoder": gaussian(lambda x: slope * x, scale),
            "decoder": gaussian(lambda z: decode * z + 0.1, 0.6),
            "up": gaussian(lambda z: up * z, 1.1),
            "critic": stubs.judge(lambda x: tf.reduce_sum(x, -1)),
            "kind": stubs.Stub(lambda x: tfd.OneHotCategorical(tf.concat([x, -x], -1) * slope, dtype=dtype), "one_hot"),
        }
        self.dtype = dtype

    @property
    def start(self):
        return JointSample(self.densities, ROLES, {"x": tf.constant(X, self.dtype)}, training=True)

    def stub(self, function):
        """A density whose draws are quantiles of uniform numbers, of the same bits in whatever chunk they come."""
        stub = stubs.Stub(function, "laplace")
        stub.value = lambda d, uniform: d.distribution.quantile(tf.cast(uniform, d.dtype))
        return stub

    def gradient(self, e):
        with tf.GradientTape() as tape:
            value = e(Draws(self.start)(e.under, stubs.seed(3)))
        return value, tape.gradient(value, self.variables, unconnected_gradients="zero")


def chunked(e, chunk):
    steps = [dataclasses.replace(s, chunk=chunk) if isinstance(s, Draw) and s.k else s for s in e.under.steps]
    return dataclasses.replace(e, under=Ancestral(tuple(steps)))


def over(*steps, k=12):
    return Ancestral((Draw("encoder", k), *steps))


EXPECTATIONS = {
    "bound": E(BOUND, over()),
    "bound_of_groups": E(ImportanceWeightedBound(group=4), over()),
    "doubly_reparameterised": E(DREG, over()),
    "doubly_reparameterised_in_groups": E(ImportanceWeightedBound(group=4, doubly_reparameterised=True), over()),
    "of_two_layers": E(DEEP, over("up")),
    "of_each_draw": E(NegativeLogProb("decoder"), over()),
    "weighted_by_the_posterior": E(NegativeLogProb("decoder"), over(), weight=PosteriorWeight()),
    "of_draws_held_fixed": E(NegativeLogProb("encoder"), over(Detach()), weight=PosteriorWeight()),
    "weighted_by_a_critic_of_data": E(BOUND, over(), weight=DiscriminatorProbability("critic")),
    "under_an_exact_sum": E(BOUND, Ancestral((Enumerate("kind"), Draw("encoder", 12)))),
    "after_draws_that_learn": E(BOUND, Ancestral(("prior", "decoder", Draw("encoder", 12)))),
    "a_divergence": E(KL("encoder", "prior"), over()),
}


class ExactTest(parameterized.TestCase):
    @parameterized.parameters(("bound", 4), ("bound_of_groups", 3), ("weighted_by_the_posterior", 3))
    def test_value_and_gradient_are_those_of_all_draws(self, name, chunk):
        self.check(name, chunk)

    @parameterized.parameters(*((name, 3) for name in EXPECTATIONS), ("of_two_layers", 4))
    @pytest.mark.slow
    def test_value_and_gradient_are_those_of_all_draws_of_every_kind(self, name, chunk):
        self.check(name, chunk)

    def check(self, name, chunk):
        world, e = World(), EXPECTATIONS[name]
        whole, parts = world.gradient(e), world.gradient(chunked(e, chunk))
        np.testing.assert_allclose(parts[0], whole[0], rtol=1e-12)
        np.testing.assert_allclose(parts[1], whole[1], rtol=1e-8, atol=1e-12)
        self.assertGreater(np.abs(whole[1]).max(), 1e-3)

    @pytest.mark.slow
    def test_in_a_graph_too_and_in_float32(self):
        world, e = World(np.float32), EXPECTATIONS["bound"]
        whole, parts = (tf.function(world.gradient)(given) for given in (e, chunked(e, 4)))
        np.testing.assert_allclose(parts[0], whole[0], rtol=1e-6)
        np.testing.assert_allclose(parts[1], whole[1], rtol=1e-4)

    def test_a_gradient_of_its_gradient_is_refused(self):
        world = World()
        with tf.GradientTape() as tape:
            _, found = world.gradient(chunked(EXPECTATIONS["bound"], 4))
        with self.assertRaisesRegex(ValueError, "through draws in chunks has no gradient itself. Leave `chunk` out"):
            tape.gradient(found[0], world.variables)

    def test_a_value_at_each_example(self):
        world, e = World(), EXPECTATIONS["bound"]
        found = [e.by_example(Draws(world.start)(given.under, stubs.seed())) for given in (e, chunked(e, 3))]
        self.assertEqual(found[1].shape, (3,))
        np.testing.assert_allclose(*found, rtol=1e-6)


class MemoryTest(absltest.TestCase):
    def test_no_more_than_a_chunk_is_decoded_at_a_time(self):
        world, sizes = World(), []
        world.densities["decoder"].function = _spied(world.densities["decoder"].function, sizes)
        world.gradient(chunked(EXPECTATIONS["bound"], 3))
        self.assertEqual(sizes, [3] * 8)  # four chunks for the value, and again for the gradient

    def test_the_encoder_is_asked_once(self):
        world, sizes = World(), []
        world.densities["encoder"].function = _spied(world.densities["encoder"].function, sizes)
        world.gradient(chunked(EXPECTATIONS["bound"], 3))
        self.assertLen(sizes, 1)


def _spied(function, sizes):
    def spied(*given):
        sizes.append(given[0].shape[0])
        return function(*given)

    return spied


class SharedTest(absltest.TestCase):
    """Two expectations of equal samplers have the same draws, as long as nothing behind them has learned."""

    def setUp(self):
        super().setUp()
        self.world, self.e = World(), chunked(EXPECTATIONS["bound"], 3)
        self.draws = Draws(self.world.start)
        self.first = self.e(self.draws(self.e.under, stubs.seed(1)))

    def test_the_second_seed_is_of_no_account(self):
        np.testing.assert_array_equal(self.e(self.draws(self.e.under, stubs.seed(2))), self.first)

    def test_drawn_anew_when_the_encoder_has_learned(self):
        left = self.draws.after_update(["encoder"])
        self.assertNotIn(self.e.under, left)

    def test_kept_when_the_decoder_has_learned_and_scored_by_the_new_one(self):
        left = self.draws.after_update(["decoder"])
        self.world.variables[2].assign(1.0)
        found = self.e(left(self.e.under, stubs.seed(2)))
        whole = EXPECTATIONS["bound"]
        np.testing.assert_allclose(found, whole(Draws(self.world.start)(whole.under, stubs.seed(1))), rtol=1e-7)

    def test_draws_held_fixed_outlast_their_density(self):
        whole, parts = EXPECTATIONS["of_draws_held_fixed"], chunked(EXPECTATIONS["of_draws_held_fixed"], 3)
        found = []
        for e in (whole, parts):
            world = World()
            draws = Draws(world.start)
            draws(e.under, stubs.seed(1))
            left = draws.after_update(["encoder"])
            world.variables[0].assign(-0.5)
            found.append(e(left(e.under, stubs.seed(2))))
        np.testing.assert_allclose(*found, rtol=1e-7)

    def test_refused_where_they_could_not_be_drawn_again(self):
        e = chunked(E(NegativeLogProb("encoder"), over("up", Detach())), 3)
        self.draws(e.under, stubs.seed(1))
        left = self.draws.after_update(["up"])
        with self.assertRaisesRegex(ValueError, "'up', which makes them, has learned since. Leave out `chunk`"):
            e(left(e.under, stubs.seed(2)))


class DrawTest(parameterized.TestCase):
    def test_a_chunk_of_all_draws_or_more_is_none(self):
        self.assertEqual(Ancestral(("encoder",), k=5, chunk=250), Ancestral(("encoder",), k=5))

    @parameterized.parameters((5000, 250, 200), (5000, 1000, 1000), (10, 4, 2), (9, 4, 3), (12, 11, 6))
    def test_is_the_largest_equal_one_a_multiple_of_4_before_others(self, k, most, chunk):
        self.assertEqual(Draw("encoder", k, most).chunk, chunk)

    @parameterized.parameters(
        ({"k": 11, "chunk": 4}, "at least half as many as asked for. Received: k=11, chunk=4; k=12 would do"),
        ({"k": 10, "chunk": 0}, "at least 1 draw. Received: chunk=0"),
        ({"chunk": 4}, "A chunk is of k draws. Received: k=None, chunk=4"),
    )
    def test_refuses_chunks_that_do_not_fill_k(self, given, advice):
        with self.assertRaisesRegex(ValueError, advice):
            Ancestral(("encoder",), **given)


if __name__ == "__main__":
    absltest.main()
