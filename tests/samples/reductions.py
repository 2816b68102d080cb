"""Samples of reductions, spreads, norms, averages and covariances."""

import numpy as np

from .base import MASK, apart, positive, sample

HOLES = np.where(MASK, apart(2, 3), np.nan)  # NaN is a constant that moves with no element

# -- sums, means, products ---------------------------------------------------------------------------

for op in ["np.sum", "np.prod"]:
    sample(op, apart(2, 3), axis=-1, initial=1.5, where=MASK)
    sample(op, apart(3), initial=-0.5, keepdims=True)
    sample(op, apart(2, 3), axis=(0, 1))
sample("np.mean", apart(2, 3), axis=0, where=MASK)
sample("np.mean", apart(2, 3), where=np.array([[True], [False]]), keepdims=True)
sample("prod", np.array([[0.0, 1.2, -0.7], [0.0, 0.0, 1.1]]), axis=1)
sample("prod", np.array([0.0, 1.2, -0.7]), initial=1.5)
sample("prod", apart(4), initial=1.5)
sample("sum", apart(3), initial=1.5)
sample("mean", apart(2, 3), axis=0, where=MASK)
for op in ["np.nansum", "np.nanprod", "np.nanmean"]:
    sample(op, apart(2, 3), axis=1)
    sample(op, apart(2, 3), axis=0, where=MASK, keepdims=True)
    # NaN behind some elements, so that only numbers are moved
    sample(op, apart(2, 3), call=lambda x, op=op, **options: with_holes(op, x, **options), axis=1)


def with_holes(op, x, **options):
    """A nan-reduction of x and of two numbers that are missing."""
    return getattr(np, op.rpartition(".")[2])(np.where(MASK, x, np.nan), **options)


# -- extrema -----------------------------------------------------------------------------------------

for op in ["max", "min", "nanmax", "nanmin"]:
    bound = -2.0 if "max" in op else 2.0
    sample(op, apart(2, 3), axis=1, initial=bound, where=MASK)
    sample(op, apart(2, 3), axis=0, initial=0.0, keepdims=True)
for op in ["nanmax", "nanmin"]:
    sample(op, apart(3))
    sample(op, apart(2, 3), call=lambda x, op=op, **options: with_holes(f"np.{op}", x, **options), axis=1)
sample("np.ptp", apart(2, 3))
sample("np.ptp", apart(2, 3), axis=0, keepdims=True)

# -- spreads -----------------------------------------------------------------------------------------

THREE = np.array([[True, False], [True, True], [True, True]])
for op in ["var", "std"]:
    sample(op, apart(3, 2), axis=0, ddof=0.5, where=THREE)
    sample(f"np.{op}", apart(3, 2), axis=0, correction=1, keepdims=True, where=THREE)
    sample(
        f"np.{op}",
        apart(4),
        apart(1, seed=3),
        call=lambda x, m, op=op: getattr(np, op)(x, mean=m),
    )
    sample(
        f"np.{op}",
        apart(3, 2),
        call=lambda x, op=op: getattr(np, op)(x, axis=0, where=THREE, mean=np.mean(x, 0, keepdims=True)),
    )
    sample(f"np.nan{op}", apart(3, 2), axis=0, ddof=1)
    sample(
        f"np.nan{op}",
        apart(3, 2),
        call=lambda x, op=op: getattr(np, f"nan{op}")(np.where(THREE, x, np.nan), axis=0),
    )

# -- averages and covariances ------------------------------------------------------------------------

sample("np.average", apart(2, 3), axis=0)
for w in [positive(2, 3, seed=4), positive(3, seed=4)]:
    sample("np.average", apart(2, 3), w, call=lambda x, w: np.average(x, 1, w, keepdims=True))
sample("np.average", apart(2, 3), positive(2, 3, seed=4), call=lambda x, w: np.average(x, None, w))
sample(
    "np.average",
    apart(2, 3, 2),
    positive(2, 2, seed=4),
    call=lambda x, w: np.average(x, (2, 0), w, returned=True)[0],
)
# At least in float64, whatever comes in; in longdouble for exact differences.
WIDE = {"dtype": np.longdouble}
sample("np.cov", apart(2, 5), **WIDE)  # NumPy divides by 4 exactly, by 3 in float64
sample("np.cov", apart(4), apart(4, seed=1), call=lambda x, y, **o: np.cov(x, y, **o), bias=True, **WIDE)
sample("np.cov", apart(3, 2), rowvar=False, ddof=0, fweights=np.array([1, 3, 2]), **WIDE)
sample(
    "np.cov",
    apart(2, 3),
    positive(3, seed=1),
    call=lambda x, w, **o: np.cov(x, aweights=w, fweights=[2, 1, 1], ddof=0, **o),
    **WIDE,
)
sample("np.corrcoef", apart(2, 4), **WIDE)
sample(
    "np.corrcoef",
    apart(4, 1),
    apart(4, 1, seed=1),
    call=lambda x, y, **o: np.corrcoef(x, y, False, **o),
    **WIDE,
)

# -- norms -------------------------------------------------------------------------------------------

for ord in [2, 1, 3, 1.5, 0.5, -1]:
    sample("vector_norm", positive(2, 3) if ord < 0 else apart(2, 3), axis=1, ord=ord)
sample("vector_norm", apart(2, 3), keepdims=True)
sample("vector_norm", apart(2, 3, 2), axis=(2, 0))
for ord in [2.5, np.inf, -np.inf]:
    sample("np.linalg.vector_norm", apart(2, 3), axis=0, ord=ord)
sample("np.linalg.norm", apart(2, 3))
sample("np.linalg.norm", apart(2, 3, 2), axis=-2, ord=3, keepdims=True)
for ord in ["fro", 1, -1, np.inf, -np.inf]:
    sample("np.linalg.norm", apart(2, 3), ord=ord)
    sample("np.linalg.matrix_norm", apart(2, 3, 2), ord=ord, keepdims=True)
