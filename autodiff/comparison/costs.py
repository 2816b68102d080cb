"""What functions cost: nodes, the bytes that a graph keeps for its backward pass, and time."""

import gc
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import perf_counter
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..node import Node


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


def kept_bytes(root: Any) -> int:
    """How many bytes of arrays the graph under `root`, a Tensor or several, keeps alive for its backward pass.

    Values, arguments and options of the nodes and what their vjps close over, each buffer counted once.
    The leaves' own data is not counted: it is there without a graph as well.

    >>> from autodiff import Tensor
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
    passes: Mapping[str, tuple[Callable[[], Any], Callable[[Any], object]]], repeats: int
) -> dict[str, tuple[float, float]]:
    """The median seconds of each `(forward, backward)`, taken in turns; backward gets what forward returns.

    In turns, so that what else the machine does falls on all alike; without the garbage collector.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in passes}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            for name, (forward, backward) in passes.items():
                start = perf_counter()
                result = forward()
                middle = perf_counter()
                backward(result)
                times[name].append((middle - start, perf_counter() - middle))
                del result
    finally:
        if collecting:
            gc.enable()
    return {name: tuple(np.median(pairs, axis=0).tolist()) for name, pairs in times.items()}
