"""The table of recipes: every capability is tested once, over all of its rows (after Sonnet's conformance suite).

A new recipe gets all of these tests by a row here: a name, the recipe, its hyperparameters, and a function from the
recipe to its densities.  `test_table.py` fails for a recipe that has none.  A pair in `tests/algebra/pairs.py`, of a
transfer and a recipe, has its row by being there.

Tests come in three kinds.  A newcomer's train the rows of `CHOSEN`, and share the one model of `trained`.  The same
over `MECHANISMS`, and what one training of a row shows over all other `ROWS`, has the mark "slow" (`conftest.py` gives
it).  All the rest is "exhaustive": what compiles, saves or trains again a row whose mechanisms others show; and
transfers without a name of their own, as they differ from the others by a weight: their steps are compared with
formulas in `tests/algebra` and `tests/equivalences`.  Transfers of further recipes are `UNLIKE` one another, too, in
what shares the model; contests are four functions of a logit each.

All of one row: `pytest tests/conformance -m "slow or not slow" -k NAME`.
"""

import contextlib
import dataclasses
import functools

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context  # nothing public shows a graph after its optimization

import ugm_tf
from tests.algebra.pairs import PAIRS

IMAGE = (8, 8, 1)
SHAPES = {"x": IMAGE, "target": IMAGE, "labelled": IMAGE, "z": (3,), "c": (3,), "h": (2,), "u": (2,), "e": (3,)}
EXAMPLES, BATCH = 48, 16  # an epoch is 3 steps


def networks(**options):
    """A function from a recipe to small networks, dense ones if nothing is said."""

    def build(recipe):
        return ugm_tf.networks.build(recipe, SHAPES, **({} if "network" in options else {"hidden": (8,)}), **options)

    return build


def convolutional(normalization):
    """Small DCGAN networks."""
    return networks(network="dcgan", filters=4, kernel_size=3, normalization=normalization)


def learned(base, prior):
    """A function from a recipe's hyperparameters to the recipe with a prior that learns."""
    return lambda **hyperparameters: ugm_tf.learned_prior(ugm_tf.recipes.get(base, **hyperparameters), prior)


dense, laplace = networks(), networks(likelihood="laplace")
projection = networks(conditioning="projection")
joint = networks(network="dcgan", filters=4, kernel_size=3, conditioning="joint")
residual = networks(network="resnet", filters=4, conditioning="projection")

VAE = ("vae", "vae", {"beta": 2.0}, dense)
GAN = ("gan", "gan", {}, dense)
IWGAN = ("iwgan", "iwgan", {}, dense)
AAVAE = ("aavae", "aavae", {"temperature": 2.0}, dense)
CONDITIONAL = ("conditional_vae", "conditional_vae", {}, dense)
BATCH_NORM = ("gan_batch_norm", "gan", {}, convolutional("batch"))
WARMUP = ("vae_warmup", "vae", {"beta": "warmup(9)"}, dense)
SPECTRAL_NORM = ("iwgan_spectral_norm", "iwgan", {}, convolutional("spectral"))

FOUR = (VAE, GAN, IWGAN, AAVAE)
RECIPES = (
    *FOUR,
    CONDITIONAL,
    ("aacvae", "aacvae", {}, dense),
    ("aae", "aae", {}, dense),
    ("aahvae", "aahvae", {"k": 2}, dense),
    ("aaiwae", "aaiwae", {"k": 2}, dense),
    ("aasvae", "aasvae", {}, dense),
    ("acgan", "acgan", {}, dense),
    ("adversarial_domain_adaptation", "adversarial_domain_adaptation", {}, dense),
    ("alice", "alice", {}, laplace),
    ("alpha_gan", "alpha_gan", {}, laplace),
    ("as_vae", "as_vae", {}, laplace),
    ("avb", "avb", {}, dense),
    ("beta_tc_vae", "beta_tc_vae", {}, dense),
    ("bigan", "bigan", {}, dense),
    ("conditional_gan", "conditional_gan", {}, dense),
    ("cyclegan", "cyclegan", {}, dense),
    ("factor_vae", "factor_vae", {}, dense),
    ("hierarchical_vae", "hierarchical_vae", {"k": 2}, dense),
    ("iaf_vae", "iaf_vae", {}, dense),
    ("info_vae", "info_vae", {}, dense),
    ("infogan", "infogan", {}, dense),
    ("iwaae", "iwaae", {}, dense),
    ("iwacgan", "iwacgan", {}, dense),
    ("iwae", "iwae", {"k": 3}, dense),
    ("iwbigan", "iwbigan", {}, dense),
    ("iwcgan", "iwcgan", {}, dense),
    ("iwinfogan", "iwinfogan", {}, dense),
    ("miwae", "miwae", {"groups": 2, "k": 3}, dense),
    ("ppo_gan", "ppo_gan", {"critic_steps": 2}, dense),
    ("predictability_minimization", "predictability_minimization", {}, dense),
    ("reweighted_wake_sleep", "reweighted_wake_sleep", {"k": 3}, dense),
    ("semi_supervised_vae", "semi_supervised_vae", {}, dense),
    ("stacked_semi_supervised_vae", "stacked_semi_supervised_vae", {}, dense),
    ("vae_gan", "vae_gan", {}, laplace),
    ("veegan", "veegan", {}, dense),
    ("wae", "wae", {}, dense),
    ("wake_sleep", "wake_sleep", {}, dense),
)
OPTIONS = (
    ("vae_sampled", "vae", {"kl": "sampled"}, dense),
    WARMUP,
    ("vae_free_bits", "vae", {"free_bits": 0.1}, dense),
    ("aavae_cyclical", "aavae", {"beta": "cyclical(6, cycles=2)"}, dense),
    ("iwae_dreg", "iwae", {"k": 3, "gradient": "doubly_reparameterised"}, dense),
    ("infogan_plain", "infogan", {"structured": False}, dense),
    ("iwcgan_by_class", "iwcgan", {"normalise": "class"}, dense),
    ("aavae_means", "aavae", {"fakes": "means"}, dense),
    ("conditional_gan_projection", "conditional_gan", {}, projection),
    ("bigan_joint", "bigan", {}, joint),
    ("conditional_gan_resnet", "conditional_gan", {}, residual),
    ("gan_pack", "gan", {"pack": 2}, dense),
    ("gan_diffaugment", functools.partial(ugm_tf.diffaugmented, ugm_tf.recipes.gan()), {}, dense),
    ("gan_r1", "gan", {"r1": 1.0}, dense),
    ("gan_gradient_penalty", "gan", {"gradient_penalty": 1.0}, dense),
    ("gan_discriminator_steps", "gan", {"discriminator_steps": 2}, dense),
    ("bigan_packed_hinge_r1", "bigan", {"contest": "hinge", "pack": 2, "r1": 1.0}, dense),
    BATCH_NORM,
    SPECTRAL_NORM,
    ("vae_prior_gaussian", learned("vae", "gaussian"), {}, dense),
    ("vae_prior_mixture", learned("vae", "mixture(4)"), {}, dense),
    ("vae_prior_vamp", learned("vae", "vamp(4)"), {}, dense),
    ("vae_prior_flow", learned("vae", "flow(2, hidden=(8,))"), {}, dense),
    ("iwae_prior_flow_inverse", learned("iwae", "flow(2, hidden=(8,), inverse=True)"), {"k": 2}, dense),
    ("vae_gan_prior_mixture", learned("vae_gan", "mixture(4)"), {}, laplace),
    ("vae_gan_prior_flow", learned("vae_gan", "flow(2, hidden=(8,))"), {}, laplace),
    ("aavae_prior_vamp", learned("aavae", "vamp(4)"), {}, dense),
)
CONTESTS = (
    *(
        (f"gan_{contest}", "gan", {"contest": contest}, dense) for contest in ugm_tf.contests.names()[1:]
    ),  # the first is GAN itself
    ("bigan_wasserstein", "bigan", {"contest": "wasserstein"}, dense),
    ("aae_least_squares", "aae", {"contest": "least_squares"}, dense),
    ("cyclegan_least_squares", "cyclegan", {"contest": "least_squares"}, dense),
    ("infogan_kl_forward", "infogan", {"contest": "kl_forward"}, dense),
    ("aavae_kl_reverse_r1", "aavae", {"contest": "kl_reverse", "r1": 1.0}, dense),
    ("avb_wasserstein", "avb", {"contest": "wasserstein"}, dense),
)
# Each transfer of each recipe for which it makes sense and that is no recipe of its own above.
TRANSFERS = tuple(
    (pair.title, pair, {}, next(row[3] for row in RECIPES if row[1] == pair.base))
    for pair in PAIRS
    if pair.named is None
)
ROWS = (*RECIPES, *OPTIONS, *CONTESTS, *TRANSFERS)

# What a newcomer waits for: four models of the paper; axes of draws, and a gradient of its own; exact sums over a
# class, and data under two names.  Further mechanisms are slow: a flow; priors that learn; codes of a whole batch;
# two domains; relaxed units; a phase that runs several times; a penalty; a game beside labels.
_CHOSEN = ("iwae_dreg", "semi_supervised_vae")
_FURTHER = (
    "iaf_vae",
    "vae_prior_vamp",
    "vae_prior_flow",
    "beta_tc_vae",
    "factor_vae",
    "cyclegan",
    "predictability_minimization",
    "ppo_gan",
    "gan_wasserstein",
    "aasvae",
)
CHOSEN = (*FOUR, *(row for row in ROWS if row[0] in _CHOSEN))
MECHANISMS = tuple(row for row in ROWS if row[0] in _FURTHER)
OTHERS = tuple(row for row in ROWS if row not in CHOSEN and (row in (*RECIPES, *OPTIONS) or row in MECHANISMS))
UNLIKE = (*CHOSEN, *OTHERS, *TRANSFERS)  # a contest has no state: what differs by it alone is kept and counted alike
NAMED = tuple(row for row in RECIPES if row[0] in [pair.named for pair in PAIRS])  # transfers that are recipes


def recipe_of(recipe, hyperparameters, densities=None):
    """The recipe of a row."""
    return recipe(**hyperparameters) if callable(recipe) else ugm_tf.recipes.get(recipe, **hyperparameters)


def model(recipe, hyperparameters, densities, optimizer="adam", seed=0, **options):
    """A compiled model of a row, with the same initial weights at each call; without XLA if nothing is said."""
    recipe = recipe_of(recipe, hyperparameters)
    keras.utils.set_random_seed(7)
    out = ugm_tf.UnifiedModel(recipe, densities(recipe), seed=seed)
    out.compile(optimizer, **{"jit_compile": False, "steps_per_execution": 1, **options})
    return out


def arrays(recipe, n=EXAMPLES):
    """Data for a recipe: bits for images, which every likelihood takes, and one-hot rows for c."""
    rng = np.random.default_rng(0)
    data = {"x": rng.integers(0, 2, (n, *IMAGE)), "c": np.eye(*SHAPES["c"])[rng.integers(0, *SHAPES["c"], n)]}
    data |= {name: rng.integers(0, 2, (n, *IMAGE)) for name in ("target", "labelled")}
    return {name: data[name].astype(np.float32) for name in recipe.data}


def dataset(recipe, n=EXAMPLES, batch=BATCH):
    """The same in batches of static shape, always in the same order."""
    return tf.data.Dataset.from_tensor_slices(arrays(recipe, n)).batch(batch, drop_remainder=True)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model of a row after two epochs of Adam, and what was seen of it."""

    model: ugm_tf.UnifiedModel
    data: tf.data.Dataset
    before: dict[str, list[np.ndarray]]
    history: dict[str, list[float]]
    graphs: list[tf.compat.v1.GraphDef]  # all that were run, as TensorFlow's optimizers left them


@functools.lru_cache(maxsize=2)
def _trained(number):
    out = model(*ROWS[number][1:])
    before = {name: density.get_weights() for name, density in out.densities.items()}
    data = dataset(out.recipe)
    context.enable_graph_collection()
    history = out.fit(data, epochs=2, verbose=0).history
    graphs = [graphs.post_optimization_graph for graphs in context.export_run_metadata().function_graphs]
    context.disable_graph_collection()
    return Trained(out, data, before, history, graphs)


@contextlib.contextmanager
def trained(*row):
    """The `Trained` of a row, which its tests share: tracing is most of what they cost.  It is left as it was."""
    shared = _trained(next(i for i, known in enumerate(ROWS) if known[1:] == row))
    variables = _variables(shared.model)
    before = {key: variable.numpy() for key, variable in variables.items()}
    try:
        yield shared
    finally:
        for key, variable in variables.items():
            variable.assign(before[key])


def _variables(model):
    groups = {"weights": model.variables, **{name: o.variables for name, o in model.optimizers.items()}}
    return {f"{group}/{i}": v for group, vs in groups.items() for i, v in enumerate(vs)}


def state(model):
    """All that training has changed: weights, optimizers' slots and counts, and the number of steps."""
    return {name: variable.numpy() for name, variable in _variables(model).items()}


def assert_same(left, right, rtol=0.0, atol=0.0):
    """Two states, or two sets of metrics, are equal; bit for bit unless a tolerance is given."""
    assert left.keys() == right.keys(), f"{sorted(left)} and {sorted(right)}"
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=rtol, atol=atol, err_msg=name)
