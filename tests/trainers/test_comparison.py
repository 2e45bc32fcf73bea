"""Runs beside one another: groups, means and spreads, differences, and the page."""

import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from tests.trainers.test_page import Page
from trainers import comparison, comparison_page, evaluation, options
from trainers.figure import Figure
from trainers.settings import Settings
from ugm_tf import grids
from ugm_tf.evaluation import Estimate


def evaluated(value):
    """An evaluation.json of one figure."""
    return {"schema": evaluation.SCHEMA, "figures": [measured("ELBO", value)], "skipped": [{"name": "x"}]}


def measured(name, value, real=None, **how):
    figure = Figure(name, Estimate(value, None, 430, how), real=None if real is None else Estimate(real, None, 430, {}))
    return figure.as_dict()


class Runs(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path)

    def run_of(self, recipe, seed, loss, tests=None, **settings):
        """A run's directory with a figure and two epochs."""
        folder = self.path / f"{recipe}_{seed}_{len(list(self.path.iterdir()))}"
        folder.mkdir()
        (folder / "flags.txt").write_text(options.as_text(Settings(recipe, "digits", seed=seed, epochs=2, **settings)))
        (folder / "figures.json").write_text(json.dumps({"a/loss": loss, f"of {recipe}": 1.0}))
        (folder / "metrics.csv").write_text(f"epoch,a/loss,val_a/loss\n0,9,8\n1,7,{loss}\n")
        grids.save_png(folder / "samples.png", np.zeros([4, 8, 8, 1]))
        if tests is not None:
            (folder / "evaluation.json").write_text(json.dumps(evaluated(tests)))
        return folder

    def three_by_two(self):
        return [
            self.run_of(recipe, seed, loss)
            for recipe, losses in (("vae", (1, 2, 3)), ("gan", (5, 5, 8)))
            for seed, loss in enumerate(losses)
        ]


class ComparisonTest(Runs):
    def test_runs_that_differ_in_their_seeds_are_a_group_with_mean_and_deviation(self):
        found = comparison.compare(self.three_by_two())
        self.assertEqual([(g.name, len(g.runs)) for g in found.groups], [("vae", 3), ("gan", 3)])
        cells = dict(found.figures)["a/loss"]
        self.assertEqual([str(cell) for cell in cells], ["2.0 ± 1.0", "6.0 ± 1.7"])  # sqrt(6 / 2)

    def test_a_figure_that_a_group_lacks_is_a_dash(self):
        found = dict(comparison.compare(self.three_by_two()).figures)
        self.assertEqual([str(cell) for cell in found["of gan"]], ["–", "1.000 ± 0"])

    def test_settings_that_differ_are_listed_and_the_others_shared(self):
        found = comparison.compare(self.three_by_two())
        self.assertEqual(dict(found.differences), {"recipe": ("vae", "gan"), "seed": ("0, 1, 2", "0, 1, 2")})
        self.assertEqual(found.shared["epochs"], "2")

    def test_groups_are_called_by_what_distinguishes_them(self):
        paths = [self.run_of("vae", 0, 1.0, code_size=size, learning_rate=1e-3 * size) for size in (2, 4)]
        self.assertEqual(
            [g.name for g in comparison.compare(paths).groups], ["learning_rate=0.002", "learning_rate=0.004"]
        )
        paths.append(self.run_of("gan", 0, 1.0, code_size=2, learning_rate=2e-3))
        names = [g.name for g in comparison.compare(paths).groups]
        self.assertEqual(names, ["vae, learning_rate=0.002", "vae, learning_rate=0.004", "gan, learning_rate=0.002"])
        self.assertEqual([g.name for g in comparison.compare(paths[:1]).groups], ["vae"])

    def test_by_a_flag_its_values_are_the_groups(self):
        paths = [self.run_of(recipe, 0, 1.0, code_size=size) for recipe in ("vae", "gan") for size in (2, 4)]
        self.assertEqual(
            [(g.name, len(g.runs)) for g in comparison.compare(paths, "recipe").groups], [("vae", 2), ("gan", 2)]
        )
        self.assertEqual(
            [g.name for g in comparison.compare(paths, "code_size").groups], ["code_size=2", "code_size=4"]
        )

    def test_figures_of_the_test_split_stand_apart(self):
        found = comparison.compare(
            [self.run_of("vae", seed, 0.0, tests=value) for seed, value in ((0, -2.0), (1, -4.0))]
        )
        self.assertEqual([(name, str(*cells)) for name, cells in found.tests], [("ELBO", "−3.0 ± 1.4")])
        self.assertIn("test: ELBO", comparison.table(found))

    def test_figures_that_were_not_measured_alike_are_named_and_real_datas_own_stand_beside(self):
        runs = [self.run_of(recipe, 0, 1.0) for recipe in ("vae", "gan", "aae")]
        for run, n_fake, seed in zip(runs, (300, 1000, 1000), (0, 1, 2), strict=True):
            recall = measured("recall", 0.5, 0.75, n_fake=n_fake, seed=seed)
            density = measured("density", 1.0, 0.875, k=5, error=f"over {seed}")
            found = {
                "schema": evaluation.SCHEMA,
                "figures": [recall, density],
                "skipped": [],
                "data": {"fingerprint": "a"},
            }
            (run / "evaluation.json").write_text(json.dumps(found))
        found = comparison.compare(runs)
        self.assertEqual(found.otherwise, (("recall", "n_fake 300 of vae, 1000 of gan and aae"),))
        self.assertEqual({name: str(cell) for name, cell in found.real.items()}, {"density": "0.8750 ± 0"})
        sentence = "Not measured alike, so do not compare: recall (n_fake 300 of vae, 1000 of gan and aae)."
        self.assertEndsWith(comparison.table(found), sentence)
        text = comparison_page.write_comparison(self.path / "c.html", found).read_text()
        for words in (sentence, "Real data", "0.8750", "higher is better"):
            self.assertIn(words, text)
        self.assertEqual(comparison.compare(runs[1:]).otherwise, ())
        (runs[2] / "evaluation.json").write_text((runs[2] / "evaluation.json").read_text().replace('"a"', '"b"'))
        of_data = "data a of gan, b of aae"
        self.assertEqual(comparison.compare(runs[1:]).otherwise, (("recall", of_data), ("density", of_data)))
        together = comparison.compare(runs[1:], "dataset").otherwise
        self.assertEqual(together[0][1], f"data a of {runs[1]}, b of {runs[2]}")

    def test_runs_of_other_data_are_said_not_to_compare(self):
        runs = [self.run_of("vae", 0, 1.0), self.run_of("gan", 0, 1.0)]
        self.assertEqual(comparison.compare(runs).unlike, "")
        flags = runs[1] / "flags.txt"
        flags.write_text(flags.read_text() + "--image_size=16\n")
        found = comparison.compare(runs)
        said = "Of other data, so figures do not compare: image_size as stored of vae, 16 of gan"
        self.assertEqual(found.unlike, said)
        self.assertIn(f"{said}.", comparison.table(found))
        page = comparison_page.write_comparison(self.path / "page.html", found).read_text()
        self.assertIn(f'<p class="fault">{said}.</p>', page)

    def test_what_probes_found_has_its_last_values_over_seeds_and_its_curves(self):
        runs = [self.run_of("gan", seed, 1.0) for seed in (0, 1)]
        for run, last in zip(runs, (0.25, 0.75), strict=True):
            (run / "probe.csv").write_text(f"epoch,step,probe/jsd\n0,5,0.5\n1,10,{last}\n")
        found = comparison.compare([*runs, self.run_of("vae", 0, 1.0)])
        self.assertEqual(
            [(name, *map(str, cells)) for name, cells in found.probed], [("probe/jsd", "0.50 ± 0.35", "–")]
        )
        self.assertIn("probe/jsd", comparison.table(found))
        self.assertEqual([run.rows[1].get("probe/jsd") for run in found.runs], [0.25, 0.75, None])
        self.assertEqual(found.runs[0].rows[1]["val_a/loss"], 1.0)
        page = Page(comparison_page.write_comparison(self.path / "c.html", found))
        self.assertIn("What the phases descend", page.headings("h2"))
        self.assertIn("probe", page.headings("h3"))
        self.assertLen([path for path in page.all("path") if path.get("class") == "line"], 3 + 2)

    def test_a_figure_that_is_nan_in_one_run(self):
        found = comparison.compare([self.run_of("vae", seed, loss) for seed, loss in ((0, 1.0), (1, float("nan")))])
        self.assertEqual([str(*cells) for name, cells in found.figures if name == "a/loss"], ["NaN ± NaN"])

    @parameterized.parameters(
        ("figures.json", "[1, 2]"),
        ("figures.json", '{"a": null}'),
        ("figures.json", "{"),
        ("figures.json", '{"a": "x"}'),
    )
    def test_a_damaged_file_is_named(self, name, content):
        run = self.run_of("vae", 0, 1.0)
        (run / name).write_text(content)
        with self.assertRaisesRegex(ValueError, f"{name}' is damaged: .*Take it away; python -m .*report --workdir="):
            comparison.compare([run])

    @parameterized.parameters(
        "[]",
        '{"schema": 1}',
        '{"schema": 1, "figures": [{"name": "a"}], "skipped": []}',
        '{"schema": 1, "figures": []}',
    )
    def test_a_damaged_evaluation_is_to_be_made_again(self, content):
        run = self.run_of("vae", 0, 1.0)
        (run / "evaluation.json").write_text(content)
        with self.assertRaisesRegex(
            ValueError, "evaluation.json' is damaged: .*Take it away; python -m .*evaluate --w"
        ):
            comparison.compare([run])

    def test_an_evaluation_of_another_version_is_to_be_made_again(self):
        run = self.run_of("vae", 0, 1.0)
        (run / "evaluation.json").write_text(json.dumps({"ELBO": {"value": 1.0}}))
        with self.assertRaisesRegex(ValueError, "of schema none, and this version reads schema 1. Evaluate again"):
            comparison.compare([run])

    def test_the_table_has_a_column_a_group(self):
        lines = comparison.table(comparison.compare(self.three_by_two())).splitlines()
        self.assertEqual(lines[0].split(), ["vae", "(3)", "gan", "(3)"])
        self.assertEqual(lines[1].split(), ["a/loss", "2.0", "±", "1.0", "6.0", "±", "1.7"])

    def test_refuses_no_runs_the_same_run_twice_and_unknown_flags(self):
        run = self.run_of("vae", 0, 1.0)
        for paths, by, advice in (
            ([], None, "Give run directories.* Received: none"),
            ([run, f"{run}/"], None, "each once"),
            ([self.path], None, r"holds no run: flags.txt and metrics.csv are there when one has begun.*seed_\*"),
            ([run], "recipes", "--by is a flag of a run: recipe, .*Received: 'recipes'"),
        ):
            with self.assertRaisesRegex(ValueError, advice):
                comparison.compare(paths, by)


class PageTest(Runs):
    def page(self, paths):
        return Page(comparison_page.write_comparison(self.path / "c.html", comparison.compare(paths)))

    def test_has_figures_samples_curves_and_settings(self):
        page = self.page(self.three_by_two())
        headings = ["Figures", "Samples", "Curves", "Settings that differ", "Settings of all", "Runs"]
        self.assertEqual(page.headings("h2"), headings)
        self.assertIn("6.0 ± 1.7", page.text())
        self.assertLen(page.pictures(), 2)  # of the first run of each group
        self.assertNotRegex(page.source.replace("http://www.w3.org", ""), "https?://")

    def test_the_curves_of_all_runs_lie_in_one_chart_in_their_groups_colours(self):
        page = self.page(self.three_by_two())
        lines = [attrs for attrs in page.all("path") if attrs.get("class") == "line"]
        self.assertLen(lines, 6)
        self.assertEqual([a["class"] for a in page.all("g")], ["g0"] * 3 + ["g1"] * 3)
        self.assertLen(page.all("figure"), 2 + 1)

    def test_curves_are_of_the_validation_where_there_is_one(self):
        found = comparison_page._overlaid(comparison.compare(self.three_by_two()))
        self.assertEqual(
            [line.text for line in found.phases["a"][0].lines[:2]], [("8.000", "1.000"), ("8.000", "2.000")]
        )

    def test_an_epoch_that_was_not_validated_is_passed_over(self):
        run = self.run_of("vae", 0, 1.0)
        (run / "metrics.csv").write_text("epoch,a/loss,val_a/loss\n0,9,NA\n1,7,1\n")
        found = comparison_page._overlaid(comparison.compare([run]))
        self.assertEqual(found.phases["a"][0].lines[0].text, ("", "1.000"))

    def test_a_run_that_is_under_way_has_its_curves(self):
        run = self.run_of("vae", 0, 1.0)
        for name in ("figures.json", "samples.png"):
            (run / name).unlink()
        self.assertEqual(self.page([run]).headings("h2")[0], "Curves")

    def test_text_is_never_markup(self):
        page = self.page([self.run_of("vae", seed, 0.0, likelihood=f"<b>{seed}") for seed in (0, 1)])
        self.assertNotIn("<b>0", page.source)


if __name__ == "__main__":
    absltest.main()
