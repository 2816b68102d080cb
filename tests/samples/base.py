"""What a sample is, and the numbers that samples are made of."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import update_wrapper
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
import scipy

import autodiff
import autodiff.special  # declares the ops of SciPy's functions
from autodiff import Tensor
from autodiff.primitive import registry

# As the package declares them: tests and doctests may add their own later.
DECLARED = dict(registry)


def function_called(name: str) -> Callable[..., Any]:
    """The declared op of that name, or what "np.linalg.norm" or "ad.softmax" says in code."""
    if name in DECLARED:
        return DECLARED[name]
    package, _, path = name.partition(".")
    return attrgetter(path)({"np": np, "ad": autodiff, "scipy": scipy}[package])


@dataclass(frozen=True)
class Sample:
    """One call of an op: its differentiable inputs, its options, and where it is no plain call, how.

    `op` is the name of a declared op, or of a function that is composed of ops, as written in code: "np.dot".
    """

    op: str
    inputs: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    call: Callable[..., Any] | None = None
    # Which of the inputs have no derivative.
    constants: tuple[int, ...] = ()
    # NumPy's own dtypes that the op refuses, as the NumPy or SciPy function behind it does.
    refuses: tuple[str, ...] = ()

    def __call__(self, *inputs: Any) -> Any:
        return (self.call or function_called(self.op))(*inputs, **self.options)

    @property
    def composed(self) -> bool:
        """Whether it is no op of its own."""
        return self.op not in DECLARED

    @property
    def tracked(self) -> list[int]:
        """The places of the inputs that get a gradient."""
        return [place for place in range(len(self.inputs)) if place not in self.constants]

    def of(self, *tracked: Any) -> Any:
        """The call with these in the places that get a gradient."""
        inputs = list(self.inputs)
        for place, x in zip(self.tracked, tracked, strict=True):
            inputs[place] = x
        return self(*inputs)

    def cast(self, dtype: Any) -> "Sample":
        """The same in another dtype: inputs, and options that are arrays of floats."""
        options = {
            name: option.astype(dtype)
            if isinstance(option, np.ndarray) and option.dtype.kind == "f"
            else option
            for name, option in self.options.items()
        }
        inputs = tuple(x.astype(dtype) if x.dtype.kind == "f" else x for x in self.inputs)
        return replace(self, inputs=inputs, options=options)

    def values(self) -> list[Any]:
        """The inputs that get a gradient."""
        return [self.inputs[place] for place in self.tracked]

    def leaves(self) -> list[Tensor]:
        """The same as Tensors."""
        return [Tensor(x) for x in self.values()]


def apart(*shape: int, low: float = -1.7, high: float = 1.9, seed: int = 0) -> np.ndarray:
    """Numbers far from each other and from 0, so that no difference steps over a kink."""
    size = int(np.prod(shape))
    steps = np.linspace(low, high, 2 * size + 2)[1:-1:2]
    return np.random.default_rng(seed + size).permutation(steps).reshape(shape)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Such numbers between 0.3 and 2.3."""
    return apart(*shape, low=0.3, high=2.3, seed=seed)


SHAPES = [(), (1,), (3,), (2, 3)]
LOGITS = apart(2, 3)
MASK = np.array([[True, False, True], [True, True, False]])
SAMPLES: dict[str, list[Sample]] = {}


def sample(
    op: str, *inputs: Any, call: Any = None, constants: Any = (), refuses: Any = (), **options: Any
) -> None:
    SAMPLES.setdefault(op, []).append(Sample(op, inputs, options, call, constants, refuses))


def every_sample(law: Callable[[Sample], None]) -> Callable[[str], None]:
    """A test of `law` for each op, over all of its samples; a failure names the sample."""

    def test(op: str) -> None:
        for one in SAMPLES[op]:
            try:
                law(one)
            except Exception as error:
                error.add_note(f"with {one}")
                raise

    update_wrapper(test, law)
    del test.__wrapped__  # or pytest would ask for the arguments of the law
    return pytest.mark.parametrize("op", SAMPLES)(test)
