"""Activations against 60 digits, far into their tails, and at the edges of the dtypes."""

import mpmath as mp
import numpy as np
import pytest

from autodiff import Tensor, gelu, grad, hvp, jvp, log_sigmoid, relu, sigmoid, silu, softplus

from . import exact
from .oracles import slope

inf, nan = np.inf, np.nan


def gelu_by_erf(x):
    """gelu without the approximation."""
    return gelu(x, approximate=False)


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def normal_density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def s(x):
    return 1 / (1 + mp.exp(-x))


def tanh_u(x):
    """The argument of gelu's sigmoid, with its first and second derivatives."""
    c, a = mp.sqrt(8 / mp.pi), mp.mpf(0.044715)
    return c * (x + a * x**3), c * (1 + 3 * a * x**2), c * 6 * a * x


def bell(x):
    return s(x) * s(-x)


def bend(x):
    """The slope of bell."""
    return -bell(x) * mp.tanh(x / 2)


def gelu_slopes(x):
    u, du, ddu = tanh_u(x)
    return (
        (x * s(u),),
        (s(u), x * bell(u) * du),
        (2 * bell(u) * du, x * bend(u) * du**2, x * bell(u) * ddu),
    )


# For each activation its value, slope and second derivative as a tuple of terms to add up: where these
# nearly cancel, errors are relative to the terms.
TRUTH = {
    sigmoid: lambda x: ((s(x),), (bell(x),), (bend(x),)),
    softplus: lambda x: ((mp.log1p(mp.exp(x)),), (s(x),), (bell(x),)),
    log_sigmoid: lambda x: ((-mp.log1p(mp.exp(-x)),), (s(-x),), (-bell(x),)),
    silu: lambda x: ((x * s(x),), (s(x), x * bell(x)), (2 * bell(x), x * bend(x))),
    gelu: gelu_slopes,
    gelu_by_erf: lambda x: (
        (x * normal_cdf(x),),
        (normal_cdf(x), x * normal_density(x)),
        (2 * normal_density(x), -x * x * normal_density(x)),
    ),
}
SMOOTH = list(TRUTH)
smooth = pytest.mark.parametrize("f", SMOOTH)
every = pytest.mark.parametrize("f", [relu, *SMOOTH])
floats = pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])

# What is left of a Gaussian tail is exp(-z), whose rounded z costs z eps; this is how large z may be there.
FAR = {gelu: 60, gelu_by_erf: 300}


def points(f, dtype):
    near = [
        -30,
        -8.5,
        -5.5,
        -3.3,
        -2.4,
        -1.28,
        -1,
        -0.7,
        -1e-3,
        -1e-10,
        0,
        1e-10,
        1e-3,
        0.5,
        1,
        2.4,
        5,
        9,
        20,
        40,
    ]
    far = [] if f in FAR else [-700, -80, -87, 80, 300, 700]
    return np.array([x for x in near + far if np.isfinite(dtype(x))], dtype)


def derivatives(f, x):
    ones = np.ones_like(x)
    total = lambda x: f(x).sum()
    return f(x), grad(total)(x), hvp(total, x, ones)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@smooth
def test_values_and_two_derivatives_are_exact_in_every_digit_far_into_the_tails(f, dtype):
    x = points(f, dtype)
    with mp.workdps(400):  # so that 1 + exp(-700) keeps its digits
        terms = [TRUTH[f](mp.mpf(float(one))) for one in x]
        errors = []
        for order, found in enumerate(derivatives(f, x)):
            truth = [mp.fsum(term[order]) for term in terms]
            sizes = [mp.fsum(map(abs, term[order])) for term in terms]
            errors.append(exact.worst_error(found, np.array(truth, object), np.array(sizes, object)))
    print(f.__name__, np.dtype(dtype), [round(error, 1) for error in errors], "eps")
    assert max(errors) < FAR.get(f, 6)


@smooth
def test_jvp_and_third_order_are_limits_of_differences(f):
    if f is gelu_by_erf:  # SciPy's ndtr has no longdouble form
        x, close = np.linspace(-3, 3, 9), {"rtol": 1e-8, "atol": 1e-10}
    else:
        x, close = np.linspace(-3, 3, 9, dtype=np.longdouble), {"rtol": 1e-10, "atol": 1e-12}
    v = np.cos(x)
    np.testing.assert_allclose(jvp(f, (x,), (v,))[1], slope(lambda t: f(x + t * v)), **close)
    second = lambda x: hvp(lambda x: f(x).sum(), x, v)
    third = grad(lambda x: (v * second(x)).sum())(x)
    np.testing.assert_allclose(third, slope(lambda t: second(x + t * np.ones_like(x)) * v), **close)


LIMITS = {  # value and slope at minus and plus infinity
    relu: (0, 0, inf, 1),
    sigmoid: (0, 0, 1, 0),
    softplus: (0, 0, inf, 1),
    log_sigmoid: (-inf, 1, 0, 0),
    silu: (0, 0, inf, 1),
    gelu: (0, 0, inf, 1),
    gelu_by_erf: (0, 0, inf, 1),
}


@floats
@every
def test_infinity_has_its_limits_and_no_warnings(f, dtype):
    x = np.array([-inf, inf], dtype)
    value, first, second = derivatives(f, x)
    low, low_slope, high, high_slope = LIMITS[f]
    np.testing.assert_array_equal(value, [low, high])
    np.testing.assert_array_equal(first, [low_slope, high_slope])
    np.testing.assert_array_equal(second, [0, 0])


@floats
@every
@pytest.mark.parametrize("size", [1e4, 1e30, 1e300, "most"])
def test_huge_inputs_have_finite_results_and_no_warnings(f, dtype, size):
    most = float(np.finfo(dtype).max)
    size = most if size == "most" else min(size, most)
    x = np.array([-size, size], dtype)
    value, first, second = derivatives(f, x)
    low, low_slope, high, high_slope = LIMITS[f]
    np.testing.assert_array_equal(value, np.where(np.isinf([low, high]), x, [low, high]))
    np.testing.assert_array_equal(first, [low_slope, high_slope])
    np.testing.assert_array_equal(second, [0, 0])


@floats
@every
def test_values_and_derivatives_keep_the_dtype(f, dtype):
    for shape in [(), (3,)]:
        for found in derivatives(f, np.full(shape, 0.5, dtype)):
            assert np.asarray(found).dtype == dtype


@every
def test_nan_stays_nan(f):
    value, first, _ = derivatives(f, np.array([nan, 1.0]))
    assert np.isnan(value).tolist() == np.isnan(first).tolist() == [True, False]


@every
def test_a_graph_has_the_value_of_no_graph(f):
    x = np.linspace(-3, 3, 7)
    np.testing.assert_array_equal(f(Tensor(x)).data, f(x))
    assert f(1) == f(1.0) == f(np.array(1)) == f(np.float64(1))
    np.testing.assert_array_equal(f([1, -2]), f(np.array([1.0, -2.0])))


def test_relu_at_zero_has_slope_zero():
    assert grad(relu)(0.0) == 0
    assert grad(relu)(-0.0) == 0
    assert grad(relu)(5e-324) == 1


def test_known_values():
    # log 2; the logistic function at 1; Hendrycks and Gimpel's gelu at 1 by the normal distribution function
    assert softplus(0.0) == -log_sigmoid(0.0) == np.log(2)
    assert sigmoid(1.0) == silu(1.0) == pytest.approx(0.7310585786300049, rel=1e-15)
    assert gelu(1.0, approximate=False) == pytest.approx(0.8413447460685429, rel=1e-15)
    assert gelu(1.0) == pytest.approx(0.8411919906082768, rel=1e-15)


@pytest.mark.parametrize("x", np.linspace(-6, 6, 13))
def test_symmetries(x):
    assert sigmoid(x) + sigmoid(-x) == pytest.approx(1, rel=1e-15)
    assert softplus(x) - softplus(-x) == pytest.approx(x, rel=1e-14, abs=1e-15)
    assert log_sigmoid(x) == -softplus(-x)
    for f in (silu, gelu, gelu_by_erf):
        assert f(x) - f(-x) == pytest.approx(x, rel=1e-14, abs=1e-15)


def test_methods_of_a_tensor():
    x = Tensor([-1.0, 2.0])
    np.testing.assert_array_equal(x.relu().data, [0, 2])
    np.testing.assert_array_equal(x.sigmoid().data, sigmoid(x.data))


@every
def test_what_is_no_number_is_refused(f):
    for x in (None, "a", 1j, [None]):
        with pytest.raises(TypeError, match="takes Tensors and real numbers"):
            f(x)
