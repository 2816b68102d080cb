"""A Module as text: its children, the shapes of its parameters, and how many numbers they are."""

from typing import Any

import numpy as np

from .. import Tensor
from .module import Module, branches, handed_to


def outline(module: Module) -> str:
    """The tree that a Module prints as."""
    numbers = module.named_parameters().values()
    dtypes = sorted({str(parameter.dtype) for parameter in numbers})
    first, *rest = lines(module, type(module).__name__, "", {})
    return "\n".join([", ".join([first, *dtypes]), *rest])


def lines(module: Module, title: str, path: str, seen: dict[int, str]) -> list[str]:
    """A Module's own line, under `title`, and those of its children; `seen` has what was shown, with its path."""
    seen[id(module)] = path
    details, children = [], []
    for name, part in parts_of(module):
        place = f"{path}.{name}" if path else name
        if isinstance(part, Module) or name.isdigit():
            children.append((name, place, part))
        elif isinstance(part, Tensor | np.ndarray):
            details.append(f"{name}={shape(part, place, handed_to(module), seen)}")
        elif is_option(part):
            details.append(f"{name}={called(part)}")
    count = sum(int(parameter.size) for parameter in module.named_parameters().values())
    found = [f"{title}({', '.join(details)})" if details else title]
    found[0] += f"  {count:,} parameter{'s' * (count != 1)}" * (count > 0)
    for number, (name, place, part) in enumerate(children, start=1):
        lead, indent = ("└─ ", "   ") if number == len(children) else ("├─ ", "│  ")
        first, *rest = child_lines(name, place, part, seen)
        found += [lead + first, *[indent + line for line in rest]]
    return found


def child_lines(name: str, place: str, part: Any, seen: dict[int, str]) -> list[str]:
    """The lines of a Module's child: a Module, or a plain function in a Sequential."""
    if id(part) in seen and isinstance(part, Module):
        return [f"{name}: {type(part).__name__}, the same as {seen[id(part)] or 'the whole'}"]
    if isinstance(part, Module):
        return lines(part, f"{name}: {type(part).__name__}", place, seen)
    return [f"{name}: {called(part)}"]


def parts_of(module: Module) -> list[tuple[str, Any]]:
    """A Module's attributes, and what stands in lists, tuples and dicts under dotted names."""
    found = []
    stack = [(name, part) for name, part in branches(module) if not name.startswith("_")][::-1]
    while stack:
        name, part = stack.pop()
        inner = () if isinstance(part, Module) or is_option(part) else branches(part)
        stack += [(f"{name}.{key}", branch) for key, branch in inner if holds(branch)][::-1]
        found.append((name, part))
    return found


def holds(part: Any) -> bool:
    """Whether there is a Module or a Tensor in nested lists, tuples and dicts."""
    return isinstance(part, Module | Tensor) or (
        isinstance(part, dict | list | tuple) and any(holds(branch) for _, branch in branches(part))
    )


def shape(part: Any, place: str, handed: set[int], seen: dict[int, str]) -> str:
    """A parameter's shape, or where it was shown already; a constant's with the word."""
    if isinstance(part, np.ndarray) and id(part) not in handed:
        return f"constant {part.shape}"
    if id(part) in seen:
        return seen[id(part)]
    seen[id(part)] = place
    return str(part.shape)


def is_option(part: Any) -> bool:
    """Whether an attribute is short enough to be written out: a number, a word, a function, a few numbers."""
    if isinstance(part, tuple):
        return len(part) <= 4 and all(isinstance(entry, int | float) for entry in part)
    return callable(part) or isinstance(part, int | float | str | np.number)


def called(part: Any) -> str:
    """How an option or a function is written.

    >>> called(np.tanh), called((2, 2)), called("same")
    ('tanh', '(2, 2)', "'same'")
    """
    if not callable(part):
        return f"{part!r:.30}" if not isinstance(part, np.number) else str(part)
    inner = getattr(part, "func", part)  # of a partial
    return str(getattr(inner, "__name__", type(inner).__name__))
