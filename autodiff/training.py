"""Training: the loop that one would write by hand, and around it validation, early stopping and checkpoints.

for x, y in minibatches(inputs, targets, batch_size=32, rng=rng):
    value = loss(model(x, rng=rng), y)
    optimizer.zero_grad()
    value.backward(free_graph=True)
    optimizer.step()
"""

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from tqdm import tqdm

from . import Tensor, find_nan, no_grad
from .data import minibatches
from .optim import clip_grad_norm
from .parameters import named_parameters, nested
from .storage import load, save

__all__ = ["accuracy", "fit", "predict"]

Function = Callable[[Any, Any], Any]


def fit(
    model: Any,
    loss: Function,
    optimizer: Any,
    train: tuple[Any, Any],
    validation: tuple[Any, Any] | None = None,
    *,
    epochs: int,
    batch_size: int = 32,
    rng: np.random.Generator,
    metrics: Mapping[str, Function] | None = None,
    patience: int | None = None,
    max_norm: float | None = None,
    checkpoint: Any = None,
    resume: Any = None,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Train `model` for so many `epochs`; returns its history, a number for each epoch in each of its lists.

    `loss`: `loss(outputs, targets)`, the mean over the rows as a scalar Tensor, such as `ad.cross_entropy`. `train`,
    `validation`: `(inputs, targets)`, arrays with a row for each example. `rng` shuffles the rows of each epoch and is
    handed to the model, for its dropout; what it draws makes the whole training.

    "loss" of the history is the mean over the epoch's rows, as they were met; "validation_loss" and each of `metrics`,
    `f(outputs, targets) -> number`, are measured on all of `validation` after the epoch. With `patience`, training stops
    after so many epochs without a smaller validation loss, and the parameters of the best epoch are put back in the end.
    `max_norm`: the joint norm that the gradients are clipped to. `progress` shows a bar on a terminal, and nowhere else.

    `checkpoint`: a path that ends in .npz or .safetensors. At the start and after every epoch a file there is
    replaced as a whole, so that it is whole at any moment. `resume`: the path of such a file, to go on from it, to the bit as
    if there had been no interruption, up to `epochs` in total; settings are given anew.

    Raises FloatingPointError, with the parameters as they were before the step, where the loss or a gradient is NaN or
    infinite; ValueError or TypeError for data, settings and files that do not fit.

    >>> from functools import partial
    >>> import autodiff as ad
    >>> rng = np.random.default_rng(0)
    >>> model = ad.nn.Linear(1, 1, rng)
    >>> x = np.linspace(-1, 1, 21)[:, None]
    >>> history = fit(
    ...     model, lambda y, t: ((y - t) ** 2).mean(), ad.optim.SGD(model.parameters(), 0.1), (x, 3 * x + 1), epochs=100, rng=rng
    ... )
    >>> model.weight.data.round(2).tolist(), model.bias.data.round(2).tolist()
    ([[3.0]], [1.0])
    >>> len(history["loss"])
    100
    """
    inputs, targets = pair(train, "train")
    metrics = dict(metrics or {})
    check_settings(epochs, batch_size, rng, metrics, patience, validation)
    names = ["loss"] if validation is None else ["loss", "validation_loss", *metrics]
    run = Run(model, optimizer, rng, {name: [] for name in names})
    if patience is not None:
        run.keep_best()
    if validation is not None:
        validation = pair(validation, "validation")
    if resume is not None:
        run.load(resume, epochs)
    if checkpoint is not None:
        save(checkpoint, run.state())

    history = run.history
    silent = not progress or sys.stderr is None or not sys.stderr.isatty()
    done = len(history["loss"])
    with tqdm(desc="training", unit="epoch", initial=done, total=epochs, disable=silent) as bar:
        for epoch in range(done, epochs):
            if patience is not None and epochs_since_best(history) >= patience:
                break
            total = 0.0
            for batch, (x, y) in enumerate(minibatches(inputs, targets, batch_size=batch_size, rng=rng)):
                try:
                    total += len(x) * step(model, loss, optimizer, x, y, rng, max_norm)
                except FloatingPointError as error:
                    raise FloatingPointError(f"fit: epoch {epoch + 1}, batch {batch + 1}: {error}") from error
            history["loss"].append(total / len(inputs))
            if validation is not None:
                for name, value in measured(model, loss, validation, metrics).items():
                    history[name].append(value)
            if patience is not None and epochs_since_best(history) == 0:
                run.keep_best()
            if checkpoint is not None:
                save(checkpoint, run.state())
            bar.set_postfix({name: f"{values[-1]:.4g}" for name, values in history.items()}, refresh=False)
            bar.update()
    run.put_best_back()
    return history


def step(
    model: Any, loss: Function, optimizer: Any, x: Any, y: Any, rng: Any, max_norm: float | None
) -> float:
    """Train on one batch; returns its loss before the step."""
    value = loss(model(x, rng=rng), y)
    check_loss(value)
    optimizer.zero_grad()
    value.backward(free_graph=True)
    check_gradients(optimizer, max_norm)
    optimizer.step()
    return float(value.item())


def measured(
    model: Any, loss: Function, validation: tuple[Any, Any], metrics: dict[str, Function]
) -> dict[str, float]:
    """The validation loss and the metrics, by name."""
    inputs, targets = validation
    outputs = predict(model, inputs)
    functions = {"validation_loss": loss, **metrics}
    with no_grad():
        return {name: number(f(outputs, targets), name) for name, f in functions.items()}


def predict(model: Any, inputs: Any, batch_size: int = 256) -> Any:
    """The outputs of `model` for all rows of `inputs`, as an array; no graph is recorded and nothing dropped out.

    The model is handed `batch_size` rows at a time. Raises ValueError for a `batch_size` below 1.

    >>> from autodiff.nn import Linear
    >>> predict(Linear(4, 3, np.random.default_rng(0)), np.zeros((1000, 4))).shape
    (1000, 3)
    """
    inputs = np.asarray(inputs)
    if inputs.ndim == 0:
        raise ValueError("predict: inputs has no rows; a single example is a batch of one, x[None]")
    with no_grad():
        batches = list(minibatches(inputs, batch_size=batch_size)) or [(inputs,)]  # none has a shape, too
        return np.concatenate([model(x) for (x,) in batches])


def accuracy(logits: Any, targets: Any) -> float:
    """The share of rows whose largest logit is that of the target.

    `logits`: (..., classes); `targets`: integers (...). Where several are largest the first counts; a row with a NaN
    is wrong. Raises ValueError where the shapes do not fit, and for no rows.

    >>> accuracy(np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 0.5]]), np.array([0, 1, 1]))
    0.6666666666666666
    """
    logits = logits.data if isinstance(logits, Tensor) else np.asarray(logits)
    targets = np.asarray(targets)
    if logits.ndim == 0 or logits.shape[:-1] != targets.shape or logits.shape[-1] < 2:
        raise ValueError(
            f"accuracy: logits of shape {logits.shape} do not fit targets of shape {targets.shape}; "
            "logits are (..., classes), two or more, and targets (...)"
        )
    if targets.dtype.kind not in "iu":
        raise ValueError(f"accuracy: targets are the numbers of classes, integers, not {targets.dtype}")
    if targets.size == 0:
        raise ValueError("accuracy: there are no rows")
    right = (np.argmax(logits, axis=-1) == targets) & ~np.isnan(logits).any(axis=-1)
    return float(np.mean(right))


# -- a training between two epochs -----------------------------------------------------------------------


@dataclass
class Run:
    """All that the rest of a training depends on, besides its data and settings."""

    model: Any
    optimizer: Any
    rng: np.random.Generator
    history: dict[str, list[float]]
    best: dict[str, Any] | None = (
        None  # the parameters of the best epoch so far, where they will be asked for
    )

    def __post_init__(self) -> None:
        if not callable(getattr(self.model, "parameters", None)):
            raise TypeError(
                f"fit: model is a {type(self.model).__name__} without parameters(); make it an nn.Module"
            )
        own = set(self.parameters().values())
        for name, p in named_parameters(self.optimizer.parameters).items():
            if p not in own:
                raise ValueError(
                    f"fit: the optimizer's parameter {name!r} is not one of the model's; "
                    "hand the optimizer model.parameters() of this very model"
                )

    def parameters(self) -> dict[str, Tensor]:
        """The model's parameters by name."""
        return named_parameters(self.model.parameters())

    def keep_best(self) -> None:
        """Remember the parameters as they are now."""
        self.best = {name: np.array(p.data) for name, p in self.parameters().items()}

    def put_best_back(self) -> None:
        """Give the model its best parameters, if they were remembered."""
        if self.best is not None:
            for name, p in self.parameters().items():
                p.data = self.best[name]

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds, as nested dicts of arrays and a text."""
        progress = {"history": self.history, "rng": self.rng.bit_generator.state}
        return {
            "parameters": self.model.parameters(),
            "best": None if self.best is None else nested(self.best),
            "optimizer": {type(self.optimizer).__name__: self.optimizer.state()},
            "progress": json.dumps(progress, default=lambda array: array.tolist()),
        }

    def load(self, path: Any, epochs: int) -> None:
        """Go on from a checkpoint; ValueError, and nothing changes, if it is not one of this training."""
        state = load(path)
        try:
            self._take(state, epochs)
        except ValueError as error:
            raise ValueError(f"fit: cannot resume from {str(path)!r}: {error}") from None

    def _take(self, state: dict[str, Any], epochs: int) -> None:
        missing = {"parameters", "optimizer", "progress"} - state.keys()
        if missing:
            raise ValueError(f"it has no {', '.join(sorted(missing))}, so it is no checkpoint of fit")
        progress = json.loads(state["progress"])
        history, rng = progress["history"], progress["rng"]
        if len(history["loss"]) > epochs:
            raise ValueError(f"{len(history['loss'])} epochs are done already, more than epochs={epochs}")
        if history.keys() != self.history.keys():
            raise ValueError(f"its history has {list(history)}, and this one would have {list(self.history)}")
        kind = type(self.optimizer).__name__
        if kind not in state["optimizer"]:
            raise ValueError(f"its optimizer is {', '.join(state['optimizer'])}, not {kind}")
        own_rng = self.rng.bit_generator
        if rng["bit_generator"] != type(own_rng).__name__:
            raise ValueError(f"its rng is a {rng['bit_generator']}, not a {type(own_rng).__name__}")
        parameters = named_parameters(state["parameters"])
        own = self.parameters()
        check_fit("parameter", parameters, own)
        if self.best is not None:
            if "best" not in state:
                raise ValueError("it was written without patience, so it has no best parameters")
            best = named_parameters(state["best"])
            check_fit("best parameter", best, own)
            self.best = best
        self.optimizer.load_state(state["optimizer"][kind])
        own_rng.state = rng
        self.history.update(history)
        for name, p in own.items():
            p.data = parameters[name]


def epochs_since_best(history: dict[str, list[float]]) -> int:
    """How many epochs ago the validation loss was smallest; NaN is larger than any."""
    losses = history["validation_loss"]
    best = min(range(len(losses)), key=lambda epoch: (math.isnan(losses[epoch]), losses[epoch]), default=-1)
    return len(losses) - 1 - best


# -- what is refused -------------------------------------------------------------------------------------


def pair(data: Any, name: str) -> tuple[Any, Any]:
    """`data`, called `name`, as an array of inputs and one of as many targets."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"fit: {name} is (inputs, targets), two arrays, not {type(data).__name__}")
    inputs, targets = map(np.asarray, data)
    if inputs.ndim == 0 or targets.ndim == 0:
        raise ValueError(f"fit: {name} has rows, and not shapes {inputs.shape} and {targets.shape}")
    if len(inputs) != len(targets):
        raise ValueError(f"fit: {name} has {len(inputs)} inputs and {len(targets)} targets")
    if not len(inputs):
        raise ValueError(f"fit: {name} is empty")
    return inputs, targets


def check_settings(
    epochs: int,
    batch_size: int,
    rng: Any,
    metrics: dict[str, Function],
    patience: int | None,
    validation: Any,
) -> None:
    """Raise for settings out of range, and for those that need a validation set where there is none."""
    for name, value, least in (
        ("epochs", epochs, 0),
        ("batch_size", batch_size, 1),
        ("patience", patience, 1),
    ):
        if value is not None and index(value) < least:
            raise ValueError(f"fit: {name} is {value}; it must be {least} or more")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"fit: rng is {rng!r}; give a Generator, as np.random.default_rng(0)")
    if validation is None and (metrics or patience is not None):
        what = "metrics" if metrics else "patience"
        raise ValueError(f"fit: {what} needs a validation set: validation=(inputs, targets)")
    for name in metrics.keys() & {"loss", "validation_loss"}:
        raise ValueError(f"fit: {name!r} is taken; give the metric another name")


def check_loss(value: Any) -> None:
    """Raise unless a loss is a finite scalar Tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"fit: loss returned {type(value).__name__}, no Tensor, so it has no gradient; return a scalar made by "
            "NumPy's functions of the outputs, outside of no_grad"
        )
    if value.size != 1:
        raise ValueError(f"fit: loss returned shape {value.shape}; reduce it to a scalar, as by .mean()")
    if not math.isfinite(value.item()):
        raise FloatingPointError(f"the loss is {value.item()}; ad.find_nan says:\n{find_nan(value)}")


def check_gradients(optimizer: Any, max_norm: float | None) -> None:
    """Clip the gradients to `max_norm`; raise if there are none, or if one is not finite."""
    if all(p.grad is None for p in named_parameters(optimizer.parameters).values()):
        raise ValueError("fit: the loss depends on none of the optimizer's parameters")
    try:
        clip_grad_norm(optimizer.parameters, math.inf if max_norm is None else max_norm)
    except FloatingPointError as error:
        raise FloatingPointError(
            f"{error}; ad.find_nan(loss) for this batch, or fit inside ad.detect_anomaly(), says where it was born"
        ) from None


def check_fit(what: str, saved: dict[str, Any], own: dict[str, Tensor]) -> None:
    """Raise ValueError unless arrays of a file have the names, shapes and dtypes of the model's parameters."""
    for name in own.keys() ^ saved.keys():
        raise ValueError(f"{what} {name!r} is {'the model' if name in own else 'the file'}'s alone")
    for name, p in own.items():
        if (saved[name].shape, saved[name].dtype) != (p.shape, p.dtype):
            raise ValueError(
                f"{what} {name!r} is {saved[name].dtype} {saved[name].shape} there, {p.dtype} {p.shape} in the model"
            )


def number(value: Any, name: str) -> float:
    """What a loss or a metric returned, as a Python number."""
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"fit: {name} should be one number on the validation set: {error}") from None
