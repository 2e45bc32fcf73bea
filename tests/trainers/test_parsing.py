"""Flags that are more than a word or a number."""

from absl.testing import absltest, parameterized

from trainers import parsing


class ParseTest(parameterized.TestCase):
    @parameterized.parameters(
        (["beta=4"], (("beta", 4),)),
        (["beta=4.0", "kl=sampled"], (("beta", 4.0), ("kl", "sampled"))),
        (["kl=sampled,beta=4e-1"], (("beta", 0.4), ("kl", "sampled"))),
        (["minimax=True"], (("minimax", True),)),
        (["minimax=false"], (("minimax", False),)),
        ([], ()),
    )
    def test_hyperparameters(self, pairs, expected):
        self.assertEqual(parsing.parse_hyperparameters(pairs), expected)

    @parameterized.parameters((["beta"],), (["beta="],), (["=4"],), (["beta=1,"],))
    def test_refuses_hyperparameters_without_name_or_value(self, pairs):
        with self.assertRaisesRegex(ValueError, "--hyperparameter takes name=value, such as beta=4.0. Received: "):
            parsing.parse_hyperparameters(pairs)

    def test_refuses_a_hyperparameter_that_comes_twice(self):
        with self.assertRaisesRegex(ValueError, "each name once. Received: 'beta' as 1 and as 2"):
            parsing.parse_hyperparameters(["beta=1", "beta=2"])

    def test_hidden(self):
        self.assertEqual(parsing.parse_hidden(["500", " 20"]), (500, 20))

    @parameterized.parameters("wide", "0", "-3", "2.5", "")
    def test_refuses_sizes_that_are_none(self, size):
        with self.assertRaisesRegex(ValueError, "sizes of at least 1, such as --hidden=500,500. Received: 8,"):
            parsing.parse_hidden(["8", size])

    @parameterized.parameters(
        ("flip", ("flip",)),
        ("flip, shift(2)", ("flip", "shift(2)")),
        ("diffaugment", ("diffaugment(color,translation,cutout)",)),
        ("shift(1),diffaugment(cutout, color)", ("shift(1)", "diffaugment(cutout,color)")),
    )
    def test_augment(self, text, expected):
        self.assertEqual(parsing.parse_augment(text), expected)

    @parameterized.parameters(
        ("mirror", "takes flip, shift.n. .*such as --augment=flip,shift.2.,diffaugment. Received: 'mirror'"),
        ("shift", "Received: 'shift'"),
        ("shift(a)", "Received: 'shift.a.'"),
        ("diffaugment(color", "Received: 'diffaugment.color'"),
        ("diffaugment(hue)", r"--augment=diffaugment\(hue\): DiffAugment's policy is of color, translation, cutout"),
        ("diffaugment(colour)", "Did you mean 'color'"),
        ("flip,flip", "takes each change once. Received: 'flip,flip'"),
    )
    def test_refuses_changes_that_there_are_not(self, text, advice):
        with self.assertRaisesRegex(ValueError, advice):
            parsing.parse_augment(text)

    @parameterized.parameters(
        ("encoder=iaf", (("encoder", "iaf"),)),
        ("x=laplace(scale=0.1), a=gaussian", (("a", "gaussian"), ("x", "laplace(scale=0.1)"))),
        ("x=f(a=1,b=2),y=g(),z=h", (("x", "f(a=1,b=2)"), ("y", "g()"), ("z", "h"))),
    )
    def test_families(self, text, expected):
        self.assertEqual(parsing.parse_families(text), expected)

    @parameterized.parameters("encoder", "encoder=", "=iaf", "encoder=iaf,", "a=iaf,a=gaussian", "a=laplace(scale=1")
    def test_refuses_families_without_density_or_family_or_twice(self, text):
        with self.assertRaisesRegex(
            ValueError, "--families takes density=family, each density once, such as encoder=iaf"
        ):
            parsing.parse_families(text)


if __name__ == "__main__":
    absltest.main()
