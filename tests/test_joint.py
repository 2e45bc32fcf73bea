"""A joint is a recipe whose roles are filled: a model asks it, and so may you."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.algebra import notation

SHAPES = {"x": (2, 2, 1), "z": (3,), "c": (4,)}


def built(name, **options):
    recipe = ugm_tf.recipes.get(name)
    return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(5,), **options))


class JointTest(parameterized.TestCase):
    def test_holds_the_recipes_densities_in_its_order(self):
        recipe = ugm_tf.recipes.vae()
        densities = ugm_tf.networks.build(recipe, SHAPES, hidden=(5,))
        joint = ugm_tf.Joint(recipe, dict(reversed(densities.items())))
        self.assertEqual(list(joint.densities), ["prior", "encoder", "decoder"])
        self.assertIs(joint.densities["encoder"], densities["encoder"])

    def test_refuses_densities_that_do_not_fit(self):
        with self.assertRaisesRegex(ValueError, "Missing: decoder. Not used: none"):
            densities = ugm_tf.networks.build(ugm_tf.recipes.vae(), SHAPES, hidden=(5,))
            ugm_tf.Joint(ugm_tf.recipes.vae(), {name: densities[name] for name in ("prior", "encoder")})

    def test_terms_can_be_asked_of_it(self):
        joint = built("vae").joint
        sample = ugm_tf.INFERRED(joint.sample(joint.values(np.ones([6, 2, 2, 1])), training=False), tf.constant([0, 0]))
        self.assertEqual(ugm_tf.KL("encoder", "prior")(sample).shape, (6,))


class ReplacedTest(absltest.TestCase):
    def test_a_density_that_is_replaced_answers_from_then_on(self):
        model, other = built("vae"), built("vae")
        before = model.sample(3)
        model.decoder = other.decoder
        np.testing.assert_array_equal(model.sample(3), other.sample(3))
        self.assertTrue(np.any(before != model.sample(3)))
        self.assertIs(model.densities["decoder"], other.decoder)

    def test_a_name_amiss_is_refused_and_a_density_of_ones_own_is_not(self):
        model, other = built("vae"), built("vae")
        with self.assertRaisesRegex(AttributeError, "no density 'decoderr'.*encoder, decoder.*Did you mean 'decoder'"):
            model.decoderr = other.decoder
        model.teacher = other.decoder
        self.assertIs(model.teacher, other.decoder)

    def test_one_that_does_not_fit_is_refused_and_changes_nothing(self):
        model, recipe = built("vae"), ugm_tf.recipes.vae()
        decoder, weights = model.decoder, [id(v) for v in model.variables]
        misfit = ugm_tf.networks.build(recipe, {**SHAPES, "z": (7,)}, hidden=(5,))["decoder"]
        for other, advice in ((misfit, "z has shape"), (None, "'decoder' must be a ugm_tf.Density")):
            with self.assertRaisesRegex(ValueError, advice):
                model.decoder = other
            self.assertIs(model.decoder, decoder)
            self.assertIs(model.joint.densities["decoder"], decoder)
            self.assertEqual([id(v) for v in model.variables], weights)

    def test_the_one_before_is_no_longer_among_the_weights(self):
        model, other = built("vae"), built("vae")
        count = len(model.weights)
        model.decoder = other.decoder
        self.assertLen(model.weights, count)
        self.assertTrue({id(v) for v in other.decoder.weights} <= {id(v) for v in model.weights})

    @pytest.mark.slow
    def test_after_compile_every_door_of_training_asks_to_compile_again(self):
        model, other = built("vae"), built("vae")
        model.compile("sgd", jit_compile=False)
        x = np.ones([4, 2, 2, 1], np.float32)
        model.fit(x, batch_size=4, verbose=0)
        model.decoder = other.decoder
        for door in (model.fit, model.train_on_batch, model.evaluate, model.test_on_batch, model.run_phases):
            with self.assertRaisesRegex(
                ValueError, r"'decoder' was replaced after compile\(\).*Call compile\(\) again"
            ):
                door(x)
        model.compile("sgd", jit_compile=False)
        before = other.decoder.get_weights()[0].copy()
        model.fit(x, batch_size=4, verbose=0)
        self.assertTrue(np.any(before != other.decoder.get_weights()[0]))

    def test_densities_change_by_the_model_alone(self):
        joint = built("vae").joint
        with self.assertRaises(TypeError):
            joint.densities["decoder"] = None
        self.assertEqual(list(copy.copy(joint).densities), list(joint.densities))

    def test_two_densities_of_one_network_are_refused_and_one_density_in_two_roles_is_not(self):
        roles = {"encoder": "q(z | x)", "decoder": "p(x | z)", "second": "p(x | z)"}
        terms = (ugm_tf.E(ugm_tf.NegativeLogProb(name), ugm_tf.INFERRED) for name in ("decoder", "second"))
        recipe = ugm_tf.Recipe(roles, (ugm_tf.Phase("wake", tuple(terms), ("encoder", "decoder")),))
        densities = ugm_tf.networks.build(recipe, SHAPES, hidden=(5,))
        ugm_tf.Joint(recipe, {**densities, "second": densities["decoder"]})
        shared = ugm_tf.Density(densities["decoder"].network, "bernoulli", name="second")
        with self.assertRaisesRegex(ValueError, "'decoder' and 'second' share the weights .*could not be loaded once"):
            ugm_tf.Joint(recipe, {**densities, "second": shared})


class AssignedTest(parameterized.TestCase):
    def test_what_compile_and_the_parts_decide_is_refused_and_told_what_to_do(self):
        model = built("vae")
        for name, advice in (
            ("joint", "Replace a density by its name"),
            ("recipe", "make another UnifiedModel"),
            ("densities", "Replace a density by its name"),
            ("schedule", r"compile\(schedule=...\)"),
            ("optimizers", r"compile\(optimizer=...\)"),
        ):
            before = getattr(model, name)
            with self.assertRaisesRegex(AttributeError, f"The {name} of a model cannot be assigned.*{advice}"):
                setattr(model, name, built("vae").joint)
            self.assertEqual(getattr(model, name), before)

    def test_another_seed_draws_otherwise_from_then_on(self):
        """What was traced, and so has the seed before as a constant, is dropped."""
        model = built("vae")
        model.train_function = model.test_function = len
        model.seed = 0  # as it was
        self.assertIs(model.train_function, len)
        model.seed = 99
        self.assertEqual((model.train_function, model.test_function, model.get_config()["seed"]), (None, None, 99))

    def test_nothing_changes_while_fit_runs(self):
        model, other = built("vae"), built("vae")
        model.compile("sgd", run_eagerly=True)

        def change(epoch, logs):
            for name, value in (("seed", 7), ("decoder", other.decoder)):
                with self.assertRaisesRegex(ValueError, f"'{name}' cannot change while fit"):
                    setattr(model, name, value)

        callback = keras.callbacks.LambdaCallback(on_epoch_begin=change)
        model.fit(np.ones([4, 2, 2, 1], np.float32), batch_size=4, verbose=0, callbacks=[callback])
        self.assertEqual(model.seed, 0)


class SharedTest(absltest.TestCase):
    """One density in two roles."""

    def recipe(self, *updates):
        roles = {"prior": "p(z)", "encoder": "q(z | x)", "second": "q(w | x)", "other": "p(w)"}
        terms = (ugm_tf.E(ugm_tf.KL("encoder", "prior")), ugm_tf.E(ugm_tf.KL("second", "other")))
        return ugm_tf.Recipe(roles, tuple(ugm_tf.Phase("".join(u), terms, u) for u in updates))

    def trained(self, shared, *updates):
        recipe = self.recipe(*updates)
        keras.utils.set_random_seed(0)
        densities = ugm_tf.networks.build(recipe, {**SHAPES, "w": (3,)}, hidden=(5,))
        densities["second"].set_weights(densities["encoder"].get_weights())
        if shared:
            densities["second"] = densities["encoder"]
        model = ugm_tf.UnifiedModel(recipe, densities)
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        before = model.encoder.get_weights()
        model.run_phases(np.ones([4, 2, 2, 1], np.float32))
        return [[w - b for w, b in zip(d.get_weights(), before, strict=True)] for d in (model.encoder, model.second)]

    def test_gets_the_sum_of_the_roles_gradients_once(self):
        both = ("encoder", "second")
        apart, (found, _) = self.trained(False, both), self.trained(True, both)
        for one, two, sum_ in zip(*apart, found, strict=True):
            np.testing.assert_allclose(sum_, one + two, rtol=1e-4, atol=1e-7)
        recipe = self.recipe(both)
        densities = ugm_tf.networks.build(recipe, {**SHAPES, "w": (3,)}, hidden=(5,))
        joint = ugm_tf.Joint(recipe, {**densities, "second": densities["encoder"]})
        ids = [id(v) for v in joint.variables_of(recipe.phases[0])]
        self.assertEqual(ids, [id(v) for v in densities["encoder"].trainable_variables])

    def test_what_learned_in_one_role_is_asked_anew_in_the_other(self):
        first, last = self.recipe(("encoder",), ("second",)).phases
        last = ugm_tf.Phase("last", last.minimise[1:], ("second",))
        ends = []
        for groups in (((first, last),), ((first,), (last,))):  # in one step, and in a step each
            keras.utils.set_random_seed(0)
            of = self.recipe(("encoder", "second"))
            densities = ugm_tf.networks.build(of, {**SHAPES, "w": (3,)}, hidden=(5,))
            densities["second"] = densities["encoder"]
            for phases in groups:
                asked = {n for phase in phases for e in phase.minimise for n in e.asked}
                roles = {name: role for name, role in of.densities.items() if name in asked}
                recipe = ugm_tf.Recipe(roles, phases)
                model = ugm_tf.UnifiedModel(recipe, {name: densities[name] for name in roles})
                model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
                model.run_phases(np.ones([4, 2, 2, 1], np.float32))
            ends.append(densities["encoder"].get_weights())
        for one, other in zip(*ends, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


class CalledTest(parameterized.TestCase):
    @parameterized.parameters("score", "encode", "log_prob_bound", "reconstruct", "elbo", "logit")
    def test_a_density_that_hides_an_answer_is_refused(self, name):
        vae = ugm_tf.recipes.vae()
        phases = (*vae.phases, *ugm_tf.adversarial(fake=ugm_tf.GENERATED, updates=("decoder",), by=name))
        recipe = ugm_tf.Recipe({**vae.densities, name: "q(y | x)"}, phases)
        with self.assertRaisesRegex(ValueError, f"A density cannot be called '{name}'.*Rename '{name}', which is q"):
            ugm_tf.Joint(recipe, {})

    def test_a_variable_that_hides_the_seed_is_refused(self):
        wake = ugm_tf.Phase("wake", (ugm_tf.E(ugm_tf.NegativeLogProb("classifier")),), "classifier")
        recipe = ugm_tf.Recipe({"classifier": "p(seed | x)"}, (wake,), ("x", "seed"))
        with self.assertRaisesRegex(ValueError, r"A variable cannot be called 'seed'.*'classifier', which is p\(seed"):
            ugm_tf.Joint(recipe, {})


class CanTest(parameterized.TestCase):
    @parameterized.parameters(
        ("vae", {"sample", "encode", "decode", "reconstruct", "score", "log_prob_bound"}),
        ("gan", {"sample", "decode", "discriminate", "score"}),
        ("acgan", {"sample", "decode", "discriminate", "classify", "score"}),
    )
    def test_says_what_a_model_answers(self, name, able):
        model = built(name)
        verbs = ("sample", "encode", "decode", "reconstruct", "discriminate", "classify", "score", "log_prob_bound")
        self.assertEqual({verb for verb in verbs if model.can(verb)}, able)

    def test_refuses_what_no_model_answers(self):
        with self.assertRaisesRegex(
            ValueError, "No model answers 'smaple'. There are: classify, .* Did you mean 'sample'"
        ):
            built("vae").can("smaple")


class ShownTest(absltest.TestCase):
    def test_a_recipe_prints_its_equations_and_its_repr_is_exact(self):
        recipe = ugm_tf.recipes.gan()
        self.assertEqual(str(recipe), recipe.describe())
        self.assertStartsWith(repr(recipe), "Recipe(densities={'prior': 'p(z)'")

    def test_notebooks_show_latex(self):
        text = ugm_tf.recipes.iwgan()._repr_latex_()
        self.assertStartsWith(text, "$$\\begin{aligned}\n&\\textbf{discriminate: minimise over discriminator} \\\\\n")
        self.assertIn(r"\mathbb{E} [ x \sim \mathrm{data} ] - \log q ( y = 1 \mid x )", text)
        self.assertIn(r"q^{r} ( y = 0 \mid x )", text)
        self.assertEqual((text.count("{"), text.count("[")), (text.count("}"), text.count("]")))

    def test_latex_keeps_words_apart(self):
        for text, latex in (
            ("  E[2 of x] ByInk * Flat", r"\mathbb{E} [ 2 \  \mathrm{of} \  x ] \  \mathrm{ByInk} \cdot \mathrm{Flat}"),
            ("  Mixture of [x ~ data]", r"\mathrm{Mixture} \  \mathrm{of} \  [ x \sim \mathrm{data} ]"),
            ("  p(x | z) p(z) r f", r"p ( x \mid z ) p ( z ) r f"),
            ("  max(1, mean_batch KL(q))", r"\max ( 1 , \mathrm{mean}_{\mathrm{batch}} \  \mathrm{KL} ( q ) )"),
            ("  sg(l) with l = 0", r"\mathrm{sg} ( l ) \  \mathrm{with} \  l = 0"),
            ("  _W(t) E[_z ~ q_e]", r"\mathrm{\_W} ( t ) \mathbb{E} [ \mathrm{\_z} \sim q_{e} ]"),
            ("  p_d(x | _z)", r"p_{d} ( x \mid \mathrm{\_z} )"),
            ("  - __W_up a_ |l|^2", r"- \mathrm{\_\_W}_{\mathrm{up}} \  \mathrm{a\_} \mid l \mid^{2}"),
            ("  a ^ $_", r"a \wedge \$ \mathrm{\_}"),
        ):
            self.assertIn(rf"&\quad {latex}" + "\n", notation.latex(text))
        self.assertIn(r"\textbf{a\_b 5\%}", notation.latex("a_b 5%"))

    def test_every_recipe_has_latex_whose_brackets_close(self):
        for name in ugm_tf.recipes.names():
            text = ugm_tf.recipes.get(name)._repr_latex_()
            self.assertEqual(text.count("{"), text.count("}"), name)
            self.assertNotRegex(text.replace("\\_", ""), r"[^}]_[^{]", name)

    def test_completion_shows_public_names_alone(self):
        self.assertEqual(sorted(dir(ugm_tf)), sorted([*ugm_tf.__all__, "__version__"]))


if __name__ == "__main__":
    absltest.main()
