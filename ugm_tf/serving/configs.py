"""The files that configure TensorFlow Serving for the models below a base path."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from google.protobuf import text_format

from ugm_tf import files
from ugm_tf.serving import cards, publishing, warmup, wire

__all__ = ["BATCHING_PARAMETERS", "FILES", "MODELS", "Served", "batching", "cards_of", "labelled", "served", "write"]

MODELS, BATCHING, MONITORING = FILES = ("models.config", "batching.config", "monitoring.config")
BATCHING_PARAMETERS = "batching_params.pbtxt"  # in a version, for --enable_per_model_batching_parameters
_MOUNT = "/models"  # where the base path is inside of the server's container
_MONITORING = 'prometheus_config {\n  enable: true\n  path: "/monitoring/prometheus/metrics"\n}\n'


def batching(max_batch: int) -> str:
    """Parameters by which a server joins the rows of requests that come within a millisecond."""
    sizes = "".join(f"allowed_batch_sizes: {size}\n" for size in warmup.batch_sizes(max_batch))
    numbers = {"max_batch_size": max_batch, "batch_timeout_micros": 1000, "max_enqueued_batches": 100}
    return "".join(f"{name} {{ value: {value} }}\n" for name, value in numbers.items()) + sizes


def cards_of(base: pathlib.Path) -> dict[str, dict[str, Any]]:
    """The card of the highest version that has one of each model below a base path, by the model's name."""
    found = {}
    for folder in sorted(path for path in base.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for number in reversed(publishing.versions(folder)):
            with contextlib.suppress(ValueError):  # of a version that is no export of ours
                found[folder.name] = cards.read(folder / str(number))
                break
    return found


def labelled(base: pathlib.Path, name: str) -> dict[str, int]:
    """The versions of a model that have a label, such as "stable".

    Raises:
        ValueError: If models.config cannot be read.
    """
    for config in _read(base).model_config_list.config:
        if config.name == name:
            return {label.key: label.value for label in config.version_labels}
    return {}


@dataclasses.dataclass(frozen=True)
class Served:
    """What models.config says of a model.

    Attributes:
        labels: The versions that have a label.
        versions: All that are served.
    """

    labels: Mapping[str, int]
    versions: frozenset[int]


def served(base: pathlib.Path) -> dict[str, Served] | None:
    """What is served of each model that models.config lists; None where there is no such file.

    Raises:
        ValueError: If models.config cannot be read.
    """
    if not (base / MODELS).exists():
        return None
    found = {}
    for config in _read(base).model_config_list.config:
        labels = {label.key: label.value for label in config.version_labels}
        listed = config.model_version_policy.specific.versions
        found[config.name] = Served(labels, frozenset([*listed, *labels.values()]))
    return found


def write(base: pathlib.Path, name: str, version: int) -> None:
    """Writes models.config, batching.config and monitoring.config.

    The new version is "canary"; "stable" stays what it was, and is the new one where there was none.  A server serves
    the versions that have a label.

    Args:
        base: The base path, below which each model has a folder of its name.
        name: The model that has a new version.
        version: Its number.
    """
    configs = _read(base)
    known = {config.name: config for config in configs.model_config_list.config}
    config = known[name] if name in known else configs.model_config_list.config.add(name=name)
    labels = {"stable": version, **labelled(base, name), "canary": version}
    there = publishing.versions(base / name)
    labels = {label: number if number in there else version for label, number in labels.items()}
    config.base_path, config.model_platform = f"{_MOUNT}/{name}", "tensorflow"
    del config.version_labels[:], config.model_version_policy.specific.versions[:]
    for label, number in sorted(labels.items()):
        config.version_labels.add(key=label, value=number)
    config.model_version_policy.specific.versions.extend(sorted(set(labels.values())))
    smallest = min(card["max_batch"] for card in cards_of(base).values())
    files.write(base / MODELS, text_format.MessageToString(configs).encode())
    files.write(base / BATCHING, batching(smallest).encode())
    files.write(base / MONITORING, _MONITORING.encode())


def _read(base: pathlib.Path) -> Any:
    configs, path = wire.message("ModelServerConfig")(), base / MODELS
    if path.exists():
        try:
            text_format.Parse(path.read_text(), configs)
        except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
            raise ValueError(
                f"{path} has what this exporter does not know: {error}. Take that out, or move the file away."
            ) from error
    return configs
