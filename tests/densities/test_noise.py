"""Noise: the numbers of Philox4x32-10, by row and of the right law."""

import contextlib
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized
from scipy import stats

from ugm_tf.densities import noise

WORD = 0xFFFFFFFF


def philox4x32(counter, key):
    """Philox4x32-10 as its authors write it, on Python's integers."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        first, second = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = second >> 32 ^ c1 ^ k0, second & WORD, first >> 32 ^ c3 ^ k1, first & WORD
        k0, k1 = k0 + 0x9E3779B9 & WORD, k1 + 0xBB67AE85 & WORD
    return [c0, c1, c2, c3]


def seeds(n, first=7):
    return tf.stack([tf.fill([n], first), tf.range(n)], axis=1)


@contextlib.contextmanager
def bits(words):
    """Within it the generator gives these words; what was traced with them is forgotten."""
    functions = (noise._standard_noise, noise._noise_by_row)
    try:
        for function in functions:
            function.cache_clear()
        with mock.patch.object(noise, "philox", return_value=tf.constant(words, tf.uint32)):
            yield
    finally:
        for function in functions:
            function.cache_clear()


class PhiloxTest(parameterized.TestCase):
    @parameterized.parameters(
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((WORD,) * 4, (WORD,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    )
    def test_the_formula_gives_the_published_answers(self, counter, key, answer):
        self.assertEqual(" ".join(f"{word:08x}" for word in philox4x32(counter, key)), answer)

    def test_bits_are_those_of_the_formula(self):
        keys = [(0, 0), (1, 2), (-1, -(2**31)), (2**31 - 1, 12345)]
        bits = noise.philox(tf.constant(keys, tf.int32), blocks=3, streams=tf.fill([4], 5)).numpy()
        for row, key in zip(bits, keys, strict=True):
            blocks = [philox4x32((block, 5, 0, 0), [k & WORD for k in key]) for block in range(3)]
            np.testing.assert_array_equal(row, np.transpose(blocks).ravel())


class FoldTest(absltest.TestCase):
    def test_the_seeds_of_0_1_2_are_the_published_numbers_of_split_mix_64(self):
        published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
        words = [noise.fold([1234567, 0], i).numpy().view(np.uint64)[0] for i in range(4)]
        self.assertEqual(words, published)

    def test_numbers_are_folded_in_one_after_the_other(self):
        np.testing.assert_array_equal(noise.fold([3, -5], 7, -1), noise.fold(noise.fold([3, -5], 7), -1))
        self.assertNotAllEqual(noise.fold([3, -5], 7, -1), noise.fold([3, -5], -1, 7))

    def test_seeds_of_one_seed_are_all_apart(self):
        numbers = [*range(-500, 500), 2**31 - 1, -(2**31)]
        self.assertLen({tuple(noise.fold([0, 0], n).numpy()) for n in numbers}, len(numbers))

    def test_it_is_the_same_with_xla_and_of_a_number_known_when_it_runs(self):
        for jit in (False, True):
            folded = tf.function(lambda seed, n: noise.fold(seed, n, 2), jit_compile=jit)
            for seed, n in (([1, 2], 3), ([-1, 2**31 - 1], -7)):
                np.testing.assert_array_equal(folded(tf.constant(seed), tf.constant(n)), noise.fold(seed, n, 2))

    def assertNotAllEqual(self, left, right):
        self.assertFalse(np.array_equal(left, right))


class TracingTest(absltest.TestCase):
    def test_a_second_graph_does_not_trace_what_is_drawn_again(self):
        def draw(seed):
            return noise.standard_noise("normal", [4, 17], noise.fold(seed, 1))

        tf.function(draw).get_concrete_function(tf.TensorSpec([2], tf.int32))
        with mock.patch.object(noise, "philox", side_effect=AssertionError("traced again")):
            again = tf.function(draw).get_concrete_function(tf.TensorSpec([2], tf.int32))
        self.assertLess(len(again.graph.get_operations()), 15)
        self.assertEqual(again.structured_outputs.shape, [4, 17])


class NoiseByRowTest(parameterized.TestCase):
    @parameterized.parameters("normal", "uniform")
    def test_a_row_is_a_function_of_its_seed_alone(self, law):
        batch = noise.noise_by_row(law, (3, 2), seeds(5))
        alone = tf.concat([noise.noise_by_row(law, (3, 2), seed[None]) for seed in tf.reverse(seeds(5), [0])], 0)
        # Uniform numbers are integer arithmetic; of normal ones Eigen rounds those at the end of a vector apart.
        np.testing.assert_allclose(batch, tf.reverse(alone, [0]), rtol=0, atol=1e-6 if law == "normal" else 0)

    def test_uniform_numbers_are_the_upper_bits_in_the_middle_of_their_steps(self):
        words = np.array(philox4x32((0, 0, 0, 0), (7, 0)), np.float64)
        expected = (np.floor(words / 2**9) + 0.5) / 2**23
        np.testing.assert_array_equal(noise.noise_by_row("uniform", (4,), seeds(1))[0], expected)

    @parameterized.parameters("normal", "uniform")
    def test_has_its_law(self, law):
        draws = noise.noise_by_row(law, (100,), seeds(1000)).numpy().ravel()
        p_value = stats.kstest(draws, {"normal": "norm", "uniform": "uniform"}[law]).pvalue
        self.assertGreater(p_value, 1e-3)  # fixed seeds: passes for ever or never

    @parameterized.parameters(0, 2**32 - 1)
    def test_is_inside_its_interval_for_every_word(self, word):
        with bits([[word]]):
            uniform = noise.noise_by_row("uniform", (1,), seeds(1)).numpy()
            normal = noise.noise_by_row("normal", (1,), seeds(1)).numpy()
        self.assertBetween(uniform.item(), 2.0**-24, 1.0 - 2.0**-24)
        self.assertBetween(abs(normal.item()), 5.0, 6.0)  # the 2**-24 quantile is -5.3

    def test_streams_are_apart(self):
        first, second = (noise.noise_by_row("normal", (100,), seeds(100), stream).numpy().ravel() for stream in (0, 1))
        self.assertLess(abs(np.corrcoef(first, second)[0, 1]), 0.04)  # 4 standard errors of 10,000 draws

    def test_neighbouring_seeds_are_apart(self):
        draws = noise.noise_by_row("normal", (10_000,), seeds(2)).numpy()
        self.assertLess(abs(np.corrcoef(draws)[0, 1]), 0.04)

    def test_of_a_scalar_has_one_number_a_row(self):
        self.assertEqual(noise.noise_by_row("normal", (), seeds(3)).shape, (3,))

    def test_no_law_is_no_noise(self):
        self.assertIsNone(noise.noise_by_row(None, (2,), seeds(3)))


class StandardNoiseTest(parameterized.TestCase):
    @parameterized.product(law=("normal", "uniform"), shape=((100_000,), (100, 1000), (10, 100, 100)))
    def test_has_its_law(self, law, shape):
        draws = noise.standard_noise(law, shape, tf.constant([1, 2]), axes=min(len(shape), 2)).numpy().ravel()
        p_value = stats.kstest(draws, {"normal": "norm", "uniform": "uniform"}[law]).pvalue
        self.assertGreater(p_value, 1e-3)

    @parameterized.parameters(0, 2**32 - 1)
    def test_is_inside_its_interval_for_every_word(self, word):
        with bits([[word]]):
            uniform, normal = (
                noise.standard_noise(law, [1], tf.constant([1, 2])).numpy() for law in ("uniform", "normal")
            )
        self.assertBetween(uniform.item(), 2.0**-24, 1.0 - 2.0**-24)
        self.assertBetween(abs(normal.item()), 5.0, 6.0)

    @parameterized.parameters(((),), ((0, 3),), ((5, 3),), ((8,),))
    def test_without_an_axis_it_is_the_noise_of_one_row(self, shape):
        draws = noise.standard_noise("uniform", shape, tf.constant([1, 2]), axes=0)
        self.assertEqual(draws.shape, shape)
        np.testing.assert_array_equal(draws, noise.noise_by_row("uniform", shape, tf.constant([[1, 2]]))[0])

    @parameterized.product(shape=((6,), (6, 3), (6, 3, 2), (0, 3)), kind=("normal", "uniform"))
    @pytest.mark.slow
    def test_row_i_is_that_of_the_seed_and_of_stream_i(self, shape, kind):
        draws = noise.standard_noise(kind, shape, tf.constant([1, 2]))
        for i, row in enumerate(draws):
            alone = noise.noise_by_row(kind, shape[1:], tf.constant([[1, 2]]), stream=i)[0]
            np.testing.assert_allclose(row, alone, rtol=0, atol=1e-6 if kind == "normal" else 0)

    @parameterized.parameters((1, (12,)), (1, (12, 3)), (2, (5, 12, 3)), (2, (5, 12)), (3, (2, 5, 12, 3)))
    def test_a_part_of_the_rows_has_the_noise_that_it_has_in_the_whole(self, axes, shape):
        whole = noise.standard_noise("uniform", shape, tf.constant([1, 2]), axes=axes)
        self.assertEqual(whole.shape, shape)
        parts = []
        for first, rows in ((0, 5), (5, 7)):
            part = (*shape[: axes - 1], rows, *shape[axes:])
            parts.append(noise.standard_noise("uniform", part, tf.constant([1, 2]), axes=axes, first_row=first))
        np.testing.assert_array_equal(tf.concat(parts, axes - 1), whole)
        self.assertLen(np.unique(whole), np.size(whole))  # no two rows, draws or elements share a number

    @parameterized.parameters((2, (12, 3, 5)), (2, (10, 3)), (3, (12, 2, 3, 5)), (2, (4, 3, 1)))
    def test_a_part_of_the_draws_has_the_noise_that_it_has_in_the_whole(self, axes, shape):
        seed = tf.constant([1, 2])
        whole = noise.standard_noise("uniform", shape, seed, axes=axes).numpy()
        for size in (c for c in range(1, shape[0]) if shape[0] % c == 0):
            parts = shape[0] // size
            for i in range(parts):
                part = noise.standard_noise("uniform", (size, *shape[1:]), seed, axes=axes, draws=(i, parts))
                expected = whole[i * size : (i + 1) * size]
                if size % 4 == 0:  # a piece of each quarter
                    quarters = whole.reshape(4, -1, *shape[1:])
                    expected = quarters[:, i * size // 4 : (i + 1) * size // 4].reshape(size, *shape[1:])
                np.testing.assert_array_equal(part, expected)

    def test_a_shape_known_only_when_it_runs_changes_no_bit(self):
        draw = tf.function(lambda shape: noise.standard_noise("uniform", shape, tf.constant([1, 2])))
        known = noise.standard_noise("uniform", [6, 5], tf.constant([1, 2]))
        np.testing.assert_array_equal(draw(tf.constant([6, 5])), known)

    def test_seeds_a_step_apart_give_noise_of_their_own(self):
        seeds = [tf.constant(seed) for seed in ([0, 0], [1, 0], [0, 1], [-1, 0], [-(2**31), 2**31 - 1])]
        draws = np.stack([noise.standard_noise("normal", [10_000], seed) for seed in seeds])
        self.assertLess(np.abs(np.corrcoef(draws) - np.eye(len(seeds))).max(), 0.04)

    def test_no_law_is_no_noise(self):
        self.assertIsNone(noise.standard_noise(None, [2], tf.constant([1, 2])))


if __name__ == "__main__":
    absltest.main()
