"""What figures are of: a trained model beside its data, and both as a feature network sees them."""

import dataclasses
import functools

import numpy as np

import ugm_tf
from ugm_tf.evaluation import FeatureNetwork

from . import pictures
from .figures import scaled
from .inputs import Inputs

__all__ = ["Effort", "Features", "Subject"]

_MOST, _AT_ONCE = 10_000, 500


@dataclasses.dataclass(frozen=True)
class Features:
    """The feature network that is asked for.

    Attributes:
        path: A file, see `FeatureNetwork.load`; None for a classifier of the training data.
        layer: Its layer or output.
        size: Height and width that it takes, where the file does not say.
        value_range: Range that it takes.
    """

    path: str | None = None
    layer: str | None = None
    size: int | None = None
    value_range: str = "unit"


@dataclasses.dataclass(frozen=True)
class Effort:
    """How thoroughly to measure.

    Attributes:
        draws: k of the importance-weighted bound.
        examples: How many held-out examples that bound is over; all if None.
        seeds: How many sets of samples a classifier judges; 0 for none.
        samples: How many samples are compared with data; as many as training examples, at most 10,000, if None.
        chains: Chains of annealed importance sampling.
        temperatures: Its temperatures.
        metrics: Which rows of the table are asked for, by key; all but the slow ones if None.
        quick: Whether what takes minutes is left out, as at the end of a run.
    """

    draws: int = 100
    examples: int | None = None
    seeds: int = 3
    samples: int | None = None
    chains: int = 16
    temperatures: int = 1000
    metrics: tuple[str, ...] | None = None
    quick: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """What figures are of.

    Attributes:
        model: A trained model.
        training: What it learned from.
        held_out: What it did not learn from.
        weights: Which weights of the model these are, in words.
        features: The feature network that samples are compared by.
        cache_dir: Where a trained one is kept.
    """

    model: ugm_tf.UnifiedModel
    training: Inputs
    held_out: Inputs
    weights: str = ""
    features: Features = Features()
    cache_dir: str | None = None

    @functools.cached_property
    def classes(self) -> FeatureNetwork:
        """The classifier of the training data, all of them; of a stacked set, of each channel."""
        whole = self.training.whole or self.training.examples
        base = ugm_tf.data.unstacked(whole)
        network = FeatureNetwork.trained(base or whole, self.cache_dir)
        return network if base is None else network.of_channels(self.training.examples.shape[-1])

    @functools.cached_property
    def network(self) -> FeatureNetwork:
        """The network whose features are compared."""
        if self.features.path is None:
            return self.classes
        asked = self.features
        return FeatureNetwork.load(asked.path or "", layer=asked.layer, size=asked.size, value_range=asked.value_range)

    @property
    def how(self) -> dict[str, object]:
        """The protocol of features; points of the plane are their own."""
        how = self.network.how if self.training.examples.is_image else {"network": "none: the numbers themselves"}
        return {**how, **({} if self._shares is None else {"classes": "in the shares of the training data"})}

    def number(self, effort: Effort) -> int:
        """How many samples are compared with data."""
        return effort.samples or min(_MOST, len(self.training.examples))

    @functools.cached_property
    def _shares(self) -> np.ndarray | None:
        """The shares of the classes among training data, where they are a sample's condition."""
        examples = self.training.examples
        if examples.c is None or not examples.num_classes or not pictures.is_given_classes(self.model):
            return None
        return np.bincount(examples.c, minlength=examples.num_classes) / len(examples)

    @functools.cached_property
    def _drawn(self) -> dict[int, tuple[np.ndarray, np.ndarray | None]]:
        return {}

    def drawn(self, effort: Effort) -> tuple[np.ndarray, np.ndarray | None]:
        """Samples as they are looked at, and the class of each where one is asked for: in the shares of the data."""
        n = self.number(effort)
        if n not in self._drawn:
            sizes = [min(_AT_ONCE, n - i) for i in range(0, n, _AT_ONCE)]
            parts = [pictures.samples(self.model, size, 1 + i, self._shares) for i, size in enumerate(sizes)]
            x = np.concatenate([part for part, _ in parts])
            c = None if parts[0][1] is None else np.concatenate([np.asarray(c) for _, c in parts])
            self._drawn[n] = (pictures.seen(x) if self.training.examples.is_image else x), c
        return self._drawn[n]

    @functools.cached_property
    def _features(self) -> dict[tuple[str, int], np.ndarray]:
        return {}

    def seen(self, what: str, effort: Effort) -> np.ndarray:
        """Features of samples ("fake"), of training examples ("train") or of held-out ones ("held_out"), [N, D].

        There are as many training examples as samples at most, the first ones, and 10,000 held-out ones.
        """
        n = self.number(effort)
        if (what, n) not in self._features:
            if what == "fake":
                x = self.drawn(effort)[0]
            else:
                examples = {"train": self.training, "held_out": self.held_out}[what].examples
                x = scaled(examples, slice(n if what == "train" else _MOST)) if examples.is_image else examples.x
            self._features[what, n] = self.network(x) if self.training.examples.is_image else np.asarray(x, np.float64)
        return self._features[what, n]
