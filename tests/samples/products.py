"""Samples of the products, of convolutions, interpolation and polynomials."""

import numpy as np

from .base import DECLARED, apart, positive, sample

for op, a, b in [
    ("np.inner", (2, 3), (2, 3)),
    ("np.inner", (3,), (2, 2, 3)),
    ("np.inner", (), (2,)),
    ("np.vdot", (2, 3), (3, 2)),
    ("vecdot", (2, 1, 3), (2, 3)),
    ("matvec", (2, 3), (2, 3)),
    ("vecmat", (2, 2), (2, 3)),
    ("np.kron", (2, 1), (2, 3)),
    ("np.kron", (2,), (1, 2)),
    ("np.cross", (2, 3), (3,)),
    ("cross", (2, 3), (2, 1, 3)),
    ("np.linalg.matmul", (2, 3), (3,)),
    ("np.linalg.vecdot", (2, 3), (3,)),
    ("np.linalg.outer", (2,), (3,)),
    ("np.linalg.cross", (2, 3), (2, 3)),
    ("np.polymul", (3,), (2,)),
    ("np.polyadd", (3,), (2,)),
    ("np.polysub", (1,), (3,)),
    ("convolve", (2,), (3,)),
]:
    if op not in ("matvec", "vecmat") or op in DECLARED:  # of NumPy 2.2
        sample(op, apart(*a), apart(*b, seed=3))
sample("np.cross", apart(3, 2), apart(3, 1, seed=1), axisa=0, axisb=0, axisc=0)
sample("np.linalg.vecdot", apart(3, 2), apart(3, 2, seed=1), axis=0)
sample("np.tensordot", apart(2, 1, 2), apart(2, 2, 2, seed=1), axes=((0, -1), (2, 0)))
for op in ["np.tensordot", "np.linalg.tensordot"]:
    sample(op, apart(2, 2), apart(2, 3, seed=1), axes=1)
sample("np.tensordot", apart(2), apart(2, 1, seed=1), axes=0)
for shapes in [[(2, 3), (3, 1), (1, 2)], [(3,), (3, 2), (2,)]]:
    arrays = [apart(*shape, seed=i) for i, shape in enumerate(shapes)]
    sample("np.linalg.multi_dot", *arrays, call=lambda *xs: np.linalg.multi_dot(xs))
sample("np.linalg.matrix_transpose", apart(2, 3, 2))
for op in ["np.linalg.diagonal", "np.linalg.trace"]:
    sample(op, apart(2, 3))
    sample(op, apart(2, 2, 3), offset=-1)
sample(
    "np.einsum",
    apart(2, 2, 3),
    apart(3, 2, seed=1),
    call=lambda a, b: np.einsum(a, [..., 0, 7], b, [7, 3], [..., 0, 3]),
)
sample("np.einsum", apart(2, 2), call=lambda a: np.einsum(a, [0, 0]))

for op in ["np.convolve", "np.correlate"]:
    for mode in ["full", "same", "valid"]:
        sample(op, apart(3), apart(2, seed=3), mode=mode)
    sample(op, apart(2), apart(3, seed=3), mode="same")

# NumPy's interp computes in float64, and takes no longdouble.
KNOTS = np.array([-1.5, -0.4, 0.6, 1.5])
for options in [{}, {"left": -0.5, "right": 2.0}, {"period": 2.5}]:
    sample(
        "np.interp",
        apart(4, low=-2.3, high=2.1),
        apart(4, seed=1),
        call=lambda x, heights, **options: np.interp(x, KNOTS, heights, **options).astype(x.dtype),
        refuses=("longdouble",),
        **options,
    )

sample("np.polyval", apart(3), apart(2, 2, seed=1))
sample("np.polyval", apart(1), apart(seed=1))
# NumPy's polyder, polyint and polyfit compute in float64 or wider.
slopes = lambda p, **options: np.polyder(p, **options).astype(p.dtype)
sample("np.polyder", positive(4), call=slopes)
sample("np.polyder", apart(4), call=slopes, m=2)
integral = lambda p, **options: np.polyint(p, **options).astype(p.dtype)
sample("np.polyint", positive(3), call=integral)
sample("np.polyint", apart(3), call=integral, m=2, k=[0.5, -1.0])

# It solves by np.linalg.lstsq.
fitted = lambda x, y, **options: np.polyfit(x, y, **options).astype(x.dtype)
sample("np.polyfit", apart(5), apart(5, seed=1), call=fitted, deg=2, refuses=("float16", "longdouble"))
sample(
    "np.polyfit",
    apart(4),
    apart(4, 2, seed=1),
    call=fitted,
    deg=1,
    w=np.array([1.0, 2.0, 0.5, 1.5]),
    refuses=("float16", "longdouble"),
)
