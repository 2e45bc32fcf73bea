"""What the export's tests share: toy models, and a server's view of an export."""

import dataclasses
import functools
import pathlib
import tempfile

import keras
import numpy as np

import ugm_tf
from ugm_tf.serving import ServedModel

IMAGES = ("x", "target", "labelled")
SHAPES = {**dict.fromkeys(IMAGES, (8, 8, 1)), "z": (3,), "c": (4,), "h": (2,), "u": (2,), "e": (3,)}
SMALL = {"mlp": {"hidden": (5,)}, "dcgan": {"filters": 2}, "resnet": {"filters": 2}}
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
        if name == "seed":
            value = rng.integers(-(2**31), 2**31, shape)
        elif name == "c":
            value = np.eye(shape[-1])[rng.integers(0, shape[-1], rows)]
        else:  # images are bits, which every likelihood takes
            value = rng.integers(0, 2, shape) if name in IMAGES else rng.uniform(size=shape)
        out[name] = value.astype(spec.dtype.as_numpy_dtype)
    return out


def answers(path, signature, batch):
    """Outputs of a signature as a server has them: variables restored by names in the graph, inputs as they come."""
    with ServedModel(path) as loaded:
        return loaded(signature, batch)


def replaced(endpoint, change):
    """The endpoint with other outputs."""

    def function(**values):
        return change(endpoint.function(**values))

    return dataclasses.replace(endpoint, function=function)


@functools.cache
def bundle():
    """A base path with "digits", an export of classes and of at most 8 rows, and its model."""
    of = model(ugm_tf.recipes.conditional_vae())
    base = pathlib.Path(tempfile.mkdtemp(), "models")
    ugm_tf.serving.export_bundle(of, base, "digits", endpoints=["sample", "encode"], variants=["bytes"], max_batch=8)
    return base, of
