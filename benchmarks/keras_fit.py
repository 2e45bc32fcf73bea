"""The same training as a competent Keras user writes it by hand: a `train_step`, a `tf.data` pipeline, and `fit()`."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks import turns, works

layers = keras.layers


def mlp(sizes: list[int], leak: float, last: str | None = None) -> keras.Model:
    model = keras.Sequential([keras.Input([sizes[0]])])
    for size in sizes[1:-1]:
        model.add(layers.Dense(size))
        model.add(layers.LeakyReLU(leak) if leak else layers.ReLU())
    model.add(layers.Dense(sizes[-1], activation=last))
    return model


def batch_norm() -> keras.layers.Layer:
    return layers.BatchNormalization(momentum=works.BATCH_NORM_MOMENTUM, epsilon=works.BATCH_NORM_EPSILON)


def dcgan(code: int) -> tuple[keras.Model, keras.Model]:
    decoder = keras.Sequential(
        [
            keras.Input([code]),
            layers.Dense(7 * 7 * 128, use_bias=False),
            layers.Reshape([7, 7, 128]),
            batch_norm(),
            layers.ReLU(),
            layers.Conv2DTranspose(64, 5, 2, padding="same", use_bias=False),
            batch_norm(),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 5, 2, padding="same", activation="tanh"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input([28, 28, 1]),
            layers.Conv2D(64, 5, 2, padding="same"),
            layers.LeakyReLU(works.LEAK),
            layers.Conv2D(128, 5, 2, padding="same", use_bias=False),
            batch_norm(),
            layers.LeakyReLU(works.LEAK),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    return decoder, discriminator


class VAE(keras.Model):
    def __init__(self, encoder: keras.Model, decoder: keras.Model):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.wake = keras.metrics.Mean(name="wake")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.wake]

    def train_step(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            mean, raw = tf.split(self.encoder(x, training=True), 2, axis=1)
            scale = tf.nn.softplus(raw) + works.MIN_SCALE
            logits = self.decoder(mean + scale * tf.random.normal(tf.shape(mean)), training=True)
            distortion = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), 1)
            rate = tf.reduce_sum(0.5 * (mean * mean + scale * scale - 1.0) - tf.math.log(scale), 1)
            loss = tf.reduce_mean(distortion + rate)
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self.wake.update_state(loss)
        return {"wake": self.wake.result()}


class GAN(keras.Model):
    """The decoder's samples serve both halves of a step: the discriminator learns from them, and judges them again."""

    def __init__(self, decoder: keras.Model, discriminator: keras.Model, code: int):
        super().__init__()
        self.decoder, self.discriminator, self.code = decoder, discriminator, code
        self.discriminate, self.generate = keras.metrics.Mean(name="discriminate"), keras.metrics.Mean(name="generate")

    def compile(self, optimizer: Any, judge: Any, **kwargs: Any) -> None:
        super().compile(optimizer=optimizer, **kwargs)
        self.judge = judge

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.discriminate, self.generate]

    def train_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as through_decoder:
            fake = self.decoder(tf.random.normal([tf.shape(real)[0], self.code]), training=True)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(-self.discriminator(real, training=True)))
            loss += tf.reduce_mean(tf.nn.softplus(self.discriminator(fake, training=True)))
        weights = self.discriminator.trainable_weights
        self.judge.apply(tape.gradient(loss, weights), weights)
        with tf.GradientTape() as through_discriminator:
            through_discriminator.watch(fake)
            fooling = tf.reduce_mean(tf.nn.softplus(-self.discriminator(fake, training=True)))
        pulled = through_discriminator.gradient(fooling, fake)
        weights = self.decoder.trainable_weights
        self.optimizer.apply(through_decoder.gradient(fake, weights, pulled), weights)
        self.discriminate.update_state(loss)
        self.generate.update_state(fooling)
        return {"discriminate": self.discriminate.result(), "generate": self.generate.result()}


class Clock(keras.callbacks.Callback):
    """Tells the turns what `fit()` has trained.

    Args:
        setup: The contender's setup.
        steps: A variable that counts training steps (the number that Keras gives to callbacks goes past an epoch's
            end where `steps_per_execution` does not divide it).
        facts: What to report with the losses.
        suffix: Ending of the losses' names in the logs.
    """

    def __init__(self, setup: turns.Setup, steps: Any, facts: dict[str, Any], suffix: str = ""):
        super().__init__()
        self.setup, self.steps, self.facts, self.suffix = setup, steps, facts, suffix
        self.done = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        before, self.done = self.done, int(self.steps)
        if before >= self.setup.work.check_steps:
            self.setup.turns.trained((self.done - before) * self.setup.work.batch)
        elif self.done >= self.setup.work.check_steps:
            found = (logs or {}).items()
            losses = {k.removesuffix(self.suffix): float(v) for k, v in found if k.endswith(self.suffix)}
            self.setup.turns.ready(losses=losses, **self.facts)


def pipeline(setup: turns.Setup) -> tf.data.Dataset:
    """Shuffled batches: x, float32."""
    work = setup.work
    flat = work.network == "mlp"
    images = setup.images.reshape(len(setup.images), -1) if flat else setup.images

    def prepare(pixels: tf.Tensor) -> tf.Tensor:
        x = tf.cast(pixels, tf.float32) / 255.0
        if work.recipe == "vae":
            return tf.cast(tf.random.uniform(tf.shape(x)) < x, tf.float32)
        return x if flat else 2.0 * x - 1.0

    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(work.batch, drop_remainder=True)
    return dataset.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def train(setup: turns.Setup) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(setup.threads)
    work, start = setup.work, works.initial_weights(setup.work)
    hyperparameters = (work.learning_rate, work.beta_1, works.ADAM_BETA_2, works.ADAM_EPSILON)
    adam = [keras.optimizers.Adam(*hyperparameters) for _ in range(2)]
    how = {"jit_compile": work.network == "mlp", "steps_per_execution": work.superstep}
    if work.recipe == "vae":
        encoder, decoder = mlp([784, 500, 500, 2 * work.code], 0.0), mlp([work.code, 500, 500, 784], 0.0)
        networks = {"encoder": encoder, "decoder": decoder}
        model = VAE(**networks)
        model.compile(optimizer=adam[0], **how)
    else:
        if work.network == "dcgan":
            networks = dict(zip(("decoder", "discriminator"), dcgan(work.code), strict=True))
        else:
            decoder = mlp([work.code, 256, 512, 784], works.LEAK, last="sigmoid")
            networks = {"decoder": decoder, "discriminator": mlp([784, 512, 256, 1], works.LEAK)}
        model = GAN(**networks, code=work.code)
        model.compile(optimizer=adam[0], judge=adam[1], **how)
    for name, network in networks.items():
        for weight, value in zip(network.trainable_weights, start[name], strict=True):
            weight.assign(value)
    counts = {name: sum(int(np.prod(w.shape)) for w in n.trainable_weights) for name, n in networks.items()}
    facts = {"parameters": counts, "versions": {"tensorflow": tf.__version__, "keras": keras.__version__}}
    model.fit(pipeline(setup), epochs=10**6, verbose=0, callbacks=[Clock(setup, adam[0].iterations, facts)])


if __name__ == "__main__":
    turns.start(train)
