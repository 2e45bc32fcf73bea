"""A file of named arrays is what was written, byte for byte, or is known to be damaged."""

import pathlib
import random

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from ugm_tf.callbacks import states

ARRAYS = {
    "kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "steps": np.array(7, np.int32),
    "half": tf.constant([1.5, -2.0], tf.bfloat16).numpy(),
    "none": np.zeros([0, 3]),
    "flags": np.array([True, False]),
}


class StatesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "step.state"

    def test_gives_back_names_types_shapes_and_values(self):
        states.write(self.path, ARRAYS, {"step": 7})
        arrays, about = states.read(self.path)
        self.assertEqual(about, {"step": 7})
        self.assertEqual(list(arrays), list(ARRAYS))
        for name, array in ARRAYS.items():
            self.assertEqual((arrays[name].dtype, arrays[name].shape), (array.dtype, array.shape))
            self.assertEqual(arrays[name].tobytes(), array.tobytes())

    def test_is_written_in_the_place_of_a_longer_and_of_a_shorter_file(self):
        for length in (10_000, 10):
            older = self.path.with_name("older.state")
            older.write_bytes(b"x" * length)
            place = older.stat().st_ino
            states.write(self.path, ARRAYS, {"step": 7}, over=older)
            self.assertEqual(states.read(self.path)[1], {"step": 7})
            self.assertEqual(self.path.stat().st_ino, place)
            self.assertFalse(older.exists())

    def test_any_flipped_bit_and_any_cut_is_found(self):
        states.write(self.path, ARRAYS, {"step": 7})
        whole, chance = self.path.read_bytes(), random.Random(0)
        changed = [
            whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :] for at in range(len(whole))
        ]
        changed += [whole[:length] for length in range(len(whole))] + [whole + b"\0", whole + whole]
        for content in changed:
            self.path.write_bytes(content)
            with self.assertRaises(states.Damaged):
                states.read(self.path)

    def test_a_whole_file_of_another_format_is_found(self):
        states.write(self.path, {}, {})
        content = b"ugm_tf.state.9\n" + self.path.read_bytes()[15:-32]
        self.path.write_bytes(content + states.hashlib.sha256(content).digest())
        with self.assertRaisesRegex(states.Damaged, "another format"):
            states.read(self.path)


if __name__ == "__main__":
    absltest.main()
