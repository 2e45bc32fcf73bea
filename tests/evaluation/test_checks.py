"""What cannot be measured is refused at every door, before anything is measured."""

import keras
import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf import evaluation
from ugm_tf.evaluation import samples

FLAT = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
C = np.arange(6) % 2
IMAGES = np.random.default_rng(0).random([6, 2, 2, 1], np.float32)
FEATURES = np.random.default_rng(1).normal(size=[40, 2])
LABELS = np.arange(40) % 2

# Each door with all but the array that it refuses.
OF_IMAGES = {
    "judge": lambda x: evaluation.judge(FLAT, x),
    "probabilities": lambda x: evaluation.probabilities(FLAT, x),
    "accuracy": lambda x: evaluation.accuracy(FLAT, x, C),
    "train_classifier": lambda x: evaluation.train_classifier(x, C, 2),
    "classification_accuracy_score": lambda x: samples.classification_accuracy_score(x, C, IMAGES, C, 2),
    "classification_accuracy_score of": lambda x: samples.classification_accuracy_score(IMAGES, C, x, C, 2),
    "resize": lambda x: samples.resize(x, 4),
}
OF_FEATURES = {
    "frechet_distance": lambda x: samples.frechet_distance(FEATURES, x),
    "frechet_distance_at_infinity": lambda x: samples.frechet_distance_at_infinity(FEATURES, x),
    "kernel_distance": lambda x: samples.kernel_distance(FEATURES, x),
    "precision": lambda x: samples.precision_recall_density_coverage(FEATURES, x),
    "precision of": lambda x: samples.precision_recall_density_coverage(x, FEATURES),
    "likelihood": lambda x: samples.feature_likelihood_divergence(FEATURES, FEATURES, x),
    "authenticity": lambda x: samples.authenticity(FEATURES, x),
    "data_copying": lambda x: samples.data_copying(FEATURES, FEATURES, x),
    "training_neighbours": lambda x: samples.training_neighbours(FEATURES, FEATURES, x),
    "vendi_score": lambda x: samples.vendi_score(x),
    "sliced": lambda x: samples.sliced_wasserstein_distance(FEATURES, x),
}
OF_PROBABILITIES = {
    "inception_score": lambda p: samples.inception_score(p, splits=1),
    "class_coverage": lambda p: samples.class_coverage(p),
}
OF_ROWS = {
    "count_modes": lambda x: evaluation.count_modes(x, FEATURES, 0.1),
    "count_modes of": lambda x: evaluation.count_modes(FEATURES, x, 0.1),
    "cycle_error": lambda x: evaluation.cycle_error(x, x),
    "divergences": lambda x: evaluation.divergences(np.ravel(x), FEATURES[:, 0]),
}


def broken(x, value):
    x = np.array(x)
    x[1, ..., 0] = value
    return x


def cases(doors, good, *more):
    every = (("empty", good[:0], "at least . row"), ("NaN", broken(good, np.nan), "NaN or infinity in 1 of"))
    every += (
        ("infinite", broken(good, np.inf), "NaN or infinity in 1 of"),
        ("words", np.array([["a"]]), "numbers|shape"),
    )
    return [
        (f"{door}_{name}".replace(" ", "_"), function, bad, advice)
        for door, function in doors.items()
        for name, bad, advice in (*every, *more)
    ]


class DoorsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        *cases(
            OF_IMAGES,
            IMAGES,
            ("uint8", (255 * IMAGES).astype(np.uint8), r"lie in \[0, 1\].*Divide 8-bit images by 255"),
            ("dark_uint8", np.ones([6, 2, 2, 1], np.uint8), "of a float type. .*Divide 8-bit images by 255"),
            ("signed", 2.0 * IMAGES - 1.0, r"map those in \[-1, 1\]"),
            ("of_rank_3", IMAGES[..., 0], "shape"),
        ),
        *cases(
            OF_FEATURES,
            FEATURES,
            ("one_row", FEATURES[:1], "at least . rows"),
            ("other_width", np.zeros([40, 5]), "of one D|is 0"),
            ("of_rank_3", np.zeros([40, 2, 1]), "2 axes"),
        ),
        *cases(
            OF_PROBABILITIES,
            np.full([6, 2], 0.5),
            ("one_row", np.full([1, 2], 0.5), "at least 2 rows"),
            ("logits", np.array([[3.0, -1.0]] * 4), "Give softmax"),
            ("no_sum", np.array([[0.5, 0.4]] * 4), "sum to 1"),
        ),
        *cases(OF_ROWS, FEATURES),
    )
    def test_refuses(self, function, bad, advice):
        with self.assertRaisesRegex(ValueError, advice):
            function(bad)

    @parameterized.parameters(
        (lambda: evaluation.judge(FLAT, IMAGES[:1]), "at least 2 rows"),
        (lambda: evaluation.accuracy(FLAT, IMAGES, C[:3]), "Received 3 of them for 6 examples"),
        (lambda: evaluation.accuracy(FLAT, IMAGES, C + 0.5), "whole numbers"),
        (lambda: evaluation.train_classifier(IMAGES, C, 1), "num_classes is a whole number of at least 2"),
        (lambda: evaluation.train_classifier(IMAGES, C + 1, 2), "Count classes from 0"),
        (lambda: evaluation.train_classifier(IMAGES, C, 2, epochs=0), "epochs is a whole number of at least 1"),
        (lambda: evaluation.count_modes(FEATURES, FEATURES, -1.0), "scale of a mode is a finite number above 0"),
        (lambda: evaluation.count_modes(FEATURES, FEATURES, np.nan), "scale of a mode is a finite number above 0"),
        (lambda: evaluation.cycle_error(np.zeros([2, 3]), np.zeros([1, 3])), "has the examples' shape"),
        (lambda: samples.class_coverage(np.full([6, 2], 0.5), reference=LABELS + 1), "Count classes from 0"),
    )
    def test_refuses_what_does_not_fit(self, call, advice):
        with self.assertRaisesRegex(ValueError, advice):
            call()


if __name__ == "__main__":
    absltest.main()
