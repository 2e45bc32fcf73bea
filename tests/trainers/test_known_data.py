"""A run knows its data: what was read is kept, and data that changed are refused."""

import json
import pathlib
from unittest import mock

import numpy as np
import PIL.Image
from absl.testing import absltest

import ugm_tf
from trainers import finished, inputs, known_data, rundir
from trainers.settings import Settings


def folder(path, number, classes=("cats", "dogs")):
    """A folder of so many images of each class, and a file that is no image."""
    draws = np.random.default_rng(0)
    for name in classes:
        (path / name).mkdir(parents=True)
        for i in range(number):
            PIL.Image.fromarray(draws.integers(0, 256, [8, 8], np.uint8)).save(path / name / f"{i}.png")
    (path / classes[0] / "notes.txt").write_text("")


def described(path, split="train"):
    return known_data.describe(inputs.Inputs(ugm_tf.data.load(f"folder:{path}", split), ("x",), "grey"))


class KnownDataTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "pets"
        folder(self.path, 12)
        self.before = described(self.path)

    def test_what_was_read_and_passed_over_is_a_line(self):
        (line,) = known_data.readings(self.before)
        self.assertIn("24 examples read", line)
        self.assertIn("in 2 classes. Passed over: files ending in .txt (1).", line)

    def test_classes_have_the_names_of_the_folders(self):
        self.assertEqual(known_data.class_names(self.before), ["cats", "dogs"])
        self.assertIsNone(known_data.class_names({}))

    def test_it_is_json_and_the_same_of_every_split(self):
        self.assertEqual(json.loads(json.dumps(self.before)), self.before)
        for split in ("validation", "test"):
            known_data.check("run", self.before, described(self.path, split))

    def test_refuses_data_that_changed_and_names_what(self):
        PIL.Image.new("L", (8, 8)).save(self.path / "dogs" / "more.png")
        (self.path / "cats" / "0.png").unlink()
        advice = (
            "data of --dataset are not those .*'run' began with: 1 file removed: cats/0.png; 1 file added: dogs/more"
        )
        with self.assertRaisesRegex(ValueError, advice):
            known_data.check("run", self.before, described(self.path))

    def test_a_second_domain_is_known_if_it_is_data_of_its_own(self):
        digits = ugm_tf.data.load("digits", "test")
        for is_read, flags in ((True, ["dataset", "target"]), (False, ["dataset"])):
            found = known_data.describe(inputs.Inputs(digits, ("x", "target"), "grey", None, digits, is_read))
            self.assertEqual(list(found), flags)

    def test_toys_are_the_same_data_whichever_split_is_asked_for(self):
        train, test = (
            known_data.describe(inputs.Inputs(ugm_tf.data.load("ring", split), ("x",), "raw"))
            for split in ("train", "test")
        )
        known_data.check("run", train, test)

    def test_a_finished_run_gives_no_split_of_other_data(self):
        settings = Settings("vae", f"folder:{self.path}", observation="grey")
        directory = rundir.RunDirectory(self.path.parent / "run", settings, self.before)
        run = finished.Finished(mock.Mock(), settings, directory, inputs.USUAL)
        self.assertLen(run.split("train").examples, len(ugm_tf.data.load(f"folder:{self.path}", "train")))
        (self.path / "cats" / "0.png").unlink()
        for split in ("train", "validation", "test"):
            with self.assertRaisesRegex(ValueError, "1 file removed: cats/0.png. Take the changes back, or train into"):
                run.split(split)


if __name__ == "__main__":
    absltest.main()
