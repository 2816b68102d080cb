"""Samples of the elementwise functions: trigonometric, hyperbolic, exponential, rounding; and of ufuncs' methods."""

import numpy as np
from numpy.lib import NumpyVersion

from autodiff.tensor import implementations, numpy_name

from .base import apart, positive, sample

ANY, SMALL = [(), (2, 3)], 0.9
for op in [
    "sinh",
    "cosh",
    "sech2",
    "hypot_1",
    "arctan_slope",
    "arcsinh",
    "arctan",
    "exp2",
    "i0",
    "nan_to_num",
    "fraction",
]:
    for shape in ANY:
        sample(op, apart(*shape))
for op in ["tanh", "tan", "arcsin", "arccos", "arctanh", "one_minus_square", "degrees", "radians"]:
    for shape in ANY:
        sample(op, apart(*shape, low=-SMALL, high=0.95 * SMALL))
for op in ["cbrt", "reciprocal", "log2", "log10"]:
    for shape in ANY:
        sample(op, positive(*shape))
sample("arccosh", 1 + positive(2, 3))
sample("arccosh", 1 + positive())
sample("tanh", apart(4, low=-40, high=41))
SINC_REFUSES = () if NumpyVersion(np.__version__) >= "2.1.0" else ("float16",)  # of which its sinc(0) is NaN
sample("sinc", apart(2, 3))
sample("sinc", np.array([-2.5, -1e-3, 0.0, 0.3, 7.25]), refuses=SINC_REFUSES)
sample("i0", np.array([-3.5, -1e-3, 0.0, 4.5]))
for order in (1, 2):
    sample("sinc_derivative", np.array([-2.5, -1e-3, 0.0, 0.3, 7.25]), order=order)
    sample("bessel_i", np.array([-2.5, -1e-3, 0.0, 0.3, 7.25]), order=order)
sample("nan_to_num", apart(3), nan=2.0, posinf=1.0)
sample("unwrap", np.array([[0.5, 6.0, 12.1], [3.0, -3.0, 2.9]]))
sample("unwrap", np.array([0.5, 1.0, -0.8, 2.2]), period=1.5)

PAIRS = [((), ()), ((2, 3), (3,)), ((2, 1), (1, 3))]
for op in ["hypot", "direction", "inversion", "arctan2", "logaddexp", "logaddexp2", "fmax", "fmin"]:
    for a, b in PAIRS:
        sample(op, apart(*a), apart(*b, seed=5, low=-1.8))
for op in ["remainder", "fmod"]:
    sample(op, np.array([[-3.0, -1.2, 0.4], [1.7, 2.6, 3.5]]), np.array([1.1, 0.7, 2.3]))
    sample(op, np.array(-1.7), np.array([[0.6], [-1.1]]))
sample("copysign", apart(2, 3), apart(3, seed=1), constants=(1,))
sample("heaviside", np.array([-1.0, 0.0, 2.0]), apart(2, 1), constants=(0,))
sample("ldexp", apart(2, 3), np.array([-2, 0, 3]), constants=(1,))
sample(
    "weighed",
    apart(4),
    places=np.array([1, 0, 3, 1]),
    minlength=5,
    refuses=("float16", "float32", "longdouble"),
)
sample("positive", apart(2), call=np.conjugate)

# -- composed of ops ---------------------------------------------------------------------------------

sample(
    "np.bincount",
    apart(4),
    call=lambda w: np.bincount([1, 0, 3, 1], w),
    refuses=("float16", "float32", "longdouble"),
)
sample("np.divmod", apart(2, 3), np.array(0.4), call=lambda a, b: np.divmod(a, b)[1])
sample("np.modf", apart(2, 3), call=lambda x: np.modf(x)[0])
sample("np.frexp", apart(2, 3), call=lambda x: np.frexp(x)[0])
sample("np.real_if_close", apart(2, 3))
# It computes in float64 at least.
sample("np.float_power", positive(2, 3), apart(3, seed=1), refuses=("float16", "float32"))
for name in ["np.add.reduce", "np.multiply.reduce", "np.maximum.reduce", "np.minimum.reduce"]:
    sample(name, apart(2, 3))
    sample(name, apart(2, 3), axis=1, keepdims=True)
sample("np.add.accumulate", apart(3, 2))
sample("np.multiply.accumulate", apart(2, 3), axis=1)
for function, op in list(implementations.items()):
    if function.__name__ == "outer" and function is not np.outer and getattr(op, "differentiable", True):
        whole = {"np.ldexp.outer": (np.array([1, -2]), (1,)), "np.copysign.outer": (apart(2), (1,))}
        second, constants = whole.get(numpy_name(function), (positive(2, seed=3), ()))
        first = positive(3)
        if function == np.heaviside.outer:
            first, constants = np.array([0.0, 1.0]), (0,)
        narrow = ("float16", "float32") if function == np.float_power.outer else ()
        sample(numpy_name(function), first, second, constants=constants, refuses=narrow)
