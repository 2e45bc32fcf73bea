"""Feature networks: what samples and data are seen by before they are compared."""

import dataclasses
import logging
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ugm_tf import files
from ugm_tf.data import Examples
from ugm_tf.evaluation import feature_files
from ugm_tf.evaluation.checks import check_count, check_images, check_rows
from ugm_tf.evaluation.estimate import fingerprint
from ugm_tf.evaluation.judgement import train_classifier
from ugm_tf.evaluation.samples.resize import resize

__all__ = ["RANGES", "FeatureNetwork"]

_BATCH = 100
_MOST_BYTES = (
    2**32
)  # of floats that a classifier learns from: those of a set larger than memory are some of its examples
_TRAINING = 1  # of `train_classifier`: another way to train has another file in the cache
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
_LOG = logging.getLogger(__package__)

RANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "unit": lambda x: x,  # [0, 1]
    "signed": lambda x: 2.0 * x - 1.0,  # [-1, 1]
    "bytes": lambda x: 255.0 * x,  # [0, 255]
    "inception": lambda x: (255.0 * x - 128.0) / 128.0,  # of the graph of 2015
    "imagenet": lambda x: (x - _MEAN) / _DEVIATION,  # of torchvision, DINOv2
}


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """A network from images to features and, if it is a classifier of the data, to probabilities of their classes.

    `FeatureNetwork.trained` makes one of a data set, `FeatureNetwork.load` reads one of a file.

    Attributes:
        name: What it is, in words.
        hash: 16 hexadecimal digits of its weights, or of its file: figures of other hashes do not compare.
        protocol: How it is asked, as fields of an `Estimate`.
        shape: (H, W, C) that it takes.
        value_range: Which of `RANGES` it takes.
        run: From images that are prepared, float32 [B, H, W, C], to features, [B, D], and logits, [B, K], or None.
        classifier: The Keras model behind it, if it is a classifier of the data.
    """

    name: str
    hash: str
    protocol: dict[str, Any]
    shape: tuple[int, int, int]
    value_range: str
    run: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]
    classifier: keras.Model | None = None

    @classmethod
    def trained(
        cls, examples: Examples, cache_dir: str | os.PathLike[str] | None = None, seed: int = 0
    ) -> "FeatureNetwork":
        """The last hidden layer of a classifier of labelled images, trained once and cached.

        Args:
            examples: Images with labels.
            cache_dir: Where it lies; None is `ugm_tf` in the user's cache folder.  Where that cannot be written, it is
                trained each time.
            seed: Of its training.

        Raises:
            ValueError: If these are no images, or have no labels.
        """
        if not isinstance(examples, Examples):
            raise ValueError(
                "FeatureNetwork.trained() takes ugm_tf.data.Examples, of ugm_tf.data.load or "
                f"Examples(images, labels). Received: a {type(examples).__name__}."
            )
        if not examples.is_image or examples.c is None or examples.num_classes is None:
            raise ValueError(
                f"A feature network learns to tell classes of images, and {examples.title} has "
                f"{'no labels' if examples.is_image else 'no images'}. Give a network of a file: "
                "FeatureNetwork.load(PATH) (--features=PATH)."
            )
        parts = {"split": examples.split, "n": len(examples), "seed": seed, "training": _TRAINING}
        origin = examples.fingerprint.derived(**parts, keras=keras.__version__)
        file = files.cache_folder(cache_dir) / f"classifier-{origin.digest}.keras"
        classifier = _read(file)
        if classifier is None:
            _LOG.info("Training a classifier of %s, kept as %s.", examples.title, file)
            rows = _some(examples, seed)
            x = np.asarray(examples.x[rows], np.float32) / 255.0
            classifier = train_classifier(x, examples.c[rows], examples.num_classes, seed=seed)
            try:
                with files.replacing(file) as draft:
                    classifier.save(draft)
            except OSError as error:
                _LOG.warning("The classifier of %s cannot be kept in %s: %s.", examples.title, file.parent, error)
        keras.utils.set_random_seed(seed)  # what follows is the same, trained or read
        return cls.of_classifier(classifier, f"a classifier of {examples.title}")

    @classmethod
    def of_classifier(cls, classifier: keras.Model, name: str = "a classifier") -> "FeatureNetwork":
        """The last hidden layer of a classifier, and its classes.

        Args:
            classifier: From images in [0, 1] to logits, [B, K], whose last layer is dense, as `train_classifier` gives.
            name: What it is, in words.
        """
        both = keras.Model(classifier.inputs, [classifier.layers[-1].input, classifier.outputs[0]])
        digest = fingerprint(*classifier.get_weights())
        protocol = {"network": name, "network_hash": digest, "layer": "the last hidden one"}
        shape = tuple(classifier.inputs[0].shape[1:])

        def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            features, logits = both.predict_on_batch(images)
            return features, logits

        return cls(name, digest, protocol, shape, "unit", run, classifier)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        layer: str | None = None,
        size: int | None = None,
        value_range: str = "unit",
    ) -> "FeatureNetwork":
        """A network of a file: Keras's (.keras, .h5), a SavedModel's folder, or ONNX's.

        Features of three axes, [N, T, D], are those of the first token, as of vision transformers; of four, a mean over
        places.  See docs/evaluation.md for Inception and DINOv2.

        Args:
            path: The file or folder.
            layer: A layer of a Keras file, or an output of another; its last layer or only output if not given.
            size: Height and width, where the file does not say.
            value_range: What it takes images in [0, 1] as: one of `RANGES`.

        Raises:
            ValueError: If it cannot be read, or an option does not fit.
        """
        if value_range not in RANGES:
            raise ValueError(
                f"A feature network's value_range is one of {', '.join(RANGES)}. Received: {value_range!r}."
            )
        if size is not None:
            check_count("size of a feature network", size)
        read = feature_files.read(pathlib.Path(path).expanduser(), layer)
        shape = _whole(read.shape, size, path)
        if value_range == "imagenet" and shape[-1] != 3:
            raise ValueError(f"value_range='imagenet' is of 3 channels. '{path}' takes {shape[-1]}.")
        protocol = {"network": read.name, "network_hash": read.hash, "layer": read.layer}
        protocol |= {"value_range": value_range}
        return cls(read.name, read.hash, protocol, shape, value_range, lambda x: (read.run(x), None))

    def of_channels(self, channels: int) -> "FeatureNetwork":
        """This network of grey images asked of each channel alone: features side by side, classes as tuples.

        Args:
            channels: How many.

        Raises:
            ValueError: If it does not take grey images.
        """
        if self.shape[-1] != 1:
            raise ValueError(f"Channels are asked alone of a network of grey images. {self.name} takes {self.shape}.")

        def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            each = [self.run(images[..., channel : channel + 1]) for channel in range(channels)]
            features, log_p = np.concatenate([features for features, _ in each], -1), None
            if each[0][1] is not None:
                log_p = np.zeros([len(images), 1])
                for _, logits in each:
                    own = _log_softmax(np.asarray(logits, np.float64))
                    log_p = (log_p[:, :, None] + own[:, None]).reshape(len(images), -1)
            return features, log_p

        name = f"{self.name}, of each channel"
        protocol = {**self.protocol, "network": name}
        return FeatureNetwork(name, self.hash, protocol, (*self.shape[:2], channels), self.value_range, run)

    @property
    def how(self) -> dict[str, Any]:
        """The protocol as fields of an `Estimate`."""
        return {**self.protocol, "size": self.shape[0], "resize": "bicubic, antialiased, in floats"}

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Features of images in [0, 1], [N, H, W, C], of any size: float64 [N, D].

        Raises:
            ValueError: If they are no such images, or the network answers what is not finite.
        """
        return self._asked(images)[0]

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """p(c | x) of images in [0, 1], [N, H, W, C]: float64 [N, K].

        Raises:
            ValueError: If the network is no classifier, or they are no such images.
        """
        _, logits = self._asked(images)
        if logits is None:
            raise ValueError(f"{self.name} gives features and no classes. Ask one of FeatureNetwork.trained().")
        return np.exp(_log_softmax(logits))

    def _asked(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        images = check_images("Images", images, least=1)
        if images.shape[-1] != self.shape[-1] and images.shape[-1] != 1:
            raise ValueError(
                f"{self.name} takes images of {self.shape[-1]} channels. Received shape {images.shape}: make them grey."
            )
        parts = []
        for i in range(0, len(images), _BATCH):
            part = resize(images[i : i + _BATCH], self.shape[:2])
            part = np.repeat(part, self.shape[-1], -1) if part.shape[-1] != self.shape[-1] else part
            parts.append(self.run(RANGES[self.value_range](part)))
        features, logits = (
            None if column[0] is None else np.concatenate([np.asarray(each, np.float64) for each in column])
            for column in zip(*parts, strict=True)
        )
        return check_rows(f"Features by {self.name}", features, least=1, rank=2), logits


def _some(examples: Examples, seed: int) -> slice | np.ndarray:
    """Rows of all examples that may be in memory at once as floats."""
    most = max(1, _MOST_BYTES // (4 * math.prod(examples.shape)))
    return slice(None) if len(examples) <= most else np.random.default_rng(seed).permutation(len(examples))[:most]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def _read(file: pathlib.Path) -> keras.Model | None:
    """What the cache holds; None if nothing, or nothing that can be read."""
    try:
        return keras.models.load_model(file, compile=False) if file.exists() else None
    except (OSError, ValueError) as error:
        _LOG.warning("%s cannot be read and is made anew: %s.", file, error)
        return None


def _whole(shape: tuple[int | None, ...], size: int | None, path: Any) -> tuple[int, int, int]:
    height, width, channels = shape
    if size is not None and (height or size, width or size) != (size, size):
        raise ValueError(f"'{path}' takes images of {height} x {width}. Received: size={size}.")
    if channels not in (1, 3) or not (height or size) or not (width or size):
        raise ValueError(
            f"'{path}' takes images of shape {shape}: 1 or 3 channels are known, and a height and width. Where the "
            "file does not say, give size=N (--features_size=N)."
        )
    return int(height or size or 0), int(width or size or 0), int(channels)
