"""Settings as flags: every one has its flag, and a file of them gives back what was written."""

import dataclasses
import os
import pathlib

from absl import flags
from absl.testing import absltest, parameterized

from trainers import options, rules
from trainers.optimizers import PhaseOptimizers
from trainers.rates import Rate
from trainers.settings import Resolved, Settings

# No two alike, none at its default.
EVERY = Resolved(
    recipe="semi_supervised_vae",
    dataset="folder:/data/my images/a=b,c",
    hyperparameters=(("alpha", 1e-05), ("beta", "warmup(10, 2)"), ("k", 4), ("kl", "sampled"), ("minimax", True)),
    prior="mixture(3)",
    fraction=0.25,
    labels=3,
    target="negative",
    epochs=7,
    batch_size=9,
    learning_rate=Rate("cosine", 0.1 + 0.2),
    optimizer=PhaseOptimizers((("wake", "muon(momentum=0.9)"), ("discriminate", "adam"))),
    ema=0.0,
    network="dcgan",
    hidden=(30, 20),
    conditioning="projection",
    code_size=4,
    image_size=32,
    background="#102030",
    augment=("flip", "shift(2)", "diffaugment(color,cutout)"),
    storage="mapped",
    observation="grey",
    likelihood="gaussian(scale=0.3)",
    families=(("decoder", "laplace(scale=0.1)"), ("encoder", "iaf")),
    schedule="simultaneous",
    xla="off",
    precision="mixed_bfloat16",
    on_nan="skip",
    accumulate=4,
    remat=True,
    init_from="/runs/an earlier one",
    keep_best="val_wake/loss",
    patience=5,
    seed=11,
)


class OptionsTest(parameterized.TestCase):
    def file(self, text):
        return self.create_tempfile("flags.txt", text).full_path

    def test_every_setting_has_a_flag_and_every_flag_is_a_settings(self):
        self.assertCountEqual(options.OPTIONS, [field.name for field in dataclasses.fields(Settings)])
        self.assertCountEqual(options.OPTIONS, [field.name for field in dataclasses.fields(Resolved)])

    def test_the_settings_here_are_all_others_than_the_defaults(self):
        for field in dataclasses.fields(Settings):
            self.assertNotEqual(getattr(EVERY, field.name), field.default, field.name)

    @parameterized.parameters(*options.OPTIONS)
    def test_a_setting_goes_to_a_flag_and_back(self, name):
        only = dataclasses.replace(Settings("vae", "digits"), **{name: getattr(EVERY, name)})
        self.assertEqual(options.read(self.file(options.as_text(only))), only)

    def test_a_run_that_was_written_down_is_read_back_whole(self):
        path = self.file(options.as_text(EVERY))
        self.assertEqual(options.resolved(options.read(path), path), EVERY)

    def test_a_file_has_a_flag_a_line_and_none_for_what_was_not_said(self):
        text = options.as_text(Settings("gan", "digits", (("r1", 0.1), ("pack", None)), hidden=(8, 9)))
        self.assertEqual(
            text,
            "--recipe=gan\n--dataset=digits\n--hyperparameter=r1=0.1,pack=null\n--hidden=8,9\n"
            "--schedule=alternating\n--xla=auto\n--precision=float32\n--on_nan=stop\n--seed=0\n",
        )

    def test_a_file_written_before_a_setting_was_there_has_its_default(self):
        self.assertEqual(options.read(self.file("--recipe=gan\n--epochs=3\n")), Settings("gan", "digits", epochs=3))

    def test_reasons_are_comments_above_their_flags_and_are_read_over(self):
        settings = Settings("gan", "digits", (("r1", 0.1),), epochs=3, code_size=4)
        text = options.as_text(settings, {"epochs": "few", "hyperparameters": "best", "hidden": "none is written"})
        self.assertIn("# chosen: best\n--hyperparameter=r1=0.1\n", text)
        self.assertIn("# chosen: few\n--epochs=3\n--code_size=4\n", text)
        self.assertNotIn("none is written", text)
        self.assertEqual(options.read(self.file(text)), settings)
        reasons = options.as_reasons(settings, {"epochs": "few", "hidden": "none is written"})
        self.assertEqual(reasons, "  --epochs=3: few")

    def test_a_rule_is_in_the_help_of_its_flag(self):
        for name, rule in rules.RULES.items():
            self.assertEndsWith(options.OPTIONS[name].help, f"  By default {rule.words}.")

    def test_no_augmentation_may_be_asked_for(self):
        only = Settings("gan", "digits", augment=())
        self.assertIn("--augment=none\n", options.as_text(only))
        self.assertEqual(options.read(self.file(options.as_text(only))), only)

    def test_a_run_from_before_augmentation_was_chosen_had_none(self):
        before, now = Settings("gan", "digits"), Settings("gan", "digits", augment=())
        self.assertEqual(options.differences(before, now), [])
        changed = Settings("gan", "digits", augment=("flip",))
        self.assertEqual(options.differences(before, changed), ["--augment (there 'unset', now 'flip')"])

    @parameterized.parameters(("adam", True), ("muon()", False), ("sgd", False))
    def test_optimizers_that_are_the_same_are_no_difference(self, text, unset):
        plain, asked = Settings("gan", "digits"), Settings("gan", "digits", optimizer=text)
        self.assertEqual(options.differences(plain, asked) == [], unset)
        same = Settings("gan", "digits", optimizer=text.removesuffix("()"))
        self.assertEqual(options.differences(same, asked), [])

    @parameterized.parameters("optimizer=adam(\nepsilon=1e-4)", "network=dcgan(\rfilters=8)", "init_from=runs\u2028/a")
    def test_a_flag_of_several_lines_is_refused(self, flag):
        values = flags.FlagValues()
        options.define(values)
        values(["a script", f"--{flag}"])
        with self.assertRaisesRegex(ValueError, f"--{flag.partition('=')[0]} is one line. Received: "):
            options.asked(values)

    def test_a_learning_rate_may_be_a_number(self):
        only = Settings("vae", "digits", learning_rate=0.1 + 0.2)
        self.assertEqual(options.read(self.file(options.as_text(only))), only)

    def test_a_run_to_begin_with_is_found_from_any_directory(self):
        self.assertEqual(options.read(self.file("--init_from=runs/vae\n")).init_from, os.path.abspath("runs/vae"))

    def test_comments_and_empty_lines_are_passed_over(self):
        self.assertEqual(options.read(self.file("# a GAN\n\n--recipe=gan\n")).recipe, "gan")

    @parameterized.parameters(
        ("--recipe=vae\n--epoch=3\n", r"flags.txt has --epoch, which is no setting of a run.*There are: recipe, data"),
        ("--workdir=here\n", "has --workdir, which is no setting of a run"),
        ("--epochs=many\n", "flags.txt could not be read: flag --epochs=many"),
        ("--epochs=0\n", "flags.txt could not be read: flag --epochs=0: "),
        ("--xla=maybe\n", "flag --xla=maybe: value should be one of <auto|on|off>"),
        ("recipe=vae\n", "has flags only, as --name=value.* Received: 'recipe=vae'"),
        ("--learning_rate=cosin(1)\n", "--learning_rate is a number from 0 on, or .* Received: 'cosin.1.'"),
        ("--hidden=wide\n", "--hidden lists sizes of at least 1"),
    )
    def test_refuses_by_name_what_no_run_writes(self, text, advice):
        with self.assertRaisesRegex(ValueError, advice):
            options.read(self.file(text))

    def test_refuses_what_is_not_whole(self):
        asked = dataclasses.replace(Settings("vae", "digits"), epochs=3, network="mlp", observation="grey")
        with self.assertRaisesRegex(ValueError, "f.txt lacks --batch_size, --learning_rate, which every"):
            options.resolved(asked, "f.txt")

    def test_differences_name_the_flags_with_both_values(self):
        other = dataclasses.replace(EVERY, recipe="gan", hidden=None)
        self.assertEqual(
            options.differences(EVERY, other),
            ["--recipe (there 'semi_supervised_vae', now 'gan')", "--hidden (there '30,20', now 'unset')"],
        )

    def test_a_command_line_is_read_by_the_same_flags(self):
        values = flags.FlagValues()
        options.define(values)
        values(["train", "--hyperparameter=beta=4", "--hyperparameter=kl=sampled", "--hidden=3,4", "--seed=2"])
        expected = Settings("vae", "digits", (("beta", 4), ("kl", "sampled")), hidden=(3, 4), seed=2)
        self.assertEqual(options.asked(values), expected)

    def test_our_flag_files_can_be_read(self):
        folder = pathlib.Path(options.__file__).parent / "flagfiles"
        self.assertNotEmpty([options.read(path) for path in folder.iterdir()])


if __name__ == "__main__":
    absltest.main()
