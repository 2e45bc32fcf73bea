"""SplitMix64: words of 64 bits from a number and a place, by a cheap generator that passes BigCrush.

A word takes two multiplications, where 64 bits of Philox4x32-10 take ten.

References:
  Guy Steele, Doug Lea and Christine Flood. Fast Splittable Pseudorandom Number Generators. OOPSLA 2014, fig. 16.
"""

import tensorflow as tf

__all__ = ["next_word"]

_GOLDEN = 0x9E3779B97F4A7C15
_MIXING = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))


def next_word(word: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """The word at a place behind another; of one word, no two places have the same.

    Args:
        word: uint64, of any shape.
        number: The place, from 0; uint64, of a shape that goes with the word's.

    Returns:
        uint64.
    """
    word += (number + _long(1)) * _long(_GOLDEN)
    for shift, multiplier in _MIXING:
        word = tf.bitwise.bitwise_xor(word, tf.bitwise.right_shift(word, _long(shift)))
        word = word if multiplier == 1 else word * _long(multiplier)
    return word


def _long(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint64)
