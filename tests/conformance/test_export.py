"""Each mechanism is exported, and TensorFlow 1's loader, which has no Python of ours, answers as the model does.

`tests/serving/test_run_saved_model.py` has every recipe, which each export is verified for by the same loader.
"""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.conformance import table
from ugm_tf.serving import ServedModel, export_model, signatures


class ExportTest(parameterized.TestCase):
    def check(self, model):
        path = export_model(model, pathlib.Path(self.create_tempdir().full_path) / "saved_model")
        rng = np.random.default_rng(1)
        given = {"seed": np.stack([np.full(5, 3), np.arange(5)], 1).astype(np.int32), **table.arrays(model.recipe, 5)}
        asked = signatures(model)
        self.assertNotEmpty(asked)
        with ServedModel(path) as served:
            self.assertCountEqual([*asked, "serving_default"], served.signatures)
            answers = {}
            for name, signature in asked.items():
                shapes = {v: [5, *spec.shape[1:]] for v, spec in signature.inputs.items()}
                values = {v: given.get(v, rng.uniform(size=shape).astype(np.float32)) for v, shape in shapes.items()}
                answers[name] = values, served(name, values)
        for name, (values, found) in answers.items():
            expected = asked[name].function(*map(tf.constant, values.values()))
            self.assertCountEqual(found, expected)
            for output, value in found.items():
                np.testing.assert_allclose(value, expected[output], rtol=1e-4, atol=1e-5, err_msg=f"{name}/{output}")

    @parameterized.named_parameters(*table.CHOSEN)
    @pytest.mark.slow
    def test_every_endpoint_answers_as_in_python(self, *row):
        with table.trained(*row) as shared:
            self.check(shared.model)


if __name__ == "__main__":
    absltest.main()
