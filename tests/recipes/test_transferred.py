from absl.testing import absltest

from ugm_tf.algebra import adversary_activated, importance_weighted
from ugm_tf.recipes import aavae, gan, iwgan, vae


class TransferredTest(absltest.TestCase):
    def test_iwgan_is_the_importance_weighted_gan(self):
        self.assertEqual(iwgan(), importance_weighted(gan()))
        self.assertNotEqual(iwgan(), gan())

    def test_aavae_is_the_adversary_activated_vae(self):
        self.assertEqual(aavae(), adversary_activated(vae()))
        self.assertEqual(
            aavae(beta=2.0, kl="sampled", temperature=3.0),
            adversary_activated(vae(beta=2.0, kl="sampled"), temperature=3.0),
        )

    def test_iwgan_describes_itself(self):
        self.assertEqual(
            iwgan().describe(),
            """\
discriminate: minimise over discriminator
    E[x ~ data] -log q(y=1 | x)
  + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
generate: minimise over decoder
    E[z ~ prior, x ~ decoder] w[q^r(y=0 | x) / q(y=0 | x)] * -log q^r(y=0 | x)""",
        )

    def test_aavae_describes_itself(self):
        self.assertEqual(
            aavae(temperature=1.5).describe(),
            """\
discriminate: minimise over discriminator
    E[x ~ data] -log q(y=1 | x)
  + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
wake: minimise over encoder, decoder
    0.5 E[x ~ data, z ~ encoder] q^(1/1.5)(y=1 | x) * -log p(x | z)
  + 0.5 E[z ~ sg(prior), x ~ sg(decoder), z ~ encoder] q^(1/1.5)(y=1 | x) * -log p(x | z)
  + 0.5 E[x ~ data, z ~ encoder] q^(1/1.5)(y=1 | x) * KL(q(z | x) || p(z))
  + 0.5 E[z ~ sg(prior), x ~ sg(decoder), z ~ encoder] q^(1/1.5)(y=1 | x) * KL(q(z | x) || p(z))""",
        )


if __name__ == "__main__":
    absltest.main()
