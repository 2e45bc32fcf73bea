"""SplitMix64 against the published algorithm, in whole numbers of Python."""

import tensorflow as tf
from absl.testing import absltest

from ugm_tf.splitmix import next_word

# The first words of Vigna's splitmix64.c from the state 1234567.
WORDS = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821)


class NextWordTest(absltest.TestCase):
    def test_gives_the_published_words_with_and_without_xla(self):
        for jit_compile in (False, True):
            found = tf.function(next_word, jit_compile=jit_compile)(
                tf.constant(1234567, tf.uint64), tf.range(5, dtype=tf.int64).numpy().astype("uint64")
            )
            self.assertEqual(found.numpy().tolist(), list(WORDS))


if __name__ == "__main__":
    absltest.main()
