"""Reports: paragraphs and tables that print as aligned text, and show themselves in a notebook.

Their words may hold what people called their tensors, so both ways out are safe: the text has no control
characters, the HTML is escaped and has neither script nor a colour of its own, for dark themes.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

WIDTH = 96
LINE = "border-bottom:1px solid rgba(127,127,127,.4);"


class Heading(str):
    """A line above what it is about."""

    __slots__ = ()


class Verbatim(str):
    """Lines whose spaces count, as those of a tree or of code."""

    __slots__ = ()


class Table(NamedTuple):
    """A header and rows of cells; `align` has "l" or "r" for each column, and without it all but the first are "r"."""

    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    align: str = ""

    def sides(self) -> str:
        """The side of each column that its cells stand at."""
        return self.align or "l" + "r" * (len(self.header) - 1)

    def cells(self) -> list[list[str]]:
        """The header and the rows as clean text."""
        return [[plain(str(cell)) for cell in row] for row in (self.header, *self.rows)]


Block = str | Table  # a str is a paragraph, unless it is a Heading or Verbatim


class Report:
    """What prints as text and shows itself as HTML: a subclass returns its parts from `blocks()`.

    >>> class Two(Report):
    ...     def blocks(self):
    ...         return [Heading("Squares"), Table(["n", "n * n"], [[3, 9], [10, 100]]), "All of them."]
    >>> Two()
    Squares
      n   n * n
      3       9
      10    100
    All of them.
    >>> "<b>" in report_html(["<b>"])
    False
    """

    def blocks(self) -> Iterable[Block]:
        """The report's parts from top to bottom."""
        raise NotImplementedError

    def __str__(self) -> str:
        return report_text(self.blocks())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return report_html(self.blocks())


def report_text(blocks: Iterable[Block]) -> str:
    """The parts of a report as lines of text, tables and verbatim ones indented."""
    from textwrap import wrap

    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            lines += table_lines(block)
        elif isinstance(block, Verbatim):
            lines += ["  " + plain(line) for line in block.split("\n")]
        else:
            for line in block.split("\n"):
                lines += wrap(plain(line), WIDTH) or [""]
    return "\n".join(lines)


def table_lines(table: Table) -> list[str]:
    """A table as lines with columns of one width; the header is left out where it is empty."""
    cells = table.cells()
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells if any(cells[0]) else cells[1:]:
        filled = [
            " " * (width - columns(cell)) + cell if side == "r" else cell + " " * (width - columns(cell))
            for cell, width, side in zip(row, widths, table.sides(), strict=True)
        ]
        lines.append(("  " + "  ".join(filled)).rstrip())
    return lines


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def report_html(blocks: Iterable[Block]) -> str:
    """The parts of a report as one HTML element."""
    from html import escape

    parts = []
    for block in blocks:
        if isinstance(block, Table):
            header, *rows = block.cells()
            lines = [tr("th", header, block.sides())] if any(header) else []
            lines += [tr("td", row, block.sides()) for row in rows]
            parts.append(f'<table style="border-collapse:collapse;margin:.3em 0">{"".join(lines)}</table>')
            continue
        tag = "h4" if isinstance(block, Heading) else "pre" if isinstance(block, Verbatim) else "p"
        words = escape("\n".join(map(plain, block.split("\n"))))
        parts.append(
            f'<{tag} style="margin:.4em 0;line-height:1.4;white-space:pre-wrap;color:inherit">{words}</{tag}>'
        )
    return f'<div class="autodiff-report" style="color:inherit;overflow-x:auto">{"".join(parts)}</div>'


def tr(tag: str, cells: Sequence[str], sides: str) -> str:
    """A table's row in HTML."""
    from html import escape

    styles = [f"padding:.1em .8em .1em 0;text-align:{'right' if side == 'r' else 'left'};" for side in sides]
    # Leading spaces are a level; a number stays on one line.
    spaces = {"l": "white-space:pre-wrap;", "r": "white-space:nowrap;"}
    styles = [
        style + (LINE if tag == "th" else spaces[side]) for style, side in zip(styles, sides, strict=True)
    ]
    inner = [
        f'<{tag} style="{style}background:none;color:inherit">{escape(cell)}</{tag}>'
        for cell, style in zip(cells, styles, strict=True)
    ]
    return f"<tr>{''.join(inner)}</tr>"


def plain(text: str, most: int = 0) -> str:
    """`text` on one line, with what cannot be printed spelled out, and cut after `most` characters.

    >>> plain("a\\nb\\x00"), plain("abcdef", 4)
    ('a\\\\nb\\\\x00', 'abc…')
    """
    text = "".join(
        # Controls, surrogates, unassigned, line separators and what turns the direction of writing round.
        ascii(char)[1:-1]
        if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Zl", "Zp")
        or unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        else char
        for char in text
    )
    return text[: most - 1] + "…" if most and len(text) > most else text
