"""What to type for a script: its module's name depends on whether this is a checkout or an installed package."""

__all__ = ["of"]


def of(script: str, *arguments: str) -> str:
    """The command of a script of this package, such as "python -m trainers.report --workdir=runs/vae"."""
    return " ".join(["python -m", f"{__package__}.{script}", *arguments])
