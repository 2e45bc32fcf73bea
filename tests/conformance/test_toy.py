"""A new model is a recipe of at most 12 lines and nothing else: it trains, is saved, described and exported."""

import inspect
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest

import ugm_tf
from tests.conformance import table
from ugm_tf import GENERATED, INFERRED, Recipe, adversarial


def bigan():
    return Recipe(
        densities={"prior": "p(z)", "decoder": "p(x | z)", "encoder": "q(z | x)", "discriminator": "q(y | x, z)"},
        phases=adversarial(fake=GENERATED, real=INFERRED, updates=("decoder", "encoder")),
    )


class ToyTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path)
        self.model = table.model(bigan, {}, table.dense)
        self.data = table.dataset(self.model.recipe)

    def test_is_at_most_12_lines(self):
        self.assertLessEqual(len(inspect.getsource(bigan).splitlines()), 12)

    @pytest.mark.slow
    def test_trains_and_goes_on_after_loading(self):
        before = {name: d.get_weights() for name, d in self.model.densities.items()}
        self.model.fit(self.data, verbose=0)
        for name in ("decoder", "encoder", "discriminator"):
            after = self.model.densities[name].get_weights()
            self.assertTrue(all(np.any(a != b) for a, b in zip(before[name], after, strict=True)))
        self.model.save(self.path / "model.keras")
        loaded = ugm_tf.load_model(self.path / "model.keras")
        for model in (self.model, loaded):
            model.fit(self.data, verbose=0)
        table.assert_same(table.state(loaded), table.state(self.model))

    def test_describes_itself(self):
        self.assertEqual(
            self.model.describe(),
            """\
discriminate: minimise over discriminator
    E[x ~ data, z ~ encoder] -log q(y=1 | x, z)
  + E[z ~ prior, x ~ decoder] -log q(y=0 | x, z)
generate: minimise over decoder, encoder
    E[z ~ prior, x ~ decoder] -log q^r(y=0 | x, z)
  + E[x ~ data, z ~ encoder] -log q^r(y=1 | x, z)""",
        )

    @pytest.mark.slow
    def test_is_exported(self):
        path = ugm_tf.serving.export_model(self.model, self.path / "saved_model")
        loaded = tf.saved_model.load(str(path))
        self.assertCountEqual(
            set(loaded.signatures) - {"serving_default"}, ["sample", "reconstruct", "encode", "decode", "discriminate"]
        )
        x = tf.constant(table.arrays(self.model.recipe, 4)["x"])
        found = loaded.signatures["reconstruct"](x=x)["reconstruction"]
        np.testing.assert_allclose(found, self.model.reconstruct(x), rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    absltest.main()
