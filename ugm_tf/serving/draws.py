"""Questions about draws: with noise that the client gives, with several draws a row, and between two codes."""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from ugm_tf.inference.endpoints import noise_specs
from ugm_tf.inference.guards import masked
from ugm_tf.model import UnifiedModel
from ugm_tf.serving.questions import Question

__all__ = ["DRAWS", "MOST_DRAWS", "UNIFORM", "interpolate", "noise", "several"]

DRAWS, MOST_DRAWS = 8, 64  # of a row of `sample_draws`, and at most of `score_draws`
UNIFORM = "in (0, 1)"  # values of uniform noise, in words

Values = dict[str, tf.Tensor]


def noise(model: UnifiedModel, found: Mapping[str, Question], max_batch: int) -> dict[str, Question]:
    """`sample_noise` and `score_noise`: the noise of each draw is an input, so that runtimes without a generator of
    random numbers by row have them, too."""
    out = {}
    for name, question in found.items():
        laws = noise_specs(model.joint, question.endpoint.draws)
        if "seed" in question.inputs and laws:
            out[f"{name}_noise"] = _by_noise(model, question, laws)
    return out


def _by_noise(model: UnifiedModel, question: Question, laws: Mapping[str, tuple[str, tf.TensorSpec]]) -> Question:
    names = {density: spec.name for density, (_, spec) in laws.items()}
    uniform = {spec.name for law, spec in laws.values() if law == "uniform"}
    inputs = {spec.name: spec for _, spec in laws.values()}
    inputs |= {name: spec for name, spec in question.inputs.items() if name != "seed"}

    def asked(**values: tf.Tensor) -> Values:
        given = {density: values.pop(name) for density, name in names.items()}
        return question.endpoint.function(seed=given, **values)

    answering = masked(model.joint, dataclasses.replace(question.endpoint, function=asked, inputs=inputs))

    def function(**values: tf.Tensor) -> Values:
        inside = {n: tf.where((v > 0.0) & (v < 1.0), v, float("nan")) for n, v in values.items() if n in uniform}
        return answering.function(**values | inside)

    rules = question.values | {name: UNIFORM if name in uniform else "finite" for name in names.values()}
    answers = f"{question.answers}; by standard noise in place of a seed"
    return dataclasses.replace(question, function=function, inputs=inputs, values=rules, answers=answers, images={})


def several(model: UnifiedModel, found: Mapping[str, Question], max_batch: int) -> dict[str, Question]:
    """`sample_draws`, of `DRAWS` samples a row, and `score_draws`, a bound by as many draws as each row asks for."""
    out = {}
    if "sample" in found:
        out["sample_draws"] = _samples(found["sample"])
    if "score" in found and "seed" in found["score"].inputs:
        out["score_draws"] = _bound(found["score"])
    return out


def _samples(question: Question) -> Question:
    def function(seed: tf.Tensor, **values: tf.Tensor) -> Values:
        seeds = tf.reshape(seed[:, tf.newaxis] + _steps(DRAWS), [-1, 2])
        outputs = question.function(seed=seeds, **{name: tf.repeat(value, DRAWS, 0) for name, value in values.items()})
        split = {n: tf.reshape(v, tf.concat([[-1, DRAWS], tf.shape(v)[1:]], 0)) for n, v in outputs.items()}
        return split | {"ok": tf.reduce_all(split["ok"], 1)}

    answers = f"{question.answers}; {DRAWS} of each row, by the seeds [s, r], [s + 1, r], ..."
    return dataclasses.replace(question, function=function, answers=answers, images={})


def _bound(question: Question) -> Question:
    """The importance-weighted bound log 1/k sum_j w_j, of k draws a row (Burda et al., 2016, equation 8)."""

    def function(k: tf.Tensor, seed: tf.Tensor, **values: tf.Tensor) -> Values:
        known = (k >= 1) & (k <= MOST_DRAWS)
        number = tf.where(known, k, 1)

        def step(j: tf.Tensor, total: tf.Tensor, ok: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            outputs = question.function(seed=seed + tf.stack([j, 0]), **values)
            more = tf.reduce_logsumexp(tf.stack([total, outputs["elbo"]]), 0)
            return j + 1, tf.where(j < number, more, total), ok & outputs["ok"]

        rows = tf.shape(k)
        start = (tf.constant(0), tf.fill(rows, -float("inf")), tf.fill(rows, True))
        _, total, ok = tf.while_loop(lambda j, *_: j < tf.reduce_max(number), step, start)
        ok &= known
        return {"bound": tf.where(ok, total - tf.math.log(tf.cast(number, tf.float32)), float("nan")), "ok": ok}

    inputs = {"k": tf.TensorSpec([None], tf.int32, name="k"), **question.inputs}
    values = question.values | {"k": f"numbers of draws, 1 to {MOST_DRAWS}"}
    answers = "bound, on the log-probability in nats, by k draws"
    return dataclasses.replace(question, function=function, inputs=inputs, values=values, answers=answers, images={})


def interpolate(model: UnifiedModel, found: Mapping[str, Question], max_batch: int) -> dict[str, Question]:
    """`interpolate`: what lies between two codes of a prior, spherically where that is a standard Gaussian."""
    question = found.get("decode")
    priors = {role.of: name for name, role in model.joint.roles.items() if not role.given}
    codes = [v for v, spec in question.inputs.items() if v in priors and spec.shape.rank == 2] if question else []
    codes = [v for v in codes if question is not None and question.values[v].startswith(("finite", "in ["))]
    if question is None or not codes:
        return {}
    code, end = codes[0], f"{codes[0]}_end"
    prior = model.joint.densities[priors[code]]
    spherical = prior.family.noise == "normal" and not prior.variables  # one that learned may lie anywhere

    def function(position: tf.Tensor, **values: tf.Tensor) -> Values:
        inside = tf.where((position >= 0.0) & (position <= 1.0), position, float("nan"))[:, tf.newaxis]
        first, last = values[code], values.pop(end)
        return question.function(**values | {code: (_sphere if spherical else _line)(first, last, inside)})

    inputs = question.inputs | {
        end: tf.TensorSpec(question.inputs[code].shape, tf.float32, name=end),
        "position": tf.TensorSpec([None], tf.float32, name="position"),
    }
    values = question.values | {end: question.values[code], "position": "in [0, 1]"}
    answers = f"{question.answers} between two codes, at position 0 the first and at 1 the last"
    made = dataclasses.replace(question, function=function, inputs=inputs, values=values, answers=answers, images={})
    return {"interpolate": made}


def _line(first: tf.Tensor, last: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    return (1.0 - position) * first + position * last


def _sphere(first: tf.Tensor, last: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Along the great circle, so that a Gaussian code stays as long as one (White, 2016); else along the line."""
    cosine = tf.reduce_sum(tf.math.l2_normalize(first, -1) * tf.math.l2_normalize(last, -1), -1, keepdims=True)
    angle = tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))
    sine = tf.sin(angle)
    apart = sine > 1e-3
    safe = tf.where(apart, sine, 1.0)
    bent = (tf.sin((1.0 - position) * angle) * first + tf.sin(position * angle) * last) / safe
    return tf.where(apart, bent, _line(first, last, position))


def _steps(number: int) -> tf.Tensor:
    """What to add to a seed for each of its draws, [number, 2]."""
    return tf.stack([tf.range(number), tf.zeros([number], tf.int32)], 1)
