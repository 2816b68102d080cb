"""Samples of what goes along an axis: running sums and products, differences, orders and quantiles."""

import numpy as np

from .base import apart, positive, sample
from .reductions import with_holes

ZEROS = np.array([[1.3, 0.0, -0.7, 0.4], [0.0, 0.6, 0.0, -1.1]])

# -- running sums and products -----------------------------------------------------------------------

for op in ["cumsum", "sum_from_here"]:
    sample(op, apart(2, 3), axis=1)
    sample(op, apart(3, 2), axis=0)
for backward in [False, True]:
    sample("recur", apart(4), apart(4, seed=1), axis=0, backward=backward)
    sample("recur", ZEROS, apart(2, 4, seed=1), axis=1, backward=backward)
for x in [apart(2, 3), ZEROS, np.zeros((2, 1))]:
    sample("cumprod", x, axis=1)
sample("cumprod", ZEROS, axis=0)
for op in ["np.cumsum", "np.cumprod", "np.nancumsum", "np.nancumprod"]:
    sample(op, apart(2, 2))
    sample(op, apart(2, 3), axis=-1)
for op in ["np.nancumsum", "np.nancumprod"]:
    sample(op, apart(2, 3), call=lambda x, op=op: with_holes(op, x, axis=1))
if hasattr(np, "cumulative_sum"):  # NumPy has these two since 2.1
    for op in ["np.cumulative_sum", "np.cumulative_prod"]:
        sample(op, apart(3))
        sample(op, apart(2, 3), axis=-2, include_initial=True)

# -- differences, slopes, areas ----------------------------------------------------------------------

sample("np.diff", apart(2, 3))
sample("np.diff", apart(4, 2), n=2, axis=0)
sample(
    "np.diff",
    apart(2, 2),
    apart(seed=1),
    apart(2, 2, seed=2),
    call=lambda x, before, behind: np.diff(x, prepend=before, append=behind),
)
sample("np.ediff1d", apart(2, 2))
sample("np.ediff1d", apart(3), apart(2, seed=1), call=lambda x, end: np.ediff1d(x, end, to_begin=0.5))
sample("np.trapezoid", apart(2, 3), dx=0.5)
sample("np.trapezoid", apart(3, 2), apart(3, seed=1), call=lambda y, x: np.trapezoid(y, x, axis=0))
sample("np.trapezoid", apart(2, 3), apart(2, 3, seed=1), call=lambda y, x: np.trapezoid(y, x))
sample("np.gradient", apart(4))
sample("np.gradient", apart(2, 4), axis=-1, edge_order=2)
sample(
    "np.gradient",
    apart(3, 3),
    np.array([0.0, 0.5, 2.0]),
    call=lambda f, x: np.gradient(f, 0.5, x, edge_order=2)[1],
    constants=(1,),
)
sample("np.gradient", apart(4), positive(seed=1), call=lambda f, h: np.gradient(f, h))
for edge_order in [1, 2]:
    sample(
        "np.gradient",
        apart(4),
        np.array([0.0, 0.4, 1.1, 1.5]),
        call=lambda f, x, edge_order=edge_order: np.gradient(f, x, edge_order=edge_order),
    )

# -- order -------------------------------------------------------------------------------------------

sample("reorder", apart(2, 3), order=np.array([[2, 0, 1], [1, 0, 2]]), axis=1)
sample("np.sort", apart(2, 3))
sample("np.sort", apart(3, 2), axis=0, stable=True)
sample("np.sort", apart(2, 2), axis=None)
sample("np.partition", apart(2, 4), kth=2)
sample("np.partition", apart(4, 2), kth=(0, 2), axis=0)
sample("unique", apart(2, 2), equal_nan=True)
sample("np.unique_values", apart(2, 2))
for op in ["np.unique_counts", "np.unique_inverse", "np.unique_all"]:
    sample(op, apart(3), call=lambda x, name=op[3:]: getattr(np, name)(np.concatenate([x, x])).values)
sample("np.unique", apart(3), call=lambda x: np.unique(np.concatenate([x, x]), return_counts=True)[0])
for op in ["median", "nanmedian"]:
    sample(op, apart(5))
    sample(op, apart(2, 4), axis=1, keepdims=True)
    sample(op, apart(2, 3, 2), axis=(0, 2))
for op, q, several in [("quantile", 0.3, [0.0, 0.625, 1.0]), ("percentile", 30, [0.0, 62.5, 100.0])]:
    for name in [op, f"nan{op}"]:
        sample(name, apart(2, 3), q=q, axis=0)
        sample(name, apart(2, 3), q=np.array(several), axis=-1, keepdims=True)
        sample(name, apart(5), q=q, method="hazen")
for op, options in [("nanmedian", {}), ("nanquantile", {"q": 0.3}), ("nanpercentile", {"q": 30})]:
    sample(op, apart(2, 3), call=lambda x, op=op, **o: with_holes(f"np.{op}", x, **o), axis=1, **options)
sample("quantile", apart(2, 3), q=np.array([[0.25], [0.75]]), method="averaged_inverted_cdf")
