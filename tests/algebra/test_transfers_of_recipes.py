"""The two transfers on every recipe that they make sense for, and why they refuse the others."""

import dataclasses
import inspect
from unittest import mock

from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra.pairs import ENCODING, FOOLING, PAIRS
from ugm_tf import recipes
from ugm_tf.algebra import (
    KL,
    Ancestral,
    Detach,
    DiscriminatorLoss,
    DiscriminatorProbability,
    Draw,
    E,
    ImportanceWeight,
    Mean,
    NegativeLogProb,
    Phase,
    adversary_activated,
    importance_weighted,
)
from ugm_tf.recipes import registry, transferred


def side_by_side(before, after):
    """The expectations of two recipes of the same phases, side by side."""
    for old, new in zip(before.phases, after.phases, strict=True):
        yield from zip(old.minimise, new.minimise, strict=True)


class PairsTest(parameterized.TestCase):
    """The list of pairs is whole: no transfer takes a recipe that is not in it."""

    def outside(self, name, transfer):
        """Whether the pair is valid, in the recipe's own contest or the logistic one, and is not in the list."""
        own = {"contest": "logistic"} if "contest" in inspect.signature(recipes.function(name)).parameters else {}
        listed = any(pair.base == name and pair.transfer is transfer for pair in PAIRS)
        for hyperparameters in ({}, own):
            try:
                transfer(recipes.get(name, **hyperparameters))
            except ValueError:
                continue
            return not listed
        return False

    @parameterized.product(name=recipes.names(), transfer=[importance_weighted, adversary_activated])
    def test_a_valid_pair_is_listed(self, name, transfer):
        self.assertFalse(self.outside(name, transfer), "Give it a line in tests/algebra/pairs.py.")

    def test_a_valid_pair_that_is_not_listed_would_be_found(self):
        self.enter_context(mock.patch.dict(registry._RECIPES))

        @recipes.recipe
        def toy():
            return recipes.gan()

        self.assertTrue(self.outside("toy", importance_weighted))
        self.assertFalse(self.outside("toy", adversary_activated))

    def test_a_listed_pair_is_valid_and_the_registrys_where_it_is_named(self):
        for pair in PAIRS:
            with self.subTest(pair.title):
                made = pair()
                if pair.named:
                    self.assertEqual(recipes.get(pair.named, **pair.hyperparameters), made)

    def test_every_transferred_recipe_is_named_by_its_pair(self):
        self.assertCountEqual([pair.named for pair in PAIRS if pair.named], transferred.__all__)


class ImportanceWeightedTest(parameterized.TestCase):
    @parameterized.parameters(*FOOLING)
    def test_each_reversed_loss_is_weighted_by_its_own_discriminator_and_side_and_nothing_else_changes(self, name):
        weighted = 0
        for old, new in side_by_side(FOOLING[name], importance_weighted(FOOLING[name])):
            fools = isinstance(old.of, DiscriminatorLoss) and old.of.reverse
            weight = ImportanceWeight(old.of.by, None, old.of.y) if fools else None
            self.assertEqual(new, dataclasses.replace(old, weight=weight))
            weighted += fools
        self.assertGreater(weighted, 0)

    @parameterized.parameters(("vae_gan", 2), ("cyclegan", 2), ("bigan", 2), ("alpha_gan", 3), ("acgan", 1))
    def test_weights_every_generated_side(self, name, number):
        made = importance_weighted(FOOLING[name])
        self.assertEqual(made.describe().count("w[q^r("), number)

    @parameterized.parameters("conditional_gan", "acgan", "infogan")
    def test_normalises_within_the_class_that_the_decoder_took(self, name):
        made = importance_weighted(FOOLING[name], normalise="class")
        weights = {e.weight for phase in made.phases for e in phase.minimise} - {None}
        self.assertEqual(weights, {ImportanceWeight("discriminator", "c", 0)})

    @parameterized.parameters("gan", "bigan", "infogan_of_one_code", "aae", "cyclegan")
    def test_there_is_no_class_to_normalise_within(self, name):
        with self.assertRaisesRegex(ValueError, "normalise='class' is for a recipe that generates by a class c"):
            importance_weighted(FOOLING[name], normalise="class")

    @parameterized.parameters("vae", "iwae", "miwae", "wake_sleep", "ppo_gan", "predictability_minimization", "aavae")
    def test_refuses_a_recipe_that_reverses_no_discriminator(self, name):
        with self.assertRaisesRegex(
            ValueError, r"this recipe minimises none: its phases are .*a recipe such as gan\(\)"
        ):
            importance_weighted(recipes.get(name))

    @parameterized.parameters("avb", "as_vae", "alpha_gan", "veegan")
    def test_refuses_a_recipe_that_plays_the_log_ratio(self, name):
        advice = "This recipe plays contest='log_ratio'. Apply it to contest='logistic'"
        with self.assertRaisesRegex(ValueError, advice):
            importance_weighted(recipes.get(name))

    @parameterized.parameters("iwgan", "iwcgan", "iwacgan", "iwinfogan", "iwbigan", "iwaae")
    def test_refuses_a_recipe_that_is_weighted_already(self, name):
        with self.assertRaisesRegex(ValueError, "weighted already. Apply importance_weighted once"):
            importance_weighted(recipes.get(name))


class AdversaryActivatedTest(parameterized.TestCase):
    @parameterized.parameters(*ENCODING)
    def test_what_infers_from_data_is_halved_and_weighed_and_all_else_stays(self, name):
        before, after = ENCODING[name], adversary_activated(ENCODING[name])
        self.assertEqual([phase.name for phase in after.phases], ["discriminate", *(p.name for p in before.phases)])
        for old, new in zip(before.phases, after.phases[1:], strict=True):
            self.assertEqual(new.updates, old.updates)
            drawn = {e.label: [s.density for s in e.under.steps] for e in old.minimise}
            inferred = [
                e
                for e in old.minimise
                if {"encoder", "features"} & {*drawn[e.label]}
                and "decoder" not in drawn[e.label]
                and e.label != "labels"
            ]
            stays = [e for e in new.minimise if e.weight is None]
            self.assertEqual(stays, [e for e in old.minimise if e not in inferred])
            weighed = [e for e in new.minimise if e.weight is not None]
            self.assertEqual({e.weight for e in weighed}, {DiscriminatorProbability()} if weighed else set())
            for e in inferred:
                halves = [half for half in weighed if half.of == e.of and half.scale == 0.5 * e.scale]
                self.assertIn(e.under, [half.under for half in halves])

    @parameterized.parameters(*ENCODING)
    def test_no_phase_that_infers_and_learns_the_judged_decoder_is_left_as_it_was(self, name):
        after = adversary_activated(ENCODING[name])
        learn = [p for p in after.phases if "decoder" in p.updates]
        self.assertNotEmpty(learn)
        for phase in learn:
            sides = {e.label.rpartition("_")[2] for e in phase.minimise if e.weight == DiscriminatorProbability()}
            self.assertContainsSubset({"data", "generated"}, sides)

    @parameterized.parameters(*ENCODING)
    def test_generated_examples_are_held_fixed_and_those_of_the_discriminator(self, name):
        after = adversary_activated(ENCODING[name])
        fake = after.phase("discriminate").minimise[1].under
        generated = [e for p in after.phases for e in p.minimise if e.label.endswith("_generated")]
        self.assertNotEmpty(generated)
        for e in generated:
            self.assertEqual(e.under.steps[: len(fake.steps) + 1], (*fake.steps, Detach()))

    def test_a_hierarchy_generates_from_its_top(self):
        fake = adversary_activated(ENCODING["hierarchical_vae"]).phase("discriminate").minimise[1].under
        self.assertEqual(fake, Ancestral(("prior", "middle", "decoder")))

    @parameterized.parameters(("draws", Draw("decoder")), ("means", Mean("decoder")))
    def test_generated_examples_are_draws_or_means(self, fakes, last):
        made = adversary_activated(recipes.vae(), fakes=fakes)
        self.assertEqual(made.phase("discriminate").minimise[1].under, Ancestral(("prior", last)))
        self.assertIn(
            Ancestral(("prior", last)).detached().then("encoder"), [e.under for e in made.phase("wake").minimise]
        )

    def test_refuses_other_fakes(self):
        with self.assertRaisesRegex(ValueError, "fakes is 'draws' or 'means'. Received: fakes='modes'"):
            adversary_activated(recipes.vae(), fakes="modes")

    @parameterized.parameters(*(name for name in recipes.names() if "discriminator" in recipes.get(name).densities))
    def test_refuses_a_recipe_with_a_discriminator(self, name):
        with self.assertRaisesRegex(ValueError, r"this one has 'discriminator': q\(y \| .*such as vae\(\)"):
            adversary_activated(recipes.get(name))

    def test_refuses_a_recipe_without_a_prior(self):
        with self.assertRaisesRegex(ValueError, "with a 'prior' and a 'decoder' to generate from.*predict, code"):
            adversary_activated(recipes.predictability_minimization())

    @parameterized.parameters("both", "wake", "sleep")
    def test_refuses_a_recipe_whose_draws_are_weighted_already(self, inference):
        advice = "cannot weight .*distortion.*which has a weight already"
        with self.assertRaisesRegex(ValueError, advice):
            adversary_activated(recipes.reweighted_wake_sleep(inference=inference))


class StackedTest(parameterized.TestCase):
    """M1+M2: the VAE that learns the judged decoder is weighed and fed as a VAE is, and M2 on its features as M2 is."""

    def setUp(self):
        super().setUp()
        self.before = ENCODING["stacked_semi_supervised_vae"]
        self.after = adversary_activated(self.before)
        self.fake = Ancestral(("classes", "prior", "middle", "decoder", Detach()))

    def test_whoever_learns_the_judged_decoder_is_weighed_and_meets_generated_examples(self):
        half = dict(scale=0.5, weight=DiscriminatorProbability())
        of = (NegativeLogProb("decoder"), "distortion"), (KL("features", "features_prior"), "rate")
        by_hand = [
            E(term, under, name=f"{label}_{side}", **half)
            for term, label in of
            for side, under in (("data", Ancestral(("features",))), ("generated", self.fake.then("features")))
        ]
        self.assertEqual(list(self.after.phase("features").minimise), by_hand)

    def test_the_features_of_generated_examples_are_labelled_and_fixed(self):
        of = {e.label: e for e in self.after.phase("wake").minimise}
        fixed = self.fake.then("features", Detach(), "encoder")
        self.assertEqual(of["labelled_distortion_generated"].under, fixed)
        self.assertEqual(of["labelled_rate_generated"].under, fixed)
        self.assertNotIn("distortion_generated", of)

    def test_the_classifiers_loss_is_untouched(self):
        self.assertEqual(self.after.phase("wake").minimise[-1], self.before.phase("wake").minimise[-1])

    def test_codes_that_are_held_fixed_teach_the_decoder_too(self):
        fixed = Ancestral(("encoder",)).detached()
        term = E(NegativeLogProb("decoder"), fixed, name="distortion")
        sleep = recipes.wake_sleep().phase("sleep")
        recipe = dataclasses.replace(recipes.wake_sleep(), phases=(Phase("wake", (term,), ("decoder",)), sleep))
        first, second = adversary_activated(recipe).phase("wake").minimise
        self.assertEqual(first.under, fixed)
        self.assertEqual(second.under, Ancestral(("prior", "decoder", Detach(), "encoder", Detach())))


class SemiSupervisedTest(parameterized.TestCase):
    """A generated example comes with its class: it enters as a labelled one."""

    def setUp(self):
        super().setUp()
        self.before = recipes.semi_supervised_vae(alpha=7.0, labelled=3.0)
        self.wake = adversary_activated(self.before).phase("wake")
        self.of = {e.label: e for e in self.wake.minimise}

    def test_these_are_minimised(self):
        self.assertEqual(
            list(self.of),
            [
                "distortion",
                "rate",
                "class_rate",
                "labelled_distortion_data",
                "labelled_distortion_generated",
                "labelled_rate_data",
                "labelled_rate_generated",
                "labels",
            ],
        )

    def test_the_classifiers_loss_is_untouched(self):
        self.assertEqual(self.of["labels"], self.before.phase("wake").minimise[-1])
        self.assertEqual((self.of["labels"].scale, self.of["labels"].weight), (7.0, None))

    def test_unlabelled_data_are_weighed_and_none_is_generated(self):
        for old in self.before.phase("wake").minimise[:3]:
            by_hand = dataclasses.replace(old, scale=0.5, weight=DiscriminatorProbability())
            self.assertEqual(self.of[old.label], by_hand)

    def test_generated_examples_keep_the_class_that_they_were_drawn_from(self):
        under = Ancestral(("classes", "prior", "decoder", Detach(), "encoder"))
        weight = DiscriminatorProbability()
        distortion = E(NegativeLogProb("decoder"), under, 1.5, weight, "labelled_distortion_generated")
        rate = E(KL("encoder", "prior"), under, 1.5, weight, "labelled_rate_generated")
        self.assertEqual(self.of["labelled_distortion_generated"], distortion)
        self.assertEqual(self.of["labelled_rate_generated"], rate)
        after = adversary_activated(self.before)
        self.assertNotIn("labelled", distortion.describe(after.roles, after.data))

    def test_labelled_data_are_weighed_where_they_stood(self):
        old = self.before.phase("wake").minimise[3]
        self.assertEqual(self.of["labelled_distortion_data"].under, old.under)

    def test_the_discriminator_tells_unlabelled_data_from_all_classes(self):
        discriminate = adversary_activated(self.before).phase("discriminate")
        self.assertEqual(discriminate.minimise[1].under, Ancestral(("classes", "prior", "decoder")))
        self.assertEqual(discriminate.minimise[0].under, ugm_tf.DATA)


if __name__ == "__main__":
    absltest.main()
