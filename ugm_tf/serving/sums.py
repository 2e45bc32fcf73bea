"""The checksums of a version's files, as `sha256sum --check` reads them."""

import hashlib
import pathlib

__all__ = ["SUMS", "faults", "irregular", "sha256", "write"]

SUMS = "assets.extra/SHA256SUMS"
_NONE = "none"


def sha256(path: pathlib.Path) -> str:
    """The checksum of a file."""
    total = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            total.update(part)
    return total.hexdigest()


def write(version: pathlib.Path) -> None:
    """Writes down the checksums of all files that a version consists of, the last of its files."""
    (version / SUMS).write_text(_text(_sums(version)))


def faults(version: pathlib.Path) -> list[str]:
    """Which files are missing, damaged or added since; each byte of a version counts."""
    if odd := irregular(version):
        return odd
    try:
        written = (version / SUMS).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        return [f"{SUMS} cannot be read: {error}. An export of ugm_tf has it."]
    there = _sums(version)
    if odd := [f"{name} is no file that can be read." for name, total in there.items() if total == _NONE]:
        return odd
    known = {folder.as_posix() for name in (*there, SUMS, "assets/any") for folder in pathlib.PurePath(name).parents}
    folders = (path.relative_to(version).as_posix() for path in sorted(version.rglob("*")) if path.is_dir())
    if added := [f"{name} is no folder of this export." for name in folders if name not in known]:
        return added
    if written == _text(there):
        return []
    lines = [line.partition("  ") for line in written.splitlines()]
    expected = {name: total for total, _, name in lines}
    found = [f"{name} is missing." for name in sorted(set(expected) - set(there))]
    found += [f"{name} is not of this export." for name in sorted(set(there) - set(expected))]
    damaged = (name for name in sorted(expected) if there.get(name, expected[name]) != expected[name])
    found += [f"{name} is damaged: its checksum is another." for name in damaged]
    return found or [f"{SUMS} is damaged."]


def irregular(version: pathlib.Path) -> list[str]:
    """What is no plain file nor folder, and so is not opened: links, which lead out of the version, and pipes."""
    found = [path for path in sorted(version.rglob("*")) if path.is_symlink() or not (path.is_file() or path.is_dir())]
    return [
        f"{path.relative_to(version)} is a link: a version has its files itself."
        if path.is_symlink()
        else f"{path.relative_to(version)} is no file that can be read."
        for path in found
    ]


def _sums(version: pathlib.Path) -> dict[str, str]:
    files = (path for path in sorted(version.rglob("*")) if path.is_symlink() or not path.is_dir())
    names = {path.relative_to(version).as_posix(): path for path in files}
    return {name: _sum(path) for name, path in names.items() if name != SUMS}


def _sum(path: pathlib.Path) -> str:
    """The checksum of a file, or that there is none: of what is no file, leads nowhere or cannot be read."""
    try:
        return sha256(path) if path.is_file() else _NONE
    except OSError:
        return _NONE


def _text(sums: dict[str, str]) -> str:
    return "".join(f"{total}  {name}\n" for name, total in sums.items())
