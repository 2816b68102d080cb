"""Neural networks: Modules that hold parameters, the usual layers, and how their weights begin.

A Module is called like a function, `model(x, rng=None)`. Its parameters are Tensors in its attributes;
`model.parameters()` hands them out nested, `model.with_parameters(p)` puts others in their place. Handing a random
generator to a call means training: Dropout drops only then.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> model = MLP([4, 10, 3], rng)
>>> model
MLP  83 parameters, float64
├─ 0: Linear(weight=(4, 10), bias=(10,))  50 parameters
├─ 1: relu
└─ 2: Linear(weight=(10, 3), bias=(3,))  33 parameters
>>> model(rng.normal(size=(5, 4))).shape
(5, 3)
"""

from .images import AvgPool2d, Conv2d, Flatten, MaxPool2d
from .initialisers import glorot_normal, glorot_uniform, he_normal, he_uniform, normal, zeros
from .layers import Dropout, Embedding, LayerNorm, Linear
from .module import Module
from .sequential import MLP, Sequential

__all__ = [
    "MLP",
    "AvgPool2d",
    "Conv2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "LayerNorm",
    "Linear",
    "MaxPool2d",
    "Module",
    "Sequential",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "normal",
    "zeros",
]
