"""Optimizers by the text of a flag."""

import dataclasses
import pathlib

import keras
import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from tests.trainers import test_run
from tests.trainers.test_defaults import DIGITS, resolve
from trainers import building, optimizers, options
from trainers.optimizers import PhaseOptimizers
from trainers.settings import Settings

_PAIR = PhaseOptimizers((("wake", "muon(momentum=0.9)"), ("discriminate", "adam(beta_1=0.0)")))


class ParseOptimizerTest(parameterized.TestCase):
    @parameterized.parameters("muon", "adam(epsilon=1e-4)", "muon(adam_lr_ratio=0.2,weight_decay=None)", str(_PAIR))
    def test_a_text_is_read_as_it_is_written(self, text):
        self.assertEqual(str(optimizers.parse_optimizer(text)), text)

    @parameterized.parameters(
        ("adam", None),
        (" adam() ", None),
        ("rmsprop()", "rmsprop"),
        ("adam(epsilon=1e-4, beta_1=0.)", "adam(beta_1=0.0, epsilon=0.0001)"),
        ("wake=muon,discriminate=adam()", "discriminate=adam,wake=muon"),
    )
    def test_texts_that_ask_for_the_same_are_known(self, text, normal):
        found = optimizers.normal(optimizers.parse_optimizer(text))
        self.assertEqual(None if found is None else str(found), normal)

    def test_commas_within_brackets_are_no_others_phase(self):
        text = "wake=muon(momentum=0.9,exclude_layers=('a','b')),discriminate=sgd"
        self.assertEqual(
            optimizers.parse_optimizer(text).by_phase,
            (("wake", "muon(momentum=0.9,exclude_layers=('a','b'))"), ("discriminate", "sgd")),
        )

    def test_a_phase_has_its_own(self):
        self.assertEqual(optimizers.parse_optimizer(f" {str(_PAIR).replace(',', ', ')}"), _PAIR)

    @parameterized.parameters(
        ("mun", r"one of these of Keras: adafactor, .* Received: 'mun'. Did you mean 'muon'\?"),
        ("adam(eps=1e-4)", r"Adam has no eps. It has: beta_1, .* Did you mean 'epsilon'\?"),
        ("adam(learning_rate=1.0)", "learning_rate is said by --learning_rate. Leave it out"),
        ("adam(use_ema=True)", "use_ema is said by --ema"),
        ("adam(gradient_accumulation_steps=2)", "is said by --accumulate"),
        ("adam(0.9)", r"arguments are by name, such as beta_1=.... Received: \[0.9\]"),
        ("adam(beta_1='x')", "beta_1 is a number from 0 to below 1. Received: 'x'"),
        ("adam(beta_2=1.0)", "beta_2 is a number from 0 to below 1. Received: 1.0"),
        ("adam(epsilon=None)", "epsilon is a number from 0 on. Received: None"),
        ("adam(amsgrad=1)", "amsgrad is True or False. Received: 1"),
        ("adam(clipnorm=-1.0)", "clipnorm is a number above 0. Received: -1.0"),
        ("muon(ns_steps=2.5)", "ns_steps is a whole number from 1 on. Received: 2.5"),
        ("muon(ns_steps=2.0)", "ns_steps is a whole number from 1 on. Received: 2.0"),
        ("muon(ns_steps=0)", "ns_steps is a whole number from 1 on. Received: 0"),
        ("adam(epsilon=-1e-7)", "epsilon is a number from 0 on. Received: -1e-07"),
        ("adafactor(clip_threshold=0)", "clip_threshold is a number above 0. Received: 0"),
        ("sgd(weight_decay=-0.1)", "weight_decay is a number from 0 on. Received: -0.1"),
        ("muon(exclude_layers='out')", "exclude_layers is a list of words, which are regular expressions. Re.* 'out'"),
        ("muon(exclude_layers=['['])", "exclude_layers is a list of words, which are regular expressions. Re.*'\\['"),
        ("wake=muon,wake=adam", "each once, such as wake=muon,discriminate=adam. Received: 'wake=muon,wake=adam'"),
        ("wake=muon,adam", "each once"),
        ("wake=mun", "Did you mean 'muon'"),
        ("adam(", "--optimizer is one of .*maybe with arguments in brackets"),
        ("keras.optimizers.Adam", "--optimizer is one of .*maybe with arguments in brackets"),
        ("", "--optimizer is one of .*maybe with arguments in brackets"),
    )
    def test_what_keras_does_not_take_is_refused(self, text, message):
        with self.assertRaisesRegex(ValueError, message):
            optimizers.parse_optimizer(text)


class MakeTest(parameterized.TestCase):
    @parameterized.parameters(*optimizers.NAMES)
    def test_each_learns(self, name):
        recipe = ugm_tf.recipes.vae()
        model = building.build(recipe, resolve("vae", DIGITS, hidden=(8,)), ugm_tf.data.load("digits", "test"))
        model.compile(building.optimizers(recipe, 1e-3, ema=0.9, asked=name), jit_compile=False)
        self.assertEqual(type(model.optimizers["wake"]).__name__.lower(), name)
        before = model.decoder.get_weights()
        images = np.random.default_rng(0).integers(0, 2, (16, 8, 8, 1)).astype("float32")
        for loss in model.fit(x=images, batch_size=8, epochs=2, verbose=0).history["wake/loss"]:
            self.assertTrue(np.isfinite(loss))
        self.assertTrue(all(np.any(a != b) for a, b in zip(before, model.decoder.get_weights(), strict=True)))

    def test_the_moments_of_the_literature_are_adams_where_nothing_else_is_said(self):
        recipe = ugm_tf.recipes.aavae()
        made = building.optimizers(recipe, 1e-3, asked="adam(epsilon=1e-4)")
        self.assertEqual([(o.beta_1, o.epsilon) for o in made.values()], [(0.5, 1e-4), (0.9, 1e-4)])
        made = building.optimizers(recipe, 1e-3, asked=_PAIR)
        self.assertIsInstance(made["wake"], keras.optimizers.Muon)
        self.assertEqual((made["wake"].momentum, made["discriminate"].beta_1), (0.9, 0.0))
        others = building.optimizers(recipe, 1e-3, asked=PhaseOptimizers((("wake", "sgd"),)))
        self.assertEqual((type(others["discriminate"]).__name__, others["discriminate"].beta_1), ("Adam", 0.5))


class ExcludedLayersTest(absltest.TestCase):
    def model(self, asked):
        recipe = ugm_tf.recipes.aavae()
        settings = resolve("aavae", DIGITS, hidden=(8, 8), code_size=4)
        model = building.build(recipe, settings, ugm_tf.data.load("digits", "test"))
        return model, building.optimizers(recipe, 1e-3, asked=asked, densities=model.densities)

    def test_layers_are_named_alike_whatever_was_made_before(self):
        for _ in range(2):  # of which Keras calls the layers otherwise
            model, made = self.model("muon(exclude_layers=['decoder/dense_2', '^encoder/dense/'])")
            last = [weight for weight in model.decoder.trainable_weights if weight.shape[-1] == 64][0]
            first = model.encoder.trainable_weights[0]
            self.assertCountEqual(made["wake"].exclude_layers, [f"^{last.path}$", f"^{first.path}$"])

    def test_a_word_that_is_in_no_name_is_refused_with_those_there_are(self):
        with self.assertRaisesRegex(ValueError, "no layer has 'dense_9' in its name. There are: .*decoder/dense_2/"):
            self.model(PhaseOptimizers((("wake", "muon(exclude_layers=['dense_9'])"),)))

    def test_a_phase_has_the_layers_that_it_moves(self):
        with self.assertRaisesRegex(ValueError, "no layer has 'decoder' in its name. There are: discriminator/dense/"):
            self.model(PhaseOptimizers((("discriminate", "muon(exclude_layers=['decoder'])"),)))


class OptimizerOfARunTest(absltest.TestCase):
    def test_a_phase_that_there_is_not_is_refused(self):
        with self.assertRaisesRegex(ValueError, "'aavae' has no phase generate. It has: discriminate, wake"):
            resolve("aavae", DIGITS, optimizer=PhaseOptimizers((("generate", "muon"),)))

    def test_a_run_is_written_down_and_goes_on_with_it_bit_for_bit(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        asked = Settings("aavae", "digits", optimizer=_PAIR, hidden=(8,), code_size=4, epochs=2, batch_size=400)
        with test_run.without_an_end():
            test_run.train(dataclasses.replace(asked, epochs=1), folder / "parts")
            parts, whole = test_run.train(asked, folder / "parts"), test_run.train(asked, folder / "whole")
        self.assertEqual(options.read(folder / "whole" / "flags.txt").optimizer, _PAIR)
        self.assertIsInstance(whole.model.optimizers["wake"], keras.optimizers.Muon)
        table.assert_same(table.state(parts.model), table.state(whole.model))
        with self.assertRaisesRegex(ValueError, "--optimizer .there 'wake=muon.momentum=0.9.,.*, now 'unset'"):
            test_run.train(dataclasses.replace(asked, optimizer=None), folder / "whole")


if __name__ == "__main__":
    absltest.main()
