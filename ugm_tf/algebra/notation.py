"""The equations that `describe` prints, as LaTeX."""

import re

__all__ = ["latex"]

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\.|\|\||-\+|\S")
# An index stands after a letter, a figure or a bracket: a word may begin with "_", too.
_MARK = re.compile(r"((?<=[A-Za-z0-9)\]])_\w+(?:\.\.\w+)?|(?<=[\w)\]|}])\^(?:\([^)]*\)|\w+))")
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
    "$": r"\$",
    "^": r"\wedge",
    "\\": r"\backslash",
}
_IN_TEXT = {"^": r"\^{}", "~": r"\~{}", "\\": r"\textbackslash{}"}
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
        heading = re.sub(r"[_%&#${}^~\\]", lambda found: _IN_TEXT.get(found[0], rf"\{found[0]}"), line)
        lines.append(rf"&\quad {_formula(line.strip())}" if line.startswith("  ") else rf"&\textbf{{{heading}}}")
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def _formula(text: str) -> str:
    out: list[str] = []
    before = ""
    for i, part in enumerate(_MARK.split(text)):
        if i % 2:  # an index, an exponent
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
    operands = left[-1:].isalnum() or left in (")", "]"), right[0].isalnum() or right[0] in "_" or right in ("(", "[")
    words = (token not in _FUNCTIONS and _is_word(token) for token in (left, right) if token)
    return all(operands) and not {left, right} & set(_FUNCTIONS) and any(words)


def _symbol(token: str) -> str:
    if token in _FUNCTIONS:
        return _FUNCTIONS[token]
    if token in _SYMBOLS:
        return _SYMBOLS[token]
    if _is_word(token):
        name = token.replace("_", r"\_")
        return rf"\mathrm{{{name}}}"
    return token


def _is_word(token: str) -> bool:
    return token[0] == "_" or (token[0].isalpha() and len(token) > 1)
