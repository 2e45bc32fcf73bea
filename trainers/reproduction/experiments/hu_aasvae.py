"""Table 2, right: test accuracy of the semi-supervised pair; its runs are those of `hu_aavae`."""

import dataclasses

from ..declarations import Contender, Experiment, Measured, Published, Scale
from . import hu_aavae

# Accuracy and its deviation: SVAE, AASVAE.
_PUBLISHED = {"1 %": ((0.9412, 0.0039), (0.9425, 0.0045)), "10 %": ((0.9768, 0.0009), (0.9797, 0.0010))}
_NAMES = ("SVAE", "AASVAE")


def _published(contender: Contender) -> Published:
    values = _PUBLISHED[contender.under.partition(",")[0]]
    return Published(
        *values[_NAMES.index(contender.name)], note="deviations are from memory of the appendix, unverified"
    )


_CONTENDERS = tuple(
    dataclasses.replace(contender, published=(_published(contender),))
    for contender in hu_aavae.CONTENDERS
    if contender.name in _NAMES
)

EXPERIMENT = Experiment(
    title="Adversary-activated semi-supervised VAEs: accuracy by the part of the labels",
    source="Hu, Yang, Salakhutdinov, Xing, On Unifying Deep Generative Models (ICLR 2018), table 2, right",
    settings=hu_aavae.SETTINGS,
    figures=(Measured("accuracy", "accuracy"), Measured("accuracy, labels alone", "accuracy")),
    contenders=_CONTENDERS,
    scales={
        "smoke": Scale(
            {"dataset": "digits", "hidden": (32, 32), "code_size": 8},
            updates=100,
            seeds=2,
            only=("1 %",),
            choices={"temperature": (1.0, 3.0)},
        ),
        "cpu": Scale(
            updates=3_000, only=("1 %", "10 %"), choosing=1, note="The runs are those of hu_aavae at this scale."
        ),
        "full": Scale(
            updates=42_900,
            only=("1 %, convolutional", "10 %, convolutional"),
            note="The runs are those of hu_aavae at this scale.",
        ),
    },
    open=(
        "How generated images with their labels enter is not stated: here as labelled ones, weighted by D.",
        "The weight of the classifier's loss is Kingma's, 0.1 times the number of examples over that of labels.",
    ),
)
