"""What the export's tests share: toy models, and a server's view of an export."""

import keras
import numpy as np
import tensorflow as tf

import ugm_tf

SHAPES = {"x": (8, 8, 1), "z": (3,), "c": (4,)}
SMALL = {"mlp": {"hidden": (5,)}, "dcgan": {"filters": 2}}
RECIPES = ("vae", "gan", "iwgan", "aavae")


def model(recipe="vae", network="mlp", **options):
    """A toy model with weights that are far from zero; the recipe by name, or one of the test's own."""
    keras.utils.set_random_seed(0)
    made = ugm_tf.recipes.get(recipe) if isinstance(recipe, str) else recipe
    return ugm_tf.UnifiedModel(made, ugm_tf.networks.build(made, SHAPES, network, **SMALL[network], **options))


def conditional():
    """A recipe of x and c."""
    roles = {"prior": "p(z)", "encoder": "q(z | x, c)", "decoder": "p(x | z, c)"}
    return ugm_tf.Recipe(roles, ugm_tf.recipes.vae().phases, ("x", "c"))


def values(inputs, rows, seed=0):
    """Values for an endpoint's inputs."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, spec in inputs.items():
        shape = [rows, *spec.shape[1:]]
        whole = rng.integers(-(2**31), 2**31, shape) if name == "seed" else rng.integers(0, 2, shape)
        out[name] = (rng.normal(size=shape) if name == "z" else whole).astype(spec.dtype.as_numpy_dtype)
    return out


def answers(path, signature, batch):
    """Outputs of a signature by TensorFlow 1's loader, which restores as the C++ one does: by names in the graph."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(path))
        names = graph.signature_def[signature]
        feeds = {info.name: batch[name] for name, info in names.inputs.items()}
        return session.run({name: info.name for name, info in names.outputs.items()}, feeds)
