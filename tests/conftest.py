"""What the tests share."""

import gc
import os

# Before NumPy is imported: the arrays are small, and benchmarks compare on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.primitive import registry
from autodiff.tensor import implementations


@pytest.fixture
def rng():
    """Random numbers, the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture
def fresh_registry():
    """Lets a test declare ops: what it declared is gone afterwards."""
    before = dict(registry), dict(implementations), dict(vars(Tensor))
    yield registry
    registry.clear()
    registry.update(before[0])
    implementations.clear()
    implementations.update(before[1])
    for name, attribute in dict(vars(Tensor)).items():
        if name not in before[2]:
            delattr(Tensor, name)
        elif attribute is not before[2][name]:
            setattr(Tensor, name, before[2][name])


@pytest.fixture
def no_collector():
    """Runs a test with the garbage collector off, so that only reference counts free memory."""
    gc.freeze()  # what is there already need not be looked at
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()
