"""Several formulations of one function, compared: how right each is, where it fails, and what it costs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ambient import recording_graph
from ..report import Block, Heading, Report, Table
from ..trees import leaves_of, map_leaves
from .search import dtype_of, search
from .verdicts import Error, Row, factor, number, verdict

# The room where the forms are run brings decimal arithmetic with it: it is imported when somebody compares.
if TYPE_CHECKING:
    from ..reference.trials import Run, Trials


class Comparison(Report):
    """What `compare` returns: it prints as a table, shows itself in a notebook, and has its numbers in `rows`."""

    def __init__(
        self, rows: tuple[Row, ...], scales: tuple[float, ...], about: str, dtype: Any, truth: bool
    ) -> None:
        self.rows = rows
        self.scales = scales
        self.about = about
        self.dtype = dtype
        self.truth = truth

    def blocks(self) -> Iterable[Block]:
        """The table with a column for each form, and a sentence on each."""
        rows, last = self.rows, self.rows[-1].name

        def line(label: str, cell: Callable[[Row], str]) -> list[str]:
            return [f"  {label}", *map(cell, rows)]

        def failure(label: str, what: str) -> list[str]:
            return line(label, lambda row: factor(row.failures[what]))

        table: list[list[str]] = [["value", *[""] * len(rows)]]
        table.append(line(f"largest difference to {last}", lambda row: number(row.value_difference)))
        if self.truth:
            table.append(line("error in ulp, largest (median)", lambda row: ulps(row.value_error)))
        table.append(["gradient", *[""] * len(rows)])
        table.append(line(f"largest difference to {last}", lambda row: number(row.gradient_difference)))
        if self.truth:
            table.append(line("error in ulp, largest (median)", lambda row: ulps(row.gradient_error)))
        table.append(["second derivative, in a direction", *[""] * len(rows)])
        table.append(line(f"difference to {last}, relative", lambda row: number(row.second_difference)))
        if any(row.second_error is not None for row in rows):
            table.append(line("error, relative to the largest", lambda row: number(row.second_error)))
        table.append(["arguments times a factor", *[""] * len(rows)])
        if self.truth:
            for scale in self.scales:
                errors = [number(row.curve[scale][1]) for row in rows]
                table.append([f"  gradient's worst relative error at {scale:g}", *errors])
        if rows[0].failures:
            table.append(failure("overflows from", "overflow"))
            if any(row.failures["raised"] for row in rows):
                table.append(failure("raises an exception from", "raised"))
            table.append(failure("NaN or infinite from", "nan"))
            if self.truth:
                table.append(failure("value has lost half its digits from", "value half"))
                table.append(failure("gradient has lost half its digits from", "gradient half"))
                table.append(failure("gradient is 1 % wrong from", "gradient wrong"))
            table += [
                failure(f"{label} below", f"{what} below")
                for label, what in (
                    ("raises an exception", "raised"),
                    ("NaN or infinite", "nan"),
                    ("value has lost half its digits", "value half"),
                    ("gradient has lost half its digits", "gradient half"),
                )
                if any(row.failures[f"{what} below"] for row in rows)
            ]
        table.append(["cost", *[""] * len(rows)])
        table.append(line("nodes in the graph", lambda row: str(row.nodes)))
        table.append(line("kept for the backward pass", lambda row: kilobytes(row.bytes)))
        table.append(line("forward pass", lambda row: f"{1000 * row.forward:.3f} ms"))
        table.append(line("backward pass", lambda row: f"{1000 * row.backward:.3f} ms"))
        yield Heading(f"{', '.join(row.name for row in rows)}: forms of one function, {self.about}")
        yield Table(["", *[row.name for row in rows]], table)
        for row in rows:
            yield row.verdict
        for row in rows:
            for lint in row.lints:
                yield f"{row.name}, {lint.title}: {lint.why}; {lint.instead}."

    def plot(self, ax: Any = None) -> Any:
        """The worst relative error of each form's value and gradient over the factor of the arguments.

        Drawn into the matplotlib Axes `ax`, or into new ones, which are returned. Where a form gives no number
        its line ends.
        """
        from ..plot import axes, error_curves

        curves = {
            f"{row.name}, {what}": {scale: errors[place] for scale, errors in row.curve.items()}
            for row in self.rows
            for place, what in enumerate(("value", "gradient"))
        }
        ax = error_curves(axes(ax), curves, self.dtype)
        ax.set(xlabel="the arguments times", ylabel="worst relative error")
        return ax


def ulps(error: Error | None) -> str:
    """Errors in units in the last place."""
    if error is None:
        return ""
    return " ".join(
        text.format("NaN" if isnan(x) else f"{x:.1f}" if x < 100 else f"{x:.0e}")
        for text, x in (("{}", error.largest), ("({})", error.median))
    )


def kilobytes(count: int) -> str:
    """A number of bytes."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def compare(
    forms: Mapping[str, Callable[..., Any]],
    *args: Any,
    dtype: Any = None,
    scales: Iterable[float] = (1, 10, 100),
    sweep: tuple[float, float] | None = (1e-4, 1e4),
    digits: int | None = None,
    repeats: int = 20,
    seed: int = 0,
) -> Comparison:
    """A report on two or more forms of one function of `args`: how right each is, where it fails, what it costs.

    `forms`: by name, functions of the same arguments, which may be nested lists, tuples and dicts of
    arrays (a list of numbers is an array; what has no gradient, such as labels, a form holds itself).
    They return arrays of the same shapes. The gradient is that of the result, or where the result is no single number
    of its sum with random factors of size 1 that depend on `seed` alone. `dtype`: what the arguments are cast to.

    The truth is exact: the recorded graph runs again in decimal arithmetic of `digits` digits (by default
    as many as the dtype's smallest number has places), and its gradient comes from those numbers,
    not from the rules of the ops. Where an op has no exact form, or `digits` is 0, it is the last form's longdouble
    run, by its own rules, and the report says so.

    All arrays in `args` times each of `scales` show how errors grow; over the range of factors `sweep`
    (None for no search) it looks for the first at which a form overflows, gives NaN, or loses half its
    digits. Times are medians of `repeats` runs, taken in turns.

    Raises TypeError unless forms are functions by name and args real numbers, ValueError for fewer than two forms
    and for results whose shapes differ. What a form raises at the arguments themselves is raised, with its name.

    >>> report = compare({"shifted": lambda x: np.exp(x) - 1, "expm1": np.expm1}, 1e-12)
    >>> [row.name for row in report.rows if row.value_error.largest < 1]
    ['expm1']
    """
    from ..reference.trials import Trials

    forms = checked(forms)
    args = read(args, dtype)
    try:
        scales = tuple(dict.fromkeys(float(scale) for scale in scales))
    except (TypeError, ValueError):
        raise TypeError(f"compare: scales are numbers, such as (1, 10, 100), not {scales!r}") from None
    if not np.isfinite(scales).all():
        raise ValueError("compare: scales are finite factors of the arguments")
    if repeats < 1 or (digits is not None and digits != 0 and digits < 20):
        raise ValueError("compare: repeats is at least 1, digits at least 20 (or 0, for longdouble)")
    trials = Trials(forms, args, digits, seed)
    failures, overflows, exceptions = (
        search(trials, sweep) if sweep else ({name: {} for name in forms}, {}, {})
    )
    bends = {name: trials.bend(name) for name in forms}
    true_bend = None
    if trials.known and not trials.known.how.startswith("long"):
        sizes = [np.max(np.abs(x), initial=0) for bend in bends.values() for x in bend or ()]
        true_bend = trials.true_bend(max([float(size) for size in sizes if np.isfinite(size)], default=0.0))
    times = time(trials, repeats)
    last = list(forms)[-1]
    rows = []
    for name, run in trials.runs.items():
        value, gradient = trials.distances(run, trials.known, relative=False)
        others = trials.runs[last]
        bend, other_bend = bends[name], bends[last]
        curve = {}
        for scale in scales:
            trials.at(scale)
        for scale in sorted(trials.seen):
            curve[scale] = trials.seen[scale][name].value, trials.seen[scale][name].gradient
        rows.append(
            Row(
                name=name,
                values=run.values,
                gradients=run.gradients,
                value_difference=apart(run.values, others.values),
                gradient_difference=apart(run.gradients, others.gradients),
                value_error=middle(value) if trials.known else None,
                gradient_error=middle(gradient) if trials.known else None,
                second_difference=None if bend is None or other_bend is None else relative(bend, other_bend),
                second_error=None if bend is None or true_bend is None else relative(bend, true_bend),
                formula=trials.formulas.get(name),
                curve=curve,
                failures=failures[name],
                overflow=overflows.get(name),
                raised=exceptions.get(name),
                nodes=len(run.order),
                bytes=bytes_of(run),
                forward=times[name][0],
                backward=times[name][1],
                worst_value=trials.example(run.values, 0),
                worst_gradient=trials.example(run.gradients, 1),
                lints=lints_of(run),
            )
        )
    dtype, known = dtype_of(trials), trials.known is not None
    judged = tuple(replace(row, verdict=verdict(row, rows, dtype, known, sweep)) for row in rows)
    return Comparison(judged, scales, about(trials, args), dtype, known)


# -- reading what was handed in ---------------------------------------------------------------------------


def checked(forms: Any) -> dict[str, Callable[..., Any]]:
    """`forms` as a dict, or an error that says what it should be."""
    if not isinstance(forms, Mapping) or not all(map(callable, forms.values())):
        raise TypeError(
            'compare: takes functions by name, as {"composed": f, "fused": g}, then their arguments'
        )
    if len(forms) < 2:
        raise ValueError(
            f"compare: needs two forms or more to compare, not {len(forms)}; ad.precision(loss) looks at one graph"
        )
    return {str(name): form for name, form in forms.items()}


def read(args: tuple[Any, ...], dtype: Any) -> tuple[Any, ...]:
    """The arguments as arrays of floating-point numbers."""
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise TypeError(f"compare: dtype is one of floating-point numbers, not {np.dtype(dtype)}")

    def array(x: Any) -> Any:
        found = np.asarray(getattr(x, "value", x))
        if found.dtype.kind not in "fiu":
            raise TypeError(
                f"compare: the arguments are real numbers, not {found.dtype}; let the form hold what is not differentiated"
            )
        return found.astype(dtype or (found.dtype if found.dtype.kind == "f" else np.float64))

    def is_numbers(x: Any) -> bool:
        return isinstance(x, list) and all(is_numbers(y) or isinstance(y, int | float | np.number) for y in x)

    found: tuple[Any, ...] = map_leaves(array, tuple(np.asarray(x) if is_numbers(x) else x for x in args))
    if not leaves_of(found):
        raise TypeError("compare: needs the arguments at which to compare, as compare(forms, x)")
    return found


# -- measuring -------------------------------------------------------------------------------------------


def middle(distances: Any) -> Error:
    """The largest and the median of errors, zeros where there is nothing."""
    from ..reference.trials import worst

    return Error(worst(distances), float(np.median(distances)) if distances.size else 0.0)


def apart(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference in any element; NaN where one is no number and the other is."""
    far = [0.0]
    with np.errstate(all="ignore"):
        for a, b in zip(ours, theirs, strict=True):
            far.append(float(np.max(np.where(a == b, 0, np.abs(a - b)), initial=0)))
    return float(np.max(far))


def relative(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference to finite numbers, or Decimals, relative to the largest of them."""
    a = np.concatenate([np.ravel(x).astype(float) for x in ours])
    b = np.concatenate([np.ravel(x).astype(float) for x in theirs])
    a, b = a[np.isfinite(b)], b[np.isfinite(b)]
    size = np.max(np.abs(b), initial=0)
    return float(np.max(np.abs(a - b), initial=0) / (size or 1))


def bytes_of(run: "Run") -> int:
    """What the graphs of a run's outputs keep alive."""
    from .costs import kept_bytes

    return kept_bytes(run.tracked)


def time(trials: "Trials", repeats: int) -> dict[str, tuple[float, float]]:
    """The median seconds of each form's forward and backward pass."""
    from ..calls import pull
    from .costs import interleaved_times

    def passes(name: str) -> Any:
        run = trials.runs[name]

        def forward() -> Any:
            with recording_graph():
                return leaves_of(trials.forms[name](*run.args))

        return forward, lambda outputs: pull(outputs, trials.seeds, run.leaves, False)

    with np.errstate(all="ignore"):
        return interleaved_times({name: passes(name) for name in trials.forms}, repeats)


def lints_of(run: "Run") -> tuple[Any, ...]:
    """The lints of a run's graphs, one of each kind."""
    from ..explanation import lints

    found = [lint for root in run.tracked for lint in lints(root)]
    return tuple({lint.title: lint for lint in found}.values())


def about(trials: "Trials", args: tuple[Any, ...]) -> str:
    """What was compared, against which truth."""
    shapes = ", ".join(str(x.shape) if x.shape else "a number" for x in leaves_of(args)[:4])
    shapes += ", ..." if len(leaves_of(args)) > 4 else ""
    dtypes = ", ".join(dict.fromkeys(str(x.dtype) for x in leaves_of(args)))
    truth = trials.known.how if trials.known else "none"
    if trials.why:
        truth += f" ({trials.why})"
    if trials.known and trials.known.how == "longdouble":
        truth += ", by the last form's own rules: what they get wrong is not seen"
    return f"at {shapes} of {dtypes}.\nTruth: {truth}."
