"""A Module: a function that holds its parameters."""

from abc import ABCMeta
from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import Tensor
from ..parameters import named_parameters

# What other libraries' models have under these names.
ELSEWHERE = {
    "train": "a call with a generator is one for training: model(x, rng=rng)",
    "eval": "a call without a generator is none for training: model(x)",
    "forward": "call the Module itself: model(x)",
    "zero_grad": "optimizer.zero_grad() forgets the gradients",
    "state_dict": "model.parameters() has the parameters, autodiff.storage.save(path, ...) writes them",
    "load_state_dict": "autodiff.storage.load(path, into=model.parameters()) reads them",
}


class Naming(ABCMeta):  # so that a Module may be abstract
    """Gives the parameters of each new Module their names, by where they stand in it."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        module = super().__call__(*args, **options)
        for name, parameter in module.named_parameters().items():
            parameter.named(name)
        return module


class Module(metaclass=Naming):
    """A function that holds its parameters; write one of your own by a class with `__call__(self, x, rng=None)`.

    Attributes that are Tensors are its parameters. Attributes that are Modules are its children, and so are the
    Tensors and Modules in lists, tuples and dicts; what stands in two places appears once, in the first. An array is a
    constant: `layer.weight = layer.weight.data` freezes it. The new Module names its parameters by
    where they stand, "hidden.weight", for pictures and messages.

    `rng`, a `numpy.random.Generator`, says that this call is for training, and is handed on to the children.

    Raises TypeError for a computed Tensor in an attribute, which no optimizer could change: make a leaf of it by
    `Tensor(t.data)`, or give the attribute a name that starts with "_" if it is there only to be looked at.

    >>> class Scale(Module):
    ...     def __init__(self, features):
    ...         self.factor = Tensor(np.ones(features))
    ...
    ...     def __call__(self, x, rng=None):
    ...         return x * self.factor
    >>> Scale(3)
    Scale(factor=(3,))  3 parameters, float64
    >>> Scale(3).parameters()
    {'factor': Tensor([1., 1., 1.], name='factor')}
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if vars(cls).get("__slots__"):
            raise TypeError(f"{cls.__name__}: parameters are looked for in __dict__; leave __slots__ out")
        for name, value in vars(cls).items():
            if isinstance(value, Tensor):
                raise TypeError(
                    f"{cls.__name__}: {name} belongs to the class, so it would be no parameter; "
                    f"assign self.{name} = Tensor(...) in __init__"
                )

    def __call__(self, *args: Any, **options: Any) -> Any:
        """What the Module computes; each kind of Module has its own."""
        raise NotImplementedError(f"{type(self).__name__}: define __call__(self, x, rng=None)")

    def parameters(self) -> dict[str, Any]:
        """The parameters in nested dicts, in the order in which their attributes were assigned.

        Children without parameters are left out.
        """
        return parameters_in(self, type(self).__name__, set(), set()) or {}

    def named_parameters(self) -> dict[str, Any]:
        """The parameters by dotted names, as "0.weight"."""
        return named_parameters(self.parameters())

    def with_parameters(self, parameters: Any) -> Any:
        """A copy of the Module with other parameters: nested dicts of arrays or Tensors, as `parameters()` gives.

        With arrays it computes without a graph; with the Tensors that `ad.grad` hands to a function it has
        gradients by them. The Module itself stays as it is. Raises ValueError unless names and shapes are the same.

        >>> from autodiff import grad
        >>> from autodiff.nn import Linear
        >>> model, x = Linear(2, 1, np.random.default_rng(0)), np.array([[1.0, 2.0]])
        >>> gradient = grad(lambda p: model.with_parameters(p)(x).sum())(model.parameters())
        >>> gradient["weight"].tolist(), gradient["bias"].tolist()
        ([[1.0], [2.0]], [1.0])
        """
        own, given = self.named_parameters(), named_parameters(parameters)
        if "" in given:
            raise TypeError(
                f"with_parameters: takes nested dicts, as parameters() gives, not {type(parameters).__name__}"
            )
        other = {
            name: value if isinstance(value, Tensor) else np.asarray(value).view()
            for name, value in given.items()
        }
        check_fit(type(self).__name__, own, other)
        exchanged = {id(parameter): other[name] for name, parameter in own.items()}
        return twin(self, exchanged, tuple(other.values()))

    def __repr__(self) -> str:
        from .outline import outline

        return outline(self)

    if not TYPE_CHECKING:  # else a checker would take every attribute for one that is there

        def __getattr__(self, name: str) -> Any:
            if name in ELSEWHERE:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}; {ELSEWHERE[name]}")
            return super().__getattribute__(name)  # raises as Python does, with a property's own error


def branches(part: Any) -> Iterable[tuple[Any, Any]]:
    """What a Module, a dict, a list or a tuple holds, each with its name; nothing for anything else."""
    if isinstance(part, Module):
        return [(name, value) for name, value in vars(part).items() if name != "_handed"]
    if isinstance(part, dict):
        return part.items()
    if isinstance(part, list | tuple):
        return zip(map(str, range(len(part))), part, strict=True)
    return ()


def handed_to(module: Module) -> set[int]:
    """The ids of what `with_parameters` put into a Module: parameters, whatever they are."""
    return {id(value) for value in vars(module).get("_handed", ())}


def parameters_in(part: Any, path: str, handed: set[int], seen: set[int]) -> Any:
    """The parameters in `part` that were not `seen` yet, as nested dicts; None if there are none."""
    if id(part) in seen:
        return None
    if isinstance(part, Tensor) or id(part) in handed:
        if id(part) not in handed and part.op != "leaf":
            if "._" in path:
                return None
            raise TypeError(
                f"{path} is computed (op {part.op}), so it is no parameter; make a leaf by Tensor(t.data), "
                'or keep what is only looked at in an attribute that starts with "_"'
            )
        seen.add(id(part))
        return part
    if isinstance(part, Module):
        seen.add(id(part))
        handed = handed_to(part)
    found = {}
    for name, branch in branches(part):
        inner = parameters_in(branch, f"{path}.{name}", handed, seen)
        if inner is not None:
            found[name] = inner
    return found or None


def check_fit(module: str, own: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise ValueError unless `other` has the names and shapes of a Module's `own` parameters."""
    complaints = [f"{name!r} is missing" for name in own if name not in other]
    complaints += [f"{name!r} is not one of its parameters" for name in other if name not in own]
    complaints += [
        f"{name!r} has shape {other[name].shape}, not {own[name].shape}"
        for name in own
        if name in other and other[name].shape != own[name].shape
    ]
    if complaints:
        if len(complaints) > 4:
            complaints[3:] = [f"and {len(complaints) - 3} more"]
        raise ValueError(f"with_parameters: these do not fit {module}: {'; '.join(complaints)}")


def twin(part: Any, exchanged: dict[int, Any], handed: tuple[Any, ...]) -> Any:
    """`part` with some parameters `exchanged`, by id; every Module in it is a copy, the same everywhere."""
    if id(part) in exchanged:
        return exchanged[id(part)]
    if isinstance(part, Module):
        copied = exchanged[id(part)] = copy(part)
        vars(copied).update({name: twin(value, exchanged, handed) for name, value in branches(part)})
        vars(copied)["_handed"] = handed
        return copied
    made = {name: twin(value, exchanged, handed) for name, value in branches(part)}
    if all(made[name] is value for name, value in branches(part)):
        return part
    if isinstance(part, dict):
        filled = copy(part)  # keeps the kind of dict
        filled.update(made)
        return filled
    return type(part)(*made.values()) if hasattr(part, "_fields") else type(part)(made.values())
