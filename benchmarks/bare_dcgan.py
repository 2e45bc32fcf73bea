"""The strongest hand-written TensorFlow loop of DCGAN-28: no XLA, fused batch normalisation, fused Adam."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from benchmarks import turns, works

Pair = tuple[tf.Tensor, tf.Tensor]


def fool(work: works.Work, logits: tf.Tensor) -> tf.Tensor:
    """What the decoder minimises: equation 5, or 16 for the importance-weighted GAN."""
    if work.recipe == "iwgan":
        return tf.reduce_sum(tf.stop_gradient(tf.nn.softmax(logits)) * tf.nn.softplus(-logits))
    return tf.reduce_mean(tf.nn.softplus(-logits))


def _upsample(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """conv2d_transpose, 5x5 and stride 2, as a 3x3 convolution to 2x2 blocks: twice as fast to one channel."""
    filters, channels = kernel.shape[2:]
    blocks = tf.reshape(tf.pad(kernel, [[1, 0], [1, 0], [0, 0], [0, 0]]), [3, 2, 3, 2, filters, channels])
    blocks = tf.transpose(tf.reverse(blocks, [0, 2]), [0, 2, 5, 1, 3, 4])
    return tf.nn.depth_to_space(tf.nn.conv2d(x, tf.reshape(blocks, [3, 3, channels, 4 * filters]), 1, "SAME"), 2)


def _to_kernel(image: tf.Tensor, kernel: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.Conv2DBackpropFilter(
        input=image, filter_sizes=kernel.shape, out_backprop=features, strides=[1, 2, 2, 1], padding="SAME"
    )


@tf.custom_gradient
def _from_image(image: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], Pair]]:
    return tf.nn.conv2d(image, kernel, 2, "SAME"), lambda d: (_upsample(d, kernel), _to_kernel(image, kernel, d))


@tf.custom_gradient
def _to_image(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], Pair]]:
    return _upsample(x, kernel), lambda d: (tf.nn.conv2d(d, kernel, 2, "SAME"), _to_kernel(d, kernel, x))


class _BatchNorm:
    """Fused batch normalisation with moving averages, as one needs them to use the network afterwards."""

    def __init__(self, channels: int):
        self.mean, self.variance = tf.Variable(tf.zeros(channels)), tf.Variable(tf.ones(channels))

    def __call__(self, x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=gamma, offset=beta, mean=[], variance=[], epsilon=works.BATCH_NORM_EPSILON, is_training=True
        )
        self.mean.assign_add((1.0 - works.BATCH_NORM_MOMENTUM) * (mean - self.mean))
        self.variance.assign_add((1.0 - works.BATCH_NORM_MOMENTUM) * (variance - self.variance))
        return y


class _Adam:
    def __init__(self, work: works.Work, weights: list[tf.Variable]):
        self.work, self.weights = work, weights
        self.slots = [(tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))) for w in weights]

    def __call__(self, step: tf.Tensor, gradients: list[tf.Tensor]) -> None:
        beta_1, t = self.work.beta_1, tf.cast(step + 1, tf.float32)
        for weight, (m, v), gradient in zip(self.weights, self.slots, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=beta_1**t,
                beta2_power=works.ADAM_BETA_2**t,
                lr=self.work.learning_rate,
                beta1=beta_1,
                beta2=works.ADAM_BETA_2,
                epsilon=works.ADAM_EPSILON,
                grad=gradient,
            )


def train(setup: turns.Setup) -> None:
    work, start = setup.work, works.initial_weights(setup.work)
    data = tf.constant(setup.images)
    decoder, discriminator = ([tf.Variable(w) for w in start[name]] for name in ("decoder", "discriminator"))
    first, second, judge_norm = _BatchNorm(128), _BatchNorm(64), _BatchNorm(128)
    adam_decoder, adam_discriminator = _Adam(work, decoder), _Adam(work, discriminator)

    def generate(z: tf.Tensor) -> tf.Tensor:
        dense, gamma_1, beta_1, kernel_1, gamma_2, beta_2, kernel_2, bias = decoder
        h = tf.nn.relu(first(tf.reshape(z @ dense, [-1, 7, 7, 128]), gamma_1, beta_1))
        h = tf.nn.conv2d_transpose(h, kernel_1, [work.batch, 14, 14, 64], 2, "SAME")
        h = tf.nn.relu(second(h, gamma_2, beta_2))
        return tf.tanh(tf.nn.bias_add(_to_image(h, tf.convert_to_tensor(kernel_2)), bias))

    def judge(x: tf.Tensor) -> tf.Tensor:
        kernel_1, bias_1, kernel_2, gamma, beta, dense, bias = discriminator
        h = tf.nn.leaky_relu(tf.nn.bias_add(_from_image(x, tf.convert_to_tensor(kernel_1)), bias_1), works.LEAK)
        h = tf.nn.leaky_relu(judge_norm(tf.nn.conv2d(h, kernel_2, 2, "SAME"), gamma, beta), works.LEAK)
        return (tf.reshape(h, [work.batch, -1]) @ dense + bias)[:, 0]

    @tf.function(autograph=False)
    def one_step(rows: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        real = tf.cast(tf.gather(data, rows), tf.float32) * (2.0 / 255.0) - 1.0
        z = tf.random.stateless_normal([work.batch, work.code], [step, 0], alg="philox")
        with tf.GradientTape() as through_decoder:
            fake = generate(z)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(-judge(real))) + tf.reduce_mean(tf.nn.softplus(judge(fake)))
        adam_discriminator(step, tape.gradient(loss, discriminator))
        with tf.GradientTape(watch_accessed_variables=False) as through_discriminator:
            through_discriminator.watch(fake)
            fooling = fool(work, judge(fake))
        pulled = through_discriminator.gradient(fooling, fake)
        adam_decoder(step, through_decoder.gradient(fake, decoder, pulled))
        return loss, fooling

    losses = []
    for step, rows in enumerate(setup.rows()):
        pair = one_step(tf.constant(rows[0]), tf.constant(step))
        losses.append([float(value) for value in pair])
        if step + 1 == work.check_steps:
            means = dict(zip(("discriminate", "generate"), np.mean(losses, 0).tolist(), strict=True))
            versions = {"tensorflow": tf.__version__}
            setup.turns.ready(parameters=works.num_parameters(start), losses=means, versions=versions)
        elif step >= work.check_steps:
            setup.turns.trained(rows.size)
