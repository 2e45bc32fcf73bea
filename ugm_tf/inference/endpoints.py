"""What a trained model can answer: functions of tensors with a batch axis, for Python and for serving alike."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf.algebra import JointSample
from ugm_tf.densities import Logit, noise_by_row
from ugm_tf.joint import VERBS, Joint

__all__ = ["VERBS", "Endpoint", "endpoints", "has_bound", "noise_specs", "specs"]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A function of which row i of every output depends on row i of the inputs alone.

    Attributes:
        function: Takes the inputs by name, each [B, ...], and returns outputs by name, each float32 [B, ...].
        inputs: Signature of each input; of unknown shape where no network tells it.
        answers: What it is, in a line.
        variables: The variables among its outputs.
        draws: The densities that it draws from by `seed`.  Noise of `noise_specs` by their names stands for a seed.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
    answers: str
    variables: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()


def endpoints(joint: Joint, mean: bool = True) -> dict[str, Endpoint]:
    """What can be answered, by name, what most will ask for first.

    "sample", "reconstruct" and "score" where the roles allow, and one for each density with parents: "encode",
    "decode", "discriminate", "classify", or the density's own name.  Randomness comes in as a seed a row, int32 [B, 2].

    Args:
        joint: The densities and the recipe.
        mean: Whether "sample" ends in the mean of the decoder; else in a draw from it.
    """
    found = {"sample": _sample(joint, mean), "reconstruct": _reconstruct(joint), "score": _score(joint)}
    out = {name: endpoint for name, endpoint in found.items() if endpoint is not None}
    for name, role in joint.roles.items():
        if role.given:
            out[VERBS.get(name, name)] = _parameters(joint, name)
    return out


def has_bound(joint: Joint) -> bool:
    """Whether `log_prob_bound` has an answer: data suffice, and every density of the bound has a log-probability."""
    names = joint.recipe.bound()
    return names is not None and all(joint.densities[name].family.has_log_prob for part in names for name in part)


def _sample(joint: Joint, mean: bool) -> Endpoint | None:
    roles = joint.roles
    if "decoder" not in roles:
        return None
    drawn, given = joint.recipe.ancestors("decoder")
    if not drawn:
        return None

    def function(seed: Any, **values: tf.Tensor) -> dict[str, tf.Tensor]:
        sample = joint.sample(values, training=False, batch_size=_rows(seed))
        for name in drawn:
            sample = sample.where(**{roles[name].of: _draw(joint, name, sample, seed)})
        x = _location(joint, "decoder", sample) if mean else _draw(joint, "decoder", sample, seed)
        return {roles["decoder"].of: x, **{roles[name].of: sample[roles[name].of] for name in drawn}}

    answers = f"{'the mean of' if mean else 'a draw from'} {roles['decoder']} for each seed, and what was drawn for it"
    variables = (roles["decoder"].of, *(roles[name].of for name in drawn))
    draws = (*drawn, *(() if mean else ("decoder",)))
    return Endpoint(function, specs(joint, given, seed=True), answers, variables, draws)


def _reconstruct(joint: Joint) -> Endpoint | None:
    roles = joint.roles
    if not {"encoder", "decoder"} <= set(roles) or roles["encoder"].of not in roles["decoder"].given:
        return None
    encoder, decoder = roles["encoder"], roles["decoder"]

    def function(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        sample = joint.sample(values, training=False)
        sample = sample.where(**{encoder.of: _location(joint, "encoder", sample)})
        return {decoder.of: _location(joint, "decoder", sample), encoder.of: sample[encoder.of]}

    given = dict.fromkeys((*encoder.given, *(v for v in decoder.given if v != encoder.of)))
    answers = f"the mean of {decoder} at the mean of {encoder}"
    return Endpoint(function, specs(joint, given), answers, (decoder.of, encoder.of))


def _score(joint: Joint) -> Endpoint | None:
    roles, data = joint.roles, joint.recipe.data
    judges = [n for n, r in roles.items() if isinstance(joint.densities[n].family, Logit) and set(r.given) <= set(data)]
    generative, inference = (has_bound(joint) and joint.recipe.bound()) or ((), ())
    parts = (*generative, *inference)
    if not parts and not judges:
        return None

    def function(seed: Any = None, **values: tf.Tensor) -> dict[str, tf.Tensor]:
        sample = joint.sample(values, training=False)
        out = {("logit" if n == "discriminator" else n): sample.distribution(n).logits for n in judges}
        if parts:
            for name in inference:
                sample = sample.where(**{roles[name].of: _draw(joint, name, sample, seed)})
            out["elbo"] = sample.log_weights(generative, inference)
        return out

    asked = {v for name in (*judges, *parts) for v in (*roles[name].given, roles[name].of)}
    asked -= {roles[name].of for name in inference}
    logits = [f"the logit of {roles[name]}" for name in judges]
    bounds = ["elbo, a one-draw bound on the log-probability in nats"] if parts else []
    inputs = specs(joint, [v for v in data if v in asked], seed=bool(parts))
    return Endpoint(function, inputs, ", and ".join([*logits, *bounds]), draws=tuple(inference))


def _parameters(joint: Joint, name: str) -> Endpoint:
    density, role = joint.densities[name], joint.roles[name]

    def function(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        sample = joint.sample(values, training=False)
        distribution = sample.distribution(name)
        if isinstance(density.family, Logit):
            return {"logit": distribution.logits, "probability": tf.sigmoid(distribution.logits)}
        out = {role.of: _location(joint, name, sample)}
        learned = density.parameter_shape != density.event_shape  # and not a constant beside each value
        if (
            density.family.support == "real"
            and density.family.has_log_prob
            and learned
            and not hasattr(distribution, "bijector")
        ):
            out[f"{role.of}_stddev"] = distribution.stddev()
        return out

    variables = () if isinstance(density.family, Logit) else (role.of,)
    return Endpoint(function, specs(joint, role.given), f"the parameters of {role}", variables)


def _location(joint: Joint, name: str, sample: JointSample) -> tf.Tensor:
    return joint.densities[name].location(sample.distribution(name))


def _draw(joint: Joint, name: str, sample: JointSample, seed: Any) -> tf.Tensor:
    """One draw a row, [B, ...]: row i by seed i, and each density by a stream of its own; or by its noise."""
    family, distribution = joint.densities[name].family, sample.distribution(name)
    event_shape = tuple(distribution.event_shape)
    if isinstance(seed, Mapping):
        noise = seed.get(name)
    else:
        stream = list(joint.recipe.densities).index(name)
        noise = noise_by_row(family.noise, family.noise_shape(event_shape), seed, stream)
    value = joint.densities[name].value(distribution, noise)
    return value if noise is not None else tf.broadcast_to(value, [_rows(seed), *event_shape])


def _rows(seed: Any) -> tf.Tensor:
    return tf.shape(next(iter(seed.values())) if isinstance(seed, Mapping) else seed)[0]


def noise_specs(joint: Joint, names: Iterable[str]) -> dict[str, tuple[str, tf.TensorSpec]]:
    """Of the densities of these names that have noise: its law, "normal" or "uniform", and its signature, [B, ...]."""
    out = {}
    for name in names:
        family, shape = joint.densities[name].family, joint.densities[name].event_shape
        if family.noise is not None:
            known = None if shape is None else [None, *family.noise_shape(shape)]
            out[name] = family.noise, tf.TensorSpec(known, tf.float32, name=f"{joint.roles[name].of}_noise")
    return out


def specs(joint: Joint, variables: Iterable[str], seed: bool = False) -> dict[str, tf.TensorSpec]:
    """Signatures by name: of seeds if `seed`, and of some variables, with no shape where no network tells it."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, role in joint.roles.items():
        density = joint.densities[name]
        if density.event_shape is not None:
            shapes[role.of] = density.event_shape
        shapes.update(zip(role.given, density.given_shapes or (), strict=False))
    out = {"seed": tf.TensorSpec([None, 2], tf.int32, name="seed")} if seed else {}
    for v in variables:
        out[v] = tf.TensorSpec([None, *shapes[v]] if v in shapes else None, tf.float32, name=v)
    return out
