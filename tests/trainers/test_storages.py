"""A run is the same from whichever storage its data come, and goes on from each as if it had never been killed.

Runs from memory are killed in `test_train.py`.
"""

import pathlib
import time

import numpy as np
import PIL.Image
import pytest
from absl.testing import absltest, parameterized

from benchmarks import processes
from trainers import options

_FLAGS = ("--recipe=vae", "--epochs=12", "--hidden=16", "--batch_size=16", "--checkpoint_steps=3", "--xla=off")
_STEPS = 30  # of about 96: the kill comes after a checkpoint of this step or a later one


class StoragesTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_a_run_killed_in_each_storage_ends_with_the_bits_of_one_left_alone_in_memory(self):
        root = pathlib.Path(self.create_tempdir().full_path)
        draws = np.random.default_rng(0)
        for i in range(160):
            (root / "images" / f"class {i % 2}").mkdir(parents=True, exist_ok=True)
            pixels = draws.integers(0, 256, [9, 12], np.uint8)
            PIL.Image.fromarray(pixels).save(root / "images" / f"class {i % 2}" / f"{i}.png")
        flags = [*_FLAGS, f"--dataset=folder:{root / 'images'}", "--image_size=8"]
        processes.finish(root / "whole", flags)
        self.assertEqual(options.read(root / "whole" / "flags.txt").storage, "memory")
        for storage in ("mapped", "files"):
            arguments = [*flags, f"--storage={storage}"]
            arguments += [f"--cache_dir={root / 'cache'}"] if storage == "mapped" else []
            killed = root / storage
            process = processes.start(killed, arguments)
            while process.poll() is None and processes.step_of(killed) < _STEPS:
                time.sleep(0.002)
            process.kill()
            self.assertLess(process.wait(), 0)
            self.assertFalse((killed / "report.html").exists())
            processes.finish(killed, arguments)
            self.assertEqual(processes.differences(root / "whole", killed), [], storage)


if __name__ == "__main__":
    absltest.main()
