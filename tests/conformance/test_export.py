"""Each recipe is exported, and TensorFlow 1's loader, which has no Python of ours, answers as the model does."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from export import saved_model
from tests.conformance import table
from ugm_tf import inference


class ExportTest(parameterized.TestCase):
    def check(self, model):
        path = saved_model.export_model(model, pathlib.Path(self.create_tempdir().full_path) / "saved_model")
        rng = np.random.default_rng(1)
        given = {"seed": np.stack([np.full(5, 3), np.arange(5)], 1).astype(np.int32), **table.arrays(model.recipe, 5)}
        endpoints = inference.endpoints(model)
        self.assertNotEmpty(endpoints)
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
            self.assertContainsSubset([*endpoints, "serving_default"], list(meta.signature_def))
            answers = {}
            for name, endpoint in endpoints.items():
                signature = meta.signature_def[name]
                shapes = {v: [5, *spec.shape[1:]] for v, spec in endpoint.inputs.items()}
                values = {v: given.get(v, rng.normal(size=shape).astype(np.float32)) for v, shape in shapes.items()}
                feed = {signature.inputs[v].name: value for v, value in values.items()}
                answers[name] = values, session.run({k: v.name for k, v in signature.outputs.items()}, feed)
        for name, (values, found) in answers.items():
            expected = endpoints[name].function(**{v: tf.constant(value) for v, value in values.items()})
            self.assertCountEqual(found, expected)
            for output, value in found.items():
                np.testing.assert_allclose(value, expected[output], rtol=1e-4, atol=1e-5, err_msg=f"{name}/{output}")

    @parameterized.named_parameters(*table.CHOSEN)
    def test_every_endpoint_answers_as_in_python(self, *row):
        with table.trained(*row) as shared:
            self.check(shared.model)

    @parameterized.named_parameters(*table.OTHERS)
    @pytest.mark.slow
    def test_every_endpoint_answers_as_in_python_for(self, *row):
        with table.trained(*row) as shared:
            self.check(shared.model)


if __name__ == "__main__":
    absltest.main()
