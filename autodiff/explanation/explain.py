"""explain: why is this gradient what it is?

A ledger in words and numbers: the gradient as the sum over all uses of the tensor, and where it is 0 or None, why.
"""

from collections.abc import Sequence
from operator import index as as_index
from typing import Any

import numpy as np

from ..formulas import elementwise, formula, words
from ..lines import find_line
from ..messages import StaleGraphError
from ..node import LEAF, Node, input_names
from ..report import plain
from ..tensor import Tensor
from ..visualize.names import Names
from ..visualize.values import number, oddities
from .flow import Flow, Use
from .ledger import Explanation, PathRow, Row, Zero
from .lints import lints
from .routes import Path, largest_paths, size
from .unreached import Leak, all_nodes, leaks, why_unreached
from .worked import with_numbers
from .zeros import why_zero

MOST_PATHS = 20
FREED = "the graph was freed by backward(free_graph=True); run the forward pass again, or leave that out"
CANCELS = 100  # parts this many times larger than their sum have lost two digits of it


def explain(
    x: Any, loss: Any, seed: Any = None, *, element: Any = None, paths: bool | int = False, names: Any = None
) -> Explanation:
    """Why the gradient of `loss` by `x` is what it is: a ledger of all uses of x; where it is 0 or None, the reason.

    Everything is read from the graph that is there: nothing is run again (but what `checkpoint` left out), no
    `.grad` is touched, hooks run as in `.backward()`. `x`, `loss`: Tensors, x a leaf or not. `seed`: the gradient to
    start with, of the loss's shape; 1 for a scalar. `element`: an index into x, as (0, 2), for one element's ledger
    instead of norms. `paths`: True for a ledger path by path too, of the 20 largest paths, or a number of them.
    `names`: a dict from names to Tensors, or `locals()`. Lines of your code show after `ad.recording.on()`.

    Raises TypeError for what is no Tensor, ValueError for a seed or `paths` that do not fit, IndexError for an element that
    is not there.

    >>> x = Tensor(2.0, name="x")
    >>> explain(x, x * x + np.sin(x)).rows[0].numbers
    '1 * 2'
    """
    for what, thing in (("x", x), ("loss", loss)):
        if not isinstance(thing, Tensor):
            raise TypeError(
                f"explain: {what} is a Tensor, not {type(thing).__name__}; what was computed from arrays alone, "
                "from t.data, by np.floor and its like or inside no_grad has no graph, and so no gradient"
            )
    if not isinstance(paths, int) or paths < 0:
        raise ValueError(f"explain: paths is True, or how many of them to show, not {paths!r}")
    called = Names(names, "explain")
    index = None if element is None else checked_element(element, x)
    name = plain(called.of(x) or "x", 40)
    found = Explanation(name, plain(called.of(loss) or ("x" if loss is x else "loss"), 40), x.shape)
    nodes = all_nodes(loss)
    if any(node.inputs is None for node in nodes):
        found.zeros = [Zero("freed", FREED, x.size)]
        return found
    found.lints = lints(loss)
    if x not in set(nodes):
        found.zeros = [Zero(*leak, x.size) for leak in why_unreached(x, name, loss, nodes)]
        return found
    try:
        flow = Flow(loss, seed, x)
    except StaleGraphError as error:
        found.zeros = [Zero("stale", str(error), x.size)]
        return found
    gradient = flow.gradient[x]
    found.at = x.value if index is None else x.value[index]
    found.gradient = gradient if index is None else gradient[index]
    found.rows = [row_of(use, flow, index, found.gradient, called, name) for use in flow.uses]
    found.cancels = cancellation([row.part for row in found.rows], found.gradient)
    if index is not None:
        found.name = f"{name}[{', '.join(map(str, index))}]"
    if not np.all(found.gradient):
        for reason, mask in why_zero(flow):
            count = int(mask.sum() if index is None else mask[index])
            if count:
                found.zeros.append(Zero(reason.kind, reason.words, count))
    found.path_count = flow.count_paths()[loss]
    if paths:
        most = MOST_PATHS if paths is True else paths
        found.paths = [
            path_row(path, index, found.gradient, called, name) for path in largest_paths(flow, most)
        ]
    found.notes = notes(x, name, flow, gradient, leaks(nodes, [x, *interior(flow, x)]))
    return found


def checked_element(element: Any, x: Tensor) -> tuple[int, ...]:
    """An index of one element of x, as a tuple of numbers."""
    places = element if isinstance(element, tuple | list) else (element,)
    try:
        index = tuple(as_index(i) for i in places)
    except TypeError:
        raise TypeError(
            f"explain: element= is the index of one element of x, as (0, 2), not {element!r}"
        ) from None
    if len(index) != x.ndim or any(not -n <= i < n for i, n in zip(index, x.shape, strict=True)):
        raise IndexError(f"explain: there is no element {element!r} in a tensor of shape {x.shape}")
    return tuple(i % n for i, n in zip(index, x.shape, strict=True))


def interior(flow: Flow, x: Node) -> list[Node]:
    """What was computed from x on the way to the loss."""
    return [node for node in flow.order if node is not x and node is not flow.root]


def row_of(use: Use, flow: Flow, index: Any, total: Any, called: Names, name: str) -> Row:
    """A use of x in the ledger."""
    node, place = use.node, use.place
    line = find_line(node.notes.source) if node.notes else None
    part = use.part if index is None else use.part[index]
    aligned = elementwise(node) and node.operation.broadcasts and node.value.shape == flow.target.value.shape
    spot = (
        index if index is not None else (0,) * flow.target.value.ndim if flow.target.value.size == 1 else None
    )
    own = input_names(node)
    return Row(
        op=node.operation.name,
        use=f"{node.operation.name}({', '.join(arguments(node, own, flow.target, called, name))})",
        input=own[place],
        line="" if line is None else plain(f"{line.place}: {line.text}", 80),
        arrived=use.arrived[index] if aligned and index is not None else use.arrived,
        formula=formula(node, place),
        numbers=with_numbers(node, place, use.arrived, spot, np.asarray(use.part)[spot])
        if spot is not None
        else "",
        words=words(node, place),
        part=part,
        share=share_of(part, total),
    )


def arguments(node: Node, own: Sequence[str], x: Node, called: Names, name: str) -> list[str]:
    """The inputs of a call, in a few characters each."""
    texts = []
    for parent, value, what in list(zip(node.inputs or (), node.arguments, own, strict=False))[:4]:
        if parent is x:
            text = name
        else:
            thing = value if parent is None else parent
            known = called.of(thing)
            array = np.asarray(value)
            plain = number(array.reshape(())[()]) if array.size == 1 else f"array {array.shape}"
            text = known or (plain if parent is None or parent.recipe is LEAF else parent.operation.name)
        texts.append(f"{what}={text}" if len(own) > 1 else text)
    return texts + (["…"] if len(own) > 4 else [])


def share_of(part: Any, total: Any) -> float:
    """How much of the whole a part is: of vectors, its component along the whole."""
    part, total = np.asarray(part, np.float64), np.asarray(total, np.float64)
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(total), initial=0)
        return float(np.sum(part / largest * (total / largest)) / np.sum(np.square(total / largest)))


def cancellation(parts: Sequence[Any], total: Any) -> float | None:
    """How many times as large as their sum the parts are, if it costs digits."""
    whole, pieces = size(total), sum(size(part) for part in parts)
    return pieces / whole if np.isfinite(pieces) and 0 < whole * CANCELS < pieces else None


def path_row(path: Path, index: Any, total: Any, called: Names, name: str) -> PathRow:
    """A path in the ledger, from x on."""
    part = path.part if index is None else path.part[index]
    ops = [name]
    for node, place in reversed(path.edges):
        several = len({id(parent) for parent in node.inputs or ()}) < len(node.inputs or ())
        ops.append(
            (called.of(node) or node.operation.name) + (f" ({input_names(node)[place]})" if several else "")
        )
    return PathRow(tuple(ops), tuple(reversed(path.slopes)), part, share_of(part, total))


def notes(x: Tensor, name: str, flow: Flow, gradient: Any, found: list[Leak]) -> list[str]:
    """What else a reader of this gradient should know."""
    said = []
    odd = oddities(np.asarray(gradient))
    if odd:
        said.append(f"The gradient has {odd}: ad.find_nan(loss) names the op where the first was born.")
    said += [f"The gradient stops here: {leak.words}." for leak in found]
    changed = [
        node for node, before in flow.before.items() if not np.array_equal(before, flow.gradient[node])
    ]
    if changed:
        where = ", ".join(name if node is x else node.operation.name for node in changed)
        said.append(
            f"Hooks changed the gradient at: {where}; parts and paths are those before a hook on {name} itself."
        )
    kept = x.notes.grad if x.notes else None
    if kept is None:
        reason = (
            "no backward() has reached it" if x.recipe is LEAF else "it was computed; retain_grad() keeps it"
        )
        said.append(f"{name}.grad is None: {reason}.")
    elif not np.array_equal(kept, gradient, equal_nan=True):
        said.append(
            f"{name}.grad holds other numbers: it adds up over backward passes until {name}.grad = None."
        )
    return said
