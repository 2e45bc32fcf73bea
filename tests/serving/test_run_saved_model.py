"""The loader of TensorFlow Serving, in C++, answers as the model does.

UGM_RUN_SAVED_MODEL names the program, which `.ci/run` builds: `run_saved_model DIRECTORY ROWS` loads a version with XLA
turned off, as the stock server does, and runs every signature once on inputs of its own.
"""

import os
import pathlib
import re
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from tests.serving import served
from ugm_tf.serving import saved_model

_SIGNATURE = re.compile(r"^signature (\w+) (OK|FAILED.*)\n((?: {3}.*\n)*)", re.MULTILINE)
_OUTPUT = re.compile(r"^ {3}(\w+) Tensor<type: (\w+) shape: \[([\d,]*)\] values: (.*)>$", re.MULTILINE)


def inputs(specs, rows):
    """What the program feeds: ones after zeros, and integers from 1."""
    out = {}
    for name, spec in specs.items():
        shape = [rows, *spec.shape[1:]]
        numbers = np.arange(np.prod(shape)).reshape(shape)
        out[name] = tf.constant(numbers + 1 if spec.dtype == tf.int32 else numbers % 2, spec.dtype)
    return out


_OPTIONS = [row for row in table.OPTIONS if row[3] is not table.dense or row[0] in ("gan_pack", "infogan_plain")]


@pytest.mark.slow
class RunSavedModelTest(parameterized.TestCase):
    def check(self, of):
        program = os.environ.get("UGM_RUN_SAVED_MODEL")
        if program is None:
            self.skipTest("UGM_RUN_SAVED_MODEL does not name the C++ loader that .ci/run builds.")
        path = saved_model.export_model(of, pathlib.Path(self.create_tempdir().full_path))
        found = ugm_tf.serving.signatures(of)
        default = next(iter(found))
        for rows in (1, 3):
            done = subprocess.run([program, path, str(rows)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            run = {name: _OUTPUT.findall(text) for name, status, text in _SIGNATURE.findall(done.stdout)}
            self.assertCountEqual(run, [*found, "serving_default"])
            for name, outputs in run.items():
                signature = found[default if name == "serving_default" else name]
                expected = signature.function(*inputs(signature.inputs, rows).values())
                self.assertCountEqual([key for key, *_ in outputs], expected)
                for key, kind, shape, text in outputs:
                    self.assertEqual(kind, "bool" if key == "ok" else "float")
                    numbers = np.array(re.findall(r"[^\[\] ]+", text), np.float32)
                    numbers = numbers.reshape([int(size) for size in shape.split(",")])
                    np.testing.assert_allclose(numbers, expected[key], rtol=1e-5, atol=1e-5, err_msg=f"{name}: {key}")

    @parameterized.parameters(*served.RECIPES, "conditional")
    def test_answers_as_a_convolutional_model(self, recipe):
        self.check(served.model(served.conditional() if recipe == "conditional" else recipe, "dcgan"))

    @parameterized.named_parameters(
        *table.CHOSEN, *(row for row in table.MECHANISMS if row in table.RECIPES), *_OPTIONS
    )
    def test_answers_as_the_model_of(self, *row):
        self.check(table.model(*row))

    # A contest, a penalty or a weight exports as the recipe that it is of.
    @parameterized.named_parameters(
        *(row for row in (*table.RECIPES, *table.TRANSFERS) if row not in (*table.CHOSEN, *table.MECHANISMS))
    )
    @pytest.mark.exhaustive
    def test_answers_as_the_model_of_every_other(self, *row):
        self.check(table.model(*row))


if __name__ == "__main__":
    absltest.main()
