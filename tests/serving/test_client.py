"""Clients: numbers and pictures in and out, in batches, with deadlines and retries that are no others."""

import threading
from unittest import mock

import numpy as np
import PIL.Image
from absl.testing import absltest, parameterized

from tests.serving import served
from ugm_tf.serving import (
    Client,
    DeadlineExceeded,
    InvalidRequest,
    LocalServer,
    NotFound,
    Unavailable,
    errors,
    to_pictures,
)


def setUpModule():
    global MODEL, SERVER
    base, MODEL = served.bundle()
    SERVER = LocalServer(base, 0, 0)


def tearDownModule():
    SERVER.close()


def client(kind, **options):
    return Client(getattr(SERVER, kind), "digits", max_batch=8, timeout=30, **options)


@parameterized.parameters("grpc", "rest")
class AnswersTest(parameterized.TestCase):
    def test_many_rows_go_in_several_requests(self, kind):
        c = np.eye(4)[np.arange(19) % 4]
        with client(kind) as asking:
            images = asking.sample(19, seed=3, c=c)
        np.testing.assert_allclose(images, MODEL.sample(19, seed=3, c=c), atol=1e-5)

    def test_pictures_in_and_out(self, kind):
        pixels = np.random.default_rng(0).integers(0, 256, [3, 8, 8, 1]).astype(np.uint8)
        pictures = [PIL.Image.fromarray(image[..., 0]) for image in pixels]
        c = np.eye(4)[:3]
        with client(kind) as asking:
            z = asking.ask("encode", x=pictures, c=c)["z"]
            np.testing.assert_allclose(z, MODEL.encode(pixels / 255, c=c), atol=1e-4)
            with self.assertRaisesRegex(ValueError, r"takes pictures of 8 x 8. Received: 9 x 8. Use picture.resize"):
                asking.ask("encode", x=PIL.Image.new("L", (9, 8)), c=c[:1])
            for name, more in (("encode", {"c": c[:1]}), ("encode_bytes", {"c": [0]})):
                x = {"x" if name == "encode" else "x_bytes": PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 254))}
                with self.assertRaisesRegex(ValueError, "mode RGBA, is transparent in part.* lay it on that one"):
                    asking.ask(name, **x, **more)
            opaque = asking.ask("encode", x=pictures[0].convert("RGBA"), c=c[:1])["z"]
            np.testing.assert_allclose(opaque, z[:1], atol=1e-4)
        for picture, image in zip(to_pictures(pixels / 255), pixels, strict=True):
            np.testing.assert_array_equal(np.asarray(picture), image[..., 0])

    def test_pictures_in_and_out_as_files(self, kind):
        pixels = np.random.default_rng(0).integers(0, 256, [3, 8, 8, 1]).astype(np.uint8)
        pictures = [PIL.Image.fromarray(image[..., 0]) for image in pixels]
        seed = np.stack([np.full(10, 3), np.arange(10)], 1)
        with client(kind) as asking:
            z = asking.ask("encode_bytes", x_bytes=pictures, c=[0, 1, 2])["z"]
            files = asking.ask("sample_bytes", seed=seed, c=[2] * 10)["x_bytes"]
        np.testing.assert_allclose(z, MODEL.encode(pixels / 255, c=[0, 1, 2]), atol=1e-4)
        for picture, image in zip(to_pictures(files), MODEL.sample(10, seed=3, c=2).numpy(), strict=True):
            np.testing.assert_allclose(np.asarray(picture), 255 * image[..., 0], atol=0.51)

    def test_batches_come_one_after_the_other(self, kind):
        batches = ({"seed": np.full([n, 2], n), "c": np.eye(4)[:n]} for n in (1, 2, 3))
        with client(kind) as asking:
            self.assertEqual([len(answer["x"]) for answer in asking.stream(batches, "sample")], [1, 2, 3])

    def test_what_the_server_refuses_is_an_error_of_its_kind(self, kind):
        with Client(getattr(SERVER, kind), "digits", max_batch=99, timeout=30) as asking:
            with self.assertRaisesRegex(InvalidRequest, "INVALID_ARGUMENT: .*at most 8"):
                asking.sample(9, c=np.eye(4)[[0] * 9])
        with Client(getattr(SERVER, kind), "none", timeout=30) as asking:
            with self.assertRaisesRegex(NotFound, "NOT_FOUND: Servable not found"):
                asking.signatures()

    def test_what_is_wrong_is_refused_before_it_is_sent(self, kind):
        with client(kind) as asking:
            for message, inputs in (
                ("'sample' takes c, seed. Received: c", {"c": np.eye(4)}),
                (r"c is of shape \[B, 4\]. Received: \[5, 5\]", {"c": np.eye(5), "seed": np.zeros([5, 2], int)}),
                ("seed is of whole numbers, int32. Rec", {"c": np.eye(4), "seed": np.zeros([4, 2])}),
                ("seed is of whole numbers, int32. Rec", {"c": np.eye(4), "seed": np.full([4, 2], 2**31)}),
                ("as many rows of each input. Received: {", {"c": np.eye(4), "seed": np.zeros([3, 2], int)}),
            ):
                with self.assertRaisesRegex(ValueError, message):
                    asking.ask("sample", **inputs)
            with self.assertRaisesRegex(ValueError, "signatures encode, encode_bytes, sample, .* Received: 'decode'"):
                asking.ask("decode", z=np.zeros([1, 3]))
            for message, options in (
                ("n of at least 1. Received: 0", {"n": 0}),
                ("n of at least 1. Received: 1.5", {"n": 1.5}),
                ("seed is a whole number of -2147483648 to 2147483647. Received: 1099511627776", {"seed": 2**40}),
                ("seed is a whole number of .* Received: 0.5", {"seed": 0.5}),
            ):
                with self.assertRaisesRegex(ValueError, message):
                    asking.sample(**{"n": 1, "c": np.eye(4)[:1], **options})

    def test_files_are_bytes(self, kind):
        with client(kind) as asking:
            for content, received in (("a.png", "str"), (5, "int"), (None, "NoneType")):
                with self.assertRaisesRegex(ValueError, f"x_bytes is of bytes, .* Received: {received}"):
                    asking.ask("encode_bytes", x_bytes=[b"a", content], c=[0, 1])

    def test_no_rows_are_refused(self, kind):
        with client(kind) as asking, self.assertRaisesRegex(ValueError, "takes at least one row. Received: {"):
            asking.ask("sample", seed=np.zeros([0, 2], int), c=np.zeros([0, 4]))


class RetriesTest(parameterized.TestCase):
    def asking(self, *answers, **options):
        found = Client("http://localhost:1", "digits", **options)
        self.calls = found._transport.status = mock.Mock(side_effect=answers)
        self.pauses = self.enter_context(mock.patch("time.sleep"))
        return found

    def test_a_call_that_the_server_could_not_take_is_made_again_after_longer_pauses(self):
        asking = self.asking(Unavailable("full"), Unavailable("full"), Unavailable("full"), {1: "AVAILABLE"})
        self.assertEqual(asking.status(), {1: "AVAILABLE"})
        pauses = [call.args[0] for call in self.pauses.call_args_list]
        self.assertLen(pauses, 3)
        for pause, middle in zip(pauses, (0.05, 0.1, 0.2), strict=True):
            self.assertBetween(pause, middle / 2, middle * 1.5)

    @parameterized.parameters("INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "INTERNAL", "DEADLINE_EXCEEDED")
    def test_no_other_is(self, code):
        asking = self.asking(errors.of_code(code, "no"))
        with self.assertRaisesRegex(errors.ServingError, f"{code}: no"):
            asking.status()
        self.assertEqual(self.calls.call_count, 1)

    def test_not_more_often_than_said_nor_past_the_deadline(self):
        with self.assertRaises(Unavailable):
            self.asking(*[Unavailable("full")] * 9, retries=2).status()
        self.assertEqual(self.calls.call_count, 3)
        with self.assertRaises(Unavailable):
            self.asking(*[Unavailable("full")] * 9, timeout=0.01).status()
        self.assertEqual(self.calls.call_count, 1)

    @parameterized.parameters("localhost:1", "http://localhost:1")
    def test_no_server_is_unavailable(self, address):
        with Client(address, "digits", retries=0, timeout=30) as asking, self.assertRaises(Unavailable):
            asking.status()

    @parameterized.parameters("grpc", "rest")
    def test_a_deadline(self, kind):
        servable = SERVER.servables.get("digits")
        with client(kind) as asking:
            asking.signatures()
            asking._timeout = 0.2
            run, slow = servable._batcher._run, threading.Event()
            self.addCleanup(slow.set)
            with mock.patch.object(servable._batcher, "_run", lambda *call: slow.wait(30) and run(*call)):
                with self.assertRaises(DeadlineExceeded):
                    asking.sample(1, c=np.eye(4)[:1])
                slow.set()

    def test_refuses_options_that_are_none(self):
        for message, options in (
            ("a version or a label. Received: version=1, label='stable'", {"version": 1, "label": "stable"}),
            ("timeout is positive", {"timeout": 0}),
            ("timeout is positive and at most 86400 seconds.*timeout=inf", {"timeout": float("inf")}),
            ("timeout=nan", {"timeout": float("nan")}),
            (r"timeout=1e\+20", {"timeout": 1e20}),
            ("A label has at least one letter. Received: ''", {"label": ""}),
            ("retries=-1", {"retries": -1}),
        ):
            with self.assertRaisesRegex(ValueError, message):
                Client("http://localhost:1", "digits", **options)
            with self.assertRaisesRegex(ValueError, message):
                Client("localhost:1", "digits", **options)


if __name__ == "__main__":
    absltest.main()
