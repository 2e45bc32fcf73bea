"""Sections about what a run is worth and what it learned: doubts, references, codes, neighbours, confusions, files."""

import dataclasses
import pathlib

import numpy as np
from absl.testing import absltest

from tests.trainers.test_page import PLAIN, Page, images
from trainers import looking, page_pictures
from trainers import page as report_page


class SectionsTest(absltest.TestCase):
    def page(self, **content):
        folder = pathlib.Path(self.create_tempdir())
        return Page(report_page.write_report(folder, dataclasses.replace(PLAIN, **content)))

    def test_what_looks_wrong_stands_before_the_pictures(self):
        page = self.page(doubts=["Samples are nearly alike."], samples=images(4, 8, 8, 1))
        self.assertEqual(page.headings("h2")[:2], ["Looks wrong", "Samples"])
        self.assertIn("Samples are nearly alike.", page.text())

    def test_the_top_has_the_bound_first_which_way_is_better_and_real_data(self):
        page = self.page(
            figures=[
                ("classes covered", 8.0, None, "of 10", "", 10.0),
                ("classifier's confidence", 0.9),
                ("class entropy of a sample", 0.3),
                ("inception score", 7.7, None, "of 10", "", 9.4),
                ("bound on log p(x), k=100", -21.0, 0.2, "nats"),
                ("wake/loss", 22.0),
            ]
        )
        top = page.source.partition("</dl>")[0]
        names = [words for tag, words in page.words if tag == "dt"]
        self.assertEqual(names[:3], ["bound on log p(x), k=100", "classes covered", "inception score"])
        self.assertIn("higher is better; real data 9.400", top)
        self.assertIn('>8</span> <span class="unit">of 10</span>', top)  # a count, and no 8.000
        self.assertIn("higher is better; real data 10<", top)

    def test_the_top_says_how_many_parameters_and_when(self):
        page = self.page(parameters=12345, versions={"date": "2026-11-29", "commit": "0123456789ab"})
        self.assertIn("12,345 parameters", page.text())
        self.assertIn("2026-11-29", page.source.partition("</header>")[0])
        self.assertIn("0123456789ab", page.text())

    def test_bits_stand_beside_the_images_that_they_are_of(self):
        stored = images(3, 8, 8, 1)
        page = self.page(samples=images(2, 8, 8, 1), data=stored.round(), originals=stored)
        self.assertEqual(page.headings("h3"), ["The data, to compare", "The same as the model sees them"])
        drawn = page.pictures()
        self.assertLen(drawn, 2 + 3 + 3)
        np.testing.assert_allclose(drawn[2] / 255.0, stored[0, ..., 0], atol=0.01)
        np.testing.assert_array_equal(drawn[5] / 255.0, stored[0, ..., 0].round())

    def test_densities_have_their_family_and_size_and_phases_their_optimizer(self):
        page = self.page(densities=[("encoder", "q(z | x)", "Gaussian()", 1234)], optimizers={"wake": "Adam(0.001)"})
        for words in ("1,234", "q(z | x), Gaussian()", "Adam(0.001)"):
            self.assertIn(words, page.text())

    def test_a_map_has_a_colour_for_each_class_and_a_dot_for_each_code(self):
        points, c = np.arange(12.0).reshape(6, 2), np.array([0, 2, 0, 2, 2, 0])
        page = self.page(codes=looking.Map(points, c, (0.5, 0.25), 3, 20), class_names=["cat", "cow", "dog"])
        drawn = [a for a in page.all("path") if a.get("class") == "points"]
        self.assertEqual([a["d"].count("M") for a in drawn], [3, 3])
        self.assertLen({a["style"] for a in drawn}, 2)
        for words in ("75% of their variance", "3 of 20", "cat", "dog"):
            self.assertIn(words, page.text())
        self.assertNotIn("cow", page.source.partition("<h2>Classes")[0])

    def test_a_map_without_classes_has_one_colour(self):
        found = page_pictures.coloured(np.zeros([5, 2]))["classes"]
        self.assertEqual([(each["colour"], each["path"].count("M")) for each in found], [("", 5)])

    def test_a_row_of_a_traversal_is_a_unit(self):
        page = self.page(traversals=looking.Traversals(images(2, 9, 8, 8, 1), (5, 1), (0.91, 0.02)))
        self.assertIn("unit 5, 0.9100", page.text())
        self.assertLen(page.pictures(), 18)

    def test_samples_stand_above_their_neighbours(self):
        pair = looking.Neighbours(images(4, 8, 8, 1), 1.0 - images(4, 8, 8, 1))
        drawn = self.page(neighbours=pair).pictures()
        np.testing.assert_allclose(drawn[1] / 255.0, pair.nearest[0, ..., 0], atol=0.01)

    def test_a_confusion_is_a_table(self):
        page = self.page(confusion=looking.Confusion(np.array([[7, 0], [3, 9]]), ("cat", "dog")))
        cells = [words for tag, words in page.words if tag == "td"]
        self.assertEqual([cell for cell in cells if cell], ["7", "·", "3", "9"])
        self.assertEqual([a.get("class") for a in page.all("td") if a.get("class")], ["right", "wrong", "right"])

    def test_links_the_files_beside_it(self):
        page = self.page(beside={"model.keras": "the model"})
        self.assertEqual([a["href"] for a in page.all("a")], ["model.keras"])

    def test_large_images_fill_the_width(self):
        wall = page_pictures.wall(images(64, 64, 64, 3))
        self.assertGreater(wall["wide"] * (wall["tile"] + page_pictures.GAP), 0.9 * page_pictures.PAGE)
        self.assertLessEqual(wall["wide"] * (wall["tile"] + page_pictures.GAP), page_pictures.PAGE + page_pictures.GAP)
        self.assertEqual(page_pictures.wall(images(64, 8, 8, 1))["tile"] % 8, 0)  # small ones keep whole pixels


if __name__ == "__main__":
    absltest.main()
