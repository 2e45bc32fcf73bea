"""The equations that `describe` prints, as LaTeX."""

import re

__all__ = ["latex"]

_TOKEN = re.compile(r"[A-Za-z]\w*|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\.|\|\||-\+|\S")
_SYMBOLS = {
    "~": r"\sim",
    "|": r"\mid",
    "||": r"\,\|\,",
    "*": r"\cdot",
    "-+": r"\mp",
    "..": r"\ldots",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
}
_FUNCTIONS = {"log": r"\log", "max": r"\max", "min": r"\min", "exp": r"\exp", "E": r"\mathbb{E}"}


def latex(text: str) -> str:
    r"""A recipe's description as one aligned block of LaTeX between double dollars.

    Args:
        text: What `Recipe.describe` returns.

    Example:

    >>> print(latex("wake: minimise over decoder\n    E[x ~ data] -log p(x | z)"))
    $$\begin{aligned}
    &\textbf{wake: minimise over decoder} \\
    &\quad \mathbb{E} [ x \sim \mathrm{data} ] - \log p ( x \mid z )
    \end{aligned}$$
    """
    lines = []
    for line in text.split("\n"):
        heading = line.replace("_", r"\_")
        lines.append(rf"&\quad {_formula(line.strip())}" if line.startswith("  ") else rf"&\textbf{{{heading}}}")
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def _formula(text: str) -> str:
    out: list[str] = []
    for part in re.split(r"([_^](?:\([^)]*\)|\w+(?:\.\.\w+)?))", text):
        if part[:1] in ("_", "^"):  # an index, an exponent
            out[-1] += f"{part[0]}{{{' '.join(map(_symbol, _TOKEN.findall(part[1:])))}}}"
        else:
            out += map(_symbol, _TOKEN.findall(part))
    return " ".join(out)


def _symbol(token: str) -> str:
    if token in _FUNCTIONS:
        return _FUNCTIONS[token]
    if token in _SYMBOLS:
        return _SYMBOLS[token]
    if token[0].isalpha() and len(token) > 1:
        name = token.replace("_", r"\_")
        return rf"\mathrm{{{name}}}"
    return token
