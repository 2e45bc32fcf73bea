"""Importance-weighted autoencoders: the likelihood by the number of draws, with one and two layers of codes."""

from ...rates import parse_rate
from ..declarations import Contender, Experiment, Measured, Published, Scale

_NOTE = "from memory of the paper's table 1, unverified; there a negative log-likelihood"
_DREG = {"gradient": "doubly_reparameterised"}
_LONGER = "one layer, ten times as long"


def _contender(name: str, recipe: str, under: str, value: float | None, against: tuple[str, ...] = (), **more):
    settings = {"recipe": recipe, "hyperparameters": more} if more else {"recipe": recipe}
    published = () if value is None else (Published(value, note=_NOTE),)
    return Contender(name, settings, under, against, published=published)


EXPERIMENT = Experiment(
    title="Importance-weighted autoencoders: bound on log p(x) by 5,000 draws",
    source="Burda, Grosse, Salakhutdinov, Importance Weighted Autoencoders (ICLR 2016), table 1",
    settings={
        "dataset": "mnist",
        "network": "mlp",
        "hidden": (200, 200),
        "code_size": 50,
        "observation": "binarised",
        "likelihood": "bernoulli",
        "batch_size": 100,
        "learning_rate": parse_rate("cosine(1e-3)"),
    },
    figures=(Measured("bound on log p(x)", "bound"),),
    contenders=(
        _contender("VAE", "vae", "one layer", -86.76),
        _contender("IWAE, k=5", "iwae", "one layer", -85.54, ("VAE",), k=5),
        _contender("IWAE, k=50", "iwae", "one layer", -84.78, ("VAE", "IWAE, k=5"), k=50),
        _contender("IWAE, k=5, DReG", "iwae", "one layer", None, ("IWAE, k=5",), k=5, **_DREG),
        _contender("IWAE, k=50, DReG", "iwae", "one layer", None, ("IWAE, k=50",), k=50, **_DREG),
        _contender("VAE", "vae", _LONGER, -86.76),
        _contender("VAE", "hierarchical_vae", "two layers", -85.33, k=1),
        _contender("IWAE, k=5", "hierarchical_vae", "two layers", -83.89, ("VAE",), k=5),
        _contender("IWAE, k=50", "hierarchical_vae", "two layers", -82.90, ("VAE", "IWAE, k=5"), k=50),
    ),
    scales={
        "smoke": Scale(
            {"dataset": "digits", "hidden": (32, 32), "code_size": 8},
            updates=100,
            seeds=2,
            effort={"draws": 100, "examples": 50},
            only=("VAE, one layer", "IWAE, k=5, one layer", "VAE, two layers"),
        ),
        "cpu": Scale(
            updates={"one layer": 33_000, _LONGER: 330_000},
            only=("one layer", _LONGER),
            without=("IWAE, k=50, DReG, one layer",),
            effort={"draws": 5_000, "examples": 1_000},
            note="60 epochs, and of the VAE 600 as well, where the paper has 3,280; over the first 1,000 test images.",
        ),
        "full": Scale(
            {"batch_size": 20},
            updates=9_020_000,
            without=(_LONGER,),
            effort={"draws": 5_000},
            note="3,280 epochs in batches of 20, as published.",
        ),
    },
    open=(
        "The step falls by a cosine from 0.001 to 0, where the paper's falls in eight stages.",
        "Both codes of two layers have 50 units, where the paper's have 100 and 50.",
        "Activations are the library's, where the paper has tanh.",
    ),
)
