"""The table of recipes: every capability is tested once, over all of its rows (after Sonnet's conformance suite).

A new recipe gets all of these tests by a row here: its name, the recipe, its hyperparameters, and a function from
the recipe to its densities.
"""

import keras
import numpy as np
import tensorflow as tf

import ugm_tf
from ugm_tf import INFERRED, KL, E, NegativeLogProb, Phase, Recipe

SHAPES = {"x": (8, 8, 1), "z": (3,), "c": (3,)}
EXAMPLES, BATCH = 48, 16  # an epoch is 3 steps


def dense(recipe):
    """Small dense networks."""
    return ugm_tf.networks.build(recipe, SHAPES, hidden=(8,))


def convolutional(normalization):
    """Small DCGAN networks."""

    def build(recipe):
        options = {"filters": 4, "kernel_size": 3, "normalization": normalization}
        return ugm_tf.networks.build(recipe, SHAPES, network="dcgan", **options)

    return build


def conditional():
    """A VAE of images of a class: data of two variables."""
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x, c)", "decoder": "p(x | z, c)"},
        phases=(
            Phase(
                "wake",
                (
                    E(NegativeLogProb("decoder"), INFERRED, name="distortion"),
                    E(KL("encoder", "prior"), INFERRED, name="rate"),
                ),
                updates=("encoder", "decoder"),
            ),
        ),
        data=("x", "c"),
    )


VAE = ("vae", "vae", {"beta": 2.0}, dense)
GAN = ("gan", "gan", {}, dense)
IWGAN = ("iwgan", "iwgan", {}, dense)
AAVAE = ("aavae", "aavae", {"temperature": 2.0}, dense)
CONDITIONAL = ("conditional", conditional, {}, dense)
BATCH_NORM = ("gan_batch_norm", "gan", {}, convolutional("batch"))
SPECTRAL_NORM = ("iwgan_spectral_norm", "iwgan", {}, convolutional("spectral"))

FOUR = (VAE, GAN, IWGAN, AAVAE)
ROWS = (
    *FOUR,
    ("vae_sampled", "vae", {"kl": "sampled"}, dense),
    ("gan_minimax", "gan", {"minimax": True}, dense),
    BATCH_NORM,
    SPECTRAL_NORM,
    CONDITIONAL,
)


def model(recipe, hyperparameters, densities, optimizer="adam", seed=0, **options):
    """A compiled model of a row, with the same initial weights at each call; without XLA if nothing is said."""
    recipe = recipe(**hyperparameters) if callable(recipe) else ugm_tf.recipes.get(recipe, **hyperparameters)
    keras.utils.set_random_seed(7)
    out = ugm_tf.UnifiedModel(recipe, densities(recipe), seed=seed)
    out.compile(optimizer, **{"jit_compile": False, "steps_per_execution": 1, **options})
    return out


def arrays(recipe, n=EXAMPLES):
    """Data for a recipe: bits for x, which every likelihood takes, and one-hot rows for c."""
    rng = np.random.default_rng(0)
    data = {"x": rng.integers(0, 2, (n, *SHAPES["x"])), "c": np.eye(3)[rng.integers(0, 3, n)]}
    return {name: data[name].astype(np.float32) for name in recipe.data}


def dataset(recipe, n=EXAMPLES, batch=BATCH):
    """The same in batches of static shape, always in the same order."""
    return tf.data.Dataset.from_tensor_slices(arrays(recipe, n)).batch(batch, drop_remainder=True)


def state(model):
    """All that training has changed: weights, optimizers' slots and counts, and the number of steps."""
    groups = {"weights": model.variables, **{name: o.variables for name, o in model.optimizers.items()}}
    return {f"{group}/{i}": v.numpy() for group, vs in groups.items() for i, v in enumerate(vs)}


def assert_same(left, right, rtol=0.0, atol=0.0):
    """Two states, or two sets of metrics, are equal; bit for bit unless a tolerance is given."""
    assert left.keys() == right.keys(), f"{sorted(left)} and {sorted(right)}"
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=rtol, atol=atol, err_msg=name)
