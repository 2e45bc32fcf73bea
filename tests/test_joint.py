"""A joint is a recipe whose roles are filled: a model asks it, and so may you."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf

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

    def test_one_that_does_not_fit_is_refused(self):
        with self.assertRaisesRegex(ValueError, "z has shape"):
            shapes = {**SHAPES, "z": (7,)}
            recipe = ugm_tf.recipes.vae()
            built("vae").decoder = ugm_tf.networks.build(recipe, shapes, hidden=(5,))["decoder"]


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
        with self.assertRaisesRegex(ValueError, "There is no verb 'smaple'. There are: classify, .*sample"):
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

    def test_every_recipe_has_latex_whose_brackets_close(self):
        for name in ugm_tf.recipes.names():
            text = ugm_tf.recipes.get(name)._repr_latex_()
            self.assertEqual(text.count("{"), text.count("}"), name)
            self.assertNotRegex(text.replace("\\_", ""), r"[^}]_[^{]", name)

    def test_completion_shows_public_names_alone(self):
        self.assertEqual(sorted(dir(ugm_tf)), sorted([*ugm_tf.__all__, "__version__"]))


if __name__ == "__main__":
    absltest.main()
