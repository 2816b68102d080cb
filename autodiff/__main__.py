"""The command line: train a small network on real flowers twice, compare softmax's forms, draw a backward pass."""

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from tqdm import tqdm

from . import Tensor, cross_entropy, relu
from .comparison import Comparison, compare
from .data import load_iris, stratified_split
from .visualize import NoPictureError, draw, tree

FORMS = ("naive", "composed", "fused")
SCALES, LIMIT, DIGITS = (1, 20, 100), 1e4, 60
HIDDEN, HELD_OUT, SMALL_BATCH = 10, 30, 5
SPLIT = 1936  # the seed of the one split, so that --seed changes the network and not the examination
MOST_STEPS = 1_000_000


class Problem(Exception):
    """What the person at the command line has to know, in one line, and the exit status with it."""

    def __init__(self, line: str, status: int) -> None:
        super().__init__(line)
        self.status = status


# -- options ---------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        hint = "; see --help" if message.startswith("unrecognized arguments") else ""
        raise Problem(" ".join(message.split()) + hint, 2)


def whole_number(most: float, text: str) -> int:
    """`text` as an integer from 0 to `most`."""
    with suppress(ValueError):
        if 0 <= int(text) <= most:
            return int(text)
    upper = "or more" if most == math.inf else f"to {most}"
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 {upper}")


def positive_number(text: str) -> float:
    """`text` as a finite number above 0."""
    with suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a finite number above 0")


def version() -> str:
    """The version of the installed distribution."""
    try:
        return metadata.version("tiny-autodiff")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def folder(path: Path) -> Path:
    """`path`, a folder that can be written to; it is made if it is not there."""
    if path.suffix.lower() in (".svg", ".txt") and not path.exists():
        raise Problem(
            f"argument --out: {str(path)!r} should be a folder; the picture in it is called backward.svg", 2
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except FileExistsError:
        raise Problem(f"argument --out: {str(path)!r} is not a folder", 2) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Problem(f"argument --out: cannot write to {str(path)!r}: {reason}", 2) from None


def read_options(words: list[str] | None) -> argparse.Namespace:
    """The options in `words`, or in the command line; Problem for a bad one."""
    parser = Parser(
        prog="python -m autodiff",
        description="Train a 4-10-3 network on the Iris flowers with composed and with fused softmax, "
        "compare the forms of softmax, and draw the backward pass of a small batch.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--steps",
        type=partial(whole_number, MOST_STEPS),
        default=500,
        metavar="N",
        help="training steps (default 500)",
    )
    add("--lr", type=positive_number, default=0.2, metavar="RATE", help="learning rate (default 0.2)")
    add(
        "--seed",
        type=partial(whole_number, math.inf),
        default=0,
        metavar="N",
        help="seed of the first parameters (default 0)",
    )
    add(
        "--out",
        type=Path,
        default=".",
        metavar="DIR",
        help="folder for the picture (default: the current one)",
    )
    add(
        "--form",
        choices=["both", *FORMS],
        default="both",
        help="form of softmax to train with (default both: composed and fused)",
    )
    add(
        "--dtype",
        choices=["float32", "float64"],
        default="float64",
        help="dtype of every number (default float64)",
    )
    add("--version", action="version", version=f"autodiff {version()}")
    options = parser.parse_args(words)
    options.out = folder(options.out)
    return options


# -- training --------------------------------------------------------------------------------------


class Flowers(NamedTuple):
    """Standardised features and class numbers, to train on and held out."""

    features: Any
    labels: Any
    test_features: Any
    test_labels: Any


def read_flowers(dtype: str) -> Flowers:
    """Iris in two parts, scaled by the mean and deviation of the part to train on."""
    features, labels, _ = load_iris()
    train, test = stratified_split(labels, HELD_OUT, SPLIT)
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    scaled = ((features - mean) / deviation).astype(dtype)
    return Flowers(scaled[train], labels[train], scaled[test], labels[test])


def new_parameters(seed: int, dtype: str) -> dict[str, Tensor]:
    """The network's weights, normally distributed by `seed`, and biases, 0."""
    generator = np.random.default_rng(seed)
    arrays = {
        "W1": generator.normal(size=(4, HIDDEN)) * math.sqrt(2 / 4),
        "b1": np.zeros(HIDDEN),
        "W2": generator.normal(size=(HIDDEN, 3)) * math.sqrt(1 / HIDDEN),
        "b2": np.zeros(3),
    }
    return {name: Tensor(array.astype(dtype), name=name) for name, array in arrays.items()}


def network(parameters: dict[str, Any], features: Any) -> Any:
    """The logits, (batch, 3): Tensors where the parameters are, arrays where they are arrays."""
    p = parameters
    return relu(features @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def train(form: str, flowers: Flowers, options: argparse.Namespace) -> tuple[dict[str, Tensor], float, int]:
    """Parameters after gradient descent with softmax of `form`, the last loss, and the right answers."""
    parameters = new_parameters(options.seed, options.dtype)
    silent = sys.stderr is None or not sys.stderr.isatty()
    with np.errstate(all="ignore"):
        for _ in tqdm(range(options.steps), desc=f"training, {form}", disable=silent, leave=False):
            loss = cross_entropy(network(parameters, flowers.features), flowers.labels, form=form)
            loss.backward()
            for p in parameters.values():
                p.data -= options.lr * p.grad
                p.grad = None
        trained = {name: p.data for name, p in parameters.items()}
        loss = cross_entropy(network(trained, flowers.features), flowers.labels, form=form)
        answers = np.argmax(network(trained, flowers.test_features), axis=1)
    if not np.isfinite(loss):
        raise Problem(f"the training diverged, its loss is {loss}: try an --lr below {options.lr:g}", 1)
    return parameters, float(loss), int(np.sum(answers == flowers.test_labels))


# -- what is printed -------------------------------------------------------------------------------


def training_lines(results: dict[str, tuple[float, int]], dtype: str) -> list[str]:
    """Losses and accuracies of the trained networks, and how far the losses are apart."""
    digits = 9 if dtype == "float32" else 17  # as many as tell any two apart
    lines = [f"{'softmax':<11}{'final loss':<25}right on the {HELD_OUT} held out"]
    for form, (loss, right) in results.items():
        lines.append(f"{form:<11}{loss:<25.{digits}g}{right} of {HELD_OUT} ({100 * right / HELD_OUT:.1f} %)")
    if len(results) > 1:
        one, other = (loss for loss, _ in results.values())
        lines.append(f"difference {number(abs(one - other))}")
    return lines


def number(x: float) -> str:
    """An error or a difference, in two digits."""
    return "NaN" if math.isnan(x) else f"{x:.1e}" if x not in (0, 1) else f"{x:.0f}"


def comparison_lines(flowers: int, step: Comparison, errors: Comparison, growth: Comparison) -> list[str]:
    """The one table, with a column for each form of softmax."""

    def line(label: str, cells: list[str]) -> str:
        return f"{label:<44}" + "".join(f"{cell:>12}" for cell in cells)

    def threshold(logit: float | None) -> str:
        return "never" if logit is None else f"{logit:.3g}" if logit < 50 else f"{logit:.1f}"

    return [
        line("", [row.name for row in step.rows]),
        f"one step of training, {flowers} flowers",
        line("  nodes in the graph", [str(row.nodes) for row in step.rows]),
        line("  kept for the backward pass", [f"{row.bytes / 1000:.1f} kB" for row in step.rows]),
        line("  forward pass", [f"{1000 * row.forward:.3f} ms" for row in step.rows]),
        line("  backward pass", [f"{1000 * row.backward:.3f} ms" for row in step.rows]),
        line(
            "  largest gradient difference to fused", [number(row.gradient_difference) for row in step.rows]
        ),
        f"the logits' gradient, worst relative error against {DIGITS}-digit arithmetic",
        *(
            line(f"  at logits of size {scale:g}", [number(row.curve[scale][1]) for row in errors.rows])
            for scale in errors.scales
        ),
        f"the gradient, while one logit grows to {LIMIT:.0f}",
        line("  is 1 % wrong from", [threshold(row.failures["gradient wrong"]) for row in growth.rows]),
        line("  is NaN from", [threshold(row.failures["nan"]) for row in growth.rows]),
        "(An error of 1: not one digit is right, a small number came out as 0.)",
    ]


def replace_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then put it in its place: nobody meets half a file."""
    aside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        write(aside)
        aside.replace(path)
    except OSError as error:
        raise Problem(f"cannot write {str(path)!r}: {error.strerror or error}", 2) from None
    finally:
        aside.unlink(missing_ok=True)


def picture_lines(loss: Tensor, out: Path) -> list[str]:
    """Write the picture of the backward pass of `loss`, or its tree as text, and say where it is."""
    path = out / "backward.svg"
    try:
        replace_whole(path, draw(loss).save)
        return [str(path)]
    except NoPictureError as error:
        path = out / "backward.txt"
        text = f"{tree(loss)}\n"
        replace_whole(path, lambda aside: aside.write_text(text, encoding="utf-8"))
        return [f"{path} (text: {error})"]


def measure(
    losses: dict[str, Callable[..., Any]], parameters: dict[str, Tensor], dtype: str
) -> tuple[Comparison, Comparison, Comparison]:
    """The forms compared in one step of training, at logits of several sizes, and while one logit grows."""
    generator = np.random.default_rng(0)
    normal, targets = generator.normal(size=(100, 3)), generator.integers(3, size=100)

    def forms(targets: Any) -> dict[str, Callable[..., Any]]:
        return {form: partial(cross_entropy, targets=targets, form=form) for form in FORMS}

    exact = partial(compare, dtype=dtype, digits=DIGITS, repeats=1)
    growing = np.array([[0, 1, 0]] * 2)  # as the target, and not
    return (
        compare(losses, parameters, digits=0, scales=(), sweep=None, repeats=200),
        exact(forms(targets), normal, scales=SCALES, sweep=None),
        exact(forms([1, 2]), growing, scales=(), sweep=(1, LIMIT)),
    )


# -- the command -----------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> None:
    """Train, compare, draw, and print what came of it."""
    flowers = read_flowers(options.dtype)
    here, count = partial(print, flush=True), len(flowers.labels)
    here("A 4-10-3 network (ReLU, softmax, cross-entropy) learns Fisher's Iris flowers:")
    here(f"{count} to train on, {HELD_OUT} held out, {options.dtype}.")
    here(f"{options.steps} steps of gradient descent, learning rate {options.lr:g}, seed {options.seed}.\n")
    results = {}
    for form in ("composed", "fused") if options.form == "both" else (options.form,):
        parameters, loss, right = train(form, flowers, options)
        results[form] = loss, right
    here(*training_lines(results, options.dtype), sep="\n", end="\n\n")

    def loss_by(form: str, p: dict[str, Any], every: int = 1) -> Any:
        logits = network(p, flowers.features[::every]).named("logits")
        return cross_entropy(logits, flowers.labels[::every], form=form).named("loss")

    with np.errstate(all="ignore"):
        reports = measure({form: partial(loss_by, form) for form in FORMS}, parameters, options.dtype)
        here(*comparison_lines(count, *reports), sep="\n", end="\n\n")
        small = loss_by(form, parameters, count // SMALL_BATCH)
        here(f"The backward pass of {SMALL_BATCH} flowers, {form} softmax, is drawn in")
        here(*picture_lines(small, options.out), sep="\n")


def main(words: list[str] | None = None) -> int:
    """Run the command line, `words` or the process's own; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that has no UTF-8 gets escapes, not a crash
            stream.reconfigure(errors="backslashreplace")
    try:
        run(read_options(words))
        return 0
    except Problem as problem:
        print(f"autodiff: {problem}", file=sys.stderr)
        return problem.status
    except KeyboardInterrupt:
        print("autodiff: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        # Whoever read the output has enough of it, as in `| head -1`, or its disk is full: either way
        # Python must not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 141
        print(f"autodiff: {error.strerror or error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
