"""A page that samples from a model in a browser, through REST."""

import pathlib

__all__ = ["page"]


def page() -> bytes:
    """The page: one file of HTML that needs no other."""
    return pathlib.Path(__file__).with_name("page.html").read_bytes()
