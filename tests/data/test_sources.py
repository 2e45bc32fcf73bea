"""Tests of batches from several sources: labelled examples and a second domain beside x."""

import functools

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf import data


def shades(number, first, classes=3, name="shades", side=4):
    """Images of one grey level each: first, first + 1 and so on; labelled 0, 1, 2, 0 and so on."""
    levels = np.arange(first, first + number, dtype=np.uint8)
    x = np.broadcast_to(levels[:, None, None, None], [number, side, side, 1])
    if classes is None:
        return data.Examples(x, name=name)
    return data.Examples(x, np.arange(number) % classes, name=name, class_names=[f"class {i}" for i in range(classes)])


X, LABELLED, TARGET = shades(10, 0), shades(6, 100, name="labelled"), shades(9, 200, None, name="target")
ALL = ("x", "labelled", "c", "target")


def listed(steps=None, batch_size=4, **options):
    options = {"observation": "grey", "variables": ALL, "labelled": LABELLED, "target": TARGET, **options}
    dataset = data.batches(X, batch_size, **options)
    return list((dataset if steps is None else dataset.take(steps)).as_numpy_iterator())


@functools.cache
def twenty(observation):
    return listed(20, observation=observation)


def levels(values):
    return [round(255 * float(x[0, 0, 0])) for x in values]


class SourcesTest(parameterized.TestCase):
    def test_each_variable_is_of_its_source_and_of_static_shape(self):
        spec = data.batches(X, 4, observation="grey", variables=ALL, labelled=LABELLED, target=TARGET).element_spec
        self.assertEqual({name: s.shape[0] for name, s in spec.items()}, dict.fromkeys(ALL, 4))
        for batch in listed(5):
            self.assertContainsSubset(levels(batch["labelled"]), range(100, 106))
            self.assertContainsSubset(levels(batch["target"]), range(200, 209))

    def test_labels_are_those_of_the_labelled_examples(self):
        for batch in listed(8):
            expected = [(level - 100) % 3 for level in levels(batch["labelled"])]
            np.testing.assert_array_equal(batch["c"], np.eye(3)[expected])

    def test_labels_are_those_of_x_where_nothing_else_is_labelled(self):
        batch = listed(1, variables=("x", "c", "target"), labelled=None)[0]
        np.testing.assert_array_equal(batch["c"], np.eye(3)[[level % 3 for level in levels(batch["x"])]])

    def test_another_source_changes_nothing_in_x(self):
        for a, b in zip(listed(6), listed(6, variables=("x",), labelled=None, target=None), strict=True):
            np.testing.assert_array_equal(a["x"], b["x"])

    def test_sources_of_the_same_examples_are_not_paired(self):
        batches = listed(20, variables=("x", "target"), labelled=None, target=X)
        paired = sum(
            a == b for batch in batches for a, b in zip(levels(batch["x"]), levels(batch["target"]), strict=True)
        )
        self.assertLess(paired, 40)  # of 80; 8 by chance

    def test_a_source_gives_each_example_once_a_round(self):
        found = [levels(batch["target"]) for batch in listed(10)]  # 9 examples: rounds of 2 batches, 1 example left out
        for first, second in zip(found[::2], found[1::2], strict=True):
            self.assertLen(set(first + second), 8)
        self.assertNotEqual(found[0:2], found[2:4])

    @parameterized.parameters((1, [8]), (2, [4, 4]), (3, [2, 3, 3]), (5, [1, 1, 2, 2, 2]))
    def test_a_source_smaller_than_a_batch_fills_it_evenly(self, number, counts):
        for batch in listed(4, batch_size=8, labelled=shades(number, 100)):
            found = np.bincount(np.array(levels(batch["labelled"])) - 100, minlength=number)
            self.assertEqual(sorted(found), counts)

    @parameterized.product(start=[0, 1, 5, 17], observation=["grey", "binarised", "dequantised", "static"])
    def test_batch_t_is_a_function_of_seed_and_t(self, start, observation):
        whole, rest = twenty(observation), listed(20 - start, observation=observation, start_step=start)
        for a, b in zip(whole[start:], rest, strict=True):
            np.testing.assert_equal(a, b)

    def test_another_seed_gives_another_order(self):
        first, second = (sum((levels(b["labelled"]) for b in listed(5, seed=s)), []) for s in (0, 1))
        self.assertNotEqual(first, second)

    def test_noise_of_the_sources_is_not_shared(self):
        grey = shades(10, 120)
        options = {"observation": "binarised", "shuffle": False, "variables": ("x", "target")}
        batch = next(iter(data.batches(grey, 10, target=grey, **options)))
        self.assertNotAllEqual(batch["x"], batch["target"])

    def assertNotAllEqual(self, a, b):
        self.assertFalse(bool(tf.reduce_all(tf.equal(a, b))))


class EvaluationTest(absltest.TestCase):
    def listed(self, **options):
        return listed(shuffle=False, epochs=1, drop_remainder=False, **options)

    def test_labelled_examples_that_are_those_of_x_keep_their_rows(self):
        batches = self.listed(labelled=X)
        self.assertEqual([len(batch["c"]) for batch in batches], [4, 4, 2])
        for batch in batches:
            np.testing.assert_array_equal(batch["x"], batch["labelled"])
            np.testing.assert_array_equal(batch["c"], np.eye(3)[[level % 3 for level in levels(batch["x"])]])

    def test_a_source_of_another_size_begins_anew(self):
        found = [levels(batch["labelled"]) for batch in self.listed()]
        self.assertEqual(found, [[100, 101, 102, 103], [104, 105, 100, 101], [102, 103]])

    def test_each_pass_gives_the_same_batches(self):
        once, twice = self.listed(), listed(shuffle=False, epochs=2, drop_remainder=False)
        for a, b in zip(once + once, twice, strict=True):
            np.testing.assert_array_equal(a["labelled"], b["labelled"])


class RefusalsTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"labelled": None}, r"and labelled: none is given. Give labelled=examples.labelled_subset\(per_class=10\)"),
        ({"target": None}, r"and target: none is given. Give target=the second domain, such as ugm_tf.data.shifted"),
        ({"variables": ("x", "c", "target")}, "and labelled: labelled is given for it. Leave labelled out, or add it"),
        ({"variables": ("x", "labelled", "c")}, "and target: target is given for it. Leave target out"),
        ({"labelled": shades(4, 0, None)}, "shades has no labels, and variables=.*asks for c. Leave c out, or give"),
        ({"target": shades(4, 0, side=8)}, r"Received: \[8, 8, 1\] of shades, and \[4, 4, 1\].*one image_size"),
        ({"labelled": shades(5, 0, 2)},
         "labelled has the classes of the examples. Received: 'class 0', 'class 1' of shades, "
         "and 'class 0', 'class 1', 'class 2' of shades. Name them alike: class_names"),
        ({"variables": ("x", "y")}, "variables must be of x, c, labelled, target, each at most once"),
    )  # fmt: skip
    def test_sources_that_do_not_fit(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            listed(1, **options)


if __name__ == "__main__":
    absltest.main()
