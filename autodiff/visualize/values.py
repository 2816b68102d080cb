"""Numbers for the eye: short text for one, tints and counts for many."""

from typing import Any

import numpy as np

from ..report import plain as plain

MOST_CELLS = 24
BLUE, ORANGE = (0, 114, 178), (213, 94, 0)  # Okabe and Ito's blue and vermillion, whitened below
MAGENTA = "#C0267E"


def number(x: Any, digits: int = 4) -> str:
    """A number in a few characters.

    >>> number(0.123456), number(-0.0), number(7), number(float("nan"))
    ('0.1235', '0', '7', 'nan')
    """
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    if isinstance(x, int | np.integer) and abs(int(x)) < 10**6:
        return str(int(x))
    return "0" if x == 0 else f"{float(x):.{digits}g}"


def tint(x: Any, largest: float) -> str:
    """A cell's colour: orange above zero, blue below, white at zero, the deeper the closer to `largest`."""
    if not np.isfinite(x):
        return MAGENTA
    share = float(abs(float(x)) / largest) if largest > 0 else 0.0
    depth = 0.08 + 0.6 * share if share else 0.0
    base = ORANGE if x > 0 else BLUE
    return "#" + "".join(f"{round(255 + (channel - 255) * depth):02X}" for channel in base)


def loss_tint(share: float) -> str:
    """A card's colour: white where no digit was lost, the deeper the more were.

    >>> loss_tint(0.0), loss_tint(1.0)
    ('#FFFFFF', '#F3D59C')
    """
    return "#" + "".join(f"{round(255 + (channel - 255) * 0.62 * share):02X}" for channel in (236, 187, 96))


def largest(array: Any) -> float:
    """The largest finite magnitude: what the tints are measured by."""
    finite = array[np.isfinite(array)]
    return float(np.max(np.abs(finite.astype(np.float64)))) if finite.size else 0.0


def oddities(array: Any) -> str:
    """How many elements are NaN or infinite, in words; empty if none is.

    >>> oddities(np.array([1.0, np.nan, -np.inf, np.inf]))
    '1 NaN, 2 inf'
    """
    counts = {"NaN": int(np.isnan(array).sum()), "inf": int(np.isinf(array).sum())}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def statistics(array: Any) -> list[str]:
    """Smallest, mean and largest of the finite elements, in words; none if there is no such element."""
    finite = array[np.isfinite(array)]
    if not finite.size:
        return []
    with np.errstate(all="ignore"):
        mean = np.mean(finite.astype(np.float64, copy=False))
    return [f"min {number(finite.min(), 3)}", f"mean {number(mean, 3)}", f"max {number(finite.max(), 3)}"]


def brief(array: Any) -> str:
    """An array on a line: its numbers, or its shape, dtype and statistics.

    >>> brief(np.array([1.0, -2.5])), brief(np.zeros((5, 10)))
    ('[1, -2.5]', '(5, 10) float64, min 0, mean 0, max 0')
    """
    if array.ndim == 0:
        return number(array[()])
    if array.ndim == 1 and 0 < array.size <= 6:
        return "[" + ", ".join(number(x, 3) for x in array) + "]"
    if array.size == 0:
        return f"empty, {array.shape}"
    return ", ".join(filter(None, [f"{array.shape} {array.dtype}", *statistics(array), oddities(array)]))
