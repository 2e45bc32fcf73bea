"""Loading a model: what comes back, and what is refused with which advice."""

import dataclasses
import json
import os
import pathlib
import zipfile

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf

X = np.random.default_rng(0).integers(0, 2, [6, 2, 2, 1]).astype(np.float32)


@keras.saving.register_keras_serializable(package="test_saving")
class Own(keras.layers.Dense):
    """A layer that a program may or may not have registered."""


@ugm_tf.record
class Smooth(ugm_tf.Term):
    """A term that a program may or may not have defined."""

    takes = ("x",)

    def __call__(self, sample):
        return tf.image.total_variation(sample["x"])


def model(recipe=None, **densities):
    recipe = recipe or ugm_tf.recipes.vae()
    built = ugm_tf.networks.build(recipe, {"x": (2, 2, 1), "z": (3,)}, hidden=(5,))
    out = ugm_tf.UnifiedModel(recipe, {**built, **densities})
    out.compile(jit_compile=False)
    return out


class LoadModelTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "model.keras"

    def test_gives_back_what_was_saved(self):
        saved = model()
        saved.save(self.path)
        loaded = ugm_tf.load_model(os.fspath(self.path))
        np.testing.assert_array_equal(loaded.reconstruct(X), saved.reconstruct(X))
        self.assertEqual(loaded.recipe, saved.recipe)

    def renamed(self, name, module):
        """The file with a record by another name and of another module; a script's is null."""
        with zipfile.ZipFile(self.path) as archive:
            parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        config = parts["config.json"].decode().replace("tests.test_saving>Smooth", name)
        parts["config.json"] = config.replace(
            '"module": "tests.test_saving"', f'"module": {json.dumps(module)}'
        ).encode()
        path = self.path.with_name("renamed.keras")
        with zipfile.ZipFile(path, "w") as archive:
            for filename, data in parts.items():
                archive.writestr(filename, data)
        return path

    def test_a_record_is_found_by_its_module_and_in_a_script_or_an_old_file_by_its_name(self):
        vae = ugm_tf.recipes.vae()
        (wake,) = vae.phases
        terms = (*wake.minimise, ugm_tf.E(Smooth(), name="smooth"))
        recipe = dataclasses.replace(vae, phases=(dataclasses.replace(wake, minimise=terms),))
        model(recipe).save(self.path)
        for name, module in (
            ("tests.test_saving>Smooth", "tests.test_saving"),
            ("ugm_tf>Smooth", None),
            ("ugm_tf>Smooth", "elsewhere"),
            ("__main__>Smooth", None),
        ):
            self.assertEqual(ugm_tf.load_model(self.renamed(name, module)).recipe, recipe)
        moved = self.renamed("elsewhere>Smooth", "elsewhere")
        with self.assertRaisesRegex(ValueError, "with elsewhere>Smooth, which .*custom_objects={'elsewhere>Smooth': "):
            ugm_tf.load_model(moved)
        loaded = ugm_tf.load_model(moved, custom_objects={"elsewhere>Smooth": Smooth})
        self.assertEqual(loaded.recipe, recipe)
        with self.assertRaisesRegex(ValueError, "earlier version with a class of a script called ugm_tf>KL, the name"):
            ugm_tf.load_model(self.renamed("ugm_tf>KL", None))

    def test_refuses_a_file_that_is_not_there(self):
        with self.assertRaisesRegex(
            ValueError, "There is no file .*model.keras. Give the model.keras of a finished run"
        ):
            ugm_tf.load_model(self.path)

    def test_refuses_a_directory(self):
        with self.assertRaisesRegex(ValueError, "such as .*model.keras. Received a directory"):
            ugm_tf.load_model(self.path.parent)

    def test_refuses_another_suffix(self):
        path = self.path.with_suffix(".h5")
        path.touch()
        with self.assertRaisesRegex(ValueError, "ends in .keras. Received: .*model.h5"):
            ugm_tf.load_model(path)

    @parameterized.parameters(0.0, 0.3, 0.99)
    def test_refuses_a_file_that_was_cut_short(self, part):
        model().save(self.path)
        whole = self.path.read_bytes()
        self.path.write_bytes(whole[: int(part * len(whole))])
        with self.assertRaisesRegex(ValueError, "not a whole Keras file .* cut short.*Save the model again"):
            ugm_tf.load_model(self.path)

    def test_refuses_a_file_with_a_wrong_byte(self):
        model().save(self.path)
        data = bytearray(self.path.read_bytes())
        data[len(data) // 2] ^= 1  # in the weights, which are most of it
        self.path.write_bytes(data)
        with self.assertRaisesRegex(ValueError, "is damaged in its part model.weights.h5"):
            ugm_tf.load_model(self.path)

    def test_refuses_an_archive_without_a_model(self):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("readme.txt", "")
        with self.assertRaisesRegex(ValueError, "not a whole Keras file"):
            ugm_tf.load_model(self.path)

    def test_refuses_another_keras_model(self):
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(self.path)
        with self.assertRaisesRegex(ValueError, "holds a Sequential, and not a UnifiedModel.*load_model loads other"):
            ugm_tf.load_model(self.path)

    def save_with_own_layer(self):
        network = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), Own(6)])
        saved = model(encoder=ugm_tf.Density(network, "gaussian"))
        saved.save(self.path)
        return saved

    def test_refuses_a_class_that_is_not_registered_here(self):
        self.save_with_own_layer()
        registered = keras.saving.get_custom_objects()
        own = registered.pop("test_saving>Own")
        self.addCleanup(registered.__setitem__, "test_saving>Own", own)
        with self.assertRaisesRegex(ValueError, "saved with test_saving>Own, which .* not know. Import the module"):
            ugm_tf.load_model(self.path)

    def test_takes_a_class_as_an_option(self):
        saved = self.save_with_own_layer()
        registered = keras.saving.get_custom_objects()
        own = registered.pop("test_saving>Own")
        self.addCleanup(registered.__setitem__, "test_saving>Own", own)
        loaded = ugm_tf.load_model(self.path, custom_objects={"test_saving>Own": Own})
        np.testing.assert_array_equal(loaded.encode(X), saved.encode(X))

    def test_tells_the_first_cause_of_another_failure(self):
        network = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Lambda(lambda x: x)])
        network.add(keras.layers.Dense(6))
        model(encoder=ugm_tf.Density(network, "gaussian")).save(self.path)
        with self.assertRaisesRegex(ValueError, "could not be loaded: .*[Ll]ambda.*safe_mode=False"):
            ugm_tf.load_model(self.path)
        ugm_tf.load_model(self.path, safe_mode=False)


if __name__ == "__main__":
    absltest.main()
