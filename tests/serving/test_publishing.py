"""Numbers of versions: those that a server reads, and the next one."""

import pathlib

from absl.testing import absltest, parameterized

from ugm_tf.serving import publishing


class NumbersTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(self.create_tempdir().full_path)

    def publish(self, version=None, **options):
        publishing.check_version(self.base, version, None)
        with publishing.drafted(self.base) as draft:
            return publishing.publish(draft, self.base, version, options.get("keep")).name

    def test_what_no_server_reads_is_no_version(self):
        for name in ("2", "007", "\u0663", "1a", "-1", str(2**63), ".tmp-4"):
            (self.base / name).mkdir()
        (self.base / "9").touch()
        self.assertEqual(publishing.versions(self.base), [2])
        self.assertEqual(self.publish(keep=1), "3")
        self.assertEqual(publishing.versions(self.base), [3])

    def test_the_next_passes_by_what_has_its_name(self):
        (self.base / "1").touch()
        (self.base / "2").symlink_to("nowhere")
        self.assertEqual(self.publish(), "3")

    def test_there_is_none_above_the_highest(self):
        self.assertEqual(self.publish(2**63 - 1), str(2**63 - 1))
        with self.assertRaisesRegex(ValueError, "has version 9,223,.*,807, and servers know none above. Give a"):
            self.publish()
        self.assertEqual(self.publish(5), "5")

    @parameterized.parameters(0, -1, "1", 1.0, True, 2**63)
    def test_refuses_what_is_no_version(self, version):
        with self.assertRaisesRegex(ValueError, f"positive number, or None.*Received: {version!r}"):
            self.publish(version)


if __name__ == "__main__":
    absltest.main()
