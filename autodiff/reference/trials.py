"""Several formulations of one function run side by side: their values and gradients, and how far from the truth.

The truth is exact arithmetic (reference.py), of the formulation that agrees with most of the others. Where no
formulation can be computed so, it is the longdouble run of the last (shadow.py), and where longdouble has no
more digits than the formulations themselves there is none.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from ..ambient import recording_graph
from ..calls import fresh, pull
from ..differences import weights
from ..graph import topological_order
from ..node import Node
from ..tensor import Tensor
from ..transforms import hvp
from ..trees import leaves_of, map_leaves
from .decimals import digits
from .exact import decimal
from .reference import NoTruth, Truth, cost, errors, far_apart
from .shadow import WIDE, Shadow

# Digits enough for a difference of two numbers near 1 to keep some, when it is the dtype's smallest number.
DIGITS = {2: 40, 4: 80, 8: 350, 16: 350}
SPARE = 40  # digits beyond those that the sizes of the numbers ask for


class Run:
    """One formulation run once: outputs, the leaves in place of the arguments, and the gradients."""

    def __init__(self, name: str, form: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.args = map_leaves(fresh, args)
        self.leaves: list[Tensor] = leaves_of(self.args)
        try:
            with recording_graph():
                self.outputs = leaves_of(form(*self.args))
            self.values = [value_of(output) for output in self.outputs]
        except Exception as error:
            error.add_note(f"in the form {name!r} that compare was handed")
            raise
        self.tracked = [output for output in self.outputs if isinstance(output, Tensor)]
        self.order: list[Node] = topological_order(self.tracked) if self.tracked else []
        self.gradients: list[Any] = []

    def differentiate(self, seeds: Sequence[Any]) -> None:
        """Let `gradients` be those of the outputs times `seeds`."""
        self.gradients = pull(self.outputs, seeds, self.leaves, False)

    def overflow(self) -> str | None:
        """The op that first gave an infinity because its dtype has no number so large, if one did."""
        for node in self.order:
            if (
                node.inputs
                and np.isinf(node.value).any()
                and all(np.isfinite(x).all() for x in node.arguments)
            ):
                try:
                    with np.errstate(over="raise"):
                        node.operation.function(*node.arguments, **node.options)
                except FloatingPointError:
                    return node.operation.name
        return None


def value_of(output: Any) -> Any:
    """An output as an array of floats."""
    if isinstance(output, Tensor):
        return output.value
    array = np.asarray(output)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"compare: a form returned {type(output).__name__}; return real numbers")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


class Known:
    """A truth, as `values` and `gradients` of Decimals or in longdouble; `how` says where from."""

    def __init__(self, values: list[Any], gradients: list[Any], how: str) -> None:
        self.values, self.gradients, self.how = values, gradients, how


class Outcome:
    """A formulation at one place: worst relative errors of value and gradient, and what went wrong."""

    def __init__(
        self, value: float, gradient: float, overflow: str | None, raised: str | None = None
    ) -> None:
        self.value, self.gradient, self.overflow, self.raised = value, gradient, overflow, raised


class Trials:
    """Formulations of one function, run at multiples of the arguments.

    `args`: nested arrays of floats. `precision`: the digits of the truth. `runs`: at the arguments themselves.
    """

    def __init__(
        self, forms: Mapping[str, Callable[..., Any]], args: tuple[Any, ...], precision: int | None, seed: int
    ) -> None:
        self.forms, self.args = forms, args
        with np.errstate(all="ignore"):
            self.runs = {name: Run(name, form, args) for name, form in forms.items()}
            check_alike(self.runs)
            first = next(iter(self.runs.values())).values
            random = np.random.default_rng(seed)
            self.seeds = [np.ones_like(y) if y.size == 1 else weights(y, random) for y in first]
            self.directions = [weights(x, random) for x in leaves_of(args)]
            for run in self.runs.values():
                run.differentiate(self.seeds)
        size = max([value.dtype.itemsize for run in self.runs.values() for value in run.values], default=8)
        self.chosen = precision is not None
        self.precision = DIGITS[size] if precision is None else precision
        self.size = max(sum(map(cost, run.order)) for run in self.runs.values())
        self.known, self.why, self.formulas = self.examine()
        self.seen: dict[float, dict[str, Outcome]] = {}

    def exact(self, run: Run, shift: Any = None, precision: int | None = None) -> Truth:
        """The truth by one formulation's graph."""
        if not self.precision:
            raise NoTruth("digits=0 asks for longdouble")
        return Truth(run.outputs, run.leaves, self.seeds, precision or self.precision, shift)

    def enough(self, runs: Mapping[str, Run]) -> int:
        """How many digits it takes to see the smallest number that any formulation gives beside the largest."""
        found = [
            np.abs(x[x == x]) for run in runs.values() for x in map(np.ravel, [*run.values, *run.gradients])
        ]
        sizes = np.concatenate([np.ones(1), *found]).astype(WIDE)
        if self.chosen or not (
            np.isfinite(sizes).all() and sizes.all()
        ):  # a zero may be a small number that was lost
            return self.precision
        return min(self.precision, SPARE + int(np.log10(sizes.max() / sizes.min())))

    def examine(self) -> tuple[Known | None, str, dict[str, tuple[float, float]]]:
        """The truth at the arguments, why it is not exact, and how far apart the exact formulations are."""
        truths, why = {}, ""
        self.here = self.enough(self.runs)
        for name, run in self.runs.items():
            try:
                truth = self.exact(run, precision=self.here)
                truths[name] = [*truth.values, *truth.gradients]
            except NoTruth as error:
                why = why or (f"{name}: {error}" if self.precision else "digits=0")
        self.preferred = list(self.forms)[::-1]
        if not truths:
            return self.longdouble(self.runs[self.preferred[0]]), why, {}
        count = len(self.seeds)
        apart = {
            a: {
                b: (far_apart(theirs[:count], ours[:count]), far_apart(theirs[count:], ours[count:]))
                for b, theirs in truths.items()
            }
            for a, ours in truths.items()
        }
        eps = max(float(np.finfo(y.dtype).eps) for run in self.runs.values() for y in run.values)
        agreeing = {a: sum(max(pair) < 1000 * eps for pair in row.values()) for a, row in apart.items()}
        self.preferred = sorted(
            self.preferred, key=lambda name: (-agreeing.get(name, 0), not self.runs[name].tracked)
        )
        best = self.preferred[0]
        values, gradients = truths[best][:count], truths[best][count:]
        how = f"exact arithmetic with {self.here} digits"
        if self.here < self.precision:
            how += f", {self.precision} where numbers vanish"
        return Known(values, gradients, how), why, apart[best]

    def longdouble(self, run: Run) -> Known | None:
        """The truth by a formulation's own rules in longdouble, if that has more digits than it."""
        finest = min([float(np.finfo(y.dtype).eps) for y in run.values], default=1.0)
        if not np.finfo(WIDE).eps < finest or not run.tracked:
            return None
        shadow = Shadow(run.order)
        seeds = [s for y, s in zip(run.outputs, self.seeds, strict=True) if isinstance(y, Tensor)]
        slopes = shadow.gradients(run.tracked, seeds)
        values = [
            shadow.tensors[y].value if isinstance(y, Tensor) else np.asarray(y, WIDE) for y in run.outputs
        ]
        gradients = [slopes.get(leaf, np.zeros(leaf.shape, WIDE)) for leaf in run.leaves]
        return Known(values, gradients, "longdouble")

    def truth_of(self, runs: Mapping[str, Run]) -> Known | None:
        """The truth by the first of the runs that has one, in the order of preference."""
        for name in self.preferred:
            if name in runs:
                try:
                    truth = self.exact(runs[name], precision=self.enough(runs))
                except NoTruth:
                    continue
                if all(x.is_finite() for array in truth.values for x in array.flat):
                    return Known(truth.values, truth.gradients, "exact")
        for name in self.preferred:
            if name in runs:
                return self.longdouble(runs[name])
        return None

    def at(self, scale: float) -> dict[str, Outcome]:
        """How each formulation fares at `scale` times the arguments."""
        if scale in self.seen:
            return self.seen[scale]
        outcomes: dict[str, Outcome] = {}
        runs: dict[str, Run] = {}
        with np.errstate(all="ignore"):
            args = map_leaves(lambda x: (x * x.dtype.type(scale))[()], self.args)
            for name, form in self.forms.items():
                try:
                    runs[name] = run = Run(name, form, args)
                    run.differentiate(self.seeds)
                except Exception as error:  # at this scale only: that is a finding
                    runs.pop(name, None)
                    outcomes[name] = Outcome(np.nan, np.nan, None, type(error).__name__)
            known = self.truth_of(runs) if self.known else None
            for name, run in runs.items():
                value, gradient = self.distances(run, known, relative=True)
                outcomes[name] = Outcome(worst(value), worst(gradient), run.overflow())
        self.seen[scale] = outcomes
        return outcomes

    def distances(self, run: Run, known: Known | None, relative: bool) -> tuple[Any, Any]:
        """The errors of all elements of a run's values and of its gradients; 0 or NaN where nothing is known."""
        pairs = []
        for found, truth in (
            (run.values, known.values if known else None),
            (run.gradients, known.gradients if known else None),
        ):
            if truth is None:
                pairs.append([np.where(np.isfinite(x), 0.0, np.nan).ravel() for x in found])
            else:
                pairs.append([errors(x, y, relative).ravel() for x, y in zip(found, truth, strict=True)])
        return np.concatenate([np.zeros(0), *pairs[0]]), np.concatenate([np.zeros(0), *pairs[1]])

    def example(self, found: list[Any], which: int) -> tuple[str, str] | None:
        """The worst element of values (0) or gradients (1) and its truth, if it has lost half its digits."""
        for array, truth in zip(
            found, (self.known.values, self.known.gradients)[which] if self.known else (), strict=False
        ):
            far = errors(array, truth, relative=True)
            place = int(np.argmax(far)) if far.size else 0
            if far.size and not far.flat[place] < float(np.finfo(array.dtype).eps) ** 0.5:
                return told_apart(np.ravel(array)[place], truth.flat[place])
        return None

    def bend(self, name: str) -> list[Any] | None:
        """A formulation's Hessian times the directions, None where it has no second derivative here."""

        def total(args: Any) -> Any:
            outputs = leaves_of(self.forms[name](*args))
            return sum(np.sum(y * seed) for y, seed in zip(outputs, self.seeds, strict=True)) + 0.0

        remaining = iter(self.directions)
        directions = map_leaves(lambda x: next(remaining), self.args)
        with np.errstate(all="ignore"):
            try:
                return leaves_of(hvp(total, self.args, directions))
            except Exception:  # a rule that cannot be differentiated again
                return None

    def true_bend(self, expected: float) -> list[Any] | None:
        """The same in exact arithmetic, by a central difference of exact gradients; None if there is no such truth.

        `expected`: about how large it may be, or the difference is one across a corner.
        """
        assert self.known is not None
        sizes = [
            float(x) for leaf in leaves_of(self.args) for x in np.abs(np.ravel(leaf)) if 0 < x < np.inf
        ] or [1.0]
        precision = self.here + int(np.log10(max(sizes)) - np.log10(min(sizes)))
        with digits(precision):
            step = Decimal(10) ** (-self.here // 3) * Decimal(min(sizes))
            moves = [[decimal(x) * step for x in np.ravel(v)] for v in self.directions]
            try:
                run = self.runs[self.preferred[0]]
                ahead = self.exact(run, moves, precision).gradients
                behind = self.exact(run, [[-x for x in move] for move in moves], precision).gradients
            except NoTruth:
                return None
            found = [np.asarray((a - b) / (2 * step), object) for a, b in zip(ahead, behind, strict=True)]
            # At a corner the difference of the slopes on both sides is as large at any step.
            slopes = max([abs(g) for array in self.known.gradients for g in array.flat], default=Decimal(0))
            most = 10**6 * (Decimal(expected) + slopes / Decimal(min(sizes)))
            return None if any(abs(x) > most for array in found for x in array.flat) else found


def told_apart(found: Any, truth: Any) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart."""
    for count in range(2, 18):
        pair = f"{found:.{count}g}", f"{float(truth):.{count}g}"
        if pair[0] != pair[1]:
            break
    return pair


def worst(distances: Any) -> float:
    """The largest; NaN if one is NaN, 0 if there is none."""
    return float(np.max(distances, initial=0.0))


def check_alike(runs: Mapping[str, Run]) -> None:
    """Raise unless the outputs of all formulations have the same shapes."""
    (first, one), *others = runs.items()
    for name, run in runs.items():
        if not run.values:
            raise TypeError(f"compare: {name!r} returned no numbers")
    for name, run in others:
        ours, theirs = ([y.shape for y in each.values] for each in (one, run))
        if ours != theirs:
            raise ValueError(
                f"compare: {first!r} returns {shapes_in_words(ours)} and {name!r} {shapes_in_words(theirs)}; "
                "forms of one function return the same shapes"
            )


def shapes_in_words(shapes: list[tuple[int, ...]]) -> str:
    """What shapes a formulation returns."""
    return f"shape {shapes[0]}" if len(shapes) == 1 else f"{len(shapes)} arrays of shapes {shapes}"
