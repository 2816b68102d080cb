"""Samples of the ops that the engine started with."""

import numpy as np
from numpy.lib import NumpyVersion

from autodiff import Tensor, checkpoint, softmax

from .base import DECLARED, LOGITS, MASK, SHAPES, apart, positive, sample

for op in ["abs", "negative", "positive", "square", "exp", "expm1", "sin", "cos"]:
    for shape in SHAPES:
        sample(op, apart(*shape))
for op in [
    "relu",
    "sigmoid",
    "softplus",
    "log_sigmoid",
    "silu",
    "gelu_tanh",
    "bell",
    "silu_slope",
    "normal_density",
]:
    for shape in SHAPES:
        sample(op, apart(*shape))
for op in ["sqrt", "log", "log1p"]:
    for shape in SHAPES:
        sample(op, positive(*shape))
for shape in SHAPES:
    # SciPy's ndtr has no longdouble form.
    sample("normal_cdf", apart(*shape), refuses=("longdouble",))
    sample("gelu_erf", apart(*shape), refuses=("longdouble",))
for op in ["add", "subtract", "multiply", "divide", "maximum", "minimum"]:
    for a, b in [((), ()), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0, 3), (3,))]:
        sample(op, apart(*a), apart(*b, seed=5, low=-1.8))
for a, b in [((), ()), ((2, 3), (2, 3)), ((2, 1), (3,))]:
    sample("power", positive(*a), apart(*b, seed=5))
sample("where", MASK, apart(2, 3), apart(3, seed=1), constants=(0,))
sample("where", MASK[0], apart(2, 1), apart(seed=1), constants=(0,))
sample("where", apart(2, 3) > 0, apart(), apart(seed=1), constants=(0,))
sample("clip", apart(2, 3), np.array(-0.5), np.array(0.6))
sample("clip", apart(2, 3), apart(2, 1, low=-1.5, high=-0.2), apart(3, low=0.1, high=1.1))
sample("clip", apart(2, 3), np.array(0.9), np.array(0.2))  # crossed bounds: NumPy lets the upper one win
sample("astype", apart(2, 3), dtype=np.longdouble)
sample("astype", apart(), dtype="longdouble")

for op in ["sum", "mean", "max", "min", "prod", "var", "std"]:
    for options in [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)}, {"axis": ()}]:
        if options.get("axis") == () and op in ("var", "std"):
            continue  # constants of one element each: std has a kink there
        sample(op, apart(2, 3), **options)
    sample(op, apart(2, 3, 2), axis=(0, 2))
    sample(op, apart(2, 3, 2), axis=(-1, 0), keepdims=True)
    sample(op, apart(4), keepdims=True)
    if op not in ("var", "std"):
        sample(op, apart())
for op in ["var", "std"]:
    sample(op, apart(2, 3), axis=1, ddof=1)
    sample(op, apart(5), ddof=2)

sample("reshape", apart(2, 3), shape=(3, 2))
sample("reshape", apart(2, 3), shape=-1, order="F")
sample("reshape", apart(1, 1), shape=())
sample("transpose", apart(2, 3))
sample("transpose", apart(2, 3, 2), axes=(2, 0, 1))
sample("transpose", apart(2, 3, 2), axes=(-1, 0, -2))
sample("swapaxes", apart(2, 3, 2), axis1=0, axis2=-1)
sample("squeeze", apart(1, 3, 1))
sample("squeeze", apart(1, 3, 1), axis=0)
sample("squeeze", apart(1, 3, 1), axis=(0, -1))
sample("expand_dims", apart(2, 3), axis=1)
sample("expand_dims", apart(2, 3), axis=(0, -1))
sample("broadcast_to", apart(3, 1), shape=(2, 3, 4))
sample("broadcast_to", apart(), shape=(2,))
sample("concatenate", apart(2, 3), apart(2, 1), apart(2, 2), axis=1)
sample("concatenate", apart(1, 2), apart(2, 2), axis=-2)
sample("stack", apart(2, 3), apart(2, 3, seed=1), apart(2, 3, seed=2), axis=1)
sample("stack", apart(), apart(seed=1), axis=-1)

x = apart(3, 4)
for index in [
    1,
    -1,
    (1, -2),
    slice(None, None, -1),
    (slice(0, 3, 2), slice(3, 0, -2)),
    (None, 1),
    (..., None, 0),
    ...,
    [0, 0, 2],
    np.array([[0, -1], [2, 2]]),
    (np.array([0, 0, 1]), np.array([1, 1, 3])),
    (np.array([2, 0]), slice(1, 3)),
    (slice(1, 3), np.array([3, 0, 3])),
    (1, [0, 0]),
    (None, [0, 1], slice(None), None),
    x > 0,
    np.array([True, False, True]),
    (slice(None), np.array([True, False, True, True])),
    (np.array([True, False, True]), 1),
    np.ix_([0, 2, 2], [1, 3]),
    np.ix_([True, False, True], [1, 1]),
    np.zeros(0, int),
    slice(2, 2),
    True,
    np.bool_(False),
    np.int64(2),
]:
    sample("getitem", x, index=index)
sample("getitem", apart(), index=())
sample("getitem", apart(), index=None)
sample("scatter", apart(3), index=[0, 0, 2], shape=(4,))
sample("scatter", apart(2, 2), index=slice(1, 3), shape=(4, 2))
sample("scatter", apart(), index=1, shape=(3,))
sample("take_along_axis", x, indices=np.array([[0, 0, 3], [1, 1, 1], [2, 0, 2]]), axis=1)
sample("take_along_axis", x, indices=np.array([[2, 0, 1, 1]]), axis=0)
sample("take_along_axis", x, indices=np.array([[2], [-1], [0]]))
sample("put_along_axis", apart(3, 2), indices=np.array([[0, 0], [3, 1], [2, 2]]), axis=1, shape=(3, 4))
sample("put_along_axis", apart(1, 2), indices=np.array([[2, 2]]), axis=0, shape=(3, 2))

for a, b in [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 2)),
    ((4, 2, 3), (3, 2)),
    ((2, 3), (4, 3, 2)),
    ((2, 1, 2, 3), (3, 3, 1)),
    ((2, 2, 3), (3,)),
    ((1, 3), (2, 3, 1)),
]:
    sample("matmul", apart(*a), apart(*b, seed=3))
for subscripts, *shapes in [
    ("ij,jk->ik", (2, 3), (3, 2)),
    ("ij,jk", (2, 3), (3, 2)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iji->j", (2, 3, 2)),
    ("i,i", (3,), (3,)),
    ("i,j,k->kji", (2,), (3,), (2,)),
    ("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
    ("...i->...", (2, 3)),
    ("i...,i->...", (3, 2), (3,)),
    ("ij->", (2, 3)),
    ("ij->ji", (2, 3)),
    ("i,->i", (3,), ()),
    (",", (), ()),
    ("ij,ij->ij", (2, 3), (1, 3)),
    ("b...,b...->b...", (2, 1, 3), (2, 3, 1)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    ("ba", (2, 3)),
]:
    operands = [apart(*shape, seed=i) for i, shape in enumerate(shapes)]
    sample("einsum", *operands, subscripts=subscripts)

for options in [
    {"axis": -1, "beta": 1.0, "where": None},
    {"axis": 0, "beta": -0.7, "where": None},
    {"axis": 1, "beta": 2.0, "where": MASK},
]:
    for op in ["softmax", "log_softmax"]:
        # A masked log-probability is -inf, of which no weighted sum can be taken.
        sees = MASK if op == "log_softmax" and options["where"] is not None else ...
        call = lambda x, op=op, sees=sees, **options: DECLARED[op](x, **options)[sees]
        sample(op, LOGITS, call=None if sees is ... else call, **options)
    for op in ["softmax_pull", "centered", "spread"]:
        # Their last input is softmax(x), handed along.
        given_x = lambda g, x, op=op, **options: DECLARED[op](
            g, x, softmax(x.data if isinstance(x, Tensor) else x, **options), **options
        )
        sample(op, apart(2, 3, seed=9), LOGITS, call=given_x, **options)
sample("logsumexp", LOGITS, b=None)
sample("logsumexp", LOGITS, b=positive(2, 3))
sample("logsumexp", apart(3), b=None)
for reduction in ["sum", "none"]:
    sample("cross_entropy", LOGITS, targets=np.array([2, 0]), scale=0.5, axis=1, reduction=reduction)
    sample(
        "cross_entropy",
        LOGITS,
        targets=np.array([1, 1, 0]),
        scale=np.array([0.5, 0.0, 2.0]),
        axis=0,
        reduction=reduction,
    )
    dense = np.array([[0.25, 0.75, 0.0], [0.5, 0.0, 0.5]])
    sample("soft_cross_entropy", LOGITS, dense=dense, axis=1, reduction=reduction)

# A checkpoint is two ops, which mean something only together.
for op in ["gather_inputs", "recompute"]:
    sample(op, apart(2, 3), apart(3, seed=1), call=checkpoint(lambda a, b: np.sin(a) * b + b * b))

# -- composed of ops -------------------------------------------------------------------------------

for a, b in [((), (2,)), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3, 4)), ((3,), (2, 3, 1))]:
    sample("np.dot", apart(*a), apart(*b, seed=3))
sample("np.outer", apart(2), apart(3, seed=1))
sample("np.outer", apart(2, 2), apart(1, seed=1))
sample("np.ravel", apart(2, 3))
sample("np.ravel", apart(2, 3), order="F")
sample(
    "np.stack", apart(2, 3), apart(2, 3, seed=1), call=lambda *xs, **options: np.stack(xs, **options), axis=1
)
sample("np.stack", apart(), apart(seed=1), call=lambda *xs: np.stack(xs))
sample("np.concatenate", apart(2, 3), apart(1, seed=1), call=lambda *xs: np.concatenate(xs, axis=None))
if NumpyVersion(np.__version__) >= "2.1.0":
    sample("np.clip", apart(2, 3), min=-0.5)
sample("np.clip", apart(2, 3), a_min=None, a_max=0.6)
sample("np.where", MASK, apart(2, 3), apart(3, seed=1), constants=(0,))
sample("np.einsum", apart(2, 3), apart(3, seed=1), call=lambda *xs: np.einsum("ij,j", *xs))
