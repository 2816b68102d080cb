"""The backward pass told step by step: for each turn what arrives, what passes on along each edge, and what waits.

All numbers are words already, as the cards print them; grids that occur several times are kept once.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from ..lines import find_line
from .cards import Card, Picture
from .expressions import Words
from .grids import grid_of, tinted, written
from .label import WIDEST
from .trace import Contribution, Step, Trace, TraceNode
from .values import MOST_CELLS, oddities, plain, statistics

MOST_WRITTEN = 36  # numbers of a Jacobian, as numbers
MOST_TINTED = 900  # as tinted squares
MOST_COMPUTED = 40_000  # as a smallest, a mean and a largest number
MOST_ROWS = 1000  # each of which may be a call of the op's rule


class Story:
    """Turns of a backward pass as data for a script.

    A turn is the step of one card: of a node, or of the nodes of a folded scope that come one after the other.
    """

    def __init__(self, trace: Trace, picture: Picture) -> None:
        self.trace = trace
        self.picture = picture
        self.home = {node.id: card for card in picture.cards.values() for node in card.members}
        self.outer = {f"e{edge.node.id[1:]}-{edge.place}": edge for edge in picture.edges}
        self.feeders: dict[str, list[tuple[str, Contribution]]] = defaultdict(list)
        for step in trace.steps:
            for passed in step.edges:
                self.feeders[passed.parent].append((step.node, passed))
        self.grids: dict[str, int] = {}
        self.packed: list[Any] = []
        self.turns = list(self.group())
        self.turn_of = {step.node: turn for turn, steps in enumerate(self.turns, 1) for step in steps}
        self.words = Words(trace, picture)
        self.mark()

    def group(self) -> list[list[Step]]:
        """The steps that pass something on, those of one folded scope together."""
        turns: list[list[Step]] = []
        for step in self.trace.steps:
            if not step.edges:
                continue
            card = self.home[step.node]
            if turns and card.kind == "scope" and self.home[turns[-1][0].node] is card:
                turns[-1].append(step)
            else:
                turns.append([step])
        return turns

    def mark(self) -> None:
        """Give the cards their names and turns, and room for the sums that they will show meanwhile."""
        turns: dict[str, list[int]] = defaultdict(list)
        for turn, steps in enumerate(self.turns, 1):
            turns[self.home[steps[0].node].id].append(turn)
        for card in self.picture.cards.values():
            card.badge = ", ".join(map(str, turns[card.id]))
            card.line = None  # each turn tells it in full
            if not (card.name or "").strip() and card.kind != "scope" and not card.members[0].number:
                card.name, card.made_up = self.words.name(card.members[0].id), True
        for step in self.trace.steps:
            for edge in step.edges:
                self.home[edge.parent].drafts.setdefault(edge.parent, []).append(edge.after)
            self.home[step.node].drafts.setdefault(step.node, []).append(step.arriving)

    def lines(self, data: dict[str, Any]) -> list[str]:
        """Each turn in a line."""
        return [
            f"{step['title']}: {'; '.join(part['state'] for part in step['out']) or 'nothing passes further'}"
            for step in data["steps"]
        ]

    # -- numbers -----------------------------------------------------------------------------------

    def grid(self, array: Any) -> int:
        """The number under which an array's words are kept."""
        return self.keep(grid_of(np.asarray(array)))

    def keep(self, packed: dict[str, Any]) -> int:
        """The number under which a grid is kept."""
        key = repr(packed)
        if key not in self.grids:
            self.grids[key] = len(self.packed)
            self.packed.append(packed)
        return self.grids[key]

    # -- turns -------------------------------------------------------------------------------------

    def as_data(self) -> dict[str, Any]:
        """The whole story: grids, cards and turns."""
        steps = [self.turn(number, steps) for number, steps in enumerate(self.turns, 1)]
        leaves = [step for step in self.trace.steps if not step.edges]
        cards = {
            card.id: {"name": self.words.card(card), "kind": card.kind}
            for card in self.picture.cards.values()
        }
        root, seed = self.trace.root, self.trace.steps[0].summed
        loss = self.words.name(root.id)
        return {
            "loss": loss,
            "root": root.id,
            "seed": self.grid(seed),
            "caption": f"∂{loss}/∂{loss}" if np.size(seed) == 1 and np.all(seed == 1) else "given by seed=",
            "cards": cards,
            "steps": steps,
            "leaves": [
                {
                    "node": step.node,
                    "card": self.home[step.node].id,
                    "name": self.words.name(step.node),
                    "grid": self.grid(step.arriving),
                    **self.hook(step),
                }
                for step in sorted(leaves, key=lambda step: int(step.node[1:]))
            ],
            "grids": self.packed,
        }

    def turn(self, turn: int, steps: list[Step]) -> dict[str, Any]:
        """One turn: title, line of code, what arrives, what passes on."""
        card = self.home[steps[0].node]
        nodes = [self.trace[step.node] for step in steps]
        inside = {node.id for node in nodes}
        arrivals = [
            {
                "node": step.node,
                "name": self.words.name(step.node),
                "grid": self.grid(step.arriving),
                **self.hook(step),
                **left_out(step.unselected),
            }
            for step in steps
            if step.node == self.trace.root.id
            or not {source for source, _ in self.feeders[step.node]} <= inside
        ]
        told = {
            "card": card.id,
            "of": self.words.name(nodes[0].id),
            "title": self.words.equation(nodes[0]) if card.kind != "scope" else self.scope_title(card, nodes),
            "in": arrivals,
            "out": [
                self.passing(turn, step, edge, steps)
                for step in steps
                for edge in step.edges
                if edge.id in self.outer
            ],
        }
        line = find_line(nodes[0].source)
        if line is not None:
            told["line"], told["code"] = plain(line.place, 80), plain(line.text, 120)
        return told

    def scope_title(self, card: Card, nodes: list[TraceNode]) -> str:
        """What a folded scope does in a turn."""
        ops = ", ".join(node.op for node in reversed(nodes))
        return f"{plain(card.name or 'scope', 40)}, {len(nodes)} ops in one: {plain(ops, 90)}"

    def hook(self, step: Step) -> dict[str, int]:
        """The sum before a hook changed it, if one did."""
        return {} if step.summed is step.arriving else {"hook": self.grid(step.summed)}

    def passing(self, turn: int, step: Step, edge: Contribution, steps: list[Step]) -> dict[str, Any]:
        """What passes along an edge, and what becomes of it."""
        node, parent = self.trace[step.node], self.trace[edge.parent]
        told: dict[str, Any] = {
            "edge": edge.id,
            "node": parent.id,
            "card": self.home[parent.id].id,
            "name": self.words.name(parent.id),
            "grid": self.grid(edge.contribution),
            "sum": self.grid(edge.after),
            "got": edge.got,
            "need": edge.needed,
            "state": self.state(turn, edge, parent),
        }
        if edge.before is not None:
            told["before"] = self.grid(edge.before)
        if len(steps) == 1:
            told["rule"] = self.words.rule(self.trace.rules[node.id], edge.place)
            told["where"] = self.words.legend(node, told["rule"])
            told["words"] = self.words.sentence(self.trace.rules[node.id], edge.place)
            if edge.returned.shape != parent.shape:
                told["repeated"] = repeated(edge.returned.shape, parent.shape)
        result = self.result(steps)
        if result is not None:
            whole = self.trace[result.node]
            told["from"] = self.grid(result.arriving)
            told["slope"] = f"∂{self.words.name(whole.id)}/∂{self.words.name(parent.id)}"
            told["jacobian"], told["sense"] = self.jacobian(whole, parent, step, edge, steps)
        return told

    def state(self, turn: int, edge: Contribution, parent: TraceNode) -> str:
        """Whether a parent has all it needs, and if not for whom it waits."""
        name = self.words.name(parent.id)
        if edge.got == edge.needed:
            done = "this is what .backward() adds to its .grad" if parent.kind == "parameter" else ""
            return f"{name} complete ({edge.got} of {edge.needed})" + (f": {done}" if done else "")
        waiting: dict[str, None] = {}
        for source, other in self.feeders[parent.id]:
            if other.got > edge.got:
                there = self.turn_of[source]
                waiting[
                    "the next edge of this step"
                    if there == turn
                    else f"{self.words.name(source)} (step {there})"
                ] = None
        them = list(waiting)
        listed = them[0] if len(them) == 1 else f"{', '.join(them[:3])}{' and more' if len(them) > 3 else ''}"
        return f"{edge.got} of {edge.needed} contributions: {name} must wait for {listed}"

    # -- Jacobians ---------------------------------------------------------------------------------

    def result(self, steps: list[Step]) -> Step | None:
        """The one step of a turn whose gradient comes from elsewhere, if it is one and nothing is masked."""
        inside = {step.node for step in steps}
        entries = [
            step
            for step in steps
            if step.node == self.trace.root.id
            or not {source for source, _ in self.feeders[step.node]} <= inside
        ]
        plain_ones = len(steps) == 1 or all(step.unselected is None for step in steps[1:])
        return entries[0] if len(entries) == 1 and entries[0] is steps[0] and plain_ones else None

    def jacobian(
        self, node: TraceNode, parent: TraceNode, step: Step, edge: Contribution, steps: list[Step]
    ) -> tuple[int, str]:
        """The Jacobian of a turn's result along an edge: its grid, and how it is to be read.

        "matrix", "each" (a diagonal, in the node's shape) or "tints".
        """
        rows, columns = node.data.size, parent.data.size
        size = f"{rows} x {columns}"
        slow = len(steps) > 1 or self.trace.rules[node.id].operation.structure != "elementwise"
        if not rows * columns or rows * columns > MOST_COMPUTED or (slow and rows > MOST_ROWS):
            return self.keep({"l": [f"{size} numbers", "not written out"]}), "matrix"
        if len(steps) == 1:
            whole = self.trace.jacobian(node.id, edge.place)
        else:
            whole = through(self.trace, steps, step, edge)
        matrix = whole.reshape(rows, columns)
        if rows == columns and node.shape == parent.shape and (rows > 4 or len(node.shape) > 1):
            slopes = np.diagonal(matrix)
            if not (matrix - np.diag(slopes)).any() and np.isfinite(slopes).all():
                return self.grid(slopes.reshape(node.shape)), "each"
        if rows == 1 and columns <= MOST_CELLS:
            return self.grid(whole.reshape(parent.shape)), "matrix"
        if rows * columns <= MOST_WRITTEN and columns <= WIDEST:
            return self.keep(written(matrix)), "matrix"
        if rows * columns <= MOST_TINTED and max(rows, columns) <= 60:
            return self.keep(tinted(matrix)), "tints"
        return self.keep({"l": [f"{size} numbers", *statistics(whole)], "o": oddities(whole)}), "matrix"


def through(trace: Trace, steps: list[Step], last: Step, edge: Contribution) -> Any:
    """The Jacobian of the first of `steps` along an edge of the last, by way of those between."""
    node, parent = trace[steps[0].node], trace[edge.parent]
    rows = np.zeros((node.data.size, *parent.shape), parent.dtype)
    for element in range(len(rows)):
        unit = np.zeros(node.shape, node.dtype)
        unit.flat[element] = 1
        pulled: dict[str, Any] = {node.id: unit[()]}
        for step in steps:
            if step.node not in pulled:
                continue
            arriving = pulled[step.node]
            if step is last:
                rows[element] = trace.pull(step.node, edge.place, arriving)
                break
            for other in step.edges:
                part = trace.pull(step.node, other.place, arriving)
                pulled[other.parent] = pulled[other.parent] + part if other.parent in pulled else part
    return rows.reshape(node.shape + parent.shape)


def left_out(mask: Any) -> dict[str, str]:
    """How much of what arrives was not selected, in words."""
    if mask is None or not mask.any():
        return {}
    count = int(mask.sum())
    return {
        "mask": f"{count} of {mask.size} element{'s' * (mask.size > 1)} not selected: nothing passes there, whatever the slope"
    }


def repeated(returned: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Along which axes an input was repeated."""
    added = len(returned) - len(shape)
    axes = [axis for axis in range(len(returned)) if axis < added or shape[axis - added] != returned[axis]]
    return f"ax{'e' if len(axes) > 1 else 'i'}s {', '.join(map(str, axes))}"
