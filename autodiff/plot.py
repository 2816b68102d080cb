"""Plots, by matplotlib (the extra `plot`): a Jacobian, the gradients' sizes, losses, confusions, errors of softmax.

Each function draws into the Axes `ax`, or into new ones, and returns them; showing and saving is the caller's.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from .graph import backpropagate, topological_order
from .losses import cross_entropy
from .reference.trials import Trials
from .tensor import Tensor
from .transforms import jacobian as jacobian_of

# Okabe and Ito's colours, and a line style with each: never colour alone.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
COLORS = (BLUE, ORANGE, GREEN, PINK, "#E69F00", "#56B4E9", "#7A8594")
STYLES = ("-", "--", "-.", ":")
MOST_WRITTEN = 36  # numbers that fit into a heatmap's cells


def signs() -> Any:
    """The colours of signed numbers: blue is negative, white zero, orange positive, magenta not finite."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signs", [BLUE, "#FFFFFF", ORANGE]).with_extremes(bad="#C0267E")


def axes(ax: Any = None) -> Any:
    """`ax`, or the Axes of a new figure."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'tiny-autodiff[plot]'") from None
    return pyplot.subplots(layout="constrained")[1] if ax is None else ax


def jacobian(f: Callable[..., Any], x: Any, ax: Any = None) -> Any:
    """The Jacobian of `f` at the array `x` as a heatmap: a row for each output, a column for each input.

    Orange is positive, blue negative, white zero; small matrices have their numbers written in. Returns the Axes.
    """
    from matplotlib.colors import SymLogNorm

    ax = axes(ax)
    x = np.asarray(x, None if hasattr(x, "dtype") else float)
    found = np.asarray(jacobian_of(f)(x))
    matrix = found.reshape(-1, max(x.size, 1)) if found.size else np.zeros((1, 1))
    finite = np.abs(matrix[np.isfinite(matrix)])
    largest = float(finite.max(initial=0)) or 1.0
    image = ax.imshow(
        np.ma.masked_invalid(matrix),
        cmap=signs(),
        norm=SymLogNorm(largest / 100, vmin=-largest, vmax=largest),
    )
    bar = ax.figure.colorbar(image, ax=ax, label="derivative", ticks=[-largest, 0, largest], format="%.2g")
    bar.minorticks_off()  # they say nothing without numbers, and take as long to draw as the picture
    if matrix.size <= MOST_WRITTEN:
        for (row, column), number in np.ndenumerate(matrix + 0.0):  # no -0
            ax.text(column, row, f"{number:.2g}", ha="center", va="center", fontsize=8)
    ax.set(xlabel="input", ylabel="output", title="Jacobian")
    for axis, count in ((ax.xaxis, matrix.shape[1]), (ax.yaxis, matrix.shape[0])):
        axis.set_ticks(range(count) if count <= 12 else [0, count - 1])
    return ax


def grad_flow(loss: Tensor, ax: Any = None) -> Any:
    """The sizes of the gradients at the parameters behind `loss`, in the order in which they were made.

    A bar for the mean size of each, a line up to the largest, on a logarithmic scale; what is exactly 0 is
    written. No `.grad` is touched. Returns the Axes.
    """
    if not isinstance(loss, Tensor):
        raise TypeError(
            f"grad_flow: takes the Tensor that a computation ends with, not {type(loss).__name__}"
        )
    ax = axes(ax)
    with np.errstate(all="ignore"):
        found = {node: np.abs(g) for node, g in backpropagate([loss], [None]) if node.inputs == ()}
    leaves = [node for node in topological_order([loss]) if node in found]
    names = [
        node.notes.name if node.notes and node.notes.name else f"parameter {place}"
        for place, node in enumerate(leaves)
    ]
    means = np.array([np.mean(found[node], dtype=np.float64) if found[node].size else 0 for node in leaves])
    largest = np.array([np.max(found[node], initial=0) for node in leaves], dtype=np.float64)
    places = np.arange(len(leaves))
    positive = means > 0
    floor = means[positive].min(initial=1.0) / 10
    ax.set_yscale("log")
    ax.bar(places[positive], means[positive], color=BLUE, alpha=0.8, label="mean size")
    ax.vlines(places[positive], means[positive], largest[positive], color=ORANGE, linewidth=2)
    ax.plot(places[positive], largest[positive], "_", color=ORANGE, markersize=14, label="largest")
    for place in places[~positive]:
        word = "0" if means[place] == 0 else "NaN"
        ax.annotate(word, (place, 0.02), xycoords=("data", "axes fraction"), ha="center")
    if positive.any():
        ax.set_ylim(bottom=floor)
    ax.set_xticks(
        places, names, rotation=30 if len(names) > 6 else 0, ha="right" if len(names) > 6 else "center"
    )
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set(ylabel="size of the gradient", title="Gradients from first to last parameter")
    ax.legend(frameon=False)
    return ax


def loss_curve(losses: Sequence[float] | Mapping[str, Sequence[float]], ax: Any = None) -> Any:
    """Losses over training steps: of one training, or of several by name. Returns the Axes.

    The scale is logarithmic where positive losses span more than a factor of 30.
    """
    ax = axes(ax)
    curves = losses if isinstance(losses, Mapping) else {"": losses}
    everything = [np.asarray(curve, np.float64) for curve in curves.values()]
    for (name, _), curve, color, style in zip(
        curves.items(), everything, COLORS * 9, STYLES * 16, strict=False
    ):
        ax.plot(np.arange(1, len(curve) + 1), curve, style, color=color, label=name)
    numbers = np.concatenate([np.zeros(0), *everything])
    numbers = numbers[np.isfinite(numbers)]
    if numbers.size and numbers.min() > 0 and numbers.max() > 30 * numbers.min():
        ax.set_yscale("log")
    ax.set(xlabel="step", ylabel="loss")
    ax.spines[["top", "right"]].set_visible(False)
    if any(curves):
        ax.legend(frameon=False)
    return ax


def confusion(targets: Any, predictions: Any, labels: Sequence[str] | None = None, ax: Any = None) -> Any:
    """How often each true class was taken for which: a row for each class, a column for each prediction.

    `targets` and `predictions`: integers (n,), from 0 on; `labels`: a name for each class. What is right lies on the
    diagonal and is blue, what is wrong orange; the shade grows with the logarithm
    of the share of its row. Returns the Axes.
    """
    from matplotlib.colors import SymLogNorm

    targets, predictions = np.asarray(targets), np.asarray(predictions)
    for name, classes in (("targets", targets), ("predictions", predictions)):
        if classes.ndim != 1 or classes.dtype.kind not in "iu" or classes.min(initial=0) < 0:
            raise ValueError(
                f"confusion: {name} must be one class a row, as integers from 0 on, not {classes!r:.60}"
            )
    if len(targets) != len(predictions):
        raise ValueError(f"confusion: {len(targets)} targets for {len(predictions)} predictions")
    ax = axes(ax)
    found = int(max(targets.max(initial=0), predictions.max(initial=0))) + 1
    count = found if labels is None else len(labels)
    if found > count:
        raise ValueError(f"confusion: class {found - 1} has no label; there are {count}")
    counts = np.zeros((count, count), int)
    np.add.at(counts, (targets, predictions), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    signed = np.where(np.eye(count, dtype=bool), -shares, shares)
    ax.imshow(signed, cmap=signs(), norm=SymLogNorm(0.02, vmin=-3, vmax=3))
    for (row, column), number in np.ndenumerate(counts):
        if number:
            ax.text(column, row, f"{number}", ha="center", va="center", fontsize=9 if count <= 12 else 6)
    names = range(count) if labels is None else labels
    crowded = count * max(len(str(name)) for name in names) > 48  # characters in a row
    ax.set_xticks(range(count), names, **({"rotation": 45, "ha": "right"} if crowded else {}))
    ax.set_yticks(range(count), names)
    right = int(np.trace(counts))
    ax.set(xlabel="predicted", ylabel="true", title=f"{right} of {len(targets)} right")
    return ax


def error_curves(ax: Any, curves: Mapping[str, Mapping[float, float]], *dtypes: Any) -> Any:
    """For each name a line of relative errors over a factor, both on logarithmic scales; a cross where it ends in NaN."""
    from matplotlib.patheffects import withStroke

    eps = min(float(np.finfo(dtype).eps) for dtype in dtypes)
    colors = COLORS * (len(curves) // len(COLORS) + 1)
    for place, (name, curve) in enumerate(curves.items()):
        scales = sorted(curve)
        errors = np.array([curve[scale] for scale in scales], dtype=np.float64)
        known = np.isfinite(errors)
        style = STYLES[place % len(STYLES)]
        shown = np.where(known, np.clip(errors, eps / 30, 2), np.nan)
        ax.loglog(scales, shown, style, color=colors[place], label=name, linewidth=1.8)
        ended = np.flatnonzero(~known[1:] & known[:-1])
        if len(ended):
            ax.plot(scales[ended[0] + 1], 2, "x", color=colors[place], markersize=9, markeredgewidth=2)
            ax.annotate(
                "NaN", (scales[ended[0] + 1], 2), xytext=(4, 4), textcoords="offset points", fontsize=9
            )
    for dtype in dtypes:
        at = float(np.finfo(dtype).eps)
        ax.axhline(at, color="#7A8594", linewidth=0.8, zorder=0)
        words = f"eps of {np.dtype(dtype)}"
        text = ax.annotate(
            words, (1, at), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8
        )
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])  # lines may cross it
    ax.set_ylim(eps / 60, 20)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="best")
    return ax


def softmax_error(ax: Any = None, *, dtypes: Sequence[Any] = (np.float32, np.float64)) -> Any:
    """How wrong the gradient of softmax's cross-entropy is while one logit grows: composed and fused, by dtype.

    The worst relative error of the logits' gradient against exact arithmetic, for the logits [0, s, 0] with the target
    at s and beside it. Returns the Axes.
    """
    ax = axes(ax)
    curves = {}
    for dtype in dtypes:
        most = -float(np.log(np.finfo(dtype).tiny))  # from there on the dtype has no such small number
        scales = [float(scale) for scale in np.geomspace(1, 0.99 * most, 33)]
        forms = {form: partial(cross_entropy, targets=[1, 2], form=form) for form in ("composed", "fused")}
        trials = Trials(forms, (np.array([[0, 1, 0]] * 2, dtype),), 60, 0)
        for form in forms:
            curves[f"{form}, {np.dtype(dtype)}"] = {
                scale: trials.at(scale)[form].gradient for scale in scales
            }
    error_curves(ax, curves, *dtypes)
    ax.set(xlabel="size of the one large logit", ylabel="worst relative error of the gradient")
    ax.set_title("An error of 1: not one digit is right")
    ax.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.33))
    return ax
