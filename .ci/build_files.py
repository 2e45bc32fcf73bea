"""Writes the BUILD files: a target for every module and every test, with the dependencies that it imports.

    python .ci/build_files.py          prints what is out of date, and fails if something is
    python .ci/build_files.py --fix    writes it

Who may depend on a target follows from `import_order.ORDER`, so Bazel too refuses an import that goes the wrong way.
"""

import ast
import difflib
import pathlib
import sys

import import_order

__all__ = ["BUILDS", "expected", "outdated"]

BUILDS = ("BUILD", "*/BUILD", "ugm_tf/**/BUILD", "trainers/**/BUILD", "tests/**/BUILD")

_NOTE = "# Written by `python .ci/build_files.py --fix` from the imports.\n"


def _has_code(path: pathlib.Path) -> bool:
    """False for an `__init__.py` that is empty or only says what the package is: that needs no target."""
    statements = ast.parse(path.read_text()).body
    return path.name != "__init__.py" or any(not isinstance(statement, ast.Expr) for statement in statements)


def _label(path: str) -> tuple[str, str]:
    folder, _, file = path.rpartition("/")
    name = file.removesuffix(".py")
    return folder, folder.rpartition("/")[2] if name == "__init__" else name


def _reference(path: str, folder: str) -> str:
    other, name = _label(path)
    if other == folder:
        return f":{name}"
    return f"//{other}" if name == other.rpartition("/")[2] else f"//{other}:{name}"


def _group(area: str) -> str:
    """The package group of those who may import an area: ugm_tf/model.py -> may_import_model."""
    name = area.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
    return f"may_import_{name.strip('.')}"


def _render(rule: str, attributes: dict[str, object]) -> str:
    lines = [f"{rule}("]
    for key, value in attributes.items():
        if isinstance(value, list) and len(value) > 1:
            lines += [f"    {key} = [", *(f'        "{item}",' for item in value), "    ],"]
        elif isinstance(value, list):
            lines.append(f'    {key} = ["{value[0]}"],')
        else:
            lines.append(f'    {key} = "{value}",' if isinstance(value, str) else f"    {key} = {value},")
    return "\n".join([*lines, ")\n"])


def _target(path: str, root: pathlib.Path, paths: set[str], shared: bool) -> tuple[str, str]:
    folder, name = _label(path)
    source = (root / path).read_text()
    is_test = name.startswith("test_")
    stem = pathlib.PurePosixPath(path).name.removesuffix("py")  # report.py takes report.html and report.css with it
    data = sorted(p.name for p in (root / folder).glob(f"{stem}*") if p.is_file() and p.suffix not in (".py", ".pyi"))
    imported = import_order.imports(path, root) & paths
    deps = [_reference(other, folder) for other in imported]
    attributes: dict[str, object] = {"name": name, "srcs": [path.rpartition("/")[2]]}
    if data:
        attributes["data"] = data
    if folder.startswith("."):
        attributes["imports"] = ["."]
    if is_test and "mark.slow" in source:
        attributes["tags"] = ["manual"]
    elif is_test and ".ci/import_order.py" in imported:
        attributes["tags"] = ["external", "local"]  # it reads the checkout: not in the sandbox, not from the cache
    if path == "ugm_tf/__init__.py":
        attributes["visibility"] = ["//visibility:public"]
    elif not shared:
        attributes["visibility"] = [f"//:{_group(import_order.area(path))}"]
    if deps:
        attributes["deps"] = sorted(deps, key=lambda label: (not label.startswith(":"), label))
    rule = "py_test" if is_test else "py_library"
    return rule, _render(rule, attributes)


def _groups() -> str:
    """Who may import an area: itself, and whoever may import an area of the next line of the order."""
    rules = []
    for line, following in zip(import_order.ORDER, [*import_order.ORDER[1:], ()], strict=True):
        for area in line:
            packages = [f"//{area.rpartition('/')[0]}" if area.endswith(".py") else f"//{area}/..."]
            above = {"includes": [f":{_group(name)}" for name in following]} if following else {}
            rules.append(_render("package_group", {"name": _group(area), "packages": packages, **above}))
    return "\n".join([_NOTE, *rules])


def expected(root: pathlib.Path = import_order.ROOT) -> dict[str, str]:
    """What every BUILD file should hold, by its path from the root."""
    files = [path for path in import_order.python_files(root) if _has_code(root / path)]
    out = {"BUILD": _groups()}
    for folder in sorted({_label(path)[0] for path in files}):
        mine = sorted((path for path in files if _label(path)[0] == folder), key=_label)
        if len({_label(path) for path in mine}) < len(mine):
            raise ValueError(f"{folder} has code both in __init__.py and in a module of its name: rename that.")
        areas = {import_order.area(path) for path in mine}
        targets = [_target(path, root, set(files), shared=len(areas) == 1) for path in mine]
        rules = ", ".join(f'"{rule}"' for rule in sorted({rule for rule, _ in targets}))
        head = [_NOTE + f'load("@rules_python//python:defs.bzl", {rules})\n']
        if len(areas) == 1:
            head.append(f'package(default_visibility = ["//:{_group(areas.pop())}"])\n')
        out[f"{folder}/BUILD"] = "\n".join(head + [text for _, text in targets])
    return out


def outdated(root: pathlib.Path = import_order.ROOT) -> dict[str, str | None]:
    """The BUILD files to write, with their text, and those to delete, with None."""
    right = expected(root)
    present = {str(path.relative_to(root)): path.read_text() for pattern in BUILDS for path in root.glob(pattern)}
    wrong: dict[str, str | None] = {path: text for path, text in right.items() if present.get(path) != text}
    return wrong | {path: None for path in present if path not in right}


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--fix"]):
        sys.exit(f"The only argument is --fix. Received: {arguments}.")
    wrong = outdated()
    for path, text in wrong.items():
        file = import_order.ROOT / path
        before = file.read_text() if file.exists() else ""
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), (text or "").splitlines(True), path, path))
        if arguments and text is None:
            file.unlink()
        elif arguments and text is not None:
            file.write_text(text)
    return int(bool(wrong) and not arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
