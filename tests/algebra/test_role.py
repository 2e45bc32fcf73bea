from absl.testing import absltest, parameterized

from ugm_tf.algebra import Role


class RoleTest(parameterized.TestCase):
    @parameterized.parameters(
        ("p(z)", Role("p", "z")),
        ("q(z | x)", Role("q", "z", ("x",))),
        ("p(x | z, c)", Role("p", "x", ("z", "c"))),
        ("q(y | x_1, z2)", Role("q", "y", ("x_1", "z2"))),
    )
    def test_reads_what_it_writes(self, text, role):
        self.assertEqual(Role.parse(text), role)
        self.assertEqual(str(role), text)

    def test_order_of_parents_matters(self):
        self.assertNotEqual(Role.parse("p(x | z, c)"), Role.parse("p(x | c, z)"))

    @parameterized.parameters(
        "",
        "z",
        "r(z)",
        "p(z|x)",
        "p(x | z,c)",
        "p(x |z)",
        "p( z )",
        "p(x | )",
        "p(x, z)",
        "p(z) ",
        "p(x | z | c)",
        "p(a b)",
    )
    def test_refuses_what_it_cannot_read(self, text):
        with self.assertRaisesRegex(ValueError, r"written 'p\(x \| z, c\)', 'q\(z \| x\)' or 'p\(z\)'.*Received: '"):
            Role.parse(text)

    @parameterized.parameters("p(x | x)", "p(x | z, z)")
    def test_refuses_a_variable_that_stands_twice(self, text):
        with self.assertRaisesRegex(ValueError, "Each variable stands once"):
            Role.parse(text)


if __name__ == "__main__":
    absltest.main()
