"""Nested parameters by dotted names, and back."""

from collections.abc import Iterable, Mapping
from typing import Any


def named_parameters(tree: Any) -> dict[str, Any]:
    """What stands in nested dicts, lists and tuples, in their order, by dotted names.

    A list's elements are called "0", "1", ..., a named tuple's as its fields. None and empty containers hold
    nothing; a leaf that stands alone is called "". Raises ValueError for a dict's key that is no text, is empty or
    has a dot in it.

    >>> named_parameters({"layers": [{"weight": 1.0, "bias": 2.0}, {"weight": 3.0}], "scale": 4.0})
    {'layers.0.weight': 1.0, 'layers.0.bias': 2.0, 'layers.1.weight': 3.0, 'scale': 4.0}
    """
    if tree is None:
        return {}
    if isinstance(tree, Mapping):
        branches: Iterable[tuple[Any, Any]] = tree.items()
    elif isinstance(tree, list | tuple):
        branches = zip(getattr(tree, "_fields", map(str, range(len(tree)))), tree, strict=True)
    else:
        return {"": tree}
    named = {}
    for key, branch in branches:
        check_part(key, key)
        for name, leaf in named_parameters(branch).items():
            named[f"{key}.{name}" if name else key] = leaf
    return named


def nested(named: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dicts made of dotted names: the inverse of `named_parameters`, for dicts.

    Raises ValueError for a name with an empty part, and for one that is both a leaf and the beginning of another.

    >>> nested({"0.weight": 1.0, "0.bias": 2.0, "scale": 4.0})
    {'0': {'weight': 1.0, 'bias': 2.0}, 'scale': 4.0}
    """
    tree: dict[str, Any] = {}
    for name, leaf in named.items():
        *parts, last = name.split(".") if isinstance(name, str) else [name]
        branch = tree
        for part in parts:
            check_part(part, name)
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                raise ValueError(
                    f"parameters: {name!r} has no place, since {part!r} in it is a parameter already"
                )
        check_part(last, name)
        if last in branch:
            raise ValueError(f"parameters: {name!r} has no place, since other names begin with it")
        branch[last] = leaf
    return tree


def check_part(part: Any, name: Any) -> None:
    """Raise unless `part`, of a parameter's `name`, can stand between dots."""
    if not isinstance(part, str) or not part or "." in part:
        raise ValueError(
            f"parameters: the name {name!r} is no text, or has an empty part or a dot of its own; "
            "dots join the keys of nested dicts: hand over those, as model.parameters() gives them"
        )
