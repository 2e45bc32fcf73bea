"""What a model answers in Python: methods of `UnifiedModel`."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf import validation
from ugm_tf.algebra import Ancestral, ImportanceWeightedBound
from ugm_tf.inference import guards, rejection
from ugm_tf.inference.endpoints import VERBS, Endpoint, endpoints, has_bound, specs
from ugm_tf.joint import Joint

__all__ = ["Answers"]

_MOST_DRAWS = 10_000  # codes decoded at once by `log_prob_bound`


class Answers:
    """What can be asked of a joint; a base class of models.

    Attributes:
        joint: The densities and the recipe.
        functions: What was traced already, by name.
    """

    joint: Joint
    functions: dict[Any, Any]

    def endpoints(self, mean: bool = True) -> dict[str, Endpoint]:
        """What the model can be asked, by name; see `ugm_tf.inference.endpoints`."""
        return endpoints(self.joint, mean)

    def can(self, verb: str) -> bool:
        """Whether the model can be asked this: "sample", "encode", "decode", "reconstruct", "discriminate", "classify",
        "score", "log_prob_bound", or the name of a density with parents.

        Raises:
            ValueError: If no model could.
        """
        if verb == "log_prob_bound":
            return has_bound(self.joint)
        known = {*VERBS.values(), "sample", "reconstruct", "score", *self.joint.roles}
        if verb not in known:
            raise ValueError(f"There is no verb '{verb}'. There are: {', '.join(sorted(known | {'log_prob_bound'}))}.")
        return verb in self.endpoints()

    def sample(self, n: int, seed: int = 0, mean: bool = True, reject: bool = False, **given: Any) -> tf.Tensor:
        """Generates x, [n, ...]: z ~ prior, then the mean of p(x | z), as samples are shown in the literature.

        Args:
            n: Number of examples.
            seed: Fixes the draws; example i is a function of (seed, i) alone.
            mean: Whether to return the mean of p(x | z), or with False a draw from it.
            reject: Accept a draw with a probability in proportion to exp(logit), the discriminator's estimate of
                p_data(x) / p(x): discriminator rejection sampling, by the weights of IWGAN.
            **given: Conditions of the decoder, such as c, [n, ...].

        Raises:
            ValueError: If the model cannot sample, or a condition is missing, of another shape or no one-hot row where
                it is a class; with reject=True, if there is no discriminator that tells data from samples, or its
                logit is no log-ratio.
        """
        if n < 1:
            raise ValueError(f"sample() takes n, a number of examples of at least 1. Received: n={n}.")
        endpoint = self._endpoint("sample", mean)
        seeds = tf.stack([tf.fill([n], tf.constant(seed, tf.int32)), tf.range(n)], axis=1)
        values = _inputs("sample", {v: spec for v, spec in endpoint.inputs.items() if v != "seed"}, (), given)
        if any(value.shape[0] != n for value in values.values()):
            raise ValueError(
                f"sample({n}) takes {n} rows of {', '.join(values)}. Received {len(next(iter(values.values())))}."
            )
        if not any(map(tf.is_symbolic_tensor, values.values())):
            validation.check_classes(self.joint.recipe, self.joint.densities, values)
        if reject:
            rejection.check(self.joint)
            return rejection.sample(self.joint, endpoint, n, seed, values)[0][self.joint.roles["decoder"].of]
        return endpoint.function(seed=seeds, **values)[self.joint.roles["decoder"].of]

    def encode(self, x: Any, **given: Any) -> tf.Tensor:
        """The mean of q(z | x), [B, ...]."""
        return self._ask("encode", x, given)[self.joint.roles["encoder"].of]

    def decode(self, z: Any, **given: Any) -> tf.Tensor:
        """The mean of p(x | z), [B, ...]."""
        return self._ask("decode", z, given)[self.joint.roles["decoder"].of]

    def reconstruct(self, x: Any, **given: Any) -> tf.Tensor:
        """The mean of p(x | z) at the mean of q(z | x), [B, ...]."""
        return self._ask("reconstruct", x, given)[self.joint.roles["decoder"].of]

    def discriminate(self, x: Any, **given: Any) -> tf.Tensor:
        """The discriminator's logit of y=1 (data), [B]."""
        return self._ask("discriminate", x, given)["logit"]

    def classify(self, x: Any, **given: Any) -> tf.Tensor:
        """The classifier's probabilities q(c | x), [B, C]; through the encoder, where it classifies features of x."""
        roles = self.joint.roles
        if "classifier" in roles and roles["classifier"].given != self.joint.recipe.data[:1]:
            features = roles["classifier"].given[0]
            makers = [n for n, r in roles.items() if r.letter == "q" and r.of == features and r.given == ("x",)]
            if makers:
                x = self._ask(VERBS.get(makers[0], makers[0]), x, given)[features]
        return self._ask("classify", x, given)[roles["classifier"].of if "classifier" in roles else "c"]

    def log_prob_bound(self, x: Any, k: int = 1, seed: int = 0, **given: Any) -> tf.Tensor:
        """A lower bound on log p(x), in nats, [B]: the ELBO for k=1, the importance-weighted bound for k draws.

        Raises:
            ValueError: If the densities of the model bound nothing: see `Recipe.bound`.
        """
        roles, densities = self.joint.roles, self.joint.densities
        if not has_bound(self.joint):
            raise ValueError(
                "log_prob_bound takes a prior, an encoder and a decoder that have a log-probability and need nothing "
                "but data and the code. This model has: "
                f"{', '.join(f'{role} ({densities[name].family})' for name, role in roles.items())}."
            )
        if k < 1:
            raise ValueError(f"log_prob_bound takes k >= 1 draws. Received: k={k}.")
        generative, inferring = self.joint.recipe.bound() or ((), ())
        wanted = {v for name in (*generative, *inferring) for v in (*roles[name].given, roles[name].of)}
        wanted -= {roles[name].of for name in inferring}
        order = dict.fromkeys((roles["decoder"].of, *sorted(wanted)))  # x first, which is not given by name
        values = _inputs("log_prob_bound", specs(self.joint, order), (x,), given)
        function = self._bound(generative, inferring, k)
        n, rows = len(next(iter(values.values()))), max(1, _MOST_DRAWS // k)
        bounds = [
            function({v: value[i : i + rows] for v, value in values.items()}, tf.constant([seed, i], tf.int32))
            for i in range(0, max(n, 1), rows)
        ]
        return tf.concat(bounds, 0)

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        """The answer to `model(inputs)`: a reconstruction of x, or what z decodes to; see `UnifiedModel`."""
        found = self.endpoints()
        if "reconstruct" in found and set(found["reconstruct"].inputs) <= set(self.joint.recipe.data):
            values = self.joint.values(inputs)
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
            names = _parts(self.joint)
            raise ValueError(f"A model of {names} has no decoder, so no one answer to a call: call its densities.")
        return outputs[self.joint.roles["decoder"].of]

    def _endpoint(self, name: str, mean: bool = True) -> Endpoint:
        """An endpoint of the model, traced once."""
        key = name if mean else f"{name}, drawn"
        if key not in self.functions:
            found = self.endpoints(mean)
            if name not in found:
                raise ValueError(f"A model of {_parts(self.joint)} cannot {name}. It can: {_listed(found)}.")
            endpoint = guards.masked(self.joint, found[name])
            function = tf.function(endpoint.function, reduce_retracing=True, autograph=False)
            self.functions[key] = dataclasses.replace(endpoint, function=function)
        return self.functions[key]

    def _bound(self, generative: tuple[str, ...], inferring: tuple[str, ...], k: int) -> Any:
        """The bound of k draws as a function of a batch and a seed, traced once."""
        key = f"bound of {k}"
        if key not in self.functions:

            def bound(values: dict[str, tf.Tensor], seed: tf.Tensor) -> tf.Tensor:
                start = self.joint.sample(values, training=False)
                return -ImportanceWeightedBound(generative, inferring)(Ancestral(inferring, k=k)(start, seed))

            self.functions[key] = tf.function(bound, reduce_retracing=True, autograph=False)
        return self.functions[key]

    def _ask(self, name: str, first: Any, given: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        endpoint = self._endpoint(name)
        return endpoint.function(**_inputs(name, endpoint.inputs, (first,), given))


def _parts(joint: Joint) -> str:
    return ", ".join(f"'{name}': {role}" for name, role in joint.roles.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


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
