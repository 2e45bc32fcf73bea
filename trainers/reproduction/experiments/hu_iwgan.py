"""Table 2, left: inception scores of GANs and importance-weighted GANs."""

from ..declarations import Contender, Experiment, Measured, Published, Scale

_LATER = "CIFAR-10 is from memory of the later version, unverified"
DCGAN = {"network": "dcgan", "code_size": 100, "learning_rate": 2e-4}
_EMBEDDED = {"dataset": "digits", "hidden": (32, 32)}


def _scores(mnist: tuple[float, float], svhn: tuple[float, float], cifar: tuple[float, float]) -> tuple[Published, ...]:
    return (Published(*mnist), Published(*svhn, "svhn_cropped"), Published(*cifar, "cifar10", note=_LATER))


EXPERIMENT = Experiment(
    title="Importance-weighted GANs: inception score",
    source="Hu, Yang, Salakhutdinov, Xing, On Unifying Deep Generative Models (ICLR 2018), table 2, left",
    settings={"dataset": "mnist", "batch_size": 64},
    figures=(Measured("inception score", "classes"),),
    contenders=(
        Contender("GAN", {"recipe": "gan"}, published=_scores((8.34, 0.03), (5.18, 0.03), (7.86, 0.05))),
        Contender(
            "minimax GAN", {"recipe": "gan", "hyperparameters": {"contest": "minimax"}}, against=("GAN",)
        ),  # equation 16 with an optimal discriminator and many samples
        Contender(
            "IWGAN",
            {"recipe": "iwgan"},
            against=("GAN", "minimax GAN"),
            published=_scores((8.45, 0.04), (5.34, 0.03), (7.89, 0.04)),
        ),
    ),
    scales={
        "smoke": Scale(_EMBEDDED, updates=200, seeds=2, effort={"seeds": 1}),
        "cpu": Scale(
            {**DCGAN, "precision": "mixed_bfloat16"},
            updates=4_300,
            effort={"seeds": 10},
            note="6 whole epochs of MNIST, 5,154 steps, in mixed bfloat16, with weights and losses in float32.",
        ),
        "full": Scale(
            {**DCGAN, "batch_size": 128},
            updates=42_900,
            effort={"seeds": 50},
            note="100 epochs of MNIST with DCGAN's settings; the paper's number is not stated. Of SVHN and CIFAR-10 by "
            "--dataset=svhn_cropped and --dataset=cifar10.",
        ),
    },
    open=(
        "Epochs, samples and splits are not stated. Here: sets of 1,000 samples, one split, and their mean.",
        "The classifier is the paper's own residual net, of 9.09 on real MNIST (from memory); here a small network of "
        "the training split: scores compare contenders here, and nothing else.",
        "Weights are normalised over the whole batch.",
        "By equation 16 the importance-weighted generator follows, with many samples and the best discriminator, the "
        "minimax one: a gain of IWGAN that minimax GAN has as well is not one of importance weighting.",
    ),
)
