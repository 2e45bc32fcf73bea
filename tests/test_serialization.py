"""What a record of one's own is called in a file, which fields it may have, and what is refused as none."""

import dataclasses
import json

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import serialization
from ugm_tf.densities import continuous


def read_back(record):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(record)))
    return keras.saving.deserialize_keras_object(config)


def own(name="Own", base=ugm_tf.Term, decorate=ugm_tf.record, **says):
    """A class of one's own, under a decorator."""
    says = {"takes": ("x",), "__call__": lambda self, sample: tf.reduce_sum(sample["x"], -1)} | says
    return decorate(type(name, (base,), says))


class NameTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("a_term", "KL", ugm_tf.Term, ugm_tf.KL("encoder", "prior")),
        ("a_family", "Gaussian", continuous.Laplace, continuous.Gaussian()),
    )
    def test_a_name_of_ours_stays_ours(self, name, base, built_in):
        """A KL of one's own was once loaded in place of ours, in every file."""
        mine = own(name, base, __module__="someones")()
        self.assertIs(type(read_back(built_in)), type(built_in))
        self.assertIs(type(read_back(mine)), type(mine))

    def test_two_modules_may_have_one_name(self):
        one, other = (own("Smooth", __module__=module) for module in ("first", "second"))
        self.assertIs(type(read_back(one())), one)
        self.assertIs(type(read_back(other())), other)

    def test_ours_are_called_by_the_package_alone_so_that_they_may_move(self):
        name = keras.saving.get_registered_name
        self.assertEqual(name(ugm_tf.KL), "ugm_tf>KL")
        self.assertEqual(name(own("Moved", __module__="__mp_main__")), "__main__>Moved")
        with self.assertRaisesRegex(ValueError, "a class 'KL' already, from ugm_tf.algebra.terms.*another name"):
            own("KL", __module__="ugm_tf.mine")

    def test_one_that_is_defined_again_takes_the_place_of_the_first(self):
        first = own("Again")()
        second = own("Again")()
        self.assertIs(type(read_back(second)), type(second))
        ugm_tf.E(second)
        with self.assertRaisesRegex(ValueError, "The term Again is of a class that was defined again since.*Make it"):
            ugm_tf.E(first)

    def test_of_several_none_is_meant(self):
        one = own("Found", __module__="first")
        self.assertIs(serialization.named("ugm_tf>Found", None), one)
        other = own("Found", __module__="second")
        self.assertIs(serialization.named("ugm_tf>Found", "second"), other)
        self.assertIsNone(serialization.named("ugm_tf>Found", None))
        self.assertIsNone(serialization.named("third>Found", "third"))


class ForgottenTest(parameterized.TestCase):
    def undecorated(self, base, **says):
        return own("Plain", base, lambda cls: cls, **says)

    @parameterized.named_parameters(
        ("term", ugm_tf.Term, lambda plain: ugm_tf.E(plain())),
        ("a_kl", ugm_tf.KL, lambda plain: ugm_tf.E(plain("encoder", "prior"), ugm_tf.INFERRED)),
        ("weight", ugm_tf.Weight, lambda plain: ugm_tf.E(ugm_tf.KL("a", "b"), weight=plain())),
        ("step", ugm_tf.Step, lambda plain: ugm_tf.Ancestral((plain(),))),
        ("draw", ugm_tf.Draw, lambda plain: ugm_tf.DATA.then(plain("encoder"))),
        ("sampler", ugm_tf.Ancestral, lambda plain: ugm_tf.E(ugm_tf.KL("a", "b"), plain())),
        ("side", ugm_tf.Ancestral, lambda p: ugm_tf.E(ugm_tf.KL("a", "b"), ugm_tf.Interpolated(p(), p()))),
        ("family", continuous.Gaussian, lambda plain: ugm_tf.densities.get(plain())),
    )
    def test_a_class_without_the_decorator(self, base, use):
        """It once trained, and was not saved or, derived from one of ours, not loaded."""
        plain = self.undecorated(base, sets=lambda self, roles: "x")
        with self.assertRaisesRegex(ValueError, "Plain is no record.*Write @ugm_tf.record above `class Plain`, also"):
            use(plain)

    def test_a_schedule_without_the_decorator(self):
        plain = self.undecorated(ugm_tf.Schedule, range=(0.0, 1.0), __call__=lambda self, step: tf.constant(1.0))
        for scale in (plain(), 0.5 * plain()):
            with self.assertRaisesRegex(ValueError, "The schedule Plain is no record"):
                ugm_tf.recipes.vae(beta=scale)

    def test_equal_steps_draw_the_same(self):
        step = own("Step", ugm_tf.Step, sets=lambda self, roles: "x")
        one, other = ugm_tf.Ancestral((step(),)), ugm_tf.Ancestral((step(),))
        self.assertEqual((one, hash(one)), (other, hash(other)))


@ugm_tf.record
class Holds(ugm_tf.Term):
    held: object = ()
    takes = ("x",)

    def __call__(self, sample):
        return tf.reduce_sum(sample["x"], -1)


class FieldTest(parameterized.TestCase):
    @parameterized.parameters((["a", "b"],), ((("a", "b"), ("c",)),), ([[1, [2.5]], None],), (np.float32(0.1),))
    def test_lists_become_tuples_at_every_depth(self, value):
        record = Holds(value)
        ugm_tf.E(record)
        self.assertEqual((read_back(record), hash(read_back(record))), (record, hash(record)))
        self.assertEqual(Holds([["a"]]).held, (("a",),))

    @parameterized.parameters(({"a": 1},), (np.ones(3),), ({1},), (({"a": 1},),), (tf.constant(1.0),))
    def test_what_has_no_hash_is_refused_by_its_field(self, value):
        with self.assertRaisesRegex(ValueError, "The field `held` of Holds is a number, .* Received: .*of type"):
            Holds(value)

    @parameterized.parameters(lambda x: x, object(), 1j, tf.float32)
    def test_what_is_not_saved_is_refused_by_its_field(self, value):
        with self.assertRaisesRegex(ValueError, "The field `held` of Holds is a number, .* Received: "):
            ugm_tf.E(Holds(value))

    def test_a_property_of_the_base_class_may_be_a_field(self):
        @ugm_tf.record
        class Told(ugm_tf.Term):
            takes: tuple[str, ...]
            label: str
            power: float = 2.0

            def __call__(self, sample):
                return sample[self.takes[0]]

        told = Told(["x"], label="told")
        self.assertEqual((told.takes, told.label, ugm_tf.E(told).label, told.asked), (("x",), "told", "told", ()))
        self.assertEqual(read_back(told), told)
        with self.assertRaisesRegex(TypeError, "missing 1 required positional argument: 'label'"):
            Told(("x",))

        @ugm_tf.record
        class Derived(Told):
            label: str

        self.assertEqual(read_back(Derived(("x",), "a")).label, "a")

    def test_an_attribute_of_the_base_class_is_no_default(self):
        @ugm_tf.record
        class Drawn(ugm_tf.Step):
            density: str

        with self.assertRaisesRegex(TypeError, "missing 1 required positional argument: 'density'"):
            Drawn()

    def test_a_method_of_the_base_class_is_no_field(self):
        with self.assertRaisesRegex(ValueError, "The field `describe` of Own has the name of a method"):
            own(__annotations__={"describe": str})

    def test_recipes_hash_by_what_they_are(self):
        one, other = ugm_tf.recipes.vae(), ugm_tf.recipes.vae()
        self.assertEqual((one, hash(one)), (other, hash(other)))
        self.assertEqual(dataclasses.replace(one, data=["x"]), one)


class ConfigTest(absltest.TestCase):
    def own(self, get_config):
        return own(by=2.0, __annotations__={"by": float}, get_config=get_config)

    def test_one_of_ones_own_is_used(self):
        record = self.own(lambda self: {"by": self.by, "note": 1})
        record.from_config = classmethod(lambda cls, config: cls(config["by"]))
        ugm_tf.E(record(3.0))
        self.assertEqual((record(3.0).get_config(), read_back(record(3.0))), ({"by": 3.0, "note": 1}, record(3.0)))

    def test_one_that_leaves_something_out_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"is Own\(by=3.0\), and would be loaded as Own\(by=2.0\)"):
            ugm_tf.E(self.own(lambda self: {})(3.0))
        with self.assertRaisesRegex(ValueError, "The term Own cannot be made from its own `get_config`: .*'more'"):
            ugm_tf.E(self.own(lambda self: {"more": 1})(3.0))


class SubclassTest(absltest.TestCase):
    """What derives from a part of ours stays what it is, wherever it is changed."""

    def test_a_draw_of_several(self):
        loud = own("Loud", ugm_tf.Draw, __annotations__={"gain": float}, gain=2.0)
        self.assertEqual(ugm_tf.Ancestral((loud("encoder", gain=3.0),), k=5).steps, (loud("encoder", k=5, gain=3.0),))

    def test_a_sampler(self):
        twice = own("Twice", ugm_tf.Ancestral, __annotations__={"times": int}, times=2)
        for changed in (
            *(twice(("encoder",), times=3).then("decoder"), twice(("encoder",), times=3).detached()),
            twice((), times=3).each(lambda side: side.then("decoder")),
        ):
            self.assertEqual((type(changed), changed.times), (twice, 3))
        half = own("Half", ugm_tf.Interpolated)
        self.assertIs(type(half(ugm_tf.DATA, ugm_tf.GENERATED).detached()), half)
        packed = ugm_tf.recipes.gan()
        side = twice(("prior", "decoder"))
        packed = ugm_tf.Recipe(packed.densities, ugm_tf.adversarial(fake=side, updates=("decoder",)))
        for recipe in (ugm_tf.packed(packed, 2), ugm_tf.contested(packed, "hinge"), ugm_tf.importance_weighted(packed)):
            self.assertIs(type(recipe.phases[1].minimise[0].under), twice)


if __name__ == "__main__":
    absltest.main()
