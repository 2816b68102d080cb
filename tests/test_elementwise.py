"""Elementwise functions keep their digits where formulas cancel, overflow or meet infinity, at both orders."""

import mpmath as mp
import numpy as np
import pytest

from autodiff import Tensor, gradients, jvp

TAILS = [-700.0, -40.0, -20.0, -3.0, -0.7, -1e-3, -1e-8, 1e-10, 0.3, 1.0, 5.0, 19.0, 25.0, 300.0, 709.0]
HUGE = [-1e300, -1e160, 1e155, 1e308]
UNIT = [-1 + 2.0**-53, -0.999999, -0.5, -1e-9, 1e-100, 0.3, 0.99, 1 - 1e-10, 1 - 2.0**-53]
POSITIVE = [1e-300, 1e-10, 0.3, 1.0, 1 + 1e-10, 2.0, 1e10, 1e300]
PAIRS = [
    *((3.0, 4.0), (-2.0, 0.0), (1e300, 1e300), (-3e200, 4e200), (1e-200, 2e-200)),
    *((1e-10, 1.0), (1.0, 1e-10), (1e-100, -1.0), (1.5e308, 1.5e308), (7e4, -2e-5)),
]
GAPS = [(0.0, 0.0), (40.0, 0.0), (0.0, 40.0), (-3.0, 2.0), (700.0, 0.0), (0.0, 700.0), (1e5, 1e5 + 3)]


def logsum(base):
    return lambda a, b: mp.log(mp.mpf(base) ** a + mp.mpf(base) ** b) / mp.log(base)


# A function, the same in mpmath, the points, and how many units in the last place (eps) a derivative may be off.
EXACT = {
    "tanh": (np.tanh, mp.tanh, TAILS, 8),
    "sinh": (np.sinh, mp.sinh, TAILS, 4),
    "cosh": (np.cosh, mp.cosh, TAILS, 4),
    "tan": (np.tan, mp.tan, [-1.5707963, -0.3, 1e-10, 1.57, 100.0], 8),
    "arcsin": (np.arcsin, mp.asin, UNIT, 8),
    "arccos": (np.arccos, mp.acos, UNIT, 8),
    "arctan": (np.arctan, mp.atan, TAILS + HUGE, 8),
    "arcsinh": (np.arcsinh, mp.asinh, TAILS + HUGE, 8),
    "arccosh": (np.arccosh, mp.acosh, [1 + 1e-15, 1.001, 1.5, 3.0, 1e5, 1e155, 1e300, 1.7e308], 8),
    "arctanh": (np.arctanh, mp.atanh, UNIT, 8),
    "exp2": (np.exp2, lambda x: mp.mpf(2) ** x, [-1000.0, -3.0, 0.2, 1000.0], 4),
    "log2": (np.log2, lambda x: mp.log(x) / mp.log(2), POSITIVE, 4),
    "log10": (np.log10, mp.log10, POSITIVE, 4),
    "cbrt": (np.cbrt, mp.cbrt, POSITIVE, 8),
    "reciprocal": (np.reciprocal, lambda x: 1 / x, [-1e-100, 1e-90, 0.3, 1e100], 4),
    "log1p": (np.log1p, mp.log1p, [-1 + 1e-12, *POSITIVE], 4),
    "expm1": (np.expm1, mp.expm1, TAILS, 4),
    "hypot": (np.hypot, mp.hypot, PAIRS, 10),
    "arctan2": (np.arctan2, mp.atan2, PAIRS, 10),
    "logaddexp": (np.logaddexp, logsum(mp.e), GAPS, 8),
    "logaddexp2": (np.logaddexp2, logsum(2), GAPS, 400),  # exp of the rounded 700 * log(2)
}


def truth(f, point, place, order):
    """The derivative of that order by one of f's arguments, to 60 digits."""
    with mp.workdps(450):
        numbers = [mp.mpf(x) for x in point]
        step = mp.mpf(10) ** -30 * abs(numbers[place] or 1)
        along = lambda t: f(*numbers[:place], t, *numbers[place + 1 :])
        return mp.re(mp.diff(along, numbers[place], order, h=step))


def off(found, true):
    """How far a float is from the truth, in eps; below the normal numbers it only has to be small."""
    if abs(true) < np.finfo(float).tiny:
        return 0.0 if abs(found) <= 2 * np.finfo(float).tiny else np.inf
    if abs(true) > np.finfo(float).max:
        return 0.0 if np.isinf(found) else np.inf
    return float(abs(mp.mpf(float(found)) - true) / abs(true)) / np.finfo(float).eps


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("name", EXACT)
def test_slopes_and_bends_are_exact_to_a_few_units_in_the_last_place(name):
    f, precise, points, tolerance = EXACT[name]
    for point in points:
        point = point if isinstance(point, tuple) else (point,)
        leaves = [Tensor(x) for x in point]
        for place, leaf in enumerate(leaves):
            slope = gradients(f(*leaves), leaf, create_graph=True)
            bend = gradients(slope, leaf)
            for order, found in ((1, slope.item()), (2, bend)):
                assert off(found, truth(precise, point, place, order)) < tolerance, (point, place, order)


def test_a_scalars_tanh_and_an_arrays_have_the_same_slope():
    x = np.array(TAILS)
    y = Tensor(x)
    np.tanh(y).sum().backward()
    singles = []
    for number in x:
        leaf = Tensor(number)
        np.tanh(leaf).backward()
        singles.append(leaf.grad)
    np.testing.assert_allclose(singles, y.grad, rtol=1e-15)
    assert singles[TAILS.index(25.0)] == pytest.approx(7.714994e-22, rel=1e-6)  # 4 exp(-50)


@pytest.mark.parametrize(
    "function",
    [
        *(np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arctanh),
        *(np.exp2, np.log2, np.log10, np.reciprocal, np.conjugate, lambda x: np.arccosh(1 + x)),
        *(lambda x: np.power(x, 2.5), lambda x: np.float_power(2.5, x)),
    ],
)
def test_slopes_are_those_of_complex_steps(function):
    x = np.linspace(0.05, 0.95, 19)
    leaf = Tensor(x)
    function(leaf).backward(seed=np.ones(19))
    if function is np.conjugate:
        expected = -function(x + 1e-30j).imag / 1e-30  # the one that turns the step round
    else:
        expected = function(x + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-13)


# -- sinc and i0, to the fourth order --------------------------------------------------------------------


def derivatives(f, x, count):
    """The value and the derivatives of f at every element of x."""
    leaf = Tensor(x)
    y = f(leaf)
    found = [y.data]
    for _ in range(count):
        y = gradients(y, leaf, seed=np.ones(y.shape), create_graph=True)
        found.append(y.data)
    return found


def test_sinc_is_exact_near_0_and_far_from_it():
    """Its nth derivative is that of the integral of cos(pi x t) over t from 0 to 1, at any x."""
    points = np.array([0.0, 1e-300, 1e-10, 1e-3, 0.1, 0.3, 0.31, 0.64, 0.9, 1.3, 2.6, 10.4])
    for order, found in enumerate(derivatives(np.sinc, points, 4)[1:], 1):
        for x, number in zip(points, found, strict=True):
            with mp.workdps(30):
                wave = lambda t, x=x, order=order: (
                    (mp.pi * t) ** order * mp.cos(mp.pi * t * mp.mpf(x) + order * mp.pi / 2)
                )
                true = mp.quad(wave, mp.linspace(0, 1, 2 + 2 * int(x)))
            size = max(abs(float(true)), 1e-3 * np.pi**order / (1 + x))
            assert abs(number - float(true)) <= 3e-14 * size, (order, x)
    assert derivatives(np.sinc, np.array(0.0), 2)[2] == pytest.approx(-(np.pi**2) / 3, rel=1e-15)


@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning")
def test_i0_is_exact_at_every_size():
    points = np.array([0.0, 1e-10, -0.1, 0.5, 3.0, 7.9, 8.1, 29.9, 30.1, 100.0, -500.0, 710.0])
    for order, found in enumerate(derivatives(np.i0, points, 4)):
        for x, number in zip(points, found, strict=True):
            if order or abs(x) < 700:  # NumPy's own value overflows early
                with mp.workdps(40):
                    true = mp.diff(lambda t: mp.besseli(0, t), x, order, h=mp.mpf(10) ** -8)
                assert number == pytest.approx(float(true), rel=1e-13, abs=1e-14), (order, x)


# -- at infinity, and in narrow dtypes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "limits"),
    [
        (np.tanh, (0.0, 0.0)),
        (np.arctan, (0.0, 0.0)),
        (np.arcsinh, (0.0, 0.0)),
        (np.arccosh, (0.0, 0.0)),
        (np.cbrt, (0.0, 0.0)),
        (np.log2, (0.0, 0.0)),
        (np.log10, (0.0, 0.0)),
        (lambda x: np.hypot(x, 3.0), (1.0, 0.0)),
        (lambda x: np.hypot(3.0, x), (1.0, 0.0)),
        (lambda x: np.arctan2(x, 3.0), (0.0, 0.0)),
        (lambda x: np.arctan2(3.0, x), (0.0, 0.0)),
        (lambda x: np.logaddexp(x, 3.0), (1.0, 0.0)),
        (lambda x: np.logaddexp(x, np.inf), (0.5, 0.0)),
        (lambda x: np.logaddexp(3.0, -x), (0.0, 0.0)),
        (lambda x: np.logaddexp(-np.inf, -x), (0.0, 0.0)),
        (lambda x: np.logaddexp2(-x, -np.inf), (0.0, 0.0)),
    ],
)
def test_at_infinity_a_derivative_is_its_limit(f, limits):
    x = Tensor(np.inf)
    slope = gradients(f(x), x, create_graph=True)
    assert (abs(slope.item()), gradients(slope, x)) == limits


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nothing_overflows_on_the_way_to_a_slope_that_fits(dtype):
    most = np.finfo(dtype).max
    for f in (np.arctan, np.arcsinh, np.tanh, np.arccosh, np.cbrt, np.log10):
        x = Tensor(np.array([most / 2, most]))
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            y = f(x)
            slope = gradients(y, x, seed=np.ones(2, dtype), create_graph=True)
            bend = gradients(slope, x, seed=np.ones(2, dtype))
        assert np.isfinite(slope.data).all()
        assert np.isfinite(bend).all()
    a = Tensor(np.full(2, most / 2, dtype))
    np.hypot(a, a).backward(seed=np.ones(2, dtype))
    np.testing.assert_allclose(a.grad, [2**0.5] * 2, rtol=4 * np.finfo(dtype).eps)


# -- ufuncs' methods, and what returns two results -----------------------------------------------------------


def test_methods_of_ufuncs_are_the_functions_they_stand_for():
    x = np.array([[1.0, 2.0, 3.0], [3.0, -1.0, 0.5]])
    for method in (np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.minimum.reduce):
        for options in ({}, {"axis": 1}, {"axis": None}, {"axis": (0, 1)}, {"axis": -1, "keepdims": True}):
            np.testing.assert_array_equal(method(Tensor(x), **options).data, method(x, **options))
        np.testing.assert_array_equal(method(Tensor(x), 1).data, method(x, 1))
    a, b = Tensor([1.0, 2.0]), Tensor([[3.0, 4.0, 5.0]])
    for ufunc in (np.add, np.multiply, np.hypot, np.power, np.fmax):
        for pair in ((a, b), (a, [[3.0, 4.0, 5.0]]), ([1.0, 2.0], b), (2.0, b)):
            arrays = [getattr(part, "data", part) for part in pair]
            y = ufunc.outer(*pair)
            np.testing.assert_array_equal(y.data, ufunc.outer(*arrays))
    assert not isinstance(np.less.outer(a, b), Tensor)


def test_quotients_and_fractions_return_an_array_of_whole_numbers_beside_the_tensor():
    t = Tensor([-2.75, 5.5])
    for found, expected in (
        (divmod(t, 2), np.divmod(t.data, 2)),
        (np.divmod(7.0, t), np.divmod(7.0, t.data)),
        (divmod(7.0, t), np.divmod(7.0, t.data)),
        (np.modf(t)[::-1], np.modf(t.data)[::-1]),
        (np.frexp(t)[::-1], np.frexp(t.data)[::-1]),
    ):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1].data, expected[1])
        assert isinstance(found[1], Tensor)
    for y in (t % 2, 7.0 % t):
        assert y.op == "remainder"


def test_an_exponent_of_low_precision_leaves_the_slope_its_digits():
    x, exponent = Tensor(1.5), np.array([0.1], np.float16)  # 0.0999755859375
    slope = gradients(x**exponent, x)
    np.testing.assert_allclose(slope, 0.0999755859375 * 1.5 ** (0.0999755859375 - 1), rtol=1e-15)
    slope = gradients(np.array([1.2], np.float16) ** x, x)  # 1.2001953125
    np.testing.assert_allclose(slope, 1.2001953125**1.5 * np.log(1.2001953125), rtol=1e-15)


def test_float_power_computes_in_float64_at_least():
    for dtype, wide in ((np.float16, np.float64), (np.float32, np.float64), (np.longdouble, np.longdouble)):
        x = Tensor(np.array([1.5, 2.0], dtype))
        for y in (np.float_power(x, 2), np.float_power(x, np.int8([2, 2])), np.float_power(np.float32(2), x)):
            assert y.dtype == wide
        np.float_power(x, 3.0).sum().backward()
        assert (x.grad.dtype, x.grad.tolist()) == (dtype, [6.75, 12.0])


def test_weights_are_counted_in_their_places():
    w = Tensor([0.5, 0.25, 4.0])
    y = np.bincount([2, 0, 2], w, minlength=4)
    assert y.tolist() == [0.25, 0.0, 4.5, 0.0]
    y.backward(seed=np.array([1.0, 2.0, 3.0, 4.0]))
    assert w.grad.tolist() == [3.0, 1.0, 3.0]
    with pytest.raises(TypeError, match="safe"):
        np.bincount(w)


def test_jumps_are_unwrapped_without_a_slope_of_their_own():
    angles = np.array([0.5, 3.0, -3.0, 2.9])
    assert jvp(np.unwrap, (angles,), (np.array([1.0, 2.0, 3.0, 4.0]),))[1].tolist() == [1.0, 2.0, 3.0, 4.0]
