"""Layers of numbers, symbols and rows: Linear, Embedding, LayerNorm, Dropout."""

from typing import Any

import numpy as np

from .. import Tensor
from .checks import check_generator, check_size, floating, misfit, titled
from .initialisers import Initialiser, he_uniform, normal, parameter, zeros
from .module import Module


class Linear(Module):
    """x @ weight + bias: each output is a weighted sum of the inputs.

    `x`: (..., in_features); returns (..., out_features). `weight`: (in_features, out_features), begun by `init`; `bias`:
    (out_features,), begun with 0, or without one if `bias=False`. `rng`: a numpy.random.Generator.
    Raises ValueError for an x that does not fit.

    >>> layer = Linear(2, 3, np.random.default_rng(0))
    >>> layer(np.ones((5, 2))).shape
    (5, 3)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        rng: Any,
        *,
        bias: bool = True,
        init: Initialiser = he_uniform,
        dtype: Any = float,
    ) -> None:
        check_size("Linear", "in_features", in_features)
        check_size("Linear", "out_features", out_features)
        self.weight: Any = parameter("Linear", (in_features, out_features), init, rng, dtype)
        self.bias: Any = parameter("Linear", (out_features,), zeros, rng, dtype) if bias else None

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """x @ weight + bias."""
        shape = x.shape if hasattr(x, "shape") else np.shape(x)
        if shape[-1:] != self.weight.shape[:1]:
            raise misfit("Linear", x, self.weight, f"(..., {self.weight.shape[0]})")
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


class Embedding(Module):
    """A row of numbers for each of so many symbols.

    Called with an array of integers of any shape, each from 0 to num_embeddings - 1, it returns that shape x
    embedding_dim. `weight`: (num_embeddings, embedding_dim), begun by `init`. Raises TypeError for what is no array of
    integers, IndexError for a number out of range, negative ones too.

    >>> Embedding(27, 8, np.random.default_rng(0))(np.array([[0, 26, 13]])).shape
    (1, 3, 8)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        rng: Any,
        *,
        init: Initialiser = normal,
        dtype: Any = float,
    ) -> None:
        check_size("Embedding", "num_embeddings", num_embeddings)
        check_size("Embedding", "embedding_dim", embedding_dim)
        self.weight: Any = parameter("Embedding", (num_embeddings, embedding_dim), init, rng, dtype)

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """The rows weight[x]."""
        if isinstance(x, Tensor):
            raise TypeError("Embedding: takes an array of integers, not a Tensor: x.data.astype(int)")
        indices = np.asarray(x)
        if indices.dtype.kind not in "iu" and indices.size:
            raise TypeError(
                f"Embedding: takes an array of integers, not {indices.dtype}; of whole numbers x.astype(int) makes them"
            )
        outside = indices[(indices < 0) | (indices >= len(self.weight))] if indices.size else indices
        if outside.size:
            raise IndexError(
                f"Embedding: {outside[0]} is not one of the {len(self.weight)} rows of {titled(self.weight)}; "
                f"they are counted from 0 to {len(self.weight) - 1}"
            )
        return self.weight[indices.astype(np.intp, copy=False)]


class LayerNorm(Module):
    """Each row, the last axis, brought to mean 0 and variance 1, then scaled and shifted by learned numbers.

    (x - mean) / sqrt(variance + eps) * weight + bias, of (..., features): Ba, Kiros and Hinton 2016, arXiv:1607.06450.
    The variance is that of the row itself (divided by features). `weight` begins with ones, `bias` with zeros.

    >>> LayerNorm(3)(np.array([[1.0, 2.0, 3.0]])).round(2).tolist()
    [[-1.22, 0.0, 1.22]]
    """

    def __init__(self, features: int, eps: float = 1e-5, *, dtype: Any = float) -> None:
        check_size("LayerNorm", "features", features)
        if not isinstance(eps, int | float | np.number) or not 0 < eps < np.inf:
            raise ValueError(f"LayerNorm: eps is a small number above 0, not {eps!r}")
        self.weight: Any = Tensor(np.ones(features, floating("LayerNorm", dtype)), name="weight")
        self.bias: Any = Tensor(np.zeros(features, dtype), name="bias")
        self.eps = float(eps)

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """The rows brought to a common mean and spread."""
        if np.shape(x)[-1:] != self.weight.shape:
            raise misfit("LayerNorm", x, self.weight, f"(..., {self.weight.shape[0]})")
        if getattr(x, "dtype", None) == np.float16:  # in which squares overflow from 256 on
            return self(x.astype(np.float32)).astype(np.result_type(x.dtype, self.weight.dtype))
        deviation = x - np.mean(x, axis=-1, keepdims=True)
        variance = np.mean(deviation * deviation, axis=-1, keepdims=True)
        return deviation / np.sqrt(variance + self.eps) * self.weight + self.bias


class Dropout(Module):
    """Sets each number to 0 with probability p while training, and divides the others by 1 - p.

    So the mean stays (inverted dropout: Srivastava et al. 2014, Journal of Machine Learning Research 15).
    Training is a call with a random generator; without one, x is returned as it is.

    >>> layer, x = Dropout(0.5), np.ones(6)
    >>> layer(x).tolist(), layer(x, rng=np.random.default_rng(0)).tolist()
    ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 0.0, 0.0, 2.0, 2.0])
    """

    def __init__(self, p: float) -> None:
        if not isinstance(p, int | float | np.number) or not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, from 0 to 1, not {p!r}")
        self.p = float(p)

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """x, with a random part of it 0 if there is a generator."""
        if rng is None:
            return x
        check_generator("Dropout", rng)
        x = x if isinstance(x, Tensor) else np.asarray(x)
        kept = (rng.random(x.shape) >= self.p) * (1 / (1 - self.p) if self.p < 1 else 0.0)
        return x * kept.astype(x.dtype if x.dtype.kind == "f" else float)
