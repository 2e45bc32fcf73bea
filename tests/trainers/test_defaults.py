"""What a run does where no flag says otherwise."""

from absl.testing import absltest, parameterized

import ugm_tf
from trainers import defaults, doubts
from trainers.rates import PhaseRates, Rate
from trainers.settings import Settings

DIGITS, MNIST, CIFAR, RING = ((8, 8, 1), 1297), ((28, 28, 1), 55_000), ((32, 32, 3), 45_000), ((2,), 100_000)
EMOJI = (32, 32, 3), 3_400


def resolve(recipe, data, **settings):
    return defaults.resolve(Settings(recipe, "some", **settings), *data)


class ResolveTest(parameterized.TestCase):
    @parameterized.product(recipe=ugm_tf.recipes.names(), data=[DIGITS, MNIST, CIFAR, RING])
    def test_everything_that_a_run_needs_is_there(self, recipe, data):
        settings = resolve(recipe, data)
        for name in ("epochs", "batch_size", "learning_rate", "network", "observation"):
            self.assertIsNotNone(getattr(settings, name), name)
        self.assertEqual(settings.code_size is None, recipe == "cyclegan")
        self.assertEqual(settings.hidden is None, settings.network != "mlp")
        variables = settings.make_recipe().data
        self.assertEqual(settings.labels is None, "labelled" not in variables)
        self.assertEqual(settings.target is None, "target" not in variables)

    @parameterized.product(recipe=ugm_tf.recipes.names(), data=[DIGITS, MNIST, CIFAR, RING])
    def test_the_observation_is_in_the_likelihoods_support(self, recipe, data):
        settings = resolve(recipe, data)
        if settings.likelihood is not None:
            support = ugm_tf.densities.get(settings.likelihood).support
            self.assertIn(support, (ugm_tf.data.support(settings.observation), "real", "unit"))

    def test_what_decides_nothing_else_stays_as_it_was_said(self):
        said = {"schedule": "simultaneous", "xla": "off", "precision": "mixed_bfloat16", "on_nan": "skip", "seed": 3}
        said |= {"accumulate": 4, "remat": True}
        said |= {"init_from": "/runs/a", "keep_best": "val_wake/loss", "patience": 2, "storage": "mapped"}
        settings = resolve("vae", DIGITS, **said)
        self.assertEqual({name: getattr(settings, name) for name in said}, said)

    @parameterized.parameters("gan", "iwgan", "bigan", "cyclegan", "adversarial_domain_adaptation")
    def test_what_only_judges_has_no_likelihood(self, recipe):
        self.assertIsNone(resolve(recipe, DIGITS).likelihood)

    def test_few_examples_are_seen_more_often_and_more_so_against_a_discriminator(self):
        found = {recipe: [resolve(recipe, data).epochs for data in (MNIST, DIGITS, EMOJI)] for recipe in ("vae", "gan")}
        self.assertEqual(found, {"vae": [30, 150, 150], "gan": [30, 400, 114]})

    @parameterized.parameters((3_400, None, 114), (300, None, 1_500), (300, 150, 3_000), (10, None, 6_000))
    def test_few_large_images_against_a_discriminator_have_as_many_updates(self, examples, batch_size, epochs):
        found = resolve("gan", ((32, 32, 3), examples), batch_size=batch_size)
        self.assertEqual(found.epochs, epochs)
        self.assertBetween(found.epochs * (examples // found.batch_size), 6_000, 6_000 + examples // found.batch_size)

    @parameterized.parameters(
        (32, 45_000, "dcgan"),
        (48, 45_000, "dcgan(filters=42)"),
        (64, 45_000, "dcgan(filters=32)"),
        (512, 45_000, "dcgan(filters=16)"),
        (32, 3_400, "dcgan(filters=32)"),
        (48, 3_400, "dcgan(filters=32)"),
        (512, 3_400, "dcgan(filters=16)"),
    )
    def test_larger_and_fewer_images_have_fewer_filters(self, side, examples, network):
        for recipe in ("vae", "gan", "cyclegan"):
            self.assertEqual(resolve(recipe, ((side, side // 2, 3), examples)).network, network)

    @parameterized.parameters((DIGITS, "10.0"), (MNIST, "784.0"), (EMOJI, "3072.0"))
    def test_a_cycle_weighs_as_published_where_images_are_large(self, data, scale):
        settings, why = defaults.choose(Settings("cyclegan", "some"), *data)
        self.assertEqual(dict(settings.families), dict.fromkeys(("decoder", "forward"), f"laplace(scale={scale})"))
        self.assertEqual("published" in why["families"], data is not DIGITS)

    def test_images_in_colour_have_a_wide_likelihood_of_their_values(self):
        found = [(resolve("vae", data).likelihood, resolve("vae", data).observation) for data in (MNIST, EMOJI, RING)]
        self.assertEqual(found, [("bernoulli", "binarised"), ("gaussian(scale=0.3)", "grey"), ("gaussian", "raw")])

    def test_a_family_that_was_asked_for_needs_no_likelihood(self):
        self.assertIsNone(resolve("iwae", DIGITS, families=(("decoder", "laplace"),)).likelihood)
        self.assertEqual(resolve("iwae", DIGITS, families=(("encoder", "laplace"),)).likelihood, "bernoulli")

    @parameterized.parameters("vae_gan", "alice", "alpha_gan", "as_vae")
    def test_what_is_scored_and_judged_is_grey(self, recipe):
        settings = resolve(recipe, DIGITS)
        self.assertEqual(settings.observation, "grey")
        self.assertIn(ugm_tf.densities.get(settings.likelihood).support, ("real", "unit"))

    def test_a_batch_of_more_than_there_are_is_refused_by_its_flag(self):
        with self.assertRaisesRegex(ValueError, "--batch_size=1298 is more than the 1,297 examples to train on"):
            resolve("vae", DIGITS, batch_size=1298)

    def test_a_tuned_hyperparameter_gives_way_to_one_that_was_asked_for(self):
        name, given = "semi_supervised_vae", (("alpha", 3.0),)
        self.assertEqual(dict(resolve(name, DIGITS, hyperparameters=given).hyperparameters)["alpha"], 3.0)

    @parameterized.parameters("projection", "joint")
    def test_beside_points_a_conditioning_of_images_says_nothing(self, conditioning):
        with self.assertRaisesRegex(ValueError, f"--conditioning={conditioning} says nothing"):
            resolve("bigan", RING, conditioning=conditioning)

    @parameterized.parameters(
        ("vae", {"labels": 5}, "takes no labelled examples, so --labels=5 says nothing.*one of .*semi_supervised_vae"),
        ("vae", {"target": "negative"}, "takes no second domain, so --target=negative says nothing.*cyclegan"),
        ("gan", {"conditioning": "concat"}, "no discriminator of an image and a vector, so --conditioning=concat says"),
        ("gan", {"likelihood": "laplace"}, "--likelihood=laplace says nothing of recipe 'gan': no density scores data"),
        (
            "iwae",
            {"likelihood": "bernoulli", "families": (("decoder", "laplace"),)},
            "--likelihood=bernoulli says nothing of recipe 'iwae': --families says it of all that score data",
        ),
        ("cyclegan", {"code_size": 7}, "Recipe 'cyclegan' has no code, so --code_size=7 says nothing"),
        ("gan", {"ema": 1.0}, "--ema is a decay between 0 and 1, such as 0.999, or 0 for no average. Received: 1.0"),
        (
            "vae",
            {"keep_best": "val_wake/loss", "hyperparameters": (("beta", "warmup(10)"),)},
            "weights follow a schedule.*Use --keep_best=val_wake/loss_unscheduled, the loss with each schedule at 1",
        ),
        ("vae", {"patience": 3}, "--patience=3 waits for a metric to improve: name it .*--keep_best=val_wake/"),
        (
            "vae",
            {"keep_best": "val_wake/rate+val_wake/lose"},
            "--keep_best is a column .* several with . between them.* Received: 'val_wake/rate.val_wake/lose'",
        ),
        (
            "vae",
            {"keep_best": "val_wake/rate+val_wake/loss", "hyperparameters": (("beta", "warmup(10)"),)},
            "weights follow a schedule",
        ),
        (
            "vae",
            {"keep_best": "val_loss"},
            "--keep_best is a column of metrics.csv: .*wake/rate.* Received: 'val_loss'",
        ),
        (
            "gan",
            {"learning_rate": PhaseRates((("wake", 1e-3), ("generate", 1e-3)))},
            "--learning_rate=wake=0.001,generate=0.001: recipe 'gan' has no phase wake. It has: discriminate, generate",
        ),
        (
            "vae",
            {"hidden": (8,), "network": "dcgan(filters=4)"},
            "--hidden=8 is of dense networks, and --network=dcgan",
        ),
        (
            "vae",
            {"prior": "flow", "families": (("prior", "mixture(5)"),)},
            "--prior=flow and --families=prior=mixture.5. both say",
        ),
        ("gan", {"accumulate": 5_000}, "--accumulate=5000 is more parts than there are examples to train on, 1,297"),
        ("gan", {"families": (("encoder", "iaf"),)}, "'gan' has no density encoder. It has: prior, decoder"),
    )
    def test_refuses_what_a_recipe_has_no_use_for(self, recipe, settings, advice):
        with self.assertRaisesRegex(ValueError, advice):
            resolve(recipe, DIGITS, **settings)

    def test_what_was_asked_for_stays(self):
        asked = {"epochs": 7, "batch_size": 9, "learning_rate": 0.5, "network": "mlp", "hidden": (3,), "code_size": 4}
        settings = resolve("gan", MNIST, **asked, observation="dequantised", seed=5)
        for name, value in asked.items():
            self.assertEqual(getattr(settings, name), value)
        self.assertEqual((settings.observation, settings.seed), ("dequantised", 5))

    @parameterized.parameters(
        ("gan", EMOJI, True),
        ("bigan", EMOJI, True),
        ("vae_gan", EMOJI, True),
        ("vae", EMOJI, False),  # nothing judges
        ("aae", EMOJI, False),  # judges codes
        ("aavae", EMOJI, False),  # would score images by weights of changed ones
        ("gan", MNIST, False),
        ("gan", DIGITS, False),
        ("gan", RING, False),
    )
    def test_discriminators_of_few_images_see_them_changed(self, recipe, data, changed):
        asked = ("diffaugment(color,translation,cutout)",) if changed else None
        self.assertEqual(resolve(recipe, data).augment, asked)
        self.assertEqual(resolve(recipe, data, augment=()).augment, ())

    @parameterized.parameters(
        ("vae", EMOJI, {}, "flow"),
        ("aavae", EMOJI, {}, "flow"),
        ("vae", MNIST, {}, None),
        ("vae", ((8, 8, 3), 3_400), {}, None),
        ("gan", EMOJI, {}, None),  # does not score it
        ("wae", EMOJI, {}, None),  # draws from it only
        ("vae", EMOJI, {"free_bits": 0.1}, None),  # takes a closed form
        ("factor_vae", EMOJI, {}, None),  # wants independent units
        ("beta_tc_vae", EMOJI, {}, None),
    )
    def test_codes_of_images_in_colour_have_a_prior_that_learns(self, recipe, data, hyperparameters, prior):
        asked = {"hyperparameters": tuple(hyperparameters.items())}
        settings = resolve(recipe, data, **asked)
        self.assertEqual(settings.prior, prior)
        fixed = resolve(recipe, data, **asked, prior="none")
        learning = [any("prior" in phase.updates for phase in each.make_recipe().phases) for each in (settings, fixed)]
        self.assertEqual(learning, [prior is not None, False])

    @parameterized.parameters(
        ("vae", {}, 1e-3),
        ("gan", {}, 2e-4),
        ("gan", {"contest": "wasserstein"}, 1e-4),
        ("aavae", {}, PhaseRates((("discriminate", 2e-4), ("wake", 1e-3)))),
    )
    def test_phases_against_a_discriminator_have_the_literatures_rate(self, recipe, hyperparameters, expected):
        found = resolve(recipe, DIGITS, hyperparameters=tuple(hyperparameters.items())).learning_rate
        self.assertEqual(found, expected)

    @parameterized.parameters("vae_gan", "factor_vae")
    def test_a_bound_of_large_images_is_learned_in_larger_steps_also_beside_a_discriminator(self, recipe):
        self.assertEqual(resolve(recipe, DIGITS).learning_rate, 2e-4)
        found = defaults.choose(Settings(recipe, "some"), (32, 32, 3), 3_000)
        self.assertEqual(found[0].learning_rate, PhaseRates((("discriminate", 2e-4), ("generate", 1e-3))))
        self.assertEqual(found[1]["learning_rate"], "DCGAN's against a discriminator, else Adam's usual")

    @parameterized.parameters("gan", "alpha_gan", "as_vae", "cyclegan", "aae")
    def test_without_a_bound_a_phase_keeps_to_small_ones(self, recipe):
        found = defaults.choose(Settings(recipe, "some"), (32, 32, 3), 3_000)[0].learning_rate
        self.assertEqual(found, 2e-4)

    @parameterized.parameters("gan", "aavae", "ppo_gan")
    def test_a_rate_that_was_asked_for_is_that_of_every_phase(self, recipe):
        self.assertEqual(resolve(recipe, DIGITS, learning_rate=3e-3).learning_rate, 3e-3)

    def test_one_that_was_asked_for_one_phase_leaves_the_others_theirs(self):
        found = resolve("aavae", DIGITS, learning_rate=PhaseRates((("wake", Rate("cosine", 2e-3)),))).learning_rate
        self.assertEqual(found, PhaseRates((("discriminate", 2e-4), ("wake", Rate("cosine", 2e-3)))))
        self.assertEqual(resolve("aavae", DIGITS, learning_rate=PhaseRates((("wake", 2e-4),))).learning_rate, 2e-4)

    def test_networks_that_are_asked_of_every_class_are_dense_but_in_colour(self):
        found = [resolve("semi_supervised_vae", data).network for data in (MNIST, EMOJI)]
        self.assertEqual(found, ["mlp", "dcgan(filters=32)"])

    @parameterized.parameters("vae", "aavae", "gan", "iwgan", "conditional_vae")
    def test_large_images_are_convolved(self, recipe):
        self.assertEqual([resolve(recipe, data).network for data in (MNIST, CIFAR)], ["dcgan"] * 2)
        self.assertEqual([resolve(recipe, data).network for data in (DIGITS, RING)], ["mlp"] * 2)

    @parameterized.parameters(
        ("bigan", EMOJI, None, "joint"),
        ("avb", MNIST, None, "joint"),
        ("bigan", EMOJI, "resnet(filters=8)", "joint"),
        ("bigan", EMOJI, "mlp", "concat"),
        ("bigan", EMOJI, "mine.py:network", "concat"),
        ("bigan", DIGITS, None, "concat"),
        ("conditional_gan", EMOJI, None, "concat"),
        ("gan", EMOJI, None, None),
        ("aae", EMOJI, None, None),
    )
    def test_a_code_beside_images_that_are_convolved_has_layers_of_its_own(self, recipe, data, network, conditioning):
        self.assertEqual(resolve(recipe, data, network=network).conditioning, conditioning)

    def test_hidden_layers_are_those_of_dense_networks(self):
        self.assertEqual(resolve("gan", MNIST, hidden=(8,)).network, "mlp")
        self.assertEqual(resolve("cyclegan", DIGITS).network, "dcgan")
        self.assertEqual(resolve("cyclegan", DIGITS, hidden=(8,)).network, "mlp")

    def test_an_average_that_is_the_default_can_be_left_out(self):
        for asked, used in ((None, 0.999), (0.9, 0.9), (0.0, 0.0)):
            settings = Settings("semi_supervised_vae", "mnist", ema=asked)
            self.assertEqual(defaults.resolve(settings, (28, 28, 1), 55_000).ema, used)
        settings = Settings("semi_supervised_vae", "digits")
        self.assertIsNone(defaults.resolve(settings, (8, 8, 1), 1297).ema)

    @parameterized.product(recipe=ugm_tf.recipes.names(), data=[DIGITS, MNIST, CIFAR, RING])
    def test_what_was_chosen_has_a_reason_and_what_was_asked_for_has_none(self, recipe, data):
        asked = Settings(recipe, "some")
        found, why = defaults.choose(asked, *data)
        changed = {name for name, value in vars(found).items() if value != getattr(asked, name)}
        self.assertEqual(set(why), changed)
        self.assertTrue(all(why.values()), why)
        self.assertEqual(defaults.choose(found, *data), (found, {}))

    def test_a_rate_of_one_phase_leaves_a_reason_for_the_others(self):
        asked = Settings("aavae", "some", learning_rate=PhaseRates((("wake", 5e-4),)))
        self.assertEqual(defaults.choose(asked, *DIGITS)[1]["learning_rate"], "DCGAN's against a discriminator")
        every = Settings("aavae", "some", learning_rate=PhaseRates((("wake", 5e-4), ("discriminate", 1e-4))))
        self.assertNotIn("learning_rate", defaults.choose(every, *DIGITS)[1])

    def test_a_batch_of_all_examples_is_called_so(self):
        self.assertEqual(defaults.choose(Settings("gan", "some"), (32, 32, 3), 50)[1]["batch_size"], "all examples")

    @parameterized.parameters("bigan", "conditional_gan", "veegan", "cyclegan", "gan", "vae", "aavae", "vae_gan")
    def test_what_was_chosen_is_asked_for_by_its_flags(self, recipe):
        settings = resolve(recipe, EMOJI)
        again = defaults.resolve(Settings(**vars(settings)), *EMOJI)
        self.assertEqual(again, settings)
        self.assertEqual(doubts.usual_epochs(settings, *EMOJI, 300), settings.epochs)

    @parameterized.parameters(
        ({"families": (("prior", "laplace"),)}, None),
        ({"families": (("prior", "laplace"),), "prior": "none"}, "none"),
        ({"code_size": 1}, None),
        ({"code_size": 2}, "flow"),
    )
    def test_a_prior_whose_family_is_said_or_of_one_number_is_left_alone(self, asked, prior):
        self.assertEqual(resolve("vae", EMOJI, **asked).prior, prior)

    @parameterized.parameters(
        ("gan", MNIST, "network", "images of 16 pixels or more"),
        ("vae", RING, "likelihood", "no images"),
        ("gan", DIGITS, "epochs", "fewer than 10,000 examples, learned in small steps against a discriminator"),
        ("bigan", DIGITS, "hyperparameters", "what this recipe does best with on the validation split of digits"),
    )
    def test_a_reason_says_what_of_recipe_and_data_decided(self, recipe, data, name, expected):
        self.assertEqual(defaults.choose(Settings(recipe, "some"), *data)[1][name], expected)

    def test_hidden_layers_that_were_asked_for_are_the_reason_of_dense_networks(self):
        why = defaults.choose(Settings("gan", "some", hidden=(8,)), *MNIST)[1]
        self.assertEqual(why["network"], "--hidden is of dense networks")
        self.assertNotIn("hidden", why)

    def test_resolving_twice_changes_nothing(self):
        once = resolve("aavae", MNIST)
        self.assertEqual(defaults.resolve(once, *MNIST), once)


if __name__ == "__main__":
    absltest.main()
