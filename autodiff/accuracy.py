"""precision: where in a graph that is there already were digits lost?

Every node is computed again with more digits, in longdouble (shadow.py) or exactly (reference.py). Once from
the leaves on: how far off its value and its gradient are; and once from the rounded inputs that its op really
got: what of this error was born there. What is neither born in an op nor as large at its inputs was
magnified by it, as by a difference of nearly equal numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import log10
from typing import Any, NamedTuple

import numpy as np

from .broadcasting import unbroadcast
from .graph import backpropagate, topological_order
from .lines import where_made
from .node import Node
from .reference.shadow import WIDE, Shadow, run_op, widened
from .report import Block, Report, Table, plain
from .tensor import Tensor

LOST = 100  # errors in units of eps from which on digits count as lost: two of them
MOST_ROWS = 20


@dataclass(frozen=True)
class Loss:
    """The relative errors of a node's value, or of its gradient: of its worst element, and the median.

    `born`: the error that the node's own op (of a gradient: one it was handed on by) makes of rounded inputs. `arrived`:
    the largest error among what it was computed from. `how`: "", "rounded here", "lost here",
    "magnified here" or "inherited"; `by`: of a gradient, through which op or in which sum.
    """

    error: float
    median: float
    born: float
    arrived: float
    how: str = ""
    by: str = ""


@dataclass(frozen=True)
class Row:
    """What was found out about one node: `id` is its number in topological order, as in pictures.

    `gradient` is None where none arrives. `narrow`: its op has no longdouble form and ran in float64. `finite`:
    whether neither has a NaN or an infinity, of which there is no relative error.
    """

    id: str
    name: str | None
    op: str
    where: str
    value: Loss
    gradient: Loss | None
    narrow: bool
    finite: bool

    def in_words(self, eps: float) -> list[tuple[str, float]]:
        """What a picture says of value and gradient: words, and the share of the dtype's digits that was lost."""
        found = []
        for what, loss in (("value", self.value), ("grad", self.gradient)):
            if loss is not None:
                share = 1 - log10(loss.error) / log10(eps) if loss.error > 4 * eps else 0.0
                how = f", {loss.how}" if share and loss.how else ""
                found.append((f"{what} right to {right(loss.error) if share else 'all digits'}{how}", share))
        return found

    @property
    def title(self) -> str:
        """The node's name and op."""
        return f"{self.name}: {self.op}" if self.name else f"{self.op} #{self.id}"


class Precision(Report):
    """What `precision` returns: it prints as a table, worst first, and has its numbers in `rows`, oldest first."""

    def __init__(self, rows: tuple[Row, ...], dtype: Any, how: str) -> None:
        self.rows = rows
        self.dtype = dtype
        self.how = how
        limit = LOST * float(np.finfo(dtype).eps)
        here = ("lost here", "magnified here")
        self.first_value = next(
            (row for row in rows if row.value.error > limit and row.value.how in here), None
        )
        self.first_gradient = next(
            (
                row
                for row in rows[::-1]
                if row.gradient and row.gradient.error > limit and row.gradient.how in here
            ),
            None,
        )

    def summary(self) -> list[str]:
        """Where digits were first lost, in sentences."""
        said = []
        if row := self.first_value:
            said.append(
                f"Digits of values are first lost in {row.title}{row.where}: its inputs are right to "
                f"{right(row.value.arrived)}, its value to {right(row.value.error)}; {WHY[row.value.how]}."
            )
        if (row := self.first_gradient) and row.gradient:
            gradient = row.gradient
            said.append(
                f"Digits of gradients are first lost on the way back to {row.title}{row.where}{gradient.by}: right to "
                f"{right(gradient.arrived)} before, to {right(gradient.error)} after; {WHY[gradient.how]}."
            )
        if not said:
            worst = max([error for row in self.rows for error in errors_of(row)], default=0.0)
            said.append(f"No digits are lost: the largest relative error of all is {number(worst)}.")
        if odd := next((row for row in self.rows if not row.finite), None):
            said.append(
                f"{odd.title}{odd.where} is the first of {sum(not row.finite for row in self.rows)} nodes with a NaN or "
                "an infinity in value or gradient, which has no digits to lose; ad.find_nan(loss) tells where it was born."
            )
        return said

    def blocks(self) -> Iterable[Block]:
        """The sentences, and the table with the worst node first."""
        yield f"Relative errors of {np.dtype(self.dtype)} against {self.how}."
        yield from self.summary()
        rows = sorted(self.rows, key=lambda row: -max(errors_of(row)))
        header = ["node", "value", "born here", "", "gradient", "born here", ""]
        yield Table(header, [cells(row) for row in rows[:MOST_ROWS]], "lrrlrrl")
        if len(rows) > MOST_ROWS:
            yield f"{len(rows) - MOST_ROWS} nodes with smaller errors are in .rows."
        if narrow := dict.fromkeys(row.op for row in self.rows if row.narrow):
            yield f"No longdouble form: {', '.join(narrow)}; computed in float64, so their own errors do not show."


WHY = {
    "lost here": "the op itself rounds so, its formula loses digits",
    "magnified here": "the op magnifies the rounding of what it is handed, as a difference of nearly equal numbers does",
}


def errors_of(row: Row) -> list[float]:
    """The errors of a node's value and gradient."""
    return [row.value.error, row.gradient.error if row.gradient else 0.0]


def cells(row: Row) -> list[str]:
    """A node's line in the table."""
    place = row.where.partition(": ")[0].strip(" ()")
    found = [plain(row.title, 40) + (f" ({plain(place, 40)})" if place else "")]
    for loss in (row.value, row.gradient):
        found += ["", "", ""] if loss is None else [number(loss.error), number(loss.born), loss.how]
    return found


def number(error: float) -> str:
    """A relative error in two digits."""
    return f"{error:.1e}" if 0 < error < 1 else f"{error:.0f}"


def right(error: float) -> str:
    """How many digits a relative error leaves."""
    return "all digits" if error == 0 else "no digit" if error >= 1 else f"{-log10(error):.1f} digits"


def precision(root: Any, seed: Any = None, *, digits: int | None = None) -> Precision:
    """Where digits were lost in the graph behind `root`: relative errors of each node's value and gradient.

    None of your code runs again, only the ops that were recorded. `seed`: the gradient to start with, of
    root's shape; a root that is no scalar and has none gives values alone. Measured against longdouble, by the same rules:
    what longdouble's three more digits cannot hold either shows as no error. `digits`: so many
    digits of exact arithmetic instead, whose gradients owe nothing to the rules (and hooks nothing).

    An error is relative, of the worst element, at most 1: not one digit is right. It is inherited, rounded here (as every
    op does), lost here (by the op's own formula), or magnified here (from smaller ones at its inputs). `draw(root,
    show="error")` shows the same as a picture. Ops without longdouble form are computed in float64, which the report says.

    Raises TypeError where root is no Tensor, ValueError for fewer than 20 digits, where longdouble has no more than root's
    dtype, and where a graph has no exact form.

    >>> report = precision(np.log(1 + Tensor(1e-9, name="x")))
    >>> report.first_value.op, report.first_value.value.how
    ('log', 'magnified here')
    """
    if not isinstance(root, Tensor):
        raise TypeError(
            f"precision: takes the Tensor that a computation ends with, not {type(root).__name__}; "
            "ops on arrays alone, and all ops inside no_grad, return arrays, which have no graph"
        )
    if digits is not None and (not isinstance(digits, int | np.integer) or digits < 20):
        raise ValueError(f"precision: digits is a whole number, 20 or more, not {digits!r}")
    if digits is None and np.finfo(WIDE).eps >= np.finfo(root.dtype).eps:
        raise ValueError(
            f"precision: longdouble has no more digits here than {root.dtype}; ask for exact ones with digits=60"
        )
    order = topological_order([root])
    gradients: dict[Node, Any] = {}
    if seed is not None or root.size == 1:
        with np.errstate(all="ignore"):
            gradients = dict(backpropagate([root], [seed]))
    beside = Longdouble(order, root, gradients) if digits is None else Exact(order, root, gradients, digits)
    with np.errstate(all="ignore"):
        return Precision(tuple(rows_of(order, gradients, beside)), root.dtype, beside.how)


class Longdouble:
    """The graph in longdouble: each node's value and gradient, and what its op makes of the inputs it really got."""

    how = "longdouble"

    def __init__(self, order: Sequence[Node], root: Node, gradients: dict[Node, Any]) -> None:
        self.shadow = Shadow(order)
        self.values = {node: tensor.value for node, tensor in self.shadow.tensors.items()}
        self.gradients = self.shadow.gradients([root], [gradients[root]]) if gradients else {}
        self.narrow = self.shadow.narrow

    def rerun(self, node: Node, g: Any) -> tuple[Any, list[Any]]:
        """The op's value of the inputs that it got, and what it hands on of the gradient g that it got."""
        arguments = [widened(x) for x in node.arguments]
        y, vjps, _ = run_op(node, arguments)
        return y, handed_on(node, vjps, widened(g), y, arguments)

    def true_parts(self, node: Node) -> list[Any]:
        """What it should have handed on."""
        beside = self.shadow.tensors[node]
        return handed_on(node, beside.vjps, self.gradients.get(node), beside.value, beside.arguments)


class Exact:
    """The same in exact arithmetic."""

    narrow: frozenset[Node] = frozenset()

    def __init__(self, order: Sequence[Node], root: Node, gradients: dict[Node, Any], precision: int) -> None:
        from .reference.reference import NoTruth, Truth, decimals

        self.how = f"exact arithmetic with {precision} digits"
        self.precision = precision
        try:
            truth = Truth([root], [], [gradients.get(root, np.zeros(root.value.shape))], precision)
        except NoTruth as reason:
            raise ValueError(f"precision: {reason}; leave digits= out for longdouble") from None
        self.exact_values = {node: decimals(truth.nodes[node]) for node in order}
        self.exact_gradients = {node: truth.gradient_of(truth.nodes[node]) for node in gradients}
        self.values = {node: wide(x) for node, x in self.exact_values.items()}
        self.gradients = {node: wide(g) for node, g in self.exact_gradients.items()}

    def rerun(self, node: Node, g: Any) -> tuple[Any, list[Any]]:
        """The op's value of the inputs that it got, and what it hands on of the gradient g that it got."""
        from .reference.reference import decimals, rerun

        y, parts = rerun(node, node.arguments, g, self.precision)
        return wide(decimals(y)), [part if part is None else wide(part) for part in parts]

    def true_parts(self, node: Node) -> list[Any]:
        """What it should have handed on."""
        from .reference.reference import rerun

        pairs = zip(node.inputs or (), node.arguments, strict=True)
        inputs = [x if parent is None else self.exact_values[parent] for parent, x in pairs]
        parts = rerun(node, inputs, self.exact_gradients.get(node), self.precision)[1]
        return [part if part is None else wide(part) for part in parts]


def wide(numbers: Any) -> Any:
    """Decimals as longdouble."""
    return np.array([WIDE(str(x)) for x in numbers.flat], WIDE).reshape(numbers.shape)[()]


def handed_on(node: Node, vjps: Sequence[Any], g: Any, y: Any, arguments: Sequence[Any]) -> list[Any]:
    """What a node's vjps make of its gradient for each input, None for a constant."""
    parts = []
    for parent, vjp in zip(node.inputs or (), vjps, strict=True):
        part = None if parent is None or g is None else np.asarray(vjp(g, y, *arguments))
        if part is not None and parent is not None and node.operation.broadcasts:
            part = unbroadcast(part, parent.value.shape)
        parts.append(part)
    return parts


def rows_of(order: Sequence[Node], gradients: dict[Node, Any], beside: "Longdouble | Exact") -> Iterable[Row]:
    """A row for each node, oldest first."""
    values = {node: relative(node.value, beside.values[node]) for node in order}
    slopes = {node: relative(g, beside.gradients[node]) for node, g in gradients.items()}
    born: dict[Node, float] = {}
    edges: dict[Node, list[Edge]] = {node: [] for node in order}
    for node in order:
        if not node.inputs:
            continue
        g = gradients.get(node)
        y, better = beside.rerun(node, g)
        born[node] = relative(node.value, y)[0]
        if g is None:
            continue
        parts = zip(
            handed_on(node, node.vjps, g, node.value, node.arguments),
            better,
            beside.true_parts(node),
            strict=True,
        )
        # A local slope is computed from the values at both ends, so their errors arrive as well.
        at_hand = max([values[x][0] for x in node.inputs if x is not None], default=0.0)
        for parent, (part, ours, true) in zip(node.inputs, parts, strict=True):
            if parent is not None and part is not None:
                errors = relative(part, true)[0], relative(part, ours)[0]
                edges[parent].append(Edge(*errors, max(slopes[node][0], at_hand), node.operation.name))
    for count, node in enumerate(order, 1):
        eps = float(np.finfo(node.value.dtype).eps)
        arrived = max([values[parent][0] for parent in node.inputs or () if parent is not None], default=0.0)
        value = Loss(*values[node], born.get(node, 0.0), arrived)
        gradient = gradient_loss(*slopes[node], edges[node], eps) if node in slopes else None
        yield Row(
            id=f"n{count}",
            name=node.notes.name if node.notes else None,
            op=node.operation.name,
            where=where_made(node.notes),
            value=replace(value, how=origin(value, eps)),
            gradient=gradient,
            narrow=node in beside.narrow,
            finite=bool(np.all(np.isfinite(node.value)) and np.all(np.isfinite(gradients.get(node, 0)))),
        )


class Edge(NamedTuple):
    """What a gradient is handed on by: the error of the contribution, of it born there, and arrived there."""

    error: float
    born: float
    arrived: float
    op: str


def gradient_loss(error: float, median: float, edges: Sequence[Edge], eps: float) -> Loss:
    """The error of a gradient that is the sum of contributions."""
    worst = max(edges, key=lambda edge: edge.error, default=Edge(0.0, 0.0, 0.0, ""))
    if len(edges) > 1 and error > 4 * eps and error > 10 * worst.error:
        by = f", in the sum of its {len(edges)} contributions"
        return Loss(error, median, 0.0, worst.error, "magnified here", by)
    found = Loss(error, median, worst.born, worst.arrived, by=f", through {worst.op}" if worst.op else "")
    return replace(found, how=origin(found, eps))


def relative(found: Any, true: Any) -> tuple[float, float]:
    """The largest and the median relative error of the elements, at most 1; 0 where both are no number."""
    info = np.finfo(np.asarray(found).dtype)
    found, true = widened(found), np.asarray(true)
    same = (found == true) | ((found != found) & (true != true))
    far = np.abs(found - true) / np.maximum(np.abs(true), info.tiny)
    far = np.where(same, 0, np.where(np.isfinite(far), np.minimum(far, 1), 1)).astype(np.float64)
    return float(np.max(far, initial=0)), float(np.median(far)) if far.size else 0.0


def origin(loss: Loss, eps: float) -> str:
    """Where an error comes from, in words."""
    if loss.error == 0:
        return ""
    if loss.error <= 4 * eps:
        return "rounded here" if loss.born >= loss.error / 4 else "inherited"
    if loss.born >= loss.error / 10:
        return "lost here"
    return "inherited" if loss.arrived >= loss.error / 10 else "magnified here"
