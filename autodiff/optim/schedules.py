"""Learning rates as plain functions of the number of steps taken so far."""

import math
from collections.abc import Callable

from .arguments import count, number

Schedule = Callable[[int], float]


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """`lr`, times `factor` after each `every` steps.

    >>> [round(step_decay(0.8, every=2, factor=0.5)(step), 3) for step in range(5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """
    lr, factor = number(lr, "step_decay: lr"), number(factor, "step_decay: factor")
    every = count(every, "step_decay: every")
    return lambda step: lr * factor ** (step // every)


def exponential_decay(lr: float, factor: float) -> Schedule:
    """`lr`, times `factor` after each step.

    >>> [exponential_decay(0.8, 0.5)(step) for step in range(3)]
    [0.8, 0.4, 0.2]
    """
    lr, factor = number(lr, "exponential_decay: lr"), number(factor, "exponential_decay: factor")
    return lambda step: lr * factor**step


def cosine_decay(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """From `lr` down to `final` along half a cosine in `steps` steps; `final` from there on.

    The schedule of Loshchilov and Hutter 2017, without restarts.

    >>> [round(cosine_decay(0.8, steps=4)(step), 3) for step in range(6)]
    [0.8, 0.683, 0.4, 0.117, 0.0, 0.0]
    """
    lr, final = number(lr, "cosine_decay: lr"), number(final, "cosine_decay: final")
    steps = count(steps, "cosine_decay: steps")
    return lambda step: final + (lr - final) * (1 + math.cos(math.pi * min(step / steps, 1))) / 2


def warmup(lr: float | Schedule, steps: int) -> Schedule:
    """`lr`, a number or a schedule, begun linearly: times 1 / steps, 2 / steps, ... in its first steps.

    From there on it is whole. A schedule goes on counting during the warm-up.

    >>> [round(warmup(0.8, steps=4)(step), 3) for step in range(6)]
    [0.2, 0.4, 0.6, 0.8, 0.8, 0.8]
    """
    steps = count(steps, "warmup: steps")
    schedule = lr if callable(lr) else exponential_decay(number(lr, "warmup: lr"), 1.0)
    return lambda step: schedule(step) * min((step + 1) / steps, 1)
