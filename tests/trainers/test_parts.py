"""A part that fails costs none of the others."""

import pathlib

from absl.testing import absltest

from trainers import parts


class PartsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.create_tempdir().full_path) / "errors.txt"

    def test_gives_what_was_made(self):
        found = parts.Parts()
        self.assertEqual(found.attempt("a sum", lambda: 1 + 1), 2)
        self.assertEqual(found.failures, [])

    def test_names_what_failed_and_goes_on(self):
        found = parts.Parts()
        with self.assertLogs("ugm_tf.trainers", "ERROR") as logged:
            self.assertIsNone(found.attempt("a share", lambda: 1 / 0))
            found.attempt("a key", lambda: {}["k"])
        self.assertEqual([f.part for f in found.failures], ["a share", "a key"])
        self.assertEqual(found.failures[0].error, "ZeroDivisionError: division by zero")
        self.assertIn("Failed: a share. ZeroDivisionError: division by zero", logged.output[0])

    def test_an_interruption_is_no_failure(self):
        def interrupted():
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            parts.Parts().attempt("anything", interrupted)

    def test_a_file_has_the_tracebacks_and_goes_with_them(self):
        found = parts.Parts()
        with self.assertLogs("ugm_tf.trainers", "ERROR"):
            found.attempt("a share", lambda: 1 / 0)
        found.write(self.file)
        self.assertRegex(self.file.read_text(), r"(?s)^a share\n\nTraceback.*ZeroDivisionError")
        parts.Parts().write(self.file)
        self.assertFalse(self.file.exists())


if __name__ == "__main__":
    absltest.main()
