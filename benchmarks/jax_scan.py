"""The same training in JAX: one program that scans over the steps of a superstep; no TensorFlow is imported here.

Draws are of JAX's generator `unsafe_rbg`, the fastest on a CPU; Adam is written out.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import turns, works

Weights = dict[str, list[jax.Array]]
State = tuple[Weights, Weights, Weights, dict[str, Any]]  # weights, Adam's two moments, moving averages


def mlp(weights: list[jax.Array], x: jax.Array, leak: float) -> jax.Array:
    for i in range(0, len(weights), 2):
        x = x @ weights[i] + weights[i + 1]
        if i + 2 < len(weights):
            x = jax.nn.leaky_relu(x, leak) if leak else jax.nn.relu(x)
    return x


def bernoulli(logits: jax.Array, x: jax.Array) -> jax.Array:
    """-log p(x) of bits, summed over the last axis."""
    return jnp.sum(jax.nn.softplus(logits) - x * logits, -1)


def encode(work: works.Work, weights: Weights, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    mean, raw = jnp.split(mlp(weights["encoder"], x, 0.0), 2, axis=1)
    return mean, jax.nn.softplus(raw) + works.MIN_SCALE


def negative_elbo(work: works.Work, weights: Weights, x: jax.Array, key: jax.Array) -> jax.Array:
    mean, scale = encode(work, weights, x)
    noise = jax.random.normal(key, mean.shape)
    rate = jnp.sum(0.5 * (mean * mean + scale * scale - 1.0) - jnp.log(scale), 1)
    return bernoulli(mlp(weights["decoder"], mean + scale * noise, 0.0), x) + rate


def negative_iwae(work: works.Work, weights: Weights, x: jax.Array, key: jax.Array) -> jax.Array:
    mean, scale = encode(work, weights, x)
    noise = jax.random.normal(key, (work.draws, *mean.shape))
    z = mean + scale * noise
    log_w = -bernoulli(mlp(weights["decoder"], z, 0.0), x)
    log_w += jnp.sum(0.5 * (noise * noise - z * z) + jnp.log(scale), -1)
    return np.log(work.draws) - jax.nn.logsumexp(log_w, 0)


def fool(work: works.Work, logits: jax.Array) -> jax.Array:
    """What the decoder minimises: equation 5, or 16 for the importance-weighted GAN."""
    if work.recipe == "iwgan":
        return jnp.sum(jax.lax.stop_gradient(jax.nn.softmax(logits)) * jax.nn.softplus(-logits))
    return jnp.mean(jax.nn.softplus(-logits))


def tell(real: jax.Array, fake: jax.Array) -> jax.Array:
    """What the discriminator minimises, of its logits."""
    return jnp.mean(jax.nn.softplus(-real)) + jnp.mean(jax.nn.softplus(fake))


def adam(work: works.Work, state: State, step: jax.Array, gradients: Weights) -> State:
    """Updates the networks that have gradients, at step 0, 1, ..."""
    t = (step + 1).astype(jnp.float32)
    rate = work.learning_rate * jnp.sqrt(1.0 - works.ADAM_BETA_2**t) / (1.0 - work.beta_1**t)
    weights, first, second, averages = dict(state[0]), dict(state[1]), dict(state[2]), state[3]
    for name, found in gradients.items():
        first[name] = [m + (1.0 - work.beta_1) * (g - m) for m, g in zip(first[name], found, strict=True)]
        second[name] = [v + (1.0 - works.ADAM_BETA_2) * (g * g - v) for v, g in zip(second[name], found, strict=True)]
        moves = zip(weights[name], first[name], second[name], strict=True)
        weights[name] = [w - rate * m / (jnp.sqrt(v) + works.ADAM_EPSILON) for w, m, v in moves]
    return weights, first, second, averages


def wake(work: works.Work, state: State, step: jax.Array, pixels: jax.Array, key: jax.Array) -> Any:
    """VAE and IWAE."""
    bits, noise = jax.random.split(key)
    x = binarised(pixels, bits)
    bound = negative_iwae if work.recipe == "iwae" else negative_elbo
    loss, gradients = jax.value_and_grad(lambda w: jnp.mean(bound(work, w, x, noise)))(state[0])
    return adam(work, state, step, gradients), [loss]


def binarised(pixels: jax.Array, key: jax.Array) -> jax.Array:
    threshold = jax.random.bits(key, pixels.shape, jnp.uint16).astype(jnp.float32) * (255.0 / 65536.0)
    return (threshold < pixels.astype(jnp.float32)).astype(jnp.float32)


def aavae(work: works.Work, state: State, step: jax.Array, pixels: jax.Array, key: jax.Array) -> Any:
    """Equation 17: the discriminator learns first; then it weights data and the same samples."""
    bits, code, drawn, noise, fake_noise = jax.random.split(key, 5)
    x = binarised(pixels, bits)
    probability = jax.nn.sigmoid(mlp(state[0]["decoder"], jax.random.normal(code, (work.batch, work.code)), 0.0))
    fake = (jax.random.bits(drawn, x.shape, jnp.uint16).astype(jnp.float32) < 65536.0 * probability).astype(jnp.float32)
    state, first = judge(work, state, step, x, fake)

    def weighted(trained: Weights) -> jax.Array:
        parts = []
        for examples, own in ((x, noise), (fake, fake_noise)):
            weight = jax.nn.sigmoid(mlp(state[0]["discriminator"], examples, works.LEAK)[:, 0])
            parts.append(jnp.mean(weight * negative_elbo(work, trained, examples, own)))
        return 0.5 * (parts[0] + parts[1])

    loss, gradients = jax.value_and_grad(weighted)({n: state[0][n] for n in ("encoder", "decoder")})
    return adam(work, state, step, gradients), [first, loss]


def judge(work: works.Work, state: State, step: jax.Array, real: jax.Array, fake: jax.Array) -> Any:
    def of(weights: list[jax.Array]) -> jax.Array:
        return tell(mlp(weights, real, works.LEAK), mlp(weights, fake, works.LEAK))

    loss, gradients = jax.value_and_grad(of)(state[0]["discriminator"])
    return adam(work, state, step, {"discriminator": gradients}), loss


def gan(work: works.Work, state: State, step: jax.Array, pixels: jax.Array, key: jax.Array) -> Any:
    """The samples serve both phases; in the second, the gradient goes back through the one forward pass."""
    real, z = pixels.astype(jnp.float32) / 255.0, jax.random.normal(key, (work.batch, work.code))
    fake, back = jax.vjp(lambda w: jax.nn.sigmoid(mlp(w, z, works.LEAK)), state[0]["decoder"])
    state, first = judge(work, state, step, real, fake)
    weights = state[0]["discriminator"]
    second, pulled = jax.value_and_grad(lambda x: fool(work, mlp(weights, x, works.LEAK)[:, 0]))(fake)
    return adam(work, state, step, {"decoder": back(pulled)[0]}), [first, second]


def bigan(work: works.Work, state: State, step: jax.Array, pixels: jax.Array, key: jax.Array) -> Any:
    """As `gan`, of pairs: the forward passes of decoder and encoder serve both phases."""
    x, z = pixels.astype(jnp.float32) / 255.0, jax.random.normal(key, (work.batch, work.code))

    def make(trained: Weights) -> tuple[jax.Array, jax.Array]:
        return jax.nn.sigmoid(mlp(trained["decoder"], z, works.LEAK)), mlp(trained["encoder"], x, works.LEAK)

    def pairs(made: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        return jnp.concatenate([x, made[1]], 1), jnp.concatenate([made[0], z], 1)

    made, back = jax.vjp(make, {n: state[0][n] for n in ("decoder", "encoder")})
    state, first = judge(work, state, step, *pairs(made))
    weights = state[0]["discriminator"]

    def swapped(made: tuple[jax.Array, jax.Array]) -> jax.Array:
        real, fake = pairs(made)
        return tell(mlp(weights, fake, works.LEAK), mlp(weights, real, works.LEAK))

    second, pulled = jax.value_and_grad(swapped)(made)
    return adam(work, state, step, back(pulled)[0]), [first, second]


def convolved(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jax.lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def deconvolved(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Of a kernel [h, w, out, in], as Keras has it: the gradient of a convolution of stride 2."""
    return jax.lax.conv_transpose(
        x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), transpose_kernel=True
    )


class Averages:
    """Batch normalisation, whose moving averages are kept in the order in which layers are run."""

    def __init__(self, moving: list[Any]):
        self.moving = moving
        self.moved: list[Any] = []

    def __call__(self, x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
        axes = tuple(range(x.ndim - 1))
        mean, variance = jnp.mean(x, axes), jnp.var(x, axes)
        old = self.moving[len(self.moved)]
        kept = works.BATCH_NORM_MOMENTUM
        self.moved.append([kept * a + (1.0 - kept) * b for a, b in zip(old, (mean, variance), strict=True)])
        return (x - mean) * (gamma * jax.lax.rsqrt(variance + works.BATCH_NORM_EPSILON)) + beta


def dcgan_decoder(w: list[jax.Array], z: jax.Array, moving: list[Any]) -> tuple[jax.Array, list[Any]]:
    norm = Averages(moving)
    y = jax.nn.relu(norm((z @ w[0]).reshape(-1, 7, 7, 128), w[1], w[2]))
    y = jax.nn.relu(norm(deconvolved(y, w[3]), w[4], w[5]))
    return jnp.tanh(deconvolved(y, w[6]) + w[7]), norm.moved


def dcgan_discriminator(w: list[jax.Array], x: jax.Array, moving: list[Any]) -> tuple[jax.Array, list[Any]]:
    norm = Averages(moving)
    y = jax.nn.leaky_relu(convolved(x, w[0]) + w[1], works.LEAK)
    y = jax.nn.leaky_relu(norm(convolved(y, w[2]), w[3], w[4]), works.LEAK)
    return (y.reshape(len(y), -1) @ w[5] + w[6])[:, 0], norm.moved


def dcgan(work: works.Work, state: State, step: jax.Array, pixels: jax.Array, key: jax.Array) -> Any:
    """As `gan`, with convolutions."""
    real = pixels.reshape(-1, 28, 28, 1).astype(jnp.float32) * (2.0 / 255.0) - 1.0
    z = jax.random.normal(key, (work.batch, work.code))
    moving = dict(state[3])

    def make(w: list[jax.Array]) -> tuple[jax.Array, list[Any]]:
        return dcgan_decoder(w, z, moving["decoder"])

    fake, back, moving["decoder"] = jax.vjp(make, state[0]["decoder"], has_aux=True)

    def of(w: list[jax.Array]) -> tuple[jax.Array, list[Any]]:
        first, moved = dcgan_discriminator(w, real, moving["discriminator"])
        second, moved = dcgan_discriminator(w, fake, moved)
        return tell(first, second), moved

    (first, moving["discriminator"]), gradients = jax.value_and_grad(of, has_aux=True)(state[0]["discriminator"])
    state = adam(work, state, step, {"discriminator": gradients})
    weights = state[0]["discriminator"]

    def fooled(x: jax.Array) -> tuple[jax.Array, list[Any]]:
        logits, moved = dcgan_discriminator(weights, x, moving["discriminator"])
        return fool(work, logits), moved

    (second, moving["discriminator"]), pulled = jax.value_and_grad(fooled, has_aux=True)(fake)
    state = adam(work, state, step, {"decoder": back(pulled)[0]})
    return (*state[:3], moving), [first, second]


STEPS: dict[str, Callable[..., Any]] = {"vae": wake, "iwae": wake, "aavae": aavae, "gan": gan, "iwgan": gan}
STEPS["bigan"] = bigan
NAMES = {"vae": ["wake"], "iwae": ["wake"], "aavae": ["discriminate", "wake"]}


def train(setup: turns.Setup) -> None:
    work, start = setup.work, works.initial_weights(setup.work)
    one_step = dcgan if work.network == "dcgan" else STEPS[work.recipe]
    names = NAMES.get(work.recipe, ["discriminate", "generate"])
    data = jnp.asarray(setup.images.reshape(len(setup.images), -1))
    weights = {name: [jnp.asarray(w) for w in arrays] for name, arrays in start.items()}
    averages = {}
    if work.network == "dcgan":
        averages = {"decoder": [_moving(128), _moving(64)], "discriminator": [_moving(128)]}
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state: State = (weights, zeros, jax.tree.map(jnp.copy, zeros), averages)

    def superstep(state: State, rows: jax.Array, first: jax.Array) -> tuple[State, jax.Array]:
        def body(state: State, at: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array]:
            step, chosen = at
            key = jax.random.fold_in(jax.random.key(0, impl="unsafe_rbg"), step)
            state, losses = one_step(work, state, step, data[chosen], key)
            return state, jnp.stack(losses)

        steps = first + jnp.arange(len(rows))
        if len(rows) == 1:  # convolutions, which XLA runs slowly within a loop
            return body(state, (steps[0], rows[0]))
        state, losses = jax.lax.scan(body, state, (steps, rows))
        return state, jnp.mean(losses, 0)

    run = jax.jit(superstep, donate_argnums=0)
    losses, step = [], 0
    for rows in setup.rows():
        state, mean = run(state, jnp.asarray(rows), jnp.asarray(step))
        step += work.superstep
        losses.append(np.asarray(mean))
        if step == work.check_steps:
            means = dict(zip(names, np.mean(losses, 0).tolist(), strict=True))
            versions = {"jax": jax.__version__}
            setup.turns.ready(parameters=works.num_parameters(start), losses=means, versions=versions)
        elif step > work.check_steps:
            setup.turns.trained(rows.size)


def _moving(channels: int) -> list[jax.Array]:
    return [jnp.zeros(channels), jnp.ones(channels)]


if __name__ == "__main__":
    turns.start(train)
