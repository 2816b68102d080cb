"""The graph: the topological order, and the one walk that is the backward pass.

A node is younger than everything it was computed from, so sorting by age is a topological sort:
newest first, every node's gradient is complete before it is handed on to its parents.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

from numpy import ndarray

from .ambient import surroundings
from .fitting import apply_hooks, fit, seed_for
from .messages import describe, stale
from .node import LEAF, Node, renewal
from .selection import adopt, array_of, pass_selection


def topological_order(
    roots: Sequence[Node], targets: Sequence[Node] | None = None, since: int = 0
) -> list[Node]:
    """Every node that a gradient from `roots` reaches, oldest first.

    With `targets`, only the nodes on a path from a root to a target: nothing older than the
    oldest target can be on one, unless some leaf's data was replaced since. Paths end at nodes older than
    `since`.
    """
    oldest = min([target.age for target in targets or ()], default=0)
    oldest *= oldest > renewal.age  # else that target may be young again, or a leaf stale behind older nodes
    found = set(roots)
    stack = list(found)
    order = []
    while stack:
        node = stack.pop()
        order.append(node)
        recipe, age, left, right = node.recipe, node.age, node.left, node.right
        if recipe.vjps is None:
            raise freed(node)
        if age < since:
            continue
        if age < renewal.age:
            check_fresh(node)
        # Written out for the first two inputs: a loop over them takes a third longer.
        if left is not None and left not in found and left.age >= oldest:
            found.add(left)
            stack.append(left)
        if right is not None and right not in found and right.age >= oldest:
            found.add(right)
            stack.append(right)
        if recipe.more:
            for parent in recipe.more:
                if parent is not None and parent not in found and parent.age >= oldest:
                    found.add(parent)
                    stack.append(parent)
    order.sort(key=attrgetter("age"))
    if targets is None:
        return order
    leading: set[Node | None] = set(targets)
    for node in order:
        if node.age >= since and (
            node.left in leading or node.right in leading or not leading.isdisjoint(node.recipe.more)
        ):
            leading.add(node)
    return [node for node in order if node in leading]


def check_fresh(node: Node) -> None:
    """Raise if an input got new data after `node` was computed; only what is older than the last renewal can be."""
    for parent in node.inputs or ():
        if parent is not None and parent.age > node.age:
            raise stale(parent, node)


def freed(node: Node) -> RuntimeError:
    """The error for a walk that meets a node whose graph is no more."""
    return RuntimeError(
        f"{describe(node)}: its graph was freed by backward(free_graph=True); "
        "run the forward pass again, or leave free_graph out"
    )


def backpropagate(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    targets: Sequence[Node] | None = None,
    *,
    since: int = 0,
    create_graph: bool = False,
    free_graph: bool = False,
    interior: bool = True,
    watch: Callable[..., None] | None = None,
) -> Generator[tuple[Node, Any], None, None]:
    """The backward pass: yields `(node, gradient)` as each node's gradient is complete.

    Contributions are summed in this walk's own dict; nothing is written into the graph. The
    rules get arrays, or with `create_graph` Tensors, and then the gradients have a graph too.
    With `targets` only what leads to them is computed, and paths end at nodes older than `since`.
    Without `interior` it yields no more than leaves and nodes that have notes. `watch` is called for each
    contribution as `contributions` says; that of a surrounding detect_anomaly reads the whole walk.
    """
    around = surroundings()
    if watch is None and around is not None and around.watch is not None:
        options = {"since": since, "create_graph": create_graph, "free_graph": free_graph}
        yield from around.watch.walk(backpropagate, roots, seeds, targets, options)
        return
    wanted = None if targets is None else set(topological_order(roots, targets, since))
    if free_graph:  # a graph that cannot be walked to its end is left as it is
        topological_order(roots, since=since)
    gradients: dict[Node, Any] = {}
    # Elements that a selection left out, for the few gradients that passed one (selection.py).
    unselected: dict[Node, Any] = {}
    # Of the nodes that gradients have reached the newest is next, for no gradient can reach it any more. Most are
    # newer than all that wait: such a one is `following`, with the gradient `coming` to it, and waits on a stack only
    # where a still newer one takes its turn. The others wait in a heap, the newest of them of the age `newest`, and
    # leaves, which pass nothing on, until the end.
    following: Node | None = None
    coming: Any = None
    stack: list[Node] = []
    others: list[tuple[int, Node]] = []
    for place, root in enumerate(roots):
        seed = seed_for(root, seeds[place])
        if wanted is None or root in wanted:
            if root.recipe is not LEAF and root not in gradients:
                heappush(others, (-root.age, root))
            gradients[root] = gradients[root] + seed if root in gradients else seed
    del roots, seeds
    newest = -others[0][0] if others else 0
    general = asked = create_graph or watch is not None
    recipe: Any
    vjp: Any
    vjp_right: Any
    left: Any
    right: Any
    a: Any
    b: Any
    parent = contribution = left_out = mask = a = b = None
    while True:
        if following is not None:
            node, gradient = following, coming
            following = coming = None
        elif stack and stack[-1].age > newest:
            node = stack.pop()
            gradient = gradients.pop(node)
        elif others:
            node = heappop(others)[1]
            gradient = gradients.pop(node)
            newest = -others[0][0] if others else 0
        else:
            break
        notes, recipe, age = node.notes, node.recipe, node.age
        if notes is not None:
            if notes.hooks:
                gradient = apply_hooks(node, notes, gradient, create_graph)
                left_out = array_of(unselected.pop(node, None), node.value.shape)
                if left_out is not None:  # what a hook made of a zero counts
                    unselected[node] = left_out & (getattr(gradient, "value", gradient) == 0)
            yield node, gradient
        elif interior:
            yield node, gradient
        if since and age < since:
            continue
        try:
            if age < renewal.age:
                check_fresh(node)
            arity = recipe.arity
            if general or not arity:
                if recipe.vjps is None:
                    raise freed(node)
                mask = unselected.pop(node, None)
                for parent, contribution, left_out in contributions(
                    node, gradient, mask, wanted, create_graph, watch
                ):
                    if parent in gradients:
                        gradients[parent] = gradients[parent] + contribution
                        if unselected:
                            adopt(unselected, parent, left_out, False)
                    else:
                        gradients[parent] = contribution
                        if parent.recipe is not LEAF:
                            heappush(others, (-parent.age, parent))
                            if left_out is not None:
                                adopt(unselected, parent, left_out, True)
                newest = -others[0][0] if others else 0
                general = asked or bool(unselected)
            # Most nodes: the same on arrays, written out for one input, which has no `right`, and for two. On
            # scalars the walk by the loop above takes four times as long.
            else:
                left, right = node.left, node.right
                if arity == 1:
                    (vjp,) = recipe.vjps
                    a = left.value
                else:
                    vjp, vjp_right = recipe.vjps
                    if node.given is None:
                        a, b = left.value, right.value
                    else:
                        a, b = node.given
                if left is not None and (wanted is None or left in wanted):
                    if arity == 1:
                        contribution = vjp(gradient, node.value, a)
                    else:
                        contribution = vjp(gradient, node.value, a, b)
                    kind = type(contribution)
                    if kind is not type(a) or (
                        kind is ndarray
                        and (contribution.shape != a.shape or contribution.dtype is not a.dtype)
                    ):
                        contribution = fit(contribution, left, node)
                    if left in gradients:
                        gradients[left] = gradients[left] + contribution
                    elif left.recipe is LEAF:
                        gradients[left] = contribution
                    else:
                        age = left.age
                        if age > newest and (not stack or age > stack[-1].age):
                            following, coming = left, contribution
                        else:
                            gradients[left] = contribution
                            heappush(others, (-age, left))
                            newest = max(newest, age)
                if right is not None and (wanted is None or right in wanted):
                    contribution = vjp_right(gradient, node.value, a, b)
                    kind = type(contribution)
                    if kind is not type(b) or (
                        kind is ndarray
                        and (contribution.shape != b.shape or contribution.dtype is not b.dtype)
                    ):
                        contribution = fit(contribution, right, node)
                    if right is following:
                        coming = coming + contribution
                    elif right in gradients:
                        gradients[right] = gradients[right] + contribution
                    elif right.recipe is LEAF:
                        gradients[right] = contribution
                    else:
                        age = right.age
                        if following is not None and age > following.age:
                            gradients[following] = coming
                            stack.append(following)
                            following, coming = right, contribution
                        elif following is None and age > newest and (not stack or age > stack[-1].age):
                            following, coming = right, contribution
                        else:
                            gradients[right] = contribution
                            heappush(others, (-age, right))
                            newest = max(newest, age)
        except Exception as error:
            error.add_note(f"in the backward pass of {describe(node)}")
            raise
        if free_graph:
            node.recipe = recipe.operation.freed
            node.left = node.right = node.given = None
            recipe = vjp = vjp_right = left = right = parent = contribution = None
            left_out = mask = a = b = None
    # The walk keeps nothing of what it has passed: an array that nobody else holds need not be copied for its leaf.
    node = gradient = parent = contribution = a = b = None  # type: ignore[assignment]
    while gradients:  # the leaves
        leaf, gradient = gradients.popitem()
        if leaf.notes is not None and leaf.notes.hooks:
            gradient = apply_hooks(leaf, leaf.notes, gradient, create_graph)
        yield leaf, gradient


def contributions(
    node: Node,
    gradient: Any,
    mask: Any,
    wanted: set[Node] | None,
    create_graph: bool,
    watch: Callable[..., None] | None = None,
) -> Iterator[tuple[Node, Any, Any]]:
    """What a node of any kind passes on: to whom, how much, and the mask of what a selection left out.

    `watch(node, place, mask, returned, contribution)` sees each: the number of the input, the mask that came with the
    gradient, what the vjp returned, and the same with the input's shape and dtype.
    """
    inputs, arguments = node.inputs or (), node.arguments
    value: Any = node.value
    if create_graph:
        value = node
        arguments = tuple(
            [x if parent is None else parent for x, parent in zip(arguments, inputs, strict=True)]
        )
    plain = not create_graph and watch is None
    left_out = None
    for place, parent in enumerate(inputs):
        if parent is None or (wanted is not None and parent not in wanted):
            continue
        if mask is not None or node.operation.selects:
            contribution, left_out = pass_selection(place, gradient, mask, node, value, arguments, plain)
        else:
            contribution = node.vjps[place](gradient, value, *arguments)  # type: ignore[misc]
        returned, contribution = contribution, fit(contribution, parent, node)
        if watch is not None:
            watch(node, place, mask, returned, contribution)
        yield parent, contribution, left_out
