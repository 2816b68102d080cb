"""Where forms of one function fail, as the arguments grow or shrink."""

from collections.abc import Callable
from math import isnan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..reference.trials import Outcome, Trials

# Between the factors of a sweep, and the share to which halving then finds the place: coarser where the truth
# takes many exact numbers.
STEPS = ((1_000, 2**0.5, 2e-5), (5_000, 2.0, 2e-3), (30_000, 4.0, 0.05), (10**18, 10.0, 0.2))
WRONG = 0.01


def search(
    trials: "Trials", sweep: tuple[float, float]
) -> tuple[dict[str, dict[str, float | None]], dict[str, str | None], dict[str, str | None]]:
    """For each form the factor at which each failure begins, the op that overflows, and the exception raised."""
    low, high = sweep
    if not 0 < low <= 1 <= high:
        raise ValueError("compare: sweep is a range of positive factors around 1, such as (1e-4, 1e4)")
    half = sqrt(float(np.finfo(dtype_of(trials)).eps))
    failing: dict[str, Callable[[Outcome], bool]] = {
        "overflow": lambda outcome: outcome.overflow is not None,
        "raised": lambda outcome: outcome.raised is not None,
        "nan": lambda outcome: isnan(outcome.value) or isnan(outcome.gradient),
        "value half": lambda outcome: not outcome.value < half,
        "gradient half": lambda outcome: not outcome.gradient < half,
        "gradient wrong": lambda outcome: not outcome.gradient < WRONG,
    }
    below = {f"{what} below": failing[what] for what in ("raised", "nan", "value half", "gradient half")}
    _, step, share = next(choice for choice in STEPS if trials.size < choice[0])
    up, down = steps(high, step), steps(low, step)
    found: dict[str, dict[str, float | None]] = {}
    overflows: dict[str, str | None] = {}
    exceptions: dict[str, str | None] = {}
    for name in trials.forms:
        found[name] = {what: first(trials, name, fails, up, share) for what, fails in failing.items()}
        found[name] |= {what: first(trials, name, fails, down, share) for what, fails in below.items()}
        where = found[name]["overflow"]
        overflows[name] = None if where is None else trials.at(where)[name].overflow
        where = found[name]["raised"]
        exceptions[name] = None if where is None else trials.at(where)[name].raised
    return found, overflows, exceptions


def steps(limit: float, step: float) -> list[float]:
    """The factors from 1 to `limit`, a `step` apart but for the last."""
    count = int(abs(np.log(limit)) / np.log(step))
    return [*(step ** (n if limit > 1 else -n) for n in range(count + 1)), float(limit)]


def first(
    trials: "Trials", name: str, fails: Callable[["Outcome"], bool], scales: list[float], share: float
) -> float | None:
    """The first of the scales at which a form fails, found more exactly by halving; None if at none."""
    good = scales[0]
    for bad in scales:
        if fails(trials.at(bad)[name]):
            break
        good = bad
    else:
        return None
    for _ in range(60):
        if abs(good - bad) <= share * bad:
            break
        between = (good + bad) / 2
        good, bad = (good, between) if fails(trials.at(between)[name]) else (between, bad)
    return bad


def dtype_of(trials: "Trials") -> Any:
    """The dtype of the coarsest result."""
    dtypes = [y.dtype for run in trials.runs.values() for y in run.values] or [np.dtype(np.float64)]
    return max(dtypes, key=lambda dtype: np.finfo(dtype).eps)
