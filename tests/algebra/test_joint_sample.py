import numpy as np
import tensorflow as tf
from absl.testing import absltest

from tests.algebra import stubs
from ugm_tf.algebra import JointSample

ROLES = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)", discriminator="q(y | x, z)")
X = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
Z = tf.constant([[0.5, 0.0], [0.0, 0.5], [1.0, 1.0]])


class JointSampleTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.densities = {
            "prior": stubs.standard(),
            "encoder": stubs.shifted(),
            "decoder": stubs.shifted(),
            "discriminator": stubs.judge(lambda x, z: tf.reduce_sum(x - 10.0 * z, -1)),
        }

    def sample(self, training=False, **values):
        return JointSample(self.densities, ROLES, {"x": X} | values, training)

    def times(self, name):
        return len(self.densities[name].asked)

    # ------------------------------------------------- distributions

    def test_a_distribution_is_computed_once(self):
        sample = self.sample(z=Z)
        self.assertIs(sample.distribution("encoder"), sample.distribution("encoder"))
        sample.log_prob("encoder")
        self.assertEqual(self.times("encoder"), 1)

    def test_parents_come_in_the_order_of_the_role(self):
        sample = self.sample(z=Z)
        np.testing.assert_allclose(sample.distribution("discriminator").logits, np.sum(X - 10.0 * Z, -1))

    def test_log_prob_is_at_the_value_of_the_roles_variable(self):
        sample = self.sample(z=Z)
        by_hand = -0.5 * np.sum((Z - (X + 1.0)) ** 2, -1) - np.log(2 * np.pi)  # of q(z | x) = N(x + 1, I)
        np.testing.assert_allclose(sample.log_prob("encoder"), by_hand, rtol=1e-6)
        by_hand = -0.5 * np.sum((X - (Z + 1.0)) ** 2, -1) - np.log(2 * np.pi)
        np.testing.assert_allclose(sample.log_prob("decoder"), by_hand, rtol=1e-6)

    def test_training_is_passed_on(self):
        for training in (True, False):
            self.sample(training, z=Z).distribution("encoder")
            self.assertEqual(self.densities["encoder"].asked[-1][1], training)
            self.sample(training).where(z=Z).distribution("decoder")
            self.assertEqual(self.densities["decoder"].asked[-1][1], training)

    # --------------------------------------------------------- where

    def test_where_sets_a_variable_and_leaves_the_old_sample_alone(self):
        old = self.sample(z=Z)
        new = old.where(z=2 * Z)
        np.testing.assert_allclose(new["z"], 2 * Z)
        np.testing.assert_allclose(old["z"], Z)
        self.assertIs(new["x"], old["x"])

    def test_where_forgets_distributions_given_the_old_value(self):
        old = self.sample(z=Z)
        old.distribution("decoder")
        np.testing.assert_allclose(old.where(z=2 * Z).distribution("decoder").mean(), 2 * Z + 1)
        np.testing.assert_allclose(old.distribution("decoder").mean(), Z + 1)

    def test_where_keeps_the_others(self):
        old = self.sample(z=Z)
        encoder, prior = old.distribution("encoder"), old.distribution("prior")
        new = old.where(z=2 * Z)
        self.assertIs(new.distribution("encoder"), encoder)  # q(z | x) does not depend on z's value
        self.assertIs(new.distribution("prior"), prior)

    def test_where_keeps_the_weight_unless_it_is_given(self):
        weighted = self.sample().where(weight=tf.constant([1.0, 2.0, 3.0]))
        np.testing.assert_allclose(weighted.where(z=Z).weight, [1.0, 2.0, 3.0])
        np.testing.assert_allclose(weighted.where(weight=tf.ones(3)).weight, [1.0, 1.0, 1.0])

    def test_where_remembers_every_density_that_drew(self):
        sample = self.sample().where(z=Z, drawn_by=("prior",)).where(x=X, drawn_by=("decoder",)).where(z=Z)
        self.assertEqual(sample.drawn_by, {"prior", "decoder"})

    # -------------------------------------------------- after_update

    def test_nothing_is_left_of_what_an_updated_density_drew(self):
        sample = self.sample().where(z=Z, drawn_by=("encoder",))
        self.assertIsNone(sample.after_update(("encoder", "decoder")))

    def test_only_the_distributions_of_updated_densities_are_forgotten(self):
        old = self.sample(z=Z)
        encoder = old.distribution("encoder")
        old.distribution("discriminator")
        new = old.after_update(("discriminator",))
        self.assertIs(new.distribution("encoder"), encoder)
        new.distribution("discriminator")
        self.assertEqual(self.times("discriminator"), 2)

    def test_values_outlive_an_update(self):
        old = self.sample().where(z=Z, drawn_by=("prior",), weight=tf.ones(3), axis=7)
        new = old.after_update(("discriminator",))
        self.assertIs(new["z"], Z)
        self.assertEqual((new.drawn_by, new.axes), (old.drawn_by, (7,)))
        self.assertIs(new.weight, old.weight)
        self.assertIs(new.batch_size, old.batch_size)

    # ---------------------------------------------------------- axes

    def test_the_batch_size_is_that_of_the_first_variable_and_stays(self):
        sample = self.sample()
        self.assertEqual(sample.batch_size, 3)
        self.assertEqual(sample.where(x=tf.zeros([5, 3, 2]), axis=5).batch_size, 3)

    def test_the_batch_size_can_be_given_where_there_are_no_data(self):
        sample = JointSample(self.densities, ROLES, {}, False, batch_size=tf.constant(4))
        self.assertEqual(sample.lead("prior"), [4])

    def test_lead_is_what_a_distribution_lacks(self):
        sample = self.sample().where(z=tf.zeros([5, 3, 2]), axis=5)
        self.assertEqual(sample.lead("encoder"), [5])  # q(z | x): [3]
        self.assertEqual(sample.lead("decoder"), [])  # p(x | z): [5, 3]
        self.assertEqual([int(n) for n in sample.lead("prior")], [5, 3])
        twice = sample.where(x=tf.zeros([4, 5, 3, 2]), axis=4)
        self.assertEqual((twice.lead("decoder"), twice.lead("encoder")), ([4], []))


if __name__ == "__main__":
    absltest.main()
