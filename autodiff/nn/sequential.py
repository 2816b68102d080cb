"""One layer after the other."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import relu, scope
from .checks import check_size
from .initialisers import he_uniform
from .layers import Dropout, Linear
from .module import Module
from .outline import called


class Sequential(Module):
    """Layers, each handed what the one before it returned: Modules, and plain functions such as `np.tanh`.

    The children are called "0", "1", ..., and each is called in a scope, as "0: Linear", which frames it in
    pictures; `draw(loss, collapse="0: Linear")` folds it. Has a length, can be iterated over and indexed; a slice is a
    Sequential of the same layers. An exception of a layer gets a note that says which it was. Raises TypeError for a
    layer that is no function.

    >>> from autodiff.nn import Flatten
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Flatten(), Linear(4, 3, rng), np.tanh)
    >>> model(np.zeros((5, 2, 2))).shape, len(model), list(model.named_parameters())
    ((5, 3), 3, ['1.weight', '1.bias'])
    """

    def __init__(self, *layers: Any) -> None:
        for place, layer in enumerate(layers):
            check_layer(place, layer)
            setattr(self, str(place), layer)

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """The last layer's output."""
        for place, layer in enumerate(self):
            is_module = isinstance(layer, Module)
            title = f"{place}: {type(layer).__name__ if is_module else called(layer)}"
            try:
                with scope(title):
                    x = layer(x, rng=rng) if is_module else layer(x)
            except Exception as error:
                error.add_note(f"in layer {title} of {type(self).__name__}")
                raise
        return x

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Any]:
        return iter([layer for name, layer in vars(self).items() if name.isdigit()])

    def __getitem__(self, place: Any) -> Any:
        layers = list(self)[place]
        # Past Naming, because the names of parameters tell where they stand in the whole.
        return type.__call__(Sequential, *layers) if isinstance(place, slice) else layers


class MLP(Sequential):
    """A multilayer perceptron: a Linear from each of `sizes` to the next, with an activation between them.

    `sizes`: the numbers of features, at least those of input and output. `activation`: a function, called after every
    Linear but the last. `dropout`: the probability p of a Dropout after each activation; 0 leaves it out. Called with
    (..., sizes[0]) it returns (..., sizes[-1]).

    >>> MLP([4, 10, 3], np.random.default_rng(0), activation=np.tanh, dropout=0.1)
    MLP  83 parameters, float64
    ├─ 0: Linear(weight=(4, 10), bias=(10,))  50 parameters
    ├─ 1: tanh
    ├─ 2: Dropout(p=0.1)
    └─ 3: Linear(weight=(10, 3), bias=(3,))  33 parameters
    """

    def __init__(
        self,
        sizes: Sequence[int],
        rng: Any,
        *,
        activation: Callable[[Any], Any] = relu,
        dropout: float = 0.0,
        init: Callable[..., Any] = he_uniform,
        dtype: Any = float,
    ) -> None:
        sizes = list(sizes) if np.iterable(sizes) else [sizes]
        for size in sizes:
            check_size("MLP", "each of sizes", size)
        if len(sizes) < 2:
            raise ValueError(
                f"MLP: sizes are those of the input, of hidden layers and of the output, not {sizes}"
            )
        layers: list[Any] = []
        for before, after in pairwise(sizes):
            if layers:
                layers += [activation, Dropout(dropout)] if dropout else [activation]
            layers.append(Linear(before, after, rng, init=init, dtype=dtype))
        super().__init__(*layers)


def check_layer(place: int, layer: Any) -> None:
    """Raise unless `layer` can be called as one of a Sequential."""
    what = f"Sequential: layer {place} is "
    if isinstance(layer, type):
        raise TypeError(f"{what}the class {layer.__name__}; make a layer of it: {layer.__name__}(...)")
    if not callable(layer):
        hint = "; hand layers over one by one: Sequential(*layers)" if isinstance(layer, list | tuple) else ""
        raise TypeError(f"{what}{layer!r:.60}, neither a Module nor a function{hint}")
    wrapped = getattr(layer, "__wrapped__", None)  # by functools.wraps, as checkpoint's is
    if isinstance(wrapped, Module):
        raise TypeError(
            f"{what}a function around a {type(wrapped).__name__}, whose parameters it would hide; "
            "keep that in a Module of your own, which calls it so: checkpoint(self.layer)(x, rng=rng)"
        )
    if isinstance(layer, Module):
        options = inspect.signature(type(layer).__call__).parameters.values()
        if not any(option.name == "rng" or option.kind is option.VAR_KEYWORD for option in options):
            raise TypeError(
                f"{what}a {type(layer).__name__}, whose call takes no rng; define __call__(self, x, rng=None)"
            )
