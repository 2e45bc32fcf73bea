"""Tests of `batches`: batch t is a pure function of (seed, t)."""

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf import data

# 10 images, each of one grey level; with batches of 4 an epoch has 2 steps and leaves 2 examples out.
IMAGES = data.Examples(
    np.broadcast_to(np.arange(100, 200, 10, dtype=np.uint8)[:, None, None, None], [10, 4, 4, 1]),
    np.arange(10) % 3,
    3,
    "shades",
)


def listed(steps=None, examples=IMAGES, **options):
    """The first batches, as NumPy."""
    options = {"observation": "grey", "variables": ("x", "c"), **options}
    dataset = data.batches(examples, options.pop("batch_size", 4), **options)
    return list((dataset if steps is None else dataset.take(steps)).as_numpy_iterator())


def levels(batch):
    """Which examples a batch of grey images holds."""
    return [round(255 * float(x[0, 0, 0])) for x in batch["x"]]


def assert_same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_equal(a, b)


class BatchesTest(parameterized.TestCase):
    def test_are_named_and_of_static_shape(self):
        spec = data.batches(IMAGES, 4, observation="grey", variables=("x", "c")).element_spec
        self.assertEqual(spec["x"], tf.TensorSpec([4, 4, 4, 1], tf.float32))
        self.assertEqual(spec["c"], tf.TensorSpec([4, 3], tf.float32))

    def test_have_only_the_variables_asked_for(self):
        self.assertEqual(set(listed(1, variables=("c",))[0]), {"c"})
        self.assertEqual(set(listed(1, variables=("x",))[0]), {"x"})

    def test_keep_each_label_with_its_image(self):
        for batch in listed(6):
            expected = [IMAGES.c[(level - 100) // 10] for level in levels(batch)]
            np.testing.assert_array_equal(batch["c"], np.eye(3)[expected])

    def test_of_an_epoch_never_repeat_an_example(self):
        for epoch in range(5):
            first, second = listed(2, start_step=2 * epoch)
            self.assertLen(set(levels(first) + levels(second)), 8)

    def test_of_a_shuffled_pass_hold_every_example(self):
        found = listed(epochs=1, drop_remainder=False)
        self.assertEqual([len(batch["x"]) for batch in found], [4, 4, 2])
        self.assertEqual(sorted(sum(map(levels, found), [])), list(range(100, 200, 10)))

    def test_have_another_order_in_each_epoch_and_for_each_seed(self):
        orders = {tuple(levels(b) + levels(d)) for seed in (0, 1, 2) for b, d in [listed(2, seed=seed)]}
        orders |= {tuple(levels(b) + levels(d)) for t in (2, 4, 6) for b, d in [listed(2, start_step=t)]}
        self.assertLen(orders, 6)

    @pytest.mark.slow
    def test_put_every_example_everywhere_equally_often(self):
        examples = data.Examples(np.arange(8, dtype=np.float32)[:, None])
        x = np.array([b["x"][:, 0] for b in listed(2_000, examples, observation="raw", variables="x", batch_size=8)])
        counts = np.array([[np.sum(x[:, place] == value) for value in range(8)] for place in range(8)])
        chi2 = np.sum((counts - 250.0) ** 2) / 250.0  # 49 degrees of freedom: mean 49, variance 98
        self.assertLess(chi2, 49 + 5 * np.sqrt(98))
        self.assertGreater(len({tuple(row) for row in x}), 1_900)  # of 40,320 orders: 48 chance repeats are expected

    def test_without_shuffling_follow_the_examples(self):
        found = listed(epochs=1, shuffle=False, drop_remainder=False)
        self.assertEqual(sum(map(levels, found), []), list(range(100, 200, 10)))

    @parameterized.product(observation=["grey", "dequantised", "binarised", "static"], start_step=[1, 4])
    def test_from_a_later_step_are_those_that_would_have_followed(self, observation, start_step):
        whole = listed(9, observation=observation, seed=7)
        rest = listed(9 - start_step, observation=observation, seed=7, start_step=start_step)
        assert_same(rest, whole[start_step:])

    @parameterized.product(drop_remainder=[True, False], shuffle=[True, False])
    def test_from_a_later_step_are_the_same_under_all_options(self, drop_remainder, shuffle):
        options = {"drop_remainder": drop_remainder, "shuffle": shuffle, "observation": "binarised"}
        assert_same(listed(4, start_step=4, **options), listed(8, **options)[4:])

    def test_from_a_step_far_away_come_at_once(self):
        self.assertLen(listed(1, start_step=10**12), 1)

    def test_are_the_same_in_a_second_pass(self):
        dataset = data.batches(IMAGES, 4, observation="binarised", shuffle=False, epochs=1, drop_remainder=False)
        assert_same(list(dataset.as_numpy_iterator()), list(dataset.as_numpy_iterator()))

    def test_are_binarised_afresh_in_each_epoch(self):
        first, second = (listed(1, observation="binarised", shuffle=False, start_step=t)[0]["x"] for t in (0, 2))
        self.assertFalse(np.array_equal(first, second))

    def test_have_one_static_binarisation_for_each_example(self):
        bits = {}
        for shuffled, grey in zip(listed(20, observation="static"), listed(20), strict=True):
            for level, x in zip(levels(grey), shuffled["x"], strict=True):
                bits.setdefault(level, set()).add(x.tobytes())
        self.assertEqual([len(seen) for seen in bits.values()], [1] * 10)

    def test_static_binarisation_depends_on_the_seed(self):
        first, second = (listed(1, observation="static", shuffle=False, seed=s)[0]["x"] for s in (0, 1))
        self.assertFalse(np.array_equal(first, second))

    def test_end_after_the_epochs_asked_for(self):
        dataset = data.batches(IMAGES, 4, observation="grey", epochs=3, start_step=1)
        self.assertEqual(dataset.cardinality(), 5)
        self.assertLen(list(dataset), 5)

    def test_may_start_at_the_end(self):
        self.assertEmpty(listed(epochs=3, start_step=6))

    def test_never_end_without_epochs(self):
        self.assertEqual(data.batches(IMAGES, 4, observation="grey").cardinality(), tf.data.INFINITE_CARDINALITY)

    def test_run_without_autotune(self):
        self.assertFalse(data.batches(IMAGES, 4, observation="grey").options().autotune.enabled)

    def test_of_vectors_are_raw(self):
        examples = data.ring(10)
        (batch,) = listed(1, examples, observation="raw", shuffle=False, variables=("x",))
        np.testing.assert_array_equal(batch["x"], examples.x[:4])

    @parameterized.parameters(
        ({"batch_size": 11}, "shades has 10 examples.*batch_size=11.*batch_size=10 or less"),
        ({"batch_size": 0}, "at least 1.*batch_size=0"),
        ({"observation": "raw"}, "holds images.*grey, dequantised, binarised, static"),
        ({"observation": "binary"}, "one of grey.*'binary'"),
        ({"variables": ("x", "z")}, r"of x, c, labelled, target.*\('x', 'z'\)"),
        ({"variables": ()}, "of x, c, labelled, target"),
        ({"variables": ("x", "x")}, "at most once"),
        ({"seed": -1}, "seed must be"),
        ({"seed": 2**31}, "seed must be"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"start_step": -1}, "start_step must be at least 0. Received: start_step=-1"),
        ({"epochs": 3, "start_step": 7}, "at most 6, the steps of epochs=3"),
    )
    def test_refuse_other_arguments(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            listed(1, **options)

    @parameterized.parameters("grey", "dequantised", "binarised", "static")
    def test_refuse_to_observe_vectors_as_images(self, observation):
        with self.assertRaisesRegex(ValueError, "vectors of 2 real numbers.*observation='raw'"):
            listed(1, data.ring(10), observation=observation)

    def test_refuse_labels_that_are_absent(self):
        with self.assertRaisesRegex(ValueError, r"no labels.*Examples\(x, c, num_classes\)"):
            listed(1, data.Examples(IMAGES.x))


class StepsPerEpochTest(parameterized.TestCase):
    @parameterized.parameters((4, True, 2), (4, False, 3), (5, True, 2), (5, False, 2), (10, True, 1), (11, False, 1))
    def test_counts_the_batches(self, batch_size, drop_remainder, expected):
        self.assertEqual(data.steps_per_epoch(IMAGES, batch_size, drop_remainder=drop_remainder), expected)


if __name__ == "__main__":
    absltest.main()
