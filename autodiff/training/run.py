"""A training between two epochs, which a checkpoint holds."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import Tensor
from ..optim import Optimizer
from ..parameters import named_parameters, nested
from ..storage import load


@dataclass
class Run:
    """All that the rest of a training depends on, besides its data and settings."""

    model: Any
    optimizer: Any
    rng: np.random.Generator
    history: dict[str, list[float]]
    best: dict[str, Any] | None = None  # the parameters of the best epoch so far, if they will be asked for

    def __post_init__(self) -> None:
        if not callable(getattr(self.model, "parameters", None)):
            raise TypeError(
                f"fit: the model, a {type(self.model).__name__}, has no parameters(); make it an nn.Module"
            )
        if not isinstance(self.optimizer, Optimizer):
            raise TypeError(
                f"fit: the optimizer is {self.optimizer!r:.60}; make one, as optim.Adam(model.parameters())"
            )
        own = set(map(id, self.parameters().values()))
        for name, p in named_parameters(self.optimizer.parameters).items():
            if id(p) not in own:
                raise ValueError(
                    f"fit: the optimizer's parameter {name!r} is none of the model's; "
                    "make the optimizer of model.parameters(), of this very model"
                )

    def parameters(self) -> dict[str, Tensor]:
        """The model's parameters by name."""
        return named_parameters(self.model.parameters())

    def epochs_since_best(self) -> int:
        """How many epochs ago the validation loss was smallest; NaN is larger than any number."""
        losses = self.history["validation_loss"]
        order = sorted(range(len(losses)), key=lambda epoch: (math.isnan(losses[epoch]), losses[epoch]))
        return len(losses) - 1 - order[0] if order else 0

    def keep_best(self) -> None:
        """Remember the parameters as they are."""
        self.best = {name: np.array(p.data) for name, p in self.parameters().items()}

    def put_best_back(self) -> None:
        """Give the model the parameters that were remembered, if any were."""
        if self.best is not None:
            assign(self.parameters(), self.best)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds: nested dicts of arrays, and a text."""
        progress = {
            "history": self.history,
            "rng": self.rng.bit_generator.state,
            "optimizer": type(self.optimizer).__name__,
        }
        return {
            "parameters": self.model.parameters(),
            "best": None if self.best is None else nested(self.best),
            "optimizer": self.optimizer.state(),
            "progress": json.dumps(progress, default=lambda array: array.tolist()),
        }

    def resume(self, path: Any, epochs: int) -> None:
        """Go on from a checkpoint; ValueError, and nothing changes, if it is not one of this training."""
        state = load(path)
        try:
            self.take(state, epochs)
        except (ValueError, KeyError) as error:
            fact = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"fit: cannot resume from {str(path)!r}: {fact}") from None

    def take(self, state: dict[str, Any], epochs: int) -> None:
        """Become what `state` says, once all of it is known to fit."""
        if not isinstance(state.get("progress"), str):
            raise ValueError("it holds no progress, so it is no checkpoint of fit")
        own, parameters = self.parameters(), named_parameters(state["parameters"])
        check_parameters(parameters, own)
        progress = json.loads(state["progress"])
        history, rng = progress["history"], progress["rng"]
        if history.keys() != self.history.keys():
            raise ValueError(f"its history has {[*history]}, and here it would have {[*self.history]}")
        if len(history["loss"]) > epochs:
            raise ValueError(f"{len(history['loss'])} epochs are done already, more than epochs={epochs}")
        check_kind("optimizer", progress["optimizer"], self.optimizer)
        check_kind("rng", rng["bit_generator"], self.rng.bit_generator)
        if self.best is not None and "best" not in state:
            raise ValueError("it was written without patience, so it knows no best parameters")
        self.optimizer.load_state(state.get("optimizer", {}))
        self.rng.bit_generator.state = rng
        self.history.update(history)
        if self.best is not None:
            self.best = named_parameters(state["best"])
        assign(own, parameters)


def assign(parameters: dict[str, Tensor], arrays: dict[str, Any]) -> None:
    """Give each parameter the array of its name."""
    for name, p in parameters.items():
        p.data = arrays[name]


def check_kind(what: str, saved: str, own: Any) -> None:
    """Raise ValueError unless a file's optimizer or rng is of the kind of one's own."""
    if saved != type(own).__name__:
        raise ValueError(f"its {what} is {saved}, and here it is {type(own).__name__}")


def check_parameters(saved: dict[str, Any], own: dict[str, Tensor]) -> None:
    """Raise ValueError unless a file's arrays have the names, shapes and dtypes of the model's parameters."""
    for name in sorted(own.keys() ^ saved.keys()):
        raise ValueError(f"parameter {name!r} is in {'the model' if name in own else 'the file'} alone")
    for name, p in own.items():
        if (saved[name].shape, saved[name].dtype) != (p.shape, p.dtype):
            raise ValueError(
                f"parameter {name!r} is {saved[name].dtype} of shape {saved[name].shape} in the file, "
                f"and {p.dtype} of shape {p.shape} in the model"
            )
