"""Which figures a run is remembered by, and which it is evaluated by."""

import dataclasses
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from tests.trainers.test_figures import made
from trainers import defaults, evaluation, figures, pictures, summary


def named(name):
    return lambda *_, **__: [figures.Figure(name, 0.0)]


def stubs():
    """Every measurement as a figure of its name, but for the losses."""
    found = {name: named(name) for name in ("classified", "judged", "losses", "translated", "units")}
    return mock.patch.multiple(figures, **found, bound=lambda *_, **__: figures.Figure("bound", 0.0))


class FiguresTest(parameterized.TestCase):
    @parameterized.parameters(
        ("vae", {"judged", "bound", "losses"}),
        ("semi_supervised_vae", {"classified", "judged", "bound", "losses"}),
        ("predictability_minimization", {"units", "losses"}),
        ("cyclegan", {"translated", "losses"}),
    )
    def test_are_those_that_the_model_has_an_answer_to(self, recipe, expected):
        model, training, held_out = made(recipe)
        with stubs():
            self.assertEqual({f.name for f in summary.measure(model, training, held_out)}, expected)
            finished = mock.Mock(model=model, split={"train": training, "test": held_out}.get)
            finished.settings = defaults.Settings(recipe, "digits")
            with mock.patch.object(evaluation.finished, "load", return_value=finished):
                self.assertEqual({f.name for f in evaluation.evaluate("run")}, expected)

    def test_a_large_run_shows_what_its_classifier_is_worth_and_spares_a_classifier_of_its_own(self):
        model, training, held_out = made("semi_supervised_vae")
        examples = training.examples
        many = dataclasses.replace(
            examples, x=np.resize(examples.x, (10_001, 8, 8, 1)), c=np.resize(examples.c, 10_001)
        )
        with stubs():
            found = summary.measure(model, dataclasses.replace(training, examples=many), held_out)
        self.assertEqual({f.name for f in found}, {"classified", "bound", "losses"})


class WeightsTest(absltest.TestCase):
    def test_are_averages_where_the_run_keeps_them(self):
        model = mock.Mock()
        for ema, expected in ((None, False), (0.0, False), (0.9, True)):
            model.averaged.reset_mock()
            pictures.weights(model, defaults.Settings("vae", "digits", ema=ema))
            self.assertEqual(model.averaged.called, expected, ema)


if __name__ == "__main__":
    absltest.main()
