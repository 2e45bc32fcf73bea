"""Folders as people have them: every run ends with a report that says what was read."""

import pathlib

import numpy as np
import PIL.Image
import pytest
from absl.testing import absltest, parameterized

from tests.trainers import test_run
from trainers.settings import Settings


def picture(path, draws, mode="RGB", side=16):
    """A picture of one colour with a square of another; in mode P with a transparent ground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.full([side, side, 4], [*draws.integers(0, 256, 3), 0], np.uint8)
    top, left = draws.integers(0, side // 2, 2)
    values[top : top + side // 2, left : left + side // 2] = [*draws.integers(0, 256, 3), 255]
    image = PIL.Image.fromarray(values)
    image = image.quantize() if mode == "P" else image if mode == "RGBA" else image.convert("RGB").convert(mode)
    image.save(path)


def classes(path, number, names=("cats", "dogs", "owls"), **options):
    draws = np.random.default_rng(0)
    for i in range(number):
        picture(path / names[i % len(names)] / f"{i}.png", draws, **options)


def flat(path):
    classes(path, 30, names=("",))


def mixed(path):
    draws = np.random.default_rng(1)
    for i, mode in enumerate(("RGB", "L", "RGBA", "P", "1", "CMYK") * 6):
        end = "jpg" if mode in ("L", "CMYK") else "png"
        picture(path / ("a", "b")[i % 2] / f"{i}.{end}", draws, mode, side=12 + i)


def nested(path):
    classes(path / "cats", 18, names=("", "indoors", "indoors/old"))
    classes(path / "dogs", 12, names=("", "outdoors"))


def archive(path):
    classes(path, 30)
    classes(path / "__MACOSX", 3)
    (path / "cats" / "._0.png").write_bytes(b"Mac OS X")
    (path / "empty").mkdir()
    (path / "notes.txt").write_text("")


# By name: what makes the folder, and what the report says of it.
FOLDERS = {
    "sixty": (lambda path: classes(path, 60, mode="P"), r"60 examples read .* in 3 classes\."),
    "twenty_five": (lambda path: classes(path, 25), r"25 examples read .* in 3 classes\."),
    "one_class": (lambda path: classes(path, 20, names=("cats",)), r"20 examples read .* in 1 class\."),
    "flat": (flat, r"30 examples read \(train \d+, validation \d+, test \d+\)\."),
    "mixed": (mixed, r"36 examples read .* in 2 classes"),
    "nested": (nested, r"30 examples read .* in 2 classes"),
    "archive": (archive, r"30 examples read .* in 3 classes. Passed over: .*__MACOSX.*files ending in .txt \(1\)"),
}
RUNS = [
    ("sixty", "conditional_gan"),
    ("twenty_five", "vae"),
    ("flat", "gan"),
    ("mixed", "vae"),
    ("archive", "conditional_gan"),
]
MORE = [  # whose folders or recipes are read and trained above
    ("sixty", "vae"),
    ("sixty", "gan"),
    ("sixty", "aavae"),
    ("twenty_five", "conditional_gan"),
    ("one_class", "conditional_gan"),
    ("nested", "conditional_gan"),
]


@pytest.mark.slow
class FoldersTest(parameterized.TestCase):
    @parameterized.parameters(*RUNS)
    def test_a_run_ends_with_a_report_that_says_what_was_read(self, folder, recipe):
        self.check(folder, recipe)

    @parameterized.parameters(*MORE)
    @pytest.mark.exhaustive
    def test_and_so_do_more(self, folder, recipe):
        self.check(folder, recipe)

    def check(self, folder, recipe):
        path = pathlib.Path(self.create_tempdir().full_path)
        make, said = FOLDERS[folder]
        make(path / "images")
        dataset = f"folder:{path / 'images'}"
        small = {"image_size": 8, "hidden": (4,), "code_size": 2, "epochs": 1, "xla": "off"}
        done = test_run.train(Settings(recipe, dataset, **small), path / "run")
        self.assertEqual(done.end.failures, [])
        self.assertRegex((path / "run" / "report.html").read_text(), said)
        self.assertTrue((path / "run" / "samples.png").exists())

    def test_a_flat_folder_is_refused_where_the_recipe_learns_from_classes(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        flat(path / "images")
        with self.assertRaisesRegex(ValueError, "learns from labels, and .* has none. Give a --dataset with labels"):
            test_run.train(Settings("conditional_gan", f"folder:{path / 'images'}"), path / "run")


if __name__ == "__main__":
    absltest.main()
