"""Graphs of many tiny nodes, where an engine's own work is all there is."""

import gc
import sys
import weakref
from statistics import median
from time import perf_counter

import numpy as np

from autodiff import Tensor

from .micrograd_demo import training
from .peers import compared, peer, say


def descend(parameters):
    for p in parameters:
        p.data -= 0.05 * p.grad


def ten(step):
    """Ten steps; the last loss and its graph live until there is a new one, as in everybody's loop."""

    def run():
        for _ in range(10):
            loss = step()
        return loss

    return run


def test_micrograds_demo_network_trains_5_times_as_fast_as_in_pytorch(benchmark):
    torch = peer("torch")

    def update(parameters):
        with torch.no_grad():
            descend(parameters)

    ours = training(Tensor, float, None, descend)
    theirs = training(
        lambda number: torch.tensor(number, dtype=torch.float64, requires_grad=True),
        lambda number: torch.tensor(number, dtype=torch.float64),
        None,
        update,
    )
    np.testing.assert_allclose(ours().data, theirs().detach().numpy(), rtol=1e-12)
    row = "micrograd's demo network, 10 steps"
    ratio = compared(benchmark, row, ten(ours), {"torch": ten(theirs)}, rounds=5)["torch"]
    assert ratio >= 5, f"PyTorch takes {ratio:.2f} times as long, not 5"


def test_micrograds_demo_network_trains_7_times_as_fast_as_in_micrograd(benchmark):
    value = peer("micrograd.engine", "micrograd").Value
    ours = training(Tensor, float, None, descend)
    theirs = training(value, value, 0, descend)
    np.testing.assert_allclose(ours().data, theirs().data, rtol=1e-12)
    row = "micrograd's demo network, 10 steps"
    ratio = compared(benchmark, row, ten(ours), {"micrograd": ten(theirs)}, rounds=5)["micrograd"]
    assert ratio >= 7, f"micrograd takes {ratio:.2f} times as long, not 7"


def test_a_chain_of_800_operations_on_8_numbers_is_twice_as_fast_as_in_pytorch(benchmark):
    torch = peer("torch")
    start, factor, term = np.linspace(-1, 1, 8), np.linspace(0.99, 1.01, 8), np.linspace(-0.01, 0.01, 8)

    def chain(x, w, b):
        y = x
        for _ in range(400):
            y = y * w + b
        y.sum().backward()
        gradients = [leaf.grad for leaf in (x, w, b)]
        for leaf in (x, w, b):
            leaf.grad = None
        return gradients

    ours = [Tensor(array) for array in (start, factor, term)]
    theirs = [torch.tensor(array, requires_grad=True) for array in (start, factor, term)]
    for mine, other in zip(chain(*ours), chain(*theirs), strict=True):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-12)
    ratio = compared(
        benchmark, "chain of 800 on 8 numbers", lambda: chain(*ours), {"torch": lambda: chain(*theirs)}, 25
    )["torch"]
    assert ratio >= 2, f"PyTorch takes {ratio:.2f} times as long, not twice"


def chain_of(length):
    y = leaf = Tensor(1.0)
    for _ in range(length):
        y = y * 1.0
    return leaf, y


def test_a_backward_pass_is_linear_to_a_million_nodes(benchmark):
    benchmark.pedantic(lambda root: root.backward(), setup=lambda: ((chain_of(10_000)[1],), {}), rounds=9)
    seconds = {}
    for length in (10_000, 100_000, 1_000_000):
        taken = []
        for _ in range(3):
            leaf, y = chain_of(length)
            gc.collect()
            start = perf_counter()
            y.backward()
            taken.append(perf_counter() - start)
            assert leaf.grad == 1.0
            del leaf, y
        seconds[length] = median(taken) / length
    say(f"backward, a node of {', of '.join(f'{n:,}: {1e9 * taken:.0f} ns' for n, taken in seconds.items())}")
    growth = seconds[1_000_000] / seconds[10_000]
    assert growth < 2.5, f"a node of a million takes {growth:.2f} times as long as one of ten thousand"


def test_a_million_nodes_need_no_deep_stack_and_leave_nothing_to_collect(no_collector):
    leaf, y = chain_of(1_000_000)
    watched = weakref.ref(y), weakref.ref(y.parents[0])
    limit = sys.getrecursionlimit()
    depth = 1
    while sys._getframe(depth).f_back is not None:
        depth += 1
    sys.setrecursionlimit(depth + 50)
    try:
        y.backward()
        del y
    finally:
        sys.setrecursionlimit(limit)
    assert [reference() for reference in watched] == [None, None]
    assert leaf.grad == 1.0
    assert gc.collect() == 0
