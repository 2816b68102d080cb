"""What people call to look at a backward pass step by step: `trace` and `player`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

# The rooms below are imported when somebody looks: `import autodiff` would take longer.
if TYPE_CHECKING:
    from .player import Player
    from .trace import Trace


def trace(root: Any, seed: Any = None, names: Any = None) -> "Trace":
    """The graph behind `root`, its values, and its backward pass step by step, as data.

    `seed`: the gradient to start with; a root that is no scalar and has none gives values alone.
    `names`: a dict from names to Tensors and arrays, or `locals()`; what else it holds is ignored.
    No `.grad` is touched, and the graph is not kept; hooks run as in `.backward()`. Raises
    TypeError where root is no Tensor, ValueError for a seed that does not fit, and the walk's own errors for a
    stale or a freed graph.

    >>> from autodiff import Tensor
    >>> x = Tensor(3.0, name="x")
    >>> seen = trace(x * x)
    >>> [(node.id, node.name, node.op, float(node.gradient)) for node in seen.nodes]
    [('n1', 'x', 'leaf', 6.0), ('n2', None, 'multiply', 1.0)]
    >>> [(edge.parent, float(edge.contribution), float(edge.after)) for edge in seen.steps[0].edges]
    [('n1', 3.0, 3.0), ('n1', 3.0, 6.0)]
    """
    from .trace import observe

    return observe(root, "trace", seed, names)


def player(
    loss: Any,
    seed: Any = None,
    names: Any = None,
    *,
    collapse: str | Iterable[str] = (),
    max_nodes: int = 150,
) -> "Player":
    """The backward pass of `loss` to step through, in a notebook or as a page of HTML (`.save("backward.html")`).

    Each step shows the op whose turn it is and its line of code (inside `recording`), the gradient that arrives,
    and for each input the local Jacobian, the contribution, the running sum, and for what it still waits. Arrow keys,
    Home, End and space work as the buttons do. The page needs no network and no other file.

    `seed`: the gradient to start with, for a result that is no scalar. `names`: a dict from names to Tensors and
    arrays, or `locals()`. `collapse`: the name of a scope, or several, each of which becomes one card and, where
    its ops follow one another, one step. `max_nodes`: the most cards. Without a Graphviz program the cards stand in one
    column. No `.grad` is touched. Raises ValueError for a result that is no scalar and has no seed and for too many
    cards, and otherwise what `trace` raises.

    >>> from autodiff import Tensor
    >>> x = Tensor(3.0, name="x")
    >>> player(x * x + x)
    <Player of 2 steps; a notebook shows it, save("backward.html") keeps it>
    """
    from .draw import look_closer
    from .player import Player

    seen, picture = look_closer(loss, "player", seed, names, collapse, max_nodes)
    if seen.note is not None:
        raise ValueError(f"player: {seen.note.removeprefix('values only: ')}")
    return Player(seen, picture)
