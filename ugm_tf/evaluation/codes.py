"""Looking at codes: walks between two of them, walks along single units, and a map in the plane."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from sklearn import decomposition, manifold

from ugm_tf.arrays import of_numbers
from ugm_tf.evaluation.checks import check_count

__all__ = ["METHODS", "Plane", "interpolate", "plane", "traverse"]

METHODS = ("pca", "tsne", "umap")


@dataclasses.dataclass(frozen=True)
class Plane:
    """Codes in the plane.

    Attributes:
        points: Where each lies, float32 [N, 2].
        shares: What share of the variance lies along each axis, for "pca"; else empty.
    """

    points: np.ndarray
    shares: tuple[float, ...] = ()


def interpolate(first: np.ndarray, last: np.ndarray, steps: int = 10, spherical: bool = True) -> np.ndarray:
    """Codes between pairs of codes, both ends included, float32 [R, steps, D].

    >>> print(interpolate([[1.0, 0.0]], [[0.0, 1.0]], steps=3).round(2))
    [[[1.   0.  ]
      [0.71 0.71]
      [0.   1.  ]]]

    Args:
        first: Where walks begin, [R, D].
        last: Where they end, [R, D].
        steps: Codes in a walk, at least 2.
        spherical: Along great circles, so that codes keep the length that a Gaussian prior of many dimensions gives
            them; else along lines.

    Raises:
        ValueError: If the ends are not as many vectors of one length, or a walk has less than 2 codes.

    References:
        Tom White. Sampling Generative Networks. 2016. https://arxiv.org/abs/1609.04468, section 2.1.
    """
    first, last = _codes("first", first), _codes("last", last)
    if first.shape != last.shape:
        raise ValueError(f"Walks have as many ends as beginnings. Received shapes {first.shape} and {last.shape}.")
    check_count("steps", steps, least=2)
    a, b, t = first[:, None], last[:, None], np.linspace(0.0, 1.0, steps)[None, :, None]
    line = (1 - t) * a + t * b
    if not spherical:
        return line.astype(np.float32)
    lengths = np.linalg.norm(a, axis=-1, keepdims=True) * np.linalg.norm(b, axis=-1, keepdims=True)
    cosine = np.sum(a * b, -1, keepdims=True) / np.maximum(lengths, 1e-12)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    sine = np.sin(angle)
    bent = (sine > 1e-3) & (lengths > 0.0)  # else both lie on one line through the origin, and no one circle has both
    circle = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.where(bent, sine, 1.0)
    return np.where(bent, circle, line).astype(np.float32)


def traverse(code: np.ndarray, units: Sequence[int], values: Sequence[float]) -> np.ndarray:
    """A code with one of its units at each of some values, float32 [U, K, D].

    >>> traverse([0.5, 0.25], units=[1], values=[-1.0, 0.0, 1.0]).tolist()
    [[[0.5, -1.0], [0.5, 0.0], [0.5, 1.0]]]

    Args:
        code: Where to begin, [D].
        units: Which units, U of them.
        values: What each of them becomes, K of them; or [U, K], those of each unit.

    Raises:
        ValueError: If the code is no vector, or has no such unit.
    """
    (start,) = _codes("code", np.asarray(code)[None])
    if not all(0 <= unit < len(start) for unit in units) or not len(units):
        raise ValueError(
            f"The units of a code of {len(start)} are from 0 to {len(start) - 1}. Received: {list(units)}."
        )
    table = np.broadcast_to(np.asarray(values, np.float64), (len(units), np.shape(values)[-1]))
    out = np.broadcast_to(start, (*table.shape, len(start))).astype(np.float32)
    for row, unit in enumerate(units):
        out[row, :, unit] = table[row]
    return out


def plane(codes: np.ndarray, method: str = "pca", seed: int = 0) -> Plane:
    """Codes as points of the plane, to be coloured by what is known of them.

    Distances of "tsne" and "umap" tell neighbours and nothing else; "pca" is a projection, the same for any seed.

    Args:
        codes: Of shape [N, D].
        method: "pca" or "tsne", by scikit-learn; or "umap", where umap-learn is installed.
        seed: Fixes the draws of "tsne" and "umap".

    Raises:
        ValueError: If the codes are no finite vectors, less than 3, or the method is none of these.
        ImportError: If umap-learn is asked for and not installed.
    """
    codes = _codes("codes", codes)
    if method not in METHODS:
        raise ValueError(f"A map is made by one of {', '.join(METHODS)}. Received: method={method!r}.")
    if len(codes) < 3:
        raise ValueError(f"A map is of at least 3 codes. Received: {len(codes)}.")
    if codes.shape[1] < 3 and method == "pca":  # the plane itself, or a line
        points = np.concatenate([codes, np.zeros([len(codes), 2 - codes.shape[1]])], axis=1)
        total = points.var(0).sum() or 1.0
        return Plane(points.astype(np.float32), tuple((points.var(0) / total).tolist()))
    if method == "pca":
        found = decomposition.PCA(2, svd_solver="full").fit(codes)
        return Plane(found.transform(codes).astype(np.float32), tuple(found.explained_variance_ratio_.tolist()))
    if method == "tsne":
        near = min(30.0, (len(codes) - 1) / 3)
        return Plane(manifold.TSNE(perplexity=near, random_state=seed).fit_transform(codes))
    try:
        import umap
    except ImportError as error:
        raise ImportError(
            "method='umap' takes umap-learn: pip install 'ugm_tf[umap]'. Or take 'tsne' or 'pca'."
        ) from error
    return Plane(np.asarray(umap.UMAP(random_state=seed).fit_transform(codes), np.float32))


def _codes(name: str, codes: np.ndarray) -> np.ndarray:
    codes = np.asarray(of_numbers(codes, f"`{name}`"), np.float64)
    if codes.ndim != 2 or 0 in codes.shape or not np.isfinite(codes).all():
        raise ValueError(
            f"`{name}` are finite vectors: flatten codes of more axes. Received shape {codes.shape}"
            f"{'' if np.isfinite(codes).all() else ', some not finite'}."
        )
    return codes
