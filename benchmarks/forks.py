"""Exporters without the seconds of an import: forks of one process that has imported everything, and done nothing yet.

  python -m benchmarks.forks

reads a line for each, in JSON: the flags, and the files that its output and its errors go to.  It answers with the
process's number, and, when asked for that number, with its exit status.
"""

import json
import os
import sys
from collections.abc import Sequence

from export import command_line, export


def begin(flags: Sequence[str], *outputs: str) -> int:
    """Forks an exporter; its process's number."""
    if number := os.fork():
        return number
    try:
        for number, name in enumerate(outputs, 1):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        command_line.start(export.main, command_line=["export.export", *flags])
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
    os._exit(1)


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        answer = begin(*asked) if isinstance(asked, list) else os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1])
        print(answer, flush=True)


if __name__ == "__main__":
    main()
