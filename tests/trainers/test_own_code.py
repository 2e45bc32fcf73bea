"""Functions by the name of a file or a module."""

import os
import pathlib

from absl.testing import absltest, parameterized

from trainers import own_code


class OwnCodeTest(parameterized.TestCase):
    def file(self, code, name="mine.py"):
        path = pathlib.Path(self.create_tempdir().full_path) / name
        path.write_text(code)
        return path

    def test_its_short_name_is_the_functions(self):
        self.assertEqual([own_code.short(r) for r in ("a/b.py:mine", "a.b:mine", "vae")], ["mine", "mine", "vae"])

    def test_a_file_is_the_same_from_another_directory(self):
        self.assertEqual(own_code.absolute("b.py:mine"), f"{pathlib.Path.cwd() / 'b.py'}:mine")
        for recipe in ("vae", "package.module:mine", "/a/b.py:mine"):
            self.assertEqual(own_code.absolute(recipe), recipe)

    def test_what_is_ones_own_has_a_colon_or_is_a_file(self):
        self.assertEqual([own_code.is_own(n) for n in ("vae", "a.py", "a.py:f", "a.b:f")], [False, True, True, True])
        self.assertEqual([own_code.is_own(n) for n in ("dcgan(normalization='a:b')", ":f", "a:")], [False, True, True])

    @parameterized.parameters(
        ("my (old) files/b.py:f(act='a:b')", ("my (old) files/b.py", "f(act='a:b')")),
        ("my (old) files/b.py:f", ("my (old) files/b.py", "f")),
        ("a.b:f(g='(:)')", ("a.b", "f(g='(:)')")),
        ("dcgan(filters=3)", ("", "dcgan(filters=3)")),
        ("/a-b/c.py:not a name", ("/a-b/c.py", "not a name")),
    )
    def test_where_it_is_ends_before_what_is_called(self, name, parts):
        self.assertEqual(own_code.split(name), parts)

    def test_a_file_is_run_once_however_many_flags_name_it_and_again_when_it_changes(self):
        path = self.file("runs = []\ndef f():\n    return 1\ndef g():\n    return 2\n")
        f, g = own_code.function("recipe", f"{path}:f"), own_code.function("network", f"{path}:g")
        self.assertIs(f.__globals__, g.__globals__)
        path.write_text("def f():\n    return 3\n")
        os.utime(path, ns=(1, 1))
        self.assertEqual(own_code.function("recipe", f"{path}:f")(), 3)

    def test_what_cannot_be_found_says_which_flag(self):
        path = self.file("def f():\n    return 1\n")
        for name, advice in (
            (str(path), "Give --network=path/to/file.py:function or --network=module:function. Received"),
            (f"{path}.py:f", "There is no file .*Give --network=path/to/file.py"),
            (f"{path}:g", "mine.py has no function 'g'. It has: f"),
            ("no.such:g", "Module 'no.such' could not be imported: ModuleNotFoundError"),
        ):
            with self.assertRaisesRegex(ValueError, advice):
                own_code.function("network", name)


if __name__ == "__main__":
    absltest.main()
