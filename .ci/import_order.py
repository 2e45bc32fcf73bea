"""Which way imports may go in this repository, and where they go another way.

`python .ci/import_order.py` prints every violation and fails if there is one; so does `tests/test_import_order.py`.
"""

import ast
import functools
import pathlib
import re
import sys

__all__ = ["ORDER", "ROOT", "area", "cycles", "forbidden", "imports", "python_files", "violations"]

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Each area imports itself and the lines above its own: nothing beside it, nothing below it.  An import that only type
# checkers see is an import.
ORDER: tuple[tuple[str, ...], ...] = (
    (
        "ugm_tf/serialization.py",
        "ugm_tf/arguments.py",
        "ugm_tf/arrays.py",
        "ugm_tf/files.py",
        "ugm_tf/quiet.py",
        "ugm_tf/splitmix.py",
        "ugm_tf/traced.py",
        "ugm_tf/version.py",
    ),
    ("ugm_tf/replicas.py",),
    ("ugm_tf/grids.py",),
    ("ugm_tf/densities",),
    ("ugm_tf/algebra",),
    ("ugm_tf/recipes", "ugm_tf/networks", "ugm_tf/data"),
    ("ugm_tf/supports.py", "ugm_tf/foreign_noise.py"),
    ("ugm_tf/validation.py", "ugm_tf/density_validation.py", "ugm_tf/rehearsal.py"),
    ("ugm_tf/joint.py",),
    ("ugm_tf/inference", "ugm_tf/training"),
    ("ugm_tf/model.py",),
    ("ugm_tf/saving.py",),
    ("ugm_tf/evaluation",),
    ("ugm_tf/callbacks",),
    ("ugm_tf/serving",),
    ("ugm_tf/__init__.py",),
    ("export",),
    ("trainers",),
    ("benchmarks", ".ci"),
    ("tests",),
)

# What never appears in ugm_tf: Keras 2 under its three names, flags, and what belongs in tests and scripts.
FORBIDDEN_MODULES = {
    "tf_keras": "import keras",
    "tensorflow.keras": "import keras",
    "tensorflow_probability.layers": "it is Keras 2; use ugm_tf.densities",
    "absl.flags": "take an argument; flags belong to trainers and export",
}
_IMPORT_ROOTS = ("", ".ci/")


def python_files(root: pathlib.Path = ROOT) -> list[str]:
    """Every Python file that has a place in the order, or should have one, as a path from the root."""
    tops = {name.split("/")[0] for line in ORDER for name in line}
    return sorted(str(path.relative_to(root)) for top in tops for path in (root / top).rglob("*.py"))


def area(path: str) -> str:
    """The entry of `ORDER` that a file belongs to."""
    for name in (name for line in ORDER for name in line):
        if path == name or path.startswith(name + "/"):
            return name
    raise ValueError(f"{path} has no place in the import order. Add it to ORDER in .ci/import_order.py.")


def _file(module: str, root: pathlib.Path) -> str | None:
    for base in _IMPORT_ROOTS:
        stem = base + module.replace(".", "/")
        for path in (f"{stem}.py", f"{stem}/__init__.py"):
            if (root / path).is_file():
                return path
    return None


@functools.cache
def _tree(source: str) -> ast.Module:
    """What a file says: every import of a package looks into it again."""
    return ast.parse(source)


@functools.cache
def _nodes(source: str) -> tuple[ast.AST, ...]:
    """All nodes of a file: several look through them, and each file is looked at again and again."""
    return tuple(ast.walk(_tree(source)))


def _binds(package_file: str, name: str, root: pathlib.Path) -> bool:
    """Whether a package gives a name a meaning of its own: its function `gan` hides its module `gan`."""
    package = package_file.removesuffix("/__init__.py").replace("/", ".")
    for node in _tree((root / package_file).read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module != package:
            if name in (alias.asname or alias.name for alias in node.names):
                return True
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return True
    return False


def _modules(path: str, nodes: tuple[ast.AST, ...]) -> list[tuple[str, str | None]]:
    """What a file imports, as (module, name or None), with relative imports made absolute."""
    found: list[tuple[str, str | None]] = []
    package = pathlib.PurePosixPath(path).parent.parts
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found += [(module, alias.name) for alias in node.names]
    return found


def imports(path: str, root: pathlib.Path = ROOT) -> set[str]:
    """The files of this repository that a file of it imports, for its types alone too.

    A string that is a module's dotted name counts: "export.export" in `[sys.executable, "-m", "export.export"]`; and so
    do the modules of a package that it imports to list them by `pkgutil.iter_modules`.
    """
    nodes = _nodes((root / path).read_text())
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    out = {_file(text, root) for text in strings if re.fullmatch(r"\w+(\.\w+)+", text)} - {None}
    for module, name in _modules(path, nodes):
        file = _file(module, root)
        own = _file(f"{module}.{name}", root) if name else None
        if own and not (file and _binds(file, name, root)):
            file = own
        if file is None and (root / module.split(".")[0]).is_dir():
            raise ValueError(f"{path} imports {module}, which is not in the repository.")
        if file:
            out.add(file)
    if any(isinstance(node, ast.Attribute) and node.attr == "iter_modules" for node in nodes):
        folders = [(root / file).parent for file in out if file and file.endswith("/__init__.py")]
        out |= {str(found.relative_to(root)) for folder in folders for found in folder.glob("*.py")}
    return out - {path}


def forbidden(source: str) -> list[str]:
    """What a file of `ugm_tf` must not do, each with its line and what to do instead."""
    nodes = _nodes(source)
    names = {}  # as this file calls a module -> as it is called
    found = []

    def check(node, dotted):
        for module, instead in FORBIDDEN_MODULES.items():
            if dotted == module or dotted.startswith(module + "."):
                found.append(f"line {node.lineno}: {dotted} is not used here: {instead}.")

    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                check(node, alias.name)
                if alias.asname:
                    names[alias.asname] = alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                check(node, f"{node.module}.{alias.name}")
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in nodes:
        if isinstance(node, ast.Attribute):
            root, *rest = ast.unparse(node).split(".")
            dotted = ".".join([names.get(root, root), *rest])
            if dotted in FORBIDDEN_MODULES:
                check(node, dotted)
        elif isinstance(node, ast.Assert):
            found.append(f"line {node.lineno}: the library raises and never asserts: raise ValueError.")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            found.append(f"line {node.lineno}: the library never prints: raise, return or log.")
    return found


def cycles(root: pathlib.Path = ROOT) -> list[str]:
    """Files that import each other, however far around."""
    graph = {path: imports(path, root) for path in python_files(root)}
    found, done = [], set()

    def visit(path: str, trail: tuple[str, ...]) -> None:
        if path in trail:
            found.append(" -> ".join([*trail[trail.index(path) :], path]))
        elif path not in done:
            for following in sorted(graph.get(path, ())):
                visit(following, (*trail, path))
            done.add(path)

    for path in graph:
        visit(path, ())
    return found


def violations(root: pathlib.Path = ROOT) -> list[str]:
    """Every import, in the whole repository, that goes the wrong way or is forbidden where it stands."""
    rank = {name: number for number, line in enumerate(ORDER) for name in line}
    found = [f"import each other: {cycle}" for cycle in cycles(root)]
    for path in python_files(root):
        here = area(path)
        for other in sorted(imports(path, root)):
            if area(other) != here and rank[area(other)] >= rank[here]:
                found.append(f"{path} imports {other}, but {here} comes before {area(other)} or stands beside it.")
        if path.startswith("ugm_tf/"):
            found += [f"{path}, {fault}" for fault in forbidden((root / path).read_text())]
    return found


if __name__ == "__main__":
    sys.exit("\n".join(violations()) or 0)
