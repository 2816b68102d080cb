"""Functions of functions: grad, vjp, jvp, jacobian, hessian, hvp, gradients, checkpoint.

Each hands the function fresh leaves in place of its arguments and walks the graph that comes back. Arrays
in give arrays out. But where an argument is a Tensor, or the function uses one that was there before, an outer
derivative is listening: then the walk makes a graph of its own, and Tensors come out.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from .ambient import is_recording, next_age, recording_graph
from .graph import Node, backpropagate
from .ops import concatenate, positive, ravel, reshape, stack
from .primitive import primitive
from .tensor import Tensor
from .trees import leaves_of, map_leaves


def fresh(x: Any) -> Tensor:
    """A leaf in place of an array; in place of a Tensor a node of its own that stays tied to it."""
    tied: Tensor = positive(x) if isinstance(x, Tensor) else Tensor(x)
    return tied


def reaches_back(nodes: Sequence[Any], since: int) -> bool:
    """Whether any of the Tensors among `nodes` was computed from one older than `since`."""
    stack = [node for node in nodes if isinstance(node, Node)]
    seen = set(stack)
    while stack:
        node = stack.pop()
        if node.age < since:
            return True
        for parent in node.inputs or ():
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return False


def own(gradient: Any) -> Any:
    """A Tensor as it is, an array as a copy that the caller may write to."""
    return gradient if isinstance(gradient, Tensor) else np.array(gradient)[()]


def pull(
    roots: Sequence[Any], seeds: Sequence[Any], targets: Sequence[Tensor], create_graph: bool, since: int = 0
) -> list[Any]:
    """The gradients at `targets`, zeros where no root depends on one."""
    tracked = [place for place, root in enumerate(roots) if isinstance(root, Tensor)]
    ends, starts = [roots[place] for place in tracked], [seeds[place] for place in tracked]
    wanted = set(targets)
    walk = backpropagate(ends, starts, targets, since=since, create_graph=create_graph)
    found = {node: gradient for node, gradient in walk if node in wanted}
    return [own(found[target]) if target in found else np.zeros_like(target.value) for target in targets]


class Call:
    """One call of `f` with fresh leaves for the arguments `argnums`, and what came out."""

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], argnums: Sequence[int]
    ) -> None:
        listened_to = is_recording()
        self.since = next_age()
        with recording_graph():
            handed = list(args)
            for place in argnums:
                handed[place] = map_leaves(fresh, args[place])
            self.inputs = [handed[place] for place in argnums]
            self.leaves = leaves_of(self.inputs)
            self.result = f(*handed, **options)
        self.outputs = leaves_of(self.result)
        self.listening = listened_to and reaches_back(self.outputs, self.since)

    def released(self, tree: Any) -> Any:
        """What the caller gets of `tree`: Tensors where somebody is listening, else arrays."""
        return tree if self.listening else map_leaves(lambda x: x.data if isinstance(x, Tensor) else x, tree)

    def like_inputs(self, gradients: Sequence[Any]) -> list[Any]:
        """`gradients`, one for each leaf, in the structure of the inputs."""
        remaining = iter(gradients)
        made: list[Any] = map_leaves(lambda leaf: next(remaining), self.inputs)
        return made

    def backward(self, seeds: Sequence[Any], create_graph: bool = False) -> list[Any]:
        """The gradients at the inputs' leaves, of the outputs with `seeds`."""
        create_graph = create_graph or self.listening
        with recording_graph():
            return pull(self.outputs, seeds, self.leaves, create_graph)


def places(argnums: int | Sequence[int]) -> tuple[int, ...]:
    """`argnums` as a tuple."""
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def chosen(parts: list[Any], argnums: int | Sequence[int]) -> Any:
    """One argument's part for one number, a tuple of parts for several."""
    return parts[0] if isinstance(argnums, int) else tuple(parts)


def scalar(output: Any, name: str) -> Any:
    """`output`, which `name` needs to be one real number."""
    size = output.size if isinstance(output, Tensor) else np.size(output)
    if output is None or size != 1:
        what = "None" if output is None else f"a result of shape {np.shape(output)}"
        raise ValueError(
            f"{name}: the function returned {what}, which has no one gradient; "
            "return a number, as by .sum(), or use jacobian or vjp"
        )
    return output


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """`f` as a function that returns its value and its gradient by the arguments `argnums`.

    Arguments may be nested lists, tuples and dicts of arrays; a gradient has its argument's
    structure. With `has_aux`, f returns `(value, aux)`, and the result is `((value, aux), gradient)`. Raises
    ValueError where f does not return a single number.

    >>> value, gradient = value_and_grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3.0})
    >>> float(value), float(gradient["a"])
    (6.0, 3.0)
    """

    @wraps(f)
    def with_gradient(*args: Any, **options: Any) -> Any:
        aux: list[Any] = []

        def value_of_f(*args: Any, **options: Any) -> Any:
            value = f(*args, **options)
            if has_aux:
                value, extra = value
                aux.append(extra)
            return scalar(value, "grad")

        call = Call(value_of_f, args, options, places(argnums))
        gradient = chosen(call.like_inputs(call.backward([None])), argnums)
        value = call.released(call.result)
        return ((value, call.released(aux[0])), gradient) if has_aux else (value, gradient)

    return with_gradient


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The gradient of scalar-valued `f`, as a function.

    `argnums`: the argument, or several, to differentiate by. Arguments, structures and errors as
    `value_and_grad`.

    >>> float(grad(lambda x: x * x * x)(2.0))
    12.0
    >>> float(grad(grad(lambda x: x * x * x))(2.0))
    12.0
    """
    both = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*args: Any, **options: Any) -> Any:
        return both(*args, **options)[1]

    return gradient


def vjp(f: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """`(y, pullback)`: the value f(*args), and the function from y's gradient to the arguments'.

    `pullback(g)`, g of y's structure and shapes, returns a tuple with a gradient for each argument; it may
    be called more than once.

    >>> y, pullback = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))[0].tolist()
    [2.0, 40.0]
    """
    call = Call(f, args, options, range(len(args)))

    def pullback(g: Any) -> tuple[Any, ...]:
        seeds: list[Any] = []
        map_leaves(lambda output, seed: seeds.append(seed), call.result, g)
        create_graph = is_recording() and any(isinstance(seed, Tensor) for seed in seeds)
        return tuple(call.like_inputs(call.backward(seeds, create_graph)))

    return call.released(call.result), pullback


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], **options: Any
) -> tuple[Any, Any]:
    """`(y, dy)`: the value f(*primals), and its derivative in the direction of the tangents.

    `tangents` has the structure and shapes of `primals`. No op needs a rule for this: y's vjp is linear in
    the gradient u that it is handed, and the vjp of that linear function is the jvp.

    >>> y, dy = jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> float(y), float(dy)
    (9.0, 6.0)
    """
    call = Call(f, tuple(primals), options, range(len(primals)))
    directions: list[Any] = []
    map_leaves(lambda leaf, tangent: directions.append(tangent), call.inputs, list(tangents))
    for leaf, tangent in zip(call.leaves, directions, strict=True):
        if np.shape(tangent) != leaf.shape:
            raise ValueError(
                f"jvp: a tangent of shape {np.shape(tangent)} does not fit a primal of shape {leaf.shape}"
            )
    pushed = push(call, [directions], any(isinstance(tangent, Tensor) for tangent in directions))[0]
    remaining = iter(pushed)
    return call.released(call.result), map_leaves(lambda output: next(remaining), call.result)


def push(call: Call, tangents: Sequence[Sequence[Any]], listening: bool = False) -> list[list[Any]]:
    """For each of several tangents at the call's leaves, the derivatives of its outputs."""
    with recording_graph():
        u = [
            Tensor(np.ones_like(x.value if isinstance(x, Tensor) else np.asarray(x, float)))
            for x in call.outputs
        ]
        # Only the shape of this linear function matters, not its value at u, which may overflow.
        with np.errstate(all="ignore"):
            linear = pull(call.outputs, u, call.leaves, create_graph=True)
        listening = call.listening or (listening and is_recording())
        return [pull(linear, tangent, u, create_graph=listening) for tangent in tangents]


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The matrix of all derivatives of `f`, as a function: its shape is `y.shape + x.shape`.

    Where the result or the argument is nested, so is the Jacobian, the result's structure outside. It walks
    the graph once for each number in the result, or in the arguments if these are fewer.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    @wraps(f)
    def matrix(*args: Any, **options: Any) -> Any:
        call = Call(f, args, options, places(argnums))
        xs = [leaf.value for leaf in call.leaves]
        ys = [
            output.value if isinstance(output, Tensor) else np.asarray(output, float)
            for output in call.outputs
        ]
        inputs, outputs = sum(x.size for x in xs), sum(y.size for y in ys)
        if inputs < outputs:
            # blocks[i][j]: a list over the elements of x_j of the derivatives of y_i.
            columns = push(call, list(units(xs)))
            blocks = [split([column[i] for column in columns], xs, -1, y.shape) for i, y in enumerate(ys)]
        else:
            rows = [call.backward(seeds) for seeds in units(ys)]
            by_x = [split([row[j] for row in rows], ys, 0, x.shape) for j, x in enumerate(xs)]
            blocks = [[by_x[j][i] for j in range(len(xs))] for i in range(len(ys))]
        remaining = iter(chosen(call.like_inputs(block), argnums) for block in blocks)
        return map_leaves(lambda output: next(remaining), call.result)

    return matrix


def units(arrays: Sequence[Any]) -> Any:
    """For every element of the arrays, arrays of their shapes that are 1 there and 0 elsewhere."""
    for place, array in enumerate(arrays):
        for element in range(array.size):
            unit = [np.zeros_like(other) for other in map(np.asarray, arrays)]
            unit[place].flat[element] = 1
            yield unit


def split(derivatives: list[Any], arrays: Sequence[Any], axis: int, shape: tuple[int, ...]) -> list[Any]:
    """Derivatives by every element of `arrays`, stacked along `axis` into a block for each array."""
    blocks, start = [], 0
    for array in arrays:
        part = derivatives[start : start + array.size]
        start += array.size
        full = (*shape, *array.shape) if axis == -1 else (*array.shape, *shape)
        if not part:
            blocks.append(np.zeros(full, array.dtype))
        else:
            blocks.append(reshape(stack(part, axis), full))
    return blocks


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The matrix of second derivatives of scalar-valued `f`, as a function: of shape `x.shape + x.shape`.

    >>> hessian(lambda x: (x * x * x).sum())(np.array([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product of scalar-valued `f`'s Hessian at `x` with `v`, without the Hessian.

    `v` and the result have x's structure and shapes.

    >>> hvp(lambda x: (x * x * x).sum(), np.array([1.0, 2.0]), np.array([1.0, 10.0])).tolist()
    [6.0, 120.0]
    """
    return vjp(grad(f), x)[1](v)[0]


def gradients(y: Tensor, xs: Any, seed: Any = None, create_graph: bool = False) -> Any:
    """The gradients of `y` by the Tensors `xs`, which may be interior; no `.grad` is touched.

    `xs`: a Tensor, or nested lists, tuples and dicts of them; the result has that structure, with zeros where y
    does not depend on one. `seed`: the gradient to start with, of y's shape. With `create_graph`
    the gradients are Tensors that can be differentiated again. Raises TypeError where y is no Tensor.

    >>> x = Tensor(3.0)
    >>> slope = gradients(x * x, x, create_graph=True)
    >>> float(gradients(slope, x))
    2.0
    """
    if not isinstance(y, Tensor):
        raise TypeError(
            "gradients: y is no Tensor, so it was not computed from xs; was it made inside no_grad?"
        )
    targets = leaves_of(xs)
    if not all(isinstance(target, Tensor) for target in targets):
        raise TypeError("gradients: xs are Tensors; for a function of arrays use grad")
    with recording_graph():
        found = iter(pull([y], [seed], targets, create_graph))
    return map_leaves(lambda x: next(found), xs)


# -- checkpoint ------------------------------------------------------------------------------------


@primitive()
def _gather_inputs(*tensors):  # type: ignore[no-untyped-def]
    # A node that stands for several: its value is of no use, its gradient all of theirs in a row.
    ends = np.cumsum([tensor.size for tensor in tensors])

    def part(i: int) -> Any:
        return lambda g, y, *tensors: reshape(g[ends[i] - tensors[i].size : ends[i]], tensors[i].shape)

    return np.broadcast_to(0.0, ends[-1]), *(part(i) for i in range(len(tensors)))


@primitive()
def _recompute(inputs, /, value, run):  # type: ignore[no-untyped-def]
    return value, lambda g, y, inputs: run(g, isinstance(inputs, Tensor))


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose graph is thrown away after the call and made again by the backward pass.

    It saves the memory of f's intermediate values for the time of a second call. Arguments and results may be
    nested, and f may use Tensors from outside. It must compute the same at both calls: hand
    random numbers in.

    >>> x = Tensor(2.0)
    >>> y = checkpoint(lambda x: (x * x) * x)(x)
    >>> y.backward()
    >>> float(x.grad)
    12.0
    """

    def flat(outputs: Sequence[Any]) -> Any:
        tracked = [output for output in outputs if isinstance(output, Tensor)]
        return tracked[0] if len(tracked) == 1 else concatenate(tracked, axis=None)

    @wraps(f)
    def checked(*args: Any, **options: Any) -> Any:
        if not is_recording():
            return f(*args, **options)
        since = next_age()
        result = f(*args, **options)
        outputs = leaves_of(result)
        used = older_inputs([output for output in outputs if isinstance(output, Tensor)], since)
        if not used:
            return result

        def run(g: Any, create_graph: bool) -> Any:
            with recording_graph():
                since = next_age()
                again = flat(leaves_of(f(*args, **options)))
                found = pull([again], [g], used, create_graph, since)
                return concatenate([ravel(gradient) for gradient in found])

        whole = _recompute(_gather_inputs(*used), value=flat(outputs).value, run=run)
        start = 0

        def taken(output: Any) -> Any:
            nonlocal start
            if not isinstance(output, Tensor):
                return output
            if output.shape == whole.shape and output.size == whole.size:
                return whole
            start += output.size
            return reshape(whole[start - output.size : start], output.shape).astype(output.dtype)

        return map_leaves(taken, result)

    return checked


def older_inputs(roots: Sequence[Tensor], since: int) -> list[Tensor]:
    """The Tensors older than `since` that `roots` were computed from directly."""
    stack: list[Node] = list(roots)
    seen = set(stack)
    older = []
    while stack:
        node = stack.pop()
        if node.age < since:
            older.append(node)
            continue
        for parent in node.inputs or ():
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return older  # type: ignore[return-value]
