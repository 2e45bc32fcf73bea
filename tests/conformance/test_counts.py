"""Data without an end, and numbers of steps, epochs and examples, at each door."""

import functools

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from tests.conformance import table
from tests.conformance.loops import GOOD, LOOPS, PREDICTIONS, dataset


@functools.cache
def vae():
    """A compiled model, for all tests."""
    return table.model(*table.VAE[1:])


class EndTest(parameterized.TestCase):
    """Data without an end are refused where there is no number of steps, at once."""

    class Endless(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, i):
            return (GOOD[:8],)

    @parameterized.product(
        door=["fit", "fit(validation_data)", "evaluate", "predict"], endless=["dataset", "huge", "py_dataset"]
    )
    def test_is_asked_for(self, door, endless):
        data = self.Endless() if endless == "py_dataset" else dataset(GOOD).repeat(2**50 if endless == "huge" else None)
        advice = {"fit": "fit.. steps_per_epoch", "evaluate": "evaluate.. steps", "predict": "predict.. steps"}
        with self.assertRaisesRegex(ValueError, f"never ends.*give {advice.get(door, 'fit.. validation_steps')}"):
            {**LOOPS, **PREDICTIONS}[door](vae(), data)

    @pytest.mark.slow
    def test_is_given_by_steps(self):
        of, data = vae(), dataset(GOOD).repeat()
        before = int(of.steps)
        of.fit(data, steps_per_epoch=3, validation_data=data, validation_steps=2, verbose=0)
        self.assertEqual(int(of.steps), before + 3)
        self.assertLen(of.predict(data, steps=2, verbose=0), 16)
        of.evaluate(data, steps=2, verbose=0)


class CountsTest(parameterized.TestCase):
    """Numbers of things are whole: NumPy's and whole floats are taken, others refused by name."""

    @parameterized.parameters(int, np.int64, float, np.float32)
    @pytest.mark.slow
    def test_that_are_whole(self, kind):
        of = vae()
        before = int(of.steps)
        of.fit(GOOD, epochs=kind(2), batch_size=kind(8), verbose=0, shuffle=False)
        self.assertEqual(int(of.steps), before + 4)
        of.evaluate(GOOD, batch_size=kind(8), verbose=0)
        self.assertLen(of.predict(GOOD, batch_size=kind(8), verbose=0), 16)
        self.assertLen(of.sample(kind(2)), 2)
        self.assertLen(of.log_prob_bound(GOOD, k=kind(2)), 16)

    @parameterized.product(
        name=["epochs", "batch_size", "steps_per_epoch", "validation_freq", "initial_epoch"],
        value=[1.5, "3", True, -1, float("nan")],
    )
    def test_that_are_not(self, name, value):
        with self.assertRaisesRegex(
            ValueError, rf"fit\(\) takes {name}, a whole number of at least [01]. Received: {name}="
        ):
            vae().fit(GOOD, **{name: value})

    @parameterized.parameters(2**31, -(2**31) - 1, 2**40)
    def test_seeds_that_would_be_those_of_others(self, seed):
        of = vae()
        for door in (functools.partial(of.sample, 2), functools.partial(of.log_prob_bound, GOOD)):
            with self.assertRaisesRegex(ValueError, r"takes seed, a whole number from -2147483648 to 2147483647"):
                door(seed=seed)
        with self.assertRaisesRegex(ValueError, "takes seed, a whole number from"):
            of.encode(GOOD, draws=1, seed=seed)

    @parameterized.parameters("epochs", "validation_freq")
    def test_that_are_none(self, name):
        with self.assertRaisesRegex(ValueError, rf"fit\(\) takes {name}, a whole number .*Received: {name}=None"):
            vae().fit(GOOD, **{name: None})
        with self.assertRaisesRegex(ValueError, "sample.. takes n, a whole number of at least 1. Received: n=None"):
            vae().sample(None)


if __name__ == "__main__":
    absltest.main()
