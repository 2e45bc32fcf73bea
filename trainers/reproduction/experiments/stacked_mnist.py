"""Modes of a thousand that GANs find, packed or importance-weighted."""

from ..declarations import Contender, Experiment, Measured, Published, Scale

_KL = "reverse KL of modes"
_NOTE = "from memory of the paper's table of stacked MNIST, unverified"


def _found(modes: float, kl: float, spread: float | None = None) -> tuple[Published, ...]:
    return (Published(modes, spread, note=_NOTE), Published(kl, figure=_KL, note=_NOTE))


EXPERIMENT = Experiment(
    title="Stacked MNIST: modes found of 1,000",
    source="Lin, Khetan, Fanti, Oh, PacGAN (NeurIPS 2018), table of stacked MNIST",
    settings={"dataset": "stacked_mnist", "batch_size": 64},
    figures=(Measured("modes found", "modes"), Measured(_KL, "modes", higher=False)),
    contenders=(
        Contender("GAN", {"recipe": "gan"}, published=_found(99.0, 3.40)),
        Contender(
            "PacGAN2",
            {"recipe": "gan", "hyperparameters": {"pack": 2}},
            against=("GAN",),
            published=_found(1000.0, 0.06, 0.0),
        ),
        Contender("IWGAN", {"recipe": "iwgan"}, against=("GAN",)),
    ),
    scales={
        "smoke": Scale(
            {"dataset": "stacked_digits", "hidden": (32, 32)}, updates=200, seeds=2, effort={"samples": 2_600}
        ),
        "cpu": Scale({"network": "dcgan"}, updates=10_000, effort={"samples": 26_000}, note="5 epochs."),
        "full": Scale({"network": "dcgan"}, updates=50_000, effort={"samples": 26_000}, note="25 epochs."),
    },
    open=(
        "The published networks are smaller than DCGAN's, so that a GAN fails; here they are DCGAN's for 28 pixels.",
        "A mode is told by a classifier of single digits, asked of each channel.",
    ),
)
