"""How a number that is not finite comes about: the mechanism at one element, with the numbers it happened to."""

from typing import Any, NamedTuple

import numpy as np

from ..node import Node, input_names
from .births import Edge
from .wiring import Wiring


class Reason(NamedTuple):
    """The mechanism in a few words, and the numbers of its operands by the names that the op gives them."""

    mechanism: str
    numbers: dict[str, Any]


def only(shape: tuple[int, ...], index: Any) -> Any:
    """A mask with one element."""
    mask = np.zeros(shape, bool)
    mask[index] = True
    return mask


def at(x: Any, shape: tuple[int, ...], index: Any) -> Any:
    """The element of x, broadcast to `shape`, at `index`."""
    return np.broadcast_to(x, shape)[index]


# -- one number -------------------------------------------------------------------------------------------

LOGS = {"log": 0, "log2": 0, "log10": 0, "log1p": -1}
# Where these have a value: the bounds, and in words.
DOMAINS = {
    "sqrt": (0, np.inf, "the square root of a negative number"),
    "arcsin": (-1, 1, "arcsin outside [-1, 1]"),
    "arccos": (-1, 1, "arccos outside [-1, 1]"),
    "arccosh": (1, np.inf, "arccosh below 1"),
    "arctanh": (-1, 1, "arctanh outside (-1, 1)"),
}


def of_numbers(name: str, y: Any, xs: list[Any], dtype: Any) -> str:
    """Why an elementwise op of the numbers `xs` is the NaN or infinity y."""
    x = xs[0]
    if name in LOGS:
        if x == LOGS[name]:
            return "log of 0"
        if x < LOGS[name]:
            return "log of a negative number"
    if name in DOMAINS:
        low, high, words = DOMAINS[name]
        if x < low or x > high:
            return words
        if np.isinf(y) and np.isfinite(x):
            return f"{name} at {x:g}, where it is infinite"
    if name == "astype" and np.isfinite(x):
        return f"overflow of a cast to {np.dtype(dtype).name}"
    if len(xs) == 2 and (reason := of_two_numbers(name, y, *xs)):
        return reason
    if name == "reciprocal" and x == 0:
        return "x / 0"
    if np.isfinite(xs).all():
        return f"overflow in {name}" if np.isinf(y) else f"{name} has no value there"
    return f"{name} of an infinity" if not np.isnan(xs).any() else f"{name} of NaN"


def of_two_numbers(name: str, y: Any, a: Any, b: Any) -> str | None:
    if name == "divide":
        if b == 0:
            return "0 / 0" if a == 0 else "x / 0"
        return "inf / inf" if np.isinf(a) and np.isinf(b) else None
    if name in ("remainder", "fmod", "mod", "floor_divide") and b == 0:
        return f"{name} by 0"
    if name in ("add", "subtract") and np.isinf(a) and np.isinf(b) and np.isnan(y):
        return "inf - inf"
    if name == "multiply" and np.isnan(y) and (a == 0 or b == 0):
        return "0 * inf"
    if name in ("power", "float_power"):
        if a == 0 and b < 0:
            return "0 to a negative power"
        if a < 0 and np.isnan(y) and np.isfinite(b):
            return "a fractional power of a negative number"
    return None


# -- many numbers -----------------------------------------------------------------------------------------

SUMS = frozenset({"sum", "mean", "cumsum", "average", "nansum", "nanmean", "trace", "scatter"})
PRODUCTS = frozenset({"matmul", "einsum", "inner", "vdot", "vecdot", "matvec", "vecmat", "tensordot", "kron"})
SOLVERS = frozenset({"inv", "solve", "pinv", "logabsdet", "lstsq", "tensorinv", "tensorsolve"})
ROWS = frozenset({"softmax", "log_softmax", "logsumexp", "cross_entropy", "soft_cross_entropy"})


def of_arrays(name: str, y: Any, xs: list[Any], options: dict[str, Any]) -> str:
    """Why an op that mixes its elements, those of the arrays `xs` for this one, gave y."""
    x = xs[0]
    if not all(np.size(part) for part in xs):
        return f"0 / 0: {name} of no elements" if np.isnan(y) else f"{name} of no elements"
    infinite = [part[np.isinf(part)] for part in xs]
    if name in SUMS:
        if infinite[0].size:
            return "inf - inf in a sum" if np.isnan(y) else "an infinity in a sum"
        return "overflow of a sum"
    if name in PRODUCTS and len(xs) == 2:
        return of_products(y, *xs)
    if name in ("prod", "cumprod", "nanprod"):
        return "0 * inf" if np.isnan(y) else "overflow in prod"
    if name in ("var", "std"):
        if infinite[0].size:
            return f"inf - inf in {name}"
        if np.size(x) <= (options.get("ddof") or 0):
            return f"0 / 0: {name} of {np.size(x)} elements with ddof={options['ddof']}"
        return f"overflow of the squares in {name}"
    if name in SOLVERS and not any(part.size for part in infinite):
        return "a singular matrix, or nearly"
    if name in ROWS:
        if np.all(x == -np.inf):
            return "0 / 0: a row of nothing but -inf"
        if name == "logsumexp" and np.isnan(y) and not infinite[0].size:
            return "log of a negative number: the factors b make the sum negative"
        return (
            f"inf - inf: an infinite element in the row of {name}"
            if infinite[0].size
            else f"overflow in {name}"
        )
    if not any(part.size for part in infinite):
        return f"overflow in {name}" if np.isinf(y) else f"{name} has no value there"
    return f"{name} of an infinity"


def of_products(y: Any, a: Any, b: Any) -> str:
    """Why the sum of the products of a's elements with b's is not finite."""
    with np.errstate(all="ignore"):
        products = a * b if a.shape == b.shape else np.multiply.outer(a, b)
    if np.isinf(a).any() or np.isinf(b).any():
        return (
            "0 * inf in a sum of products" if np.isnan(products).any() else "inf - inf in a sum of products"
        )
    if not np.isinf(products).any():
        return "overflow of a sum of products"
    return "inf - inf in a sum of products that overflow" if np.isnan(y) else "overflow of a product"


# -- an element of a value, and of a gradient ---------------------------------------------------------------


def why_value(node: Node, index: Any, wiring: Wiring) -> Reason:
    """Why the element `index` of the node's value is not finite."""
    shape, y, name = np.shape(node.value), node.value[index], node.operation.name
    names = input_names(node)
    if wiring.is_elementwise(node):
        numbers = {key: at(x, shape, index) for key, x in zip(names, node.arguments, strict=True)}
        return Reason(of_numbers(name, y, list(numbers.values()), np.asarray(node.value).dtype), numbers)
    here = only(shape, index)
    masks = [wiring.reached(node, place, here) for place in range(len(node.arguments))]
    arrays = [
        np.asarray(x)[mask] if mask.any() else np.ravel(x)
        for x, mask in zip(node.arguments, masks, strict=True)
    ]
    return Reason(of_arrays(name, y, arrays, node.options), dict(zip(names, arrays, strict=True)))


def why_part(edge: Edge, index: Any, gradient: Any, wiring: Wiring) -> Reason:
    """Why the element `index` of what the edge passed on is not finite, `gradient` having arrived."""
    node, place = edge.node, edge.place
    name, names = node.operation.name, input_names(node)
    vjp: Any = node.vjps[place]
    shape = np.shape(node.value)
    outputs = wiring.touched(node, place, only(np.shape(edge.part), index))
    with np.errstate(all="ignore"):
        returned = np.asarray(vjp(gradient, node.value, *node.arguments))
        ones = np.ones(shape, np.asarray(node.value).dtype)[()]
        slopes = np.asarray(vjp(ones, node.value, *node.arguments))
    if wiring.is_elementwise(node):
        returned, slopes = np.broadcast_to(returned, shape), np.broadcast_to(slopes, shape)
        outputs = outputs if outputs.any() else np.ones(shape, bool)
        wrong = outputs & ~np.isfinite(returned)
        where = tuple(np.argwhere(wrong if wrong.any() else outputs)[0])
        numbers = {key: at(x, shape, where) for key, x in zip(names, node.arguments, strict=True)}
        numbers |= {"arriving gradient": at(gradient, shape, where), "slope": slopes[where]}
        if not wrong.any():
            return Reason(narrowed(edge, returned[where]), numbers)
        return Reason(of_slope(name, numbers, place), numbers)
    numbers = {
        key: np.asarray(x)[wiring.reached(node, other, outputs)]
        for other, (key, x) in enumerate(zip(names, node.arguments, strict=True))
    }
    numbers["arriving gradient"] = np.broadcast_to(gradient, shape)[outputs]
    if np.isfinite(returned).all():
        return Reason(narrowed(edge, returned.ravel()[0]), numbers)
    infinite = any(np.isinf(x).any() for x in numbers.values())
    if np.isnan(edge.part[index]):
        zero = any((x == 0).any() for x in numbers.values())
        words = "0 * inf" if infinite and zero else "inf - inf" if infinite else "NaN"
        return Reason(f"{words} in the rule of {name}", numbers)
    return Reason(f"{'an infinity' if infinite else 'overflow'} in the rule of {name}", numbers)


def narrowed(edge: Edge, returned: Any) -> str:
    """Why what a rule returned is finite, and what came of it is not."""
    dtype = np.asarray(edge.part).dtype
    if np.isfinite(returned) and np.abs(returned) > np.finfo(dtype).max:
        return f"overflow of a cast to {dtype.name}"
    return "overflow of the sum over broadcast copies"


def of_slope(name: str, numbers: dict[str, Any], place: int) -> str:
    """Why a gradient times an op's slope is not finite."""
    gradient, slope = numbers["arriving gradient"], numbers["slope"]
    x = list(numbers.values())[place]
    if np.isnan(slope):
        if name == "power" and place == 1:
            return "log of a negative number, in the slope of power by its exponent"
        return f"{name} has no slope at {x:g}"
    if np.isinf(slope):
        infinite = f"{name}'s slope at {x:g} is infinite"
        return f"0 * inf: {infinite}, and a gradient of 0 arrives" if gradient == 0 else infinite
    if np.isinf(gradient):
        return f"0 * inf: an infinite gradient arrives where {name} is flat"
    return f"overflow of the gradient in the rule of {name}"
