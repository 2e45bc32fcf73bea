"""Recipes: one model a file, each a few declarative lines over the algebra."""

from ugm_tf.recipes.gan import gan
from ugm_tf.recipes.registry import function, get, names, recipe
from ugm_tf.recipes.transferred import aavae, iwgan
from ugm_tf.recipes.vae import vae

__all__ = ["aavae", "function", "gan", "get", "iwgan", "names", "recipe", "vae"]
