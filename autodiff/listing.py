"""What is differentiable, as data and as a table."""

import sys
from importlib.util import find_spec
from itertools import groupby
from operator import itemgetter
from typing import Any

from . import ops
from .losses import cross_entropy, nll_loss
from .primitive import is_ours, module_of, registry
from .softmax import log_softmax, logsumexp, softmax, softmax_jacobian
from .tensor import Tensor, implementations, numpy_name

LOSSES = (softmax, log_softmax, logsumexp, softmax_jacobian, cross_entropy, nll_loss)


def supported() -> list[dict[str, Any]]:
    """What takes Tensors: a row for each function, sorted by name; SciPy's where it is installed.

    "op": its name here; "numpy": NumPy's and SciPy's functions that are it, none if it is called as
    `ad.op`; "room": the module that declares it; "orders": "all" if it has derivatives of every order,
    "zero" if its derivative is 0 and it returns an array, "none" if it returns what has no derivative;
    "summary": what it is; "note": what there is to know of corners and limits, or "".

    >>> [row["numpy"] for row in supported() if row["op"] in ("exp", "stack")]
    [['np.exp'], ['np.stack']]
    >>> [(row["orders"], row["note"]) for row in supported() if row["op"] in ("floor", "sqrt")]
    [('zero', ''), ('all', 'its slope at 0 is infinite.')]
    """
    special = load_special_functions()
    spelled: dict[Any, list[str]] = {}
    for numpy_function, function in implementations.items():
        # A ufunc's methods stand in the row of the ufunc.
        function = implementations.get(getattr(numpy_function, "__self__", function), function)
        if orders_of(function):
            spelled.setdefault(function, []).append(numpy_name(numpy_function))
    of_ours = {*(getattr(ops, name) for name in ops.__all__), *LOSSES}
    own = {op for op in registry.values() if not is_ours(op) or op in vars(Tensor).values()}
    names = {function: function.__name__.lstrip("_") for function in {*spelled, *of_ours, *own}}
    names |= {function: f"special.{name}" for name, function in special.items() if function not in names}
    return sorted([row_of(name, function, spelled) for function, name in names.items()], key=itemgetter("op"))


def load_special_functions() -> dict[str, Any]:
    """The wrappers of SciPy's functions by their names, none if SciPy is not installed."""
    if find_spec("scipy") is None:
        return {}
    from . import special

    return {name: getattr(special, name) for name in special.__all__}


def orders_of(function: Any) -> str | None:
    """Of which orders a function has derivatives; None if it refuses."""
    orders: str | None = getattr(function, "orders", None)
    return orders or ("all" if getattr(function, "differentiable", True) else None)


def row_of(name: str, function: Any, spelled: dict[Any, list[str]]) -> dict[str, Any]:
    """One row: what the docstring's first line says up to a semicolon is the summary, the rest the note."""
    first = (function.__doc__ or "").partition("\n")[0]
    summary, semicolon, note = first.partition("; ")
    return {
        "op": name,
        "numpy": spelled.get(function, []),
        "room": module_of(function).removeprefix(f"{__package__}.").removeprefix("ops."),
        "orders": orders_of(function),
        "summary": summary + "." * bool(semicolon),
        "note": note,
    }


def markdown() -> str:
    """The same as a table for each room, in Markdown: FUNCTIONS.md is written by

    python -c "from autodiff.listing import markdown; print(markdown())" > FUNCTIONS.md
    """
    parts = [
        "# What takes Tensors",
        "The rows of `autodiff.supported()`, by room. Orders: **all**: derivatives of every order; **zero**: the "
        "derivative is 0, an array is returned; **none**: what is returned has no derivative. Methods of a ufunc "
        "stand beside it. Whatever is not here refuses Tensors and names a way out.",
        'Written by `python -c "from autodiff.listing import markdown; print(markdown())" > FUNCTIONS.md`.',
    ]
    for room, rows in groupby(sorted(supported(), key=itemgetter("room")), itemgetter("room")):
        title = next(
            module.__doc__ or ""
            for path in (f"ops.{room}", room)
            if (module := sys.modules.get(f"{__package__}.{path}")) is not None
        ).partition("\n")[0]
        table = ["| call | what it is | orders | corners and limits |", "|---|---|---|---|"]
        for row in rows:
            calls = row["numpy"] or ["t[index]" if row["op"] == "getitem" else f"ad.{row['op']}"]
            cells = (", ".join(f"`{call}`" for call in calls), row["summary"], row["orders"], row["note"])
            table.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        parts += [f"## {room}", title, "\n".join(table)]
    return "\n\n".join(parts)
