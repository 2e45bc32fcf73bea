"""Compares runs: their figures with mean and spread over seeds, their curves, samples and settings, on one page.

  python -m trainers.compare runs/vae runs/gan --out=comparison.html

Runs that differ in nothing but --seed are one group; --by=recipe makes one of all runs of a recipe:

  python -m trainers.compare runs/*/seed_* --by=recipe

prints the table, too.
"""

from absl import flags

from . import comparison, scripts

_OUT = flags.DEFINE_string("out", "comparison.html", "Where the page goes.")
_BY = flags.DEFINE_string("by", None, "The flag whose values are the groups, such as recipe; all but seed by default.")


def main(argv: list[str]) -> None:
    scripts.show_comparison(comparison.compare(argv[1:], _BY.value), _OUT.value)


if __name__ == "__main__":
    scripts.start(main, arguments=True)
