"""The backward pass of every function on a large input takes at most three times its forward pass, or says why.

Inputs are 1000 x 1000 in float64, or take about as long. A row for each function goes to the table at the end.
Run alone: `pytest -o addopts="" tests/benchmarks/test_ops.py` (three minutes).
"""

import gc
from time import process_time

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor

from ..samples import DECLARED, SAMPLES
from ..samples.base import function_called
from .peers import say

RNG = np.random.default_rng(7)
N = 1000
MOST = 3


def numbers(*shape, low=0.3, high=2.3):
    return RNG.uniform(low, high, shape)


X, Y, V = numbers(N, N), numbers(N, N), numbers(N * N)
LINE, SHORT = numbers(N), numbers(4)
HOLES = np.where(RNG.uniform(size=(N, N)) < 0.01, np.nan, X)
MASK = X > 1
ROWS = RNG.integers(0, N, N)
PLACES = RNG.integers(0, N, (N, N))
A = numbers(300, 300, low=-1, high=1) + 20 * np.eye(300)  # well conditioned, its eigenvalues complex
S = A + A.T
B = numbers(300, 300)
TALL = numbers(400, 200, low=-1, high=1)
CUBE = numbers(100, 100, 100)
IMAGES, KERNELS = numbers(8, 8, 64, 64, low=-1, high=1), numbers(8, 8, 3, 3, low=-1, high=1)
RISING = np.sort(numbers(N, low=0, high=1))
LABELS = RNG.integers(0, N, N)
ROOMS = (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack)


def first(name, *options, **named):
    """The first of several results of np's `name`."""
    function = function_called(f"np.{name}")
    return lambda *xs: function(*xs, *options, **named)[0]


def call(name, *options, **named):
    function = function_called(name)
    return lambda *xs: function(*xs, *options, **named)


# How functions that are not elementwise are called, and with what.
CALLS = {
    "matmul": (np.matmul, X, Y),
    "np.dot": (np.dot, X, Y),
    "np.linalg.matmul": (np.linalg.matmul, X, Y),
    "np.inner": (np.inner, X, Y),
    "np.vdot": (np.vdot, X, Y),
    "np.kron": (np.kron, numbers(30, 30), numbers(30, 30)),
    "np.outer": (np.outer, LINE, LINE),
    "np.linalg.outer": (np.linalg.outer, LINE, LINE),
    "np.tensordot": (call("np.tensordot", 1), X, Y),
    "np.linalg.tensordot": (call("np.linalg.tensordot", axes=1), X, Y),
    "np.linalg.multi_dot": (lambda *xs: np.linalg.multi_dot(xs), X, Y, X),
    "np.einsum": (lambda x, y: np.einsum("ij,ij->i", x, y), X, Y),
    "einsum": (lambda x, y: np.einsum("ij,jk->ik", x, y, optimize=True), X, Y),
    "vecdot": (np.vecdot, X, Y),
    "np.linalg.vecdot": (np.linalg.vecdot, X, Y),
    "matvec": (getattr(np, "matvec", None), X, LINE),
    "vecmat": (getattr(np, "vecmat", None), LINE, X),
    "cross": (np.cross, numbers(N * N // 3, 3), numbers(N * N // 3, 3)),
    "np.cross": (np.cross, numbers(N * N // 3, 3), numbers(N * N // 3, 3)),
    "np.linalg.cross": (np.linalg.cross, numbers(N * N // 3, 3), numbers(N * N // 3, 3)),
    "convolve": (np.convolve, LINE, LINE),
    "np.convolve": (np.convolve, LINE, LINE),
    "np.correlate": (call("np.correlate", "full"), LINE, LINE),
    "np.polymul": (np.polymul, LINE, LINE),
    "np.polyadd": (np.polyadd, V, V),
    "np.polysub": (np.polysub, V, V),
    "np.polyval": (np.polyval, SHORT, X),
    "np.polyder": (np.polyder, V),
    "np.polyint": (np.polyint, V),
    "np.polyfit": (lambda x, y: np.polyfit(x, y, 3), RISING, X),
    "np.interp": (lambda x, y: np.interp(x, RISING, y), X, LINE),
    "np.bincount": (lambda x: np.bincount(PLACES.ravel(), x), V),
    "np.vander": (call("np.vander", 5), V),
    **{
        f"np.linalg.{name}": (call(f"np.linalg.{name}"), A)
        for name in ("tensorinv", "cond", "pinv", "eigvals")
    },
    **{name: (call(f"np.linalg.{name}"), A) for name in ("inv", "det", "pinv")},
    "np.linalg.tensorinv": (call("np.linalg.tensorinv", 1), A),
    "np.linalg.tensorsolve": (np.linalg.tensorsolve, A, B[0]),
    "np.linalg.matrix_power": (call("np.linalg.matrix_power", 3), A / 20),
    "np.linalg.slogdet": (lambda a: np.linalg.slogdet(a)[1], A),
    "logabsdet": (lambda a: np.linalg.slogdet(a)[1], A),
    "solve": (np.linalg.solve, A, B),
    "np.linalg.lstsq": (first("linalg.lstsq"), TALL, numbers(400, 5)),
    "least_squares": (first("linalg.lstsq"), TALL, numbers(400, 5)),
    "cholesky": (np.linalg.cholesky, S),
    "svdvals": (np.linalg.svdvals, B),
    "np.linalg.svd": (lambda a: np.linalg.svd(a, full_matrices=False)[0], B),
    "eigvalsh": (np.linalg.eigvalsh, S),
    "np.linalg.eigh": (lambda a: np.linalg.eigh(a)[1], S),
    "np.linalg.eig": (lambda a: np.linalg.eig(a)[1], S + np.triu(B) / 1000),
    "np.linalg.qr": (lambda a: np.linalg.qr(a)[0], B),
    "np.linalg.eigvals": (np.linalg.eigvals, S + np.triu(B) / 1000),
    **{
        name: (call(f"np.{name}"), X)
        for name in ("sum", "mean", "max", "min", "var", "std", "nanmax", "nanmin", "median", "nanmedian")
    },
    **{
        f"np.{name}": (call(f"np.{name}"), X)
        for name in (
            "sum",
            "mean",
            "ptp",
            "var",
            "std",
            "nansum",
            "nanmean",
            "nanvar",
            "nanstd",
            "sort",
            "unique",
        )
    },
    "nanmax": (np.nanmax, HOLES),
    "nanmin": (np.nanmin, HOLES),
    "np.nanmean": (np.nanmean, HOLES),
    "prod": (call("np.prod", axis=1), X),
    "np.prod": (call("np.prod", axis=1), X),
    "np.nanprod": (call("np.nanprod", axis=1), HOLES),
    "np.average": (lambda x, w: np.average(x, 1, w), X, LINE),
    "np.cov": (np.cov, X[:300]),
    "np.corrcoef": (np.corrcoef, X[:300]),
    "vector_norm": (call("np.linalg.vector_norm", axis=1), X),
    "np.linalg.vector_norm": (call("np.linalg.vector_norm", axis=1, ord=3), X),
    "np.linalg.norm": (np.linalg.norm, X),
    "np.linalg.matrix_norm": (call("np.linalg.matrix_norm", ord=1), X),
    "cumsum": (call("np.cumsum", axis=1), X),
    "np.cumsum": (np.cumsum, X),
    "np.nancumsum": (np.nancumsum, HOLES),
    "cumprod": (call("np.cumprod", axis=1), numbers(N, N, low=0.5, high=1.6)),
    "np.cumprod": (np.cumprod, numbers(N, low=0.5, high=1.6)),
    "np.nancumprod": (call("np.nancumprod", axis=1), HOLES),
    "np.cumulative_sum": (call("np.cumulative_sum", axis=1), X),
    "np.cumulative_prod": (call("np.cumulative_prod", axis=1), numbers(N, N, low=0.5, high=1.6)),
    "np.diff": (np.diff, X),
    "np.ediff1d": (np.ediff1d, X),
    "np.trapezoid": (np.trapezoid, X),
    "np.gradient": (call("np.gradient", axis=0), X),
    "np.partition": (call("np.partition", 500), X),
    "unique": (np.unique, X),
    "np.unique_values": (np.unique_values, X),
    **{f"np.unique_{what}": (first(f"unique_{what}"), X) for what in ("counts", "inverse", "all")},
    **{name: (call(f"np.{name}", 0.3), X) for name in ("quantile", "nanquantile")},
    **{name: (call(f"np.{name}", 30), X) for name in ("percentile", "nanpercentile")},
    "reshape": (call("np.reshape", (N // 2, 2 * N)), X),
    "np.ravel": (call("np.ravel", "F"), X),
    "transpose": (np.transpose, X),
    "swapaxes": (call("np.swapaxes", 0, 1), X),
    "moveaxis": (call("np.moveaxis", 0, 1), X),
    "np.rollaxis": (call("np.rollaxis", 1), X),
    "np.matrix_transpose": (np.matrix_transpose, X),
    "np.linalg.matrix_transpose": (np.linalg.matrix_transpose, X),
    "squeeze": (np.squeeze, X[None]),
    "expand_dims": (call("np.expand_dims", 0), X),
    **{f"np.atleast_{n}d": (call(f"np.atleast_{n}d"), X) for n in (1, 2, 3)},
    "broadcast_to": (call("np.broadcast_to", (N, N)), LINE),
    "np.broadcast_arrays": (lambda x: np.broadcast_arrays(x, X)[0], LINE),
    "np.meshgrid": (lambda x: np.meshgrid(x, LINE)[0], LINE),
    "concatenate": (lambda *xs: np.concatenate(xs), X, Y),
    **{f"np.{f.__name__}": (lambda *xs, f=f: f(xs), X, Y) for f in ROOMS},
    "np.block": (lambda x, y: np.block([[x, y]]), X, Y),
    "np.append": (call("np.append", axis=0), X, Y),
    "np.insert": (lambda x, y: np.insert(x, 3, y, axis=0), X, LINE),
    "np.delete": (call("np.delete", slice(0, 500, 2), axis=0), X),
    "np.split": (first("split", 2), X),
    "np.array_split": (first("array_split", 3), X),
    "np.hsplit": (first("hsplit", 2), X),
    "np.vsplit": (first("vsplit", 2), X),
    "np.dsplit": (first("dsplit", 2), CUBE),
    "np.unstack": (lambda x: np.unstack(x)[0], X),
    "np.trim_zeros": (np.trim_zeros, V),
    "np.tile": (call("np.tile", (2, 2)), X),
    "repeat": (call("np.repeat", 2, axis=0), X),
    "np.repeat": (call("np.repeat", 2, axis=1), X),
    "np.resize": (call("np.resize", (N, 2 * N)), X),
    "roll": (call("np.roll", 3, axis=1), X),
    "flip": (np.flip, X),
    "np.fliplr": (np.fliplr, X),
    "np.flipud": (np.flipud, X),
    "np.rot90": (np.rot90, X),
    "np.fft.fftshift": (np.fft.fftshift, X),
    "np.fft.ifftshift": (np.fft.ifftshift, X),
    "pad_constant": (call("np.pad", 3), X),
    "pad_copies": (call("np.pad", 3, mode="edge"), X),
    "np.pad": (call("np.pad", 3, mode="reflect"), X),
    "sliding_window_view": (call("np.lib.stride_tricks.sliding_window_view", 3, 1), X),
    "copy": (np.copy, X),
    "getitem": (lambda x: x[ROWS], X),
    "take": (lambda x: np.take(x, PLACES[:, 0], axis=1), X),
    "take_along_axis": (lambda x: np.take_along_axis(x, PLACES, 1), X),
    "np.take_along_axis": (lambda x: np.take_along_axis(x, PLACES, 1), X),
    "index_update": (lambda x, y: ad.index_update(x, slice(0, 500), y), X, X[:500]),
    "ad.index_update": (lambda x, y: ad.index_update(x, slice(0, 500), y), X, X[:500]),
    "ad.index_add": (lambda x, y: ad.index_add(x, ROWS, y), X, Y),
    "choose": (lambda x, y: np.choose(MASK * 1, [x, y]), X, Y),
    "np.choose": (lambda x, y: np.choose(MASK * 1, [x, y]), X, Y),
    "np.select": (lambda x, y: np.select([MASK], [x], y), X, Y),
    "np.where": (lambda x, y: np.where(MASK, x, y), X, Y),
    "where": (lambda x, y: np.where(MASK, x, y), X, Y),
    "np.clip": (call("np.clip", 0.5, 1.5), X),
    "clip": (call("np.clip", 0.5, 1.5), X),
    "np.compress": (lambda x: np.compress(MASK[0], x, axis=0), X),
    "np.extract": (lambda x: np.extract(MASK, x), X),
    "np.piecewise": (lambda x: np.piecewise(x, [MASK], [np.sin, np.cos]), X),
    "np.diag": (np.diag, LINE),
    "np.diagflat": (np.diagflat, LINE),
    "diagonal": (call("np.diagonal", 0, 1, 2), CUBE),
    "np.linalg.diagonal": (np.linalg.diagonal, CUBE),
    "np.trace": (np.trace, CUBE),
    "np.linalg.trace": (np.linalg.trace, CUBE),
    "np.tril": (np.tril, X),
    "np.triu": (np.triu, X),
    "np.apply_along_axis": (lambda x: np.apply_along_axis(np.sum, 1, x), X[:100]),
    "np.apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x, [0, 1]), X),
    "ad.rfft": (lambda x: ad.rfft(x)[0], X),
    "ad.irfft": (lambda x, y: ad.irfft((x, y)), X, Y),
    "ad.conv2d": (call("ad.conv2d"), IMAGES, KERNELS),
    "ad.max_pool2d": (call("ad.max_pool2d", 2), IMAGES),
    "ad.avg_pool2d": (call("ad.avg_pool2d", 2), IMAGES),
    "softmax": (ad.softmax, X),
    "log_softmax": (ad.log_softmax, X),
    "logsumexp": (call("ad.logsumexp", axis=1), X),
    "cross_entropy": (lambda x: ad.cross_entropy(x, LABELS), X),
    "soft_cross_entropy": (lambda x: ad.cross_entropy(x, Y / Y.sum(1, keepdims=True)), X),
    "nan_to_num": (np.nan_to_num, HOLES),
    "np.divmod": (lambda x, y: np.divmod(x, y)[1], X, Y),
    "np.modf": (first("modf"), X),
    "np.frexp": (first("frexp"), X),
    "np.real_if_close": (np.real_if_close, X),
    "np.float_power": (np.float_power, X, Y),
    "astype": (call("np.astype", np.float32), X),
    "unwrap": (np.unwrap, X),
    "ldexp": (lambda x: np.ldexp(x, 3), X),
    "copysign": (np.copysign, X, Y),
    "sinc": (np.sinc, X),
    "i0": (np.i0, X[:100]),
    **{
        f"np.{name}": (lambda a, b, name=name: getattr(np, name)(a, b, 1000), LINE, LINE)
        for name in ("linspace", "logspace", "geomspace")
    },
    "heaviside": (np.heaviside, X, Y),
}

# Halves of other functions, which nobody calls: their adjoints, and what a form of them is made of.
INNER = {
    *(
        "scatter",
        "put_along_axis",
        "put_diagonal",
        "sum_repeats",
        "sum_windows",
        "fold_back",
        "sum_from_here",
    ),
    *("recur", "reorder", "weighed", "softmax_pull", "centered", "spread", "symmetric", "cofactors"),
    *("left_vectors", "right_vectors", "eigenvectors", "orthogonal_triangular", "general_eigenvalues"),
    *("general_eigenvectors", "spectrum", "signal", "conv2d", "conv2d_images", "conv2d_kernels"),
    *(
        "image_windows",
        "overlay_windows",
        "max_pool2d",
        "sum_pool2d",
        "spread_pool2d",
        "gather_inputs",
        "recompute",
    ),
    *(
        "np.concatenate",
        "bell",
        "silu_slope",
        "normal_density",
        "normal_cdf",
        "sech2",
        "fraction",
        "bessel_i",
    ),
    *("sinc_derivative", "one_minus_square", "direction"),
}

READS = "forward it only reads; backward it writes an array of the input's size"
VIEW = "forward it is a view; backward it writes an array"
TWO = "two inputs, each with a gradient of its own"
QUICK = "forward it is one instruction of the processor; the slope is several, kept exact at extremes"
CAREFUL = "its slope avoids overflow, underflow and cancellation, in many steps"
CHOICE = "two comparisons and a choice for each input that is tracked"
SLICES = "each slice is put back into zeros, and the parts are added"
REPEATED = "elements may be named twice, so their gradients are added one by one, as np.add.at does"
ALIGNED = "forward it stops at the triangular factors; backward it needs the inverse or the vectors"

SPECIAL = "its slope is another special function, of a higher order, which takes longer"

# Why a backward pass may take longer than three times the forward pass.
REASONS = {
    **dict.fromkeys(
        ("max", "min", "nanmax", "nanmin", "prod", "np.prod", "np.nanprod", "np.ptp", "np.vdot"), READS
    ),
    **dict.fromkeys(("vecdot", "np.linalg.vecdot", "matvec", "vecmat", "np.trace", "np.linalg.trace"), READS),
    **dict.fromkeys(("np.einsum", "ad.max_pool2d", "vector_norm", "np.linalg.vector_norm"), READS),
    **dict.fromkeys(("np.linalg.norm", "np.linalg.matrix_norm", "sum", "np.sum", "mean"), READS),
    **dict.fromkeys(
        ("reshape", "transpose", "swapaxes", "moveaxis", "squeeze", "expand_dims", "broadcast_to"), VIEW
    ),
    **dict.fromkeys(("np.rollaxis", "np.matrix_transpose", "np.linalg.matrix_transpose", "np.ravel"), VIEW),
    **dict.fromkeys(
        ("np.atleast_1d", "np.atleast_2d", "np.atleast_3d", "np.broadcast_arrays", "np.meshgrid"), VIEW
    ),
    **dict.fromkeys(
        ("np.split", "np.array_split", "np.hsplit", "np.vsplit", "np.dsplit", "np.unstack"), VIEW
    ),
    **dict.fromkeys(("flip", "np.fliplr", "np.flipud", "np.rot90", "diagonal", "np.linalg.diagonal"), VIEW),
    **dict.fromkeys(("sliding_window_view", "np.trim_zeros"), VIEW),
    **dict.fromkeys(("multiply", "divide", "np.kron", "np.cov", "np.corrcoef", "copysign"), TWO),
    **dict.fromkeys(
        (
            "abs",
            "square",
            "astype",
            "sqrt",
            "reciprocal",
            "exp2",
            "cbrt",
            "arcsin",
            "arccos",
            "arctan",
            "arctanh",
            "tanh",
        ),
        QUICK,
    ),
    **dict.fromkeys(
        ("arcsinh", "arccosh", "power", "np.float_power", "hypot", "arctan2", "sinc", "i0"), CAREFUL
    ),
    **dict.fromkeys(("maximum", "minimum", "np.select", "fmax", "fmin", "clip", "np.clip"), CHOICE),
    **dict.fromkeys(("np.diff", "np.ediff1d", "np.gradient", "np.insert", "np.resize", "np.delete"), SLICES),
    **dict.fromkeys(("getitem", "take"), REPEATED),
    **dict.fromkeys(("det", "svdvals", "cholesky", "logabsdet", "np.linalg.slogdet"), ALIGNED),
    **dict.fromkeys(
        ("erfcx", "hazard", "bessel_j1", "bessel_i1", "bessel_i0e", "bessel_i1e", "bessel_y1"), SPECIAL
    ),
    **dict.fromkeys(("bessel_k1", "psi", "erfinv", "erfcinv", "ndtri", "beta", "betaln", "kl_div"), SPECIAL),
    **dict.fromkeys(
        ("polygamma_rise", "bessel_yv", "bessel_kv", "scipy.special.yv", "scipy.special.kv"), SPECIAL
    ),
    "cumprod": "sums of products behind each element, divided by it, after a look for products near 0",
    "np.cumulative_prod": "sums of products behind each element, divided by it, after a look for products near 0",
    "np.vander": "a power for each column",
    "np.apply_along_axis": "each row is taken by itself, and its gradient put into zeros of the whole array",
}


def is_special(name):
    """Whether SciPy computes it, which takes a thousand instructions for an element."""
    module = getattr(DECLARED.get(name), "__module__", "")
    return name.startswith(("scipy.special.", "ad.special.")) or ".special." in module


def is_elementwise(name):
    op = DECLARED.get(name)
    if op is None:
        return is_special(name)
    return op.operation.structure in ("elementwise", "selection") and op.operation.broadcasts


def case_of(name):
    """How to call a function on a large input, and the input: by the table, or elementwise from its sample's range."""
    if name in CALLS:
        function, *inputs = CALLS[name]
        return function, inputs
    sample = SAMPLES[name][0]
    largest = max(SAMPLES[name], key=lambda sample: max(np.size(x) for x in sample.inputs))
    inputs = [
        numbers(100 if is_special(name) else N, N, low=np.min(x), high=np.max(x))
        if i in sample.tracked
        else x
        for i, x in enumerate(largest.inputs)
    ]
    return sample, inputs


def measured(name, rounds=3):
    """The shortest seconds of the forward and of the backward pass: the processor's, whatever else is running."""
    function, inputs = case_of(name)
    leaves = [Tensor(x) for x in inputs]
    seed = np.ones(function(*leaves).shape)
    forward, backward = [], []
    for _ in range(rounds + 2):
        for leaf in leaves:
            leaf.grad = None
        gc.collect()
        start = process_time()
        y = function(*leaves)
        middle = process_time()
        y.backward(seed)
        backward.append(process_time() - middle)
        forward.append(middle - start)
        del y
    return min(forward), min(backward)


FUNCTIONS = [
    name for name in SAMPLES if name not in INNER and not name.endswith((".outer", ".reduce", ".accumulate"))
]


def test_every_function_has_a_large_input():
    missing = [name for name in FUNCTIONS if name not in CALLS and not is_elementwise(name)]
    assert missing == []


def test_every_reason_belongs_to_a_function():
    assert set(REASONS) <= set(FUNCTIONS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_backward_pass_takes_at_most_three_times_its_forward_pass(name):
    if name in CALLS and CALLS[name][0] is None:
        pytest.skip("this NumPy does not have it")
    np.ones(30_000_000, np.uint8)  # warm memory, as in peers.interleaved
    forward, backward = measured(name)
    reason = REASONS.get(name, "")
    if backward > MOST * forward and not reason:  # a second look: caches may have been cold
        forward, backward = measured(name, rounds=15)
    ratio = backward / forward
    say(f"{name:28}{1e3 * forward:10.2f} ms{1e3 * backward:10.2f} ms{ratio:8.1f}  {reason}")
    assert ratio <= MOST or reason, f"{name}: backward takes {ratio:.1f} times as long as forward"


def test_what_adding_at_repeated_indices_costs():
    """np.add.at beside the indexing whose adjoint it is, and the assignment that serves slices and masks."""
    indices, x, target = RNG.integers(0, N * N, N * N), V, np.zeros(N * N)

    def taken(work, rounds=5):
        seconds = []
        for _ in range(rounds):
            start = process_time()
            work()
            seconds.append(process_time() - start)
        return 1e3 * min(seconds)

    index, add = taken(lambda: x[indices]), taken(lambda: np.add.at(target, indices, x))
    count, assign = (
        taken(lambda: np.bincount(indices, x, N * N)),
        taken(lambda: target.__setitem__(indices, x)),
    )
    say(
        f"a million indices: x[i] {index:.1f} ms, np.add.at {add:.1f} ms, np.bincount {count:.1f} ms, x[i] = g {assign:.1f} ms"
    )
    assert np.isfinite(target).all()
