"""Why no gradient reaches a tensor at all, and where its value left the graph as a constant.

A constant does not know where it came from. But a view of a tensor's data shares its memory, and a copy has its
numbers: with two different ones or more, or one that is not a round number, that is evidence enough to name the place.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..lines import where_made
from ..messages import describe
from ..node import LEAF, Node

# What makes whole numbers and steps out of a tensor's values, each as it is called in code.
STEPS: dict[str, Callable[[Any], Any]] = {
    "np.floor(t)": np.floor,
    "np.ceil(t)": np.ceil,
    "np.rint(t) or np.round": np.rint,
    "np.trunc(t) or astype(int)": np.trunc,
    "np.sign(t)": np.sign,
    "a comparison such as t > 0": lambda x: x > 0,
    "np.argmax(t, axis=-1)": lambda x: np.argmax(x, axis=-1),
    "np.argsort(t)": lambda x: np.argsort(x),
}


class Leak(NamedTuple):
    """A place where a value left the graph: its kind ("detached" or "integer path") and the whole in a sentence."""

    kind: str
    words: str


def all_nodes(root: Node) -> list[Node]:
    """Everything that `root` was computed from, itself included, oldest first, stale or not."""
    found, stack = {root}, [root]
    while stack:
        for parent in stack.pop().inputs or ():
            if parent is not None and parent not in found:
                found.add(parent)
                stack.append(parent)
    return sorted(found, key=lambda node: node.age)


def call(node: Node | None, unnamed: str = "x") -> str:
    """What a message calls a tensor."""
    return repr(node.notes.name) if node is not None and node.notes and node.notes.name else unnamed


def constants_of(nodes: list[Node]) -> Iterator[tuple[Node, str, Any]]:
    """The arrays that went into these ops as constants, with the words for the place."""
    for node in nodes:
        for place, (parent, argument) in enumerate(zip(node.inputs or (), node.arguments, strict=False)):
            if parent is None:
                yield node, f"input {place + 1} of {node.operation.name}", argument
        for name, option in node.options.items():
            for part in option if isinstance(option, tuple) else (option,):
                if isinstance(part, np.ndarray):
                    yield node, f"the option {name}= of {node.operation.name}", part


def telling(array: Any) -> bool:
    """Whether equal numbers can be no coincidence."""
    if array.size == 1:
        twice = 2 * array.reshape(())
        return bool(np.isfinite(twice) and twice != np.rint(twice))
    return array.size > 1 and bool((array.reshape(-1)[1:] != array.reshape(-1)[0]).any())


def leaks(nodes: list[Node], sources: list[Node], numbers_too: bool = False) -> list[Leak]:
    """Where the value of one of `sources` entered one of `nodes` as a constant; single numbers only on request."""
    by_place: dict[Any, Node] = {}
    by_numbers: dict[Any, Node] = {}
    for source in reversed(sources):
        value = np.asarray(source.value)
        if value.size:
            by_place[address(value)] = source
        if telling(value) and (numbers_too or value.size > 1):
            by_numbers[numbers(value)] = source
    found: dict[Leak, None] = {}
    for node, place, constant in constants_of(nodes):
        array = np.asarray(constant)
        shared = by_place.get(address(array)) if isinstance(constant, np.ndarray) else None
        equal = by_numbers.get(numbers(array))
        origin = equal if shared is None else shared
        if origin is not None and origin.age < node.age:
            ways = "t.data" if shared is not None else "t.detach(), t.numpy(), t.item() or a copy"
            words = (
                f"{place} is a constant with the value of {title(origin)} ({ways}){where_made(node.notes)}"
            )
            found[Leak("detached", words)] = None
    return list(found)


def address(array: Any) -> Any:
    """Where an array lies in memory, and how far it reaches."""
    return array.__array_interface__["data"][0], array.shape, array.strides


def numbers(array: Any) -> Any:
    """An array's numbers as a key."""
    return array.shape, array.dtype.char, array.tobytes()


def steps_of(nodes: list[Node], x: Node) -> list[Leak]:
    """Where whole numbers or truth values made of x's value entered one of `nodes` as a constant."""
    value = np.asarray(x.value)
    if not value.size:
        return []
    with np.errstate(all="ignore"):
        made = {way: np.asarray(step(value)) for way, step in STEPS.items() if value.ndim or "arg" not in way}
    found: dict[Leak, None] = {}
    for node, place, constant in constants_of(nodes):
        array = np.asarray(constant)
        for way, stepped in made.items():
            if distinct(array) and np.array_equal(array, stepped) and not np.array_equal(stepped, value):
                words = f"{place} is a constant that equals {way} of {title(x)}, and a step has no slope"
                found[Leak("integer path", f"{words}{where_made(node.notes)}")] = None
                break
    return list(found)


def distinct(array: Any) -> bool:
    """Whether an array of whole numbers or truth values is no constant pattern, or a number that is not 0 or 1."""
    flat = array.reshape(-1)
    return bool((flat[1:] != flat[0]).any()) if flat.size > 1 else bool(flat.size and abs(float(flat[0])) > 1)


def title(node: Node) -> str:
    """A tensor's name, or what made it."""
    return call(node, "x" if node.recipe is LEAF else f"the {node.operation.name}")


def why_unreached(x: Node, name: str, root: Node, nodes: list[Node]) -> list[Leak]:
    """Why x, called `name`, is not in the graph of `root`, whose nodes are handed in; the likeliest reason first."""
    found = []
    ancestors = set(all_nodes(x)) - {x}
    if root in ancestors:
        found.append(
            Leak("turned round", f"{name} was computed from the loss: the order is explain(x, loss)")
        )
    used = [node for node in nodes if node in ancestors and not node.inputs]
    if used and root not in ancestors:
        leaf = used[-1]
        found.append(
            Leak(
                "rebound",
                f"{name} is the result of {x.operation.name}, made after the leaf {call(leaf, 'of the loss')} that the "
                "loss was computed from; update a leaf in place, as in w.data -= rate * w.grad, and it stays the leaf",
            )
        )
    for node in nodes:
        if node is not x and node.recipe is LEAF and twin(node, x):
            what = "name" if x.notes and x.notes.name else "value"
            found.append(
                Leak(
                    "another tensor",
                    f"the graph has another leaf of the same {what}, {describe(node)}: the name of x in your code now "
                    "stands for a new Tensor, or the loss was computed from a copy (Tensor(x.data))",
                )
            )
            break
    found += leaks(nodes, [x], numbers_too=True) or steps_of(nodes, x)
    if x.age > root.age and not found:
        found.append(
            Leak(
                "too new",
                f"{name} was made, or got new data, after the loss was computed; run the forward pass again",
            )
        )
    leaves = ", ".join(
        call(node, f"a leaf of shape {node.value.shape}") for node in nodes if node.recipe is LEAF
    )
    found.append(
        Leak(
            "not reached",
            f"the loss was not computed from {name}, or through an array (t.data, float(t)); "
            f"its leaves are: {leaves[:300] or 'none'}",
        )
    )
    return found


def twin(node: Node, x: Node) -> bool:
    """Whether another leaf goes by the name of x or, where x has none, has its numbers."""
    if x.notes and x.notes.name:
        return bool(node.notes and node.notes.name == x.notes.name)
    same = np.shape(node.value) == np.shape(x.value)
    return same and telling(np.asarray(x.value)) and np.array_equal(node.value, x.value)
