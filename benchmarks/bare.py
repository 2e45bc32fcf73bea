"""The strongest hand-written TensorFlow loop: what a program costs that does nothing but this one training.

Data on the device, draws by TensorFlow's own philox kernels for many steps at once, Adam written out; dense networks as
one XLA program that loops over these steps (convolutions, which XLA runs slowly on a CPU: see bare_dcgan.py).
Nothing here is reusable, on purpose.  The contender "usual" is the same of a GAN that generates for each phase anew.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import bare_dcgan, turns, works

State = dict[str, dict[str, list[tf.Tensor]]]  # "weights", "m", "v" -> network -> tensors
Draws = dict[str, tf.Tensor]


def _mlp(weights: list[tf.Tensor], x: tf.Tensor, leak: float) -> tf.Tensor:
    for i in range(0, len(weights), 2):
        x = x @ weights[i] + weights[i + 1]
        if i + 2 < len(weights):
            x = tf.nn.leaky_relu(x, leak) if leak else tf.nn.relu(x)
    return x


def _adam(work: works.Work, state: State, step: tf.Tensor, network: str, gradients: list[tf.Tensor]) -> None:
    """Updates one network of the state, at step 0, 1, ..."""
    t = tf.cast(step + 1, tf.float32)
    rate = work.learning_rate * tf.sqrt(1.0 - works.ADAM_BETA_2**t) / (1.0 - work.beta_1**t)
    m = [m + (1.0 - work.beta_1) * (g - m) for m, g in zip(state["m"][network], gradients, strict=True)]
    v = [v + (1.0 - works.ADAM_BETA_2) * (g * g - v) for v, g in zip(state["v"][network], gradients, strict=True)]
    moves = [rate * a / (tf.sqrt(b) + works.ADAM_EPSILON) for a, b in zip(m, v, strict=True)]
    state["weights"][network] = [w - move for w, move in zip(state["weights"][network], moves, strict=True)]
    state["m"][network], state["v"][network] = m, v


def draw(work: works.Work, pixels: tf.Tensor, first: tf.Tensor, usual: bool = False) -> Draws:
    """All that is random in a superstep, without XLA, whose philox is slower; from pixels, uint8 [S, B, 784].

    Args:
        work: What is trained.
        pixels: The data.
        first: The first step's number.
        usual: Whether each phase of a GAN has codes of its own.
    """
    shape = tf.shape(pixels)

    def uniform(purpose: int) -> tf.Tensor:  # uint16, four of them from 64 random bits
        words = tf.random.stateless_uniform(
            [tf.size(pixels) // 4], [first, purpose], None, None, tf.int64, alg="philox"
        )
        return tf.reshape(tf.bitcast(words, tf.uint16), shape)

    def normal(purpose: int, *draws: int) -> tf.Tensor:
        return tf.random.stateless_normal([shape[0], *draws, shape[1], work.code], [first, purpose], alg="philox")

    if work.recipe in ("gan", "iwgan", "bigan"):
        return {"pixels": pixels, "z": normal(0)} | ({"other_z": normal(1)} if usual else {})
    bits = tf.cast(uniform(0), tf.float32) * (255.0 / 65536.0) < tf.cast(pixels, tf.float32)
    if work.recipe == "iwae":
        return {"bits": tf.cast(bits, tf.uint8), "noise": normal(1, work.draws)}
    draws = {"bits": tf.cast(bits, tf.uint8), "noise": normal(1)}
    if work.recipe == "aavae":
        draws |= {"z": normal(2), "uniform": uniform(3), "fake_noise": normal(4)}
    return draws


class _Steps:
    """One training step of each recipe: changes the state, and returns losses in nats."""

    def __init__(self, work: works.Work):
        self.work = work

    def usual_gan(self, state: State, step: tf.Tensor, draws: Draws) -> list[tf.Tensor]:
        """As most programs have it: samples of its own for each phase."""
        real, weights = tf.cast(draws["pixels"], tf.float32) / 255.0, state["weights"]["decoder"]
        discriminate = self._discriminate(state, step, real, tf.sigmoid(_mlp(weights, draws["z"], works.LEAK)))
        with tf.GradientTape() as tape:
            tape.watch(weights)
            fake = tf.sigmoid(_mlp(weights, draws["other_z"], works.LEAK))
            generate = bare_dcgan.fool(self.work, _mlp(state["weights"]["discriminator"], fake, works.LEAK)[:, 0])
        _adam(self.work, state, step, "decoder", tape.gradient(generate, weights))
        return [discriminate, generate]

    def _negative_elbo(self, weights: dict[str, list[tf.Tensor]], x: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        mean, raw = tf.split(_mlp(weights["encoder"], x, 0.0), 2, axis=1)
        scale = tf.nn.softplus(raw) + works.MIN_SCALE
        logits = _mlp(weights["decoder"], mean + scale * noise, 0.0)
        distortion = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), 1)
        rate = tf.reduce_sum(0.5 * (mean * mean + scale * scale - 1.0) - tf.math.log(scale), 1)
        return distortion + rate

    def vae(self, state: State, step: tf.Tensor, draws: Draws) -> list[tf.Tensor]:
        x, weights = tf.cast(draws["bits"], tf.float32), state["weights"]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.reduce_mean(self._negative_elbo(weights, x, draws["noise"]))
        for network, gradients in tape.gradient(loss, dict(weights)).items():
            _adam(self.work, state, step, network, gradients)
        return [loss]

    def iwae(self, state: State, step: tf.Tensor, draws: Draws) -> list[tf.Tensor]:
        x, weights, noise = tf.cast(draws["bits"], tf.float32), state["weights"], draws["noise"]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            mean, raw = tf.split(_mlp(weights["encoder"], x, 0.0), 2, axis=1)
            scale = tf.nn.softplus(raw) + works.MIN_SCALE
            z = mean + scale * noise  # [k, B, n]
            logits = _mlp(weights["decoder"], tf.reshape(z, [-1, self.work.code]), 0.0)
            logits = tf.reshape(logits, [self.work.draws, -1, 784])
            log_w = -tf.reduce_sum(tf.nn.softplus(logits) - x * logits, -1)
            log_w += tf.reduce_sum(0.5 * (noise * noise - z * z) + tf.math.log(scale), -1)
            loss = np.log(self.work.draws) - tf.reduce_mean(tf.reduce_logsumexp(log_w, 0))
        for network, gradients in tape.gradient(loss, dict(weights)).items():
            _adam(self.work, state, step, network, gradients)
        return [loss]

    def aavae(self, state: State, step: tf.Tensor, draws: Draws) -> list[tf.Tensor]:
        """Equation 17: the discriminator learns first; then it weights data and the same samples."""
        x, weights = tf.cast(draws["bits"], tf.float32), state["weights"]
        probability = tf.sigmoid(_mlp(weights["decoder"], draws["z"], 0.0))
        fake = tf.cast(tf.cast(draws["uniform"], tf.float32) < 65536.0 * probability, tf.float32)
        discriminate = self._discriminate(state, step, x, fake)
        trained = {name: weights[name] for name in ("encoder", "decoder")}
        with tf.GradientTape() as tape:
            tape.watch(trained)
            parts = []
            for examples, noise in ((x, draws["noise"]), (fake, draws["fake_noise"])):
                weight = tf.sigmoid(_mlp(weights["discriminator"], examples, works.LEAK)[:, 0])
                parts.append(tf.reduce_mean(weight * self._negative_elbo(trained, examples, noise)))
            loss = 0.5 * (parts[0] + parts[1])
        for network, gradients in tape.gradient(loss, trained).items():
            _adam(self.work, state, step, network, gradients)
        return [discriminate, loss]

    def _discriminate(self, state: State, step: tf.Tensor, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        weights = state["weights"]["discriminator"]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.reduce_mean(tf.nn.softplus(-_mlp(weights, real, works.LEAK)))
            loss += tf.reduce_mean(tf.nn.softplus(_mlp(weights, fake, works.LEAK)))
        _adam(self.work, state, step, "discriminator", tape.gradient(loss, weights))
        return loss

    def gan(self, state: State, step: tf.Tensor, draws: Draws) -> list[tf.Tensor]:
        """The samples serve both phases; in the second, the gradient goes back through the one forward pass."""
        real, weights = tf.cast(draws["pixels"], tf.float32) / 255.0, state["weights"]["decoder"]
        with tf.GradientTape() as through_decoder:
            through_decoder.watch(weights)
            fake = tf.sigmoid(_mlp(weights, draws["z"], works.LEAK))
        discriminate = self._discriminate(state, step, real, fake)
        with tf.GradientTape() as through_discriminator:
            through_discriminator.watch(fake)
            logits = _mlp(state["weights"]["discriminator"], fake, works.LEAK)[:, 0]
            generate = bare_dcgan.fool(self.work, logits)
        pulled = through_discriminator.gradient(generate, fake)
        _adam(self.work, state, step, "decoder", through_decoder.gradient(fake, weights, pulled))
        return [discriminate, generate]

    iwgan = gan  # the weights are in `fool`

    def bigan(self, state: State, step: tf.Tensor, draws: Draws) -> list[tf.Tensor]:
        """As `gan`, of pairs: the forward passes of decoder and encoder serve both phases."""
        x, z = tf.cast(draws["pixels"], tf.float32) / 255.0, draws["z"]
        trained = {name: state["weights"][name] for name in ("decoder", "encoder")}
        with tf.GradientTape(persistent=True) as through:
            through.watch(trained)
            made = [tf.sigmoid(_mlp(trained["decoder"], z, works.LEAK)), _mlp(trained["encoder"], x, works.LEAK)]
        pairs = tf.concat([x, made[1]], 1), tf.concat([made[0], z], 1)
        discriminate = self._discriminate(state, step, *pairs)
        with tf.GradientTape() as through_discriminator:
            through_discriminator.watch(made)
            real, fake = tf.concat([x, made[1]], 1), tf.concat([made[0], z], 1)
            generate = tf.reduce_mean(tf.nn.softplus(-_mlp(state["weights"]["discriminator"], fake, works.LEAK)))
            generate += tf.reduce_mean(tf.nn.softplus(_mlp(state["weights"]["discriminator"], real, works.LEAK)))
        pulled = through_discriminator.gradient(generate, made)
        for name, value, gradient in zip(("decoder", "encoder"), made, pulled, strict=True):
            _adam(self.work, state, step, name, through.gradient(value, trained[name], gradient))
        return [discriminate, generate]


def train(setup: turns.Setup) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(setup.threads)
    if setup.work.network == "dcgan":
        bare_dcgan.train(setup)
    work, start = setup.work, works.initial_weights(setup.work)
    data = tf.constant(setup.images.reshape(len(setup.images), -1))
    zeros = {name: [tf.zeros_like(w) for w in arrays] for name, arrays in start.items()}
    state: State = {"weights": {n: [tf.constant(w) for w in a] for n, a in start.items()}, "m": zeros, "v": zeros}
    usual = setup.contender == "usual"
    one_step = getattr(_Steps(work), f"usual_{work.recipe}" if usual else work.recipe)
    alone = {"vae": ["wake"], "iwae": ["wake"], "aavae": ["discriminate", "wake"]}
    names = alone.get(work.recipe, ["discriminate", "generate"])

    @tf.function(jit_compile=True)
    def loop(state: State, draws: Draws, first: tf.Tensor) -> Any:
        def body(i: tf.Tensor, state: State, sums: tf.Tensor) -> tuple[tf.Tensor, State, tf.Tensor]:
            state = {slot: dict(networks) for slot, networks in state.items()}
            losses = one_step(state, first + i, {name: values[i] for name, values in draws.items()})
            return i + 1, state, sums + tf.stack(losses)

        end = tf.while_loop(lambda i, *_: i < work.superstep, body, (0, state, tf.zeros(len(names))))
        return end[1], end[2] / work.superstep

    @tf.function
    def superstep(state: State, rows: tf.Tensor, first: tf.Tensor) -> Any:
        return loop(state, draw(work, tf.gather(data, rows), first, usual), first)

    losses, step = [], 0
    for rows in setup.rows():
        state, mean = superstep(state, tf.constant(rows), tf.constant(step))
        step += work.superstep
        losses.append(mean.numpy())
        if step == work.check_steps:
            means = dict(zip(names, np.mean(losses, 0).tolist(), strict=True))
            versions = {"tensorflow": tf.__version__}
            setup.turns.ready(parameters=works.num_parameters(start), losses=means, versions=versions)
        elif step > work.check_steps:
            setup.turns.trained(rows.size)


if __name__ == "__main__":
    turns.start(train)
