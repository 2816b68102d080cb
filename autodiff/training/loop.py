"""The loop, and what is refused before and in it."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from .. import Tensor, find_nan, no_grad
from ..data.batches import check_generator, minibatches
from ..files import check_folder
from ..optim import clip_grad_norm
from ..parameters import named_parameters
from ..storage import save
from .progress import bar
from .run import Run

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
    """Train `model` for so many `epochs`; returns the history, lists with a number for each epoch.

    `loss`: `loss(outputs, targets)`, a scalar Tensor, the mean over the rows; such as `ad.cross_entropy`.
    `train`, `validation`: `(inputs, targets)`, arrays with a row for each example. `rng` shuffles the rows
    before each epoch and is handed to the model, for its dropout: the same seed trains the same parameters.

    "loss" in the history is the mean over the epoch's rows, each as it was met; "validation_loss" and each of
    `metrics`, `f(outputs, targets) -> number`, are measured on all of `validation` after the epoch. With
    `patience`, training ends after that many epochs without a smaller validation loss, and in the end the
    parameters of the best epoch are put back. `max_norm`: what the gradients' joint norm is clipped to.
    `progress`: a bar, shown on terminals and in notebooks.

    `checkpoint`: a path that ends in .npz or .safetensors. The file there is replaced after every epoch, and
    is whole at any moment. `resume`: the path of such a file, from which training goes on, to the bit as if
    it had not been interrupted, until `epochs` are done in all; model, optimizer, data and settings are given
    again.

    Raises FloatingPointError where the loss or a gradient is NaN or infinite, with the parameters as they
    were before that step; TypeError and ValueError for data, settings and files that do not fit.

    >>> import autodiff as ad
    >>> rng = np.random.default_rng(0)
    >>> model = ad.nn.Linear(1, 1, rng)
    >>> optimizer = ad.optim.SGD(model.parameters(), lr=0.1)
    >>> x = np.linspace(-1, 1, 21).reshape(21, 1)
    >>> history = fit(
    ...     model, lambda y, t: ((y - t) ** 2).mean(), optimizer, (x, 3 * x + 1), epochs=100, rng=rng
    ... )
    >>> model.weight.data.round(2).tolist(), model.bias.data.round(2).tolist(), len(history["loss"])
    ([[3.0]], [1.0], 100)
    """
    metrics = {} if metrics is None else metrics
    check_settings(epochs, batch_size, rng, metrics, patience, validation)
    train = pair(train, "train")
    names = ["loss"]
    if validation is not None:
        validation = pair(validation, "validation")
        names += ["validation_loss", *metrics]
    run = Run(model, optimizer, rng, history={name: [] for name in names})
    if patience is not None:
        run.keep_best()
    if resume is not None:
        run.resume(resume, epochs)
    if checkpoint is not None:
        rehearse(checkpoint, run.state())

    history = run.history
    done = len(history["loss"])
    with bar(progress, desc="training", unit="epoch", initial=done, total=epochs) as shown:
        for epoch in range(done + 1, epochs + 1):
            if patience is not None and run.epochs_since_best() >= patience:
                break
            history["loss"].append(one_epoch(model, loss, optimizer, train, batch_size, rng, max_norm, epoch))
            if validation is not None:
                for name, number in measured(model, loss, validation, metrics, epoch).items():
                    history[name].append(number)
            if patience is not None and run.epochs_since_best() == 0:
                run.keep_best()
            if checkpoint is not None:
                save(checkpoint, run.state())
            shown.set_postfix(
                {name: f"{numbers[-1]:.4g}" for name, numbers in history.items()}, refresh=False
            )
            shown.update()
    run.put_best_back()
    return history


def one_epoch(
    model: Any,
    loss: Function,
    optimizer: Any,
    train: tuple[Any, Any],
    batch_size: int,
    rng: np.random.Generator,
    max_norm: float | None,
    epoch: int,
) -> float:
    """A step for each batch of all rows; returns the mean loss over the rows."""
    total = 0.0
    for batch, (x, y) in enumerate(minibatches(*train, batch_size=batch_size, rng=rng), start=1):
        try:
            value = loss(model(x, rng=rng), y)
            check_loss(value)
            optimizer.zero_grad()
            value.backward(free_graph=True)
            check_gradients(optimizer, max_norm)
            optimizer.step()
        except FloatingPointError as error:
            error.args = (f"fit: epoch {epoch}, batch {batch}: {error}",)
            raise
        except Exception as error:
            error.add_note(f"in epoch {epoch}, batch {batch} of fit, with inputs of shape {x.shape}")
            raise
        total += len(x) * float(value.item())
    return total / len(train[0])


def measured(
    model: Any, loss: Function, validation: tuple[Any, Any], metrics: Mapping[str, Function], epoch: int
) -> dict[str, float]:
    """The validation loss and the metrics, by name."""
    inputs, targets = validation
    numbers = {}
    try:
        outputs = predict(model, inputs)
        with no_grad():
            for name, f in {"validation_loss": loss, **metrics}.items():
                numbers[name] = one_number(f(outputs, targets), name)
    except Exception as error:
        error.add_note(
            f"in the validation after epoch {epoch} of fit, where ops return arrays: np.exp(y), not y.exp()"
        )
        raise
    return numbers


def predict(model: Any, inputs: Any, batch_size: int = 256) -> Any:
    """The outputs of `model` for all rows of `inputs`, as an array, without a graph and without dropout.

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

    `logits`: (..., classes); `targets`: integers (...). Where several are largest the first counts; a row
    with a NaN is wrong. Raises ValueError where the shapes do not fit, and for no rows.

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


# -- what is refused -------------------------------------------------------------------------------------


def pair(data: Any, name: str) -> tuple[Any, Any]:
    """`data`, called `name`, as an array of inputs and one of as many targets."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        many = f" of {len(data)}" if isinstance(data, tuple | list) else ""
        raise TypeError(f"fit: {name} is (inputs, targets), two arrays, not {type(data).__name__}{many}")
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
    metrics: Mapping[str, Function],
    patience: int | None,
    validation: Any,
) -> None:
    """Raise for settings out of range, and for those that need a validation set where there is none."""
    whole = [("epochs", epochs, 0), ("batch_size", batch_size, 1)]
    whole += [("patience", patience, 1)] if patience is not None else []
    for name, value, least in whole:
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"fit: {name} is {value!r}; it must be a whole number, {least} or more")
    check_generator("fit", rng)
    if not isinstance(metrics, Mapping):
        raise TypeError(f"fit: metrics is {metrics!r:.60}; give a dict, as {{'accuracy': accuracy}}")
    if validation is None and (metrics or patience is not None):
        what = "metrics" if metrics else "patience"
        raise ValueError(f"fit: {what} needs a validation set: validation=(inputs, targets)")
    for name in metrics.keys() & {"loss", "validation_loss"}:
        raise ValueError(f"fit: {name!r} is taken; give the metric another name")


def rehearse(checkpoint: Any, state: dict[str, Any]) -> None:
    """Write a checkpoint and throw it away: what cannot be written raises before the training."""
    path = Path(checkpoint)
    check_folder(path)
    with TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        save(Path(folder, path.name), state)


def check_loss(value: Any) -> None:
    """Raise unless a loss is a finite scalar Tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"fit: loss returned {type(value).__name__}, no Tensor, so it has no gradient; return a scalar "
            "made by NumPy's functions of the outputs, outside of no_grad"
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
            f"{error}; ad.find_nan(loss) for this batch, or fit inside ad.detect_anomaly(), "
            "says where it was born"
        ) from None


def one_number(value: Any, name: str) -> float:
    """What a loss or a metric returned, as a Python number."""
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"fit: {name!r} should be one number for the validation set: {error}") from None
