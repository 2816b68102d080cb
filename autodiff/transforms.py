"""Functions of functions: grad, vjp, jvp, jacobian, hessian, hvp, gradients."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import pairwise
from typing import Any

import numpy as np

from .ambient import recording_graph
from .calls import Call, check_function, chosen, fitting, own, places, pull
from .ops import concatenate, ravel, reshape, stack
from .tensor import Tensor
from .trees import leaves_of, map_leaves


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

    check_function(f, "value_and_grad(f)(1.0)")

    @wraps(f)
    def with_gradient(*args: Any, **options: Any) -> Any:
        aux: Any = None

        def value_of_f(*args: Any, **options: Any) -> Any:
            nonlocal aux
            value = f(*args, **options)
            if has_aux:
                if not isinstance(value, tuple) or len(value) != 2:
                    raise TypeError(
                        "value_and_grad: with has_aux=True the function returns the pair (value, aux), "
                        f"not {type(value).__name__}"
                    )
                value, aux = value
            return scalar(value)

        call = Call("grad", value_of_f, args, options, places("grad", argnums, args))
        gradient = chosen(call.like_inputs(call.backward([None])), argnums)
        value = call.released(call.result)
        return ((value, call.released(aux)), gradient) if has_aux else (value, gradient)

    return with_gradient


def scalar(output: Any) -> Any:
    """`output`, which is one number."""
    if output is None or isinstance(output, list | tuple | dict) or np.size(output) != 1:
        what = "None" if output is None else f"a {type(output).__name__}"
        if hasattr(output, "shape"):
            what = f"a result of shape {output.shape}"
        raise ValueError(
            f"grad: the function returned {what}, which has no single gradient; "
            "return a number, as by .sum(), or use jacobian or vjp"
        )
    return output


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The gradient of scalar-valued `f`, as a function.

    `argnums`: the argument, or several, to differentiate by. Arguments, structures and errors as
    `value_and_grad`.

    >>> float(grad(lambda x: x * x * x)(2.0))
    12.0
    >>> float(grad(grad(lambda x: x * x * x))(2.0))
    12.0
    """
    check_function(f, "grad(f)(1.0)")
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
    check_function(f, "vjp(f, 1.0)")
    call = Call("vjp", f, args, options, range(len(args)))

    def pullback(g: Any) -> tuple[Any, ...]:
        seeds = fitting("vjp", "the result's gradient", call.result, g)
        return tuple(call.like_inputs(call.backward(seeds, any(isinstance(seed, Tensor) for seed in seeds))))

    return call.released(call.result), pullback


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], **options: Any
) -> tuple[Any, Any]:
    """`(y, dy)`: the value f(*primals), and its derivative in the direction of the tangents.

    `primals`: a tuple of f's arguments; `tangents` has its structure and shapes. No op needs a rule for
    this: it is the vjp of a vjp.

    >>> y, dy = jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> float(y), float(dy)
    (9.0, 6.0)
    """
    check_function(f, "jvp(f, (1.0,), (1.0,))")
    for what, several in (("primals", primals), ("tangents", tangents)):
        if not isinstance(several, list | tuple):
            raise TypeError(
                f"jvp: {what} is a tuple with one entry for each argument, as (x,), not {type(several).__name__}"
            )
    call = Call("jvp", f, tuple(primals), options, range(len(primals)))
    directions = fitting("jvp", "a tangent", call.inputs, list(tangents))
    listening = any(isinstance(tangent, Tensor) for tangent in directions)
    (pushed,) = call.forward(iter([directions]), listening)
    remaining = iter(pushed)
    return call.released(call.result), map_leaves(lambda output: next(remaining), call.result)


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The matrix of all derivatives of `f`, as a function: its shape is `y.shape + x.shape`.

    Where the result or the argument is nested, so is the Jacobian, the result's structure outside. It walks
    the graph once for each number in the result, or in the arguments if these are fewer.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    check_function(f, "jacobian(f)(x)")

    @wraps(f)
    def matrix(*args: Any, **options: Any) -> Any:
        call = Call("jacobian", f, args, options, places("jacobian", argnums, args))
        ys, xs = call.values(), [leaf.value for leaf in call.leaves]
        rows, columns = ends(ys), ends(xs)
        if rows[-1] == 0 or columns[-1] == 0:
            whole: Any = np.zeros((rows[-1], columns[-1]))
        elif columns[-1] < rows[-1]:
            whole = stack([flat(column) for column in call.forward(units(xs))], 1)
        else:
            whole = stack([flat(call.backward(seeds)) for seeds in units(ys)], 0)

        def block(y: Any, top: int, bottom: int, x: Any, left: int, right: int) -> Any:
            part = reshape(whole[top:bottom, left:right], (*y.shape, *x.shape))
            return own(part if part.dtype == x.dtype else part.astype(x.dtype))

        blocks = iter(
            [
                [block(y, *above, x, *beside) for x, beside in zip(xs, pairwise(columns), strict=True)]
                for y, above in zip(ys, pairwise(rows), strict=True)
            ]
        )
        return map_leaves(lambda output: chosen(call.like_inputs(next(blocks)), argnums), call.result)

    return matrix


def flat(parts: Sequence[Any]) -> Any:
    """All numbers of several arrays or Tensors in one row."""
    return concatenate([ravel(part) for part in parts])


def ends(arrays: Sequence[Any]) -> list[int]:
    """Where each of several arrays begins in one row of all their numbers, and where the last ends."""
    found = [0]
    for array in arrays:
        found.append(found[-1] + array.size)
    return found


def units(arrays: Sequence[Any]) -> Iterator[list[Any]]:
    """For every element of the arrays, arrays of their shapes that are 1 there and 0 elsewhere."""
    for place, array in enumerate(arrays):
        for element in range(array.size):
            unit = [np.zeros(other.shape, other.dtype) for other in arrays]
            unit[place].flat[element] = 1
            yield unit


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The matrix of second derivatives of scalar-valued `f`, as a function: of shape `x.shape + x.shape`.

    With several `argnums`, as (0, 1), it comes in blocks, `blocks[i][j]` by the arguments i and j; one array
    argument of all the numbers gives the whole matrix in one piece.

    >>> hessian(lambda x: (x * x * x).sum())(np.array([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    check_function(f, "hessian(f)(x)")
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product of scalar-valued `f`'s Hessian at `x` with `v`, without the Hessian.

    `v` and the result have x's structure and shapes.

    >>> hvp(lambda x: (x * x * x).sum(), np.array([1.0, 2.0]), np.array([1.0, 10.0])).tolist()
    [6.0, 120.0]
    """
    check_function(f, "hvp(f, x, v)")
    fitting("hvp", "v", x, v)
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
        found = pull([y], [seed], targets, create_graph)
    if create_graph:  # a constant slope too can be differentiated again, and gives zeros
        found = [slope if isinstance(slope, Tensor) else Tensor(slope) for slope in found]
    remaining = iter(found)
    return map_leaves(lambda x: next(remaining), xs)
