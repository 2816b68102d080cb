"""A node in words, and the error that a stale graph deserves."""

from typing import Any

from .lines import where_made


class StaleGraphError(RuntimeError):
    """A tensor's data was replaced after the graph had used it, so the graph's gradients would lie."""


def describe(node: Any) -> str:
    """A node in words, for error messages."""
    name = f"{node.notes.name!r}, the " if node.notes and node.notes.name else "the "
    return f"{name}{node.operation.name} of shape {node.value.shape}{where_made(node.notes)}"


def stale(parent: Any, node: Any) -> StaleGraphError:
    """The error that a graph deserves whose leaf got new data."""
    return StaleGraphError(
        f"{describe(parent)}: its data was changed after {describe(node)} had used it; "
        "run the forward pass again before asking for gradients"
    )
