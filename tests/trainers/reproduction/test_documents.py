"""Results that are kept beside a page: its tables follow from them, and the repository's page is up to date."""

import json
import pathlib
import shutil
from unittest import mock

from absl.testing import absltest

import import_order
from tests.trainers.reproduction.test_summaries import SmallTest
from trainers.reproduction import catalogue, documents, store
from trainers.reproduction.units import Plan

PAGE = import_order.ROOT / "docs" / "reproduction.md"
KEPT = PAGE.with_suffix("")
TEXT = "# A page\n\n<!-- results of small_cpu -->\n<!-- end of results -->\n\nMore.\n"


class PageTest(absltest.TestCase):
    def test_the_tables_of_the_page_are_those_of_the_results_beside_it(self):
        self.assertEqual(
            PAGE.read_text(),
            documents.renewed(PAGE),
            "Write them anew: python -m trainers.reproduce --experiment=NAME --scale=SCALE --out=DIR "
            "--docs=docs/reproduction.md",
        )

    def test_each_file_of_results_has_its_place_and_its_plots_are_up_to_date(self):
        for path in KEPT.glob("*.json"):
            self.assertIn(path.stem, documents.titles(PAGE))
            for name, drawn in documents.plots(documents.kept(path)).items():
                self.assertEqual((KEPT / name).read_text(), drawn, name)

    def test_each_experiment_has_a_place(self):
        self.assertContainsSubset({f"{name}_cpu" for name in catalogue.names()}, documents.titles(PAGE))


class KeepTest(SmallTest):
    def setUp(self):
        super().setUp()
        self.out = pathlib.Path(self.create_tempdir().full_path)
        self.page = pathlib.Path(self.create_tempdir().full_path) / "page.md"
        self.page.write_text(TEXT)
        self.plan = Plan("small", "cpu")
        for unit, found in zip(self.plan.units(), self.results(), strict=True):
            store.write(self.out, self.plan, unit, found)

    def test_without_results_a_page_says_so(self):
        self.page.write_text(documents.renewed(self.page))
        self.assertIn("No results are kept yet.", self.page.read_text())
        self.assertEqual(documents.renewed(self.page), self.page.read_text())

    def test_a_page_is_renewed_from_the_kept_results_alone(self):
        documents.keep(self.plan, self.out, self.page)
        text = self.page.read_text()
        self.assertStartsWith(text, "# A page\n\n<!-- results of small_cpu -->\n")
        self.assertEndsWith(text, "<!-- end of results -->\n\nMore.\n")
        self.assertIn("| few | b less a |", text)
        shutil.rmtree(self.out)
        self.assertEqual(documents.renewed(self.page), text)
        self.assertTrue((self.page.with_suffix("") / "small_cpu_1.svg").is_file())

    def test_a_changed_result_changes_the_page(self):
        documents.keep(self.plan, self.out, self.page)
        path = self.page.with_suffix("") / "small_cpu.json"
        found = json.loads(path.read_text())
        found["results"][0]["figures"][0]["value"] += 1.0
        path.write_text(json.dumps(found))
        self.assertNotEqual(documents.renewed(self.page), self.page.read_text())

    def test_a_page_without_a_place_is_refused_with_what_to_write(self):
        self.page.write_text("# A page\n")
        with self.assertRaisesRegex(
            ValueError, "has no place for the tables of small_cpu. Write there.*<!-- results of"
        ):
            documents.keep(self.plan, self.out, self.page)
        self.assertEqual(self.page.read_text(), "# A page\n")

    def test_what_is_kept_is_put_back_where_a_run_has_no_result(self):
        documents.keep(self.plan, self.out, self.page)
        units = self.plan.units()
        mine, *others = (store.path(self.out, self.plan, unit) for unit in units)
        whole = [path.read_bytes() for path in others]
        shutil.rmtree(self.out)
        store.write(self.out, self.plan, units[0], found := {**self.results()[0], "more": 1})
        self.assertEqual(documents.restore(self.plan, self.page, self.out), others)
        self.assertEqual([path.read_bytes() for path in others], whole)
        self.assertEqual(json.loads(mine.read_text()), json.loads(json.dumps(found)))
        self.assertEqual(documents.restore(self.plan, self.page, self.out), [])

    def test_what_is_kept_is_not_lost_where_the_folder_has_less(self):
        documents.keep(self.plan, self.out, self.page)
        kept = (self.page.with_suffix("") / "small_cpu.json").read_bytes()
        store.path(self.out, self.plan, self.plan.units()[1]).unlink()
        with self.assertRaisesRegex(ValueError, "has 1 results that .* lacks, .* would be lost. Give --kept="):
            documents.keep(self.plan, self.out, self.page)
        self.assertEqual((self.page.with_suffix("") / "small_cpu.json").read_bytes(), kept)
        documents.restore(self.plan, self.page, self.out)
        documents.keep(self.plan, self.out, self.page)
        self.assertEqual((self.page.with_suffix("") / "small_cpu.json").read_bytes(), kept)

    def test_nothing_is_put_back_where_nothing_is_kept_or_by_other_settings(self):
        with self.assertRaisesRegex(ValueError, "No results of small_cpu are kept beside .*small_cpu.json. Leave out"):
            documents.restore(self.plan, self.page, self.out)
        documents.keep(self.plan, self.out, self.page)
        path = self.page.with_suffix("") / "small_cpu.json"
        found = json.loads(path.read_text())
        found["results"][0]["asked"]["batch_size"] = "7"
        path.write_text(json.dumps(found))
        shutil.rmtree(self.out)
        with self.assertRaisesRegex(ValueError, "by other settings than 'small' declares now"):
            documents.restore(self.plan, self.page, self.out)
        self.assertFalse(self.out.exists())

    def test_nothing_to_keep_is_refused(self):
        with self.assertRaisesRegex(ValueError, "There is no result of small_cpu in .*: run it first"):
            documents.keep(self.plan, self.out / "empty", self.page)

    def test_kept_results_of_other_settings_are_refused(self):
        documents.keep(self.plan, self.out, self.page)
        with mock.patch.object(store, "SCHEMA", 2), self.assertRaisesRegex(ValueError, "of schema 1, and this version"):
            documents.renewed(self.page)


if __name__ == "__main__":
    absltest.main()
