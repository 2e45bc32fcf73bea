"""A split of the data as a recipe takes it."""

import dataclasses
import pathlib

import numpy as np
import PIL.Image
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from trainers import defaults, inputs, known_data
from trainers.settings import Settings


def load(recipe, split="train", **settings):
    settings = defaults.resolve(Settings(recipe, settings.pop("dataset", "digits"), **settings), (8, 8, 1), 1297)
    return inputs.load(settings, split, inputs.Sources())


class InputsTest(parameterized.TestCase):
    def test_training_has_as_many_labels_of_each_class_as_asked_for(self):
        labelled = load("semi_supervised_vae", labels=3).labelled
        np.testing.assert_array_equal(np.bincount(labelled.c), [3] * 10)

    def test_which_examples_are_labelled_is_chosen_by_the_seed(self):
        first, again, other = (load("semi_supervised_vae", labels=3, seed=seed).labelled.x for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        self.assertFalse(np.array_equal(first, other))

    def test_a_hundred_labels_by_default(self):
        self.assertLen(load("stacked_semi_supervised_vae").labelled, 100)

    @parameterized.parameters("validation", "test")
    def test_evaluation_labels_the_examples_themselves(self, split):
        held_out = load("aasvae", split)
        self.assertIs(held_out.labelled, held_out.examples)
        batch = held_out.first(9)
        np.testing.assert_array_equal(batch["c"].argmax(-1), held_out.examples.c[:9])

    def test_a_target_is_a_shift_of_the_examples(self):
        training = load("cyclegan", target="negative")
        np.testing.assert_array_equal(training.target.x, 255 - training.examples.x)

    def test_data_that_are_never_mapped_need_no_cache_and_a_target_has_a_storage_that_suits_it(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        np.savez(path / "other.npz", x=np.full([40, 8, 8, 1], 7, np.uint8))
        sources = inputs.Sources(cache_dir=str(path / "cache"))
        settings = Settings("cyclegan", f"npz:{path / 'other.npz'}", target="digits", storage="mapped")
        found = inputs.load(defaults.resolve(settings, (8, 8, 1), 40), "train", sources)
        self.assertEqual((found.examples.storage, found.target.storage), ("mapped", "memory"))
        self.assertLen(list((path / "cache").glob("*.npy")), 1)

    def test_a_target_may_be_another_data_set(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        np.savez(path / "other.npz", x=np.full([40, 8, 8, 1], 7, np.uint8))
        other = f"npz:{path / 'other.npz'}"
        target = load("cyclegan", target=other).target
        np.testing.assert_array_equal(target.x, ugm_tf.data.load(other, "train").x)
        self.assertEqual((int(target.x.max()), target.c), (7, None))

    @pytest.mark.slow
    def test_a_batch_has_the_recipes_variables(self):
        for name in ("vae", "acgan", "semi_supervised_vae", "cyclegan", "adversarial_domain_adaptation"):
            training = load(name)
            self.assertEqual(set(next(iter(training.batches(8)))), set(training.variables), name)

    def test_what_was_read_is_kept_for_further_runs_where_that_is_asked_for(self):
        settings = Settings("vae", "digits")
        other = dataclasses.replace(settings, recipe="gan", storage="memory")  # as a run has it that has decided
        sources = inputs.Sources(kept={})
        first = inputs.read(settings, "train", sources)
        for again in (settings, other):
            self.assertIs(inputs.read(again, "train", sources), first)
        larger = dataclasses.replace(settings, image_size=16)
        for elsewhere in (inputs.read(settings, "test", sources), inputs.read(larger, "train", sources)):
            self.assertIsNot(elsewhere, first)
        self.assertIsNot(inputs.read(settings, "train", inputs.Sources()), first)
        self.assertEqual(inputs.read(larger, "train", sources).shape, (16, 16, 1))

    def test_one_pass_holds_each_example_once(self):
        held_out = load("vae", "validation")
        self.assertEqual([len(batch["x"]) for batch in held_out.once(100)], [100, 100, 50])

    def test_training_batches_are_changed_and_others_are_not(self):
        plain, changed = (load("gan", augment=augment) for augment in ((), ("flip", "diffaugment(color)")))
        batches = [next(iter(made.to_train(8, seed=0, start_step=3)))["x"].numpy() for made in (plain, changed)]
        for x, other in zip(*batches, strict=True):
            self.assertTrue((x == other).all() or (x[:, ::-1] == other).all())
        self.assertFalse((batches[0] == batches[1]).all())
        once = [next(iter(made.once(8)))["x"].numpy() for made in (plain, changed)]
        np.testing.assert_array_equal(*once)

    def test_the_recipes_discriminators_see_changed_images_where_it_is_asked(self):
        settings = Settings("gan", "digits", augment=("flip", "diffaugment(cutout,color)"))
        self.assertEqual(settings.make_recipe(), ugm_tf.diffaugmented(ugm_tf.recipes.gan(), ("cutout", "color")))
        self.assertEqual(settings.augment_data, ("flip",))


class PartTest(parameterized.TestCase):
    def rows(self, share, recipe="vae", seed=0, split="train", dataset="digits"):
        return {image.tobytes() for image in load(recipe, split, dataset=dataset, fraction=share, seed=seed).examples.x}

    def test_a_part_has_as_many_of_each_class_whatever_the_recipe(self):
        for recipe in ("vae", "gan", "semi_supervised_vae"):
            found = load(recipe, fraction=0.1)
            np.testing.assert_array_equal(np.bincount(found.examples.c), [13] * 10)
            self.assertLen(found.whole, 1297)

    def test_the_parts_of_a_seed_are_nested_and_other_seeds_have_others(self):
        self.assertContainsSubset(self.rows(0.02), self.rows(0.1))
        self.assertNotEqual(self.rows(0.1), self.rows(0.1, seed=1))

    def test_labels_are_of_the_part(self):
        found = load("semi_supervised_vae", fraction=0.1, labels=3)
        self.assertContainsSubset({x.tobytes() for x in found.labelled.x}, {x.tobytes() for x in found.examples.x})

    def test_held_out_splits_are_whole(self):
        self.assertLen(load("vae", "test", fraction=0.1).examples, 250)

    def test_without_classes_it_is_nested_too(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "plain.npz"
        np.savez(path, x=np.random.default_rng(0).integers(0, 255, [400, 8, 8, 1], np.uint8))
        some, more = (self.rows(share, dataset=f"npz:{path}") for share in (0.1, 0.5))
        whole = len(ugm_tf.data.load(f"npz:{path}", "train"))
        self.assertEqual((len(some), len(more)), (round(0.1 * whole), round(0.5 * whole)))
        self.assertContainsSubset(some, more)

    @parameterized.parameters(0.001, 0.0)
    def test_one_that_is_none_is_refused(self, share):
        with self.assertRaisesRegex(ValueError, "is none of each of its 10 classes. Give at least 0.0078"):
            load("vae", fraction=share)

    def test_the_least_that_a_refusal_advises_is_taken(self):
        self.assertLen(load("vae", fraction=0.0078).examples, 10)

    def test_a_class_that_has_fewer_gives_all_and_the_others_more(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "uneven.npz"
        x, labels = (
            np.random.default_rng(0).integers(0, 255, [900, 8, 8, 1], np.uint8),
            np.repeat([0, 1, 2], [40, 260, 600]),
        )
        np.savez(path, x=x, c=labels)
        counts = [np.bincount(load("gan", dataset=f"npz:{path}", fraction=f).examples.c) for f in (0.05, 0.3, 0.7, 1.0)]
        whole = load("gan", dataset=f"npz:{path}").examples.class_counts
        self.assertEqual(len(set(counts[0])), 1)
        for found, share in zip(counts, (0.05, 0.3, 0.7, 1.0), strict=True):
            self.assertAlmostEqual(sum(found) / sum(whole), share, delta=2 / sum(whole))
            np.testing.assert_array_equal(found, np.minimum(whole, max(found)))
        self.assertLess(counts[0][0], counts[1][0])
        np.testing.assert_array_equal(counts[-1], whole)

    def test_it_counts_as_the_data_of_the_whole(self):
        whole, some = (known_data.describe(load("vae", fraction=share)) for share in (None, 0.1))
        self.assertEqual(whole, some)


class RefusalsTest(absltest.TestCase):
    def test_changes_of_vectors(self):
        with self.assertRaisesRegex(ValueError, "holds vectors, and augment=.'flip',. is of images"):
            load("gan", dataset="ring", augment=("flip",))

    def test_labels_where_there_are_none(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "plain.npz"
        np.savez(path, x=np.zeros([40, 8, 8, 1], np.uint8))
        with self.assertRaisesRegex(
            ValueError, "'conditional_gan' learns from labels, and .* has none. Give a --dataset"
        ):
            load("conditional_gan", dataset=f"npz:{path}")

    def test_a_target_that_there_is_not(self):
        with self.assertRaisesRegex(
            ValueError, r"--target is a shift \(background, .*\) or a data set. There is no data set"
        ):
            load("cyclegan", target="negativ")

    def test_a_target_of_another_shape(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        (path / "only").mkdir()
        for i in range(20):
            PIL.Image.fromarray(np.full([4, 4], i, np.uint8)).save(path / "only" / f"{i}.png")
        with self.assertRaisesRegex(ValueError, r"\[8, 8, 1\] of --dataset=digits, and \[4, 4, 1\].*Give --image_size"):
            load("cyclegan", target=f"folder:{path}")

    def test_more_labels_than_there_are(self):
        with self.assertRaisesRegex(ValueError, "examples of class .*Ask for at most per_class="):
            load("semi_supervised_vae", labels=1000)


if __name__ == "__main__":
    absltest.main()
