"""From nodes to cards: one for each node, or one for a whole scope that is folded away."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..ambient import Scope
from ..lines import Line, find_line
from .trace import Trace, TraceNode


@dataclass
class Card:
    """What a picture shows in one box: a node, or the `members` of a folded scope.

    `shown` are the nodes whose numbers are on the card: for a scope, those that are used outside it. `line` is the
    line of code it was made on, where that was recorded; `badge` its place in the backward pass, as printed.
    `made_up`: the name is not the user's. `drafts`: arrays that will be shown in a gradient's place, by node.
    `losses`: for draw(show="error"), words on digits that were lost and the share of all that was.
    """

    id: str
    kind: str
    name: str | None
    word: str
    scope: Scope | None
    members: list[TraceNode] = field(default_factory=list)
    shown: list[TraceNode] = field(default_factory=list)
    losses: list[tuple[str, float]] = field(default_factory=list)
    line: Line | None = None
    badge: str = ""
    made_up: bool = False
    drafts: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def orders(self) -> list[int]:
        """The places of the card's nodes in the backward pass."""
        return sorted(node.order for node in self.members if node.order is not None)


@dataclass(frozen=True)
class Edge:
    """An op's input: from the card `tail` to the card `head`, into node `node` as input `place`."""

    id: str
    tail: str
    head: str
    node: TraceNode
    place: int
    constant: bool


@dataclass(frozen=True)
class Picture:
    """Cards in topological order, edges, and the line under the picture."""

    cards: dict[str, Card]
    edges: list[Edge]
    root: str
    note: str | None

    def inputs(self) -> dict[str, list[Edge]]:
        """The edges into each card, in the op's order."""
        into: dict[str, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            into[edge.head].append(edge)
        return into


def lineage(scope: Scope | None) -> list[Scope]:
    """A scope and those around it, outermost first."""
    scopes = []
    while scope is not None:
        scopes.append(scope)
        scope = scope.parent
    return scopes[::-1]


def fold(trace: Trace, collapse: str | Iterable[str] = (), caller: str = "draw") -> Picture:
    """The picture of a trace, each scope named in `collapse` as one card with the scope's outer edges.

    A constant inside such a scope goes with it, unless it has a name. Raises ValueError for a scope that is not there.
    """
    wanted = {collapse} if isinstance(collapse, str) else set(collapse)
    missing = wanted - {scope.name for node in trace.nodes for scope in lineage(node.scope)}
    if missing:
        raise ValueError(
            f"{caller}: collapse={min(missing, key=str)!r} is no scope of this graph; {scope_list(trace)}"
        )
    cards: dict[str, Card] = {}
    home: dict[str, Card] = {}  # the card that a node is on
    folded: dict[int, Card] = {}
    for node in trace.nodes:
        outer = next((scope for scope in lineage(node.scope) if scope.name in wanted), None)
        # A parameter stands for itself, wherever it was made.
        if outer is None or node.kind == "parameter" or (node.kind == "constant" and node.name):
            scope = outer.parent if outer is not None else node.scope
            card = Card(node.id, node.kind, node.name, word_of(node), scope, [node], [node])
        elif outer.serial in folded:
            card = folded[outer.serial]
            card.members.append(node)
        else:
            card = Card(f"s{len(folded) + 1}", "scope", outer.name, "scope", outer.parent, [node])
            folded[outer.serial] = card
        cards[card.id] = home[node.id] = card
    edges = []
    nodes = {node.id: node for node in trace.nodes}
    for node in trace.nodes:
        for place, parent in enumerate(node.parents):
            tail, head = home[parent], home[node.id]
            if tail is head:
                continue
            source = nodes[parent]
            edges.append(
                Edge(f"e{node.id[1:]}-{place}", tail.id, head.id, node, place, source.kind == "constant")
            )
            if tail.kind == "scope" and all(source is not shown for shown in tail.shown):
                tail.shown.append(source)
    last = home[trace.root.id]
    for card in folded.values():
        count = sum(node.kind != "constant" for node in card.members)
        card.word = f"scope of {count} op{'s' * (count != 1)}"
        if card is last:
            card.shown.append(trace.root)
            card.word += f", {role(trace.root)}"
    told: set[tuple[int, str, int]] = set()
    for card in reversed(cards.values()):
        if card.orders:
            card.badge = "-".join(str(order) for order in dict.fromkeys((card.orders[0], card.orders[-1])))
        line = find_line(card.members[0].source) if card.kind != "scope" else None
        if line is not None:  # a scope that one line of code has filled says so once, on its last card
            where = (card.scope.serial if card.scope else 0, line.file, line.number)
            if card.scope is None or where not in told:
                card.line = line
            told.add(where)
    return Picture(cards, edges, last.id, trace.note)


def word_of(node: TraceNode) -> str:
    """What a node is, in words."""
    if node.kind == "root":
        said = role(node) in (node.name or "").lower()
        return node.op if said else f"{node.op}, {role(node)}"
    return node.op if node.kind == "interior" else node.kind


def role(root: TraceNode) -> str:
    """What a root is: only a single number can be a loss."""
    return "loss" if root.data.size == 1 else "output"


def scope_list(trace: Trace) -> str:
    """The scopes that can be folded, for error messages."""
    names = dict.fromkeys(repr(scope.name) for node in trace.nodes for scope in lineage(node.scope))
    if not names:
        return 'it has none; with ad.scope("layer1"): around some ops makes one'
    return f"its scopes are {', '.join(list(names)[:12])}{', …' if len(names) > 12 else ''}"
