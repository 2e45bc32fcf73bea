"""Every recipe that a transfer makes sense for: what is asked of one pair of the two is asked of all."""

import dataclasses
from collections.abc import Callable
from typing import Any

import ugm_tf

__all__ = ["ENCODING", "FOOLING", "PAIRS", "Pair"]


@dataclasses.dataclass(frozen=True)
class Pair:
    """A transfer and a recipe for which it makes sense; called, it returns the transferred recipe.

    Attributes:
        name: The pair's own: of its recipe, and of an option where that makes it another.
        transfer: From recipe to recipe.
        base: The recipe's name.
        hyperparameters: Those of the recipe.
        named: The name of the transferred recipe, where the registry has one.
    """

    name: str
    transfer: Callable[..., ugm_tf.Recipe]
    base: str
    hyperparameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    named: str | None = None

    @property
    def recipe(self) -> ugm_tf.Recipe:
        """The recipe before the transfer."""
        return ugm_tf.recipes.get(self.base, **self.hyperparameters)

    @property
    def title(self) -> str:
        """The transfer's and the pair's name."""
        return f"{self.transfer.__name__}_{self.name}"

    def __call__(self) -> ugm_tf.Recipe:
        return self.transfer(self.recipe)


_WEIGHTED, _ACTIVATED, _LOGISTIC = ugm_tf.importance_weighted, ugm_tf.adversary_activated, {"contest": "logistic"}

PAIRS = (
    Pair("gan", _WEIGHTED, "gan", named="iwgan"),
    Pair("conditional_gan", _WEIGHTED, "conditional_gan", named="iwcgan"),
    Pair("acgan", _WEIGHTED, "acgan", named="iwacgan"),
    Pair("infogan", _WEIGHTED, "infogan", named="iwinfogan"),
    Pair("infogan_of_one_code", _WEIGHTED, "infogan", {"structured": False}),
    Pair("bigan", _WEIGHTED, "bigan", named="iwbigan"),
    Pair("alice", _WEIGHTED, "alice"),
    Pair("aae", _WEIGHTED, "aae", named="iwaae"),
    Pair("vae_gan", _WEIGHTED, "vae_gan"),
    Pair("cyclegan", _WEIGHTED, "cyclegan"),
    Pair("adversarial_domain_adaptation", _WEIGHTED, "adversarial_domain_adaptation"),
    Pair("veegan", _WEIGHTED, "veegan", _LOGISTIC),
    Pair("alpha_gan", _WEIGHTED, "alpha_gan", _LOGISTIC),
    Pair("as_vae", _WEIGHTED, "as_vae", _LOGISTIC),
    Pair("avb", _WEIGHTED, "avb", _LOGISTIC),
    Pair("factor_vae", _WEIGHTED, "factor_vae", _LOGISTIC),
    Pair("vae", _ACTIVATED, "vae", named="aavae"),
    Pair("conditional_vae", _ACTIVATED, "conditional_vae", {"beta": 2.0}, named="aacvae"),
    Pair("beta_tc_vae", _ACTIVATED, "beta_tc_vae"),
    Pair("info_vae", _ACTIVATED, "info_vae"),
    Pair("wae", _ACTIVATED, "wae"),
    Pair("iaf_vae", _ACTIVATED, "iaf_vae"),
    Pair("iwae", _ACTIVATED, "iwae", named="aaiwae"),
    Pair("iwae_dreg", _ACTIVATED, "iwae", {"k": 3, "gradient": "doubly_reparameterised"}),
    Pair("miwae", _ACTIVATED, "miwae", {"groups": 2, "k": 3}),
    Pair("hierarchical_vae", _ACTIVATED, "hierarchical_vae", {"k": 3}, named="aahvae"),
    Pair("wake_sleep", _ACTIVATED, "wake_sleep"),
    Pair("semi_supervised_vae", _ACTIVATED, "semi_supervised_vae", named="aasvae"),
    Pair("stacked_semi_supervised_vae", _ACTIVATED, "stacked_semi_supervised_vae"),
)
FOOLING = {pair.name: pair.recipe for pair in PAIRS if pair.transfer is _WEIGHTED}
ENCODING = {pair.name: pair.recipe for pair in PAIRS if pair.transfer is _ACTIVATED}
