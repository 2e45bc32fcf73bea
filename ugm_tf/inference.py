"""What a trained model answers in Python: methods of `UnifiedModel`."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from ugm_tf import guards, rejection, validation
from ugm_tf.algebra import Ancestral, ImportanceWeightedBound, JointSample
from ugm_tf.endpoints import VERBS, Endpoint, endpoints, has_bound, specs

if TYPE_CHECKING:
    from ugm_tf.model import UnifiedModel

__all__ = [
    "VERBS",
    "Endpoint",
    "call",
    "classify",
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
        endpoint = guards.masked(model, found[name])
        function = tf.function(endpoint.function, reduce_retracing=True, autograph=False)
        model.functions[key] = dataclasses.replace(endpoint, function=function)
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


def sample(
    self: "UnifiedModel", n: int, seed: int = 0, mean: bool = True, reject: bool = False, **given: Any
) -> tf.Tensor:
    """Generates x, [n, ...]: z ~ prior, then the mean of p(x | z), as samples are shown in the literature.

    Args:
        n: Number of examples.
        seed: Fixes the draws; example i is a function of (seed, i) alone.
        mean: Whether to return the mean of p(x | z), or with False a draw from it.
        reject: Accept a draw with a probability in proportion to exp(logit), the discriminator's estimate of
            p_data(x) / p(x): discriminator rejection sampling, by the weights of IWGAN.
        **given: Conditions of the decoder, such as c, [n, ...].

    Raises:
        ValueError: If the model cannot sample, or a condition is missing, of another shape or no one-hot row where it
            is a class; with reject=True, if there is no discriminator that tells data from samples, or its logit is
            no log-ratio.
    """
    if n < 1:
        raise ValueError(f"sample() takes n, a number of examples of at least 1. Received: n={n}.")
    endpoint = _endpoint(self, "sample", mean)
    seeds = tf.stack([tf.fill([n], tf.constant(seed, tf.int32)), tf.range(n)], axis=1)
    values = _inputs("sample", {v: spec for v, spec in endpoint.inputs.items() if v != "seed"}, (), given)
    if any(value.shape[0] != n for value in values.values()):
        raise ValueError(
            f"sample({n}) takes {n} rows of {', '.join(values)}. Received {len(next(iter(values.values())))}."
        )
    if not any(map(tf.is_symbolic_tensor, values.values())):
        validation.check_classes(self.recipe, self.densities, values)
    if reject:
        rejection.check(self)
        return rejection.sample(self, endpoint, n, seed, values)[0][self.recipe.roles["decoder"].of]
    return endpoint.function(seed=seeds, **values)[self.recipe.roles["decoder"].of]


def encode(self: "UnifiedModel", x: Any, **given: Any) -> tf.Tensor:
    """The mean of q(z | x), [B, ...]."""
    return _ask(self, "encode", x, given)[self.recipe.roles["encoder"].of]


def decode(self: "UnifiedModel", z: Any, **given: Any) -> tf.Tensor:
    """The mean of p(x | z), [B, ...]."""
    return _ask(self, "decode", z, given)[self.recipe.roles["decoder"].of]


def reconstruct(self: "UnifiedModel", x: Any, **given: Any) -> tf.Tensor:
    """The mean of p(x | z) at the mean of q(z | x), [B, ...]."""
    return _ask(self, "reconstruct", x, given)[self.recipe.roles["decoder"].of]


def discriminate(self: "UnifiedModel", x: Any, **given: Any) -> tf.Tensor:
    """The discriminator's logit of y=1 (data), [B]."""
    return _ask(self, "discriminate", x, given)["logit"]


def classify(self: "UnifiedModel", x: Any, **given: Any) -> tf.Tensor:
    """The classifier's probabilities q(c | x), [B, C]; of features where it classifies those, through the encoder."""
    roles = self.recipe.roles
    if "classifier" in roles and roles["classifier"].given != self.recipe.data[:1]:
        features = roles["classifier"].given[0]
        maker = next((n for n, r in roles.items() if r.letter == "q" and r.of == features and r.given == ("x",)), None)
        if maker is not None:
            x = _ask(self, VERBS.get(maker, maker), x, given)[features]
    return _ask(self, "classify", x, given)[roles["classifier"].of if "classifier" in roles else "c"]


def log_prob_bound(self: "UnifiedModel", x: Any, k: int = 1, seed: int = 0, **given: Any) -> tf.Tensor:
    """A lower bound on log p(x), in nats, [B]: the ELBO for k=1, the importance-weighted bound for k draws.

    Raises:
        ValueError: If the densities of the model bound nothing: see `Recipe.bound`.
    """
    if not has_bound(self):
        parts = ", ".join(f"{role} ({self.densities[name].family})" for name, role in self.recipe.roles.items())
        raise ValueError(
            "log_prob_bound takes a prior, an encoder and a decoder that have a log-probability and need nothing but "
            f"data and the code. This model has: {parts}."
        )
    if k < 1:
        raise ValueError(f"log_prob_bound takes k >= 1 draws. Received: k={k}.")
    generative, inferring = self.recipe.bound() or ((), ())
    roles, inferred = self.recipe.roles, {self.recipe.roles[name].of for name in inferring}
    wanted = {v for name in (*generative, *inferring) for v in (*roles[name].given, roles[name].of)} - inferred
    order = dict.fromkeys((roles["decoder"].of, *sorted(wanted)))  # x first, which is not given by name
    values = _inputs("log_prob_bound", specs(self, order), (x,), given)

    @tf.function(reduce_retracing=True, autograph=False)
    def bound(part: dict[str, tf.Tensor], folded: tf.Tensor) -> tf.Tensor:
        start = JointSample(self.densities, roles, part, training=False)
        return -ImportanceWeightedBound(generative, inferring)(Ancestral(inferring, k=k)(start, folded))

    function = self.functions.setdefault(f"bound of {k}", bound)
    n, rows = len(next(iter(values.values()))), max(1, _MOST_DRAWS // k)
    bounds = [
        function({v: value[i : i + rows] for v, value in values.items()}, tf.constant([seed, i], tf.int32))
        for i in range(0, max(n, 1), rows)
    ]
    return tf.concat(bounds, 0)


def call(self: "UnifiedModel", inputs: Any, training: bool | None = None) -> tf.Tensor:
    """The answer to `model(inputs)`: a reconstruction of x, or what z decodes to; see `UnifiedModel`."""
    found = endpoints(self)
    if "reconstruct" in found and set(found["reconstruct"].inputs) <= set(self.recipe.data):
        values = self.values(inputs)
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
        raise ValueError(f"A model of {_parts(self)} has no decoder, so no one answer to a call: call its densities.")
    return outputs[self.recipe.roles["decoder"].of]
