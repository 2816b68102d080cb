"""Rows to train on, rows to hold out, and rows at a time."""

from collections.abc import Iterator
from operator import index
from typing import Any

import numpy as np


def stratified_split(labels: Any, held_out: int, seed: int = 0) -> tuple[Any, Any]:
    """Indices of the rows to train on and of `held_out` others: `(train, test)`, both sorted.

    The held-out rows have the classes in the proportions of `labels`, as nearly as whole numbers allow
    (largest remainders), and are drawn at random within each class by `seed`. Raises ValueError
    unless `labels` has one axis and `held_out` is between 0 and their number; TypeError for a share in its place.

    >>> train, test = stratified_split([0, 0, 0, 0, 1, 1], held_out=3)
    >>> len(train), np.bincount(np.array([0, 0, 0, 0, 1, 1])[test]).tolist()
    (3, [2, 1])
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"stratified_split: labels are one a row, not of shape {labels.shape}")
    if not isinstance(held_out, int | np.integer):
        raise TypeError(
            f"stratified_split: held_out is a number of rows, not {held_out!r}; "
            "of a share make one by round(share * len(labels))"
        )
    if not 0 <= held_out <= labels.size:
        raise ValueError(f"stratified_split: cannot hold out {held_out} of {labels.size} rows")
    _, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    wanted = held_out * sizes / max(labels.size, 1)
    shares = np.floor(wanted).astype(int)
    # The rows that rounding left over go where it took the most.
    for place in np.argsort(shares - wanted, kind="stable")[: held_out - shares.sum()]:
        shares[place] += 1
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(inverse == place))[:share] for place, share in enumerate(shares)
    ]
    test = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=int)
    return np.setdiff1d(np.arange(labels.size), test), test


def minibatches(
    *arrays: Any, batch_size: int, rng: np.random.Generator | None = None, drop_last: bool = False
) -> Iterator[tuple[Any, ...]]:
    """The rows of some arrays, `batch_size` at a time, as tuples with one array for each of them.

    The arrays have equally many rows, which stay together. With a Generator the rows come in a random order, new
    at each call; without one in theirs, and then a batch is a view. The last batch may be smaller, or is left out
    with `drop_last`. Raises ValueError, at the call, for no arrays, for arrays that differ in length
    and for a `batch_size` below 1.

    >>> for x, y in minibatches(np.arange(10).reshape(5, 2), np.array(list("abcde")), batch_size=2):
    ...     print(x.tolist(), y.tolist())
    [[0, 1], [2, 3]] ['a', 'b']
    [[4, 5], [6, 7]] ['c', 'd']
    [[8, 9]] ['e']
    """
    arrays = tuple(map(np.asarray, arrays))
    lengths = {len(array) if array.ndim else None for array in arrays}
    if len(lengths) != 1 or None in lengths:
        raise ValueError(f"minibatches: arrays of shapes {[array.shape for array in arrays]} share no rows")
    batch_size = index(batch_size)  # a Python int: sums of NumPy's narrow ones would wrap around
    if batch_size < 1:
        raise ValueError(f"minibatches: batch_size is {batch_size}, and should be at least 1")
    if rng is not None:
        check_generator("minibatches", rng)
    rows = len(arrays[0])
    stop = rows - rows % batch_size if drop_last else rows
    order = None if rng is None else rng.permutation(rows)

    def batches() -> Iterator[tuple[Any, ...]]:
        for start in range(0, stop, batch_size):
            here = slice(start, start + batch_size)
            yield tuple(array[here if order is None else order[here]] for array in arrays)

    return batches()


def check_generator(name: str, rng: Any) -> None:
    """Raise unless `rng` is a random generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{name}: rng is {rng!r}; give a Generator, as np.random.default_rng(0)")
