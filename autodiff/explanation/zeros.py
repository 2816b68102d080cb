"""Why elements of a gradient are exactly 0: every reason carried from its place down to the tensor asked about.

Beside the gradient travel the reasons of its zeros, a mask each. A zero is born in an op where even a gradient without
any zero would have come out as 0 (a dead ReLU, a factor of 0), at a hook, in the seed, or in a sum whose parts
cancel; every other zero came from above, through the rule of the op, and brings its reasons along.
"""

from typing import Any, NamedTuple

import numpy as np

from ..fitting import fit
from ..formulas import elementwise
from ..lines import where_made
from ..node import Node
from .flow import Flow

MOST = 16  # reasons kept apart at one node

PRODUCTS = frozenset({"multiply", "divide", "matmul", "einsum", "power", "prod", "cumprod"})
SOFTMAXES = frozenset({"softmax", "log_softmax", "logsumexp", "cross_entropy", "soft_cross_entropy"})
LARGE = 5  # from where on a slope of 0 means that a function has become flat


class Reason(NamedTuple):
    """Why there is a zero: its kind in a word or two, and the whole in a sentence."""

    kind: str
    words: str


def why_zero(flow: Flow) -> list[tuple[Reason, Any]]:
    """The reasons of the zeros of the target's gradient, most frequent first, each with a mask of elements."""
    reasons: dict[Node, dict[Reason, Any]] = {}
    silent: dict[Node, Any] = {}  # where every use hands on 0
    with np.errstate(all="ignore"):
        for node in reversed(flow.order):
            zero = np.asarray(flow.gradient[node]) == 0
            found = reasons.pop(node, {})
            if zero.any():
                own_reasons(flow, node, found, zero, silent.pop(node, True))
            for reason in [reason for reason, mask in found.items() if not (mask & zero).any()]:
                del found[reason]
            merge(found)
            if node is flow.target:
                return sorted(found.items(), key=lambda item: -int(item[1].sum()))
            for place, parent in flow.edges(node):
                if not np.all(flow.gradient[parent]):
                    part = np.asarray(flow.pull(node, place, flow.gradient[node]))
                    silent[parent] = silent.get(parent, True) & (part == 0)
                    into = reasons.setdefault(parent, {})
                    for reason, mask in along(flow, node, place, part == 0, found, zero).items():
                        note(into, reason, mask & (np.asarray(flow.gradient[parent]) == 0))
    return []


def own_reasons(flow: Flow, node: Node, found: dict[Reason, Any], zero: Any, silent: Any) -> None:
    """Add what makes a zero at a node itself: the seed, a hook, contributions that cancel."""
    if node is flow.root:
        note(found, Reason("zero seed", "the seed is 0 there"), np.asarray(flow.seed) == 0)
        silent = np.asarray(flow.seed) == 0
    before = np.asarray(flow.before.get(node, 0))
    if node in flow.before:
        note(
            found, Reason("hook", f"a hook on {title(node)} replaced its gradient by 0"), zero & (before != 0)
        )
    words = f"the contributions of the several uses of {title(node)} add up to 0"
    note(found, Reason("cancelled", words), zero & ~np.asarray(silent) & (before == 0))


def title(node: Node) -> str:
    """A node's name, or its op, and the line that made it."""
    name = repr(node.notes.name) if node.notes and node.notes.name else f"the {node.operation.name}"
    return f"{name}{where_made(node.notes)}"


def note(found: dict[Reason, Any], reason: Reason, mask: Any) -> None:
    """Add a mask of elements to those of a reason, if it has any."""
    if mask.any():
        found[reason] = found[reason] | mask if reason in found else mask


def merge(found: dict[Reason, Any]) -> None:
    """Keep the most frequent reasons apart and put the others together."""
    if len(found) > MOST:
        rare = sorted(found, key=lambda reason: -int(found[reason].sum()))[MOST - 1 :]
        mask = np.logical_or.reduce([found.pop(reason) for reason in rare])
        note(found, Reason("several", "the gradient became 0 at several places further up"), mask)


def along(
    flow: Flow, node: Node, place: int, nothing: Any, above: dict[Reason, Any], zero: Any
) -> dict[Reason, Any]:
    """The reasons of the zeros, at `nothing`, in what `node` hands to its input number `place`."""
    parent: Any = node.inputs[place]  # type: ignore[index]
    found: dict[Reason, Any] = {}
    if not nothing.any():
        return found
    if not node.value.size:
        words = f"the result of {node.operation.name} has no elements{where_made(node.notes)}"
        return dict.fromkeys(above, nothing) or {Reason("empty", words): nothing}
    if zero.all():  # then it matters no more what would happen to a gradient further down
        return dict.fromkeys(above, nothing)
    if node.operation.name == "recompute":  # a rule that runs the user's function again
        words = f"it became 0 inside a checkpoint, whose graph is not kept{where_made(node.notes)}"
        return {Reason("checkpoint", words): nothing}

    def reached(mask: Any) -> Any:
        """Which elements a gradient would reach that is not 0 where the mask says so."""
        answer = probe(node, place, parent, mask)
        # 0 times an infinite slope is no sign of a gradient.
        return (answer != 0) & (np.all(mask) | ~np.isnan(answer))

    blocked = ~reached(np.ones_like(zero))
    for reason, mask in local(node, place, nothing & blocked):
        note(found, reason, mask)
    for reason, mask in above.items():
        same = node.operation.broadcasts and node.operation.structure is not None
        if same and mask.shape == nothing.shape:
            note(found, reason, nothing & mask)
        else:
            note(found, reason, nothing & (mask.all() | reached(mask)))
    left = nothing & ~blocked & (reached(~zero) if zero.any() else True)
    if left.any():
        # By a power of 2, so that what cancels goes on cancelling to the last bit.
        far = np.finfo(node.value.dtype).maxexp // 2 - np.frexp(np.max(np.abs(flow.gradient[node])))[1]
        scaled = np.asarray(flow.pull(node, place, np.ldexp(flow.gradient[node], far)))
        tiny = left & ((elementwise(node) and node.value.shape == parent.value.shape) | (scaled != 0))
        where = where_made(node.notes)
        words = (
            f"the product in the rule of {node.operation.name} is too small for {parent.value.dtype}{where}"
        )
        note(found, Reason("underflow", words), tiny)
        note(found, cancelled_inside(node), left & ~tiny)
    return found


def probe(node: Node, place: int, parent: Node, mask: Any) -> Any:
    """The rule's answer to a gradient of unlike positive numbers where the mask holds, and 0 elsewhere."""
    unlike = (np.arange(1, mask.size + 1) * 0.6180339887498949 % 1 + 0.5).reshape(mask.shape)
    dtype = node.value.dtype
    gradient = np.where(mask, unlike, 0).astype(dtype)[()]
    answer = node.vjps[place](gradient, node.value, *node.arguments)  # type: ignore[misc]
    return np.asarray(fit(answer, parent, node))


def cancelled_inside(node: Node) -> Reason:
    """Why a rule's own sum is 0 although its parts are not."""
    name, where = node.operation.name, where_made(node.notes)
    if name in SOFTMAXES:
        words = f"every class receives the same gradient, and {name} does not notice what all its inputs share{where}"
    else:
        words = f"the parts that the rule of {name} adds up cancel to 0{where}"
    return Reason("cancelled", words)


def local(node: Node, place: int, blocked: Any) -> list[tuple[Reason, Any]]:
    """Why the slope of `node` by its input number `place` is 0, in the elements `blocked`."""
    mask = node.options.get("where")
    left_out = blocked & ~mask if isinstance(mask, np.ndarray) else np.zeros_like(blocked)
    found = []
    if left_out.any():
        words = f"the mask where= of {node.operation.name} left out {int(left_out.sum())} elements"
        found.append((Reason("not selected", words + where_made(node.notes)), left_out))
    blocked = blocked & ~left_out
    if not blocked.any():
        return found
    if node.operation.name in SOFTMAXES:
        return found + softmax_reasons(node, blocked)
    hit = int(blocked.sum())
    kind, words = slope_0(
        node, place, blocked, f" in {hit} of {blocked.size} elements" if blocked.size > 1 else ""
    )
    return [*found, (Reason(kind, words + where_made(node.notes)), blocked)]


def slope_0(node: Node, place: int, blocked: Any, count: str) -> tuple[str, str]:
    """The kind and the words of why an op's slope is 0 in the elements `blocked`, as many as `count` says."""
    name = node.operation.name
    value = np.asarray(node.arguments[place])
    others = [np.asarray(x) for i, x in enumerate(node.arguments) if i != place]
    if name == "relu" or (name == "maximum" and not np.any(others[0])):
        dead = int((value <= 0).sum())
        which = (
            f"{dead} of {value.size} inputs of {name} were" if value.size > 1 else f"the input of {name} was"
        )
        return "dead ReLU", f"{which} not above 0{dead_columns(value)}"
    if name == "where":
        return "not selected", f"where took the other branch{count}"
    if name == "clip":
        return "clipped", f"clip cut at a bound{count}"
    if name in ("maximum", "minimum", "fmax", "fmin"):
        return "not selected", f"{name} took the other input{count}"
    if name in ("max", "min", "nanmax", "nanmin"):
        return "not selected", f"{name} took {'larger' if 'max' in name else 'smaller'} elements{count}"
    if node.operation.structure in ("selection", "layout") or (name == "einsum" and not others):
        return "not selected", f"{name} did not take it{count}"
    if name in ("var", "std"):
        equal = np.max(value, initial=-np.inf) == np.min(value, initial=np.inf)
        return "flat", f"the elements of {name} are {'all equal' if equal else 'at their mean'}"
    mixes = node.operation.structure is None and any(not np.all(other) for other in others)
    if name in PRODUCTS or mixes:
        return "multiplied by zero", f"{multiplied(node, place)}{count}"
    least = np.abs(value[blocked]).min() if elementwise(node) and value.shape == blocked.shape else 0
    if least >= LARGE and (not others or name.startswith("logaddexp")):
        return (
            "saturated",
            f"{name} is flat to the last digit at inputs of size {least:.3g}{' and more' if count else ''}",
        )
    return "flat", f"the slope of {name} at its input is 0{count}"


def dead_columns(value: Any) -> str:
    """Which units of a layer (batch, units) are dead for the whole batch, in words, where others live."""
    if value.ndim != 2 or len(value) < 2:
        return ""
    dead = np.flatnonzero(np.all(value <= 0, axis=0))
    if not 0 < dead.size < value.shape[1]:
        return ""
    one = f"column {dead[0]}" if dead.size == 1 else f"each of the columns {', '.join(map(str, dead[:5]))}"
    return f", all {len(value)} of {one}{f' and {dead.size - 5} more' if dead.size > 5 else ''}"


def multiplied(node: Node, place: int) -> str:
    """Which factor of a product is 0."""
    name, more = node.operation.name, len(node.arguments) > 1
    if name == "divide":
        return "the numerator is 0" if place else "the denominator is infinite"
    if name == "power":
        return "the exponent or the base is 0"
    if more and node.operation.structure is None:
        return f"{name} multiplies it by nothing but zeros"
    return f"the other factor of {name} is 0" if more else f"the product of the other elements of {name} is 0"


def softmax_reasons(node: Node, blocked: Any) -> list[tuple[Reason, Any]]:
    """Rows that do not count, and rows where one probability is everything."""
    name, where, options = node.operation.name, where_made(node.notes), node.options
    unused = np.zeros_like(blocked)
    scale, axis = options.get("scale"), options.get("axis", -1)
    if isinstance(scale, np.ndarray):
        unused = unused | np.expand_dims(scale == 0, axis)
    if isinstance(options.get("dense"), np.ndarray):
        unused = unused | ~np.any(options["dense"], axis=axis, keepdims=True)
    unused = blocked & unused
    found = []
    if unused.any():
        found.append(
            (Reason("not selected", f"{name} does not count {int(unused.sum())} elements{where}"), unused)
        )
    flat = blocked & ~unused
    if flat.any():
        if name == "logsumexp":
            words = "softmax gives these elements a probability of 0 to the last digit"
        else:
            words = f"the softmax in {name} is saturated: probabilities of 0 and 1 to the last digit"
        found.append(
            (Reason("saturated", f"{words}, {int(flat.sum())} of {flat.size} elements{where}"), flat)
        )
    return found
