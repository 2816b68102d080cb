"""A Module as text: its children, the shapes of its parameters, and how many numbers they are."""

from typing import Any

import numpy as np

from .module import Module, branches


def outline(module: Module) -> str:
    """The tree that a Module prints as."""
    own = module.named_parameters()
    dtypes = sorted({str(parameter.dtype) for parameter in own.values()})
    names = {id(parameter): name for name, parameter in own.items()}
    first, *rest = lines(module, type(module).__name__, "", names, {})
    return "\n".join([", ".join([first, *dtypes]), *rest])


def lines(module: Module, title: str, path: str, names: dict[int, str], seen: dict[int, str]) -> list[str]:
    """A Module's own line, under `title`, and those of its children.

    `names`: what each parameter is called, by id; `seen`: the paths of the Modules that were shown already.
    """
    seen[id(module)] = path
    details, children = [], []
    for name, part in parts_of(module, names):
        place = f"{path}.{name}" if path else name
        if isinstance(part, Module) or name.isdigit():
            children.append((name, place, part))
        elif id(part) in names:  # what stands in two places has the name of the first
            first = names[id(part)]
            details.append(f"{name}={part.shape if first == place else first}")
        elif not name.startswith("_") and is_option(part):
            details.append(f"{name}={called(part)}")
    count = sum(int(parameter.size) for parameter in module.named_parameters().values())
    found = [f"{title}({', '.join(details)})" if details else title]
    found[0] += f"  {count:,} parameter{'s' * (count != 1)}" * (count > 0)
    for number, (name, place, part) in enumerate(children, start=1):
        lead, indent = ("└─ ", "   ") if number == len(children) else ("├─ ", "│  ")
        first, *rest = child_lines(name, place, part, names, seen)
        found += [lead + first, *[indent + line for line in rest]]
    return found


def child_lines(name: str, place: str, part: Any, names: dict[int, str], seen: dict[int, str]) -> list[str]:
    """The lines of a Module's child: a Module, or a plain function in a Sequential."""
    if id(part) in seen and isinstance(part, Module):
        return [f"{name}: {type(part).__name__}, the same as {seen[id(part)] or 'the whole'}"]
    if isinstance(part, Module):
        return lines(part, f"{name}: {type(part).__name__}", place, names, seen)
    return [f"{name}: {called(part)}"]


def parts_of(module: Module, names: dict[int, str]) -> list[tuple[str, Any]]:
    """A Module's attributes; in place of lists, tuples and dicts what they hold, under dotted names, but no options."""
    found = []
    stack = [*branches(module)][::-1]
    while stack:
        name, part = stack.pop()
        if isinstance(part, dict | list | tuple) and not is_option(part):
            inner = [(f"{name}.{key}", branch) for key, branch in branches(part)]
            stack += [pair for pair in inner[::-1] if id(pair[1]) in names or not is_option(pair[1])]
        else:
            found.append((name, part))
    return found


def is_option(part: Any) -> bool:
    """Whether an attribute can be written out: a number, a word, a function, a few numbers, a constant array."""
    if isinstance(part, tuple):
        return len(part) <= 4 and all(isinstance(entry, int | float) for entry in part)
    if isinstance(part, Module):
        return False
    return callable(part) or isinstance(part, int | float | str | np.number | np.ndarray)


def called(part: Any) -> str:
    """How an option or a function is written.

    >>> called(np.tanh), called((2, 2)), called("same")
    ('tanh', '(2, 2)', "'same'")
    """
    if isinstance(part, np.ndarray):
        return f"constant {part.shape}"
    if not callable(part):
        return f"{part!r:.30}" if not isinstance(part, np.number) else str(part)
    inner = getattr(part, "func", part)  # of a partial
    return str(getattr(inner, "__name__", type(inner).__name__))
