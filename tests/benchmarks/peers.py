"""Timing what does the same work, side by side.

A machine's speed may drift by half within a minute, so absolute times say little. Each round times both
sides one after the other, and what counts is the median over the rounds of the ratio within a round.
"""

import gc
import importlib
import platform
import resource
from importlib.metadata import version
from statistics import median
from time import perf_counter

import numpy as np
import pytest

lines = []


def peer(module, distribution=None):
    """A peer's module, on one thread; without it the row is skipped, and says why."""
    distribution = distribution or module
    try:
        found = importlib.import_module(module)
    except ImportError:
        pytest.skip(f"{distribution} is not installed: pip install {distribution}")
    if module == "torch":
        found.set_num_threads(1)
    return found


def interleaved(functions, rounds, sample):
    """Seconds a call, for each function by its name and for each round.

    Each is timed for about `sample` seconds, or for one call, as if it ran alone in a loop: a call that is not timed
    comes first, so that caches and heap are as the loop keeps them. What was there before is out of the garbage
    collector's sight: everybody pays for its work on their own objects, and for nobody else's.
    """
    # Warm memory for all: once a block of 30 MB was freed, glibc keeps what is freed instead of handing it back.
    np.ones(30_000_000, np.uint8)
    gc.collect()
    gc.freeze()
    calls = {}
    for name, function in functions.items():
        for _ in range(3):  # caches, lazy imports, and memory that the allocator will hand out again
            start = perf_counter()
            function()
            once = perf_counter() - start
        calls[name] = max(1, round(sample / once))
    seconds = {name: [] for name in functions}
    order = list(functions)
    for _ in range(rounds):
        order.append(order.pop(0))
        for name in order:
            function = functions[name]
            gc.collect()
            function()
            start = perf_counter()
            for _ in range(calls[name]):
                function()
            seconds[name].append((perf_counter() - start) / calls[name])
    gc.unfreeze()
    return seconds


def page_faults(function, calls=2):
    """How many pages of fresh memory the system hands to one call: 0 where the allocator has all of it warm."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(calls):
        function()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / calls


def compared(benchmark, row, ours, peers, rounds=15, sample=0.2):
    """How many times as long as `ours` each peer takes, by the peer's name; printed, and kept by `benchmark`.

    `peers`: functions by their distribution's name.
    """
    benchmark.pedantic(ours, rounds=rounds, warmup_rounds=2)
    functions = {"autodiff": ours, **peers}
    seconds = interleaved(functions, rounds, sample)
    ratios = {
        name: median(a / b for a, b in zip(seconds[name], seconds["autodiff"], strict=True)) for name in peers
    }
    say(f"{row} (Python {platform.python_version()}, numpy {version('numpy')})")
    for name, function in functions.items():
        line = f"  {name:10}{1e6 * median(seconds[name]):13,.1f} us {page_faults(function):8,.0f} page faults"
        if name in peers:
            benchmark.extra_info[f"{name} / autodiff"] = ratios[name]
            line += f"   {name} {version(name)} / autodiff = {ratios[name]:.2f}"
            line += f", autodiff / {name} = {1 / ratios[name]:.2f}"
        say(line)
    return ratios


def say(line):
    """Add a line to what conftest.py prints at the end."""
    lines.append(line)
