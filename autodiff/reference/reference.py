"""A recorded graph computed again with many digits: the truth for its value and its gradients.

Each node's op runs on arrays of exact numbers, which NumPy's functions take as they take any objects;
the gradient comes from those numbers' own memory, not from the op's rule. So the truth does not share
a rule's mistakes. It does share the formula: two formulations are compared with each other as well.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import prod
from typing import Any

import numpy as np

from ..broadcasting import unbroadcast
from ..graph import topological_order
from ..node import Node
from ..ops.einsum import spell_out
from ..primitive import is_ours
from .decimals import ONE, ZERO, digits
from .elementary import FUNCTIONS, extreme
from .exact import Number, decimal, made, number, slopes_at

MOST_NUMBERS = 100_000  # a second or two of exact arithmetic
# Ops with an input whose own dependence on the others they know of, and ops that hide a graph.
HIDDEN = frozenset({"softmax_pull", "centered", "spread", "recompute", "gather_inputs"})


class NoTruth(Exception):
    """Why a graph cannot be computed with exact numbers."""


class Exact(np.ndarray[Any, Any]):
    """An array of exact numbers: what NumPy does with it gives the like again."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        arrays = [x.view(np.ndarray) if isinstance(x, Exact) else x for x in inputs]
        out = options.pop("out", None)
        if method == "__call__" and ufunc.__name__ in FUNCTIONS:
            apply: Callable[..., Any] = np.frompyfunc(numeric(FUNCTIONS[ufunc.__name__]), len(arrays), 1)
            found = apply(*arrays, **options)
            if ufunc.__name__.startswith("is"):
                return np.asarray(found, bool)
        elif method == "reduce" and ufunc in (np.maximum, np.minimum):
            found = extreme_along(arrays[0], max if ufunc is np.maximum else min, **options)
        elif method == "reduce" and options.get("where", True) is not True:
            found = ufunc.reduce(arrays[0], **{"initial": ufunc.identity, **options})
        else:
            found = getattr(ufunc, method)(*arrays, **options)
        if out is not None:
            out[0].view(np.ndarray)[...] = found
            return out[0]
        return exact(found) if np.asarray(found).dtype.char == "O" else found

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        found = super().__array_function__(function, types, args, options)
        if isinstance(found, list | tuple):
            return type(found)([ours(part) for part in found])
        return ours(found)

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return exact(found) if isinstance(found, Number) else found  # NumPy's scalars can be indexed again


def ours(found: Any) -> Any:
    """What a function of NumPy returned, as Exact where it is made of objects, some of which may not be filled in yet."""
    if isinstance(found, np.ndarray) and found.dtype.char == "O":
        return found.view(Exact)
    return exact(found) if isinstance(found, Number) else found


def numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with its arguments made Numbers."""
    return lambda *inputs: function(*map(number, inputs))


def extreme_along(
    x: Any,
    choose: Any,
    axis: Any = 0,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
    dtype: Any = None,
) -> Any:
    """What np.maximum.reduce does, for numbers whose ties share."""
    axes = range(x.ndim) if axis is None else [axis] if np.ndim(axis) == 0 else axis
    axes = sorted(a % x.ndim for a in axes)
    rest = [a for a in range(x.ndim) if a not in axes]
    rows = x.transpose(*rest, *axes).reshape(prod(x.shape[a] for a in rest), -1)
    there = np.broadcast_to(where, x.shape).transpose(*rest, *axes).reshape(rows.shape)
    start = [] if initial is None else [number(initial)]
    found = array_of(
        [extreme([*map(number, row[mask]), *start], choose) for row, mask in zip(rows, there, strict=True)],
        (len(rows),),
    )
    shape = [1 if a in axes else n for a, n in enumerate(x.shape) if keepdims or a in rest]
    return found.reshape(shape)


def exact(x: Any) -> Any:
    """An array of Numbers from an array of anything that counts as numbers."""
    array = np.asarray(x.view(np.ndarray) if isinstance(x, Exact) else x, object)
    return array_of([number(element) for element in array.flat], array.shape).view(Exact)


def array_of(elements: list[Any], shape: tuple[int, ...]) -> Any:
    """An array of objects."""
    array = np.empty(len(elements), object)
    array[:] = elements
    return array.reshape(shape)


def leaf_numbers(value: Any) -> Any:
    """A leaf's data as Numbers that a gradient is wanted for."""
    array = np.asarray(value)
    return array_of([Number(number(x).value, ()) for x in array.reshape(-1)], array.shape).view(Exact)


def cost(node: Node) -> int:
    """About how many numbers it takes to compute a node exactly."""
    sizes = [np.size(x) for x in node.arguments]
    name = node.operation.name
    if name == "matmul":
        return 2 * int(np.size(node.value)) * int(np.shape(node.arguments[0])[-1])
    if name == "einsum":
        labels, _ = spell_out(  # type: ignore[no-untyped-call]
            node.options["subscripts"], [np.ndim(x) for x in node.arguments]
        )
        lengths = {
            letter: length
            for own, x in zip(labels, node.arguments, strict=True)
            for letter, length in zip(own, np.shape(x), strict=True)
        }
        return 2 * prod(map(int, lengths.values()))
    if node.operation.structure is None and not node.operation.broadcasts and len(sizes) > 1:
        return int(np.size(node.value)) * min(
            map(int, sizes)
        )  # every output from all of the smaller, as in conv2d
    return 3 * max(map(int, [np.size(node.value), *sizes]))


def run_again(order: Sequence[Node], leaves: dict[Node, Any]) -> dict[Node, Any]:
    """The exact value of every node in topological `order`, from those of the leaves.

    NoTruth, which names the op, where one cannot be computed so.
    """
    values = dict(leaves)
    for node in order:
        if node in values:
            continue
        if node.inputs == ():
            values[node] = leaf_numbers(node.value)
            continue
        inputs = [
            argument if parent is None else values[parent]
            for parent, argument in zip(node.inputs or (), node.arguments, strict=True)
        ]
        values[node] = own_numbers(recompute(node, inputs))
        if values[node].shape != node.value.shape:
            raise NoTruth(f"{node.operation.name} has no exact form")
    return values


def own_numbers(array: Any) -> Any:
    """The same numbers once more, or a node that hands its input on would share its gradient with it."""
    return array_of([made(x.value, (x,), (ONE,)) for x in array.flat], array.shape).view(Exact)


def recompute(node: Node, inputs: list[Any]) -> Any:
    """An op's value of exact inputs: by the table of functions, else by the op's own function."""
    operation = node.operation
    if is_ours(operation.function):
        if operation.name in FUNCTIONS:
            return by_table(operation.name, inputs)
        if operation.name == "astype":
            return exact(inputs[0])
        if operation.name in (
            "max",
            "min",
        ):  # whose own function hands NumPy a plain array, and ties would not share
            return exact(getattr(np, operation.name)(exact(inputs[0]), **node.options))
        if operation.name in HIDDEN:
            raise NoTruth(f"{operation.name} has no exact form")
    leaks = Number.leaks
    try:
        y = exact(operation.function(*inputs, **node.options)[0])
    except Exception as error:  # whatever an op says that was not made for objects
        raise NoTruth(f"{operation.name} has no exact form ({type(error).__name__})") from None
    constant = all(x.parents is None for x in y.flat)
    if (constant or Number.leaks > leaks) and forgets(node):
        raise NoTruth(f"{operation.name} has no exact form (it turns numbers into floats)")
    return y


def by_table(name: str, inputs: list[Any]) -> Any:
    """A function of the table, element by element."""
    try:
        return exact(np.frompyfunc(numeric(FUNCTIONS[name]), len(inputs), 1)(*inputs))
    except ImportError:
        raise NoTruth(f"{name} needs mpmath for its digits: pip install mpmath") from None
    except ArithmeticError as error:
        raise NoTruth(f"{name} has no exact value here ({type(error).__name__})") from None


def forgets(node: Node) -> bool:
    """Whether an op that made floats of exact numbers lost their memory on the way: its slopes then miss its rule's."""
    inputs = [
        x if parent is None else leaf_numbers(x)
        for parent, x in zip(node.inputs or (), node.arguments, strict=True)
    ]
    y = exact(node.operation.function(*inputs, **node.options)[0])
    g = np.resize(np.array([1.0, -0.75, 0.5, 1.25, -1.5], node.value.dtype), node.value.shape)
    g = np.where(np.isfinite(node.value), g, 0)
    slopes = slopes_at(zip(y.flat, map(decimal, g.flat), strict=True))
    for parent, vjp, numbers in zip(node.inputs or (), node.vjps, inputs, strict=True):
        if parent is None or vjp is None:
            continue
        with np.errstate(all="ignore"):
            part = np.asarray(vjp(g[()], node.value, *node.arguments))
            part = unbroadcast(part, parent.value.shape) if node.operation.broadcasts else part
            found = np.array([float(slopes.get(x, ZERO)) for x in numbers.flat]).reshape(numbers.shape)
            far, size = np.abs(found - part), np.max(np.abs(part), initial=0)
        if np.isfinite(size) and np.max(far, initial=0) > 0.05 * size + 1e-6:
            return True
    return False


def rerun(node: Node, inputs: Sequence[Any], g: Any, precision: int) -> tuple[Any, list[Any]]:
    """A node's exact value of `inputs`, and the exact gradient by each, None at a constant and where g is None.

    `inputs`, and the gradient `g` that the node got: arrays of floats or of Decimals.
    """
    with digits(precision), np.errstate(all="ignore"):
        tracked = [
            x if parent is None else leaf_numbers(x)
            for parent, x in zip(node.inputs or (), inputs, strict=True)
        ]
        y = recompute(node, tracked)
        if g is None:
            return y, [None] * len(tracked)
        slopes = slopes_at(zip(y.flat, [number(x).value for x in np.ravel(g)], strict=True))
        return y, [
            None if parent is None else array_of([slopes.get(x, ZERO) for x in numbers.flat], numbers.shape)
            for parent, numbers in zip(node.inputs or (), tracked, strict=True)
        ]


class Truth:
    """The exact values of `outputs`, and the gradients by `leaves` of the outputs times `seeds`.

    `values` and `gradients` are arrays of Decimals. `shift`: for each leaf what to add to it, in Decimals.
    NoTruth says why there is none.
    """

    def __init__(
        self,
        outputs: Sequence[Any],
        leaves: Sequence[Node],
        seeds: Sequence[Any],
        precision: int,
        shift: Sequence[Any] | None = None,
    ) -> None:
        tracked = [output for output in outputs if isinstance(output, Node)]
        order = topological_order(tracked) if tracked else []
        if sum(map(cost, order)) > MOST_NUMBERS:
            raise NoTruth(
                f"it would take more than {MOST_NUMBERS:,} exact numbers; compare smaller arguments"
            )
        with digits(precision), np.errstate(all="ignore"):
            numbers = {leaf: leaf_numbers(leaf.value) for leaf in leaves}
            for leaf, change in zip(leaves, shift or (), strict=False):
                for x, d in zip(numbers[leaf].flat, np.ravel(change), strict=True):
                    x.value += d
            self.nodes = run_again(order, numbers)
            ends = [
                self.nodes[y] if isinstance(y, Node) else exact(y.value if isinstance(y, Node) else y)
                for y in outputs
            ]
            seeded = [
                (end, decimal(factor))
                for array, seed in zip(ends, seeds, strict=True)
                for end, factor in zip(array.flat, np.ravel(seed), strict=True)
                if end.parents is not None
            ]
            self.slopes = slopes_at(seeded)
            self.values = [decimals(array) for array in ends]
            self.gradients = [self.gradient_of(numbers[leaf]) for leaf in leaves]

    def gradient_of(self, numbers: Any) -> Any:
        """The gradient by an array of numbers, such as those of one of the `nodes`."""
        return array_of([self.slopes.get(x, ZERO) for x in numbers.flat], numbers.shape)


def decimals(array: Any) -> Any:
    """The values of Numbers."""
    return array_of([x.value for x in array.flat], array.shape)


def errors(found: Any, truth: Any, relative: bool = False) -> Any:
    """How far the array `found` is from Decimals, or longdouble, in units in the last place of its dtype.

    Or relative to the truth. NaN where the truth is finite and `found` is not. Below the dtype's smallest
    normal number the unit is that number's: nothing can hold the digits of smaller ones.
    """
    info = np.finfo(found.dtype)
    if truth.dtype != object:
        return wide_errors(np.asarray(found), truth, info, relative)
    tiny = decimal(info.tiny)
    far = np.zeros(truth.size)
    with digits(60):
        for place, (x, true) in enumerate(zip(np.ravel(found), truth.flat, strict=True)):
            if not (np.isfinite(x) and true.is_finite()):
                agree = float(x) == float(true) or (np.isnan(x) and true.is_nan())
                far[place] = 0 if agree else np.nan
                continue
            size = max(abs(true), tiny)
            unit = size if relative else decimal(np.spacing(found.dtype.type(min(float(size), info.max))))
            far[place] = float(min(abs(decimal(x) - true) / unit, Decimal("1e300")))
    return far.reshape(truth.shape)


def wide_errors(found: Any, truth: Any, info: Any, relative: bool) -> Any:
    """The same against a truth in longdouble."""
    with np.errstate(all="ignore"):
        size = np.clip(np.abs(truth), info.tiny, info.max)
        unit = size if relative else np.spacing(size.astype(found.dtype)).astype(truth.dtype)
        far = np.abs(found - truth) / unit
        agree = (found == truth) | (np.isnan(found) & np.isnan(truth))
        finite = np.isfinite(found) & np.isfinite(truth)
        return np.where(agree, 0, np.where(finite, far, np.nan)).astype(np.float64)


def far_apart(found: Sequence[Any], truth: Sequence[Any]) -> float:
    """The largest difference between arrays of Decimals, relative to the largest element of each array."""
    far = 0.0
    with digits(60):
        for one, other in zip(found, truth, strict=True):
            apart = [abs(a - b) for a, b in zip(one.flat, other.flat, strict=True)]
            size = max([abs(x) for x in other.flat], default=ZERO)
            if any(not x.is_finite() for x in apart):
                same = all(
                    a == b or (a.is_nan() and b.is_nan()) for a, b in zip(one.flat, other.flat, strict=True)
                )
                far = far if same else float("nan")
            elif apart and max(apart):
                far = max(far, float(max(apart) / size) if size else float("inf"))
    return far
