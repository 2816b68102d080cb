"""Measuring several ways to compute the same thing: what each costs, and how far it can be trusted.

Rows of plain data come out; printing them is the caller's. Truth is decimal arithmetic with 60
digits, so it neither depends on the platform's long double nor shares code with what it judges.
"""

import gc
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext
from functools import partial
from statistics import median
from time import perf_counter
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from .graph import topological_order
from .node import Node
from .tensor import Tensor
from .trees import leaves_of, map_leaves

DIGITS = 60


class Cost(NamedTuple):
    """What one function costs: bytes are what its graph keeps, times are medians in seconds.

    `difference`: the largest difference, in any element, of its gradient to the last function's.
    """

    name: str
    value: float
    nodes: int
    bytes: int
    forward: float
    backward: float
    difference: float


class Accuracy(NamedTuple):
    """How far one form of a cross-entropy's gradient can be trusted.

    `errors`: the largest relative error for each scale of the logits, NaN where one element is no number.
    `wrong_from` and `nan_from`: the logit from which on it is wrong by 1 % or more, and no
    number at all; None if that happens nowhere up to the limit.
    """

    name: str
    errors: dict[float, float]
    wrong_from: float | None
    nan_from: float | None


# -- costs -----------------------------------------------------------------------------------------


def tracked(args: Any) -> Any:
    """`args` with fresh leaves in place of the arrays and Tensors in it."""
    return map_leaves(lambda x: Tensor(x.data if isinstance(x, Tensor) else x), args)


def contents(thing: Any) -> Iterable[Any]:
    """What a thing that a graph may hold keeps alive: a node, a container, a function, another object."""
    if isinstance(thing, Node):
        return [thing.value, thing.arguments, thing.vjps, thing.options, thing.inputs]
    if isinstance(thing, dict):
        return thing.values()
    if isinstance(thing, list | tuple | set):
        return thing
    if isinstance(thing, partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, MethodType):
        return [thing.__self__, thing.__func__]
    if isinstance(thing, FunctionType):
        cells = thing.__closure__ or ()
        return [*filled(cells), thing.__defaults__, thing.__kwdefaults__]
    return () if isinstance(thing, type | ModuleType) else getattr(thing, "__dict__", {}).values()


def filled(cells: Iterable[Any]) -> list[Any]:
    """The contents of a closure's cells; a cell whose variable was deleted is empty."""
    found = []
    for cell in cells:
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue
    return found


def buffers(array: Any) -> tuple[int, int]:
    """Which memory an array's numbers are in, and how many bytes that is: a view counts as what it views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array), array.nbytes


def kept_bytes(root: Tensor) -> int:
    """How many bytes of arrays the graph under `root` keeps alive for its backward pass.

    Values, arguments and options of the nodes and what their vjps close over, each buffer counted once.
    The leaves' own data is not counted: it is there without a graph as well.

    >>> x = Tensor(np.zeros(100))
    >>> kept_bytes(np.exp(x))
    800
    >>> kept_bytes(np.exp(x).reshape(10, 10))
    800
    """
    kept: dict[int, int] = {}
    owned = set()
    seen: dict[int, Any] = {}  # holding the things, or an id could come twice
    stack: list[Any] = [root]
    while stack:
        thing = stack.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, np.ndarray | np.generic):
            key, size = buffers(thing)
            kept[key] = size
        elif isinstance(thing, Node) and thing.inputs == ():
            owned.add(buffers(thing.value)[0])
        else:
            stack.extend(contents(thing))
    return sum(size for key, size in kept.items() if key not in owned)


def interleaved_times(
    functions: Mapping[str, Callable[..., Any]], args: Any, repeats: int
) -> dict[str, tuple[float, float]]:
    """The median seconds of each function's forward and backward pass, taken in turns.

    In turns, so that what else the machine does falls on all alike; without the garbage collector.
    """
    leaves = leaves_of(args)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            for name, function in functions.items():
                start = perf_counter()
                loss = function(*args)
                middle = perf_counter()
                loss.backward()
                times[name].append((middle - start, perf_counter() - middle))
                for leaf in leaves:
                    leaf.grad = None
    finally:
        if collecting:
            gc.enable()
    return {name: (median(f for f, _ in pairs), median(b for _, b in pairs)) for name, pairs in times.items()}


def costs(functions: Mapping[str, Callable[..., Any]], *args: Any, repeats: int = 200) -> list[Cost]:
    """A row for each function of the same arguments: nodes, bytes, times, and how gradients differ.

    `functions`: by name, each returning one number; the last is what the others' gradients are compared
    with. `args`: arrays or Tensors, also nested, that all of them differentiate. ValueError for
    no function at all, or a number of repeats that is not positive.

    >>> rows = costs({"powers": lambda x: (x**2).sum(), "products": lambda x: (x * x).sum()}, [1.0, 2.0])
    >>> [(row.name, row.nodes, row.difference) for row in rows]
    [('powers', 3, 0.0), ('products', 3, 0.0)]
    """
    if not functions or repeats < 1:
        raise ValueError("costs: needs at least one function and one repeat")
    args = tracked(tuple(np.asarray(arg) if isinstance(arg, list) else arg for arg in args))
    leaves = leaves_of(args)
    losses, slopes = {}, {}
    for name, function in functions.items():
        loss = function(*args)
        loss.backward()
        losses[name] = loss
        slopes[name] = [leaf.data * 0 if leaf.grad is None else leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.grad = None
    reference = slopes[name]
    times = interleaved_times(functions, args, repeats)
    return [
        Cost(
            name,
            loss.item(),
            len(topological_order([loss])),
            kept_bytes(loss),
            *times[name],
            max(
                (float(np.max(np.abs(a - b))) for a, b in zip(slopes[name], reference, strict=True)),
                default=0.0,
            ),
        )
        for name, loss in losses.items()
    ]


# -- accuracy --------------------------------------------------------------------------------------


def exact_slope(logits: Any, targets: Any) -> list[list[Decimal]]:
    """The gradient of the mean cross-entropy of `logits` (rows, classes), with 60 digits.

    It is softmax(logits), less 1 at the target, over the number of rows. At the target 1 - p is taken
    as the sum of the others, so that no digit is lost.

    >>> [float(slope) for slope in exact_slope([[0.0, 40.0]], [1])[0]]
    [4.248354255291589e-18, -4.248354255291589e-18]
    """
    with localcontext(prec=DIGITS):
        found = []
        for row, target in zip(logits, targets, strict=True):
            powers = [Decimal(float(x)).exp() for x in row]
            total = sum(powers) * len(targets)
            slopes = [power / total for power in powers]
            slopes[target] = -sum((s for k, s in enumerate(slopes) if k != target), Decimal(0))
            found.append(slopes)
    return found


def relative_error(found: Any, exact: list[list[Decimal]]) -> float:
    """The largest relative error of the array `found`; NaN if an element is no finite number.

    Numbers below the dtype's smallest normal one count as that one: nothing can hold their digits.
    """
    if not np.isfinite(found).all():
        return float("nan")
    tiny = Decimal(float(np.finfo(found.dtype).tiny))
    with localcontext(prec=DIGITS):
        pairs = zip(found.ravel(), (slope for row in exact for slope in row), strict=True)
        return float(max(abs(Decimal(float(x)) - truth) / max(abs(truth), tiny) for x, truth in pairs))


def slope_of(loss: Callable[[Any, Any], Any], logits: Any, targets: Any) -> Any:
    """The gradient of `loss(logits, targets)` at the logits, whatever NumPy would warn of."""
    leaf = Tensor(logits)
    with np.errstate(all="ignore"):
        loss(leaf, targets).backward()
    return leaf.grad


def first_failure(fails: Callable[[float], bool], limit: float, start: float = 1.0) -> float | None:
    """The smallest number from `start` to `limit` at which `fails`, to four digits; None if it never does.

    Looked for in steps of 5 %, and between the last two by halving.

    >>> first_failure(lambda x: x > 709.8, limit=1e4)
    709.8
    >>> first_failure(lambda x: False, limit=1e4)
    """
    low = high = start
    while not fails(high):
        if high == limit:
            return None
        low, high = high, min(high * 1.05, limit)
    while high - low > 1e-5 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return float(f"{high:.4g}")


def accuracies(
    losses: Mapping[str, Callable[[Any, Any], Any]],
    scales: Iterable[float],
    dtype: Any = np.float64,
    seed: int = 0,
    limit: float = 1e4,
) -> list[Accuracy]:
    """A row for each form of a mean cross-entropy, called as `loss(logits, targets)`.

    The errors are those of the gradient for 100 rows of 3 logits, normally distributed and multiplied by
    each scale. The failures are looked for with one growing logit between two zeros, as the target and not.
    """
    generator = np.random.default_rng(seed)
    normal, targets = generator.normal(size=(100, 3)), generator.integers(3, size=100)
    samples = {scale: (scale * normal).astype(dtype) for scale in scales}
    truths = {scale: exact_slope(logits, targets) for scale, logits in samples.items()}

    places = np.array([1, 2])

    def growing(logit: float) -> Any:
        return np.array([[0, logit, 0]] * 2, dtype)

    def is_wrong(loss: Callable[[Any, Any], Any], logit: float) -> bool:
        logits = growing(logit)
        return not relative_error(slope_of(loss, logits, places), exact_slope(logits, places)) < 0.01

    def is_nan(loss: Callable[[Any, Any], Any], logit: float) -> bool:
        return not np.isfinite(slope_of(loss, growing(logit), places)).all()

    rows = []
    for name, loss in losses.items():
        errors = {
            scale: relative_error(slope_of(loss, logits, targets), truths[scale])
            for scale, logits in samples.items()
        }
        wrong = first_failure(partial(is_wrong, loss), limit)
        nan = None if wrong is None else first_failure(partial(is_nan, loss), limit, start=wrong)
        rows.append(Accuracy(name, errors, wrong, nan))
    return rows
