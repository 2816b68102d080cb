"""Tensor: a node that answers Python's operators and NumPy's protocols."""

import inspect
import warnings
from collections.abc import Callable, Iterator
from itertools import takewhile
from sys import getrefcount
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .ambient import Ambient, Notes, next_age
from .graph import backpropagate
from .messages import describe
from .node import LEAF, Node, Recipe, renewal
from .reading import checked_name, leaf_array

# NumPy's functions that take Tensors, each with what it does then; filled by primitive.py.
implementations: dict[Callable[..., Any], Callable[..., Any]] = {}

# Called with a function that is not there: each may load a room of ops that has it.
finders: list[Callable[[Callable[..., Any]], None]] = []


def numpy_name(function: Callable[..., Any]) -> str:
    """How a NumPy function is written in code.

    >>> numpy_name(np.linalg.svd), numpy_name(np.exp)
    ('np.linalg.svd', 'np.exp')
    """
    of = getattr(function, "__self__", None)
    if isinstance(of, np.ufunc):
        return f"{numpy_name(of)}.{function.__name__}"
    is_another = isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is not function
    module = getattr(function, "__module__", None) or ("scipy.special" if is_another else "numpy")
    return f"{module.replace('numpy', 'np', 1)}.{function.__name__}"


def implementation(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """What `function` does with Tensors, or an error that names the way out."""
    if options and options.get("out") is not None:
        raise TypeError(
            f"{numpy_name(function)}: out= (and array += t) would lose the gradient; "
            "assign the result instead, or leave the graph with t.data"
        )
    if function not in implementations:
        for find in finders:
            find(function)
    found = implementations.get(function)
    if found is None:
        name = numpy_name(function)
        raise TypeError(
            f"{name} has no derivative here; declare one with @primitive({name}), "
            "or leave the graph with t.data"
        )
    return found


def by_place(
    function: Callable[..., Any], found: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments as the op `found` takes them: those of its inputs that were given by NumPy's names go by place."""
    op = getattr(found, "operation", None)
    inputs = max((found if op is None else op.function).__code__.co_posonlyargcount, 1)
    if len(args) >= inputs:
        return args, options
    names = list(inspect.signature(function).parameters)[len(args) : inputs]
    placed = tuple(takewhile(lambda name: name in options, names))
    rest = {name: option for name, option in options.items() if name not in placed}
    return (*args, *[options[name] for name in placed]), rest


def _leaves_the_graph(what: str) -> Callable[..., NoReturn]:
    def refuse(self: "Tensor", *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"{what} would lose the gradient; use NumPy's functions on the Tensor itself "
            "(np.exp(t), np.stack([t, u])), or leave the graph on purpose with t.data or t.item()"
        )

    return refuse


class Hook:
    """What `register_hook` returns: `.remove()` ends the hook."""

    __slots__ = ("_hooks", "_key")

    def __init__(self, hooks: dict[int, Callable[[Any], Any]], hook: Callable[[Any], Any]) -> None:
        self._hooks = hooks
        self._key = next_age()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Stop calling the hook; removing it twice is no error."""
        self._hooks.pop(self._key, None)


class Tensor(Node):
    """An array that remembers how it was computed.

    `data`: a number, a nested list or a real array of any shape, which is copied; integers become
    float64, floating-point dtypes stay. `name`: what pictures and messages call it. Raises
    TypeError for bool, complex, object and text data, for None and for another Tensor.

    >>> x = Tensor([1.0, 2.0], name="x")
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad.tolist()
    [2.0, 4.0]
    """

    __slots__ = ()

    def __init__(self, data: Any, name: str | None = None) -> None:
        self.value = leaf_array(data)
        self.recipe = LEAF
        self.left = self.right = self.given = None
        self.age = next_age()
        self.notes = None if name is None else Notes(checked_name(name))

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError(
            "Tensor: ops return plain Tensors, so a subclass would not last; hold a Tensor instead"
        )

    # -- what it holds ---------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The value as an array: a leaf's own, writable one; a read-only view elsewhere.

        Assigning an array of the same shape to a leaf's data makes the leaf new: graphs that used the
        old data refuse to run backward. The leaf keeps its dtype. Writing elements into it is not
        noticed: do it only between a backward and the next forward pass. Nor are constants copied:
        leave an array that an op was handed alone until the backward pass is over.
        """
        value = self.value
        if self.recipe is not LEAF and isinstance(value, np.ndarray):
            value = value.view()
            value.flags.writeable = False
        return value

    @data.setter
    def data(self, new: Any) -> None:
        if self.recipe is not LEAF:
            raise TypeError(
                f"{describe(self)}: only a leaf's data can be assigned; start a new graph with Tensor(t.data)"
            )
        if new is not self.value:
            if type(new) is not type(self.value) or type(new) is np.ndarray:  # a NumPy scalar needs no copy
                new = leaf_array(new, self.value.dtype)
                if new.shape != self.value.shape:
                    raise ValueError(
                        f"{describe(self)}: new data of shape {new.shape} does not fit; make a new Tensor"
                    )
            self.value = new
        self.age = renewal.age = next_age()

    @property
    def grad(self) -> Any:
        """The gradient that `.backward()` accumulated: an array of the data's shape and dtype, or None.

        Warns at a computed tensor that does not keep its gradient.
        """
        notes = self.notes
        if self.recipe is not LEAF and (notes is None or (notes.grad is None and not notes.retains_grad)):
            warnings.warn(
                f"{describe(self)}: computed, so it keeps no gradient; update a leaf with "
                "W.data -= ..., or call retain_grad() before backward()",
                stacklevel=2,
            )
        return None if notes is None else notes.grad

    @grad.setter
    def grad(self, new: Any) -> None:
        if new is not None:
            array = leaf_array(new, self.value.dtype, ".grad: the gradient")
            if array.ndim == 0 and array == 0:
                array = np.zeros_like(self.value)
            if array.shape != self.value.shape:
                raise ValueError(
                    f"{describe(self)}: a gradient of shape {array.shape} does not fit; "
                    "assign None, 0 or an array of the data's shape"
                )
            new = array
        self._notes().grad = new

    def _notes(self) -> Notes:
        if self.notes is None:
            self.notes = Notes()
        return self.notes

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data's NumPy dtype."""
        dtype: np.dtype[Any] = self.value.dtype
        return dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.value.size)

    @property
    def T(self) -> "Tensor":
        """The transpose."""
        return self.transpose()

    @property
    def op(self) -> str:
        """The name of the op that made it; "leaf" for what was not computed."""
        return self.operation.name

    @property
    def name(self) -> str | None:
        """What `named` or `Tensor(..., name=)` called it."""
        return None if self.notes is None else self.notes.name

    @property
    def parents(self) -> tuple["Tensor", ...]:
        """The Tensors it was computed from, one for each edge: `x * x` has x twice."""
        return tuple(parent for parent in self.inputs or () if parent is not None)  # type: ignore[misc]

    def named(self, name: str) -> "Tensor":
        """The same tensor, called `name` in pictures and messages.

        >>> Tensor(2.0).named("x")
        Tensor(2.0, name='x')
        """
        self._notes().name = checked_name(name)
        return self

    # -- the backward pass -----------------------------------------------------------------

    def backward(self, seed: Any = None, free_graph: bool = False) -> None:
        """Add the gradient of this tensor to the `.grad` of every leaf it was computed from.

        `seed`: the gradient to start with, of this tensor's shape; 1 for a scalar. `free_graph`
        lets the graph's memory go as the walk proceeds, after which it cannot be walked again.
        An exception on the way leaves every `.grad` as it was. Raises ValueError for a
        non-scalar without a seed, StaleGraphError where a leaf's data was replaced meanwhile.
        """
        if isinstance(seed, Tensor):
            raise TypeError(
                "backward: .grad holds arrays, so the seed is one: seed.data; see also ad.gradients"
            )
        totals: list[tuple[Notes, Any]] = []
        for node, gradient in backpropagate([self], [seed], free_graph=free_graph, interior=False):
            notes = node.notes
            if node.recipe is not LEAF and (notes is None or not notes.retains_grad):
                continue
            if notes is None:
                notes = node.notes = Notes()
            if notes.grad is not None:
                gradient = notes.grad + gradient
            elif type(gradient) is np.ndarray and not (
                getrefcount(gradient) == ALONE and gradient.base is None and gradient.flags.writeable
            ):
                gradient = gradient.copy()
            totals.append((notes, gradient))
        for notes, total in totals:
            notes.grad = total

    def retain_grad(self) -> "Tensor":
        """Let `.backward()` keep this tensor's gradient although it is no leaf."""
        self._notes().retains_grad = True
        return self

    def register_hook(self, hook: Callable[[Any], Any]) -> Hook:
        """Call `hook(gradient)` when this tensor's gradient is complete; what it returns replaces it.

        Returns a handle with `.remove()`.
        """
        return Hook(self._notes().hooks, hook)

    # -- leaving the graph on purpose --------------------------------------------------------

    def item(self) -> float:
        """The one element, as a Python number; ValueError if there are more."""
        number: float = self.value.item()
        return number

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return self.value.tolist()

    def numpy(self) -> Any:
        """The value as an array of the caller's own."""
        return np.array(self.value)

    def detach(self) -> Any:
        """The value as a constant, which stops the gradient: a read-only array, of a leaf's value as it is now."""
        value = self.data
        if self.inputs == () and isinstance(value, np.ndarray):
            value = value.copy()  # the leaf's own array changes under `p.data -= lr * p.grad`
            value.flags.writeable = False
        return value

    # -- Python's protocols ------------------------------------------------------------------

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        if self.shape == ():
            body = repr(float(f"{self.value:.6g}"))
        elif self.size <= 12:
            body = np.array2string(self.value, separator=", ", precision=5, threshold=12)
            body = " ".join(body.split())
        else:
            body = f"shape={self.shape}"
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        op = "" if self.recipe is LEAF else f", op={self.op}"
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Tensor({body}{dtype}{op}{name})"

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        if self.size == 1:
            return format(self.value.item(), spec)
        return np.array2string(self.value, formatter={"float_kind": lambda number: format(number, spec)})

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator["Tensor"]:
        if not self.shape:
            raise TypeError(f"{describe(self)} is 0-d and has no rows; use .item() for its number")
        return (self[row] for row in range(len(self)))

    def __contains__(self, element: Any) -> bool:
        return bool(np.any(self == element))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a Tensor's elements cannot be assigned, the graph would not see it; "
            "t = ad.index_update(t, index, value) and ad.index_add return the new tensor, np.where(mask, value, t) too; "
            "or write into a leaf's t.data before the forward pass"
        )

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.item(), digits) if self.size == 1 else np.round(self.value, digits or 0)

    def __reduce__(self) -> Any:
        if self.recipe is not LEAF:
            raise TypeError(
                f"{describe(self)}: only leaves can be copied and pickled, a graph cannot; take t.data"
            )
        return _leaf, (np.asarray(self.value), self.name, self.grad)

    __float__ = _leaves_the_graph("float(t), and with it math.exp(t) or array[0] = t,")
    __int__ = _leaves_the_graph("int(t)")
    __index__ = _leaves_the_graph("a Tensor as an index")
    __complex__ = _leaves_the_graph("complex(t)")
    __array__ = _leaves_the_graph("np.asarray(t) or np.array([t, u])")

    # -- NumPy's protocols ---------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and ufunc in implementations:
            return implementations[ufunc](*inputs)
        if method != "__call__":
            return implementation(getattr(ufunc, method), options)(*inputs, **options)
        found = implementation(ufunc, options)
        if not options:
            return found(*inputs)
        raise TypeError(
            f"{numpy_name(ufunc)}: the option {next(iter(options))}= is not for Tensors; "
            "use np.where(mask, ..., ...) instead of where=, t.astype(dtype) instead of dtype="
        )

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        found = implementation(function, options)
        if options:  # as np.max(a=t)
            args, options = by_place(function, found, args, options)
        return found(*args, **options)

    # The operators and methods below are the ops themselves, put here as each is declared.
    if TYPE_CHECKING:

        def _binary(self, other: Any, /) -> "Tensor": ...
        def _unary(self, /) -> "Tensor": ...
        def _compare(self, other: Any, /) -> Any: ...
        def _method(self, *args: Any, **options: Any) -> "Tensor": ...
        def __eq__(self, other: object, /) -> Any: ...
        def __ne__(self, other: object, /) -> Any: ...
        def __getitem__(self, index: Any, /) -> "Tensor": ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _binary
        __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _binary
        __neg__ = __pos__ = __abs__ = _unary
        __lt__ = __le__ = __gt__ = __ge__ = _compare
        sum = mean = max = min = prod = var = std = _method
        reshape = ravel = flatten = transpose = swapaxes = squeeze = astype = dot = clip = _method
        exp = log = sqrt = tanh = relu = sigmoid = _method

        def argmax(self, axis: int | None = None) -> Any: ...
        def argmin(self, axis: int | None = None) -> Any: ...


def _leaf(data: Any, name: str | None, grad: Any) -> Tensor:
    leaf = Tensor(data, name)
    if grad is not None:
        leaf.grad = grad
    return leaf


def _references() -> int:
    array = np.empty(1)
    return getrefcount(array)


# As many references has an array that none but the walk and `backward` hold: such a one need not be
# copied to be its leaf's own. On arrays of megabytes the copy takes a twentieth of a training step.
ALONE = _references() + 1


def record(
    value: Any, recipe: Recipe, inputs: tuple[Any, ...], arguments: tuple[Any, ...], around: Ambient | None
) -> Tensor:
    """The Tensor that an op returns."""
    node = new(Tensor)
    node.value = value
    node.recipe = recipe
    node.left = inputs[0]
    node.right = inputs[1] if len(inputs) > 1 else None
    node.given = arguments if any(parent is None for parent in inputs) else None
    node.age = next_age()
    node.notes = None if around is None else around.notes(node)
    return node


new = Tensor.__new__
