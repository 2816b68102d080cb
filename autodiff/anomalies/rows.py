"""What find_nan tells: a row for each birth, and the report that they make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import topological_order
from ..node import Node
from ..report import Block, Heading, Report, Table, Verbatim

RULE = (
    "An infinity counts only where a NaN, an infinite loss or an infinite gradient comes of it; one that came in "
    "with the data or with a mask is no birth, only what goes wrong with it is."
)


@dataclass(frozen=True, eq=False)
class Anomaly:
    """One birth of numbers that are not finite.

    `phase`: "forward", "backward" (in the op's rule, for its input `place`), "input" (they came in with a leaf or a
    constant), "sum" (of a node's contributions), "hook" or "seed". `index`: the first element, and `count`
    how many; in the value for "forward", in the input's gradient for "backward". `value`: what it became. `mechanism`
    and `numbers`: how, and from which operands. `line`: the place and the text in your code, if it was recorded.
    `path`: from there to the loss, or to a leaf. `poisons`: the leaves whose gradient it spoils, each
    with how many of its elements. `advice`: what to write instead.
    """

    phase: str
    op: str
    name: str | None
    shape: tuple[int, ...]
    place: int | None
    index: tuple[int, ...]
    count: int
    value: float
    mechanism: str
    numbers: dict[str, Any]
    line: str | None
    path: tuple[str, ...]
    poisons: dict[str, int]
    advice: str

    @property
    def sentence(self) -> str:
        """The birth in a sentence."""
        place = f" ({self.line})" if self.line else ""
        called = f"{self.name!r}, the " if self.name else "the "
        where = f"element {list(self.index)}" if self.shape else "the number"
        others = f" and {self.count - 1} more" if self.count > 1 else ""
        what = f"{called}{self.op} of shape {self.shape}{place}"
        became = {
            "forward": f"{what}: {where}{others} became {self.value}",
            "backward": f"the backward pass of {what}: {where}{others} of its input's gradient became {self.value}",
            "input": f"{what}: {where}{others} came in as {self.value}",
            "sum": f"the gradient of {what}: {where}{others} became {self.value}",
            "hook": f"a hook of {what}: {where}{others} of the gradient became {self.value}",
            "seed": f"the seed of {what}: {where}{others} came in as {self.value}",
        }[self.phase]
        return f"{became}: {self.mechanism}"


class Anomalies(Report):
    """What find_nan found: `rows` of Anomaly, the oldest first; it is true if there are any.

    `loss` and `leaves`: whether the loss is finite, and how many elements of each leaf's gradient are not, of
    those that have such. `harmless`: how many nodes hold NaN or infinities of which nothing comes. `note`:
    why there are no gradients.
    """

    def __init__(
        self,
        rows: Sequence[Anomaly],
        loss: bool = True,
        leaves: dict[str, int] | None = None,
        harmless: int = 0,
        note: str | None = None,
    ) -> None:
        self.rows = tuple(rows)
        self.loss = loss
        self.leaves = leaves or {}
        self.harmless = harmless
        self.note = note

    def __bool__(self) -> bool:
        return bool(self.rows)

    def on_its_way(self, node: Node) -> "Anomalies":
        """The same, with a note of the leaves whose gradients would have been spoiled behind `node`."""
        leaves = [
            leaf.notes.name if leaf.notes else None for leaf in topological_order([node]) if not leaf.inputs
        ]
        names = [repr(name) for name in leaves if name]
        unnamed = f"{len(leaves) - len(names)} leaves without a name" if len(names) < len(leaves) else ""
        self.note = f"It was on its way to the gradients of {', '.join([*names, unnamed]).rstrip(', ')}."
        return self

    @property
    def first(self) -> Anomaly | None:
        """The oldest birth; None where all is well."""
        return self.rows[0] if self.rows else None

    def blocks(self) -> Iterator[Block]:
        """The first birth with its numbers, its path and the way out; the others in a table."""
        if not self.rows:
            yield "No NaN and no infinity: the loss and every gradient are finite."
        for first in self.rows[:1]:
            yield Heading("The first NaN or infinity")
            yield first.sentence[0].upper() + first.sentence[1:] + "."
            if first.numbers:
                yield Table(["", ""], [[called(key), shown(x)] for key, x in first.numbers.items()], "ll")
            if len(first.path) > 1:
                yield "From there:"
                yield Verbatim("\n".join(first.path))
            if first.poisons:
                yield "It spoils the gradients of " + counted(first.poisons) + "."
            elif self.leaves:
                yield "Gradients that are not finite: " + counted(self.leaves) + "."
            yield f"Instead: {first.advice}."
        if len(self.rows) > 1:
            yield f"Born later, of other causes: {len(self.rows) - 1}"
            yield Table(
                ["op", "element", "became", "mechanism"],
                [[row.op, list(row.index), row.value, row.mechanism] for row in self.rows[1:9]],
                "llll",
            )
        if self.harmless:
            yield f"Harmless: {self.harmless} node{'s hold' if self.harmless > 1 else ' holds'} NaN or infinities of which nothing comes."
        if self.rows or self.harmless:
            yield RULE
        if self.note:
            yield self.note


def called(key: str) -> str:
    """What a number is called: the op's own name for an input is no name of the user's.

    >>> called("x"), called("slope"), called("arriving gradient")
    ('its input x', 'slope', 'arriving gradient')
    """
    return f"its input {key}" if key.isidentifier() and key != "slope" else key


def counted(leaves: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count} element{'s' * (count > 1)})" for name, count in leaves.items())


def shown(x: Any) -> str:
    """A number, or the first few of many."""
    if np.ndim(x) == 0:
        return f"{float(x):.6g}"
    few = ", ".join(f"{float(number):.6g}" for number in np.ravel(x)[:8])
    return f"[{few}{', ...' if np.size(x) > 8 else ''}]" + (
        f" ({np.size(x)} elements)" if np.size(x) > 8 else ""
    )
