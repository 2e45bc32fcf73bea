"""Small models of real densities and networks, whose draws and calls are kept, for updates that are computed by
hand."""

import keras
import numpy as np
import tensorflow as tf

import ugm_tf


class KeptPrior(ugm_tf.Prior):
    """A prior that keeps its draws in `kept`."""

    def __init__(self, kept, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.kept = kept

    def draw(self, distribution, lead, seed):
        self.kept(super().draw(distribution, lead, seed))
        return self.kept.values[-1]


class KeptDensity(ugm_tf.Density):
    """A density that keeps its draws in `kept`, and counts its calls there."""

    def __init__(self, kept, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.kept = kept

    def call(self, *given, training=None):
        self.kept.calls += 1
        return super().call(*given, training=training)

    def draw(self, distribution, lead, seed):
        self.kept(super().draw(distribution, lead, seed))
        return self.kept.values[-1]


class Given(ugm_tf.Prior):
    """A prior that draws what it is given."""

    def __init__(self, value, family="gaussian"):
        super().__init__(value.shape[1:], family)
        self.value_given = value

    def draw(self, distribution, lead, seed):
        return self.value_given


class Seeded(ugm_tf.Density):
    """A density that has the same noise at each draw, in whichever phase and step."""

    def draw(self, distribution, lead, seed):
        return super().draw(distribution, lead, tf.constant([7, 7]))


class Kept:
    """What a density drew, in order, and how often its network was called."""

    def __init__(self):
        self.values, self.calls = [], 0

    def __call__(self, value):
        self.values.append(value)

    def __getitem__(self, i):
        return self.values[i].numpy()[:, 0]

    def __len__(self):
        return len(self.values)


def affine(slope, shift):
    """A network from one number to `slope` * number + `shift`, one output for each slope."""
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(len(slope))])
    network.set_weights([np.array([slope]), np.array(shift)])
    return network


def mlp(inputs, outputs, seed):
    """A network with one hidden layer and weights of order 1."""
    network = keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(outputs)])
    rng = np.random.default_rng(seed)
    network.set_weights([rng.normal(size=w.shape) for w in network.get_weights()])
    return network


def joined(sizes, outputs, seed):
    """`mlp` of several inputs."""
    inputs = [keras.Input((size,)) for size in sizes]
    return keras.Model(inputs, mlp(sum(sizes), outputs, seed)(keras.layers.Concatenate()(inputs)))


def affine_gan():
    """x = 0.8 z - 0.2 and logit 1.1 x + 0.3, and what they draw."""
    kept = {"prior": Kept(), "decoder": Kept(), "discriminator": Kept()}
    densities = {
        "prior": KeptPrior(kept["prior"], (1,)),
        "decoder": KeptDensity(kept["decoder"], affine([0.8], [-0.2]), "point"),
        "discriminator": KeptDensity(kept["discriminator"], affine([1.1], [0.3]), "logit"),
    }
    return densities, kept


def affine_vae():
    """x | z ~ N(0.9 z + 0.4, 0.8^2) and z | x ~ N(0.5 x - 0.1, softplus(-0.2 x + 0.3)^2), and what they draw."""
    kept = {"prior": Kept(), "decoder": Kept(), "encoder": Kept(), "discriminator": Kept()}
    densities = {
        "prior": KeptPrior(kept["prior"], (1,)),
        "encoder": KeptDensity(kept["encoder"], affine([0.5, -0.2], [-0.1, 0.3]), "gaussian"),
        "decoder": KeptDensity(kept["decoder"], affine([0.9], [0.4]), ugm_tf.densities.Gaussian(scale=0.8)),
    }
    return densities, kept


def model(recipe, densities, learning_rate=0.5, schedule="alternating", seed=0):
    """A model that learns by plain gradient descent, of any values: rows of zeros stand for no class."""
    out = ugm_tf.UnifiedModel(recipe, densities, seed=seed)
    out.compile(keras.optimizers.SGD(learning_rate), schedule=schedule, jit_compile=False, check_values=False)
    return out


def trained(recipe, densities, data, steps=1, learning_rate=0.1, schedule="alternating"):
    """What training steps change, by density: all its weights in one vector."""
    before = {name: density.get_weights() for name, density in densities.items()}
    trainee = model(recipe, densities, learning_rate, schedule)
    for _ in range(steps):
        trainee.run_phases(data)
    return {
        name: np.concatenate(
            [np.zeros(1), *((new - old).ravel() for new, old in zip(after, before[name], strict=True))]
        )
        for name, after in ((name, density.get_weights()) for name, density in densities.items())
    }


def draws(seed, *shape):
    """Standard normal float32 numbers."""
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def one_hot(classes, *labels):
    return tf.one_hot(labels, classes)


def joint_sample(recipe, densities, x):
    return ugm_tf.JointSample(densities, recipe.roles, {"x": x}, training=True)


def column(*values):
    return tf.constant(values, tf.float32)[:, None]


def weights(density):
    """Slope and shift of an affine network."""
    slope, shift = density.network.get_weights()
    return np.array([slope[0, 0], shift[0]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
