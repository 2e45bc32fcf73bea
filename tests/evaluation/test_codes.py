"""Walks between codes and along units keep what they say they keep; maps keep distances or neighbours."""

import sys
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf.evaluation import interpolate, plane, traverse

A, B = np.random.default_rng(0).normal(size=[2, 5, 7])


class InterpolateTest(parameterized.TestCase):
    @parameterized.parameters(True, False)
    def test_a_walk_has_both_its_ends(self, spherical):
        walks = interpolate(A, B, steps=4, spherical=spherical)
        self.assertEqual(walks.shape, (5, 4, 7))
        np.testing.assert_allclose(walks[:, 0], A, atol=1e-6)
        np.testing.assert_allclose(walks[:, -1], B, atol=1e-6)

    def test_a_spherical_walk_keeps_the_length_and_a_line_does_not(self):
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (A, B))
        np.testing.assert_allclose(np.linalg.norm(interpolate(a, b), axis=-1), 1.0, atol=1e-5)
        self.assertLess(np.linalg.norm(interpolate(a, b, spherical=False)[:, 4], axis=-1).max(), 0.95)

    def test_equal_steps_of_angle(self):
        walk = interpolate([[2.0, 0.0]], [[0.0, 2.0]], steps=4)[0]
        np.testing.assert_allclose(np.degrees(np.arctan2(walk[:, 1], walk[:, 0])), [0, 30, 60, 90], atol=1e-4)

    def test_ends_on_one_line_have_a_line_between_them(self):
        for end in ([2.0, 2.0], [-1.0, -1.0], [0.0, 0.0]):
            np.testing.assert_allclose(
                interpolate([[1.0, 1.0]], [end], 3), interpolate([[1.0, 1.0]], [end], 3, False), atol=1e-6
            )

    def test_what_is_no_pair_of_vectors_is_refused(self):
        with self.assertRaisesRegex(ValueError, "as many ends"):
            interpolate(A, B[:2])
        with self.assertRaisesRegex(ValueError, "finite vectors"):
            interpolate(A[0], B[0])
        with self.assertRaisesRegex(ValueError, "steps"):
            interpolate(A, B, steps=1)


class TraverseTest(absltest.TestCase):
    def test_one_unit_moves_and_the_others_stay(self):
        out = traverse(A[0], units=[6, 2], values=[-1.0, 3.0])
        self.assertEqual(out.shape, (2, 2, 7))
        np.testing.assert_array_equal(out[0, :, 6], [-1.0, 3.0])
        np.testing.assert_allclose(np.delete(out[1], 2, axis=1), [np.delete(A[0], 2)] * 2, rtol=1e-6)

    def test_each_unit_may_have_values_of_its_own(self):
        out = traverse(A[0], [0, 1], [[1.0, 2.0], [3.0, 4.0]])
        self.assertEqual((out[0, 1, 0], out[1, 0, 1]), (2.0, 3.0))

    def test_a_unit_that_there_is_not_is_refused(self):
        with self.assertRaisesRegex(ValueError, "from 0 to 6.*7"):
            traverse(A[0], [7], [0.0])


class PlaneTest(absltest.TestCase):
    def test_points_on_a_plane_keep_their_distances(self):
        flat = A @ np.eye(7)[:, :2]
        turned = flat @ np.linalg.qr(np.random.default_rng(1).normal(size=[7, 7]))[0][:2]
        found = plane(turned)
        between = [np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (found.points, flat)]
        np.testing.assert_allclose(*between, atol=1e-5)
        self.assertAlmostEqual(sum(found.shares), 1.0, places=6)

    def test_codes_of_the_plane_are_their_own_map(self):
        np.testing.assert_allclose(plane(A[:, :2]).points, A[:, :2], rtol=1e-6)
        np.testing.assert_array_equal(plane(A[:, :1]).points[:, 1], 0.0)

    def test_neighbours_stay_neighbours(self):
        centres = np.repeat(10.0 * np.eye(7)[:3], 10, axis=0)
        codes = centres + np.random.default_rng(0).normal(size=centres.shape)
        points = plane(codes, "tsne").points
        distance = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(30)
        np.testing.assert_array_equal(distance.argmin(1) // 10, np.arange(30) // 10)

    def test_what_cannot_be_is_refused(self):
        with self.assertRaisesRegex(ValueError, "pca, tsne, umap.*'lda'"):
            plane(A, "lda")
        with self.assertRaisesRegex(ValueError, "at least 3"):
            plane(A[:2])
        with (
            mock.patch.dict(sys.modules, {"umap": None}),
            self.assertRaisesRegex(ImportError, r"pip install 'ugm_tf\[umap\]'"),
        ):
            plane(A, "umap")


if __name__ == "__main__":
    absltest.main()
