"""What a run says about its model, without a path of the machine that made it."""

import json
import pathlib

from absl.testing import absltest

from export import runs


class FactsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.run_folder = pathlib.Path(self.create_tempdir().full_path)

    def test_flags_figures_and_versions_without_paths(self):
        (self.run_folder / "flags.txt").write_text("--recipe=vae\n--dataset=digits\n--data_dir=/home/me\n--workdir=r\n")
        (self.run_folder / "figures.json").write_text('{"bound": -17.5}')
        expected = {"recipe": "vae", "dataset": "digits"}
        expected |= {"flags": {"recipe": "vae", "dataset": "digits"}, "figures": {"bound": -17.5}}
        self.assertEqual(runs.facts(self.run_folder), expected)

    def test_what_the_classes_are_called_and_what_identifies_the_data(self):
        kept = {"class_names": ["cat", "dog"], "fingerprint": {"kind": "content", "digest": "ab"}}
        data = {"dataset": {**kept, "reading": {"line": "from /home/me"}}, "target": {"class_names": ["pony"]}}
        data["dataset"]["fingerprint"] = {**kept["fingerprint"], "parts": {"/home/me": "ab"}}
        (self.run_folder / "data.json").write_text(json.dumps(data))
        self.assertEqual(runs.facts(self.run_folder), kept)
        (self.run_folder / "data.json").write_text('{"dataset": {"class_names": null}}')
        self.assertEqual(runs.facts(self.run_folder), {})
        (self.run_folder / "data.json").write_text("[]")
        with self.assertRaisesRegex(ValueError, "cannot be read as a run"):
            runs.facts(self.run_folder)

    def test_a_damaged_run_is_refused(self):
        (self.run_folder / "figures.json").write_text("{")
        with self.assertRaisesRegex(ValueError, "cannot be read as a run: figures.json: Expecting property name"):
            runs.facts(self.run_folder)

    def test_files_of_other_kinds_are_refused_by_name(self):
        for name, texts in {
            "figures.json": ["[1]", '"abc"', "[" * 100_000, "1" * 5_000],
            "versions.json": ["[1]"],
            "data.json": [
                '{"dataset": 5}',
                '{"dataset": {"fingerprint": "a"}}',
                '{"dataset": {"fingerprint": {"a": 1}}}',
            ],
        }.items():
            for text in texts:
                (self.run_folder / name).write_text(text)
                with self.assertRaisesRegex(ValueError, f"cannot be read as a run: {name}: .*trainers.report, or move"):
                    runs.facts(self.run_folder)
            (self.run_folder / name).unlink()
        (self.run_folder / "figures.json").write_bytes(b"\xff")
        with self.assertRaisesRegex(ValueError, "figures.json: 'utf-8' codec"):
            runs.facts(self.run_folder)


if __name__ == "__main__":
    absltest.main()
