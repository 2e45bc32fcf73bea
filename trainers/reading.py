"""How a figure is read: which ones the top of a report shows, and whether more of one is better."""

__all__ = ["HEADLINES", "better", "place"]

HEADLINES = 4  # how many figures the top of the page shows large

# By how names begin, the most telling first: "higher" or "lower" is better; "" where it says nothing of a run alone.
_BETTER = {
    "accuracy": "higher",
    "samples of the class asked for": "higher",
    "samples of their code's class": "higher",
    "bound on log p(x)": "higher",
    "bits per dimension": "lower",
    "classes covered": "higher",
    "inception score": "higher",
    "cycle error": "lower",
    "redundancy of the code": "lower",
    "cross-entropy of single units": "",
    "distortion": "lower",
    "classifier's confidence": "higher",
    "class entropy of a sample": "lower",
    "ELBO": "higher",
    "annealed log p(x)": "higher",
    "Frechet distance": "lower",
    "kernel distance": "lower",
    "sliced Wasserstein distance": "lower",
    "precision": "higher",
    "recall": "higher",
    "coverage": "higher",
    "feature likelihood divergence": "lower",
    "classification accuracy score": "higher",
    "modes found": "higher",
    "samples of high quality": "higher",
    "reverse KL of modes": "lower",
}


def better(name: str) -> str:
    """Whether "higher" or "lower" is better; "" of a figure of which it is not known, such as a player's loss.

    >>> better("bits per dimension, k=100"), better("generate/loss")
    ('lower', '')
    """
    return next((way for beginning, way in _BETTER.items() if name.startswith(beginning)), "")


def place(name: str) -> int:
    """Where a figure stands among those that may be shown large, the most telling first; the last ones are equal.

    >>> sorted(["classes covered", "a/loss", "bound on log p(x), k=100", "classifier's confidence"], key=place)
    ['bound on log p(x), k=100', 'classes covered', "classifier's confidence", 'a/loss']
    """
    return next((i for i, beginning in enumerate(_BETTER) if name.startswith(beginning)), len(_BETTER))
