"""Recipes: one model a file, each a few declarative lines over the algebra."""

from ugm_tf.recipes.aae import aae
from ugm_tf.recipes.acgan import acgan
from ugm_tf.recipes.adversarial_domain_adaptation import adversarial_domain_adaptation
from ugm_tf.recipes.alice import alice
from ugm_tf.recipes.alpha_gan import alpha_gan
from ugm_tf.recipes.as_vae import as_vae
from ugm_tf.recipes.avb import avb
from ugm_tf.recipes.beta_tc_vae import beta_tc_vae
from ugm_tf.recipes.bigan import bigan
from ugm_tf.recipes.conditional_gan import conditional_gan
from ugm_tf.recipes.conditional_vae import conditional_vae
from ugm_tf.recipes.cyclegan import cyclegan
from ugm_tf.recipes.factor_vae import factor_vae
from ugm_tf.recipes.gan import gan
from ugm_tf.recipes.hierarchical_vae import hierarchical_vae
from ugm_tf.recipes.iaf_vae import iaf_vae
from ugm_tf.recipes.info_vae import info_vae
from ugm_tf.recipes.infogan import infogan
from ugm_tf.recipes.iwae import iwae
from ugm_tf.recipes.miwae import miwae
from ugm_tf.recipes.ppo_gan import ppo_gan
from ugm_tf.recipes.predictability_minimization import predictability_minimization
from ugm_tf.recipes.registry import contestable, function, get, names, recipe
from ugm_tf.recipes.reweighted_wake_sleep import reweighted_wake_sleep
from ugm_tf.recipes.semi_supervised_vae import semi_supervised_vae
from ugm_tf.recipes.stacked_semi_supervised_vae import stacked_semi_supervised_vae
from ugm_tf.recipes.transferred import (
    aacvae,
    aahvae,
    aaiwae,
    aasvae,
    aavae,
    iwaae,
    iwacgan,
    iwbigan,
    iwcgan,
    iwgan,
    iwinfogan,
)
from ugm_tf.recipes.vae import vae
from ugm_tf.recipes.vae_gan import vae_gan
from ugm_tf.recipes.veegan import veegan
from ugm_tf.recipes.wae import wae
from ugm_tf.recipes.wake_sleep import wake_sleep

__all__ = [
    "aacvae",
    "aae",
    "aahvae",
    "aaiwae",
    "aasvae",
    "aavae",
    "acgan",
    "adversarial_domain_adaptation",
    "alice",
    "alpha_gan",
    "as_vae",
    "avb",
    "beta_tc_vae",
    "bigan",
    "conditional_gan",
    "conditional_vae",
    "contestable",
    "cyclegan",
    "factor_vae",
    "function",
    "gan",
    "get",
    "hierarchical_vae",
    "iaf_vae",
    "info_vae",
    "infogan",
    "iwaae",
    "iwacgan",
    "iwae",
    "iwbigan",
    "iwcgan",
    "iwgan",
    "iwinfogan",
    "miwae",
    "names",
    "ppo_gan",
    "predictability_minimization",
    "recipe",
    "reweighted_wake_sleep",
    "semi_supervised_vae",
    "stacked_semi_supervised_vae",
    "vae",
    "vae_gan",
    "veegan",
    "wae",
    "wake_sleep",
]
