"""What a phase makes of scales that follow a schedule."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest

import ugm_tf
from tests.conformance import table
from ugm_tf import schedules


class PhaseTest(absltest.TestCase):
    def test_terms_stay_unscaled_and_the_loss_takes_the_value_at_the_step(self):
        phase = ugm_tf.recipes.vae(beta="linear(1, 5, 4)").phase("wake")
        scales = ("wake/rate_scale", "wake/loss_unscheduled")
        self.assertEqual(phase.metrics, ("wake/distortion", "wake/rate", *scales, "wake/loss"))
        terms = {"wake/distortion": tf.constant(7.0), "wake/rate": tf.constant(2.0)}
        self.assertEqual([float(phase.loss(terms, step)) for step in (0, 1, 9)], [9.0, 11.0, 17.0])
        self.assertEqual({n: float(v) for n, v in phase.scales(1).items()}, {"wake/rate_scale": 2.0})

    def test_the_loss_to_compare_epochs_by_is_without_the_schedules(self):
        """Of a VAE that warms up it is the negative bound; a constant factor stays as it is."""
        joint = table.model("vae", {"beta": "warmup(9)"}, table.dense)
        found = joint.evaluate_phases(table.arrays(joint.recipe, 4))
        np.testing.assert_allclose(
            found["wake/loss_unscheduled"], found["wake/distortion"] + found["wake/rate"], rtol=1e-6
        )
        self.assertEqual(float(found["wake/loss"]), float(found["wake/distortion"]))
        activated = ugm_tf.recipes.aavae(beta="linear(3, 4, 9)").phase("wake")
        self.assertEqual([e.scale.number for e in activated.minimise[2:]], [0.5, 0.5])
        self.assertNotIn("loss_unscheduled", str(ugm_tf.recipes.vae(beta=2.0).metrics))

    def test_a_metric_of_the_name_of_a_scale_is_refused(self):
        rate = ugm_tf.E(ugm_tf.KL("encoder", "prior"), ugm_tf.INFERRED, schedules.warmup(3), name="rate")
        other = ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), ugm_tf.INFERRED, name="rate_scale")
        with self.assertRaisesRegex(ValueError, "Two metrics of phase 'wake' are called 'rate_scale'"):
            phase = ugm_tf.Phase("wake", (rate, other), ("encoder", "decoder"))
            ugm_tf.Recipe(ugm_tf.recipes.vae().densities, (phase,))


if __name__ == "__main__":
    absltest.main()
