"""Priors that learn: the bound of a VAE with a mixture, a flow and posteriors of pseudo-inputs in the prior's place."""

from ..declarations import Contender, Experiment, Measured, Published, Scale

_GAUSSIAN = "of images binarised once, from memory of the paper's table 1, unverified; there a log-likelihood"
_VAMP = "of images binarised once, table 1; there a log-likelihood"

EXPERIMENT = Experiment(
    title="Priors that learn: bound on log p(x) of a VAE",
    source="Tomczak, Welling, VAE with a VampPrior (AISTATS 2018), table 1",
    settings={
        "recipe": "vae",
        "dataset": "mnist",
        "network": "mlp",
        "hidden": (300, 300),
        "code_size": 40,
        "observation": "binarised",
        "likelihood": "bernoulli",
        "batch_size": 100,
        "learning_rate": 1e-3,
    },
    figures=(Measured("bound on log p(x)", "bound"),),
    contenders=(
        Contender("Gaussian, fixed", {"prior": "none"}, published=(Published(-88.56, note=_GAUSSIAN),)),
        Contender("mixture of 500", {"prior": "mixture(500)"}, against=("Gaussian, fixed",)),
        Contender(
            "VampPrior of 500",
            {"prior": "vamp(500)"},
            against=("Gaussian, fixed", "mixture of 500"),
            published=(Published(-85.57, note=_VAMP),),
        ),
        Contender("flow", {"prior": "flow"}, against=("Gaussian, fixed", "VampPrior of 500")),
    ),
    scales={
        "smoke": Scale(
            {"dataset": "digits", "hidden": (32, 32), "code_size": 8},
            updates=100,
            seeds=2,
            effort={"draws": 100, "examples": 50},
        ),
        "cpu": Scale(
            updates=16_500,
            seeds=3,
            effort={"draws": 1_000, "examples": 1_000},
            note="30 epochs; bounds of 1,000 draws, of 1,000 test images.",
        ),
        "full": Scale(updates=550_000, effort={"draws": 5_000}, note="1,000 epochs; bounds of 5,000 draws."),
    },
    open=(
        "Pixels are binarised anew in each epoch, where the published figures are of images binarised once.",
        "Layers are plain, where the paper's are gated; nothing stops early, and the rate is not warmed up.",
    ),
)
