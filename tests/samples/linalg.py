"""Samples of linear algebra: regular matrices, their eigenvalues and singular values apart."""

from functools import partial

import numpy as np

from .base import DECLARED, apart, sample

# NumPy's linear algebra has float32 and float64 alone.
sample = partial(sample, refuses=("float16", "longdouble"))


def turned(m):
    return np.swapaxes(m, -1, -2)


def diagonal(n):
    """1, 2, ... n."""
    return np.diag(np.arange(1.0, n + 1))


def near(n, *batch, size=0.2):
    """Matrices near that diagonal one."""
    return diagonal(n) + size * apart(*batch, n, n)


def positive_definite(n, *batch):
    m = apart(*batch, n, n, seed=2)
    return 0.3 * m @ turned(m) + diagonal(n)


def symmetrised(function):
    """Called with the mean of a matrix and its transpose, for it reads one triangle alone."""
    return lambda a, **options: function((a + turned(a)) / 2, **options)


A, B = near(3), near(2, 2)
TALL = np.eye(3, 2) * [1.0, 2.0] + 0.3 * apart(3, 2)
for a in [A, B, near(1)]:
    for op in ["inv", "det", "svdvals"]:
        sample(op, a)
    # np.real, because of an array they are complex since NumPy 2.5.
    sample("np.linalg.eigvals", a, call=lambda a: np.real(np.linalg.eigvals(a)))
sample("svdvals", TALL)
sample("svdvals", turned(TALL))
sample("solve", A, apart(3))
sample("solve", A, apart(3, 2))
sample("solve", B, apart(2, seed=1))
sample("solve", B[0], apart(2, 2, 1, seed=1))
sample("cofactors", B)
sample("cofactors", np.array([[1.0, 2.0, 0.5], [0.5, 1.0, 0.25], [2.0, 1.0, 1.0]]))
sample("det", np.array([[1.0, 2.0, 0.5], [0.5, 1.0, 0.25], [2.0, 1.0, 1.0]]))
sample("logabsdet", A)
sample("logabsdet", -B)
sample("np.linalg.slogdet", A, call=lambda a: np.linalg.slogdet(a)[1])
for a in [TALL, turned(TALL), B]:
    sample("pinv", a, rcond=1e-15)
    sample("np.linalg.pinv", a)
sample("np.linalg.pinv", B[0], call=symmetrised(np.linalg.pinv), hermitian=True)
sample("np.linalg.pinv", near(2), rcond=0.7)
sample("least_squares", TALL, apart(3, seed=1))
sample("least_squares", turned(TALL), apart(2, 2, seed=1))
for place in [0, 1, 3]:
    inputs, rest = ((TALL, apart(3, seed=1)), ()) if place < 3 else ((TALL,), (np.ones(3),))
    sample("np.linalg.lstsq", *inputs, call=lambda *xs, i=place, rest=rest: np.linalg.lstsq(*xs, *rest)[i])
for n in [-2, 1, 3]:
    sample("np.linalg.matrix_power", B, n=n)
sample("np.linalg.tensorinv", near(4).reshape(2, 2, 4), ind=2)
sample("np.linalg.tensorsolve", near(4).reshape(2, 2, 2, 2), apart(2, 2))
sample("np.linalg.tensorsolve", near(2).reshape(2, 1, 2), apart(2, 1), axes=(0,))
for p in [None, -2, "fro", 1]:
    sample("np.linalg.cond", A if p != 1 else B[0], p=p)

for name in ["symmetric", "cholesky", "eigvalsh", "eigenvectors"]:
    for m in [positive_definite(3), positive_definite(2, 2)]:
        sample(name, m, call=symmetrised(lambda a, name=name, **options: DECLARED[name](a, **options)))
sample("cholesky", positive_definite(3), call=symmetrised(np.linalg.cholesky), upper=True)
sample("eigvalsh", positive_definite(3), call=symmetrised(np.linalg.eigvalsh), UPLO="U")
for place in [0, 1]:
    call = symmetrised(lambda a, place=place, **options: np.linalg.eigh(a, **options)[place])
    sample("np.linalg.eigh", positive_definite(3), call=call, UPLO="U")
    sample("np.linalg.eig", A, call=lambda a, place=place: np.real(np.linalg.eig(a)[place]))
for a in [A, TALL, B]:
    sample("orthogonal_triangular", a)
for a in [A, TALL, turned(TALL)]:
    for place in [0, 1]:
        sample("np.linalg.qr", a, call=lambda a, place=place: np.linalg.qr(a)[place])
sample("np.linalg.qr", A, call=lambda a: np.linalg.qr(a, mode="r"))
for a in [A, TALL, turned(TALL)]:
    sample("left_vectors", a)
    sample("right_vectors", a)
for place in [0, 1, 2]:
    sample("np.linalg.svd", TALL, call=lambda a, i=place: np.linalg.svd(a, full_matrices=False)[i])
    call = symmetrised(lambda a, i=place: np.linalg.svd(a, hermitian=True)[i])
    sample("np.linalg.svd", near(2) - 1.5 * np.eye(2), call=call)
sample("np.linalg.svd", B, compute_uv=False)
for a in [A, B]:
    sample("general_eigenvalues", a)
    sample("general_eigenvectors", a)
