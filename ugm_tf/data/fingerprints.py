"""What identifies the data of a run, so that other data in its place are noticed."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Fingerprint", "array_digest", "digest", "in_words"]

_SHOWN = 3  # names of each kind in a message
_CHUNK = 2**24  # bytes hashed at once


def digest(content: bytes) -> str:
    """The first 16 of 64 hexadecimal digits of the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()[:16]


def array_digest(array: np.ndarray) -> str:
    """What identifies an array: dtype, shape and the first 16 digits of the SHA-256 of its bytes, in C order."""
    found, flat = hashlib.sha256(), len(array) if array.ndim else 1
    rows = max(1, _CHUNK // max(1, array.nbytes // max(1, flat)))
    for start in range(0, flat, rows):
        found.update(np.ascontiguousarray(array[start : start + rows] if array.ndim else array).tobytes())
    return in_words(array.dtype, array.shape, found.hexdigest())


def in_words(dtype: np.dtype, shape: Sequence[int], content: str) -> str:
    """What identifies an array, in one line.

    Args:
        dtype: The array's.
        shape: Likewise.
        content: Hexadecimal digits of the SHA-256 of its bytes, in C order.
    """
    return f"{dtype} {list(shape)} {content[:16]}"


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """What was read, whole: all splits, wherever it lies.

    Two fingerprints are equal exactly when the same data were read in the same way.  It says nothing of the path: a
    folder that was moved or copied is the same data.

    Args:
        kind: What the parts are: "file", "array" or "split".
        parts: Each part's name and what identifies it, such as the hash of its content.
        facts: What else decides the examples: the version of a builder, the size images were resized to.

    Example:

    >>> before = Fingerprint("file", {"a/1.png": "5f", "a/2.png": "77"}, {"image_size": "32"})
    >>> after = Fingerprint("file", {"a/1.png": "5f", "a/2.png": "78", "a/3.png": "01"}, {"image_size": "64"})
    >>> before.differences(after)
    ['image_size was 32 and is 64', '1 file added: a/3.png', '1 file changed: a/2.png']
    """

    kind: str
    parts: Mapping[str, str]
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for all of it, to be shown and compared at a glance."""
        lines = [self.kind]
        for values in (self.facts, self.parts):
            lines += [f"{name}\0{value}" for name, value in sorted(values.items())] + [""]
        return digest("\n".join(lines).encode(errors="surrogateescape"))

    def differences(self, found: "Fingerprint") -> list[str]:
        """What distinguishes the data found now from these, in words; empty if nothing does.

        Args:
            found: The fingerprint of the data that are there now.
        """
        if self.kind != found.kind:
            return [f"the data were made of {self.kind}s and are made of {found.kind}s"]
        lines = []
        for name in sorted({*self.facts, *found.facts}):
            was, now = (fingerprint.facts.get(name, "not given") for fingerprint in (self, found))
            if was != now:
                lines.append(f"{name} was {was} and is {now}")
        gone, new = self.parts.keys() - found.parts.keys(), found.parts.keys() - self.parts.keys()
        other = [name for name in self.parts.keys() & found.parts.keys() if self.parts[name] != found.parts[name]]
        for verb, names in (("removed", gone), ("added", new), ("changed", other)):
            if names:
                number = f"{len(names):,} {self.kind}{'' if len(names) == 1 else 's'}"
                lines.append(f"{number} {verb}: {self._listed(sorted(names), found)}")
        return lines

    def derived(self, **facts: Any) -> "Fingerprint":
        """The fingerprint of what was made of these data.

        Args:
            **facts: How it was made.
        """
        return dataclasses.replace(self, facts={**self.facts, **{name: str(value) for name, value in facts.items()}})

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON; `from_dict` takes it back."""
        return {"kind": self.kind, "digest": self.digest, "facts": dict(self.facts), "parts": dict(self.parts)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Fingerprint":
        """A fingerprint that was written down.

        Args:
            values: What `to_dict` gave.

        Raises:
            ValueError: If it is no fingerprint, or was changed since.
        """
        try:
            found = cls(values["kind"], dict(values["parts"]), dict(values["facts"]))
            whole = found.digest == values["digest"]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"This is no fingerprint of data: {error!r} is wrong in it.") from error
        if not whole:
            raise ValueError(f"The fingerprint of data is damaged: its digest is not {values['digest']}.")
        return found

    def _listed(self, names: list[str], found: "Fingerprint") -> str:
        shown = names[:_SHOWN]
        if self.kind != "file":  # what identifies it can be read
            shown = [
                " ".join([name, *(f"({v})" for v in (self.parts.get(name), found.parts.get(name)) if v)])
                for name in shown
            ]
        return ", ".join(shown) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
