"""checkpoint: memory saved for the time of a second call."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import wraps
from typing import Any

import numpy as np

from .ambient import is_recording, next_age, recording_graph
from .calls import check_function, older_inputs, pull
from .ops import concatenate, ravel, reshape
from .primitive import primitive
from .tensor import Tensor
from .trees import leaves_of, map_leaves


@primitive()
def gather_inputs(*tensors):  # type: ignore[no-untyped-def]
    # A node that stands for several: its value is of no use, its gradient all of theirs in a row.
    ends = np.cumsum([tensor.size for tensor in tensors])

    def part(i: int) -> Any:
        return lambda g, y, *tensors: reshape(g[ends[i] - tensors[i].size : ends[i]], tensors[i].shape)

    return np.broadcast_to(np.zeros((), np.result_type(*tensors)), ends[-1]), *(
        part(i) for i in range(len(tensors))
    )


@primitive()
def recompute(inputs, /, value, run):  # type: ignore[no-untyped-def]
    return value, lambda g, y, inputs: run(g, isinstance(inputs, Tensor))


def as_it_stands(argument: Any) -> Any:
    """The argument itself, or a copy of a random generator, which goes on from where this one is now."""
    return deepcopy(argument) if isinstance(argument, np.random.Generator) else argument


def check_same(again: Any, value: Any) -> None:
    """Raise if a second call computed something else, by more than the last digits that may differ."""
    size = np.max(np.abs(value), initial=0, where=np.isfinite(value))
    if again.shape != value.shape or not np.allclose(again, value, 0.01, 0.01 * size, equal_nan=True):
        raise RuntimeError(
            "checkpoint: f computed something else when the backward pass called it again, so the gradient would be "
            "wrong; hand it what changes, as a random generator, as an argument: checkpoint(f)(x, rng=rng)"
        )


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose graph is thrown away after the call and made again by the backward pass.

    It saves the memory of f's intermediate values for the time of a second call. Arguments and results may be
    nested, and f may use Tensors from outside. It must compute the same at both calls: a random generator among
    the arguments begins the second call as it began the first, and one from outside is refused by the backward
    pass, with a RuntimeError, since the gradient would be that of other random numbers.

    >>> x = Tensor(2.0)
    >>> y = checkpoint(lambda x: (x * x) * x)(x)
    >>> y.backward()
    >>> float(x.grad)
    12.0
    """

    check_function(f, "checkpoint(f)(x)")

    def flat(outputs: Sequence[Any]) -> Any:
        tracked = [output for output in outputs if isinstance(output, Tensor)]
        return tracked[0] if len(tracked) == 1 else concatenate(tracked, axis=None)

    @wraps(f)
    def checked(*args: Any, **options: Any) -> Any:
        if not is_recording():
            return f(*args, **options)
        born = next_age()
        begun = map_leaves(as_it_stands, (args, options))
        result = f(*args, **options)
        outputs = leaves_of(result)
        used = list(older_inputs(outputs, born))
        if not used:
            return result

        def run(g: Any, create_graph: bool) -> Any:
            with recording_graph():
                since = next_age()
                args, options = map_leaves(as_it_stands, begun)
                again = flat(leaves_of(f(*args, **options)))
                if max(tensor.age for tensor in used) < born:  # else the walk will find a stale leaf
                    check_same(again.value, value)
                found = pull([again], [g], used, create_graph, since)
                return concatenate([ravel(gradient) for gradient in found])

        value = flat(outputs).value
        whole = recompute(gather_inputs(*used), value=value, run=run)
        start = 0

        def taken(output: Any) -> Any:
            nonlocal start
            if not isinstance(output, Tensor):
                return output
            if output.shape == whole.shape and output.size == whole.size:
                return whole
            start += output.size
            return reshape(whole[start - output.size : start], output.shape).astype(output.dtype)

        return map_leaves(taken, result)

    return checked
