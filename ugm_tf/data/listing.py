"""Which files of a folder are its images, and which folders are splits and classes."""

import collections
import dataclasses
import functools
import os
import pathlib
import unicodedata

import PIL.Image

from ugm_tf.data.readings import ARCHIVE, HIDDEN
from ugm_tf.data.splits import SPLITS

__all__ = ["Listing", "list_images", "suffixes"]

_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".avif", ".tif", ".tiff"),
    *(".pgm", ".ppm", ".pbm"),
)
_CALLED = {"training": "train", "val": "validation", "valid": "validation", "testing": "test"}
_CALLED |= {split: split for split in SPLITS}
_Counter = collections.Counter[str]
_CIRCLE = "links to a folder that they lie in"
_KINDS = 8  # of what is passed over, in one line


@dataclasses.dataclass(frozen=True)
class Listing:
    """The images of a folder.

    Attributes:
        files: By split and class, in the order of their names. One split "train" where the folder has none, and one
            class "" where it has none.
        classes: Names of the classes in order; None where images lie in no class folders.
        passed_over: Why files and folders were left out, and how many.
        nested: How many images lie deeper than their class folder.
    """

    files: dict[str, dict[str, list[pathlib.Path]]]
    classes: tuple[str, ...] | None
    passed_over: dict[str, int]
    nested: int


@functools.cache
def suffixes() -> tuple[str, ...]:
    """The endings of the files that are read as images: those that this installation of Pillow can read."""
    known = PIL.Image.registered_extensions()
    return tuple(suffix for suffix in _SUFFIXES if suffix in known)


def list_images(path: str) -> Listing:
    """Finds the images of a folder, without opening one.

    Args:
        path: A folder of one of the layouts path/split/class/image.png, path/class/image.png, path/split/image.png
            and path/image.png. Images deeper in a class folder are of that class.

    Raises:
        ValueError: If there is no such folder or no image in it, a layout is none of these, or classes differ between
            splits or in case only.
    """
    root, passed_over = _root(path), collections.Counter[str]()
    parts = _parts(root, passed_over)
    found = {split: _classes(folder, passed_over) for split, folder in parts.items()}
    for split, classes in found.items():
        if not classes:
            raise ValueError(
                f"'{parts[split]}' has no images. Expected {path}/split/class/image.png or {path}/class/image.png, or "
                f"without classes {path}/image.png, with files ending in {', '.join(suffixes())}.{_left(passed_over)}"
            )
    _check_names(found)
    _check_classes(found, parts)
    if "" in next(iter(found.values())):
        return Listing(found, None, _shortened(passed_over), 0)
    for split, classes in found.items():
        _check_depth(parts[split], classes, path, len(parts) > 1 or parts[split] != root)
    names = tuple(sorted(next(iter(found.values()))))
    nested = sum(file.parent != parts[split] / name for split in found for name in names for file in found[split][name])
    return Listing(found, names, _shortened(passed_over), nested)


def _root(path: str) -> pathlib.Path:
    if not path:
        raise ValueError("'folder:' is followed by a path, as in 'folder:pictures', or 'folder:.' for this folder.")
    try:
        root = pathlib.Path(path).expanduser()
        there = root.is_dir()
    except (OSError, RuntimeError) as error:  # no such user's home, a path that is too long, or that may not be read
        raise ValueError(f"The folder '{path[:200]}' cannot be read: {getattr(error, 'strerror', error)}.") from error
    if not there:
        raise ValueError(
            f"'{path}' is a file, and no folder (data 'folder:{path}')."
            if root.is_file()
            else f"There is no folder '{path}' (data 'folder:{path}')."
        )
    return root


def _parts(root: pathlib.Path, passed_over: _Counter) -> dict[str, pathlib.Path]:
    """The folder of each split; the root itself is "train" where there are no splits."""
    folders = [entry for entry in _entries(root) if entry.is_dir() and not _is_junk(entry.name)]
    called: dict[str, list[str]] = {}
    for entry in folders:
        called.setdefault(_CALLED.get(entry.name.lower(), ""), []).append(entry.name)
    exact = {entry.name for entry in folders} & set(SPLITS)
    if not exact and "train" not in called:
        return {"train": root}
    unknown = called.pop("", [])
    others = [name for name in unknown if _walk(root / name, collections.Counter())]
    if others:
        raise ValueError(f"'{root}' has splits and also {', '.join(others)}. A split is one of {', '.join(SPLITS)}.")
    for split, names in called.items():
        if len(names) > 1:
            raise ValueError(f"'{root}' has the split '{split}' more than once: {', '.join(names)}. Keep one of them.")
    beside = [entry for entry in _entries(root) if not entry.is_dir() or _is_junk(entry.name)]
    passed_over.update("images beside the splits" if _is_image(entry) else _reason(entry) for entry in beside)
    passed_over.update("folders without images" for _ in unknown)
    return {split: root / names[0] for split, names in called.items()}


def _classes(folder: pathlib.Path, passed_over: _Counter) -> dict[str, list[pathlib.Path]]:
    """The images by class; by "" if they lie in the folder itself."""
    found: dict[str, list[pathlib.Path]] = {}
    loose = []
    for entry in _entries(folder):
        if _leads_up(entry):
            passed_over[_CIRCLE] += 1
        elif entry.is_dir() and not _is_junk(entry.name):
            inside = _walk(pathlib.Path(entry.path), passed_over)
            if inside:
                found[entry.name] = inside
            else:
                passed_over["folders without images"] += 1
        elif _is_image(entry):
            loose.append(pathlib.Path(entry.path))
        else:
            passed_over[_reason(entry)] += 1
    deeper = sum(map(len, found.values()))
    if found and len(loose) >= deeper:
        raise ValueError(
            f"'{folder}' has {len(loose)} images in itself and {deeper} in its folders {_some(list(found))}: with "
            "classes or without? Move the ones or the others away."
        )
    if found and loose:
        passed_over["images beside the class folders"] += len(loose)
    return found or ({"": loose} if loose else {})


def _walk(folder: pathlib.Path, passed_over: _Counter, seen: set[str] | None = None) -> list[pathlib.Path]:
    """All images in a folder and below; of what links lead to, each folder once."""
    seen = set() if seen is None else seen
    real = os.path.realpath(folder)
    if real in seen:
        return []
    seen.add(real)
    found = []
    for entry in _entries(folder):
        if _leads_up(entry):
            passed_over[_CIRCLE] += 1
        elif entry.is_dir() and not _is_junk(entry.name):
            found += _walk(pathlib.Path(entry.path), passed_over, seen)
        elif _is_image(entry):
            found.append(pathlib.Path(entry.path))
        else:
            passed_over[_reason(entry)] += 1
    return found


def _leads_up(entry: os.DirEntry) -> bool:
    """Whether it is a link to a folder that it lies in, the images of whose classes would be of this one as well."""
    if not entry.is_symlink():
        return False
    here = os.path.realpath(os.path.dirname(entry.path))
    return (here + os.sep).startswith(os.path.realpath(entry.path).rstrip(os.sep) + os.sep)


def _entries(folder: pathlib.Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise ValueError(f"The folder '{folder}' cannot be read: {error.strerror}.") from error


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_image(entry: os.DirEntry) -> bool:
    return not _is_junk(entry.name) and entry.is_file() and pathlib.Path(entry.name).suffix.lower() in suffixes()


def _reason(entry: os.DirEntry) -> str:
    if entry.name == "__MACOSX":
        return ARCHIVE
    if entry.name.startswith("."):
        return HIDDEN
    if not entry.is_file():
        return "broken links"
    suffix = pathlib.Path(entry.name).suffix.lower()
    return f"files ending in {suffix}" if suffix else "files without an ending"


def _check_names(found: dict[str, dict[str, list[pathlib.Path]]]) -> None:
    for name in dict.fromkeys(name for classes in found.values() for name in classes):
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"The folder {os.fsencode(name)!r} gives a class a name that is no UTF-8, which no report can show. "
                "Rename it."
            ) from None


def _check_classes(found: dict[str, dict[str, list[pathlib.Path]]], parts: dict[str, pathlib.Path]) -> None:
    first, *others = found
    for split in others:
        for one, other in ((first, split), (split, first)):
            missing = sorted(set(found[one]) - set(found[other]))
            if missing and "" in {*found[one], *found[other]}:
                flat, deep = (s for s in sorted((one, other), key=lambda s: "" not in found[s]))
                raise ValueError(
                    f"'{parts[deep]}' has class folders and '{parts[flat]}' has none. Lay out all splits alike."
                )
            if missing:
                raise ValueError(
                    f"Classes differ between splits: '{parts[one]}' has images of {', '.join(missing)}, and "
                    f"'{parts[other]}' has none. Give each split images of each class."
                )
    known: dict[str, str] = {}
    for name in found[first]:
        key = unicodedata.normalize("NFC", name).casefold()
        if key in known:
            raise ValueError(
                f"'{parts[first]}' has the classes '{known[key]}' and '{name}', which differ in case or accents' "
                "encoding only. Put their images into one folder."
            )
        known[key] = name


def _check_depth(folder: pathlib.Path, classes: dict[str, list[pathlib.Path]], path: str, divided: bool) -> None:
    """Refuses layouts in which a class folder is plainly something else."""
    files = [file for listed in classes.values() for file in listed]
    common = pathlib.Path(os.path.commonpath([file.parent for file in files]))
    if common != folder and all(file.parent != common for file in files):
        below = sorted({file.relative_to(common).parts[0] for file in files})
        mend = f"Move them up to '{folder}'" if divided else f"Give folder:{common}"
        raise ValueError(
            f"'{folder}' has images only in '{common}', in folders {_some(below)}. {mend}, if these are its classes."
        )
    for file in files:
        inside = file.relative_to(folder).parts[1:-1]
        if any(_CALLED.get(name.lower()) == "train" for name in inside):
            raise ValueError(
                f"'{file.parent}' is a split inside a class. Expected {path}/split/class/image.png: splits, and in "
                "them classes."
            )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")


def _left(passed_over: _Counter) -> str:
    found = ", ".join(f"{why} ({n:,})" for why, n in _shortened(passed_over).items())
    return f" Passed over: {found}." if found else ""


def _shortened(passed_over: _Counter) -> dict[str, int]:
    common = passed_over.most_common()
    rest = sum(number for _, number in common[_KINDS:])
    return dict(common[:_KINDS]) | ({"others": rest} if rest else {})
