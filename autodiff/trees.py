"""Nested lists, tuples and dicts of arrays."""

from collections.abc import Callable
from copy import copy
from typing import Any


class StructureError(ValueError):
    """Two nested structures differ."""


def leaves_of(tree: Any) -> list[Any]:
    """What stands in nested lists, tuples and dicts, in their order; None holds nothing.

    >>> leaves_of({"w": [1.0, 2.0], "b": (3.0, None)})
    [1.0, 2.0, 3.0]
    """
    leaves: list[Any] = []
    map_leaves(leaves.append, tree)
    return leaves


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """A tree like `tree`, of what `function` makes of each leaf and of its counterparts in `others`.

    None holds no leaf. Raises StructureError, a ValueError, where another tree has not the same structure.

    >>> map_leaves(lambda x, y: x + y, {"a": 1, "b": [2, 3]}, {"b": [20, 30], "a": 10})
    {'a': 11, 'b': [22, 33]}
    """
    if isinstance(tree, dict):
        for other in others:
            if not isinstance(other, dict) or other.keys() != tree.keys():
                keys = f", but one with {list(other)}" if isinstance(other, dict) else f", but {kind(other)}"
                raise StructureError(f"there is no dict with the keys {list(tree)}{keys}")
        filled = copy(tree)  # keeps the kind of dict
        for key in tree:
            filled[key] = map_leaves(function, tree[key], *(other[key] for other in others))
        return filled
    if isinstance(tree, list | tuple):
        for other in others:
            if not isinstance(other, list | tuple) or len(other) != len(tree):
                length = f" of {len(other)}" if isinstance(other, list | tuple) else ""
                raise StructureError(f"there is no {kind(tree)} of {len(tree)}, but {kind(other)}{length}")
        made = [map_leaves(function, *branches) for branches in zip(tree, *others, strict=True)]
        return type(tree)(*made) if hasattr(tree, "_fields") else type(tree)(made)
    if tree is None:
        for other in others:
            if other is not None:
                raise StructureError(f"there is no None, but {kind(other)}")
        return None
    return function(tree, *others)


def kind(tree: Any) -> str:
    """What a tree is, for messages."""
    return "None" if tree is None else type(tree).__name__


def paths_of(tree: Any, root: str) -> list[str]:
    """Where each leaf stands, as Python would write it, in the order of `leaves_of`.

    >>> paths_of(({"w": [1.0, None, 2.0]}, 3.0), "args")
    ["args[0]['w'][0]", "args[0]['w'][2]", 'args[1]']
    """
    if isinstance(tree, dict):
        return [path for key, branch in tree.items() for path in paths_of(branch, f"{root}[{key!r}]")]
    if isinstance(tree, list | tuple):
        names = [f".{name}" for name in getattr(tree, "_fields", ())] or [f"[{i}]" for i in range(len(tree))]
        return [
            path
            for name, branch in zip(names, tree, strict=True)
            for path in paths_of(branch, f"{root}{name}")
        ]
    return [] if tree is None else [root]
