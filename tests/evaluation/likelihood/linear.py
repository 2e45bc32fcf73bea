"""Linear-Gaussian models: x = W z + b + scale * noise, whose every figure has a closed form."""

import keras
import numpy as np
import scipy.stats

import ugm_tf
from ugm_tf.densities.continuous import _MIN_SCALE as MIN_SCALE


class Linear:
    """A VAE of one linear layer on either side.

    Args:
        seed: Fixes the weights.
        code: Numbers of z.
        size: Numbers of x.
        scale: Standard deviation of x around W z + b; one number or one for each number of x.
        exact: How much wider than the posterior the encoder is, in standard deviations; None for another encoder.
    """

    def __init__(self, seed, code, size, scale=1.0, exact=None, recipe="vae"):
        rng = np.random.default_rng(seed)
        self.weights, self.shift = rng.normal(size=[code, size]), rng.normal(size=size)
        self.scale = np.broadcast_to(np.asarray(scale, float), [size])
        self.covariance = self.weights.T @ self.weights + np.diag(self.scale**2)
        precision = np.eye(code) + (self.weights / self.scale**2) @ self.weights.T
        self.posterior = np.linalg.inv(precision)
        self.gain = (self.posterior @ (self.weights / self.scale**2)).T  # E[z | x] = (x - b) gain
        self.encoder_gain = self.gain if exact is not None else 0.3 * rng.normal(size=[size, code])
        self.encoder_scale = np.sqrt(np.diag(self.posterior)) * exact if exact is not None else np.full(code, 0.5)
        self.rng, self.size, self.code = rng, size, code
        raw = np.log(np.expm1(self.scale - MIN_SCALE))  # the family takes softplus
        decoder = _dense(code, np.concatenate([self.weights, 0 * self.weights], 1), np.concatenate([self.shift, raw]))
        encoder = _dense(
            size,
            np.concatenate([self.encoder_gain, 0 * self.encoder_gain], 1),
            np.concatenate([-self.shift @ self.encoder_gain, np.log(np.expm1(self.encoder_scale - MIN_SCALE))]),
        )
        made = ugm_tf.recipes.get(recipe)
        densities = {
            "prior": ugm_tf.Prior((code,)),
            "encoder": ugm_tf.Density(encoder, "gaussian"),
            "decoder": ugm_tf.Density(decoder, "gaussian"),
        }
        self.model = ugm_tf.UnifiedModel(made, densities)

    def draw(self, n, seed=0):
        """Examples of the model itself, float32 [n, size]."""
        rng = np.random.default_rng(seed)
        z = rng.normal(size=[n, self.code])
        return (z @ self.weights + self.shift + self.scale * rng.normal(size=[n, self.size])).astype(np.float32)

    def log_prob(self, x):
        return np.atleast_1d(scipy.stats.multivariate_normal(self.shift, self.covariance).logpdf(x))

    def figures(self):
        """Rate, distortion, mutual information and marginal KL of the encoder under examples of the model, in nats."""
        gain, noise = self.encoder_gain, self.encoder_scale**2
        told = gain.T @ self.covariance @ gain
        aggregate = told + np.diag(noise)
        information = 0.5 * np.linalg.slogdet(np.eye(self.code) + told / noise[:, None])[1]
        marginal = 0.5 * (np.trace(aggregate) - self.code - np.linalg.slogdet(aggregate)[1])
        left = np.eye(self.size) - gain @ self.weights
        squares = np.diag(left.T @ self.covariance @ left) + noise @ self.weights**2
        distortion = 0.5 * np.sum(np.log(2 * np.pi * self.scale**2) + squares / self.scale**2)
        return information + marginal, distortion, information, marginal

    def entropy(self):
        return scipy.stats.multivariate_normal(self.shift, self.covariance).entropy()


def _dense(inputs, kernel, bias):
    network = keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(kernel.shape[1])])
    network.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])
    return network
