"""The picture of a graph where no program lays it out: cards in one column, in the order of the tree, root first.

It has the ids and classes that `compact` gives to a painted one, so that the same script serves both.
"""

import math
import unicodedata
from html import escape

from .cards import Card, Picture
from .compact import STYLE, Box, short
from .label import grid
from .values import MAGENTA, number, plain

CELL, ROW, GAP, LEFT = 16, 22, 34, 12


def column(picture: Picture) -> str:
    """The SVG of a picture."""
    cards = in_order(picture)
    top = 8.0
    boxes: dict[str, Box] = {}
    parts: list[str] = []
    for card in cards:
        box, drawn = draw(card, top)
        boxes[card.id] = box
        parts.append(drawn)
        top += box.height + GAP
    widest = max(box.width for box in boxes.values())
    place = {card.id: index for index, card in enumerate(cards)}
    farthest = 0.0
    lanes: dict[tuple[str, str], int] = {}
    for edge in picture.edges:
        tail, head = boxes[edge.tail], boxes[edge.head]
        parallel = lanes[edge.tail, edge.head] = lanes.get((edge.tail, edge.head), -1) + 1
        bulge = 14.0 + 12 * min(abs(place[edge.tail] - place[edge.head]), 12) + 9 * parallel
        start = (LEFT + tail.width, tail.y + tail.height / 2 - 6 + 5 * parallel)
        end = (LEFT + head.width, head.y + head.height / 2 + 6 + 5 * parallel)
        reach = max(start[0], end[0]) + bulge
        farthest = max(farthest, reach)
        kind = "constant" if edge.constant else "gradient"
        parts.append(f'<g id="{edge.id}" class="edge {kind}">{arc(start, end, reach)}</g>')
    width, height = short(max(farthest, LEFT + widest) + 14), short(top - GAP + 10)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"<style>{STYLE}</style>{''.join(parts)}</svg>"
    )


def in_order(picture: Picture) -> list[Card]:
    """The cards as the tree meets them, without recursion."""
    inputs = picture.inputs()
    found: dict[str, Card] = {}
    stack = [picture.root]
    while stack:
        id = stack.pop()
        if id not in found:
            found[id] = picture.cards[id]
            stack += [edge.tail for edge in reversed(inputs[id])]
    return list(found.values())


def arc(start: tuple[float, float], end: tuple[float, float], reach: float) -> str:
    """A line that bulges to the right, and its arrowhead."""
    (x, y), (u, v) = start, end
    path = f"M{short(x)} {short(y)}C{short(reach)} {short(y)} {short(reach)} {short(v)} {short(u + 7)} {short(v)}"
    head = f"{short(u + 7)},{short(v - 2.5)} {short(u)},{short(v)} {short(u + 7)},{short(v + 2.5)}"
    return f'<path d="{path}"/><polygon points="{head}"/>'


def extent(words: str, size: float) -> float:
    """About how wide words are."""
    return sum(1.1 if unicodedata.east_asian_width(char) in "WF" else 0.6 for char in words) * size


def draw(card: Card, top: float) -> tuple[Box, str]:
    """A card's box and its SVG."""
    name = plain(card.name, 32).strip() if card.name else ""
    words = plain(card.word, 40)
    lines: list[str] = []
    y = top + 20
    width = extent(name, 12) + extent(words, 10) + 7 * len(card.badge) + 44
    x = LEFT + 8.0
    looks = "" if card.made_up else "i b"
    if name:
        lines.append(said(name, x, y, 12, looks))
    lines.append(said(words, x + (extent(name, 12) + 10 if name else 0), y, 10, ""))
    if card.kind == "constant" and card.members[0].number:
        value = number(card.members[0].data[()])
        lines.append(said(value, x + width - 24, y, 10, "i m"))
        width += extent(value, 10)
    else:
        for node in card.shown:
            if len(card.shown) > 1:
                y += ROW - 6
                lines.append(said(plain(node.name or node.op, 40), x, y, 9, ""))
            arrays = {"data": node.data} | ({} if node.gradient is None else {"grad": node.gradient})
            every = [*arrays.values(), *card.drafts.get(node.id, [])]
            longest = max(len(word) for each in every for line in grid(each) for word, _ in line)
            across = math.ceil(longest * 5.42) + 7
            for what, array in arrays.items():
                y += ROW
                lines.append(said(what, x, y, 9, ""))
                drawn = []
                rows = grid(array)
                for row in rows:
                    drawn += [
                        cell(word, color, x + 27 + i * across, y - 11.5, across)
                        for i, (word, color) in enumerate(row)
                    ]
                    y += CELL
                y -= CELL
                width = max(width, 50 + across * max(map(len, rows)))
                lines.append(f'<g id="{node.id}-{what}" class="g">{"".join(drawn)}</g>')
    if card.kind == "constant" and not card.members[0].number:
        y += 18
        lines.append(said("no gradient needed", x, y, 9, ""))
        width = max(width, 110)
    if card.line is not None:
        y += 18
        code = plain(card.line.text or card.line.place, 40)
        lines.append(said(code, x, y, 8, "m"))
        width = max(width, extent(code, 8) + 16)
    box = Box(LEFT, top, width, y - top + 12)
    if card.badge:
        wide = 10 + 6 * len(card.badge)
        frame = Box(LEFT + width - wide - 8, top + 8, wide, 16)
        word = f'<text x="{short(frame.x + wide / 2)}" y="{short(top + 19)}">{escape(card.badge)}</text>'
        lines.append(f'<g class="badge">{frame.rect("p", 4)}{word}</g>')
    dashed = " d" if card.kind in ("constant", "scope") else ""
    return (
        box,
        f'<g id="{card.id}" class="card {card.kind}">{box.rect("c p" + dashed, 6)}{"".join(lines)}</g>',
    )


def said(words: str, x: float, y: float, size: int, looks: str) -> str:
    """Words in the picture."""
    kind = f' class="{looks}"' if looks else ""
    return f'<text{kind} style="font-size:{size}px" x="{short(x)}" y="{short(y)}">{escape(words)}</text>'


def cell(words: str, color: str, x: float, y: float, width: int) -> str:
    """One little cell."""
    white = ' class="w"' if color == MAGENTA else ""
    return (
        f'<path fill="{color}" d="M{short(x)} {short(y)}h{width}v{CELL}h-{width}z"/>'
        f'<text{white} x="{short(x + width / 2)}" y="{short(y + 11.5)}">{escape(words)}</text>'
    )
