"""Samples of images in colour: the folder that is laid out, what is kept and what is refused, and the table."""

import functools
import json
import os
import pathlib
import re
from unittest import mock

import numpy as np
import PIL.Image
from absl import flags
from absl.testing import absltest, parameterized

from benchmarks import images_page
from trainers import inputs
from trainers.settings import Settings

_DOCS = pathlib.Path(__file__).parents[2] / "docs"
_NAMES = [f"{i:02d}.png" for i in range(40)]
_ENTRIES = (
    *({"category": "Smileys & Emotion", "image": name} for name in _NAMES[:20]),
    {
        "category": "People & Body",
        "image": _NAMES[20],
        "skin_variations": {name: {"image": name} for name in _NAMES[21:39]},
    },
    {"category": "People & Body", "image": "not there.png"},
    {"category": "Component", "image": _NAMES[39]},
)


FLAGS = flags.FlagValues()  # of their own: other tests parse those of other scripts


def _imported():
    """The benchmark, whose flags are among those alone."""
    names = ("list", "string", "integer", "enum")
    own = {f"DEFINE_{name}": functools.partial(getattr(flags, f"DEFINE_{name}"), flag_values=FLAGS) for name in names}
    with mock.patch.multiple(flags, **own):
        from benchmarks import images

    return images


images = _imported()


class ImagesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.package = self.root / "package"
        stored = self.package / "img" / "twitter" / "64"
        stored.mkdir(parents=True)
        rng = np.random.default_rng(0)
        for name in _NAMES:
            PIL.Image.fromarray(rng.integers(0, 255, [64, 64, 3], np.uint8)).save(stored / name)
        (self.package / "emoji.json").write_text(json.dumps(_ENTRIES))
        self.given()

    def given(self, package="package", **more):
        """Gives flags."""
        asked = {"workdir": self.root / "work", "out": self.root / "kept.json", "image_size": 16, "seeds": 1, **more}
        asked |= {"package": self.root / package} if package else {}
        FLAGS.unparse_flags()
        for name in ("package", "defaults", "seeds", "docs"):
            FLAGS[name].unparse()
        FLAGS(["benchmark", "--recipes=gan", *(f"--{name}={value}" for name, value in asked.items())])

    def test_a_category_is_a_folder_with_its_variations(self):
        images.lay_out(self.package, self.root / "emoji")
        found = {folder.name: sorted(os.listdir(folder)) for folder in (self.root / "emoji").iterdir()}
        self.assertEqual(found, {"Smileys_and_Emotion": _NAMES[:20], "People_and_Body": _NAMES[20:39]})

    def test_data_are_laid_out_once_and_then_need_no_package(self):
        self.root.joinpath("work").mkdir()
        first = images.data(self.root / "work")
        self.given(package=None)
        self.assertEqual(images.data(self.root / "work"), first)
        with self.assertRaisesRegex(ValueError, "--package is the unpacked npm package"):
            images.data(self.root / "elsewhere")

    @parameterized.parameters(images._RECIPES.default)
    def test_the_old_defaults_differ_from_todays_as_told(self, recipe):
        self.given(defaults="dense")
        old = images.asked(recipe, 0, "digits")
        self.given()
        now = images.asked(recipe, 0, "digits")
        self.assertEqual(now, Settings(recipe, "digits", image_size=16, seed=0))
        self.assertEqual(old.network, "mlp" if recipe in images._SCORED else "dcgan")
        self.assertEqual(old.epochs, 400 if recipe in (*images._JUDGED, "vae_gan") else None)

    def test_what_is_kept_is_not_run_again_and_each_result_is_written_at_once(self):
        figures = {"coverage": {"value": 0.5, "real": 1.0, "unit": ""}}
        ran = []

        def run(recipe, seed):
            if ran:
                raise KeyboardInterrupt
            ran.append((recipe, seed))
            return {"figures": figures, "flags": {}, "seconds": 60.0, "versions": {}}

        self.given(seeds=2)
        with mock.patch.object(images, "result", run), self.assertRaises(KeyboardInterrupt):
            images.main([])
        self.given()
        kept = json.loads((self.root / "kept.json").read_text())
        self.assertEqual(list(kept["16"]["now"]["gan"]), ["0"])
        with mock.patch.object(images, "result", run), mock.patch.object(images, "check"):
            with mock.patch.object(inputs, "read"):
                images.data(self.root / "work")
                page = self.root / "page.md"
                page.write_text("<!-- images -->\n<!-- end of images -->\n")
                self.given(docs=page)
                images.main([])
        self.assertEqual(ran, [("gan", 0)])
        self.assertEqual(page.read_text(), images_page.renewed(page.read_text(), kept))
        self.assertIn("| `gan` | 1 | 0.5000 | 1 |", page.read_text())

    def test_results_by_other_defaults_are_refused(self):
        pathlib.Path(self.root / "work").mkdir()
        images.data(self.root / "work")
        kept = {"16": {"now": {"gan": {"0": {"flags": {"recipe": "gan", "network": "mlp"}}}}}}
        (self.root / "kept.json").write_text(json.dumps(kept))
        with self.assertRaisesRegex(ValueError, r"has gan, seed 0, by other defaults.*'network': \('mlp', 'dcgan"):
            images.main([])


def found(value, seconds=120.0, real=None, **versions):
    figure = {"value": value, "unit": "of 9" if value > 1 else "", "real": real}
    return {"figures": {"coverage": figure}, "seconds": seconds, "versions": {"commit": "a", **versions}}


class PageTest(absltest.TestCase):
    def test_a_table_has_means_and_deviations_over_seeds_and_the_real_images(self):
        gans = {"0": found(0.5, real=0.9), "1": found(0.7, None, real=0.8)}
        results = {"gan": gans, "vae": {"0": found(0.9)}, "aavae": {"0": found(8.0, None)}}
        self.assertEqual(
            images_page.table(results, images_page.names(results)).splitlines(),
            [
                "| samples of | seeds | coverage | minutes |",
                "|---|---|---|---|",
                "| `gan` | 2 | 0.60 ± 0.14 | 2 |",
                "| `vae` | 1 | 0.9000 | 2 |",
                "| `aavae` | 1 | 8 |  |",
                "| real images | | 0.9000 | |",
            ],
        )

    def test_a_page_has_each_size_and_kind_of_defaults_with_its_pictures_and_versions(self):
        kept = {
            "32": {"now": {"gan": {"0": found(0.5), "1": found(0.5, commit="b", date="today")}, "vae": {}}},
            "64": {"now": {"vae": {}}, "dense": {"vae": {"1": found(0.5)}}},
        }
        page = images_page.renewed("# A\n<!-- images -->\nold\n<!-- end of images -->\n# B\n", kept)
        self.assertTrue(page.startswith("# A\n<!-- images -->\n\n**32 pixels, by the defaults**\n\n| samples"), page)
        self.assertTrue(page.endswith("Ran on: commit a.\n\n<!-- end of images -->\n# B\n"), page)
        self.assertIn("![Samples of gan at 32 pixels](images/emoji_32_now_gan.png)\n\nRan on: commit a and b.\n", page)
        self.assertIn("**64 pixels, by the defaults of before**\n\n| samples of | seeds | coverage", page)
        self.assertEqual(page.count("]("), 1)
        self.assertEqual(images_page.renewed(page, kept), page)
        self.assertIn("No results are kept yet", images_page.renewed(page, {"32": {"now": {"gan": {}}}}))

    def test_a_page_without_a_place_is_refused(self):
        with self.assertRaisesRegex(ValueError, "<!-- images --> and <!-- end of images -->"):
            images_page.renewed("# A\n", {})

    def test_the_documentation_has_what_is_kept_and_its_pictures(self):
        page = _DOCS / "results.md"
        text = page.read_text()
        self.assertEqual(images_page.renewed(text, json.loads((_DOCS / "images.json").read_text())), text)
        for picture in re.findall(r"\]\((images/emoji_[^)]+)\)", text):
            self.assertTrue((_DOCS / picture).is_file(), picture)


if __name__ == "__main__":
    absltest.main()
