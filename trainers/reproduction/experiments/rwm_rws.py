"""Wake-sleep against reweighted wake-sleep, with one layer of binary codes."""

from ..declarations import Contender, Experiment, Measured, Published, Scale

_NOTE = "from memory of the paper's table 1, of one layer of 200 units, unverified; there a negative log-likelihood"

EXPERIMENT = Experiment(
    title="Reweighted wake-sleep: bound on log p(x) with 200 binary codes",
    source="Bornschein, Bengio, Reweighted Wake-Sleep (ICLR 2015), table 1",
    settings={
        "dataset": "mnist",
        "network": "mlp",
        "hidden": (200,),
        "code_size": 200,
        "observation": "binarised",
        "likelihood": "bernoulli",
        "families": (("encoder", "bernoulli"), ("prior", "bernoulli")),
        "batch_size": 100,
        "learning_rate": 1e-3,
    },
    figures=(Measured("bound on log p(x)", "bound"),),
    contenders=(
        Contender("wake-sleep", {"recipe": "wake_sleep"}, published=(Published(-116.3, note=_NOTE),)),
        Contender(
            "reweighted, k=5",
            {"recipe": "reweighted_wake_sleep", "hyperparameters": {"k": 5}},
            against=("wake-sleep",),
            published=(Published(-103.1, note=_NOTE),),
        ),
        Contender(
            "reweighted, k=5, by data alone",
            {"recipe": "reweighted_wake_sleep", "hyperparameters": {"k": 5, "inference": "wake"}},
            against=("wake-sleep", "reweighted, k=5"),
        ),
    ),
    scales={
        "smoke": Scale(
            {"dataset": "digits", "hidden": (32,), "code_size": 16},
            updates=100,
            seeds=2,
            effort={"draws": 100, "examples": 50},
        ),
        "cpu": Scale(updates=27_500, effort={"draws": 5_000, "examples": 1_000}, note="50 epochs; 1,000 test images."),
        "full": Scale(updates=550_000, effort={"draws": 5_000}, note="1,000 epochs."),
    },
    open=(
        "Networks have a hidden layer between codes and pixels, where the paper's layers are sigmoid belief nets.",
        "Pixels are binarised anew in each epoch, where the paper's are binarised once.",
        "The published figures are of 100,000 draws; here of 5,000.",
    ),
)
