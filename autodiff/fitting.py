"""A gradient has its node's shape and dtype: so are seeds, what a vjp returns and what a hook puts in its place."""

from typing import Any

import numpy as np

from .ambient import Notes
from .broadcasting import unbroadcast
from .messages import describe
from .node import Node
from .sums import total


def seed_for(root: Node, seed: Any, what: str = "a seed") -> Any:
    """The gradient that a walk from `root` starts with: `seed`, or 1 for a scalar."""
    value = root.value
    if seed is None:
        if value.size != 1:
            raise ValueError(
                f"{describe(root)} is no scalar, so it has no single gradient; reduce it (.sum(), .mean()), "
                "hand backward() a seed of its shape, or use vjp or jacobian"
            )
        return np.ones(value.shape, value.dtype) if value.shape else value.dtype.type(1)
    if isinstance(seed, Node):
        array = seed.value
    else:
        array = seed = np.asarray(seed)[()]  # not copied: no rule writes into what it is handed
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{what} is made of real numbers, not of {array.dtype}")
    if array.shape != value.shape:
        if value.size == 1 and array.size == 1:
            return seed_for(root, seed.reshape(value.shape), what)
        raise ValueError(f"{what} of shape {array.shape} does not fit {describe(root)}")
    return seed if array.dtype == value.dtype else seed.astype(value.dtype)


def fit(contribution: Any, parent: Node, node: Node) -> Any:
    """A vjp's result with its parent's shape and dtype, or an error that names the op."""
    value = parent.value
    shape = value.shape
    if type(contribution) is np.ndarray:
        whole = contribution.shape
        if (
            whole
            and whole[1:] == shape
            and contribution.dtype is value.dtype
            and node.recipe.operation.broadcasts
        ):
            return total(contribution, 0)  # a bias: the usual case, in a third of the time
    elif type(contribution) is type(value):
        return contribution
    elif not isinstance(contribution, Node):
        contribution = np.asarray(contribution)
    if contribution.shape != shape:
        if node.recipe.operation.broadcasts:
            contribution = unbroadcast(contribution, shape)
        if contribution.shape != shape:
            raise ValueError(
                f"{node.operation.name}: its vjp returned shape {contribution.shape} for an input of shape "
                f"{shape}; a vjp returns the gradient in its input's shape"
            )
    if contribution.dtype != value.dtype:
        if contribution.dtype.kind not in "fiub":
            raise TypeError(
                f"{node.operation.name}: its vjp returned {contribution.dtype}; gradients are real numbers"
            )
        contribution = contribution.astype(value.dtype)
    if shape or isinstance(contribution, Node):
        return contribution
    return contribution[()]  # a NumPy scalar, with which Python's operators take a tenth of the time


def apply_hooks(node: Node, notes: Notes, gradient: Any, create_graph: bool) -> Any:
    """`gradient` after the node's hooks, each of which may return a replacement."""
    for hook in tuple(notes.hooks.values()):
        if isinstance(gradient, np.ndarray):
            gradient = gradient.view()
            gradient.flags.writeable = False
        replacement = hook(gradient)
        if replacement is not None:
            # A Tensor, as of g * t for a Tensor t, is an array where gradients are arrays.
            replacement = replacement if create_graph else getattr(replacement, "value", replacement)
            gradient = seed_for(node, replacement, "a hook's replacement")
    return gradient
