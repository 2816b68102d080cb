"""A card as an HTML-like label of Graphviz: header, data and gradient, little tinted cells."""

import html
import math
import unicodedata
from typing import Any

from ..lines import Line, find_line
from .cards import Card
from .trace import TraceNode
from .values import MAGENTA, MOST_CELLS, largest, loss_tint, number, oddities, plain, statistics, tint

INK, GREY, FAINT, PAPER = "#1B2430", "#5B6675", "#B8C1CC", "#FFFFFF"
# Okabe and Ito's colours; the outline's form says the same without any.
OUTLINES = {
    "parameter": ("#0072B2", 3, "ROUNDED"),
    "constant": ("#7A8594", 1, "ROUNDED,DASHED"),
    "interior": ("#8A94A3", 1, "ROUNDED"),
    "root": ("#D55E00", 2, "ROUNDED"),
    "scope": ("#CC79A7", 2, "ROUNDED,DASHED"),
}
WIDEST = 12  # cells in a line
# Graphviz shares a table's spare room evenly among its columns: a cell of many columns takes nearly all.
GREEDY = 24


def text(words: str, most: int = 0) -> str:
    """Words as Graphviz prints them literally: neither tags, nor entities, nor escapes such as \\N."""
    return html.escape(plain(words, most)).replace("\\", "\\\\")


def font(words: str, size: int = 10, color: str = INK, face: str | None = None, bold: bool = False) -> str:
    """Escaped words in a font."""
    words = f"<B>{words}</B>" if bold else words
    family = f' FACE="{face}"' if face else ""
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}"{family}>{words}</FONT>'


def room_for(words: str, size: int) -> str:
    """A cell's least width for words beyond ASCII, which a program without their font takes for spaces."""
    if words.isascii():
        return ""
    ems = sum(
        1.2 if unicodedata.east_asian_width(char) in "WF" else 0.7 for char in words
    )  # an upper bound that looks right
    return f' WIDTH="{math.ceil(ems * size)}"'


def label(card: Card, ops: str, ids: bool = False) -> str:
    """The label of a card, "<...>" as Graphviz wants it; with `ids`, a script can find its grids of numbers."""
    if card.members[0].number and card.kind == "constant":
        return f"<{pill(card)}>"
    color, width, style = OUTLINES[card.kind]
    paper = loss_tint(max([share for _, share in card.losses], default=0.0))
    rows = [header(card, ops)]
    for node in card.shown:
        if len(card.shown) > 1:
            rows.append(wide(font(text(node.name or node.op, 40), 9, GREY)))
        rows += number_rows(node, card.drafts.get(node.id, []), ids)
    rows += [
        wide(font(text(words), 9, INK if share else GREY, bold=share > 0)) for words, share in card.losses
    ]
    if card.kind == "constant":
        rows.append(wide(font("no gradient needed", 9, GREY)))
    if card.line is not None:
        rows.append(wide(font(text(card.line.text or card.line.place, 40), 8, GREY, "Courier")))
    table = (
        f'<TABLE BORDER="{width}" STYLE="{style}" COLOR="{color}" BGCOLOR="{paper}" CELLBORDER="0" '
        f'CELLSPACING="2" CELLPADDING="2">{"".join(rows)}</TABLE>'
    )
    if card.kind == "root":  # a second outline around the first
        table = (
            f'<TABLE BORDER="1" STYLE="ROUNDED" COLOR="{color}" BGCOLOR="{PAPER}" CELLBORDER="0" '
            f'CELLSPACING="0" CELLPADDING="1"><TR><TD>{table}</TD></TR></TABLE>'
        )
    return f"<{table}>"


def wide(content: str) -> str:
    """A row of one cell."""
    return f'<TR><TD COLSPAN="{GREEDY + 1}" ALIGN="LEFT">{content}</TD></TR>'


def header(card: Card, ops: str) -> str:
    """Name, word and place in the backward order."""
    name = plain(card.name, 32).strip() if card.name else ""
    word = plain(card.word, 40)
    if ops == "nodes" and card.kind in ("interior", "root"):  # the op has a node of its own
        word = word.partition(", ")[2]
    heading = (
        f'<TD ALIGN="LEFT"{room_for(name, 12)}>{font(text(name), 12, GREY if card.made_up else INK, bold=not card.made_up)}</TD>'
        if name
        else ""
    )
    side = "RIGHT" if name else "LEFT"
    heading += f'<TD COLSPAN="{GREEDY}" ALIGN="{side}"{room_for(word, 10)}>{font(text(word), 10, GREY) if word else ""}</TD>'
    if card.badge:
        heading += f"<TD>{badge(card.badge)}</TD>"
    elif not name and not word:
        return ""
    inner = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3"><TR>{heading}</TR></TABLE>'
    return f'<TR><TD COLSPAN="{GREEDY + 1}" CELLPADDING="0">{inner}</TD></TR>'


def badge(place: str) -> str:
    """A place in the backward order, in a frame."""
    width = 10 + 6 * len(place)
    return (
        f'<TABLE BORDER="1" STYLE="ROUNDED" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" COLOR="{GREY}"><TR>'
        f'<TD WIDTH="{width}" HEIGHT="14">{font(place, 9, GREY)}</TD></TR></TABLE>'
    )


def number_rows(node: TraceNode, drafts: list[Any], ids: bool) -> list[str]:
    """The rows of a card that show a node's value and its gradient, in columns of one width.

    The columns have room for the numbers of `drafts` too, arrays of the gradient's shape.
    """
    arrays = {"data": node.data} if node.gradient is None else {"data": node.data, "grad": node.gradient}
    grids = {what: grid(array) for what, array in arrays.items()}
    every = [*grids.values(), *(grid(draft) for draft in drafts)]
    longest = max(len(words) for lines in every for line in lines for words, _ in line)
    rows = []
    for what, lines in grids.items():
        rows.append(
            f'<TR><TD ALIGN="LEFT">{font(what, 9, GREY)}</TD><TD COLSPAN="{GREEDY}">{cells(lines, longest, f"{node.id}-{what}" if ids else "")}</TD></TR>'
        )
        array = arrays[what]
        if 0 < array.size <= MOST_CELLS and (array.ndim > 2 or max(array.shape, default=1) > WIDEST):
            rows.append(beneath(font(text(str(array.shape)), 9, GREY)))
        if odd := oddities(array):
            rows.append(beneath(font(odd, 9, MAGENTA, bold=True)))
    return rows


def beneath(content: str) -> str:
    """A row under numbers that says something of them."""
    return f'<TR><TD></TD><TD COLSPAN="{GREEDY}" ALIGN="LEFT">{content}</TD></TR>'


def grid(array: Any) -> list[list[tuple[str, str]]]:
    """Lines of (words, colour): an array's numbers, or a large one's shape, dtype and statistics."""
    if not array.size:
        return [[(f"empty, {array.shape}", PAPER)]]
    if array.size > MOST_CELLS:
        lines = [f"{array.shape} {array.dtype}", ", ".join(statistics(array))]
        return [[(line, PAPER)] for line in lines if line]
    digits = 3 if array.ndim else 4
    scale = largest(array)
    rows = array.reshape(-1, array.shape[-1] if array.ndim else 1)
    return [
        [(number(x, digits), tint(x, scale)) for x in row[start : start + WIDEST]]
        for row in rows
        for start in range(0, len(row), WIDEST)
    ]


def cells(lines: list[list[tuple[str, str]]], longest: int, id: str) -> str:
    """Lines of cells that are as wide as `longest` letters, and do not grow with the card."""
    known = f' ID="{id}" TOOLTIP=" "' if id else ""  # without a tooltip the id goes nowhere
    width, height = math.ceil(longest * 5.42) + 7, 16
    body = "".join(
        f"<TR>{''.join(cell(words, color, width, height) for words, color in line)}</TR>" for line in lines
    )
    return (
        f'<TABLE{known} BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1" FIXEDSIZE="TRUE" '
        f'ALIGN="LEFT" WIDTH="{width * len(lines[0])}" HEIGHT="{height * len(lines)}">{body}</TABLE>'
    )


def cell(words: str, color: str, width: int, height: int) -> str:
    """One little cell."""
    ink = PAPER if color == MAGENTA else INK
    return (
        f'<TD BORDER="1" COLOR="{FAINT}" BGCOLOR="{color}" WIDTH="{width}" HEIGHT="{height}">'
        f"{font(text(words), 9, ink, 'Courier')}</TD>"
    )


def pill(card: Card) -> str:
    """A number that an op took as a constant, in small."""
    color, width, style = OUTLINES["constant"]
    value = font(number(card.members[0].data[()]), 10, INK, "Courier")
    name = f"<TD>{font(text(card.name, 32), 10, bold=True)}</TD>" if card.name else ""
    return (
        f'<TABLE BORDER="{width}" STYLE="{style}" COLOR="{color}" BGCOLOR="{PAPER}" CELLBORDER="0" CELLSPACING="0" '
        f'CELLPADDING="2"><TR>{name}<TD>{value}</TD><TD>{font("constant", 8, GREY)}</TD></TR></TABLE>'
    )


def tooltip(card: Card, total: int) -> str:
    """What a pointer over the card reads."""
    return plain("; ".join(tooltip_parts(card, total)), 600)


def tooltip_parts(card: Card, total: int) -> list[str]:
    """The parts of a tooltip: name, op with its options, shape, place in the backward pass, line."""
    parts = [card.name or "", card.word]
    if card.kind == "scope":
        return [part for part in parts if part]
    node = card.members[0]
    if node.options:
        parts[1] += f" ({', '.join(f'{option}={choice}' for option, choice in node.options)})"
    parts.append(f"shape {node.shape}, {node.dtype}")
    if node.order is not None:
        parts.append(f"number {node.order} of {total} in the backward pass")
    if node.kind == "constant":
        parts.append("no gradient needed")
    line: Line | None = find_line(node.source)
    if line is not None:
        parts.append(f"{line.place}: {line.text}" if line.text else line.place)
    return [part for part in parts if part]


def input_words(node: TraceNode, place: int) -> str:
    """What a pointer over an edge reads."""
    name = node.inputs[place] if place < len(node.inputs) else str(place)
    return plain(f"input {name} of {node.name or node.op}", 200)
