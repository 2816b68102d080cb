"""Derivatives from numbers alone, independent of every rule."""

import numpy as np

STEP = 1e-3


def slope(f, step=STEP):
    """df/dt at t = 0 by central differences of sixth order: the error is near step**6 / 140."""
    one, two, three = (f(n * step) - f(-n * step) for n in (1, 2, 3))
    return (45 * one - 9 * two + three) / (60 * step)


def along(f, inputs, directions):
    """The derivative of `f(*inputs)` in the directions."""
    return slope(lambda t: f(*[x + t * d for x, d in zip(inputs, directions, strict=True)]))


def partials(f, inputs):
    """For each input the gradient of the scalar `f(*inputs)`, an element at a time."""
    found = []
    for place, x in enumerate(inputs):
        gradient = np.zeros(np.shape(x), np.asarray(x).dtype)
        for index in np.ndindex(gradient.shape):
            unit = np.zeros_like(gradient)
            unit[index] = 1
            nearby = lambda t, place=place, x=x, unit=unit: f(
                *inputs[:place], x + t * unit, *inputs[place + 1 :]
            )
            gradient[index] = slope(nearby)
        found.append(gradient)
    return found


def fold(g, shape):
    """The sum of `g` over the places where an input of `shape` was repeated, element by element."""
    total = np.zeros(shape, g.dtype)
    for index in np.ndindex(g.shape):
        own = index[len(index) - len(shape) :]
        total[tuple(0 if n == 1 else i for n, i in zip(shape, own, strict=True))] += g[index]
    return total


def broadcastable(shapes, *others):
    """All tuples with one shape from each list that NumPy can broadcast."""
    for combination in np.ndindex(*(len(list_) for list_ in (shapes, *others))):
        chosen = tuple(list_[i] for list_, i in zip((shapes, *others), combination, strict=True))
        try:
            np.broadcast_shapes(*chosen)
        except ValueError:
            continue
        yield chosen
