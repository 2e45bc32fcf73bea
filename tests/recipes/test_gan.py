from absl.testing import absltest, parameterized

from ugm_tf.algebra import DATA, GENERATED, DiscriminatorLoss, E
from ugm_tf.recipes import gan


class GanTest(parameterized.TestCase):
    def test_the_discriminator_learns_where_x_comes_from(self):
        discriminate = gan().phase("discriminate")
        real, fake = E(DiscriminatorLoss(1), DATA, name="real"), E(DiscriminatorLoss(0), GENERATED, name="fake")
        self.assertEqual((discriminate.minimise, discriminate.updates), ((real, fake), ("discriminator",)))

    @parameterized.parameters(False, True)
    def test_the_discriminator_learns_first_and_alike_in_both_forms(self, minimax):
        self.assertEqual(gan(minimax=minimax).phases[0], gan().phase("discriminate"))

    def test_the_decoder_learns_the_reversed_provenance_of_what_it_drew(self):
        generate = gan().phase("generate")
        fool = E(DiscriminatorLoss(0, reverse=True), GENERATED, name="fool")
        self.assertEqual((generate.minimise, generate.updates), ((fool,), ("decoder",)))

    def test_minimax_ascends_the_discriminators_own_loss(self):
        (fool,) = gan(minimax=True).phase("generate").minimise
        self.assertEqual(fool, E(DiscriminatorLoss(0), GENERATED, scale=-1.0, name="fool"))

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
