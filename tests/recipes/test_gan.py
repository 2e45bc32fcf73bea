from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf.algebra import DATA, GENERATED, DiscriminatorLoss, E
from ugm_tf.recipes import gan


class GanTest(parameterized.TestCase):
    def test_the_discriminator_learns_where_x_comes_from(self):
        discriminate = gan().phase("discriminate")
        real, fake = E(DiscriminatorLoss(1), DATA, name="real"), E(DiscriminatorLoss(0), GENERATED, name="fake")
        self.assertEqual((discriminate.minimise, discriminate.updates), ((real, fake), ("discriminator",)))

    @parameterized.parameters("logistic", "minimax", "log_ratio")
    def test_the_discriminator_learns_first_and_alike_in_all_forms(self, contest):
        logits = tf.constant([2.0, -1.0])
        judged = mock.Mock(logits=logits, patches=None)  # its discriminator says this
        sample = mock.Mock(distribution=lambda name: judged)
        mine, paper = gan(contest=contest).phases[0], gan().phase("discriminate")
        self.assertEqual(mine.updates, paper.updates)
        for one, other in zip(mine.minimise, paper.minimise, strict=True):
            self.assertEqual((one.under, one.scale, one.label), (other.under, other.scale, other.label))
            np.testing.assert_array_equal(one.of(sample), other.of(sample))

    def test_the_decoder_learns_the_reversed_provenance_of_what_it_drew(self):
        generate = gan().phase("generate")
        fool = E(DiscriminatorLoss(0, reverse=True), GENERATED, name="fool")
        self.assertEqual((generate.minimise, generate.updates), ((fool,), ("decoder",)))

    def test_minimax_ascends_the_discriminators_own_loss(self):
        (fool,) = gan(contest="minimax").phase("generate").minimise
        self.assertEqual(fool, E(DiscriminatorLoss(0, reverse=True, contest="minimax"), GENERATED, name="fool"))
        self.assertEqual(
            gan(contest="minimax").describe().splitlines()[-1][4:], "E[z ~ prior, x ~ decoder] log q(y=0 | x)"
        )

    def test_describes_itself(self):
        self.assertEqual(
            gan().describe(),
            """\
discriminate: minimise over discriminator
    E[x ~ data] -log q(y=1 | x)
  + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
generate: minimise over decoder
    E[z ~ prior, x ~ decoder] -log q^r(y=0 | x)""",
        )


if __name__ == "__main__":
    absltest.main()
