"""Other rules for all discriminators of a recipe and those who play against them."""

import dataclasses
import inspect

from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    Ancestral,
    DiscriminatorLoss,
    DiscriminatorProbability,
    E,
    GradientPenalty,
    Interpolated,
    contested,
    contests,
    packed,
)
from ugm_tf.recipes import (
    aae,
    alpha_gan,
    bigan,
    conditional_gan,
    gan,
    iwgan,
    ppo_gan,
    vae,
)

ADVERSARIAL = ("gan", "conditional_gan", "acgan", "infogan", "bigan", "alice", "aae", "vae_gan", "alpha_gan", "avb")


def losses(recipe):
    return [e.of for phase in recipe.phases for e in phase.minimise if isinstance(e.of, DiscriminatorLoss)]


class ContestTest(parameterized.TestCase):
    @parameterized.product(name=ADVERSARIAL, contest=["logistic", "least_squares", "kl_forward"])
    def test_changes_the_losses_of_both_sides_and_nothing_else(self, name, contest):
        before = ugm_tf.recipes.get(name)
        after = contested(before, contest)
        self.assertEqual({loss.contest for loss in losses(after)}, {contest})
        self.assertLen(losses(after), len(losses(before)))
        for old, new in zip(before.phases, after.phases, strict=True):
            self.assertEqual((new.name, new.updates, new.repeats), (old.name, old.updates, old.repeats))
            for one, other in zip(old.minimise, new.minimise, strict=True):
                loss = isinstance(one.of, DiscriminatorLoss)
                of = dataclasses.replace(one.of, contest=contest) if loss else one.of
                self.assertEqual(other, dataclasses.replace(one, of=of))

    @parameterized.parameters(*contests.names())
    def test_every_contest_makes_a_gan(self, contest):
        made = gan(contest=contest)
        self.assertEqual({loss.contest for loss in losses(made)}, {contest})
        self.assertIn(contests.get(contest).text(0, True, "discriminator", made.roles), made.describe())

    @parameterized.parameters("alpha_gan", "avb", "veegan", "as_vae")
    def test_without_one_the_recipes_own_stays(self, name):
        recipe = ugm_tf.recipes.get(name)
        self.assertEqual(contested(recipe), recipe)
        self.assertEqual({loss.contest for loss in losses(recipe)}, {"log_ratio"})

    def test_refuses_an_unknown_one(self):
        with self.assertRaisesRegex(ValueError, "no contest 'wgan'. There are: logistic, minimax"):
            contested(gan(), "wgan")

    @parameterized.parameters(vae(), ugm_tf.recipes.wake_sleep(), ugm_tf.recipes.iwae())
    def test_refuses_a_recipe_without_a_discriminator(self, recipe):
        phases = ", ".join(phase.name for phase in recipe.phases)
        advice = rf"no phase of this recipe trains one: its phases are {phases}. Use a recipe such as gan\(\)"
        with self.assertRaisesRegex(ValueError, advice):
            contested(recipe, "hinge")

    def test_refuses_importance_weights_in_another_contest(self):
        advice = (
            r"of the reversed logistic contest \(equation 16\). Received: contest='hinge'. Use contest='logistic', or"
        )
        with self.assertRaisesRegex(ValueError, advice):
            contested(iwgan(), "hinge")
        self.assertEqual(contested(iwgan(), "logistic"), iwgan())

    @parameterized.parameters("hinge", "wasserstein", "least_squares")
    def test_refuses_the_probability_of_a_critic_that_tells_none(self, contest):
        advice = (
            f"weighs examples by q.y=1 . .., which the critic of contest='{contest}' does not tell. Use contest='log"
        )
        with self.assertRaisesRegex(ValueError, advice):
            contested(ugm_tf.recipes.aavae(), contest)

    @parameterized.parameters("kl_reverse", "log_ratio", "jensen_shannon")
    def test_takes_the_probability_of_a_log_ratio(self, contest):
        wake = contested(ugm_tf.recipes.aavae(), contest).phase("wake")
        self.assertEqual({e.weight for e in wake.minimise}, {DiscriminatorProbability()})


class StepsTest(parameterized.TestCase):
    def test_the_discriminator_learns_several_times_a_step_and_nobody_else(self):
        made = contested(gan(), discriminator_steps=5)
        self.assertEqual([phase.repeats for phase in made.phases], [5, 1])
        self.assertIn("discriminate: minimise over discriminator, 5 times", made.describe())

    def test_so_does_each_of_several(self):
        self.assertEqual([phase.repeats for phase in alpha_gan(discriminator_steps=3).phases], [3, 3, 1])

    def test_one_step_leaves_those_of_the_recipe(self):
        self.assertEqual(contested(ppo_gan()).phase("discriminate").repeats, 5)

    @parameterized.parameters(0, -1)
    def test_refuses_none(self, steps):
        with self.assertRaisesRegex(ValueError, f"at least once a step. Received: discriminator_steps={steps}"):
            contested(gan(), discriminator_steps=steps)


class PenaltyTest(parameterized.TestCase):
    def penalties(self, recipe):
        return [(p.name, e) for p in recipe.phases for e in p.minimise if isinstance(e.of, GradientPenalty)]

    def test_wasserstein_has_one_of_10_between_the_sides(self):
        found = self.penalties(gan(contest="wasserstein"))
        by_hand = E(GradientPenalty("discriminator"), Interpolated(DATA, GENERATED), 10.0, name="gradient_penalty")
        self.assertEqual(found, [("discriminate", by_hand)])

    @parameterized.parameters("logistic", "hinge", "kl_forward")
    def test_others_have_none(self, contest):
        self.assertEmpty(self.penalties(gan(contest=contest)))

    @parameterized.parameters((0.0, []), (3.0, [3.0]))
    def test_its_weight_may_be_given(self, weight, scales):
        for contest in ("wasserstein", "logistic"):
            found = self.penalties(gan(contest=contest, gradient_penalty=weight))
            self.assertEqual([e.scale for _, e in found], scales)

    @parameterized.parameters(
        (conditional_gan, (), ("c",)), (conditional_gan, (("pack", 2),), ("c_pack",)), (bigan, (), ()), (gan, (), ())
    )
    def test_no_slope_is_asked_along_what_conditions_both_sides(self, recipe, options, held):
        found = self.penalties(recipe(contest="wasserstein", r1=0.1, **dict(options)))
        self.assertEqual([e.of.held for _, e in found], [held, held])

    def test_r1_is_half_gamma_times_the_squared_gradient_on_real_examples(self):
        found = self.penalties(bigan(r1=0.2))
        self.assertEqual(found, [("discriminate", E(GradientPenalty("discriminator", 0.0), INFERRED, 0.1, name="r1"))])

    def test_there_is_one_for_each_discriminator_and_each_generated_side(self):
        found = self.penalties(alpha_gan(gradient_penalty=2.0, r1=1.0))
        labels = [(phase, e.label, e.of.by) for phase, e in found]
        self.assertEqual(
            labels,
            [
                ("discriminate", "gradient_penalty", "discriminator"),
                ("discriminate", "gradient_penalty_2", "discriminator"),
                ("discriminate", "r1", "discriminator"),
                ("discriminate_codes", "gradient_penalty", "code_discriminator"),
                ("discriminate_codes", "r1", "code_discriminator"),
            ],
        )
        self.assertEqual([e.under for _, e in found][3], Interpolated(Ancestral(("prior",)), INFERRED))

    def test_those_who_fool_pay_none(self):
        for name in ADVERSARIAL:
            phases = {phase for phase, _ in self.penalties(contested(ugm_tf.recipes.get(name), r1=1.0))}
            self.assertTrue(all(phase.startswith("discriminate") for phase in phases))

    @parameterized.parameters(
        (dict(r1=-0.1), "r1=-0.1"), (dict(gradient_penalty=-1.0), "gradient_penalty=-1.0, r1=0.0")
    )
    def test_refuses_a_negative_weight(self, options, advice):
        with self.assertRaisesRegex(ValueError, f"Penalties weigh 0 or more. Received: .*{advice}"):
            contested(gan(), **options)


class ContestableTest(parameterized.TestCase):
    """A recipe's own options of a contest are `contested` of it."""

    def test_options_are_passed_on(self):
        options = dict(contest="hinge", discriminator_steps=2, gradient_penalty=0.5, r1=0.1, pack=2)
        self.assertEqual(gan(**options), contested(gan(), **options))
        self.assertEqual(aae(reconstruction=2.0, **options), contested(aae(reconstruction=2.0), **options))

    @parameterized.parameters(
        (
            {"gradient_penalty": "ten"},
            "'gradient_penalty' of {} is of type float or Schedule or LearningRateSchedule, such as 1.0 or 'warmup.1000.'. Received: 'ten'",  # noqa: E501
        ),
        ({"r1": True}, "'r1' of {} is of type float or Schedule or LearningRateSchedule, such as 0.0. Received: True"),
        ({"pack": 2.5}, "'pack' of {} is of type int, such as 1. Received: 2.5"),
        ({"discriminator_steps": 1.5}, "'discriminator_steps' of {} is of type int, such as 1. Received: 1.5"),
    )
    def test_refuses_what_is_of_another_kind(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice.format("recipe 'gan'")):
            gan(**options)
        with self.assertRaisesRegex(ValueError, advice.format(r"contested\(\)")):
            contested(gan(), **options)

    def test_a_pack_is_of_whole_examples(self):
        with self.assertRaisesRegex(ValueError, r"'size' of packed\(\) is of type int. Received: 2.5"):
            packed(gan(), 2.5)

    @parameterized.parameters(*(name for name in ugm_tf.recipes.names() if name != "ppo_gan"))
    def test_a_recipe_has_them_as_its_own_if_it_trains_a_discriminator(self, name):
        options = list(inspect.signature(contested).parameters)[1:]
        own = [key for key in inspect.signature(ugm_tf.recipes.function(name)).parameters if key in options]
        try:
            made = contested(ugm_tf.recipes.get(name), discriminator_steps=2, r1=1.0)
        except ValueError:
            self.assertEmpty(own)
        else:
            self.assertCountEqual(own, options)
            self.assertEqual(ugm_tf.recipes.get(name, discriminator_steps=2, r1=1.0), made)

    def test_ppo_gan_plays_its_own_and_has_none(self):
        with self.assertRaisesRegex(ValueError, "'ppo_gan' has no hyperparameter 'contest'. It takes: epsilon"):
            ugm_tf.recipes.get("ppo_gan", contest="hinge")


class ActivatedTest(parameterized.TestCase):
    """The options of recipes to which a transfer adds a discriminator; their weights ask it for a probability."""

    NAMES = ("aavae", "aacvae", "aasvae", "aaiwae", "aahvae")

    @parameterized.product(
        name=NAMES,
        options=[{"contest": "kl_reverse"}, {"discriminator_steps": 2}, {"gradient_penalty": 0.5}, {"r1": 0.1}],
    )
    def test_options_are_passed_on(self, name, options):
        made, plain = ugm_tf.recipes.get(name, **options), ugm_tf.recipes.get(name)
        self.assertEqual(made, contested(plain, **options))
        self.assertNotEqual(made, plain)
        self.assertEqual(made.phases[1:], plain.phases[1:])

    def test_beside_those_of_the_base_and_of_the_transfer(self):
        made = ugm_tf.recipes.get("aavae", beta=2.0, temperature=3.0, r1=0.1)
        self.assertEqual(made, contested(ugm_tf.recipes.aavae(beta=2.0, temperature=3.0), r1=0.1))

    @parameterized.parameters(*NAMES)
    def test_refuses_critics_and_packs(self, name):
        for contest in ("hinge", "wasserstein", "least_squares"):
            with self.assertRaisesRegex(ValueError, f"which the critic of contest='{contest}' does not tell"):
                ugm_tf.recipes.get(name, contest=contest)
        with self.assertRaisesRegex(ValueError, "which would judge packs of 2 together. Use pack=1"):
            ugm_tf.recipes.get(name, pack=2)


if __name__ == "__main__":
    absltest.main()
