"""Optimizers: how a step of training changes the parameters, once their gradients are there.

The formulas are those of PyTorch's documentation. A learning rate is a number, or a schedule: a plain
function of the number of steps taken so far.
"""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from . import Tensor
from .parameters import named_parameters, nested

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "clip_grad_norm",
    "clip_grad_value",
    "cosine_decay",
    "exponential_decay",
    "step_decay",
    "warmup",
]

Schedule = Callable[[int], float]


# -- what the caller hands in ------------------------------------------------------------------------


def leaves(parameters: Any, what: str) -> dict[str, Tensor]:
    """The Tensors of a nested dict or list, or the one Tensor, by name, each once; `what` asks for them."""
    named = named_parameters([parameters] if isinstance(parameters, Tensor) else parameters)
    names: dict[Tensor, str] = {}
    for name, p in named.items():
        if not isinstance(p, Tensor):
            where = f" at {name!r}" if name else ""
            raise TypeError(
                f"{what}: takes Tensors, not {type(p).__name__}{where}; hand it model.parameters(), "
                "a dict or list of Tensors, or one Tensor"
            )
        if p.op != "leaf":
            raise TypeError(
                f"{what}: {name!r} was computed, by {p.op}; only leaves, as Tensor(array), are parameters"
            )
        names.setdefault(p, name)
    if not names:
        raise ValueError(f"{what}: there are no parameters")
    return {name: p for p, name in names.items()}


def number(value: Any, what: str, below: float = math.inf) -> float:
    """`value` as a Python float, if it is a number from 0 to `below`."""
    if not isinstance(value, Real):
        raise TypeError(f"{what} is a number, not {type(value).__name__}")
    if not 0 <= float(value) < below:
        upper = "finite" if below == math.inf else f"below {below:g}"
        raise ValueError(f"{what} is {value}; it must be 0 or more, and {upper}")
    return float(value)


def count(value: int, what: str) -> int:
    """`value`, if it is a whole number of 1 or more."""
    if not isinstance(value, Real) or value % 1 or value < 1:  # NaN % 1 is NaN, and so is infinity's
        raise ValueError(f"{what} is {value!r}; it must be a whole number, 1 or more")
    return int(value)


def working(array: Any, least: Any = np.float32) -> Any:
    """`array` in the dtype that is computed in: its own, or `least` if that is wider.

    Steps of float16 take float32, since in float16 the square of a gradient below 2e-4 is 0, and so is Adam's
    eps.
    """
    return np.asarray(array, np.result_type(array, least))


# -- optimizers --------------------------------------------------------------------------------------


class Optimizer:
    """Parameters, a learning rate, and what each step remembers of those before.

    `parameters`: a nested dict or list of Tensors, as `model.parameters()` gives it, or one Tensor; a Tensor
    that stands there twice is updated once. `lr`: a number, or a schedule; it may be assigned at any time.
    `.parameters` are the parameters as they were given, `.steps` counts the steps taken. A subclass says in
    `fresh` what it remembers of a parameter, and in `change` what a step takes off it.
    """

    def __init__(self, parameters: Any, lr: float | Schedule) -> None:
        self.parameters = parameters
        self.lr = lr
        self.steps = 0
        self._leaves = leaves(parameters, type(self).__name__)
        self._memory = {name: self.fresh(working(p.data)) for name, p in self._leaves.items()}

    def fresh(self, theta: Any) -> dict[str, Any]:
        """What is remembered of the parameter `theta` before its first step: arrays by name."""
        return {}

    def change(self, theta: Any, g: Any, lr: float, memory: dict[str, Any]) -> Any:
        """What a step takes off the parameter `theta` with the gradient `g`; `memory` is updated in place."""
        raise NotImplementedError(f"{type(self).__name__}.change")

    @property
    def lr(self) -> float | Schedule:
        """The learning rate as it was given: a number, or a function of the number of steps taken so far."""
        return self._lr

    @lr.setter
    def lr(self, new: float | Schedule) -> None:
        self._lr = new if callable(new) else number(new, f"{type(self).__name__}: lr")

    @property
    def current_lr(self) -> float:
        """The learning rate of the next step, a number."""
        if not callable(self._lr):
            return self._lr
        return number(self._lr(self.steps), f"{type(self).__name__}: the schedule's lr at step {self.steps}")

    def step(self) -> None:
        """Update every parameter by its `.grad`; one whose `.grad` is None stays as it is."""
        lr = self.current_lr
        for name, p in self._leaves.items():
            if p.grad is not None:
                p.data -= self.change(working(p.data), working(p.grad), lr, self._memory[name])
        self.steps += 1

    def zero_grad(self) -> None:
        """Set every parameter's `.grad` to None, so that the next backward pass starts afresh."""
        for p in self._leaves.values():
            p.grad = None

    def state(self) -> dict[str, Any]:
        """What the steps so far have left, as a nested dict of arrays and numbers: copies.

        Settings such as `lr` are not in it: they are given anew to the optimizer that loads it.
        """
        return nested({name: value.copy() for name, value in self._arrays().items()} | {"steps": self.steps})

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a `.state()` of an optimizer of the same kind with the same parameters.

        Raises ValueError, and changes nothing, where names or shapes differ or something is no number.
        """
        own = self._arrays()
        new = {name: np.asarray(value) for name, value in named_parameters(state).items()}
        what = f"{type(self).__name__}: the state"
        differences = {"lacks": own.keys() - new.keys(), "has besides": new.keys() - own.keys()}
        facts = [f"{verb} {sorted(names)}" for verb, names in differences.items() if names]
        if facts:
            raise ValueError(
                f"{what} {' and '.join(facts)}; it is of another optimizer or of other parameters"
            )
        for name, array in new.items():
            if array.shape != own[name].shape:
                raise ValueError(
                    f"{what} has shape {array.shape} at {name!r}, where {own[name].shape} belongs"
                )
            if array.dtype.kind not in ("iu" if own[name].dtype.kind == "i" else "fiu"):
                raise ValueError(f"{what} holds {array.dtype} at {name!r}, where {own[name].dtype} belongs")
        for name, array in own.items():
            array[...] = new[name]
        self.steps = int(new["steps"])

    def _arrays(self) -> dict[str, Any]:
        """The remembered arrays themselves, as "velocity.0.weight", and the number of steps."""
        remembered = {
            f"{kind}.{name}": array for name, memory in self._memory.items() for kind, array in memory.items()
        }
        return {"steps": np.array(self.steps), **remembered}

    def __repr__(self) -> str:
        count = len(self._leaves)
        plural = "" if count == 1 else "s"
        return f"{type(self).__name__}({count} parameter{plural}, lr={self.current_lr:g}, steps={self.steps})"


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum b if asked:

    g <- g + weight_decay * theta;  b <- momentum * b + g;  theta <- theta - lr * b,

    or with `nesterov` theta <- theta - lr * (g + momentum * b) (Sutskever et al. 2013, in PyTorch's form).
    Raises ValueError for settings out of range.

    >>> w = Tensor(2.0, name="w")
    >>> optimizer = SGD(w, lr=0.25)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (w * w).backward()
    ...     optimizer.step()
    >>> w
    Tensor(0.5, name='w')
    """

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 0.01,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        self.momentum = number(momentum, "SGD: momentum")
        self.nesterov = nesterov
        self.weight_decay = number(weight_decay, "SGD: weight_decay")
        if nesterov and momentum == 0:
            raise ValueError("SGD: nesterov looks ahead along the momentum; give momentum, such as 0.9")
        super().__init__(parameters, lr)

    def fresh(self, theta: Any) -> dict[str, Any]:
        """The momentum, 0."""
        return {"velocity": np.zeros(theta.shape, theta.dtype)} if self.momentum else {}

    def change(self, theta: Any, g: Any, lr: float, memory: dict[str, Any]) -> Any:
        """The step's formula."""
        if self.weight_decay:
            g = g + self.weight_decay * theta
        if self.momentum:
            b = memory["velocity"]
            b[...] = self.momentum * b + g
            g = g + self.momentum * b if self.nesterov else b
        return lr * g


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): steps of about lr in each coordinate, however large its gradient.

    g <- g + weight_decay * theta;  m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2;
    theta <- theta - lr * m' / (sqrt(v') + eps), where m' = m / (1 - beta1**t) and v' = v / (1 - beta2**t)
    at the parameter's t-th update. Raises ValueError for settings out of range.

    >>> w = Tensor([3.0, -0.02], name="w")
    >>> optimizer = Adam(w, lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(6).tolist()
    [2.99, -0.01]
    """

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        name = type(self).__name__
        beta1, beta2 = betas
        self.betas = number(beta1, f"{name}: beta1", below=1), number(beta2, f"{name}: beta2", below=1)
        self.eps = number(eps, f"{name}: eps")
        self.weight_decay = number(weight_decay, f"{name}: weight_decay")
        super().__init__(parameters, lr)

    def fresh(self, theta: Any) -> dict[str, Any]:
        """Both moments, 0, and the number of the parameter's updates."""
        return {
            "first_moment": np.zeros(theta.shape, theta.dtype),
            "second_moment": np.zeros(theta.shape, theta.dtype),
            "updates": np.array(0),
        }

    def change(self, theta: Any, g: Any, lr: float, memory: dict[str, Any]) -> Any:
        """The step's formula."""
        if self.weight_decay:
            g = g + self.weight_decay * theta
        return self.adaptive(g, lr, memory)

    def adaptive(self, g: Any, lr: float, memory: dict[str, Any]) -> Any:
        """lr * m' / (sqrt(v') + eps), after both moments have taken in g."""
        m, v = memory["first_moment"], memory["second_moment"]
        beta1, beta2 = self.betas
        memory["updates"] += 1
        t = int(memory["updates"])
        m[...] = beta1 * m + (1 - beta1) * g
        v[...] = beta2 * v + (1 - beta2) * (g * g)
        return lr / (1 - beta1**t) * m / (np.sqrt(v / (1 - beta2**t)) + self.eps)


class AdamW(Adam):
    """Adam with decoupled weight decay: a step also takes off lr * weight_decay * theta.

    The decay does not pass through the moments, so it shrinks all weights at one rate (Loshchilov and Hutter
    2019).

    >>> w = Tensor([2.0, 0.0], name="w")
    >>> w.grad = 0
    >>> AdamW(w, lr=0.1, weight_decay=0.5).step()
    >>> w.data.tolist()
    [1.9, 0.0]
    """

    def __init__(
        self,
        parameters: Any,
        lr: float | Schedule = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def change(self, theta: Any, g: Any, lr: float, memory: dict[str, Any]) -> Any:
        """The step's formula."""
        return lr * self.weight_decay * theta + self.adaptive(g, lr, memory)


# -- schedules: plain functions of the number of steps taken so far ------------------------------------


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


# -- gradient clipping ---------------------------------------------------------------------------------


def clip_grad_norm(parameters: Any, max_norm: float) -> float:
    """Shrink all gradients together to a joint 2-norm of at most `max_norm`; returns the norm before.

    `parameters`: as an optimizer takes them; those without a gradient count as 0. With `max_norm=math.inf` it
    only measures. The norm does not overflow where the gradients do not. Raises FloatingPointError, and
    changes nothing, where a gradient holds NaN or an infinity, which no factor would mend.

    >>> w = Tensor([0.0, 0.0], name="w")
    >>> w.grad = [3.0, 4.0]
    >>> clip_grad_norm(w, 1.0)
    5.0
    >>> w.grad.round(6).tolist()
    [0.6, 0.8]
    """
    if not max_norm > 0:
        raise ValueError(f"clip_grad_norm: max_norm is {max_norm}; it must be above 0")
    with_gradient = _with_gradient(parameters, "clip_grad_norm")
    gradients = [np.ravel(working(p.grad, least=np.float64)) for p in with_gradient.values()]
    unit: Any = 1.0
    squares: Any = sum(np.vdot(g, g) for g in gradients)
    if not 1e-280 < squares < math.inf:  # squares that vanished or overflowed do not in another unit
        _check_finite(with_gradient)
        unit = max((np.max(np.abs(g), initial=0) for g in gradients), default=0) or 1.0
        squares = sum(np.vdot(g / unit, g / unit) for g in gradients)
    relative = math.sqrt(squares)
    if unit * relative > max_norm:
        for p in with_gradient.values():
            p.grad *= max_norm / unit / relative
    return float(unit * relative)


def clip_grad_value(parameters: Any, clip_value: float) -> None:
    """Clip each element of the gradients to -clip_value .. clip_value.

    `parameters`: as an optimizer takes them. An infinity is clipped like any other number; NaN raises
    FloatingPointError, and nothing changes.

    >>> w = Tensor([0.0, 0.0], name="w")
    >>> w.grad = [0.5, -7.0]
    >>> clip_grad_value(w, 1.0)
    >>> w.grad.tolist()
    [0.5, -1.0]
    """
    if not clip_value > 0:
        raise ValueError(f"clip_grad_value: clip_value is {clip_value}; it must be above 0")
    with_gradient = _with_gradient(parameters, "clip_grad_value")
    for name, p in with_gradient.items():
        if np.isnan(p.grad).any():
            raise FloatingPointError(f"clip_grad_value: the gradient of {name!r} holds NaN")
    for p in with_gradient.values():
        p.grad = np.clip(p.grad, -clip_value, clip_value)


def _check_finite(with_gradient: dict[str, Tensor]) -> None:
    """Raise FloatingPointError for a gradient that holds NaN or an infinity."""
    for name, p in with_gradient.items():
        bad = p.size - int(np.sum(np.isfinite(p.grad)))
        if bad:
            raise FloatingPointError(
                f"clip_grad_norm: {bad} of the {p.size} elements of the gradient of {name!r} "
                "are NaN or infinite"
            )


def _with_gradient(parameters: Any, what: str) -> dict[str, Tensor]:
    """Those of the leaves that have a gradient."""
    return {name: p for name, p in leaves(parameters, what).items() if p.grad is not None}
