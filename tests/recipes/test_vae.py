from absl.testing import absltest, parameterized

from ugm_tf.algebra import INFERRED, KL, E, NegativeLogProb
from ugm_tf.recipes import vae


class VaeTest(parameterized.TestCase):
    def test_is_one_phase_in_which_encoder_and_decoder_learn(self):
        (wake,) = vae().phases
        self.assertEqual((wake.name, wake.updates, wake.repeats), ("wake", ("encoder", "decoder"), 1))

    def test_minimises_the_distortion_and_the_rate(self):
        distortion, rate = vae().phase("wake").minimise
        self.assertEqual(distortion, E(NegativeLogProb("decoder"), INFERRED, name="distortion"))
        self.assertEqual(rate, E(KL("encoder", "prior"), INFERRED, name="rate"))

    def test_beta_scales_the_rate_alone(self):
        self.assertEqual([e.scale for e in vae(beta=4.0).phase("wake").minimise], [1.0, 4.0])

    def test_the_rate_may_be_sampled(self):
        self.assertEqual(vae(kl="sampled").phase("wake").minimise[1].of, KL("encoder", "prior", sampled=True))

    @parameterized.named_parameters(
        ("plain", {}, "  + E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))"),
        ("beta", {"beta": 0.25}, "  + 0.25 E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))"),
        ("sampled", {"kl": "sampled"}, "  + E[x ~ data, z ~ encoder] [log q(z | x) - log p(z)]"),
    )
    def test_describes_itself(self, hyperparameters, rate):
        first = "wake: minimise over encoder, decoder\n    E[x ~ data, z ~ encoder] -log p(x | z)\n"
        self.assertEqual(vae(**hyperparameters).describe(), first + rate)

    @parameterized.parameters(-0.1, float("nan"))
    def test_refuses_a_negative_beta(self, beta):
        with self.assertRaisesRegex(ValueError, f"is at least 0. Received: beta={beta}"):
            vae(beta=beta)

    def test_refuses_another_rate(self):
        with self.assertRaisesRegex(ValueError, "kl is 'analytic' or 'sampled'. Received: kl='exact'"):
            vae(kl="exact")


if __name__ == "__main__":
    absltest.main()
