"""find_nan: where the first NaN or infinity of a graph was born."""

from typing import Any

import numpy as np

from ..fitting import seed_for
from ..graph import backpropagate, topological_order
from ..node import Node
from ..tensor import Tensor
from .births import Edge, Search
from .rows import Anomalies
from .telling import told
from .wiring import not_finite


def find_nan(loss: Tensor, seed: Any = None) -> Anomalies:
    """Where the first NaN or infinity of a graph was born, forward or backward, and what to write instead.

    Looks at the graph that `loss` already has: no code of yours runs again but hooks, and no `.grad` changes.
    Inside `with ad.recording():` its ops know their lines. `seed`: the gradient to start with; a loss that is no
    scalar and has none is searched forward alone. Returns a report that prints, shows itself in a notebook,
    and has the births as `.rows`, oldest first; it is false where all is finite.

    An infinity counts only where a NaN, an infinite loss or an infinite gradient comes of it: masks of -inf
    before a softmax do no harm. Raises TypeError where loss is no Tensor, and the walk's own errors for a
    stale or a freed graph.

    >>> x = Tensor([1.0, 0.0], name="x")
    >>> report = find_nan(np.sqrt(x).sum())
    >>> report.first.op, report.first.index, report.first.mechanism
    ('sqrt', (1,), "sqrt's slope at 0 is infinite")
    """
    if not isinstance(loss, Tensor):
        raise TypeError(
            f"find_nan: takes the Tensor that a computation ends with, not {type(loss).__name__}; "
            "ops on arrays alone, and all ops inside no_grad, return arrays, which have no graph"
        )
    order = topological_order([loss])
    arrived: dict[Node, Any] = {}
    edges: list[Edge] = []
    seeds: dict[Node, Any] = {}
    note = None
    if seed is None and loss.size != 1:
        note = f"Values only: shape {loss.shape} is no scalar, so gradients need find_nan(loss, seed=array)."
    else:
        start = seed_for(loss, seed)
        seeds = {loss: np.asarray(start.value if isinstance(start, Node) else start)}

        def watch(node: Any, place: int, mask: Any, returned: Any, part: Any) -> None:
            edges.append(Edge(node, place, node.inputs[place], np.asarray(part)))

        try:
            with np.errstate(all="ignore"):
                # One by one, so that what has arrived when a rule raises is there.
                for node, gradient in backpropagate([loss], [seeds[loss]], watch=watch):
                    arrived[node] = gradient  # noqa: PERF403
        except Exception as error:
            note = f"The backward pass raised {type(error).__name__}: {error}"
    search = Search(order, arrived, edges, seeds)
    values: dict[Node, Any] = {loss: not_finite(loss.value)}
    gradients = {node: not_finite(gradient) for node, gradient in arrived.items() if not node.inputs}
    with np.errstate(all="ignore"):
        return told(search, loss, values, gradients, note)
