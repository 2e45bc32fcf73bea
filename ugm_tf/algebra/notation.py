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
    before = ""
    for part in re.split(r"([_^](?:\([^)]*\)|\w+(?:\.\.\w+)?))", text):
        if part[:1] in ("_", "^"):  # an index, an exponent
            out[-1] += f"{part[0]}{{{' '.join(map(_symbol, _TOKEN.findall(part[1:])))}}}"
            continue
        for match in _TOKEN.finditer(part):
            if part[match.start() - 1 : match.start()] == " " and _apart(before, match[0]):
                out.append("\\ ")  # a space of mathematics, which has none between words
            before = match[0]
            out.append(_symbol(before))
    return " ".join(out)


def _apart(left: str, right: str) -> bool:
    """Whether a space has to stand between two symbols: next to a word, where no operator has a space of its own."""
    operands = left[-1:].isalnum() or left in (")", "]"), right[0].isalnum() or right in ("(", "[")
    words = (token not in _FUNCTIONS and token[0].isalpha() and len(token) > 1 for token in (left, right) if token)
    return all(operands) and not {left, right} & set(_FUNCTIONS) and any(words)


def _symbol(token: str) -> str:
    if token in _FUNCTIONS:
        return _FUNCTIONS[token]
    if token in _SYMBOLS:
        return _SYMBOLS[token]
    if token[0].isalpha() and len(token) > 1:
        name = token.replace("_", r"\_")
        return rf"\mathrm{{{name}}}"
    return token
