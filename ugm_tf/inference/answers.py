"""What a model answers in Python: methods of `UnifiedModel`."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf import arguments, foreign_noise, validation
from ugm_tf.algebra import Ancestral, Draw, E, ImportanceWeightedBound
from ugm_tf.arrays import is_rows
from ugm_tf.inference import guards, rejection
from ugm_tf.inference.endpoints import VERBS, Endpoint, endpoints, has_bound, specs
from ugm_tf.inference.given import inputs as given_inputs
from ugm_tf.joint import Joint
from ugm_tf.traced import traced, unconverted

__all__ = ["Answers"]

_MOST_DRAWS = 10_000  # codes decoded at once by `log_prob_bound`


@unconverted
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
            known.add("log_prob_bound")
            hint = arguments.did_you_mean(verb, known)
            raise ValueError(f"No model answers '{verb}'. There are: {', '.join(sorted(known))}.{hint}")
        return verb in self.endpoints()

    def sample(self, n: int, seed: int = 0, mean: bool = True, reject: bool = False, **given: Any) -> tf.Tensor:
        """Generates x, [n, ...]: z ~ prior, then the mean of p(x | z), as samples are shown in the literature.

        Args:
            n: Number of examples.
            seed: Fixes the draws; example i is a function of (seed, i) alone.
            mean: Whether to return the mean of p(x | z), or with False a draw from it.
            reject: Accept a draw with a probability in proportion to exp(logit), the discriminator's estimate of
                p_data(x) / p(x): discriminator rejection sampling, by the weights of IWGAN.
            **given: Conditions of the decoder, such as c, [n, ...].  A class is a one-hot row or an integer: `c=2` for
                all n examples, `c=[0, 1, 2]` for one each.

        Raises:
            ValueError: If the model cannot sample, or a condition is missing, of another shape or no one-hot row where
                it is a class; with reject=True, if there is no discriminator that tells data from samples, or its
                logit is no log-ratio.
        """
        n, seed = arguments.count("sample()", "n", n), arguments.seed("sample()", seed)
        endpoint = self._endpoint("sample", mean)
        seeds = tf.stack([tf.fill([n], tf.constant(seed, tf.int32)), tf.range(n)], axis=1)
        wanted = {v: spec for v, spec in endpoint.inputs.items() if v != "seed"}
        values = given_inputs(self.joint, "sample", wanted, (), given, n)
        if any(value.shape[0] != n for value in values.values()):
            raise ValueError(
                f"sample({n}) takes {n} rows of {', '.join(values)}. Received {len(next(iter(values.values())))}."
            )
        if not any(map(tf.is_symbolic_tensor, values.values())):
            validation.check_classes(self.joint.recipe, self.joint.densities, values)
        if reject:
            rejection.check(self.joint)
            return rejection.sample(self.joint, endpoint, n, seed, values)[0][self.joint.roles["decoder"].of]
        return self._answer("sample", endpoint, values, seed=seeds)[self.joint.roles["decoder"].of]

    def encode(self, x: Any, draws: int | None = None, seed: int | None = None, **given: Any) -> tf.Tensor:
        """The mean of q(z | x), [B, ...]; or draws from it, [draws, B, ...], whose spread is that of the code.

        Args:
            x: What is encoded, [B, ...].
            draws: How many draws of each code; without it, the mean.
            seed: Fixes the draws, 0 by default; those of row i are a function of (seed, i).
            **given: Other parents of the encoder, such as c.

        Raises:
            ValueError: If the model has no encoder, values are not where its data lie, or there is a seed and no draws.
        """
        if draws is None and seed is not None:
            raise ValueError(
                f"encode() draws nothing without `draws`, so seed={seed} says nothing. Give draws=1, or no seed."
            )
        if draws is None:
            return self._ask("encode", x, given)[self.joint.roles["encoder"].of]
        draws = arguments.count("encode()", "draws", draws)
        seed = arguments.seed("encode()", 0 if seed is None else seed)
        values = given_inputs(self.joint, "encode", self._endpoint("encode").inputs, (x,), given)
        codes, ok = self._codes(draws)(values, tf.constant([seed, 0], tf.int32))
        guards.check(self.joint, "encode()", values, ok)
        return codes

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
            ValueError: If the densities of the model bound nothing: see `Recipe.bound`; or if x is not where they have
                a likelihood, which a bound in nats is of.  (In a graph such a row's bound is NaN.)
        """
        roles, densities = self.joint.roles, self.joint.densities
        if not has_bound(self.joint):
            raise ValueError(
                "log_prob_bound takes a prior, an encoder and a decoder that have a log-probability and need nothing "
                "but data and the code. This model has: "
                f"{', '.join(f'{role} ({densities[name].family})' for name, role in roles.items())}."
            )
        k = arguments.count("log_prob_bound()", "k", k)
        seed = arguments.seed("log_prob_bound()", seed)
        generative, inferring = self.joint.recipe.bound() or ((), ())
        wanted = {v for name in (*generative, *inferring) for v in (*roles[name].given, roles[name].of)}
        wanted -= {roles[name].of for name in inferring}
        order = dict.fromkeys((roles["decoder"].of, *sorted(wanted)))  # x first, which is not given by name
        values = given_inputs(self.joint, "log_prob_bound", specs(self.joint, order), (x,), given)
        if not any(map(tf.is_symbolic_tensor, values.values())):
            arrays = {variable: value.numpy() for variable, value in values.items() if len(value)}
            validation.check_values(self.joint.recipe, self.joint.densities, arrays)
        function = self._bound(generative, inferring, k)
        n, rows = next(iter(values.values())).shape[0], max(1, _MOST_DRAWS // k)
        if n is None:  # in a graph
            return function(values, tf.constant([seed, 0], tf.int32))
        bounds = [
            function({v: value[i : i + rows] for v, value in values.items()}, tf.constant([seed, i], tf.int32))
            for i in range(0, max(n, 1), rows)
        ]
        return tf.concat(bounds, 0)

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        """The answer to `model(inputs)`: a reconstruction of x, or what z decodes to; see `UnifiedModel`."""
        name, values = self.call_inputs(inputs)
        endpoint = guards.masked(self.joint, self.endpoints()[name])
        return self._answer("model(inputs)", endpoint, values)[self.joint.roles["decoder"].of]

    def check_call(self, inputs: Any) -> None:
        """Refuses inputs that `model(inputs)` has no answer to.

        Raises:
            ValueError: As a call does, without its work.
        """
        _, values = self.call_inputs(inputs)
        guards.check(self.joint, "model(inputs)", values, guards.holds(self.joint, values))

    def call_inputs(self, inputs: Any) -> tuple[str, dict[str, tf.Tensor]]:
        """The endpoint that `model(inputs)` asks, and its inputs by name.

        Raises:
            ValueError: If the model has no such endpoint, or the inputs are others.
        """
        name, given = self.call_named(inputs)
        unused = self.joint.recipe.data if name == "reconstruct" else ()
        return name, given_inputs(self.joint, "model", self.endpoints()[name].inputs, (), given, unused=unused)

    def call_named(self, inputs: Any) -> tuple[str, dict[str, Any]]:
        """The endpoint that `model(inputs)` asks, and its inputs by name as they were given.

        Raises:
            ValueError: If the model has no such endpoint, or the inputs are others.
        """
        found, names = self.endpoints(), self.joint.recipe.data
        if "reconstruct" in found and set(found["reconstruct"].inputs) <= set(names):
            return "reconstruct", self.joint.named(inputs)
        if "decode" not in found:
            raise ValueError(
                f"A model of {_parts(self.joint)} has no decoder, so no one answer to a call: call its densities."
            )
        names = tuple(found["decode"].inputs)
        rows = len(names) == 1 and isinstance(inputs, list) and is_rows(inputs)
        parts = inputs if isinstance(inputs, list | tuple) and not rows else [inputs]
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(names, parts, strict=False))
        if set(given) != set(names) or len(parts) > len(names):
            received = ", ".join(inputs) if isinstance(inputs, Mapping) else f"{len(parts)} of them"
            raise ValueError(f"This model is called with {', '.join(names)}. Received: {received}.")
        return "decode", given

    def _endpoint(self, name: str, mean: bool = True) -> Endpoint:
        """An endpoint of the model, traced once."""
        key = name if mean else f"{name}, drawn"
        if key not in self.functions:
            found = self.endpoints(mean)
            if name not in found:
                raise ValueError(f"A model of {_parts(self.joint)} cannot {name}. It can: {_listed(found)}.")
            endpoint = guards.masked(self.joint, found[name])
            function = traced(reduce_retracing=True)(endpoint.function)
            self.functions[key] = dataclasses.replace(endpoint, function=function)
        return self.functions[key]

    def _bound(self, generative: tuple[str, ...], inferring: tuple[str, ...], k: int) -> Any:
        """The bound of k draws as a function of a batch and a seed, traced once."""
        key = f"bound of {k}"
        if key not in self.functions:
            chunk = max(c for c in range(1, min(k, _MOST_DRAWS) + 1) if k % c == 0)
            if chunk < k and 100 * chunk < _MOST_DRAWS:
                raise ValueError(
                    f"log_prob_bound() takes more than {_MOST_DRAWS} draws in equal parts of at most so many, which "
                    f"k={k} has only of {chunk}, and would take long. Take k={round(k / _MOST_DRAWS) * _MOST_DRAWS}."
                )

            def of_batch(values: dict[str, tf.Tensor], seed: tf.Tensor) -> tf.Tensor:
                start = self.joint.sample(values, training=False)
                bound = E(ImportanceWeightedBound(generative, inferring), Ancestral(inferring, k=k, chunk=chunk))
                bounds = -bound.by_example(bound.under(start, seed))
                foreign_noise.refuse("log_prob_bound()")
                return tf.where(guards.holds(self.joint, values), bounds, float("nan"))

            self.functions[key] = traced(reduce_retracing=True)(of_batch)
        return self.functions[key]

    def _codes(self, k: int) -> Any:
        """k draws of each code, [k, B, ...], and which rows have some, as a function of a batch and a seed."""
        key = f"{k} codes"
        if key not in self.functions:

            def of_batch(values: dict[str, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                start, ok = self.joint.sample(values, training=False), guards.holds(self.joint, values)
                codes = Draw("encoder", k=k).take(start, seed)[self.joint.roles["encoder"].of]
                rows = tf.reshape(ok, [1, -1, *[1] * (codes.shape.rank - 2)])
                return tf.where(rows, codes, float("nan")), ok

            self.functions[key] = traced(reduce_retracing=True)(of_batch)
        return self.functions[key]

    def _ask(self, name: str, first: Any, given: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        endpoint = self._endpoint(name)
        return self._answer(f"{name}()", endpoint, given_inputs(self.joint, name, endpoint.inputs, (first,), given))

    def _answer(
        self, door: str, endpoint: Endpoint, values: dict[str, tf.Tensor], **seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        outputs = endpoint.function(**seed, **values)
        guards.check(self.joint, door, values, outputs["ok"])
        return outputs


def _parts(joint: Joint) -> str:
    return ", ".join(f"'{name}': {role}" for name, role in joint.roles.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
