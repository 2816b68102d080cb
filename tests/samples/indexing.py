"""Samples of indexing: taking, choosing, writing as a function, diagonals and triangles."""

import numpy as np

from autodiff import index_add, index_update

from .base import apart, sample

BLOCK = apart(2, 3)
POSITIVE = BLOCK > 0

sample("take", BLOCK, indices=[4, 0, 0])
sample("take", BLOCK, indices=np.array([[0, -1], [2, 2]]), axis=1)
sample("take", BLOCK, indices=5, axis=0, mode="clip")
sample("take", BLOCK, indices=[-4, 7], axis=-1, mode="wrap")
CHOICES = BLOCK, apart(3, seed=1), apart(seed=2)
sample("choose", *CHOICES, index=np.array([[0, 1, 2], [2, 1, 0]]))
sample("np.choose", *CHOICES, call=lambda *xs: np.choose([0, 4, -1], xs, mode="wrap"))
sample("np.choose", *CHOICES, call=lambda *xs: np.choose([0, 4, -1], xs, mode="clip"))
sample(
    "np.select",
    BLOCK,
    apart(3, seed=1),
    apart(seed=2),
    call=lambda a, b, c: np.select([POSITIVE, BLOCK < -1, BLOCK < -0.5], [a, b, c], 0.5),
)
sample("np.select", BLOCK, call=lambda a: np.select([POSITIVE], [a]))
sample("np.compress", BLOCK, call=lambda x: np.compress([True, False, True], x, axis=1))
sample("np.compress", BLOCK, call=lambda x: np.compress([False, False, True, True], x))
sample("np.extract", BLOCK, call=lambda x: np.extract(POSITIVE, x))
sample(
    "np.piecewise", BLOCK, call=lambda x: np.piecewise(x, [POSITIVE, BLOCK < -1], [np.square, np.exp, 2.0])
)

for index, v in [
    (slice(0, 2), apart(2, 3, seed=1)),
    ((0, [1, 1, 2]), apart(3, seed=1)),
    (POSITIVE, apart(int(POSITIVE.sum()), seed=1)),
]:
    sample("index_update", BLOCK, v, index=index)
sample("ad.index_add", BLOCK, apart(3, seed=1), call=lambda x, v: index_add(x, [0, 1, 0], v))
sample("ad.index_update", BLOCK, apart(2, 1, seed=1), call=lambda x, v: index_update(x, (..., [1, 1]), v))
sample("scatter", apart(3, 2, seed=2), index=np.array([1, 0, 1]), shape=(2, 2))
sample("scatter", apart(2, 3, 2), index=(slice(None), np.array([0, 3, 3])), shape=(2, 4, 2))
sample("scatter", apart(3, seed=1), index=(np.array([1, 0, 1]), np.array([1, 0, 1])), shape=(2, 2))

sample("diagonal", BLOCK)
sample("diagonal", apart(2, 3, 2), offset=-1, axis1=-1, axis2=0)
sample("put_diagonal", apart(2, 2), offset=1, axis1=0, axis2=2, shape=(3, 2, 3))
sample("np.diag", BLOCK, k=1)
sample("np.diag", apart(2), k=-1)
sample("np.diagflat", apart(1, 2), k=1)
sample("np.trace", apart(2, 3, 2), offset=1, axis1=-1, axis2=1)
sample("np.tril", apart(2, 2, 3))
sample("np.tril", apart(3), k=-1)
sample("np.triu", BLOCK, k=1)
# NumPy's vander computes in float64 at least.
vander = lambda x, **options: np.vander(x, **options).astype(x.dtype)
sample("np.vander", apart(3), call=vander)
sample("np.vander", apart(2), call=vander, N=4, increasing=True)
