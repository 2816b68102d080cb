"""What people call: `draw`, `to_graphviz` and `tree`."""

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import topological_order
from ..tensor import Tensor
from .errors import NoPictureError

# The rooms below, with Graphviz's package and all that it needs, are imported when somebody draws:
# `import autodiff` would take twice as long.
if TYPE_CHECKING:
    from pathlib import Path

    from .cards import Picture
    from .text import Text
    from .trace import Trace

ENDINGS = (".svg", ".png", ".pdf", ".dot", ".gv", ".txt")
PAGE, LEAST_SCALE = 720, 0.6  # points across a notebook's page; smaller than this scale nobody reads a card


def fitted(svg: str) -> str:
    """`svg` as wide as a notebook's page if it is wider, since notebooks cut off what is; down to a scale that reads."""

    def sized(found: re.Match[str]) -> str:
        width, height = float(found[1]), float(found[2])
        scale = min(1, max(PAGE / width, LEAST_SCALE))
        return f'<svg style="max-width:100%;height:auto" width="{width * scale:g}pt" height="{height * scale:g}pt"'

    return re.sub(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', sized, svg, count=1)


class Drawing:
    """A picture of a graph: shows itself in a notebook, prints as a tree, and saves itself.

    `source` is its text in Graphviz's language, `tree` the same graph as text. The numbers are those
    of the moment it was drawn; the painting waits until somebody looks.
    """

    def __init__(self, graph: Any, tree: "Text", cards: int, edges: int) -> None:
        self.graph = graph
        self.source: str = graph.source
        self.tree = tree
        self._counts = cards, edges
        self._svg: str | None = None

    def __repr__(self) -> str:
        cards, edges = self._counts
        return f'<Drawing of {cards} nodes and {edges} edges; save("graph.svg") it, or print it as a tree>'

    def __str__(self) -> str:
        return self.tree

    def svg(self) -> str:
        """The picture as SVG; NoPictureError, which says what to install, if no program can paint it."""
        if self._svg is None:
            self._svg = self._paint("svg").decode()
        return self._svg

    def _paint(self, kind: str, *options: str) -> bytes:
        from .engine import paint

        return paint(self.source, kind, *options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            svg = self.svg()
        except NoPictureError as error:
            return {"text/plain": f"{self.tree}\n\nNo picture: {error}"}
        return {"image/svg+xml": fitted(svg[svg.index("<svg") :]), "text/plain": str(self.tree)}

    def save(self, path: str | os.PathLike[str]) -> "Path":
        """Write the picture as its path ends: .svg, .png, .pdf, .dot (or .gv), .txt for the tree.

        A file that is there is replaced only whole. Returns the path. Raises ValueError for another
        ending, FileNotFoundError for a folder that is not there, NoPictureError if no program can
        paint it (.dot and .txt need none; a PDF needs Graphviz itself).
        """
        from pathlib import Path

        from ..files import check_folder, write_whole

        path = Path(path)
        check_folder(path)
        ending = path.suffix.lower()
        if ending == ".txt":
            content = f"{self.tree}\n".encode()
        elif ending in (".dot", ".gv"):
            content = self.source.encode()
        elif ending == ".svg":
            content = self.svg().encode()
        elif ending in ENDINGS:
            content = self._paint(ending[1:], *(["-Gdpi=144"] if ending == ".png" else []))
        else:
            raise ValueError(f"save: {path.name!r} should end in one of {', '.join(ENDINGS)}")
        return write_whole(path, content)


def draw(
    root: Any,
    *,
    seed: Any = None,
    names: Any = None,
    collapse: str | Iterable[str] = (),
    max_nodes: int = 150,
    ops: str = "cards",
    rankdir: str = "TB",
    show: str = "values",
) -> Drawing:
    """A picture of the graph behind `root`, with every value and its gradient.

    `root`: the Tensor that a computation ends with, usually the loss. `seed`: the gradient to
    start with; a root that is no scalar is drawn without gradients if there is none. `names`: a
    dict from names to Tensors and arrays, or `locals()`. `collapse`: the name of a scope, or
    several, each drawn as one card. `max_nodes`: the most cards. `ops`: "cards" draws an op and its
    output as one, "nodes" the op as a small node of its own. `rankdir`: "TB" (downwards), "LR", "BT" or "RL".
    `show`: "error" tints each card by the digits that its value or its gradient has lost, and says how many
    are left; `precision` tells how that is found out.

    A card is a value: its name and op, its numbers (tinted by sign and size, NaN and inf in magenta),
    its gradient, and its place in the backward pass, 1 first; the arrows follow the computation.
    Parameters have a thick outline, constants a dashed one, the loss a double one. The gradients are
    those that `.backward()` would give, hooks included; no `.grad` is touched.

    Raises TypeError if root is no Tensor, ValueError for too many cards and for unknown choices,
    and the backward pass's errors for a stale or a freed graph.

    >>> x = Tensor(3.0, name="x")
    >>> drawing = draw(x * x + x)
    >>> drawing
    <Drawing of 3 nodes and 4 edges; save("graph.svg") it, or print it as a tree>
    """
    from .dot import digraph
    from .text import tree_of

    if show not in ("values", "error"):
        raise ValueError(f"draw: show is one of 'values', 'error', not {show!r}")
    picture = look(root, "draw", seed, names, collapse, max_nodes, ops, rankdir)
    if show == "error":
        picture = with_losses(picture, root, seed)
    text = tree_of(picture, max(max_nodes, 1), 40)
    return Drawing(digraph(picture, ops, rankdir), text, len(picture.cards), len(picture.edges))


def to_graphviz(
    root: Any,
    *,
    seed: Any = None,
    names: Any = None,
    collapse: str | Iterable[str] = (),
    max_nodes: int = 150,
    ops: str = "cards",
    rankdir: str = "TB",
) -> Any:
    """The picture that `draw` makes of `root`, as a `graphviz.Digraph` to change or to combine.

    Arguments and errors as `draw`. Its own `render` needs Graphviz's `dot` on PATH.

    >>> x = Tensor(3.0, name="x")
    >>> to_graphviz(x * x).source.count("->")
    2
    """
    from .dot import digraph

    picture = look(root, "to_graphviz", seed, names, collapse, max_nodes, ops, rankdir)
    return digraph(picture, ops, rankdir)


def tree(
    root: Any,
    *,
    seed: Any = None,
    names: Any = None,
    collapse: str | Iterable[str] = (),
    max_nodes: int = 150,
    max_depth: int = 40,
) -> "Text":
    """The graph behind `root` as a tree of text, which needs no program: a string that prints itself.

    A value that is used several times is drawn once, and pointed to elsewhere. `max_nodes` lines
    are shown at most, `max_depth` levels deep; a last line says how many nodes are not. The
    other arguments and the errors as `draw`.

    >>> x = Tensor(3.0, name="x")
    >>> tree((x * x + 1).named("y"))
    y: add, loss = 10  grad 1
    ├─ multiply = 9  grad 1
    │  ├─ x: parameter #n1 = 3  grad 6
    │  └─ x: parameter #n1 (above)
    └─ constant = 1
    """
    from .cards import fold
    from .text import tree_of
    from .trace import observe

    if max_nodes < 1 or max_depth < 1:
        raise ValueError("tree: max_nodes and max_depth are at least 1")
    return tree_of(fold(observe(root, "tree", seed, names), collapse, "tree"), max_nodes, max_depth)


def with_losses(picture: "Picture", root: Tensor, seed: Any) -> "Picture":
    """The picture with what `precision` finds on every card; a folded scope has that of its worst node."""
    from dataclasses import replace

    from ..accuracy import precision

    report = precision(root, seed)
    rows = {row.id: row for row in report.rows}
    eps = float(np.finfo(root.dtype).eps)
    for card in picture.cards.values():
        said = [pair for node in card.members if node.id in rows for pair in rows[node.id].in_words(eps)]
        for kind in ("value", "grad"):
            lost = [pair for pair in said if pair[1] and pair[0].startswith(kind)]
            card.losses += [max(lost, key=lambda pair: (pair[1], "here" in pair[0]))] if lost else []
        if said and not card.losses:
            card.losses = [("all digits right", 0.0)]
    note = f"digits of the worst elements, {root.dtype} against {report.how}"
    return replace(picture, note=f"{picture.note}; {note}" if picture.note else note)


def look(
    root: Any,
    caller: str,
    seed: Any,
    names: Any,
    collapse: str | Iterable[str],
    max_nodes: int,
    ops: str,
    rankdir: str,
) -> "Picture":
    """The checked picture of a graph."""
    for option, choice, allowed in (
        ("ops", ops, ("cards", "nodes")),
        ("rankdir", rankdir, ("TB", "LR", "BT", "RL")),
    ):
        if choice not in allowed:
            raise ValueError(f"{caller}: {option} is one of {', '.join(map(repr, allowed))}, not {choice!r}")
    return look_closer(root, caller, seed, names, collapse, max_nodes)[1]


def look_closer(
    root: Any, caller: str, seed: Any, names: Any, collapse: str | Iterable[str], max_nodes: int
) -> "tuple[Trace, Picture]":
    """A graph as data, and the picture of it, if that has no more than `max_nodes` cards."""
    from .cards import fold
    from .trace import observe

    collapse = [collapse] if isinstance(collapse, str) else list(collapse)
    if isinstance(root, Tensor) and not collapse:  # before the work of a large backward pass
        check_count(len(topological_order([root])), max_nodes, caller, None)
    seen = observe(root, caller, seed, names)
    picture = fold(seen, collapse, caller)
    check_count(len(picture.cards), max_nodes, caller, seen)
    return seen, picture


def check_count(count: int, most: int, caller: str, seen: "Trace | None") -> None:
    """Refuse a picture that nobody could read, and say how to make it smaller."""
    from .cards import scope_list

    if not isinstance(most, int):
        raise ValueError(f"{caller}: max_nodes is a number of cards, not {most!r}")
    if count > most:
        scopes = f" ({scope_list(seen)})" if seen is not None else ""
        raise ValueError(
            f"{caller}: {count} nodes are more than max_nodes={most}; fold a part with collapse=, the name of "
            f"an ad.scope{scopes}, draw an earlier tensor, print ad.tree, or raise max_nodes"
        )
