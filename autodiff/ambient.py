"""What surrounds an op: whether a graph is recorded, in which scope, and on which line of code."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from functools import wraps
from itertools import count
from types import CodeType
from typing import Any, NamedTuple

# The age of whatever is made next: a node, or an entry into a scope.
next_age = count(1).__next__


class Scope(NamedTuple):
    """One entry into `with scope(name)`: two entries of one name are two scopes."""

    name: str
    serial: int
    parent: "Scope | None"


class Ambient(NamedTuple):
    """What the surrounding `with` blocks say: whether ops record a graph, in which scope, and who watches."""

    records: bool = True
    scope: Scope | None = None
    lines: bool = False
    watch: Any = None  # of detect_anomaly: it is shown every new node and every backward pass

    def notes(self, node: Any) -> "Notes | None":
        """The notes of a `node` that is made here, if it needs any."""
        if self.scope is None and not self.lines and self.watch is None:
            return None
        notes = Notes(scope=self.scope, source=calling_line() if self.lines else None)
        if self.watch is not None:
            node.notes = notes
            self.watch.made(node)
        return notes


PLAIN = Ambient()  # where there is no such block
ambient: ContextVar[Ambient | None] = ContextVar("ambient", default=None)
# What the ops ask, at each call: the method bound once takes half the time.
surroundings = ambient.get


class within:
    """A block, or a decorator, with other surroundings. A class, because a generator would take twice the time."""

    __slots__ = ("changes", "token")

    def __init__(self, **changes: Any) -> None:
        self.changes = changes

    def __enter__(self) -> None:
        self.token = ambient.set((ambient.get() or PLAIN)._replace(**self.changes))

    def __exit__(self, *error: Any) -> None:
        ambient.reset(self.token)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def inside(*args: Any, **options: Any) -> Any:
            with within(**self.changes):  # a block of its own, for calls within calls and from other threads
                return function(*args, **options)

        return inside


def no_grad() -> Any:
    """A block, or a decorator, in which ops on Tensors return arrays and record nothing.

    >>> from autodiff import Tensor
    >>> with no_grad():
    ...     type(Tensor([1.0, 2.0]) * 2).__name__
    'ndarray'
    """
    return within(records=False)


def is_recording() -> bool:
    """Whether ops on Tensors record a graph here: not so inside `no_grad`."""
    around = ambient.get()
    return around is None or around.records


def recording_graph() -> Any:
    """The opposite of `no_grad`, for functions that need a graph of their own inside it."""
    return nullcontext() if is_recording() else within(records=True)


def unwatched() -> Any:
    """A block that a surrounding detect_anomaly does not look into."""
    around = ambient.get()
    return nullcontext() if around is None or around.watch is None else within(watch=None)


def scope(name: str) -> Any:
    """A block whose ops belong together in a picture, under `name`.

    >>> from autodiff import Tensor
    >>> with scope("layer1"):
    ...     y = Tensor(2.0) * 3
    >>> y.notes.scope.name
    'layer1'
    """
    return within(scope=Scope(str(name), next_age(), (ambient.get() or PLAIN).scope))


class recording(within):
    """A block whose ops remember the line of your code that called them, for pictures and messages.

    `recording.on()`, at a notebook's top, does the same from there on.

    >>> from autodiff import Tensor
    >>> with recording():
    ...     y = Tensor(2.0) * 3
    >>> y.notes.source is not None
    True
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(lines=True)

    @staticmethod
    def on() -> None:
        """Remember lines from here on."""
        ambient.set((ambient.get() or PLAIN)._replace(lines=True))

    @staticmethod
    def off() -> None:
        """Remember them no longer."""
        ambient.set((ambient.get() or PLAIN)._replace(lines=False))


def calling_line() -> tuple[CodeType, int] | None:
    """Where the code outside this package and NumPy stands: cheap to keep, resolved when it is shown."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in ("autodiff", "numpy"):
            return frame.f_code, frame.f_lasti
        frame = frame.f_back  # type: ignore[assignment]
    return None


class Notes:
    """What few nodes carry: a name, a gradient, hooks, the scope and the line they were made in.

    `used`: what a watch remembers of the arrays that the op used.
    """

    __slots__ = ("grad", "hooks", "name", "retains_grad", "scope", "source", "used")

    def __init__(
        self, name: str | None = None, scope: Scope | None = None, source: tuple[CodeType, int] | None = None
    ) -> None:
        self.name = name
        self.scope = scope
        self.source = source
        self.grad: Any = None
        self.retains_grad = False
        self.used: Any = None
        self.hooks: dict[int, Callable[[Any], Any]] = {}
