"""The transferred models: each is a transfer of another recipe, by its name and with its hyperparameters."""

import functools
import inspect
import textwrap
from collections.abc import Callable

from ugm_tf.algebra import Recipe, adversary_activated, importance_weighted
from ugm_tf.recipes.aae import aae
from ugm_tf.recipes.acgan import acgan
from ugm_tf.recipes.bigan import bigan
from ugm_tf.recipes.conditional_gan import conditional_gan
from ugm_tf.recipes.conditional_vae import conditional_vae
from ugm_tf.recipes.gan import gan
from ugm_tf.recipes.hierarchical_vae import hierarchical_vae
from ugm_tf.recipes.infogan import infogan
from ugm_tf.recipes.iwae import iwae
from ugm_tf.recipes.registry import contestable, recipe
from ugm_tf.recipes.semi_supervised_vae import semi_supervised_vae
from ugm_tf.recipes.vae import vae

__all__ = [
    "aacvae",
    "aahvae",
    "aaiwae",
    "aasvae",
    "aavae",
    "iwaae",
    "iwacgan",
    "iwbigan",
    "iwcgan",
    "iwgan",
    "iwinfogan",
]


def _transferred(
    name: str, transfer: Callable[..., Recipe], base: Callable[..., Recipe], title: str
) -> Callable[..., Recipe]:
    """Registers `transfer(base())` under a name; its hyperparameters are those of both.

    A base that has a contest brings its options; where the transfer adds the discriminator, the result has them.
    """
    own = [p.replace(kind=p.KEYWORD_ONLY) for n, p in inspect.signature(transfer).parameters.items() if n != "recipe"]
    inherited = [p.replace(kind=p.KEYWORD_ONLY) for p in inspect.signature(base).parameters.values()]
    mine = {parameter.name for parameter in own}

    def made(**hyperparameters: object) -> Recipe:
        theirs = {key: value for key, value in hyperparameters.items() if key not in mine}
        return transfer(base(**theirs), **{key: value for key, value in hyperparameters.items() if key in mine})

    functools.update_wrapper(made, base, assigned=("__annotations__",))
    made.__name__ = made.__qualname__ = name
    made.__module__ = __name__
    made.__signature__ = inspect.Signature([*inherited, *own], return_annotation=Recipe)  # type: ignore[attr-defined]
    equation = "16" if transfer is importance_weighted else "17"
    adds = transfer is adversary_activated
    options = "\n        And the options of `ugm_tf.contested`." if adds else ""
    made.__doc__ = f"""{title}: `{transfer.__name__}({base.__name__}())`.

    Args:
        {", ".join(parameter.name for parameter in inherited) or "None"}: As in `{base.__name__}`.
        {", ".join(parameter.name for parameter in own)}: As in `ugm_tf.{transfer.__name__}`.{options}

    Example:

    >>> print({name}().describe())
{textwrap.indent(transfer(base()).describe(), "    ")}

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation {equation}.
    """
    return recipe(contestable(made) if adds else made)


iwgan = _transferred("iwgan", importance_weighted, gan, "IWGAN, the importance-weighted GAN")
iwcgan = _transferred("iwcgan", importance_weighted, conditional_gan, "IWCGAN, the importance-weighted conditional GAN")
iwacgan = _transferred("iwacgan", importance_weighted, acgan, "The importance-weighted AC-GAN")
iwinfogan = _transferred("iwinfogan", importance_weighted, infogan, "The importance-weighted InfoGAN")
iwbigan = _transferred("iwbigan", importance_weighted, bigan, "The importance-weighted BiGAN")
iwaae = _transferred("iwaae", importance_weighted, aae, "The importance-weighted AAE, whose weights are of codes")
aavae = _transferred("aavae", adversary_activated, vae, "AAVAE, the adversary-activated VAE, or beta-VAE")
aacvae = _transferred("aacvae", adversary_activated, conditional_vae, "AACVAE, the adversary-activated conditional VAE")
aasvae = _transferred("aasvae", adversary_activated, semi_supervised_vae, "AASVAE, the adversary-activated M2")
aaiwae = _transferred("aaiwae", adversary_activated, iwae, "The adversary-activated IWAE")
aahvae = _transferred("aahvae", adversary_activated, hierarchical_vae, "The adversary-activated hierarchical VAE")
