"""One backward pass from a root to one tensor, with all that passed along its edges kept.

The walk throws away what it has passed; whoever asks why a gradient is what it is needs it.
"""

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from ..fitting import seed_for
from ..graph import backpropagate, contributions
from ..node import Node


class Use(NamedTuple):
    """One use of a tensor: input number `place` of `node`, what arrived at that node, and what it handed on."""

    node: Node
    place: int
    arrived: Any
    part: Any


class Flow:
    """The backward pass from `root` as far as it leads to `target`.

    `order`: the nodes on a path from one to the other, oldest first; empty where there is none. `gradient`:
    of each of them, after its hooks; `before`: the same before them, where there are any. `masks`: what
    selections left out of a gradient, or None. `uses`: those of `target`, in the order in which they were made.
    """

    def __init__(self, root: Node, seed: Any, target: Node) -> None:
        self.root = root
        self.target = target
        seed = seed_for(root, seed)
        self.seed = seed.value if isinstance(seed, Node) else seed
        self.gradient: dict[Node, Any] = {}
        self.before: dict[Node, Any] = {}
        self.masks: dict[Node, Any] = {}
        self.uses: list[Use] = []
        with np.errstate(all="ignore"):
            for node, gradient in backpropagate([root], [seed], [target], watch=self._watch):
                self.gradient[node] = gradient
                if node is root and node.notes and node.notes.hooks:
                    self.before[node] = self.seed
        self.order = list(reversed(self.gradient))
        self.uses.sort(key=lambda use: (use.node.age, use.place))

    def _watch(self, node: Node, place: int, mask: Any, returned: Any, part: Any) -> None:
        parent: Any = node.inputs[place]  # type: ignore[index]
        self.masks[node] = mask
        if parent.notes is not None and parent.notes.hooks:
            self.before[parent] = self.before[parent] + part if parent in self.before else part
        if parent is self.target:
            self.uses.append(Use(node, place, self.gradient[node], part))

    def edges(self, node: Node) -> list[tuple[int, Node]]:
        """The inputs of `node` that lead to the target, each with its place."""
        if node is self.target:
            return []
        return [
            (place, parent)
            for place, parent in enumerate(node.inputs or ())
            if parent is not None and parent in self.gradient
        ]

    def pull(self, node: Node, place: int, gradient: Any) -> Any:
        """What `node`'s rule would hand to its input number `place` if `gradient` arrived."""
        alone: Any = {node.inputs[place]}  # type: ignore[index]
        places = [i for i, parent in enumerate(node.inputs or ()) if parent in alone]
        with np.errstate(all="ignore"):
            parts = list(contributions(node, gradient, self.masks.get(node), alone, False))
        return parts[places.index(place)][1]

    def count_paths(self) -> dict[Node, int]:
        """For each node, how many paths lead from it to the target."""
        counts: dict[Node, int] = defaultdict(int, {self.target: 1})
        for node in self.order:
            if node is not self.target:
                counts[node] = sum(counts[parent] for _, parent in self.edges(node))
        return counts
