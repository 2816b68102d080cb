"""Optimizers: how a step of training changes the parameters, once their gradients are there.

The formulas are those of PyTorch's documentation. A learning rate is a number, or a schedule: a plain function of
the number of steps taken so far.

>>> from autodiff import Tensor
>>> w = Tensor([1.0, -2.0], name="w")
>>> optimizer = SGD(w, lr=warmup(cosine_decay(0.4, steps=100), steps=10))
>>> (w * w).sum().backward()
>>> optimizer.step()
>>> w.data.round(3).tolist()
[0.92, -1.84]
"""

from .clipping import clip_grad_norm, clip_grad_value
from .optimizers import SGD, Adam, AdamW, Optimizer
from .schedules import cosine_decay, exponential_decay, step_decay, warmup

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
