"""Further signatures: files of pictures, whole numbers, classes by number, noise, several draws, between two codes."""

import io

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized
from PIL import Image

import ugm_tf
from tests.serving import served
from ugm_tf.serving import ServedModel, default_variants, export_model, signatures, warmup
from ugm_tf.serving.variants import VARIANTS


def ask(of, kind, name, **values):
    """The outputs of a signature, in Python."""
    signature = signatures(of, 8, [kind])[name]
    return {
        k: v.numpy() for k, v in signature.function(*(tf.constant(values[key]) for key in signature.inputs)).items()
    }


def file(pixels, kind="PNG", mode=None):
    """A picture, uint8 [H, W], as a file."""
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode or "L").save(out, kind)
    return out.getvalue()


def pixels(seed, height=8, width=8):
    return np.random.default_rng(seed).integers(0, 256, [height, width]).astype(np.uint8)


class FilesTest(parameterized.TestCase):
    """As a server runs it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base, cls.model = served.bundle()
        cls.raw = ServedModel(base / "digits/1")
        cls.addClassCleanup(cls.raw.close)

    def encode(self, *files):
        c = np.arange(len(files), dtype=np.int32) % 4
        return self.raw("encode_bytes", {"x_bytes": np.array(files, object), "c": c})

    def test_samples_are_png_files_of_classes_by_number(self):
        seed = np.stack([np.full(3, 7), np.arange(3)], 1).astype(np.int32)
        out = self.raw("sample_bytes", {"seed": seed, "c": np.array([0, 3, 4], np.int32)})
        np.testing.assert_array_equal(out["ok"], [True, True, False])
        expected = self.model.sample(2, seed=7, c=[0, 3]).numpy()
        for found, image in zip(out["x_bytes"], expected, strict=False):
            self.assertStartsWith(found, b"\x89PNG")
            np.testing.assert_allclose(np.asarray(Image.open(io.BytesIO(found))), 255 * image[..., 0], atol=0.51)
        self.assertEqual(out["x_bytes"][2], b"")

    def test_files_are_what_pillow_reads_in_them(self):
        first, second = pixels(1), pixels(2)
        jpeg = file(second, "JPEG")
        out = self.encode(file(first), jpeg, file(first, mode="RGB"), file(first, mode="P"))
        decoded = np.asarray(Image.open(io.BytesIO(jpeg)))
        x = np.stack([first, decoded, first, first])[..., None] / 255
        np.testing.assert_allclose(out["z"], self.model.encode(x, c=np.arange(4)), rtol=1e-3, atol=0.02)
        self.assertTrue(out["ok"].all())

    def test_a_file_that_is_no_such_picture_is_nan_and_its_neighbours_are_not(self):
        good, half = file(pixels(1)), file(pixels(2))
        crc = bytearray(good)
        crc[50] ^= 1
        bomb = file(np.zeros([5000, 5000], np.uint8))
        other = (b"", b"text", half[: len(half) // 2], bytes(crc), file(pixels(1, 9, 8)), file(pixels(1, 8, 9), "JPEG"))
        other = (*other, bomb, file(pixels(1), "BMP"), file(pixels(1), "GIF"), half[:12], b"\xff\xd8\xff")
        alone = self.encode(good)["z"][0]
        for files in (other[:6], other[6:]):
            out = self.encode(good, *files, good)
            np.testing.assert_array_equal(out["ok"], [True, *[False] * len(files), True])
            np.testing.assert_array_equal(np.isnan(out["z"]).all(-1), ~out["ok"])
            np.testing.assert_allclose(out["z"][0], alone, rtol=1e-5)

    def test_what_shows_through_is_not_ok_as_its_background_is_not_known(self):
        opaque = np.dstack([np.repeat(pixels(1)[..., None], 3, -1), np.full([8, 8], 255, np.uint8)])
        hidden = opaque.copy()
        hidden[0, 0, 3] = 254
        palette = Image.fromarray(pixels(1), "L").convert("P")
        palette.info["transparency"] = palette.getpixel((0, 0))
        clear = io.BytesIO()
        palette.save(clear, "PNG")
        whole, plain, part = (
            self.encode(f) for f in (file(opaque, mode="RGBA"), file(pixels(1)), file(hidden, mode="RGBA"))
        )
        np.testing.assert_allclose(whole["z"], plain["z"], atol=0.02)
        np.testing.assert_array_equal(
            [*whole["ok"], *part["ok"], *self.encode(clear.getvalue())["ok"]], [True, False, False]
        )

    def test_the_card_says_what_files_go_in_and_out(self):
        chosen = ugm_tf.serving.signatures(self.model, variants=["bytes"])
        self.assertEndsWith(chosen["encode_bytes"].answers, "; pictures as PNG or JPEG files, classes by number")
        self.assertEndsWith(chosen["sample_bytes"].answers, "; pictures as PNG files, classes by number")

    def test_no_file_is_none(self):
        self.assertEqual(self.encode()["z"].shape, (0, 3))


class FormsTest(parameterized.TestCase):
    def test_whole_numbers_in_and_out(self):
        of, x = served.model("vae"), pixels(0)[None, ..., None]
        found = ask(of, "uint8", "reconstruct_uint8", x=x)
        expected = of.reconstruct(x.astype(np.float32) / 255).numpy()
        self.assertEqual(found["reconstruction"].dtype, np.uint8)
        np.testing.assert_allclose(found["reconstruction"], 255 * expected, atol=0.51)

    def test_a_range_of_its_own_is_spread_over_the_whole_numbers(self):
        from ugm_tf.serving import encoding
        from ugm_tf.serving.questions import Image as Pictures

        image = Pictures((1, 3, 1), -1.0, 1.0)
        values = tf.reshape([-1.0, 0.0, 2.0], [1, 1, 3, 1])
        np.testing.assert_array_equal(np.ravel(encoding.to_uint8(values, image)), [0, 128, 255])
        np.testing.assert_allclose(np.ravel(encoding.from_uint8(tf.constant([0, 255], tf.uint8), image)), [-1, 1])
        self.assertEqual(np.ravel(encoding.to_uint8(values * float("nan"), image)).tolist(), [0, 0, 0])

    def test_a_discriminator_of_changed_pictures_takes_them_as_they_are(self):
        of = served.model(ugm_tf.diffaugmented(ugm_tf.recipes.gan()))
        seen = pixels(0)
        out = ask(of, "bytes", "discriminate_bytes", x_augmented_bytes=[file(seen), b"none"])
        expected = of.discriminate(seen[None, :, :, None] / np.float32(255)).numpy()
        np.testing.assert_array_equal(out["ok"], [True, False])
        np.testing.assert_allclose(out["logit"][:1], expected, rtol=1e-5)

    def test_classes_by_number(self):
        of, seed = served.model("conditional_vae"), np.array([[7, 0], [7, 1], [7, 2]], np.int32)
        found = ask(of, "indices", "sample_indices", seed=seed, c=np.array([2, -1, 0], np.int32))
        np.testing.assert_array_equal(found["ok"], [True, False, True])
        np.testing.assert_allclose(found["x"][::2], of.sample(3, seed=7, c=[2, 1, 0])[::2], rtol=1e-5)
        self.assertTrue(np.isnan(found["x"][1]).all())

    def test_what_is_exported_by_default(self):
        for recipe, names in (
            ("vae", ["sample_bytes", "reconstruct_bytes"]),
            ("gan", ["sample_bytes"]),
            ("cyclegan", ["translate_bytes"]),
            ("adversarial_domain_adaptation", ["classify_bytes"]),
        ):
            self.assertEqual(default_variants(served.model(recipe)), names)
            self.assertContainsSubset(names, signatures(served.model(recipe), variants=names))
        plane = {**served.SHAPES, "x": (2,)}
        recipe = ugm_tf.recipes.vae()
        points = ugm_tf.UnifiedModel(
            recipe, ugm_tf.networks.build(recipe, plane, "mlp", hidden=(5,), likelihood="gaussian")
        )
        self.assertEqual(default_variants(points), [])
        with self.assertRaisesRegex(ValueError, "of these signatures are noise, draws, interpolate, or .*Received: b"):
            signatures(points, variants=["bytes"])

    @parameterized.parameters("picture", "")
    def test_refuses_a_variant_that_there_is_not(self, kind):
        with self.assertRaisesRegex(
            ValueError, f"are bytes, uint8, noise, draws, interpolate, or .* Received: noise, {kind}"
        ):
            signatures(served.model("vae"), variants=["noise", kind])

    def test_variants_are_of_the_endpoints_that_were_chosen(self):
        found = signatures(served.model("vae"), endpoints=["decode", "score"], variants=["uint8", "interpolate"])
        self.assertEqual(list(found), ["decode", "score", "decode_uint8", "score_uint8", "interpolate"])


class DrawsTest(parameterized.TestCase):
    def test_a_bound_by_as_many_draws_as_each_row_asks_for(self):
        of = served.model("vae")
        x = np.repeat(served.values({"x": tf.TensorSpec([None, 8, 8, 1])}, 1)["x"], 4, 0)
        seed, k = np.array([[5, 0]] * 4, np.int32), np.array([1, 3, 0, 65], np.int32)
        found = ask(of, "draws", "score_draws", x=x, seed=seed, k=k)
        one = [of.endpoints()["score"].function(x=x[:1], seed=tf.constant([[5 + j, 0]]))["elbo"][0] for j in range(3)]
        expected = [one[0], np.log(np.mean(np.exp(np.float64(one) - np.max(one)))) + np.max(one)]
        np.testing.assert_allclose(found["bound"][:2], expected, rtol=1e-5)
        np.testing.assert_array_equal(found["ok"], [True, True, False, False])
        self.assertTrue(np.isnan(found["bound"][2:]).all())

    def test_several_samples_of_a_row(self):
        of = served.model("conditional_vae")
        c = np.eye(4, dtype=np.float32)[:2]
        found = ask(of, "draws", "sample_draws", seed=np.array([[7, 0], [7, 1]], np.int32), c=c)
        self.assertEqual(found["x"].shape, (2, 8, 8, 8, 1))
        for j in (0, 5):
            np.testing.assert_allclose(found["x"][:, j], of.sample(2, seed=7 + j, c=c), rtol=1e-5)

    @parameterized.parameters("vae", "avb", "hierarchical_vae", "conditional_vae", "infogan")
    def test_noise_in_place_of_a_seed(self, recipe):
        of = served.model(recipe)
        for name in ("sample_noise", "score_noise"):
            if name not in (found := signatures(of, variants=["noise"])):
                continue
            self.assertNotIn("seed", found[name].inputs)
            values = served.values(found[name].inputs, 3)
            out = found[name].function(*map(tf.constant, values.values()))
            self.assertTrue(np.all(out["ok"]), name)
            noise = next(key for key in values if key.endswith("_noise"))
            values[noise][1] = np.nan
            out = found[name].function(*map(tf.constant, values.values()))
            np.testing.assert_array_equal(out["ok"], [True, False, True])

    def test_the_noise_is_that_of_the_code(self):
        of = served.model("vae")
        z = np.array([[0.5, -1.0, 2.0]], np.float32)
        np.testing.assert_allclose(ask(of, "noise", "sample_noise", z_noise=z)["x"], of.decode(z), rtol=1e-5)
        x = served.values({"x": tf.TensorSpec([None, 8, 8, 1])}, 1)["x"]
        code = of.endpoints()["encode"].function(x=x)
        at = code["z"] + code["z_stddev"] * z
        logits = of.densities["decoder"].network(at)
        expected = -tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits))
        expected += tf.reduce_sum((z**2 - at**2) / 2 + tf.math.log(code["z_stddev"]))
        np.testing.assert_allclose(ask(of, "noise", "score_noise", x=x, z_noise=z)["elbo"], [expected], rtol=1e-5)

    def test_uniform_noise_lies_inside_of_its_interval(self):
        found = signatures(served.model("infogan"), variants=["noise"])["sample_noise"]
        self.assertEqual(found.values["c_noise"], "in (0, 1)")
        values = {key: tf.fill([1, *spec.shape[1:]], 0.5) for key, spec in found.inputs.items()}
        self.assertTrue(found.function(*values.values())["ok"])
        self.assertFalse(found.function(*(values | {"c_noise": 0 * values["c_noise"]}).values())["ok"])


class InterpolateTest(parameterized.TestCase):
    def test_from_the_first_code_to_the_last_along_a_circle(self):
        of = served.model("vae")
        first, last = np.eye(3, dtype=np.float32)[[0] * 4], 2 * np.eye(3, dtype=np.float32)[[1] * 4]
        position = np.array([0, 0.5, 1, 1.5], np.float32)
        found = ask(of, "interpolate", "interpolate", z=first, z_end=last, position=position)
        between = [np.sqrt(0.5), 2 * np.sqrt(0.5), 0]  # sin(pi / 4) of each
        expected = of.decode(np.float32([first[0], between, last[0]]))
        np.testing.assert_allclose(found["x"][:3], expected, rtol=1e-5)
        np.testing.assert_array_equal(found["ok"], [True, True, True, False])

    def test_codes_of_one_direction_lie_on_a_line(self):
        of = served.model("vae")
        first = np.ones([1, 3], np.float32)
        found = ask(of, "interpolate", "interpolate", z=first, z_end=3 * first, position=np.float32([0.5]))
        np.testing.assert_allclose(found["x"], of.decode(2 * first), rtol=1e-4)


@pytest.mark.slow
class EveryVariantTest(parameterized.TestCase):
    def test_is_exported_and_verified(self):
        of, asked = served.model("conditional_vae"), ["sample", "score", "decode"]
        path = export_model(of, self.create_tempdir().full_path, endpoints=asked, variants=VARIANTS, max_batch=3)
        found = {name for name, _ in warmup.read(path)}
        self.assertLen(found, 3 + 3 * 3 + 2 + 2 + 1)  # three forms of each, two by noise and two of draws, interpolate


if __name__ == "__main__":
    absltest.main()
