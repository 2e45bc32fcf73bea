"""The figures of the likelihood side that take a trained model apart: rates, and annealed importance sampling."""

import dataclasses
from typing import Any

import ugm_tf
from ugm_tf.evaluation import Estimate, likelihood

from .figure import Figure
from .subject import Effort, Subject

__all__ = ["annealed", "can_anneal", "rates"]

_SCALED = {"chains": 4, "temperatures": 200}  # at most: a scale is over all examples
_RATED, _ANNEALED, _TUNED = 1_000, 100, 100  # examples, if not said: the mutual information takes their square


def rates(subject: Subject, effort: Effort) -> list[Figure]:
    """Rate, distortion, the mutual information, marginal KL and total correlation of the encoder, and active units."""
    found = likelihood.rate_distortion(subject.model, **_data(subject, effort.examples or _RATED))
    names = {
        "rate": "rate",
        "distortion": "distortion",
        "mutual information of the code": "mutual_information",
        "marginal KL of the code": "marginal_kl",
        "active units": "active_units",
    }
    out = []
    for name, field in names.items():
        estimate: Estimate | None = getattr(found, field)
        if estimate is not None:
            unit = f"of {len(found.unit_variances)}" if field == "active_units" else "nats"
            out.append(Figure(name, _of(subject, estimate), unit))
    if likelihood.factorises(subject.model):
        data = subject.held_out.first(min(effort.examples or _RATED, len(subject.held_out.examples)))
        given: dict[str, Any] = {name: data[name] for name in subject.model.recipe.roles["encoder"].given}
        estimate = likelihood.total_correlation(subject.model, given.pop("x"), **given)
        out.append(Figure("total correlation of the code", _of(subject, estimate), "nats"))
    return out


def annealed(subject: Subject, effort: Effort) -> list[Figure]:
    """log p(x) by annealed importance sampling; of a point decoder under the Gaussian noise that training data
    find most likely."""
    x = subject.held_out.first(min(effort.examples or _ANNEALED, len(subject.held_out.examples)))["x"]
    observation = None
    if not subject.model.densities["decoder"].family.has_log_prob:
        seen = subject.training.first(min(_TUNED, len(subject.training.examples)))["x"]
        fewer = {name: min(most, getattr(effort, name)) for name, most in _SCALED.items()}
        observation = likelihood.observation_scale(subject.model, seen, **fewer)
    found = likelihood.annealed(
        subject.model, x, chains=effort.chains, temperatures=effort.temperatures, observation=observation
    )
    how = {name: value for name, value in found.log_prob.how.items() if name != "observation"}
    estimate = dataclasses.replace(found.log_prob, how={**how, "noise_scale": observation})
    return [Figure("annealed log p(x)", _of(subject, estimate), "nats")]


def can_anneal(model: ugm_tf.UnifiedModel) -> bool:
    """Whether p(x) is that of a decoder of one continuous code with a prior."""
    roles = model.recipe.roles
    decoder, prior = roles.get("decoder"), roles.get("prior")
    return decoder is not None and prior is not None and decoder.given == ("z",) and prior.of == "z"


def _data(subject: Subject, number: int) -> dict[str, Any]:
    """The first held-out examples, by the variables that a bound of this model takes."""
    model, data = subject.model, subject.held_out.first(min(number, len(subject.held_out.examples)))
    generative, inference = model.recipe.bound() or ((), ())
    asked = {variable for name in (*generative, *inference) for variable in model.recipe.roles[name].given}
    inferred = {model.recipe.roles[name].of for name in inference}
    return {name: value for name, value in data.items() if name == "x" or name in asked - inferred}


def _of(subject: Subject, estimate: Estimate) -> Estimate:
    examples = subject.held_out
    how = {"split": examples.examples.split, "observation": examples.observation}
    return dataclasses.replace(estimate, how={**estimate.how, **how})
