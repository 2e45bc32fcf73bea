"""The figures of samples and of likelihoods of a model, on data and networks that are known."""

from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest

import ugm_tf
from tests.trainers.test_figures import untrained
from trainers import conditions, inputs, likelihood_figures, sample_figures, subject


def effort(**options):
    return subject.Effort(**options)


class ModesTest(absltest.TestCase):
    def test_are_found_by_one_sample_each(self):
        examples = ugm_tf.data.load("stacked_digits", "train")
        asked = subject.Subject(mock.Mock(), inputs.Inputs(examples, ("x",), "grey"), mock.Mock())
        given = np.array([7, 7, 7, 40])
        told = mock.Mock(probabilities=lambda x: np.eye(1000)[given], how={"network": "a table"})
        drawn = mock.patch.object(subject.Subject, "drawn", lambda *_: (np.zeros([4, 8, 8, 3], np.float32), None))
        with drawn, mock.patch.object(subject.Subject, "classes", told):
            found, kl = sample_figures.modes(asked, effort())
        self.assertEqual((found.value, found.unit, found.real.value), (2.0, "of 1000", 2.0))
        shares = np.bincount(examples.c, minlength=1000) / len(examples)
        truth = 0.75 * np.log(0.75 / shares[7]) + 0.25 * np.log(0.25 / shares[40])
        self.assertAlmostEqual(kl.value, truth, places=9)
        self.assertEqual(kl.estimate.how["network"], "a table")

    def test_of_a_toy_density_they_are_counted_around_its_centres(self):
        ring = inputs.Inputs(ugm_tf.data.load("ring", "train"), ("x",), "raw")
        asked = subject.Subject(untrained("gan")[0], ring, ring)
        self.assertIsNone(conditions.modes(asked, effort()))
        points = np.concatenate([np.repeat(ugm_tf.data.centers("ring")[:2], 2, 0), [[9.0, 9.0]]])
        with mock.patch.object(subject.Subject, "drawn", lambda *_: (points, None)):
            found, quality, kl = sample_figures.modes(asked, effort(samples=5))
        self.assertEqual((found.value, found.unit, quality.value), (2, "of 8", 0.8))
        self.assertAlmostEqual(kl.value, np.log(4.0))

    def test_of_other_data_they_are_not_known(self):
        self.assertIn(
            "the modes of the data are not known", conditions.modes(subject.Subject(*untrained("gan")), effort())
        )


class SubjectTest(absltest.TestCase):
    def test_samples_are_drawn_in_parts_of_every_class(self):
        asked = subject.Subject(*untrained("conditional_gan"))
        x, c = asked.drawn(effort(samples=520))
        self.assertEqual((x.shape, len(c)), ((520, 8, 8, 1), 520))
        learned = np.bincount(asked.training.examples.c)
        np.testing.assert_allclose(np.bincount(c), 520 * learned / learned.sum(), atol=2.0)  # a row a part at most
        self.assertIs(asked.drawn(effort(samples=520))[0], x)
        self.assertBetween(x.min(), 0.0, x.max())
        self.assertFalse(np.array_equal(x[:20], x[500:]))

    def test_points_of_the_plane_are_their_own_features(self):
        model, training, held_out = untrained("gan")
        points = np.random.default_rng(0).normal(size=[50, 2]).astype(np.float32)
        plane = [inputs.Inputs(ugm_tf.data.Examples(points + i), ("x",), "raw") for i in range(2)]
        asked = subject.Subject(model, *plane)
        with mock.patch.object(subject.Subject, "drawn", lambda *_: (points + 3.0, None)):
            found = {f.name: f for f in sample_figures.distances(asked, effort(samples=50))}
        self.assertAlmostEqual(found["Frechet distance"].value, 2 * 2.0**2, places=4)
        self.assertAlmostEqual(found["Frechet distance"].real.value, 2.0, places=4)
        self.assertEqual(found["Frechet distance"].estimate.how["network"], "none: the numbers themselves")
        self.assertNotIn("Frechet distance at infinity", found)


class LikelihoodTest(absltest.TestCase):
    def test_a_code_whose_units_are_drawn_apart_has_a_total_correlation(self):
        for recipe, has in (("vae", True), ("conditional_vae", True), ("iaf_vae", False)):
            asked = subject.Subject(*untrained(recipe))
            found = {f.name: f for f in likelihood_figures.rates(asked, effort(examples=30))}
            self.assertEqual("total correlation of the code" in found, has)
            if has:
                figure = found["total correlation of the code"]
                self.assertEqual((figure.unit, figure.estimate.n), ("nats", 30))
                self.assertEqual(figure.estimate.how["split"], "validation")

    @pytest.mark.slow
    def test_rates_are_the_parts_of_the_elbo(self):
        asked = subject.Subject(*untrained("vae"))
        found = {f.name: f for f in likelihood_figures.rates(asked, effort(examples=60))}
        self.assertLen(found, 6)
        self.assertAlmostEqual(
            found["rate"].value,
            found["mutual information of the code"].value + found["marginal KL of the code"].value,
            4,
        )
        self.assertEqual(found["active units"].unit, "of 3")
        self.assertEqual(found["rate"].estimate.how["split"], "validation")

    @pytest.mark.slow
    def test_a_gan_has_a_likelihood_under_noise(self):
        asked = subject.Subject(*untrained("gan"))
        with mock.patch.object(ugm_tf.evaluation.likelihood, "observation_scale", lambda *_, **__: 0.5):
            (found,) = likelihood_figures.annealed(asked, effort(examples=4, chains=2, temperatures=3))
        self.assertTrue(np.isfinite(found.value))
        self.assertEqual((found.estimate.n, found.estimate.how["noise_scale"]), (4, 0.5))


if __name__ == "__main__":
    absltest.main()
