"""The graph as a tree of text: what shows where no picture can."""

from collections import Counter

from .cards import Card, Picture
from .trace import TraceNode
from .values import brief, plain


class Text(str):
    """A string that shows itself as it prints."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def tree_of(picture: Picture, max_nodes: int, max_depth: int) -> Text:
    """The tree from the root down to its parameters, without recursion.

    A card that is used several times is drawn in full once; elsewhere its line points there.
    """
    inputs = picture.inputs()
    uses = Counter(edge.tail for edge in picture.edges)
    lines: list[str] = []
    expanded: set[str] = set()
    cut: set[str] = set()
    stack = [(picture.root, "", "")]
    while stack:
        if len(lines) >= max_nodes:
            break
        id, lead, indent = stack.pop()
        card = picture.cards[id]
        mark = f" #{id}" if uses[id] > 1 else ""
        if id in expanded:
            lines.append(f"{lead}{title(card)}{mark} (above)")
            continue
        lines.append(f"{lead}{title(card)}{mark}{numbers(card)}")
        edges = inputs[id]
        if edges and len(indent) // 3 >= max_depth:
            lines[-1] += "  …"
            cut.add(id)
            continue
        expanded.add(id)
        for place in range(len(edges) - 1, -1, -1):
            last = place == len(edges) - 1
            stack.append(
                (edges[place].tail, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "))
            )
    hidden = len(picture.cards) - len(expanded | cut)
    if hidden:
        lines.append(
            f"… {hidden} of {len(picture.cards)} nodes are not shown: tree(..., max_nodes=, max_depth=) "
            "shows more, an earlier tensor or collapse= less"
        )
    if picture.note:
        lines.append(f"({picture.note})")
    return Text("\n".join(lines))


def title(card: Card) -> str:
    """A card's name and what it is."""
    name = plain(card.name, 40).strip() if card.name else ""
    word = plain(card.word, 60)
    return f"{name}: {word}" if name else word


def numbers(card: Card) -> str:
    """A card's values and gradients."""
    losses = "".join(f"; {words}" for words, share in card.losses if share)
    if len(card.shown) == 1:
        return values(card.shown[0]) + losses
    return "".join(f"; {plain(node.name or node.op, 40)}{values(node)}" for node in card.shown) + losses


def values(node: TraceNode) -> str:
    """A node's value and gradient."""
    gradient = "" if node.gradient is None else f"  grad {brief(node.gradient)}"
    return f" = {brief(node.data)}{gradient}"
