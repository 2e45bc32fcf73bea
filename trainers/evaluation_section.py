"""The report's section about the test split: the same layout whatever the model, what it cannot answer included."""

import pathlib
from collections.abc import Collection, Mapping
from typing import Any

from ugm_tf import files
from ugm_tf.evaluation import Estimate

from . import commands, curves, figure_table, page, reading
from .figure import Figure, from_dict, words

__all__ = ["insert", "render"]

_NETWORK = ("layer", "size", "value_range", "resize", "network_hash")


def render(written: Mapping[str, Any]) -> str:
    """The section as HTML.

    Args:
        written: What evaluation.json holds.
    """
    figures = [from_dict(figure) for figure in written["figures"]]
    seen = {f"{f.estimate.how['network']} ({_network(f)})": None for f in figures if "network_hash" in f.estimate.how}
    above = {"of", "split", *_NETWORK} | ({"network"} if len(seen) == 1 else set())  # what the first lines say
    groups: dict[str, list[dict[str, str]]] = {row.group: [] for row in figure_table.ROWS}
    for figure in figures:
        groups.setdefault(figure.group, []).append(_line(figure, above))
    names = {name: row.group for row in figure_table.ROWS for name in row.names}
    for each in written["skipped"]:
        groups.setdefault(names.get(each["name"], ""), []).append(each)
    template = page.environment().get_template("evaluation_section.html.jinja")
    command = commands.of("evaluate")
    return template.render(
        groups=groups, data=written["data"], run=written["run"], networks=list(seen), command=command
    )


def insert(report: pathlib.Path, section: str) -> None:
    """Puts the section into a report, in the place of an earlier one; where there is no report, nothing is done.

    Args:
        report: report.html.
        section: What `render` gave.
    """
    if not report.is_file():
        return
    text = report.read_text()
    begin, end = page.EVALUATION
    if begin in text and end in text:
        before, after = text.partition(begin)[0], text.partition(end)[2]
    else:  # of an earlier version
        before, _, after = text.rpartition("</main>")
        after = f"</main>{after}"
    files.write(report, f"{before}{begin}{section}{end}{after}".encode())


def _network(figure: Figure) -> str:
    how = figure.estimate.how
    return ", ".join(f"{name.replace('_', ' ')} {how[name]}" for name in _NETWORK if name in how)


def _line(figure: Figure, above: Collection[str]) -> dict[str, str]:
    def text(estimate: Estimate) -> str:
        number = curves.with_spread(estimate.value, estimate.error, figure.unit)
        return number if estimate.n == figure.estimate.n else f"{number}, n {estimate.n:,}"

    how = words(figure.estimate, above)
    return {
        "name": figure.name,
        "value": text(figure.estimate),
        "unit": figure.unit,
        "real": "" if figure.real is None else text(figure.real),
        "how": f"{way.capitalize()} is better. {how}" if (way := reading.better(figure.name)) else how,
    }
