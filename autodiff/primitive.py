"""From a function that returns `(value, *vjps)` to an operation that records itself."""

import inspect
import operator
from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import Any

import numpy as np

from .node import Operation
from .tensor import Tensor, implementations
from .wrappers import binary, general, unary

# By a name of its own: written out, Python makes it anew for each function within a function, at every import.
Function = Callable[..., Any]

# Every declared op by its public name; the generic tests and `supported` read it.
registry: dict[str, Function] = {}

# What a Tensor answers beside ndarray's own methods.
METHODS = frozenset({"exp", "log", "sqrt", "tanh", "relu", "sigmoid"})
OPERATORS: dict[Function, str] = {
    np.add: "add",
    np.subtract: "sub",
    np.multiply: "mul",
    np.divide: "truediv",
    np.power: "pow",
    np.matmul: "matmul",
    np.remainder: "mod",
    np.floor_divide: "floordiv",
    np.divmod: "divmod",
    np.negative: "neg",
    np.positive: "pos",
    np.absolute: "abs",
    np.equal: "eq",
    np.not_equal: "ne",
    np.less: "lt",
    np.less_equal: "le",
    np.greater: "gt",
    np.greater_equal: "ge",
}
REFLECTED = frozenset({"add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv", "divmod"})


def is_ours(function: Function) -> bool:
    """Whether this package declares `function`."""
    return module_of(function).startswith(f"{__package__}.")


def module_of(function: Function) -> str:
    """The module of `function`; what `exec` makes in a bare dict has none."""
    return function.__module__ or ""


def primitive(
    *numpy_functions: Function, broadcasts: bool = False, structure: str | None = None
) -> Callable[[Function], Function]:
    """Declare an op: a function of arrays that returns its value and one vjp for each input.

    The positional-only parameters (or `*inputs`) are differentiable inputs, what follows is an option.
    A vjp is called as `vjp(g, y, *inputs)`, g the gradient of y, and returns the gradient of its
    input; it must not close over an input or the output. None in its place marks an input without a derivative.
    A function `_f` behind a public `f` declares the op "f".
    Written in NumPy's functions, a rule serves every order: handed Tensors, it records a graph.

    `numpy_functions`: the functions of NumPy that call this op when handed a Tensor. An op of a
    ufunc broadcasts its inputs and is elementwise; any other says so with `broadcasts=True` (the
    walk then sums a gradient down to its input's shape) and `structure` ("elementwise",
    "layout" or "selection"; selection.py tells what for).

    >>> from autodiff import Tensor, check_grads
    >>> @primitive(np.cbrt)
    ... def cbrt(x, /):
    ...     return np.cbrt(x), lambda g, y, x: g / (3 * y * y)
    >>> x = Tensor(8.0)
    >>> np.cbrt(x).backward()
    >>> round(float(x.grad), 6)
    0.083333
    >>> check_grads(cbrt, 8.0, order=2)
    """
    for function in numpy_functions:
        if isinstance(function, FunctionType) and not module_of(function).startswith("numpy"):
            raise TypeError("primitive: write @primitive(), with parentheses")
        if isinstance(function, np.ufunc):
            broadcasts = True
            if function.signature is None:  # matmul's is "(n?,k),(k,m?)->(n?,m?)"
                structure = structure or "elementwise"
    if structure not in (None, "elementwise", "layout", "selection"):
        raise ValueError(
            f'primitive: structure is "elementwise", "layout", "selection" or None, not {structure!r}'
        )

    def declare(function: Function) -> Function:
        name = function.__name__.lstrip("_")
        operation = Operation(name, function, broadcasts, structure)
        code = inspect.unwrap(function).__code__  # in a tenth of the time of its signature
        inputs = code.co_posonlyargcount
        options = list(code.co_varnames[inputs : code.co_argcount + code.co_kwonlyargcount])
        variadic = bool(code.co_flags & inspect.CO_VARARGS)
        if not inputs and not variadic:
            raise TypeError(
                f"primitive: {name} has no differentiable input; end them with a slash, def f(x, /, axis=None)"
            )
        if variadic:
            apply = general(operation, None, options)
        elif inputs == 1:
            apply = unary(operation, options)
        elif options or inputs > 2:
            apply = general(operation, inputs, options)
        else:
            apply = binary(operation, python_operator(function, numpy_functions))
        update_wrapper(apply, function)
        apply.operation = operation  # type: ignore[attr-defined]
        registry[name] = apply
        return implements(*numpy_functions)(apply)

    return declare


def implements(*numpy_functions: Function) -> Callable[[Function], Function]:
    """Let NumPy's functions call the decorated one when they are handed a Tensor."""

    def register(function: Function) -> Function:
        for numpy_function in numpy_functions:
            implementations[numpy_function] = function
            if numpy_function in OPERATORS:
                attach_operator(OPERATORS[numpy_function], function)
        if callable(getattr(np.ndarray, function.__name__, None)) or function.__name__ in METHODS:
            setattr(Tensor, function.__name__, function)
        return function

    return register


def product(a: Any, b: Any) -> Any:
    """a @ b; of two matrices by ndarray's dot, which calls the same BLAS in half the time of the ufunc."""
    if type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 2:
        return a.dot(b)
    return a @ b


def python_operator(
    function: Function, numpy_functions: tuple[Function, ...]
) -> Callable[[Any, Any], Any] | None:
    """What computes an arithmetic ufunc fastest: Python's operator, on NumPy's scalars in a tenth of the ufunc's time.

    Of this package's own ops: another's, say a division that gives 0 for 0 / 0, may compute what it likes.
    """
    if not is_ours(function):
        return None
    spelled = [OPERATORS[function] for function in numpy_functions if function in OPERATORS]
    if not spelled:
        return None
    return product if spelled[0] == "matmul" else getattr(operator, spelled[0])


def attach_operator(spelled: str, function: Function) -> None:
    """Let Python's operator on Tensors be `function`."""
    setattr(Tensor, f"__{spelled}__", function)
    if spelled in REFLECTED:
        setattr(Tensor, f"__r{spelled}__", lambda b, a: function(a, b))
