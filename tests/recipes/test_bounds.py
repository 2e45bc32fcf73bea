"""Of every recipe: how x comes about, and which densities bound log p(x)."""

from unittest import mock

from absl.testing import absltest, parameterized

from ugm_tf import recipes
from ugm_tf.algebra import Recipe

OF_ONE_CODE = (("decoder", "prior"), ("encoder",))

# name: the bound's densities; None where data alone do not suffice, or nothing infers the code.
BOUNDS = {
    "aacvae": OF_ONE_CODE,
    "aae": OF_ONE_CODE,
    "aahvae": (("decoder", "prior", "middle"), ("encoder", "top_encoder")),
    "aaiwae": OF_ONE_CODE,
    "aasvae": (("decoder", "classes", "prior"), ("classifier", "encoder")),
    "aavae": OF_ONE_CODE,
    "acgan": None,
    "adversarial_domain_adaptation": None,
    "alice": OF_ONE_CODE,
    "alpha_gan": OF_ONE_CODE,
    "as_vae": OF_ONE_CODE,
    "avb": None,  # its encoder takes noise, which is no variable of the decoder
    "beta_tc_vae": OF_ONE_CODE,
    "bigan": OF_ONE_CODE,
    "conditional_gan": None,
    "conditional_vae": OF_ONE_CODE,
    "cyclegan": None,
    "factor_vae": OF_ONE_CODE,
    "gan": None,
    "hierarchical_vae": (("decoder", "prior", "middle"), ("encoder", "top_encoder")),
    "iaf_vae": OF_ONE_CODE,
    "info_vae": OF_ONE_CODE,
    "infogan": None,  # nobody infers the noise
    "iwaae": OF_ONE_CODE,
    "iwacgan": None,
    "iwae": OF_ONE_CODE,
    "iwbigan": OF_ONE_CODE,
    "iwcgan": None,
    "iwgan": None,
    "iwinfogan": None,
    "miwae": OF_ONE_CODE,
    "ppo_gan": None,
    "predictability_minimization": None,  # it has no prior
    "reweighted_wake_sleep": OF_ONE_CODE,
    "semi_supervised_vae": (("decoder", "classes", "prior"), ("classifier", "encoder")),
    "stacked_semi_supervised_vae": (
        ("decoder", "classes", "prior", "middle"),
        ("features", "classifier", "encoder"),
    ),
    "vae": OF_ONE_CODE,
    "vae_gan": OF_ONE_CODE,
    "veegan": OF_ONE_CODE,
    "wae": OF_ONE_CODE,
    "wake_sleep": OF_ONE_CODE,
}

# name: what is drawn, in order, and what must be given to generate x, if that is not the prior alone.
ANCESTORS = {
    "aacvae": (("prior",), ("c",)),
    "aahvae": (("prior", "middle"), ()),
    "aasvae": (("prior",), ("c",)),
    "acgan": (("prior",), ("c",)),
    "conditional_gan": (("prior",), ("c",)),
    "conditional_vae": (("prior",), ("c",)),
    "cyclegan": ((), ("target",)),
    "hierarchical_vae": (("prior", "middle"), ()),
    "infogan": (("prior", "classes", "codes"), ()),
    "iwacgan": (("prior",), ("c",)),
    "iwcgan": (("prior",), ("c",)),
    "iwinfogan": (("prior", "classes", "codes"), ()),
    "predictability_minimization": ((), ("z",)),
    "semi_supervised_vae": (("prior",), ("c",)),
    "stacked_semi_supervised_vae": (("prior", "middle"), ("c",)),
}


def recipe(densities, data=("x",)):
    """A recipe of these roles: what is asked of it here does not depend on its phases."""
    with mock.patch("ugm_tf.algebra.recipe.check"):  # it has no phase that says what is drawn
        return Recipe(densities, (), data)


class BoundTest(parameterized.TestCase):
    @parameterized.parameters(*recipes.names())
    def test_of_each_recipe(self, name):
        self.assertEqual(recipes.get(name).bound(), BOUNDS[name])

    @parameterized.parameters(*(name for name, bound in BOUNDS.items() if bound))
    def test_every_unseen_variable_is_generated_once_and_inferred_once(self, name):
        made, (generative, inference) = recipes.get(name), BOUNDS[name]
        latent = {made.roles[density].of for density in generative[1:]}
        self.assertEqual({made.roles[density].of for density in inference}, latent)
        self.assertLen(inference, len(generative) - 1)
        known = {*made.data, "x"} - latent
        for density in inference:  # in an order in which they can be drawn
            self.assertLessEqual(set(made.roles[density].given), known)
            known.add(made.roles[density].of)

    def test_there_is_none_where_the_encoder_needs_what_is_neither_data_nor_inferred(self):
        roles = {"prior": "p(z)", "encoder": "q(z | x, w)", "decoder": "p(x | z)"}
        self.assertIsNone(recipe(roles).bound())
        self.assertEqual(recipe(roles, ("x", "w")).bound(), OF_ONE_CODE)

    def test_there_is_none_where_the_decoder_needs_what_nobody_draws(self):
        roles = {"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z, c)"}
        self.assertIsNone(recipe(roles).bound())
        self.assertEqual(recipe(roles, ("x", "c")).bound(), OF_ONE_CODE)

    def test_a_density_of_the_generative_direction_infers_nothing(self):
        self.assertIsNone(recipe({"prior": "p(z)", "encoder": "p(z | x)", "decoder": "p(x | z)"}).bound())

    def test_a_variable_of_the_data_that_has_a_prior_is_inferred(self):
        """In a semi-supervised recipe c is data, but that of other examples than x."""
        made = recipes.semi_supervised_vae()
        self.assertIn("c", made.data)
        self.assertIn("classifier", made.bound()[1])


class AncestorsTest(parameterized.TestCase):
    @parameterized.parameters(*(name for name in recipes.names() if "decoder" in recipes.get(name).densities))
    def test_of_each_recipe(self, name):
        self.assertEqual(recipes.get(name).ancestors("decoder"), ANCESTORS.get(name, (("prior",), ())))

    @parameterized.parameters(
        ("conditional_gan", (("prior",), ("c",))),  # no density draws c
        ("semi_supervised_vae", (("classes", "prior"), ())),
        ("stacked_semi_supervised_vae", (("classes", "prior", "middle"), ())),
        ("aasvae", (("classes", "prior"), ())),
        ("cyclegan", ((), ("target",))),  # each domain is made of the other
    )
    def test_where_no_data_are_known(self, name, by_hand):
        self.assertEqual(recipes.get(name).ancestors("decoder", known=()), by_hand)

    def test_of_another_density(self):
        made = recipes.stacked_semi_supervised_vae()
        self.assertEqual(made.ancestors("middle", known=()), (("classes", "prior"), ()))
        # z comes about through h, which is what the encoder is to tell
        self.assertEqual(recipes.hierarchical_vae().ancestors("top_encoder"), ((), ("z",)))

    @parameterized.parameters(
        ({"decoder": "p(x | z)", "prior": "p(z)"}, ("x",), ("prior",), ()),
        ({"prior": "p(z | w)", "decoder": "p(x | z)", "top": "p(w)"}, ("x",), ("top", "prior"), ()),
        ({"top": "p(w)", "prior": "p(z | w)", "decoder": "p(x | z, w)"}, ("x",), ("top", "prior"), ()),
        ({"prior": "p(z)", "top": "p(c)", "decoder": "p(x | z, c)"}, ("x", "c"), ("prior",), ("c",)),
        ({"prior": "p(z | c)", "decoder": "p(x | z)"}, ("x", "c"), ("prior",), ("c",)),
        ({"prior": "p(z)", "top": "p(w)", "decoder": "p(x | z)"}, ("x",), ("prior",), ()),
        ({"encoder": "q(z | x)", "decoder": "p(x | z)"}, ("x",), (), ("z",)),
        ({"prior": "p(z | w)", "decoder": "p(x | z)"}, ("x",), ("prior",), ("w",)),  # nobody draws w
    )
    def test_come_in_order(self, roles, data, drawn, given):
        self.assertEqual(recipe(roles, data).ancestors("decoder"), (drawn, given))


if __name__ == "__main__":
    absltest.main()
