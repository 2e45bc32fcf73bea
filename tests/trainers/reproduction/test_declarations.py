"""Experiments hold together: what is declared, what is run of it at each scale, and where it lies."""

import dataclasses
import pathlib
import sys

from absl.testing import absltest, parameterized

from trainers.reproduction import catalogue, experiments, listing
from trainers.reproduction.declarations import SCALES, Contender, Experiment, Measured, Published, Scale
from trainers.reproduction.units import Plan

EMBEDDED = {"digits", "stacked_digits", "ring", "grid"}

OWN = """
from trainers.reproduction.declarations import Contender, Experiment, Measured, Scale

EXPERIMENT = Experiment(
    title="Beta-VAEs",
    source="Nobody",
    settings={"dataset": "digits"},
    figures=(Measured("ELBO", "elbo"),),
    contenders=(
        Contender("VAE", {"recipe": "vae"}),
        Contender("beta-VAE", {"recipe": "vae", "hyperparameters": {"beta": 2.0}}, against=("VAE",)),
    ),
    scales={"smoke": Scale(updates=5, seeds=2), "cpu": Scale(updates=5), "full": Scale(updates=5)},
)
"""


def experiment(**changes):
    """A small one of two contenders under two conditions."""
    arguments = {
        "title": "small",
        "source": "nobody",
        "settings": {"dataset": "digits"},
        "figures": (Measured("ELBO", "elbo"),),
        "contenders": (
            Contender("a", {"recipe": "vae"}, "few", published=(Published(-10.0),)),
            Contender("b", {"recipe": "aavae"}, "few", ("a",), {"temperature": (1.0, 2.0)}, (Published(-9.0),)),
            Contender("a", {"recipe": "vae", "hidden": (9,)}, "many"),
        ),
        "scales": {name: Scale(seeds=3) for name in SCALES},
    }
    return Experiment(**{**arguments, **changes})


class CatalogueTest(parameterized.TestCase):
    @parameterized.parameters(*catalogue.names())
    def test_each_is_run_at_each_scale_by_settings_that_its_recipe_takes(self, name):
        for scale in SCALES:
            units = Plan(name, scale).units()
            self.assertNotEmpty(units)
            for unit in units:
                unit.settings.make_recipe()
            self.assertLen({str(unit.folder) for unit in units}, len(units))
            self.assertLen({str(unit.run) for unit in units}, len(units))

    @parameterized.parameters(*catalogue.names())
    def test_smoke_needs_no_download_and_has_a_spread(self, name):
        units = Plan(name, "smoke").units()
        self.assertLessEqual({unit.settings.dataset for unit in units}, EMBEDDED)
        self.assertGreaterEqual(len({unit.seed for unit in units}), 2)

    @parameterized.parameters(*catalogue.names())
    def test_the_listing_says_what_it_takes_and_what_is_published(self, name):
        text = listing.entry(name)
        for words in (name, "smoke", "cpu", "full", "an estimate", "published:"):
            self.assertIn(words, text)
        found = catalogue.get(name)
        self.assertEqual(any(c.published for c in found.contenders), not found.source.startswith("No paper"))

    def test_the_semi_supervised_pair_is_trained_once_for_both_of_its_tables(self):
        bounds, rates = (
            {unit.run for unit in Plan(name, "cpu").units() if "SVAE" in unit.contender.name}
            for name in ("hu_aavae", "hu_aasvae")
        )
        self.assertEqual(bounds, rates)

    def test_an_experiment_is_one_new_file(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "beta_vaes.py").write_text(OWN)
        experiments.__path__.append(str(folder))
        self.addCleanup(experiments.__path__.remove, str(folder))
        self.addCleanup(sys.modules.pop, f"{experiments.__name__}.beta_vaes", None)
        self.assertIn("beta_vaes", catalogue.names())
        units = Plan("beta_vaes", "smoke").units()
        expected = [(name, seed) for seed in (0, 1) for name in ("VAE", "beta-VAE")]
        self.assertEqual([(u.contender.name, u.seed) for u in units], expected)
        self.assertIn("Beta-VAEs", listing.entry("beta_vaes"))

    def test_one_that_there_is_not(self):
        with self.assertRaisesRegex(
            ValueError, "There is no experiment 'hu_gan'. There are: both_families, burda_iwae"
        ):
            catalogue.get("hu_gan")

    def test_other_data_are_refused_where_data_are_what_is_compared(self):
        with self.assertRaisesRegex(ValueError, "so --dataset=digits is none of it. Leave it out"):
            Plan("pacgan_modes", "smoke", "digits").units()

    def test_other_data_have_results_of_their_own(self):
        own, other = Plan("hu_iwgan", "cpu"), Plan("hu_iwgan", "cpu", "fashion_mnist")
        self.assertEqual([str(own.folder), str(other.folder)], ["hu_iwgan/cpu", "hu_iwgan/cpu_fashion_mnist"])
        self.assertEqual({unit.settings.dataset for unit in other.units()}, {"fashion_mnist"})


class DeclarationTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"figures": ()}, "it has no figure"),
        ({"figures": (Measured("ELBO", "elbow"),)}, "--metrics knows"),
        ({"figures": (Measured("ELBO", "elbo", of=("c",)),)}, "'c' of ELBO"),
        ({"contenders": (Contender("a", {"recipe": "vae"}, against=("b",)),)}, "'b', against a"),
        ({"contenders": 2 * (Contender("a", {"recipe": "vae"}),)}, "a twice"),
        ({"scales": {"smoke": Scale()}}, "the scale '(cpu|full)'"),
        ({"scales": {name: Scale(only=("most",)) for name in SCALES}}, "'most' of smoke"),
        ({"scales": {name: Scale(updates={"few": 3}) for name in SCALES}}, "no updates of a, many at smoke"),
    )
    def test_what_does_not_hold_together_is_refused(self, changes, words):
        with self.assertRaisesRegex(ValueError, words):
            experiment(**changes)

    def test_a_setting_or_an_effort_that_there_is_not_is_refused(self):
        with self.assertRaisesRegex(TypeError, "epoch"):
            experiment(settings={"dataset": "digits", "epoch": 3})
        with self.assertRaisesRegex(TypeError, "drawing"):
            experiment(scales={name: Scale(effort={"drawing": 3}) for name in SCALES})

    def test_each_choice_is_a_run_of_its_own(self):
        found = experiment()
        variants = found.variants(found.contenders[1], "cpu")
        self.assertEqual([choice for choice, _ in variants], [{"temperature": 1.0}, {"temperature": 2.0}])
        self.assertEqual([dict(s.hyperparameters) for _, s in variants], [choice for choice, _ in variants])

    def test_a_scale_goes_before_the_contender_and_that_before_the_experiment(self):
        scales = {name: Scale({"epochs": 3} if name == "smoke" else {}) for name in SCALES}
        settings = {"dataset": "digits", "hidden": (8,), "epochs": 1}
        found = experiment(scales=scales, settings=settings)
        small, large = (found.variants(c, "smoke")[0][1] for c in (found.contenders[0], found.contenders[2]))
        self.assertEqual([(s.hidden, s.epochs) for s in (small, large)], [((8,), 3), ((9,), 3)])

    def test_a_scale_may_run_a_part_and_count_updates_by_the_narrowest_name(self):
        scale = Scale(updates={"few": 1, "a": 2, "b, few": 3}, only=("few",), without=("b",))
        found = experiment(scales=dict.fromkeys(SCALES, scale))
        self.assertEqual([c.title for c in found.at("cpu")], ["a, few"])
        self.assertEqual([scale.steps(c) for c in found.contenders], [2, 3, 2])

    def test_published_values_are_shown_as_they_are_published(self):
        self.assertEqual(str(dataclasses.replace(Published(0.8803), spread=0.0171)), "0.8803 ± 0.0171")


if __name__ == "__main__":
    absltest.main()
