"""From a code object and an offset in it to a file, a line and its text: only when somebody looks."""

import linecache
import re
import sys
from types import CodeType
from typing import Any, NamedTuple

CELL = re.compile(r"\d+")


class Line(NamedTuple):
    """A line of somebody's code: `place` is "example.py, line 5" or "In [2], line 5"."""

    file: str
    number: int
    place: str
    text: str


def find_line(source: tuple[CodeType, int] | None) -> Line | None:
    """The line that an op was called on, or None if nothing was recorded.

    >>> code = compile("x = 1", "folder/example.py", "exec")
    >>> find_line((code, 2)).place
    'example.py, line 1'
    """
    if source is None:
        return None
    code, offset = source
    number = code.co_firstlineno
    for start, end, line in code.co_lines():
        if start <= offset < end and line is not None:
            number = line
    file = code.co_filename
    where = cell(file) or re.split(r"[\\/]", file)[-1]
    return Line(file, number, f"{where}, line {number}", linecache.getline(file, number).strip())


def where_made(notes: Any) -> str:
    """For a message, the line that a node's notes (or None) know of: in parentheses, or nothing.

    >>> where_made(None)
    ''
    """
    line = None if notes is None else find_line(notes.source)
    if line is None:
        return ""
    return f" ({line.place}: {line.text})" if line.text else f" ({line.place})"


def cell(file: str) -> str | None:
    """What a notebook shows beside the cell that was compiled from `file`: "In [2]"."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    describe = getattr(getattr(shell, "compile", None), "format_code_name", None)
    label = describe(file) if describe is not None else None
    if label is not None:
        number = CELL.search(label[-1])
        return f"In [{number.group()}]" if number else label[-1]
    return "a notebook cell" if re.search(r"ipykernel_\d+[\\/]", file) else None
