"""The figures of a finished run on the test split."""

import ugm_tf

from . import figures, finished, pictures

__all__ = ["evaluate"]


def evaluate(
    workdir: str,
    *,
    draws: int = 100,
    examples: int | None = None,
    seeds: int = 3,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> list[figures.Figure]:
    """The figures of a finished run on the test split, in order.

    Args:
        workdir: The run directory.
        draws: k of the importance-weighted bound.
        examples: How many test examples that bound is over; all if None.
        seeds: How many sets of samples a classifier judges; 0 for none.
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files that were downloaded by hand lie.

    Raises:
        ValueError: If the directory holds no finished run.
    """
    run = finished.load(workdir, data_dir=data_dir, manual_dir=manual_dir)
    model, training, test = run.model, run.split("train"), run.split("test")
    image = test.examples.is_image
    with pictures.weights(model, run.settings):
        out = figures.losses(model, test, every=True)
        if model.can("log_prob_bound"):
            out.append(figures.bound(model, test, draws=1, number=len(test.examples)))
            out.append(figures.bound(model, test, draws=draws, number=examples or len(test.examples)))
        if ugm_tf.evaluation.has_classifier(model):
            out += figures.classified(model, training, test)
        if ugm_tf.evaluation.is_translator(model) and image:
            out += figures.translated(model, training, test)
        if ugm_tf.evaluation.has_predictor(model):
            out += figures.units(model, training, test)
        if seeds and image and test.examples.c is not None and model.can("sample"):
            out += figures.judged(model, training.examples, test.examples, seeds=seeds)
    run.directory.write_json(
        "evaluation", {f.name: {"value": f.value, "spread": f.spread, "unit": f.unit, "how": f.how} for f in out}
    )
    return out
