import numpy as np
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from tests.densities import table
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

    # ------------------------------------------------------ detached

    def test_detached_holds_values_and_weights_and_keeps_axes(self):
        old = self.sample().where(z=Z, drawn_by=("encoder",), weight=tf.ones(3), axis=7)
        new = old.detached()
        np.testing.assert_array_equal(new["z"], Z)
        np.testing.assert_array_equal(new.weight, old.weight)
        self.assertEqual((new.axes, new.drawn_by, old.drawn_by), ((7,), frozenset(), {"encoder"}))
        self.assertIs(new.batch_size, old.batch_size)

    def test_detached_lets_no_gradient_through(self):
        z, weight = tf.constant(Z), tf.ones(3)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([z, weight])
            old = self.sample().where(z=z, weight=weight)
            sums = [tf.reduce_sum(s["z"]) * tf.reduce_sum(s.weight) for s in (old, old.detached())]
        self.assertIsNotNone(tape.gradient(sums[0], z))
        self.assertIsNone(tape.gradient(sums[1], z))
        self.assertIsNone(tape.gradient(sums[1], weight))

    def test_detached_is_left_by_every_update(self):
        old = self.sample().where(z=Z, drawn_by=("encoder",))
        self.assertIsNone(old.after_update(("encoder",)))
        self.assertIs(old.detached().after_update(("encoder",))["x"].dtype, tf.float32)

    def test_detached_keeps_the_distributions_without_parents_alone(self):
        old = self.sample(z=Z)
        prior, encoder = old.distribution("prior"), old.distribution("encoder")
        new = old.detached()
        self.assertIs(new.distribution("prior"), prior)
        self.assertIsNot(new.distribution("encoder"), encoder)

    # --------------------------------------------------- log_weights

    def test_log_weights_are_of_the_ratio_of_products(self):
        sample = self.sample(z=Z)
        found = sample.log_weights(("decoder", "prior"), ("encoder",))
        norm = scipy.stats.norm.logpdf
        by_hand = norm(X, Z + 1.0).sum(-1) + norm(Z).sum(-1) - norm(Z, X + 1.0).sum(-1)
        np.testing.assert_allclose(found, by_hand, rtol=1e-5)

    def test_frozen_they_have_the_same_value_and_no_gradient_by_the_inferring_densitys_parameters(self):
        shift = tf.Variable(1.0)
        self.densities["encoder"] = stubs.Stub(lambda x: stubs.tfd.Independent(stubs.tfd.Normal(x + shift, 1.0), 1))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(Z)
            live, frozen = (self.sample(z=Z).log_weights(("prior",), ("encoder",), f) for f in (False, True))
        np.testing.assert_allclose(live, frozen, rtol=1e-6)
        np.testing.assert_allclose(tape.gradient(live, shift), -np.sum(Z - X - 1.0), rtol=1e-5)
        self.assertIsNone(tape.gradient(frozen, shift))
        np.testing.assert_allclose(tape.gradient(frozen, Z), (Z - X - 1.0) - Z, rtol=1e-5, atol=1e-6)

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


class FrozenTest(parameterized.TestCase):
    @parameterized.named_parameters(*(row for row in table.REPARAMETERISED if row[1].has_log_prob))
    def test_the_parameters_of_every_family_can_be_held_fixed(self, family, event_shape, parameter_shape):
        parameters = tf.Variable(table.parameters(parameter_shape, 2))
        encoder = stubs.Stub(lambda x: family.distribution(tf.identity(parameters), len(event_shape)), family)
        densities = {"encoder": encoder, "prior": stubs.standard(1)}
        with tf.GradientTape(persistent=True) as tape:
            sample = JointSample(densities, ROLES, {"x": tf.zeros([2, 1])}, True)
            z = encoder.draw(sample.distribution("encoder"), [], stubs.seed())
            sample = sample.where(z=tf.stop_gradient(z))
            live, frozen = (sample.log_weights((), ("encoder",), f) for f in (False, True))
        np.testing.assert_allclose(live, frozen, rtol=1e-6)
        self.assertIsNotNone(tape.gradient(live, parameters))
        self.assertIsNone(tape.gradient(frozen, parameters))


if __name__ == "__main__":
    absltest.main()
