"""Graphviz's SVG in few bytes: the same picture, with classes for looks and ids for what a script changes.

Rounded outlines become rects, cells a path and a centred word each; fonts and colours become classes, whose
meaning stands once, in a style sheet of the picture's own.
"""

import re
import xml.etree.ElementTree as ET
from html import escape
from typing import NamedTuple

from .label import FAINT, GREY, INK, OUTLINES, PAPER
from .values import MAGENTA

NUMBER = re.compile(r"-?\d+\.?\d*")
STYLE = (
    f"text{{font:10px Helvetica,Arial,sans-serif;fill:{GREY};white-space:pre}}"
    f".i{{fill:{INK}}}.b{{font-weight:bold}}.m,.g text{{font-family:Courier,monospace}}"
    f".g text{{font-size:9px;fill:{INK};text-anchor:middle}}.g .l{{text-anchor:start}}.g path{{stroke:{FAINT}}}"
    f"text.o{{fill:{MAGENTA};font-weight:bold}}.g text.w{{fill:{PAPER}}}.p,.e{{fill:{PAPER}}}"
    f".scope>.p{{fill:#F5F7FA;stroke:{FAINT}}}.badge rect{{stroke:{GREY}}}.badge text{{font-size:9px;text-anchor:middle}}"
    f".edge path{{fill:none;stroke:{GREY}}}.edge polygon{{fill:{GREY}}}.d,.edge.constant path{{stroke-dasharray:5 2}}"
    + "".join(
        f".{kind}>.c{{stroke:{color};stroke-width:{width}}}" for kind, (color, width, _) in OUTLINES.items()
    )
    + ".root>.c2{stroke-width:1}"
)


class Box(NamedTuple):
    """An upright rectangle."""

    x: float
    y: float
    width: float
    height: float

    def rect(self, classes: str, radius: int = 0) -> str:
        """It as an SVG element."""
        x, y, width, height = map(short, self)
        round_ = f' rx="{radius}"' if radius else ""
        return f'<rect class="{classes}" x="{x}" y="{y}" width="{width}" height="{height}"{round_}/>'


def short(x: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{x:.1f}".removesuffix(".0").replace("-0.", "-.") if x else "0"


def box_of(element: ET.Element) -> Box:
    """The rectangle that holds a path or polygon."""
    numbers = [float(n) for n in NUMBER.findall(element.get("d") or element.get("points") or "")]
    xs, ys = numbers[::2], numbers[1::2]
    return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def thinned(path: str) -> str:
    """A path's or polygon's coordinates with one decimal."""
    return NUMBER.sub(lambda match: short(float(match.group())), path)


def tag(element: ET.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def compact(svg: str) -> str:
    """The picture of `digraph(..., ids=True)` as Graphviz painted it, without what only Graphviz needs."""
    root = ET.fromstring(svg)
    (whole,) = [child for child in root if tag(child) == "g"]
    shift = re.search(r"translate\(([^)]*)\)", whole.get("transform", ""))
    moved = f' transform="translate({thinned(shift.group(1))})"' if shift else ""
    parts = []
    for group in whole:
        kinds = (group.get("class") or "").split()
        id = escape(group.get("id") or "")
        if "node" in kinds:
            parts.append(f'<g id="{id}" class="card {kinds[-1]}">{card(group, kinds[-1])}</g>')
        elif "edge" in kinds:
            parts.append(f'<g id="{id}" class="edge {kinds[-1]}">{edge(group)}</g>')
        elif "cluster" in kinds:
            parts.append(f'<g class="scope">{card(group, "cluster")}</g>')
    view = thinned(root.get("viewBox", ""))
    _, _, width, height = view.split()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="{view}">'
        f"<style>{STYLE}</style><g{moved}>{''.join(parts)}</g></svg>"
    )


def flat(group: ET.Element) -> list[ET.Element]:
    """What is in a group, those around tooltips opened; grids with an id stay whole."""
    found = []
    for child in group:
        if tag(child) in ("g", "a") and not grid_id(child):
            found += flat(child)
        elif tag(child) != "title":
            found.append(child)
    return found


def grid_id(element: ET.Element) -> str:
    """The id that `label` gave a grid of numbers, "n3-grad"."""
    match = re.fullmatch(r"a_(\w+-(?:data|grad))", element.get("id") or "")
    return match.group(1) if match else ""


def card(group: ET.Element, kind: str) -> str:
    """A card's or a cluster's outline, words, badge and grids."""
    parts: list[str] = []
    outlines = 0
    badge: Box | None = None
    for element in flat(group):
        name = tag(element)
        if name in ("path", "polygon"):
            if element.get("stroke") == "none" and kind != "cluster":  # the paper under an outline
                continue
            box = box_of(element)
            if kind != "cluster" and outlines and box.height < 20:
                badge = box
                continue
            inner = kind == "root" and not outlines
            dashed = " d" if element.get("stroke-dasharray") else ""
            outlines += 1
            parts.append(box.rect(f"{'c2 ' * inner}c p{dashed}" if kind != "cluster" else "p", 6))
        elif name == "text" and badge is not None:
            x, y = badge.x + badge.width / 2, badge.y + badge.height / 2 + 3
            word = f'<text x="{short(x)}" y="{short(y)}">{escape(element.text or "")}</text>'
            parts.append(f'<g class="badge">{badge.rect("p", 4)}{word}</g>')
            badge = None
        elif name == "text":
            parts.append(words(element))
        elif name == "g":
            parts.append(f'<g id="{grid_id(element)}" class="g">{cells(element)}</g>')
    return "".join(parts)


def words(element: ET.Element) -> str:
    """A text, its font and colour as classes."""
    classes = [
        short
        for short, here in (
            ("i", element.get("fill", "").upper() == INK),
            ("o", element.get("fill", "").upper() == MAGENTA.upper()),
            ("b", element.get("font-weight") == "bold"),
            ("m", "Courier" in element.get("font-family", "")),
        )
        if here
    ]
    size = float(element.get("font-size", 10))
    looks = f' class="{" ".join(classes)}"' if classes else ""
    looks += f' style="font-size:{short(size)}px"' if size != 10 else ""
    x, y = (short(float(element.get(axis, 0))) for axis in "xy")
    return f'<text{looks} x="{x}" y="{y}">{escape(element.text or "")}</text>'


def cells(grid: ET.Element) -> str:
    """A grid's cells: each a path with its tint, and its words in the middle."""
    parts = []
    tint, box = PAPER, None
    for element in flat(grid):
        if tag(element) in ("polygon", "path"):
            if element.get("stroke") == "none":
                tint = element.get("fill", PAPER)
                continue
            box = box_of(element)
            x, y, width, height = map(short, box)
            tint = tint.replace("#ffffff", "#fff")
            parts.append(f'<path fill="{tint}" d="M{x} {y}h{width}v{height}h-{width}z"/>')
            tint = PAPER
        elif box is not None:
            text = escape(element.text or "")
            middle = short(box.x + box.width / 2), short(float(element.get("y", 0)))
            white = ' class="w"' if element.get("fill", "").upper() == PAPER else ""
            parts.append(f'<text{white} x="{middle[0]}" y="{middle[1]}">{text}</text>')
    return "".join(parts)


def edge(group: ET.Element) -> str:
    """An edge's line and its arrowhead."""
    parts = []
    for element in flat(group):
        if tag(element) == "path":
            parts.append(f'<path d="{thinned(element.get("d", ""))}"/>')
        elif tag(element) == "polygon":
            parts.append(f'<polygon points="{thinned(element.get("points", ""))}"/>')
    return "".join(parts)
