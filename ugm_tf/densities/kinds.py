"""Priors that learn, by name: "mixture(50)", "vamp(500)", "flow(4)"."""

import inspect
from typing import Any, ClassVar

from ugm_tf import serialization
from ugm_tf.arguments import call, check, did_you_mean
from ugm_tf.densities import families
from ugm_tf.densities.continuous import Laplace
from ugm_tf.densities.family import Family
from ugm_tf.densities.mixture import Mixture
from ugm_tf.serialization import record

__all__ = ["Flow", "Vamp", "kind", "kinds", "learns_by_draws", "needs_draws"]


@record
class Flow:
    """A standard normal that an autoregressive flow bends.

    Args:
        steps: Steps of the flow.
        hidden: Sizes of the hidden layers of each.
        inverse: Whether a draw costs one pass and the density of a value many, instead of the other way round.
    """

    steps: int = 4
    hidden: tuple[int, ...] = (64,)
    inverse: bool = False
    reparameterised: ClassVar[bool] = True

    def __post_init__(self) -> None:
        sizes = isinstance(self.hidden, tuple | list) and all(isinstance(n, int) and n >= 1 for n in self.hidden)
        if self.steps < 1 or not self.hidden or not sizes:
            raise ValueError(
                "A flow has at least 1 step and hidden layers of at least 1 unit, such as hidden=(64,). Received: "
                f"steps={self.steps}, hidden={self.hidden}."
            )


@record
class Vamp:
    """The mixture of the encoder's posteriors at learned pseudo-inputs; see `VampPrior`.

    Args:
        pseudo_inputs: Their number.
        encoder: Name of the encoder.
    """

    pseudo_inputs: int = 500
    encoder: str = "encoder"
    reparameterised: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.pseudo_inputs < 1:
            raise ValueError(f"At least 1 pseudo-input. Received: pseudo_inputs={self.pseudo_inputs}.")


_KINDS: dict[str, Any] = {"mixture": Mixture, "vamp": Vamp, "flow": Flow}


def kinds() -> list[str]:
    """Names of the priors that learn; any family's name is one, too."""
    return list(_KINDS)


def kind(prior: str | Family | Flow | Vamp) -> Family | Flow | Vamp:
    """The prior of this name, with its defaults or with others: "mixture(50)", "flow(steps=2, hidden=(32, 32))".

    Raises:
        ValueError: If the name or an argument is not known.

    Example:

    >>> kind("mixture(50)")
    Mixture(components=50, of=Gaussian(scale=None))
    """
    if isinstance(prior, Flow | Vamp):
        serialization.check(prior, "prior")
        return prior
    prior = prior if isinstance(prior, Family) else str(prior).strip().replace(" (", "(")
    name = "" if isinstance(prior, Family) else prior.partition("(")[0]
    if name not in _KINDS:
        try:
            return families.get(prior)
        except ValueError as error:
            near = did_you_mean(name, _KINDS).strip()
            said = f"{near} Received: '{prior}'." if near else str(error)
            raise ValueError(f"A prior that learns is {', '.join(_KINDS)}, or one of a family. {said}") from None
    made = _KINDS[name]
    try:
        _, values, named = call(str(prior))
        bound = inspect.signature(made).bind(*values, **named)
    except (TypeError, ValueError):
        takes = ", ".join(map(str, inspect.signature(made).parameters.values()))
        raise ValueError(f"The prior '{name}' takes the arguments: {takes}. Received: '{prior}'.") from None
    for argument, value in bound.arguments.items():
        check(f"the prior '{name}'", inspect.signature(made).parameters[argument], value)
    return made(*bound.args, **bound.kwargs)


def needs_draws(prior: Family | Flow | Vamp) -> bool:
    """Whether a divergence from it has no closed form, and is estimated at draws."""
    return isinstance(prior, Flow | Vamp | Mixture | Laplace)  # a Laplace's from a Gaussian, that is


def learns_by_draws(prior: Family | Flow | Vamp) -> bool:
    """Whether a gradient flows to it through its draws."""
    return prior.reparameterised
