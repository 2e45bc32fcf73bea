"""What a run refuses before it starts."""

import dataclasses
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers.test_run import SMALL, train


class RefusalsTest(parameterized.TestCase):
    def refuses(self, advice, workdir=None, **changes):
        workdir = workdir or pathlib.Path(self.create_tempdir().full_path) / "run"
        with mock.patch.object(ugm_tf.UnifiedModel, "fit", side_effect=AssertionError("trained")):
            with self.assertRaisesRegex(ValueError, advice):
                train(dataclasses.replace(SMALL, **changes), workdir)

    @parameterized.parameters(
        ({"recipe": "gann"}, r"There is no recipe 'gann'. There are: .*vae_gan.* Did you mean 'gan'\?"),
        ({"hyperparameters": (("betta", 4),)}, "Recipe 'vae' has no hyperparameter 'betta'. It takes: beta"),
        (
            {"hyperparameters": (("beta", "x"),)},
            "'beta' of recipe 'vae' is of type float or Schedule.*Received: 'x'",
        ),
        ({"hyperparameters": (("kl", "numeric"),)}, "kl is 'analytic' or 'sampled'. Received: kl='numeric'"),
        ({"dataset": "digit"}, "There is no data set 'digit'. Did you mean 'digits'"),
        ({"likelihood": "bernouli"}, "There is no family 'bernouli'. Did you mean 'bernoulli'"),
        ({"likelihood": "point"}, "scores data, and likelihood 'point' has no log-probability.*--likelihood=bernoulli"),
        (
            {"observation": "grey"},
            "'bernoulli' is of binary values, .*'grey' gives levels.*Use --observation=binarised",
        ),
        (
            {"families": (("decoder", "bernoulli"),), "likelihood": None, "observation": "grey"},
            "Family 'bernoulli' of decoder is of binary values, .*'grey' gives levels.*or another --families",
        ),
        ({"likelihood": "continuous_bernoulli", "observation": "raw"}, "gives real ones. Use --observation=grey or"),
        ({"dataset": "ring", "likelihood": "laplace", "observation": "grey"}, "vectors.*Choose observation='raw'"),
        ({"batch_size": 5000}, "--batch_size=5000 is more than the 1,297 examples to train on"),
        ({"augment": ("diffaugment(color)",)}, "This recipe's discriminators: none. Leave it out, flip or shift"),
        ({"augment": ("shift(8)",)}, "by less than a side: .* of 8x8. Received: shift.8."),
        ({"network": "dcgan"}, "--hidden=8 is of dense networks, and --network=dcgan has no such sizes"),
        ({"likelihood": "gaussian(scale=0)"}, "The scale of a Gaussian must be positive"),
        (
            {"recipe": "cyclegan", "target": "nagative", "code_size": None},
            "--target is a shift .*There is no data set 'nagative'",
        ),
        ({"recipe": "acgan", "dataset": "npz:/none.npz"}, "none.npz"),
        ({"recipe": "aasvae", "labels": 500}, "Ask for at most per_class="),
        ({"recipe": "gan", "families": (("decoder", "laplas"),)}, "There is no family 'laplas'"),
    )
    def test_settings_that_make_no_sense(self, changes, advice):
        self.refuses(advice, **changes)

    def test_going_back_further_than_the_best_model(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "run"
        settings = dataclasses.replace(SMALL, keep_best="wake/loss", on_nan="rollback")
        with self.assertRaisesRegex(ValueError, "may lose the model that --keep_best keeps. Leave out --checkpoint_st"):
            train(settings, path, checkpoint_steps=4)

    def test_first_weights_that_are_not_there_leave_no_directory(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "run"
        self.refuses("--init_from is a finished run's directory or a model.keras, and there is", path, init_from="no")
        self.assertFalse(path.exists())

    def test_a_directory_that_is_not_a_runs(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        (path / "thesis.tex").write_text("")
        self.refuses(r"is not empty and has no flags.txt, so it is not a run's. Give a new --workdir", path)
        self.assertEqual([p.name for p in path.iterdir()], ["thesis.tex"])

    def test_a_directory_that_cannot_be_written(self):
        file = pathlib.Path(self.create_tempdir().full_path) / "file"
        file.write_text("")
        for path in (file, file / "run", "/proc/run"):
            self.refuses("cannot be written: .*Give another --workdir", path)


if __name__ == "__main__":
    absltest.main()
