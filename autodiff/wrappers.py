"""What a call of an op does: read the inputs, compute, check what came back, record a node."""

import dis
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from .ambient import next_age, surroundings
from .node import Operation, Recipe
from .reading import PLAIN, constant
from .tensor import Tensor, new, record

# What NumPy raises where it cannot compute; such an error gets the op's name.
REFUSALS = (ValueError, TypeError, IndexError)


def named(error: Exception, name: str, values: tuple[Any, ...]) -> Exception:
    """`error` again, its message led by the op's name and followed by the facts and a way out."""
    text = str(error).strip()
    if text.startswith(name) and "gufunc" not in text:  # matmul's own message begins like that
        return error
    text = text.removeprefix(f"{name}: ")
    if "signature (n?,k),(k,m?)->(n?,m?)" in text or "not aligned" in text:  # matmul's, and dot's
        text = unlike_lengths(*map(np.shape, values))
    elif "unpack" in text:
        text += "; an op returns its value and one vjp for each input: return y, lambda g, y, x: ..."
    elif values:
        text += f" (inputs of shape {', '.join(str(np.shape(value)) for value in values)})"
        if "broadcast" in text:
            text += "; np.expand_dims or reshape gives an axis of length 1, which repeats"
    return type(error)(f"{name}: {text}")


def unlike_lengths(left: tuple[int, ...], right: tuple[int, ...]) -> str:
    """Why arrays of these shapes have no matrix product.

    >>> unlike_lengths((2, 4), (3,))
    'shapes (2, 4) and (3,) do not fit: the last axis of a has length 4, the last of b 3'
    """
    if left and right:
        length = "the second last of b" if len(right) > 1 else "the last of b"
        why = f"the last axis of a has length {left[-1]}, {length} {right[-2:][0]}"
    else:
        why = "a single number has no axis to sum over; use a * b"
    return f"shapes {left} and {right} do not fit: {why}"


def are_constant(vjps: tuple[Any, ...], function: Callable[..., Any]) -> bool:
    """Whether an op returns these very vjps at every call: they close over nothing, and it makes no choice.

    Then one object serves a million nodes, and spares the garbage collector two million.
    """
    if not all(isinstance(vjp, FunctionType) for vjp in vjps):
        return False
    if any(vjp.__closure__ or vjp.__defaults__ or vjp.__kwdefaults__ for vjp in vjps):
        return False
    if any(vjp.__code__ not in function.__code__.co_consts for vjp in vjps):  # as from a table of rules
        return False
    return not any("JUMP" in step.opname for step in dis.get_instructions(function))


def check_vjps(vjps: Sequence[Any], operation: Operation, count: int) -> None:
    """Raise unless what an op returned after its value are functions of `(g, y, *inputs)`, or None."""
    name = operation.name
    for vjp in vjps:
        if vjp is not None and not callable(vjp):
            raise TypeError(
                f"{name}: a {type(vjp).__name__} stands where a vjp is expected; an op returns its value and "
                "one vjp for each input: return y, lambda g, y, x: ..."
            )
        try:
            signature = inspect.signature(vjp) if vjp is not None else None
        except ValueError:  # not every builtin has one
            continue
        try:
            if signature is not None:
                signature.bind(*range(count + 2))
        except TypeError:
            inputs = list(inspect.signature(operation.function).parameters)[:count]
            raise TypeError(
                f"{name}: a vjp is called as vjp({', '.join(['g', 'y', *inputs])}); this one takes {signature}"
            ) from None


def read_options(
    name: str, names: list[str], arity: int, placed: tuple[Any, ...], options: dict[str, Any]
) -> dict[str, Any]:
    """Checked options by their names: those `placed` behind the inputs, and those given by name."""
    if placed:
        if len(placed) > len(names):
            raise TypeError(
                f"{name}: takes {arity} inputs and the options {names}, not {arity + len(placed)} arguments"
            )
        for option, choice in zip(names, placed, strict=False):
            if option in options:
                raise TypeError(f"{name}: the option {option} is given twice, by place and by name")
            options[option] = choice
    for option, choice in options.items():
        if option not in names:
            rest = f"only {', '.join(names)}" if names else "and no other either"
            raise TypeError(f"{name}: there is no option {option}= for Tensors here, {rest}")
        if type(choice) is Tensor:
            raise TypeError(
                f"{name}: the option {option}= has no derivative; hand it an array, as {option}=t.data"
            )
    return options


# Three shapes of one wrapper. The first two exist for speed: on small arrays the loops of the third, and
# a call of `record`, cost as much as the op.


def unary(operation: Operation, names: list[str]) -> Callable[..., Any]:
    function, name = operation.function, operation.name
    # The Recipe of every call; None: not known yet; False: each call needs its own.
    shared: Any = False if names else None
    checked = False

    def call(x: Any, options: dict[str, Any]) -> Any:
        nonlocal shared, checked
        tracked = type(x) is Tensor
        value = x.value if tracked else constant(x, name)
        try:
            y, vjp = function(value, **options) if options else function(value)
        except REFUSALS as error:
            raise named(error, name, (value,)) from error
        if not checked:
            check_vjps((vjp,), operation, 1)
            checked = True
        around = surroundings()
        if not tracked or vjp is None or (around is not None and not around.records):
            return y
        if shared is None:
            shared = are_constant((vjp,), function) and Recipe(operation, (vjp,))
        node = new(Tensor)
        node.value = y
        node.recipe = shared or Recipe(operation, (vjp,), options)
        node.left = x
        node.right = node.given = None
        node.age = next_age()
        node.notes = None if around is None else around.notes(node)
        return node

    def apply(x: Any, /, *placed: Any, **options: Any) -> Any:
        return call(x, read_options(name, names, 1, placed, options) if placed or options else options)

    apply.call = call  # type: ignore[attr-defined]  # for a public function that has read the options
    return apply


def binary(operation: Operation, compute: Callable[[Any, Any], Any] | None) -> Callable[..., Any]:
    # `compute` is Python's operator for the op, if it has one: the value without the vjps, once
    # these are known.
    function, name = operation.function, operation.name
    shared: Any = None
    quick: Any = None  # `compute`, from when on `shared` is known
    checked = False

    def apply(a: Any, b: Any, /) -> Any:
        nonlocal shared, quick, checked
        # Two Tensors and nothing around them, on networks of scalars nearly all there is.
        if quick is not None and type(a) is type(b) is Tensor and surroundings() is None:
            try:
                y = quick(a.value, b.value)
            except REFUSALS as error:
                raise named(error, name, (a.value, b.value)) from error
            node = new(Tensor)
            node.value = y
            node.recipe = shared
            node.left = a
            node.right = b
            node.given = node.notes = None
            node.age = next_age()
            return node
        left: Any = None
        right: Any = None
        if type(a) is Tensor:
            left, a = a, a.value
        elif type(a) not in PLAIN:
            a = constant(a, name)
        if type(b) is Tensor:
            right, b = b, b.value
        elif type(b) not in PLAIN:
            b = constant(b, name)
        try:
            if quick is not None:
                y = quick(a, b)
            else:
                y, vjp_a, vjp_b = function(a, b)
        except REFUSALS as error:
            raise named(error, name, (a, b)) from error
        if not checked:
            check_vjps((vjp_a, vjp_b), operation, 2)
            checked = True
        around = surroundings()
        if (left is None and right is None) or (around is not None and not around.records):
            return y
        recipe = shared
        if not shared:
            recipe = Recipe(operation, (vjp_a, vjp_b))
            if shared is None:
                shared = are_constant((vjp_a, vjp_b), function) and recipe
                quick = compute if shared else None
            left = None if vjp_a is None else left
            right = None if vjp_b is None else right
            if left is None and right is None:
                return y
        node = new(Tensor)
        node.value = y
        node.recipe = recipe
        node.left = left
        node.right = right
        node.given = (a, b) if left is None or right is None else None
        node.age = next_age()
        node.notes = None if around is None else around.notes(node)
        return node

    return apply


def general(operation: Operation, arity: int | None, names: list[str]) -> Callable[..., Any]:
    function, name = operation.function, operation.name
    checked = False

    def apply(*inputs: Any, **options: Any) -> Any:
        nonlocal checked
        placed: tuple[Any, ...] = ()
        if arity is not None and len(inputs) != arity:
            if len(inputs) < arity:
                raise TypeError(
                    f"{name}: takes {arity} inputs and the options {names}, not {len(inputs)} arguments"
                )
            inputs, placed = inputs[:arity], inputs[arity:]
        if placed or options:
            options = read_options(name, names, len(inputs), placed, options)
        values = tuple([x.value if type(x) is Tensor else constant(x, name) for x in inputs])
        try:
            y, *vjps = function(*values, **options)
        except REFUSALS as error:
            raise named(error, name, values) from error
        if not checked:
            check_vjps(vjps, operation, len(inputs))
            checked = True
        around = surroundings()
        if around is not None and not around.records:
            return y
        if len(vjps) != len(inputs):
            raise TypeError(
                f"{name}: returned {len(vjps)} vjps for {len(inputs)} inputs; "
                "an op returns its value and one vjp for each input"
            )
        pairs = zip(inputs, vjps, strict=True)
        parents = tuple([x if type(x) is Tensor and vjp is not None else None for x, vjp in pairs])
        if not any(parent is not None for parent in parents):
            return y
        recipe = Recipe(operation, tuple(vjps), options, parents[2:])
        return record(y, recipe, parents, values, around)

    return apply
