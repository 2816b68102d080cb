"""From cards and edges to a graph in Graphviz's language."""

from typing import Any

import graphviz

from ..ambient import Scope
from .cards import Card, Picture, lineage
from .label import FAINT, GREY, INK, PAPER, font, input_words, label, room_for, text, tooltip
from .values import plain

FONT = "Helvetica"  # a list of fonts would be measured as none of them


def literal(words: str) -> str:
    """Words for a tooltip, in which Graphviz replaces entities once and escapes such as \\N twice."""
    quoted: str = graphviz.nohtml(words.replace("&", "&amp;").replace("\\", "\\" * 4))
    return quoted


def digraph(picture: Picture, ops: str, rankdir: str, ids: bool = False) -> Any:
    """The `graphviz.Digraph` of a picture.

    Its nodes and edges carry what a script can hold on to: the ids of the trace ("n3", "e3-0") and
    their kind as a class; with `ids` the grids of numbers do too ("n3-data", "n3-grad").
    """
    graph = graphviz.Digraph(
        "autodiff",
        graph_attr={
            "rankdir": rankdir,
            "bgcolor": PAPER,
            "fontname": FONT,
            "nodesep": "0.3",
            "ranksep": "0.45",
            "tooltip": " ",
            **({"label": f"<{font(text(picture.note), 11, GREY)}>"} if picture.note else {}),
        },
        node_attr={"shape": "plain", "fontname": FONT},
        edge_attr={"color": GREY, "fontname": FONT, "arrowsize": "0.7"},
    )
    clusters: dict[int, tuple[Scope, Any]] = {}
    total = max((order for card in picture.cards.values() for order in card.orders), default=0)
    for card in picture.cards.values():
        target = cluster_of(card.scope, clusters, graph)
        target.node(
            card.id,
            label=label(card, ops, ids),
            id=card.id,
            **{"class": card.kind},
            tooltip=literal(tooltip(card, total)),
        )
        if ops == "nodes" and has_op(card):
            node = card.members[0]
            target.node(
                f"{card.id}op",
                label=f"<{font(text(node.op, 40), 11)}>",
                id=f"{card.id}op",
                **{"class": "op"},
                shape="ellipse",
                style="filled",
                fillcolor="#EEF1F5",
                color=INK,
                margin="0.08,0.04",
                width="0.3",
                height="0.3",
                tooltip=literal(tooltip(card, total)),
            )
            target.edge(f"{card.id}op", card.id, id=f"{card.id}op-out", **{"class": "op"})
    # A subgraph's text is copied as it is handed over, so the inner ones come first.
    for scope, cluster in sorted(clusters.values(), key=lambda pair: -len(lineage(pair[0]))):
        outer = graph if scope.parent is None else clusters[scope.parent.serial][1]
        outer.subgraph(cluster)
    for edge in picture.edges:
        head = f"{edge.head}op" if ops == "nodes" and has_op(picture.cards[edge.head]) else edge.head
        graph.edge(
            edge.tail,
            head,
            id=edge.id,
            **{"class": "constant" if edge.constant else "gradient"},
            style="dashed" if edge.constant else "solid",
            tooltip=literal(input_words(edge.node, edge.place)),
        )
    return graph


def has_op(card: Card) -> bool:
    """Whether a card stands for one op's result."""
    return card.kind != "scope" and bool(card.members[-1].parents)


def cluster_of(scope: Scope | None, clusters: dict[int, tuple[Scope, Any]], graph: Any) -> Any:
    """The cluster of a scope, made with those around it at its first node."""
    for step in lineage(scope):
        if step.serial not in clusters:
            number = len(clusters) + 1
            name = plain(step.name, 40).strip() or "scope"
            padded = f'<TABLE BORDER="0" CELLBORDER="0"><TR><TD{room_for(name, 11)}>{font(text(name), 11, GREY, bold=True)}</TD></TR></TABLE>'
            clusters[step.serial] = (
                step,
                graphviz.Digraph(
                    f"cluster_{number}",
                    graph_attr={
                        "label": f"<{padded}>",
                        "labeljust": "l",
                        "id": f"scope{number}",
                        "class": "scope",
                        "style": "rounded,filled",
                        "color": FAINT,
                        "fillcolor": "#F5F7FA",
                        "margin": "10",
                        "tooltip": literal(plain(f"scope {step.name}", 200)),
                    },
                ),
            )
    return graph if scope is None else clusters[scope.serial][1]
