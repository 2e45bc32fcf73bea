import base64
import dataclasses
import html.parser
import io
import math
import pathlib
import re

import numpy as np
import PIL.Image
from absl.testing import absltest, parameterized

from trainers import page as report_page
from ugm_tf import grids

VOID = {"meta", "link", "img", "rect", "path", "circle"}


class Page(html.parser.HTMLParser):
    """A page's elements, its words, and whether every element is closed in its turn."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.words, self.open = [], [], []
        self.source = path.read_text()
        self.feed(self.source)
        self.close()
        if self.open:
            raise ValueError(f"Never closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes another element, at {self.getpos()}")

    def handle_data(self, data):
        self.words.append((self.open[-1] if self.open else "", " ".join(data.split())))

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def headings(self, level):
        return [words for tag, words in self.words if tag == level]

    def text(self):
        return " ".join(words for tag, words in self.words if tag not in ("script", "style") and words)

    def pictures(self):
        """What each <img> shows, as arrays."""
        return [
            np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(i["src"].split(",")[1])))) for i in self.all("img")
        ]


def rows(number=5, **columns):
    """Rows by epoch; a column is a function of the epoch."""
    return [{"epoch": e} | {name.replace("__", "/"): float(f(e)) for name, f in columns.items()} for e in range(number)]


def images(*shape):
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


PLAIN = report_page.Report(
    title="A run", recipe="vae", dataset="digits", command="python -m trainers.train", equations="wake:"
)


class ReportTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())

    def page(self, **content):
        return Page(report_page.write_report(self.folder, dataclasses.replace(PLAIN, **content)))

    def full(self):
        return self.page(
            metrics=rows(wake__rate=lambda e: e, val_wake__rate=lambda e: 2 * e, generate__fake=lambda e: -e),
            samples=images(6, 8, 8, 1),
            data=images(4, 8, 8, 1),
            reconstructions=(images(3, 8, 8, 1), images(3, 8, 8, 1)),
            interpolations=images(2, 5, 8, 8, 1),
            progress=[(700, grids.save_png(self.folder / "7.png", images(4, 8, 8, 1)))],
            figures=[("Test bound", -17.4312, 0.0831, "nats", "One draw an image."), ("Coverage", 10)],
            flags={"recipe": "vae", "hyperparameter": ["beta=4", "k=2"]},
            versions={"keras": "3.15.1"},
            seconds=102.0,
            images_per_second=17318.2,
        )

    def test_has_every_section_in_order(self):
        self.assertEqual(
            self.full().headings("h2"),
            [
                "Samples",
                "Equations",
                "Reconstructions",
                "Interpolations",
                "During training",
                "Curves",
                "Figures",
                "Flags",
                "Versions",
            ],
        )

    def test_what_there_is_not_has_no_section(self):
        page = self.page()
        self.assertEqual(page.headings("h2"), ["Equations"])
        self.assertEmpty(page.all("script") + page.all("dl") + page.all("table"))

    def test_a_model_without_an_encoder_has_no_reconstructions(self):
        page = self.page(samples=images(4, 8, 8, 1), metrics=rows(generate__fake=lambda e: e))
        self.assertEqual(page.headings("h2"), ["Samples", "Equations", "Curves"])

    def test_asks_nothing_of_the_network(self):
        page = self.full()
        for tag, attrs in page.elements:
            for name in ("src", "href", "srcset", "data", "action", "poster"):
                if name in attrs:
                    self.assertStartsWith(attrs[name], "data:", f"<{tag} {name}>")
        self.assertEqual(re.findall(r"url\((?!#)|@import|fetch\(|https?://", page.source), [])

    def test_the_top_says_what_was_trained_how_and_for_how_long(self):
        text = self.full().text()
        for words in (
            "A run",
            "vae trained on digits",
            "5 epochs",
            "1 min 42 s",
            "17,318 images/s",
            "python -m trainers.train",
        ):
            self.assertIn(words, text)

    @parameterized.parameters(
        ({"epochs": "5"}, "5 epochs"),
        ({"epochs": "80"}, "5 of 80 epochs"),
        ({"epochs": "80", "patience": "2"}, "5 of 80 epochs, by --patience=2"),
    )
    def test_a_run_that_ended_early_says_so(self, flags, words):
        text = self.page(flags=flags, metrics=rows(a=lambda e: e), seconds=102.0).text()
        self.assertRegex(text, f"{words} 1 min 42 s")

    def test_figures_have_value_spread_unit_and_origin(self):
        text = self.full().text()
        self.assertIn("Test bound −17.431 nats ± 0.083", text)  # large
        self.assertIn("Test bound −17.431 ± 0.083 nats One draw an image.", text)  # in the table
        self.assertIn("Coverage 10", text)

    def test_flags_and_versions_are_listed(self):
        text = self.full().text()
        self.assertIn("hyperparameter beta=4, k=2", text)
        self.assertIn("keras 3.15.1", text)

    def test_text_is_never_markup(self):
        evil = "<script>alert('1')</script>&\""
        page = self.page(
            **{name: evil for name in ("title", "recipe", "dataset", "command", "equations")},
            flags={evil: evil},
            versions={evil: [evil]},
            figures=[(evil, 1.0, None, evil, evil)],
            metrics=[{"epoch": 0, "a'/<b>": 1.0, "val_a'/<b>": math.nan}],
            samples=images(1, 8, 8, 1),
            data=images(1, 8, 8, 1),
        )
        self.assertLen(page.all("script"), 1)  # the page's own
        self.assertEmpty(page.all("b")[2:])  # recipe and dataset
        self.assertIn(evil, page.headings("h1"))
        self.assertGreaterEqual(page.text().count("alert('1')"), 9)
        self.assertIn("<b>", page.headings("h4"))

    def test_classes_are_listed_where_their_names_tell_more_than_their_numbers(self):
        self.assertIn("<h2>Classes</h2>", self.page(class_names=("cat", "dog")).source)
        self.assertIn("<h2>Classes</h2>", self.page(class_names=("1", "0")).source)
        self.assertNotIn("<h2>Classes</h2>", self.page(class_names=("0", "1")).source)

    def test_a_sign_stays_on_the_line_of_its_log(self):
        equations = "wake: minimise over encoder\n    E[x ~ data] -log q(y=1 | x)"
        self.assertIn('<span class="minus">-log</span> q(y=1 | x)', self.page(equations=equations).source)

    def test_the_equations_are_printed_whole(self):
        equations = "wake: minimise over encoder\n    E[x ~ data, z ~ encoder] -log p(x | z)\n  + 0.5 E[x ~ data] KL"
        source = self.page(equations=equations).source
        block = re.search(r'<pre class="equations"[^>]*>(.*?)</pre>', source, re.DOTALL).group(1)
        self.assertEqual(html.unescape(re.sub("<[^>]*>", "", block)), equations)
        self.assertIn('<span class="phase">wake</span>', block)
        self.assertIn('<span class="under">E[x ~ data, z ~ encoder]</span>', block)

    def test_each_tile_is_its_image(self):
        x = images(6, 8, 8, 3)
        for picture, image in zip(self.page(samples=x).pictures(), x, strict=True):
            np.testing.assert_array_equal(picture, np.rint(image * 255))

    def test_each_reconstruction_follows_its_original(self):
        x, y = images(3, 8, 8, 1), 1 - images(3, 8, 8, 1)
        pictures = self.page(reconstructions=(x, y)).pictures()
        np.testing.assert_array_equal(pictures[::2], np.rint(x[..., 0] * 255))
        np.testing.assert_array_equal(pictures[1::2], np.rint(y[..., 0] * 255))

    def test_translations_stand_above_their_way_back(self):
        layers = tuple(images(3, 4, 4, 1) + np.float32(i) for i in range(3))
        page = self.page(translations=[layers, layers[::-1]])
        self.assertEqual(page.headings("h2"), ["Equations", "Translations"])
        self.assertEqual(page.headings("h3"), ["From the source to the target", "From the target to the source"])
        self.assertLen(page.all("img"), 18)

    def test_rows_of_samples_that_are_classes_stay_rows(self):
        page = self.page(samples=images(6, 8, 8, 1), columns=3)
        self.assertIn("--wide: 3; --narrow: 3", page.source)
        self.assertIn("each row is of one class", page.source)

    def test_rows_of_samples_have_the_names_of_their_classes(self):
        page = self.page(samples=images(6, 8, 8, 1), columns=3, rows=("cats", "dogs"))
        self.assertEqual([words for tag, words in page.words if words in ("cats", "dogs")], ["cats", "dogs"])
        self.assertIn("wall named loose", [attrs.get("class") for attrs in page.all("div")])

    def test_says_what_was_read_what_classes_are_called_and_which_weights_figures_are_of(self):
        page = self.page(
            readings=["folder:pets: 9 examples read"],
            class_names=("cat", "dog"),
            weights="the weights after 7 steps",
            figures=[("loss", 1.0)],
        )
        for words in ("folder:pets: 9 examples read", "0 cat 1 dog", "are of the weights after 7 steps. Curves are of"):
            self.assertIn(words, page.text())

    def test_a_row_is_a_walk(self):
        page = self.page(interpolations=images(2, 5, 8, 8, 1))
        self.assertLen(page.pictures(), 10)
        self.assertIn("--wide: 5; --narrow: 5", page.source)

    def test_samples_that_are_not_finite_are_counted(self):
        x = images(6, 8, 8, 1)
        x[2:4, 0, 0] = np.nan
        self.assertIn("not finite: 2 of 6 images", self.page(samples=x).text())

    def test_all_pictures_have_words(self):
        page = self.full()
        self.assertTrue(all("alt" in attrs for attrs in page.all("img")))
        self.assertIn("What the model drew after 700 steps", [attrs["alt"] for attrs in page.all("img")])
        walls = [attrs["aria-label"] for attrs in page.all("div") if attrs.get("role") == "img"]
        self.assertLen(walls, 4)
        charts = [attrs["aria-label"] for attrs in page.all("svg") if "data-lines" in attrs]
        self.assertEqual(charts[0], "wake rate by epoch; training ends at 4.000; validation ends at 8.000")

    def test_many_pictures_of_training_are_thinned_but_keep_both_ends(self):
        pictures = [(step, grids.save_png(self.folder / f"{step}.png", images(1, 2, 2, 1))) for step in range(100)]
        shown = [attrs["alt"].split()[5] for attrs in self.page(progress=pictures).all("img")]
        self.assertLessEqual(len(shown), 12)
        self.assertEqual((shown[0], shown[1], shown[-1]), ("0", "9", "99"))

    def test_points_of_the_plane_are_drawn_as_such(self):
        points = np.array([[0.0, 0.0], [1.0, 1.0], [9.0, 0.0]])
        page = self.page(
            samples=points, data=points[:2], reconstructions=(points, points), interpolations=np.stack([points] * 2)
        )
        self.assertEmpty(page.all("img"))
        self.assertIn("Outside lie 1 of 3 points", page.text())
        paths = {attrs["class"]: attrs["d"] for attrs in page.all("path")[:3]}  # of the samples
        # The frame is the data's unit square with a tenth of its side more at each edge; up is up.
        self.assertStartsWith(paths["points"], "M8.33 91.67h0M91.67 8.33h0")
        self.assertEqual(paths["reference"], "M8.33 91.67h0M91.67 8.33h0")

    @parameterized.parameters(
        ({"samples": np.zeros([3, 8, 8])}, r"Received: \[3, 8, 8\]"),
        (
            {"reconstructions": (np.zeros([3, 8, 8, 1]), np.zeros([2, 8, 8, 1]))},
            "Originals and reconstructions have one",
        ),
        ({"metrics": [{"wake/rate": 1.0}]}, "Each row of metrics has an 'epoch'"),
    )
    def test_refuses_and_writes_nothing(self, content, advice):
        with self.assertRaisesRegex(ValueError, advice):
            self.page(**content)
        self.assertFalse((self.folder / "report.html").exists())

    @parameterized.parameters(
        (42.31, "42.3 s"), (59.97, "1 min 00 s"), (102, "1 min 42 s"), (11000, "3 h 03 min"), (3599.7, "1 h 00 min")
    )
    def test_durations_are_written_as_said(self, seconds, text):
        self.assertEqual(report_page._duration(seconds), text)


if __name__ == "__main__":
    absltest.main()
