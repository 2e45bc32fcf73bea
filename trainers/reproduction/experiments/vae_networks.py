"""Dense and convolutional networks of a VAE, by the bound."""

from ..declarations import Contender, Experiment, Measured, Scale

_HALF = "dcgan(filters=32)"
_FASTER = {"precision": "mixed_bfloat16"}  # with weights, last layers and losses in float32

EXPERIMENT = Experiment(
    title="Dense and convolutional VAEs: lower bound",
    source="No paper: what the defaults of large images, which are convolved, are worth beside dense networks",
    settings={
        "recipe": "vae",
        "dataset": "mnist",
        "code_size": 20,
        "observation": "binarised",
        "likelihood": "bernoulli",
        "batch_size": 128,
        "learning_rate": 1e-3,
    },
    figures=(Measured("ELBO", "elbo"),),
    contenders=(
        Contender("dense, 500 and 500", {"network": "mlp", "hidden": (500, 500)}),
        Contender("DCGAN's", {"network": "dcgan", **_FASTER}, against=("dense, 500 and 500",)),
        Contender("DCGAN's, half the filters", {"network": _HALF, **_FASTER}, against=("dense, 500 and 500",)),
    ),
    scales={
        "smoke": Scale({"dataset": "digits"}, updates=50, seeds=2),
        "cpu": Scale({"epochs": 30}, seeds=3, note="Convolutions in mixed bfloat16."),
        "full": Scale({"epochs": 300}),
    },
    open=("All have as many epochs: a dense network takes a fraction of the time of a convolutional one.",),
)
