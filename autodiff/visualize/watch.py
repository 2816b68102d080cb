"""What people call to look at a backward pass step by step: `trace`."""

from typing import TYPE_CHECKING, Any

# The rooms below are imported when somebody looks: `import autodiff` would take longer.
if TYPE_CHECKING:
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
