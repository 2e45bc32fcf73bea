"""Recipes and phases of something else than their parts: refused with what was received; one part needs no tuple."""

import dataclasses
import re

from absl.testing import absltest, parameterized

from ugm_tf.algebra import DATA, INFERRED, KL, E, NegativeLogProb, Phase, Recipe

VAE = {"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"}
DISTORTION = E(NegativeLogProb("decoder"), INFERRED, name="distortion")
RATE = E(KL("encoder", "prior"), INFERRED, name="rate")
WAKE = Phase("wake", (DISTORTION, RATE), ("encoder", "decoder"))


class KindsTest(parameterized.TestCase):
    @parameterized.parameters(
        (RATE.of, "minimises expectations, ugm_tf.E(term, sampler). Received: KL"),
        ((RATE, None), "minimises expectations, ugm_tf.E(term, sampler). Received: None, of type NoneType"),
        ((DISTORTION, "rate"), "minimises expectations, ugm_tf.E(term, sampler). Received: 'rate', of type str"),
    )
    def test_a_phase_of_what_is_no_expectation(self, minimise, said):
        with self.assertRaisesRegex(ValueError, f"Phase 'wake' {re.escape(said)}"):
            Phase("wake", minimise, "encoder")

    def test_a_phase_without_a_name_or_of_densities_that_are_no_names(self):
        with self.assertRaisesRegex(ValueError, "The name of a phase is a text. Received: None"):
            Phase(None, DISTORTION, "encoder")
        with self.assertRaisesRegex(ValueError, "updates densities, by their names. Received: 3, of type int"):
            Phase("wake", DISTORTION, ("encoder", 3))

    def test_one_expectation_one_phase_and_one_name_need_no_tuple(self):
        short = Recipe({"decoder": "p(x)"}, Phase("fit", E(DISTORTION.of, DATA), "decoder"), "x")
        whole = Recipe({"decoder": "p(x)"}, (Phase("fit", (E(DISTORTION.of, DATA),), ("decoder",)),), ("x",))
        self.assertEqual(short, whole)

    @parameterized.parameters(
        ({"phases": "wake"}, "A recipe has phases, .*Received: 'wake', of type str"),
        ({"data": (None,)}, "A recipe's data have names. Received: None"),
        ({"densities": None}, "A recipe's densities are texts by names, .*Received: None"),
        ({"densities": {"encoder": 3}}, "A recipe's densities are texts by names, .*Received: {'encoder': 3}"),
        ({"families": {"encoder": None}}, "A recipe's families are texts by names, .*Received: {'encoder': None}"),
    )
    def test_a_recipe_of_something_else(self, part, said):
        with self.assertRaisesRegex(ValueError, said):
            dataclasses.replace(Recipe(VAE, (WAKE,)), **part)


if __name__ == "__main__":
    absltest.main()
