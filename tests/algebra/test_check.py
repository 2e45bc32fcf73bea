"""What a recipe refuses before a tensor exists, each with its advice."""

import dataclasses

from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    KL,
    Ancestral,
    Ask,
    DiscriminatorLoss,
    DiscriminatorProbability,
    Draw,
    E,
    Enumerate,
    GradientPenalty,
    ImportanceWeight,
    ImportanceWeightedBound,
    Interpolated,
    Mean,
    NegativeLogProb,
    Pack,
    Phase,
    Recipe,
    Rename,
    Reverse,
)

VAE = {"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"}
DISTORTION = E(NegativeLogProb("decoder"), INFERRED, name="distortion")
RATE = E(KL("encoder", "prior"), INFERRED, name="rate")


def recipe(*minimise, densities=VAE, updates=("encoder", "decoder"), data=("x",), **kwargs):
    return Recipe(densities, (Phase("wake", minimise, updates, **kwargs),), data)


@ugm_tf.record
class Halved(ugm_tf.Sampler):
    """A sampler of one's own, which is not asked whether it can do in chunks."""

    of: ugm_tf.Sampler

    @property
    def sides(self):
        return self.of.sides

    def each(self, change):
        return dataclasses.replace(self, of=self.of.each(change))

    def draw(self, draws, seed):
        return draws(self.of, seed)


class CheckTest(parameterized.TestCase):
    def refuses(self, advice, *args, **kwargs):
        with self.assertRaisesRegex(ValueError, advice):
            recipe(*args, **kwargs)

    def test_accepts_what_makes_sense(self):
        recipe(DISTORTION, RATE).check()

    # ------------------------------------------------------- phases

    def test_no_phase(self):
        with self.assertRaisesRegex(ValueError, "at least one phase"):
            Recipe(VAE, ())

    def test_two_phases_of_one_name(self):
        phases = (Phase("wake", (DISTORTION, RATE), (name,)) for name in ("encoder", "decoder"))
        with self.assertRaisesRegex(ValueError, "Two phases are called 'wake'. Give each its own `name`"):
            Recipe(VAE, phases)

    def test_one_phase_may_run_several_times_in_a_step(self):
        phase = Phase("wake", (DISTORTION, RATE), ("encoder",))
        self.assertEqual(Recipe(VAE, (phase, phase)).phases, (phase, phase))

    def test_a_phase_that_minimises_nothing(self):
        self.refuses("Phase 'wake' must minimise something and update something")

    def test_a_phase_that_updates_nothing(self):
        self.refuses("Phase 'wake' must minimise something and update something", DISTORTION, RATE, updates=())

    @parameterized.parameters(0, -2, 1.5, "3")
    def test_a_phase_that_runs_no_number_of_times(self, repeats):
        said = f"Phase 'wake' takes repeats, a whole number of at least 1. Received: repeats={repeats!r}"
        self.refuses(said, DISTORTION, RATE, repeats=repeats)

    # ------------------------------------------------------ metrics

    def test_two_metrics_of_one_name(self):
        self.refuses("Two metrics of phase 'wake' are called 'rate'. Give each its own `name`", RATE, RATE)

    def test_a_metric_called_loss(self):
        self.refuses(
            "'loss' is the name of the sum: give the expectation another `name`", E(RATE.of, INFERRED, name="loss")
        )

    # ---------------------------------------------------- densities

    def test_a_role_that_cannot_be_read(self):
        self.refuses("Received: 'p\\(x|z\\)'", DISTORTION, densities=VAE | {"decoder": "p(x|z)"})

    @parameterized.named_parameters(
        ("updated", dict(updates=("encoder", "critic")), "Phase 'wake' updates the density 'critic'"),
        ("drawn", dict(under=Ancestral(("critic",))), "Phase 'wake' draws from the density 'critic'"),
        ("scored", dict(of=NegativeLogProb("critic")), "Phase 'wake' scores the density 'critic'"),
        ("asked", dict(of=DiscriminatorLoss(1, "critic")), "Phase 'wake' asks the density 'critic'"),
        ("weighing", dict(weight=DiscriminatorProbability("critic")), "Phase 'wake' asks the density 'critic'"),
        (
            "scored_between_samplers",
            dict(of=NegativeLogProb("critic"), under=Interpolated(INFERRED, GENERATED)),
            "Phase 'wake' scores the density 'critic'",
        ),
    )
    def test_an_unknown_density(self, change, advice):
        updates = change.pop("updates", ("encoder", "decoder"))
        e = E(**{"of": NegativeLogProb("decoder"), "under": INFERRED} | change)
        self.refuses(f"{advice}, which this recipe lacks. It has: prior, encoder, decoder", e, RATE, updates=updates)

    def test_a_density_that_is_left_over(self):
        self.refuses(
            "has 'critic' but no phase draws from, scores or updates it. Use it in a phase, or leave it out of `dens",
            DISTORTION,
            RATE,
            densities=VAE | {"critic": "q(y | x)"},
        )

    def test_several_that_are_left_over(self):
        self.refuses(
            "has 'critic', 'judge' but no phase .* updates them",
            DISTORTION,
            RATE,
            densities=VAE | {"critic": "q(y | x)", "judge": "q(y | x)"},
        )

    # ---------------------------------------------------- variables

    def test_a_density_scored_at_a_variable_that_is_not_drawn(self):
        self.refuses(
            r"Phase 'wake' scores 'decoder', which is p\(x \| z\), under E\[x ~ data\]; but z is never drawn there: "
            r"only x is known. Either draw it with a density of z \(this recipe has 'prior': p\(z\), 'encoder': "
            r"q\(z \| x\)\), or add 'z' to the recipe's `data`, or leave z out of the role",
            E(NegativeLogProb("decoder"), DATA),
            RATE,
        )

    def test_a_discriminator_of_a_variable_that_is_not_drawn(self):
        self.refuses(
            r"asks 'critic', which is q\(y \| x, c\), to judge E\[z ~ prior, x ~ decoder\]; but c is never drawn "
            "there: only x, z are known. Either add a density of it, or add 'c' to the recipe's `data`",
            E(DiscriminatorLoss(0, "critic"), GENERATED),
            densities={"prior": "p(z)", "decoder": "p(x | z)", "critic": "q(y | x, c)"},
            updates=("decoder",),
        )

    def test_a_weight_of_a_variable_that_is_not_drawn(self):
        weight = DiscriminatorProbability("critic")
        self.refuses(
            "asks 'critic', .* to judge .*but c is never drawn",
            E(NegativeLogProb("decoder"), INFERRED, weight=weight),
            RATE,
            densities=VAE | {"critic": "q(y | c)"},
        )

    def test_a_draw_given_a_variable_that_is_not_drawn(self):
        self.refuses(
            r"Phase 'wake' draws from 'decoder', which is p\(x \| z\); but z is never drawn there: only x is known",
            E(NegativeLogProb("encoder"), Ancestral(("decoder", "prior"))),
        )

    def test_an_exact_sum_given_a_variable_that_is_not_drawn(self):
        self.refuses(
            r"Phase 'wake' enumerates 'classes', which is q\(c \| z\); but z is never drawn",
            E(NegativeLogProb("classes"), Ancestral((Enumerate("classes"), "encoder"))),
            densities=VAE | {"classes": "q(c | z)"},
        )

    def test_a_variable_renamed_before_it_is_drawn(self):
        self.refuses(
            r"Phase 'wake' takes Rename\(old='w', new='z'\); but w is never drawn there: only x is known",
            E(NegativeLogProb("decoder"), Ancestral((Rename("w", "z"),))),
            RATE,
        )

    def test_a_renamed_variable_is_known(self):
        recipe(E(NegativeLogProb("decoder"), Ancestral((Rename("x", "z"),)), name="copied"), DISTORTION, RATE)

    def test_data_are_known(self):
        recipe(E(NegativeLogProb("decoder")), RATE, data=("x", "z"))

    def test_an_analytic_kl_needs_no_draw_and_a_sampled_one_does(self):
        recipe(E(KL("encoder", "prior")), DISTORTION)
        self.refuses("scores 'encoder', .* z is never drawn", E(KL("encoder", "prior", sampled=True)), DISTORTION)

    # -------------------------------------------------------- steps

    @parameterized.named_parameters(
        ("mean", Mean("decoder"), r"takes the mean of 'decoder', which is p\(x \| z\); but z is never drawn"),
        ("ask", Ask("critic"), r"asks 'critic', which is q\(y \| z\); but z is never drawn"),
        ("pack", Pack("w", "p", 2), r"takes Pack\(old='w', new='p', size=2\); but w is never drawn"),
        ("reverse", Reverse("w", "u"), r"takes Reverse\(old='w', new='u'\); but w is never drawn"),
        ("unknown_mean", Mean("critics"), "takes the mean of the density 'critics', which this recipe lacks"),
        ("unknown_ask", Ask("critics"), "asks the density 'critics', which this recipe lacks"),
    )
    def test_a_step_of_what_is_not_known(self, step, advice):
        e = E(KL("encoder", "prior"), Ancestral((step,)))
        self.refuses(f"Phase 'wake' {advice}", DISTORTION, e, densities=VAE | {"critic": "q(y | z)"})

    def test_what_a_step_sets_is_known_after_it(self):
        packs = E(DiscriminatorLoss(1, "critic"), DATA.then(Pack("x", "x_pack", 2)))
        recipe(DISTORTION, RATE, packs, densities=VAE | {"critic": "q(y | x_pack)"})
        self.refuses(
            r"to judge E\[x ~ data\]; but x_pack is never drawn",
            DISTORTION,
            RATE,
            dataclasses.replace(packs, under=DATA),
            densities=VAE | {"critic": "q(y | x_pack)"},
        )

    @parameterized.parameters((GENERATED, INFERRED), (INFERRED, GENERATED))
    def test_points_between_are_of_what_both_sides_know(self, left, right):
        pairs = VAE | {"critic": "q(y | x, z)"}
        penalty = E(GradientPenalty("critic"), Interpolated(left, right))
        recipe(DISTORTION, RATE, penalty, densities=pairs)
        for under in (Interpolated(left, DATA), Interpolated(DATA, right)):
            lacking = dataclasses.replace(penalty, under=under)
            self.refuses("asks 'critic', .* but z is never drawn there", DISTORTION, RATE, lacking, densities=pairs)

    def test_a_family_of_a_density_that_is_not_there(self):
        phases = recipe(DISTORTION, RATE).phases
        with self.assertRaisesRegex(ValueError, "names a family for the density 'critic', which this recipe lacks"):
            Recipe(VAE, phases, families={"critic": "logit"})

    def test_a_family_of_data_is_not_one_of_a_density(self):
        phases = recipe(DISTORTION, RATE).phases
        self.assertEqual(Recipe(VAE, phases, ("x", "c"), {"c": "one_hot"}).families, {"c": "one_hot"})
        with self.assertRaisesRegex(ValueError, "names a family for the density 'c', which this recipe lacks"):
            Recipe(VAE, phases, families={"c": "one_hot"})

    # -------------------------------------------------------- draws

    @parameterized.named_parameters(
        (
            "weights_over_the_batch",
            E(
                DiscriminatorLoss(0, "critic"),
                Ancestral(("prior", Draw("decoder", 4, 2))),
                weight=ImportanceWeight("critic"),
            ),
            "'critic_y0' over 4 draws in chunks of 2, and its weight, ImportanceWeight, is not of each draw by itself",
        ),
        (
            "free_bits_over_the_batch",
            E(KL("encoder", "prior", free=0.1, per="dimension"), Ancestral(("encoder",), k=4, chunk=2)),
            "its term, KL, is not of each draw by itself",
        ),
        (
            "an_axis_after_the_draws",
            E(NegativeLogProb("decoder"), Ancestral((Draw("encoder", 4, 2), Draw("decoder", 3)))),
            r"the step Draw\(density='decoder', k=3, chunk=None\) comes after them, with an axis of its own",
        ),
        (
            "a_bound_weighted_by_each_draw",
            E(
                ImportanceWeightedBound(),
                Ancestral((Draw("encoder", 4, 2), "decoder")),
                weight=DiscriminatorProbability("critic"),
            ),
            "a bound of all of them, and weights it by each draw",
        ),
        (
            "a_sampler_of_ones_own",
            E(NegativeLogProb("decoder"), Halved(Ancestral(("encoder",), k=4, chunk=2))),
            "in chunks of 2, and Halved needs all of them at once. Leave out `chunk`, or use Ancestral",
        ),
        (
            "groups_that_are_not_in_each_chunk",
            E(ImportanceWeightedBound(group=4), Ancestral(("encoder",), k=24, chunk=4)),
            "which are in 6 groups, and not as many of each in a chunk. There fit: 6",
        ),
    )
    def test_chunks_of_what_is_of_all_draws(self, e, advice):
        densities = VAE | {"critic": "q(y | x)"}
        others = (DISTORTION, RATE, E(DiscriminatorLoss(1, "critic"), DATA, name="real"))
        self.refuses(advice, *others, e, densities=densities)

    def test_a_bound_without_draws(self):
        self.refuses(
            r"takes a leading axis of draws, \[k, B\]: draw with Ancestral\(\('encoder',\), k=50\)",
            E(ImportanceWeightedBound(), INFERRED),
        )

    def test_a_bound_without_draws_names_the_density_to_draw_from(self):
        densities = {"prior": "p(z)", "inverse": "q(z | x)", "decoder": "p(x | z)"}
        self.refuses(
            r"draw with Ancestral\(\('inverse',\), k=50\)",
            E(ImportanceWeightedBound(inference=("inverse",)), Ancestral(("inverse",))),
            densities=densities,
            updates=("inverse",),
        )

    def test_a_bound_whose_mean_would_be_over_classes(self):
        densities = {"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z, c)", "classes": "q(c | x)"}
        after = Ancestral((Draw("encoder", 5), Enumerate("classes")))
        self.refuses(
            "is that of the exact sum over 'classes': draw k values from 'encoder' after it",
            E(ImportanceWeightedBound(), after),
            densities=densities,
        )
        recipe(E(ImportanceWeightedBound(), Ancestral((Enumerate("classes"), Draw("encoder", 5)))), densities=densities)


if __name__ == "__main__":
    absltest.main()
