"""kinks: where a graph sat on a tie or a corner, and what else its derivative could have been there."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..graph import backpropagate, topological_order
from ..lines import find_line
from ..node import LEAF, Node, input_names
from ..ops.axes import expand
from ..report import Block, Heading, Report, Table, plain
from ..tensor import Tensor
from ..visualize.names import Names
from .corners import CORNERS, Corner

MOST_SHOWN = 20


class Kink(NamedTuple):
    """A node with elements at a corner.

    `op`, `name` of the node, `input`: which of its inputs; `elements`: indices into that input, one row each; `of`:
    how many elements the input has; `what`: the corner in words; `slope`: the convention, the derivative by an
    element as it was taken; `low`, `high`: the interval that would have been right, or None, None; `matters`:
    whether a gradient that is not 0 arrives there; `leaves`: the leaves that the input was computed from; `line`.
    """

    op: str
    name: str | None
    input: str
    elements: Any
    of: int
    what: str
    slope: str
    low: float | None
    high: float | None
    matters: bool
    leaves: tuple[str, ...]
    line: str


class Kinks(Report):
    """What `kinks` found: `rows` is a list of Kink, oldest first."""

    def __init__(self, loss: str, rows: list[Kink]) -> None:
        self.loss = loss
        self.rows = rows

    def blocks(self) -> list[Block]:
        """The report from top to bottom."""
        if not self.rows:
            return [f"No element on the way to {self.loss} sits on a tie or a corner."]
        found: list[Block] = [Heading(f"Ties and corners on the way to {self.loss}")]
        table = []
        for row in self.rows[:MOST_SHOWN]:
            interval = "none" if row.low is None else f"{row.low:.4g} to {row.high:.4g}"
            matters = "yes" if row.matters else "no"
            count = f"{len(row.elements)} of {row.of}"
            at = f"{row.op} {row.name}" if row.name else row.op
            cells = [at, row.what, count, row.slope, interval, matters, ", ".join(row.leaves), row.line]
            table.append(cells)
        header = ["op", "corner", "elements", "slope taken", "also right", "matters", "leaves", "line"]
        found.append(Table(header, table, "llrllll" + "l"))
        if len(self.rows) > MOST_SHOWN:
            found.append(f"{len(self.rows) - MOST_SHOWN} more are in .rows.")
        if any(row.matters for row in self.rows):
            found.append(
                'Where "matters" says yes a gradient arrives, and with another slope from the interval the leaves\' '
                "gradients would differ, with as much right."
            )
        return found


def kinks(loss: Any, seed: Any = None, *, near: float = 0.0, names: Any = None) -> Kinks:
    """The elements in the graph of `loss` that sat on a tie or a corner, and what else their slope could have been.

    Each row has the convention that was used, the interval of values that would have been as right, and whether it
    matters: whether a gradient arrives there. `loss`: a Tensor of any shape; `seed` as in `backward`, without
    one a loss that is no scalar starts with ones. `near`: also elements within this distance of a corner, where
    rounding or a small step decides the side. `names`: a dict from names to Tensors, or `locals()`. The corners of a
    condition, of floor and of what `checkpoint` left out are not in the graph.

    Raises TypeError where loss is no Tensor, ValueError for a negative `near`, and the walk's errors for a stale or freed
    graph.

    >>> row = kinks(abs(Tensor([0.0, 3.0])).sum()).rows[0]
    >>> row.op, row.elements.tolist(), row.slope, row.low, row.high
    ('abs', [[0]], '0', -1.0, 1.0)
    """
    if not isinstance(loss, Tensor):
        raise TypeError(
            f"kinks: takes the Tensor that a computation ends with, not {type(loss).__name__}; ops on arrays alone, "
            "and all ops inside no_grad, return arrays, which have no graph"
        )
    if not (isinstance(near, int | float | np.number) and near >= 0):
        raise ValueError(f"kinks: near is a distance, 0 or more, not {near!r}")
    called = Names(names, "kinks")
    order = topological_order([loss])
    start = np.ones_like(loss.value) if seed is None else seed
    with np.errstate(all="ignore"):
        arriving = {node: np.asarray(gradient) for node, gradient in backpropagate([loss], [start])}
        found = [(node, corner) for node in order for corner in corners_of(node, near)]
    below = leaves_below(order) if found else {}
    rows = []
    for node, corner in found:
        parent: Any = (node.inputs or ())[corner.place]
        line = find_line(node.notes.source) if node.notes else None
        bits, leaves = below[parent], below["leaves"]
        rows.append(
            Kink(
                op=node.operation.name,
                name=called.of(node),
                input=input_names(node)[corner.place],
                elements=np.argwhere(corner.mask),
                of=int(corner.mask.size),
                what=corner.what,
                slope=corner.slope,
                low=corner.low,
                high=corner.high,
                matters=matters(node, corner, arriving[node]),
                leaves=tuple(
                    called.of(leaf) or f"leaf {leaf.value.shape}"
                    for i, leaf in enumerate(leaves)
                    if bits >> i & 1
                ),
                line="" if line is None else plain(f"{line.place}: {line.text}", 60),
            )
        )
    return Kinks(plain(called.of(loss) or "loss", 40), rows)


def corners_of(node: Node, near: float) -> Iterator[Corner]:
    """The corners of a node's tracked inputs that some element sits on."""
    find = CORNERS.get(node.operation.name)
    if find is None or node.recipe is LEAF:
        return
    for corner in find(node, near):
        if (node.inputs or ())[corner.place] is not None and np.any(corner.mask):
            yield corner._replace(mask=np.asarray(corner.mask))


def matters(node: Node, corner: Corner, gradient: Any) -> bool:
    """Whether a gradient that is not 0 arrives at an element of the corner."""
    if corner.mask.shape == gradient.shape:
        return bool(np.any(gradient[corner.mask] != 0))
    if "axis" not in node.options:
        return bool(np.any(gradient != 0))
    try:
        back = expand(gradient, node.arguments[0], node.options["axis"], node.options.get("keepdims", False))
        return bool(np.any(np.broadcast_to(back, corner.mask.shape)[corner.mask] != 0))
    except ValueError:  # an op whose axis means something else
        return bool(np.any(gradient != 0))


def leaves_below(order: list[Node]) -> dict[Any, Any]:
    """For each node the leaves it was computed from, as the bits of a number; under "leaves" the leaves in that order."""
    leaves = [node for node in order if node.recipe is LEAF]
    bits: dict[Any, Any] = {leaf: 1 << i for i, leaf in enumerate(leaves)}
    for node in order:
        for parent in node.inputs or ():
            if parent is not None:
                bits[node] = bits.get(node, 0) | bits[parent]
    return bits | {"leaves": leaves}
