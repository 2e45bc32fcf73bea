"""Runs a published experiment, and puts what is found beside what is published.

  python -m trainers.reproduce --list
  python -m trainers.reproduce --experiment=hu_aavae --scale=smoke
  python -m trainers.reproduce --experiment=hu_aavae --scale=cpu --out=reproduction --manual_dir=downloads

Each contender is trained from paired seeds, each run in a directory of its own, and measured on the test split.
Interrupted, the same command goes on; started several times, on one machine or on several that see --out, each run is
claimed by one process.  The tables, the plot and the page in --out are a function of the results that are there.

  python -m trainers.reproduce --experiment=hu_iwgan --scale=cpu --dataset=fashion_mnist

puts it on another data set, and --docs=docs/reproduction.md keeps the results beside a page of this repository.
"""

import logging
import pathlib

from absl import flags

from . import inputs, scripts
from .reproduction import catalogue, documents, listing, performing, reading, tables
from .reproduction.declarations import SCALES
from .reproduction.units import Plan

_EXPERIMENT = flags.DEFINE_enum("experiment", None, catalogue.names(), "Which one; --list says what each is.")
_LIST = flags.DEFINE_bool("list", False, "Say what there is, what it takes and what is published; run nothing.")
_SCALE = flags.DEFINE_enum(
    "scale", "smoke", SCALES, "smoke: minutes, on embedded data; cpu: hours on 2 cores; full: as published, on a GPU."
)
_SEEDS = flags.DEFINE_integer("seeds", None, "How many paired seeds; the scale's by default.", lower_bound=1)
_DATASET = flags.DEFINE_string("dataset", None, "Data in the place of the experiment's, such as fashion_mnist.")
_ONLY = flags.DEFINE_multi_string(
    "only", [], "Run these contenders for now, such as '1 %' or 'VAE, 1 %', by a name or a condition; may be repeated."
)
_OUT = flags.DEFINE_string("out", "runs/reproduction", "The folder of runs, results and tables.")
_TABLES = flags.DEFINE_bool("tables", False, "Write the tables of the results that are there; run nothing.")
_DOCS = flags.DEFINE_string("docs", None, "Run nothing: keep the results that are there beside this page of Markdown.")
_KEPT = flags.DEFINE_string(
    "kept", None, "Take the results that --docs kept beside this page of Markdown, and run only what is not among them."
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets; its own default if it is not given.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie, for sets of TFDS.")
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir", None, "Where trained classifiers lie; the user's cache folder by default."
)


def main(_: list[str]) -> int:
    if _LIST.value:
        for name in [_EXPERIMENT.value] if _EXPERIMENT.value else catalogue.names():
            print(listing.entry(name))
        return 0
    if _EXPERIMENT.value is None:
        raise ValueError(f"--experiment is one of {', '.join(catalogue.names())}; --list says what each is.")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # that each run traces its own functions is meant
    plan = Plan(_EXPERIMENT.value, _SCALE.value, _DATASET.value or "", _SEEDS.value)
    out = pathlib.Path(_OUT.value)
    if _KEPT.value is not None:
        taken = documents.restore(plan, pathlib.Path(_KEPT.value), out)
        print(f"Taken from {_KEPT.value}: {len(taken)} results.")
    if _DOCS.value is not None:
        print("\n".join(f"Written: {path}" for path in documents.keep(plan, out, pathlib.Path(_DOCS.value))))
        return 0
    if not _TABLES.value:
        sources = inputs.Sources(_DATA_DIR.value, _MANUAL_DIR.value, _CACHE_DIR.value)
        performing.perform(plan, out, sources, _ONLY.value)
    summary = reading.write(plan, out)
    print(f"\n{tables.markdown(summary)}\nTables: {out / plan.folder / reading.TABLE}")
    return 0


if __name__ == "__main__":
    scripts.start(main)
