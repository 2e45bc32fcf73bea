"""Differentiable augmentation: GANs of 100 and of 1,000 images, with it and without."""

from ..declarations import Contender, Experiment, Measured, Scale

_POLICY = ("diffaugment(color,translation,cutout)",)
_IMAGES = {"100 images": 100, "1,000 images": 1_000}
_ALL = 55_000


def _pair(under: str) -> tuple[Contender, Contender]:
    part = {"fraction": _IMAGES[under] / _ALL}
    return (
        Contender("GAN", {"augment": (), **part}, under),
        Contender("GAN, DiffAugment", {"augment": _POLICY, **part}, under, ("GAN",)),
    )


EXPERIMENT = Experiment(
    title="Differentiable augmentation: samples of GANs that see few images",
    source="No paper has it of MNIST; Zhao, Liu, Lin, Zhu, Han, Differentiable Augmentation for Data-Efficient GAN "
    "Training (NeurIPS 2020), has it of photographs",
    settings={
        "recipe": "gan",
        "dataset": "mnist",
        "network": "dcgan(filters=32)",
        "code_size": 100,
        "batch_size": 50,
        "learning_rate": 2e-4,
    },
    figures=(
        Measured("Frechet distance", "distances", higher=False),
        Measured("coverage", "manifold"),
        Measured("inception score", "classes"),
    ),
    contenders=tuple(contender for under in _IMAGES for contender in _pair(under)),
    scales={
        "smoke": Scale(
            {"dataset": "digits", "network": "mlp", "hidden": (32, 32), "fraction": 0.1},
            updates=100,
            seeds=2,
            only=("100 images",),
            effort={"seeds": 1},
        ),
        "cpu": Scale({"precision": "mixed_bfloat16"}, updates=6_000, seeds=3, note="In mixed bfloat16."),
        "full": Scale({"network": "dcgan"}, updates=50_000),
    },
    open=(
        "As many images of each class, the same for both of a pair; figures compare samples with all test images.",
        "Networks are DCGAN's with half its filters, and the length is the same for 100 and for 1,000 images.",
    ),
)
