"""The semi-supervised VAEs are made of a conditional VAE, a classifier and a VAE: whole training steps."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws, trained

X, LABELLED = draws(3, 6, 2), draws(8, 6, 2)
C = toys.one_hot(2, 0, 1, 1, 0, 1, 0)
DATA = {"x": X, "labelled": LABELLED, "c": C}
ROUNDING = 2e-6  # of changes of float32 weights of order 1


def network(sizes, outputs, seed, family):
    """A density with the same noise at each draw."""
    return toys.Seeded(toys.joined(sizes, outputs, seed), family)


def m2(size=2):
    """The densities of the semi-supervised VAE, of examples of this size."""
    return {
        "classes": ugm_tf.Prior((2,), "one_hot"),
        "prior": ugm_tf.Prior((3,)),
        "encoder": network((size, 2), 6, 1, "gaussian"),
        "decoder": network((3, 2), size, 2, "unit_gaussian"),
        "classifier": network((size,), 2, 3, "one_hot"),
    }


def on_labels_alone(recipe):
    """The recipe with its expectations of labelled examples."""
    (phase,) = recipe.phases
    terms = tuple(e for e in phase.minimise if e.label in ("labelled_distortion", "labelled_rate", "labels"))
    densities = {name: role for name, role in recipe.densities.items() if name != "classes"}
    phases = (dataclasses.replace(phase, minimise=terms),)
    return dataclasses.replace(recipe, phases=phases, densities=densities, families={})


def conditional_vae():
    parts = {name: density for name, density in m2().items() if name in ("prior", "encoder", "decoder")}
    return trained(ugm_tf.recipes.conditional_vae(), parts, {"x": LABELLED, "c": C})


class LabelledTest(absltest.TestCase):
    def test_fed_only_labels_it_is_the_conditional_vae_and_a_classifier(self):
        recipe = on_labels_alone(ugm_tf.recipes.semi_supervised_vae(alpha=5.0, labelled=1.0))
        parts = {name: density for name, density in m2().items() if name in recipe.densities}
        left, right = trained(recipe, parts, DATA), conditional_vae()
        for name in ("encoder", "decoder"):
            np.testing.assert_allclose(left[name], right[name], atol=ROUNDING, err_msg=name)
        classifier = m2()["classifier"]
        with tf.GradientTape() as tape:
            loss = 5.0 * tf.reduce_mean(-tf.reduce_sum(C * tf.nn.log_softmax(classifier(LABELLED)), -1))
        gradient = tape.gradient(loss, classifier.trainable_variables)
        by_hand = np.concatenate([-0.1 * g.numpy().ravel() for g in gradient])
        np.testing.assert_allclose(left["classifier"][1:], by_hand, atol=ROUNDING)

    def test_with_unlabelled_examples_it_is_not(self):
        left = trained(ugm_tf.recipes.semi_supervised_vae(), m2(), DATA)
        self.assertGreater(np.max(np.abs(left["encoder"] - conditional_vae()["encoder"])), 1e-3)

    @pytest.mark.slow
    def test_the_weight_of_labelled_examples_is_one_of_the_conditional_vae(self):
        twice, once = (
            trained(ugm_tf.recipes.semi_supervised_vae(alpha=5.0, labelled=weight), m2(), DATA) for weight in (2.0, 1.0)
        )
        alone = conditional_vae()
        for name in ("encoder", "decoder"):
            np.testing.assert_allclose(twice[name] - once[name], alone[name], atol=ROUNDING, err_msg=name)


class StackedTest(absltest.TestCase):
    """M1 + M2, with features h of size 4."""

    def densities(self):
        upper = {"middle" if name == "decoder" else name: density for name, density in m2(4).items()}
        return {
            **upper,
            "decoder": network((4,), 2, 5, "unit_gaussian"),
            "features": network((2,), 8, 6, "gaussian"),
            "features_prior": ugm_tf.Prior((4,)),
        }

    def steps(self):
        recipe = ugm_tf.recipes.stacked_semi_supervised_vae(alpha=5.0, labelled=0.5)
        return trained(recipe, self.densities(), DATA, schedule="simultaneous")

    def test_its_first_phase_is_the_vae(self):
        parts = self.densities()
        vae = {"prior": parts["features_prior"], "encoder": parts["features"], "decoder": parts["decoder"]}
        left, right = self.steps(), trained(ugm_tf.recipes.vae(), vae, X)
        np.testing.assert_allclose(left["features"], right["encoder"], atol=ROUNDING)
        np.testing.assert_allclose(left["decoder"], right["decoder"], atol=ROUNDING)

    def second_phase(self, h, told):
        """The changes of M2 of these examples, by the names of M1 + M2's densities."""
        alone = ugm_tf.recipes.semi_supervised_vae(alpha=5.0, labelled=0.5)
        changes = trained(alone, m2(4), {"x": h, "labelled": told, "c": C})
        return {"middle" if name == "decoder" else name: change for name, change in changes.items()}

    def features(self):
        """The distributions of the features of X and of LABELLED, and their draws."""
        features = self.densities()["features"]
        found = [features.distribution(x) for x in (X, LABELLED)]
        return found, [features.draw(of, [], None) for of in found]

    def test_its_second_phase_is_the_semi_supervised_vae_of_the_features(self):
        left, right = self.steps(), self.second_phase(*self.features()[1])
        for name in ("encoder", "middle", "classifier"):
            np.testing.assert_allclose(left[name], right[name], atol=1e-5, err_msg=name)
            self.assertGreater(np.max(np.abs(left[name])), 1e-2)

    @pytest.mark.slow
    def test_not_of_their_means_nor_of_the_labelled_ones_exchanged(self):
        left, (found, (h, told)) = self.steps(), self.features()
        for others in ([of.mean() for of in found], (told, h), (h, tf.reverse(told, [0]))):
            right = self.second_phase(*others)
            for name in ("encoder", "middle", "classifier"):
                self.assertGreater(np.max(np.abs(left[name] - right[name])), 1e-3, name)

    def test_not_of_the_examples(self):
        left, right = self.steps(), trained(ugm_tf.recipes.vae(), self.vae_of_labelled(), LABELLED)
        self.assertGreater(np.max(np.abs(left["decoder"] - right["decoder"])), 1e-3)

    def vae_of_labelled(self):
        parts = self.densities()
        return {"prior": parts["features_prior"], "encoder": parts["features"], "decoder": parts["decoder"]}


if __name__ == "__main__":
    absltest.main()
