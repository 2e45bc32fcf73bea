"""Measurements of the package against hand-written programs."""
