"""The ledger that `explain` returns: its rows as data, and as a report."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..report import Block, Heading, Report, Table
from ..visualize.values import number
from .lints import Lint
from .routes import size

MOST_ROWS, MOST_LINTS = 12, 5


class Row(NamedTuple):
    """One use of the tensor: what arrived there, the rule, and the part of the gradient that came back.

    `use`: the call, as "multiply(a=x, b=w)"; `input`: which of its inputs; `line`: of your code, if lines were
    recorded; `numbers`: the formula with the numbers of one element; `share`: of the whole, 1 for all of it.
    """

    op: str
    use: str
    input: str
    line: str
    arrived: Any
    formula: str
    numbers: str
    words: str
    part: Any
    share: float


class Zero(NamedTuple):
    """Why there is no gradient, or 0: a kind in a word or two, a sentence, and how many elements it holds for."""

    kind: str
    words: str
    elements: int


class PathRow(NamedTuple):
    """A path from the tensor to the loss: its ops, the slopes on the way if all are numbers, its part, and its share."""

    ops: tuple[str, ...]
    slopes: tuple[float, ...]
    part: Any
    share: float


class Explanation(Report):
    """What `explain` found: prints as text, shows itself in a notebook.

    `gradient`: of the whole tensor or of one element, None where nothing arrives; `rows`: a Row for each use;
    `zeros`: why elements are 0, or why there is no gradient; `cancels`: how many times larger the parts are than
    their sum, if that cost digits, else None; `path_count` and `paths`; `notes`; `lints`.
    """

    def __init__(self, name: str, loss: str, shape: tuple[int, ...]) -> None:
        self.name = name
        self.loss = loss
        self.shape = shape
        self.at: Any = None
        self.gradient: Any = None
        self.rows: list[Row] = []
        self.zeros: list[Zero] = []
        self.cancels: float | None = None
        self.path_count = 0
        self.paths: list[PathRow] = []
        self.notes: list[str] = []
        self.lints: list[Lint] = []

    def blocks(self) -> list[Block]:
        """The report from top to bottom."""
        found: list[Block] = [Heading(f"The gradient of {self.loss} by {self.name}")]
        if self.gradient is None:
            found.append(f"There is none: {self.zeros[0].words}.")
            found += [f"Also: {zero.words}." for zero in self.zeros[1:]]
        else:
            found += self._ledger()
            found += self._paths()
        found += self.notes
        found += [
            f"Lint, {lint.title}: {lint.why}; {lint.instead}{lint.where}." for lint in self.lints[:MOST_LINTS]
        ]
        if len(self.lints) > MOST_LINTS:
            found.append(f"{len(self.lints) - MOST_LINTS} more lints are in .lints.")
        return found

    def _ledger(self) -> list[Block]:
        at = f" at {self.name} = {show(self.at)}"
        at = at if np.size(self.at) <= 4 and np.ndim(self.at) <= 1 else ""
        what = ("an array " if show(self.gradient).startswith("(") else "") + show(self.gradient)
        if not self.rows:
            return [f"It is {what}{at}: {self.name} is the loss itself, so this is the seed."]
        count = "one use" if len(self.rows) == 1 else f"the sum over {len(self.rows)} uses"
        found: list[Block] = [f"It is {what}{at}: {count} of {self.name}."]
        if not np.any(self.gradient):
            found += self._zeros()
        order = list(range(len(self.rows)))
        if len(order) > MOST_ROWS:
            order = sorted(sorted(order, key=lambda i: -size(self.rows[i].part))[: MOST_ROWS - 1])
        found.append(self._table(order))
        said: dict[tuple[str, ...], list[int]] = {}
        for i in order:
            row = self.rows[i]
            said.setdefault((row.op, row.line, row.words), []).append(i + 1)
        for (op, line, what), places in said.items():
            some = [*places[:3], "…", places[-1]] if len(places) > 5 else places
            found.append(f"{', '.join(map(str, some))} {op}{f' ({line})' if line else ''}: {what}.")
        found.append(
            "g is the gradient that arrives at the op's result y; a, b, x in a rule are the op's inputs."
        )
        if self.cancels is not None:
            found.append(
                f"Cancellation: the parts are {self.cancels:.2g} times as large as their sum, which may have lost "
                f"{int(np.log10(self.cancels))} digits."
            )
        return found if not np.any(self.gradient) else found + self._zeros()

    def _table(self, order: list[int]) -> Table:
        table = []
        for i in order:
            row = self.rows[i]
            cells = [i + 1, row.use, row.input, show(row.arrived), row.formula, row.numbers]
            table.append([*cells, show(row.part), percent(row.share)])
        hidden = [row for i, row in enumerate(self.rows) if i not in set(order)]
        if hidden:
            rest, share = sum(row.part for row in hidden), sum(row.share for row in hidden)
            table.append(["…", f"{len(hidden)} smaller uses", "", "", "", "", show(rest), percent(share)])
        if len(self.rows) > 1:
            table.append(["", "sum", "", "", "", "", show(self.gradient), ""])
        header = ["", "use", "its input", "g arrives", "rule", "in numbers", "part", "share"]
        kept = [c for c in range(len(header)) if c != 5 or any(cells[c] for cells in table)]
        rows = [[cells[c] for c in kept] for cells in table]
        return Table([header[c] for c in kept], rows, "".join("rllrllrr"[c] for c in kept))

    def _zeros(self) -> list[Block]:
        if not self.zeros:
            return []
        array = np.asarray(self.gradient)
        none = int((array == 0).sum())
        if none == array.size:
            head = "Why it is 0:" if array.size == 1 else f"Why all {none} elements are 0:"
        else:
            head = f"Why {none} of its {array.size} elements {'is' if none == 1 else 'are'} exactly 0:"
        if array.size == 1:
            return [head, Table(["why", "in words"], [[zero.kind, zero.words] for zero in self.zeros], "ll")]
        rows = [[zero.elements, zero.kind, zero.words] for zero in self.zeros]
        return [head, Table(["elements", "why", "in words"], rows, "rll")]

    def _paths(self) -> list[Block]:
        several = self.path_count > max(1, len(self.rows))
        found: list[Block] = []
        if self.paths:
            some = len(self.paths) < self.path_count
            count = (
                f"{'The ' + str(len(self.paths)) + ' largest of ' if some else ''}{self.path_count:,} path"
            )
            count += "s" if self.path_count > 1 else ""
            found.append(
                f"{count} from {self.name} to {self.loss}; the part of each is the product of its slopes:"
            )
            rows = [
                [chain(p.ops, " → "), product(p.slopes), show(p.part), percent(p.share)] for p in self.paths
            ]
            if any(p.slopes for p in self.paths):
                found.append(Table(["path", "slopes", "part", "share"], rows, "llrr"))
            else:
                found.append(Table(["path", "part", "share"], [[row[0], *row[2:]] for row in rows], "lrr"))
        elif several:
            found.append(
                f"{self.path_count:,} paths lead from {self.name} to {self.loss}; paths=True shows them."
            )
        return found


def show(x: Any) -> str:
    """A number, a few, or an array's length as a vector."""
    array = np.asarray(x)
    if array.size == 1:
        return number(array.reshape(())[()])
    if not array.size:
        return f"empty {array.shape}"
    if array.ndim == 1 and array.size <= 4:
        return "[" + ", ".join(number(each, 3) for each in array) + "]"
    return f"{array.shape} of norm {number(size(array))}"


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.3g} %" if np.isfinite(share) else ""


def chain(parts: Sequence[str], arrow: str) -> str:
    """The stations of a path, those in the middle of a long one left out."""
    if len(parts) > 8:
        parts = [*parts[:4], f"… {len(parts) - 7} more …", *parts[-3:]]
    return arrow.join(parts)


def product(slopes: Sequence[float]) -> str:
    """The slopes along a path, as factors."""
    texts = [number(slope, 3) for slope in slopes]
    return chain([f"({text})" if text.startswith("-") else text for text in texts], " · ")
