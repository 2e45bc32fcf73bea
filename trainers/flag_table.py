"""The flag of each setting: its default, what it does, and how its text is read and written."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags

import ugm_tf

from . import optimizers, own_networks
from .own_code import absolute
from .parsing import parse_augment, parse_families, parse_hidden, parse_hyperparameters
from .rates import parse_rate
from .rules import RULES

__all__ = ["OPTIONS", "Option"]


@dataclasses.dataclass(frozen=True)
class Option:
    """A setting as a flag.

    Attributes:
        define: One of `flags.DEFINE_...`.
        default: Its value where it is not said.
        help: What it does.
        more: Other arguments of `define`.
        name: The flag's name, where it is not the setting's.
        parse: From the flag's value to the setting's.
        text: From the setting's value, which is not None, to the flag's text; "" if it is not to be written.
    """

    define: Callable[..., Any]
    default: Any
    help: str
    more: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    name: str = ""
    parse: Callable[[Any], Any] = lambda value: value
    text: Callable[[Any], str] = str


def _pairs(pairs: tuple[tuple[str, Any], ...]) -> str:
    return ",".join(f"{name}={'null' if value is None else value}" for name, value in pairs)


_SEEDS = {"lower_bound": 0, "upper_bound": 2**31 - 1}
_POSITIVE, _NOT_NEGATIVE = {"lower_bound": 1}, {"lower_bound": 0}

_OPTIONS: dict[str, Option] = {
    "recipe": Option(
        flags.DEFINE_string,
        "vae",
        f"Which model to train: {', '.join(ugm_tf.recipes.names())}; or one of your own, as path/to/file.py:function "
        "or module:function.",
        parse=absolute,
    ),
    "dataset": Option(
        flags.DEFINE_string,
        "digits",
        f"What to train it on: {', '.join(ugm_tf.data.names())}, another image set of TFDS, folder:PATH or npz:PATH.",
    ),
    "hyperparameters": Option(
        flags.DEFINE_multi_string,
        [],
        "A recipe's own, such as beta=4.0; may be repeated.",
        name="hyperparameter",
        parse=parse_hyperparameters,
        text=_pairs,
    ),
    "prior": Option(
        flags.DEFINE_string,
        None,
        "A prior p(z) that learns, where the recipe scores it: mixture(50), vamp(500), flow, or a family, such as "
        "gaussian; or none, for the recipe's own.",
    ),
    "fraction": Option(
        flags.DEFINE_float,
        None,
        "Train on this part of --dataset, such as 0.01: as many examples of each class as there are, chosen by --seed.",
        {"lower_bound": 0.0, "upper_bound": 1.0},
    ),
    "labels": Option(
        flags.DEFINE_integer,
        None,
        "Labelled examples of each class, for semi-supervised recipes, chosen by --seed.",
        _POSITIVE,
    ),
    "target": Option(
        flags.DEFINE_string,
        None,
        f"Second domain of recipes that take one: a shift of the data ({', '.join(ugm_tf.data.SHIFTS)}) or a data set.",
    ),
    "epochs": Option(flags.DEFINE_integer, None, "Passes over the data.", _POSITIVE),
    "batch_size": Option(flags.DEFINE_integer, None, "Examples in a batch.", _POSITIVE),
    "learning_rate": Option(
        flags.DEFINE_string,
        None,
        "The step size; or one that falls to 0 over the run: cosine(1e-3), linear(1e-3); or one for each of some "
        "phases: discriminate=4e-4,generate=1e-4.",
        parse=lambda text: None if text is None else parse_rate(text),
    ),
    "optimizer": Option(
        flags.DEFINE_string,
        None,
        f"How weights are moved: {', '.join(optimizers.NAMES)}, as Keras has them; maybe with arguments, as "
        "adam(epsilon=1e-4); or one for each of some phases: wake=muon,discriminate=adam. Adam by default.",
        parse=lambda text: None if text is None else optimizers.parse_optimizer(text),
    ),
    "ema": Option(
        flags.DEFINE_float,
        None,
        "Draw and measure with averages of the weights of this decay at most, such as 0.999; 0 for none.",
    ),
    "network": Option(
        flags.DEFINE_string,
        None,
        f"Kind of networks: {', '.join(ugm_tf.networks.names())}; or a builder of your own, as path/to/file.py:"
        "function or module:function; maybe with options, as dcgan(filters=32).",
        parse=lambda name: None if name is None else own_networks.absolute(name),
    ),
    "hidden": Option(
        flags.DEFINE_list,
        None,
        "Sizes of the hidden layers of mlp networks, such as 500,500.",
        parse=lambda sizes: parse_hidden(sizes) if sizes else None,
        text=lambda sizes: ",".join(map(str, sizes)),
    ),
    "conditioning": Option(
        flags.DEFINE_enum,
        None,
        "How a discriminator of an image takes a vector beside it.",
        {"enum_values": ["concat", "projection", "joint"]},
    ),
    "code_size": Option(flags.DEFINE_integer, None, "Size of the code z.", _POSITIVE),
    "image_size": Option(flags.DEFINE_integer, None, "Resize images to squares of this side, in pixels.", _POSITIVE),
    "background": Option(
        flags.DEFINE_string,
        None,
        "What shows through transparent pixels of a folder's images: white, black or #rrggbb; white by default.",
    ),
    "augment": Option(
        flags.DEFINE_string,
        None,
        "Change training images: flip, shift(2), and diffaugment(color,translation,cutout) before discriminators; "
        "or none.",
        parse=lambda text: None if text is None else () if text in ("", "none") else parse_augment(text),
        text=lambda changes: ",".join(changes) or "none",
    ),
    "storage": Option(
        flags.DEFINE_enum,
        None,
        "Keep data in memory, map them from a file that is prepared once, or read a folder's files batch by batch; "
        "memory up to 8 GiB and else mapped by default.",
        {"enum_values": list(ugm_tf.data.STORAGES)},
    ),
    "observation": Option(
        flags.DEFINE_enum,
        None,
        "How examples become x.",
        {"enum_values": sorted(ugm_tf.data.OBSERVATIONS)},
    ),
    "likelihood": Option(
        flags.DEFINE_string,
        None,
        f"Family of p(x | z), where the recipe scores data: {', '.join(ugm_tf.densities.names())}; or with arguments, "
        "such as gaussian(scale=0.1).",
    ),
    "families": Option(
        flags.DEFINE_string,
        None,
        "Families of single densities, such as encoder=iaf,decoder=laplace(scale=0.1).",
        parse=lambda text: parse_families(text) if text else (),
        text=_pairs,
    ),
    "schedule": Option(
        flags.DEFINE_enum,
        "alternating",
        "Update after each phase, or all at the same parameters.",
        {"enum_values": ["alternating", "simultaneous"]},
    ),
    "xla": Option(
        flags.DEFINE_enum,
        "auto",
        "Compile training steps with XLA; auto decides by device and layers.",
        {"enum_values": ["auto", "on", "off"]},
    ),
    "precision": Option(
        flags.DEFINE_enum,
        "float32",
        "Arithmetic of the networks; auto takes bfloat16 for convolutions where the processor multiplies it.",
        {"enum_values": ["float32", "mixed_bfloat16", "auto"]},
    ),
    "on_nan": Option(
        flags.DEFINE_enum,
        "stop",
        "What to do at a step that is not finite: stop; skip it; or roll back to the latest checkpoint and go on with "
        "other noise.",
        {"enum_values": ["stop", "skip", "rollback"]},
    ),
    "accumulate": Option(
        flags.DEFINE_integer,
        1,
        "Learn each batch in so many equal parts, one after the other: the update of the whole batch, with the memory "
        "of a part.",
        _POSITIVE,
        text=lambda parts: "" if parts == 1 else str(parts),
    ),
    "remat": Option(
        flags.DEFINE_bool,
        False,
        "Compute networks again for gradients, instead of keeping what their layers put out.",
        text=lambda remat: "true" if remat else "",
    ),
    "init_from": Option(
        flags.DEFINE_string,
        None,
        "A run directory or a model.keras whose weights to begin with, density by density.",
        parse=lambda path: os.path.abspath(path) if path else None,
    ),
    "keep_best": Option(
        flags.DEFINE_string,
        None,
        "End with the weights of the epoch at which this column of metrics.csv is lowest, such as val_wake/loss; or "
        "the sum of several, such as val_wake/distortion+val_wake/rate.",
    ),
    "patience": Option(
        flags.DEFINE_integer, None, "With --keep_best: stop this many epochs after the best one.", _POSITIVE
    ),
    "seed": Option(flags.DEFINE_integer, 0, "Fixes the initial weights, the order of the data and every draw.", _SEEDS),
}

# By field of `Settings`.
OPTIONS: dict[str, Option] = {
    name: dataclasses.replace(option, help=f"{option.help}  By default {RULES[name].words}.")
    if name in RULES
    else option
    for name, option in _OPTIONS.items()
}
