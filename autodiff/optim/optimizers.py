"""Parameters, a learning rate, and what each step remembers of those before: SGD, Adam, AdamW."""

from typing import Any

import numpy as np

from ..parameters import named_parameters, nested
from .arguments import leaves, number, working
from .schedules import Schedule


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

    >>> from autodiff import Tensor
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

    >>> from autodiff import Tensor
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

    >>> from autodiff import Tensor
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
