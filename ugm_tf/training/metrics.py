"""Metrics of training."""

import keras

__all__ = ["MeanOfSome"]


class MeanOfSome(keras.metrics.Mean):
    """A mean that is NaN where there is nothing to take it of, as of steps that were all skipped.

    (That of Keras is then 0, which a loss above 0 never is: it would be the best one of a run.)
    """

    def result(self):
        return keras.ops.divide(self.total, self.count)
