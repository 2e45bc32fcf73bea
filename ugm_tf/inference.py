"""What a trained model answers in Python: the functions behind `UnifiedModel`'s methods."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from ugm_tf.algebra import Ancestral, ImportanceWeightedBound, JointSample
from ugm_tf.endpoints import Endpoint, endpoints, has_bound, specs

if TYPE_CHECKING:
    from ugm_tf.model import UnifiedModel

__all__ = [
    "Endpoint",
    "call",
    "decode",
    "discriminate",
    "encode",
    "endpoints",
    "has_bound",
    "log_prob_bound",
    "reconstruct",
    "sample",
]

_MOST_DRAWS = 10_000  # codes decoded at once by `log_prob_bound`


def _endpoint(model: "UnifiedModel", name: str, mean: bool = True) -> Endpoint:
    """An endpoint of the model, traced once."""
    key = name if mean else f"{name}, drawn"
    if key not in model.functions:
        found = endpoints(model, mean)
        if name not in found:
            raise ValueError(f"A model of {_parts(model)} cannot {name}. It can: {', '.join(found) or 'nothing'}.")
        function = tf.function(found[name].function, reduce_retracing=True, autograph=False)
        model.functions[key] = dataclasses.replace(found[name], function=function)
    return model.functions[key]


def _parts(model: "UnifiedModel") -> str:
    return ", ".join(f"'{name}': {role}" for name, role in model.recipe.roles.items())


def _ask(model: "UnifiedModel", name: str, first: Any, given: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    endpoint = _endpoint(model, name)
    return endpoint.function(**_inputs(name, endpoint.inputs, (first,), given))


def _inputs(
    name: str, wanted: Mapping[str, tf.TensorSpec], first: tuple[Any, ...], given: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """The inputs that are `wanted`, by name; `first` is that which is not given by name."""
    free = [variable for variable in wanted if variable not in given]
    if len(free) != len(first) or not set(given) <= set(wanted):
        which = f"{', '.join(wanted)}{', the others by name' if first else ' by name'}" if wanted else "nothing by name"
        raise ValueError(f"{name}() takes {which}. Received by name: {', '.join(given) or 'nothing'}.")
    values = {}
    for variable, value in {**dict(zip(free, first, strict=True)), **given}.items():
        spec = wanted[variable]
        values[variable] = tf.cast(tf.convert_to_tensor(value), spec.dtype)
        if not spec.shape.is_compatible_with(values[variable].shape):
            raise ValueError(
                f"{name}() takes {variable} of shape {_shape(spec.shape)}, where B is the number of examples. "
                f"Received shape {_shape(values[variable].shape)}."
            )
    rows = {variable: value.shape[0] for variable, value in values.items()}
    if len({n for n in rows.values() if n is not None}) > 1:
        raise ValueError(f"{name}() takes as many rows of each input. Received: {rows}.")
    return values


def _shape(shape: tf.TensorShape) -> str:
    return f"[{', '.join('B' if i == 0 and n is None else str(n) for i, n in enumerate(shape))}]"


def sample(model: "UnifiedModel", n: int, seed: int, mean: bool, given: Mapping[str, Any]) -> tf.Tensor:
    """See `UnifiedModel.sample`."""
    if n < 1:
        raise ValueError(f"sample() takes n, a number of examples of at least 1. Received: n={n}.")
    endpoint = _endpoint(model, "sample", mean)
    seeds = tf.stack([tf.fill([n], tf.constant(seed, tf.int32)), tf.range(n)], axis=1)
    values = _inputs("sample", {v: spec for v, spec in endpoint.inputs.items() if v != "seed"}, (), given)
    if any(value.shape[0] != n for value in values.values()):
        raise ValueError(
            f"sample({n}) takes {n} rows of {', '.join(values)}. Received {len(next(iter(values.values())))}."
        )
    return endpoint.function(seed=seeds, **values)[model.recipe.roles["decoder"].of]


def encode(model: "UnifiedModel", x: Any, given: Mapping[str, Any]) -> tf.Tensor:
    """See `UnifiedModel.encode`."""
    out = _ask(model, "encode", x, given)
    return out[model.recipe.roles["encoder"].of]


def decode(model: "UnifiedModel", z: Any, given: Mapping[str, Any]) -> tf.Tensor:
    """See `UnifiedModel.decode`."""
    out = _ask(model, "decode", z, given)
    return out[model.recipe.roles["decoder"].of]


def reconstruct(model: "UnifiedModel", x: Any, given: Mapping[str, Any]) -> tf.Tensor:
    """See `UnifiedModel.reconstruct`."""
    out = _ask(model, "reconstruct", x, given)
    return out[model.recipe.roles["decoder"].of]


def discriminate(model: "UnifiedModel", x: Any, given: Mapping[str, Any]) -> tf.Tensor:
    """See `UnifiedModel.discriminate`."""
    return _ask(model, "discriminate", x, given)["logit"]


def log_prob_bound(model: "UnifiedModel", x: Any, k: int, seed: int, given: Mapping[str, Any]) -> tf.Tensor:
    """See `UnifiedModel.log_prob_bound`."""
    if not has_bound(model):
        parts = ", ".join(f"{role} ({model.densities[name].family})" for name, role in model.recipe.roles.items())
        raise ValueError(
            "log_prob_bound takes a prior, an encoder and a decoder that have a log-probability and need nothing but "
            f"data and the code. This model has: {parts}."
        )
    if k < 1:
        raise ValueError(f"log_prob_bound takes k >= 1 draws. Received: k={k}.")
    generative, inferring = model.recipe.bound() or ((), ())
    roles, inferred = model.recipe.roles, {model.recipe.roles[name].of for name in inferring}
    wanted = {v for name in (*generative, *inferring) for v in (*roles[name].given, roles[name].of)} - inferred
    values = _inputs("log_prob_bound", specs(model, sorted(wanted)), (x,), given)

    @tf.function(reduce_retracing=True, autograph=False)
    def bound(part: dict[str, tf.Tensor], folded: tf.Tensor) -> tf.Tensor:
        start = JointSample(model.densities, roles, part, training=False)
        return -ImportanceWeightedBound(generative, inferring)(Ancestral(inferring, k=k)(start, folded))

    function = model.functions.setdefault(f"bound of {k}", bound)
    n, rows = len(next(iter(values.values()))), max(1, _MOST_DRAWS // k)
    bounds = [
        function({v: value[i : i + rows] for v, value in values.items()}, tf.constant([seed, i], tf.int32))
        for i in range(0, max(n, 1), rows)
    ]
    return tf.concat(bounds, 0)


def call(model: "UnifiedModel", inputs: Any, training: bool | None) -> tf.Tensor:
    """See `UnifiedModel.call`."""
    found = endpoints(model)
    if "reconstruct" in found and set(found["reconstruct"].inputs) <= set(model.recipe.data):
        values = model.values(inputs)
        outputs = found["reconstruct"].function(**{v: values[v] for v in found["reconstruct"].inputs})
    elif "decode" in found:
        wanted = found["decode"].inputs
        parts = inputs if isinstance(inputs, list | tuple) else [inputs]
        values = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(wanted, parts, strict=False))
        if set(values) != set(wanted) or len(parts) > len(wanted):
            received = ", ".join(inputs) if isinstance(inputs, Mapping) else f"{len(parts)} of them"
            raise ValueError(f"This model is called with {', '.join(wanted)}. Received: {received}.")
        outputs = found["decode"].function(**values)
    else:
        raise ValueError(f"A model of {_parts(model)} has no decoder, so no one answer to a call: call its densities.")
    return outputs[model.recipe.roles["decoder"].of]
