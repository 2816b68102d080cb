"""SciPy's special functions: exact in their tails at both orders, and found without being asked for."""

import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest
import scipy.special

from autodiff import Tensor, gradients, special

from .test_elementwise import off


def both(f, *point):
    """By each argument, the slope and the bend of f."""
    leaves = [Tensor(x) for x in point]
    slopes = [gradients(f(*leaves), leaf, create_graph=True) for leaf in leaves]
    bends = [gradients(slope, leaf) for slope, leaf in zip(slopes, leaves, strict=True)]
    return [(slope.item(), float(bend)) for slope, bend in zip(slopes, bends, strict=True)]


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def normal(x):
    return mp.erfc(-x / mp.sqrt(mp.mpf(2))) / 2


def bell(x):
    return 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)


def scaled(x):
    y = mp.exp(x * x) * mp.erfc(x)
    slope = 2 * x * y - 2 / mp.sqrt(mp.pi)
    return slope, 2 * y + 2 * x * slope


def hazard(x):
    h = density(x) / normal(x)
    return h, -h * (x + h)


def of_inverse(f, steep, bend, start):
    """Slope and bend of f's inverse: at the y of f(y) = x, found from `start` by f's logarithm."""

    def pair(x):
        y = mp.findroot(lambda y: mp.log(f(y)) - mp.log(x), mp.mpf(float(start(float(x)))))
        slope = steep(y)
        return slope, bend * y * slope * slope

    return pair


def sigmoid(x):
    y = 1 / (1 + mp.exp(-x))
    return y, 1 / (1 + mp.exp(x))


def by_diff(f):
    """Slope and bend by mpmath's differences."""
    return lambda x: (mp.diff(f, x, 1), mp.diff(f, x, 2))


TAILS = [-38.0, -26.0, -8.0, -3.0, -0.7, -1e-3, 1e-10, 0.3, 1.0, 3.0, 8.0, 26.0, 37.0]
SIZES = [-30.0, -3.0, 0.1, 2.0, 20.0, 29.9, 30.1, 100.0, 1e8]
ARGUMENTS = [0.1, 0.5, 1.3, 2.0, 30.0, 100.0]

# Each function's slope and bend in mpmath, where they are looked at, and how many eps they may be off.
EXACT = {
    "erf": (lambda x: (bell(x), -2 * x * bell(x)), TAILS, 8),
    "erfc": (lambda x: (-bell(x), 2 * x * bell(x)), TAILS, 8),
    "ndtr": (lambda x: (density(x), -x * density(x)), TAILS, 8),
    "erfcx": (scaled, [-20.0, -3.0, -0.5, 1e-8, 0.3, 1.0, 1.49, 1.51, 2.0, 30.0, 1e6], 60),
    "log_ndtr": (hazard, [-300.0, -40.0, -20.0, -5.0, -2.2, -1e-5, 0.0, 0.5, 3.0, 20.0, 37.0], 60),
    "erfinv": (
        lambda x: (1 / bell(mp.erfinv(x)), 2 * mp.erfinv(x) / bell(mp.erfinv(x)) ** 2),
        [-0.9999999, -0.5, 1e-10, 0.3, 0.999, 1 - 1e-10, 1 - 2.0**-53],
        16,
    ),
    "erfcinv": (
        of_inverse(mp.erfc, lambda y: -1 / bell(y), 2, scipy.special.erfcinv),
        [1e-300, 1e-100, 1e-10, 0.1, 0.9, 1.3, 1.999],
        30,
    ),
    "ndtri": (
        of_inverse(normal, lambda y: 1 / density(y), 1, scipy.special.ndtri),
        [1e-300, 1e-100, 1e-10, 0.1, 0.4, 0.7, 1 - 1e-10],
        30,
    ),
    "expit": (
        lambda x: (sigmoid(x)[0] * sigmoid(x)[1], sigmoid(x)[0] * sigmoid(x)[1] * (1 - 2 * sigmoid(x)[0])),
        [-700.0, -40.0, -3.0, 0.3, 5.0, 40.0, 700.0],
        16,
    ),
    "log_expit": (
        lambda x: (sigmoid(-x)[0], -sigmoid(x)[0] * sigmoid(x)[1]),
        [-700.0, -40.0, -3.0, 0.3, 5.0, 40.0, 700.0],
        16,
    ),
    "logit": (
        lambda x: (1 / (x * (1 - x)), (2 * x - 1) / (x * (1 - x)) ** 2),
        [1e-100, 1e-10, 0.3, 0.7, 0.999, 1 - 1e-15],
        16,
    ),
    "entr": (lambda x: (-mp.log(x) - 1, -1 / x), [1e-300, 0.1, 0.5, 2.0, 1e10], 16),
    "gammaln": (lambda x: (mp.psi(0, x), mp.psi(1, x)), ARGUMENTS, 60),
    "psi": (lambda x: (mp.psi(1, x), mp.psi(2, x)), ARGUMENTS, 60),
    "i0e": (by_diff(lambda x: mp.exp(-abs(x)) * mp.besseli(0, x)), SIZES, 60),
    "i1e": (by_diff(lambda x: mp.exp(-abs(x)) * mp.besseli(1, x)), SIZES, 60),
    "j0": (by_diff(lambda x: mp.besselj(0, x)), SIZES[2:-1], 2000),  # where they cross 0
    "k1": (
        lambda x: (-(mp.besselk(0, x) + mp.besselk(2, x)) / 2, (3 * mp.besselk(1, x) + mp.besselk(3, x)) / 4),
        SIZES[2:-1],
        60,
    ),
}


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("name", EXACT)
def test_slopes_and_bends_are_exact_to_a_few_units_in_the_last_place(name):
    precise, points, tolerance = EXACT[name]
    f = getattr(scipy.special, name)
    for x in points:
        with mp.workdps(400 if name == "expit" else 60):
            truths = precise(mp.mpf(x))
        for found, true in zip(both(f, x)[0], truths, strict=True):
            assert off(found, true) < tolerance, x


def test_beta_keeps_its_digits_where_one_argument_is_small_beside_the_other():
    for a, b in [(2.0, 3.0), (1e10, 1.0), (1e8, 1e-3), (1e-8, 5.0), (100.0, 100.0), (1e-3, 1e12)]:
        with mp.workdps(60):
            p, q = mp.mpf(a), mp.mpf(b)
            truths = [
                (mp.psi(0, p) - mp.psi(0, p + q), mp.psi(1, p) - mp.psi(1, p + q)),
                (mp.psi(0, q) - mp.psi(0, p + q), mp.psi(1, q) - mp.psi(1, p + q)),
            ]
        for found, true in zip(both(scipy.special.betaln, a, b), truths, strict=True):
            assert off(found[0], true[0]) < 30
            assert off(found[1], true[1]) < 30
    # Where an argument is negative the digamma functions are subtracted as they are.
    assert both(scipy.special.betaln, -0.5, 1.0)[0] == pytest.approx(
        (2.0, 4.0), rel=1e-14
    )  # log(2) - log(-a)


PAIRS = [(0.3, 0.7), (1e-300, 2.0), (0.5, 0.5000001), (1e300, 1e-300), (1e-300, 1e300), (3.0, 3.0)]
RATIOS = {
    "xlogy": lambda x, y: [(mp.log(y), 0), (x / y, -x / y**2)],
    "xlog1py": lambda x, y: [(mp.log(1 + y), 0), (x / (1 + y), -x / (1 + y) ** 2)],
    "rel_entr": lambda x, y: [(mp.log(x / y) + 1, 1 / x), (-x / y, x / y**2)],
    "kl_div": lambda x, y: [(mp.log(x / y), 1 / x), (1 - x / y, x / y**2)],
}


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("name", RATIOS)
def test_logarithms_of_ratios_neither_cancel_nor_overflow(name):
    for x, y in PAIRS:
        with mp.workdps(700):
            truths = RATIOS[name](mp.mpf(x), mp.mpf(y))
        leaves = Tensor(x), Tensor(y)
        slopes = gradients(getattr(scipy.special, name)(*leaves), leaves, create_graph=True)
        for slope, leaf, true in zip(slopes, leaves, truths, strict=True):
            assert off(slope.item(), true[0]) < 8, (x, y)
            if true[1]:
                assert off(gradients(slope, leaf), true[1]) < 8, (x, y)


# -- where calculus does not say ---------------------------------------------------------------------------


def slopes(f, *point):
    leaves = [Tensor(x) for x in point]
    y = f(*leaves)
    found = gradients(y, leaves, seed=np.ones(y.shape))
    return [g.tolist() for g in found]


@pytest.mark.filterwarnings("ignore:divide by zero encountered:RuntimeWarning")
def test_0_log_0_is_flat_in_what_the_logarithm_is_of():
    inf = np.inf
    assert slopes(scipy.special.xlogy, [0.0, 0.0, 2.0], [0.0, 3.0, 0.5]) == [
        [-inf, np.log(3.0), np.log(0.5)],
        [0.0, 0.0, 4.0],
    ]
    assert slopes(scipy.special.xlog1py, [0.0], [-1.0]) == [[-inf], [0.0]]
    assert slopes(scipy.special.entr, [0.0, 1.0]) == [[inf, -1.0]]
    assert slopes(scipy.special.rel_entr, [0.0, 0.0], [0.0, 2.0]) == [[1.0, -inf], [0.0, 0.0]]
    assert slopes(scipy.special.kl_div, [0.0, 0.0], [0.0, 2.0]) == [[0.0, -inf], [1.0, 1.0]]
    y = Tensor([0.0, 0.5])  # soft targets as constants: no NaN at either order
    loss = -scipy.special.xlogy([0.0, 1.0], y).sum()
    slope = gradients(loss, y, create_graph=True)
    assert slope.tolist() == [0.0, -2.0]
    assert gradients(slope.sum(), y).tolist() == [0.0, 4.0]


@pytest.mark.filterwarnings("ignore:divide by zero encountered:RuntimeWarning")
def test_inverses_are_infinitely_steep_at_their_ends():
    inf = np.inf
    for f in (scipy.special.erfinv, lambda x: scipy.special.ndtri((x + 1) / 2)):
        assert slopes(f, [-1.0, 1.0]) == [[inf, inf]]
    assert slopes(scipy.special.erfcinv, [0.0, 2.0]) == [[-inf, -inf]]
    assert slopes(scipy.special.logit, [0.0, 1.0]) == [[inf, inf]]
    for f in (scipy.special.erf, scipy.special.ndtr, scipy.special.expit, scipy.special.erfcx):
        assert both(f, np.inf) == [(0.0, 0.0)] or f is scipy.special.erfcx


def test_scaled_bessel_functions_at_0_have_the_slope_from_both_sides_or_its_middle():
    assert both(scipy.special.i0e, 0.0)[0] == pytest.approx((0.0, 1.5), rel=1e-15)
    assert both(scipy.special.i1e, 0.0)[0] == pytest.approx((0.5, 0.0), rel=1e-15)


# -- functions that are no ufuncs, and the way to SciPy -------------------------------------------------------


def test_wrappers_have_scipys_values_and_axes():
    x = np.array([[0.3, 1.5, -1.0], [2.0, 0.1, 0.4]])
    t = Tensor(x)
    for axis in (None, 0, -1, (0, 1)):
        for name in ("softmax", "log_softmax", "logsumexp"):
            found = getattr(special, name)(t, axis=axis).data
            np.testing.assert_allclose(found, getattr(scipy.special, name)(x, axis=axis), rtol=1e-14)
    assert special.softmax(t).parents == (t,)
    np.testing.assert_array_equal(special.polygamma(2, t + 3).data, scipy.special.polygamma(2, x + 3))
    assert special.polygamma(np.array([[1], [2]]), t[0] + 3).shape == (2, 3)
    np.testing.assert_allclose(
        special.multigammaln(t + 3, 3).data, scipy.special.multigammaln(x + 3, 3), rtol=1e-14
    )
    for bad in (0, 1.5):
        with pytest.raises(ValueError, match="multigammaln: the dimension"):
            special.multigammaln(t, bad)
    with pytest.raises(ValueError, match=r"multigammaln: a is greater than \(d - 1\) / 2 = 1"):
        special.multigammaln(t, 3)


def test_an_order_has_no_derivative_and_says_so():
    t = Tensor(1.0)
    for name in ("jv", "yv", "iv", "kv"):
        with pytest.raises(TypeError, match=f"{name}: the order has no derivative"):
            getattr(scipy.special, name)(t, 2.0)
    with pytest.raises(TypeError, match="polygamma: n has no derivative"):
        special.polygamma(t, 2.0)
    with pytest.raises(TypeError, match=r"scipy\.special\.ellipk has no derivative here.*t\.data"):
        scipy.special.ellipk(t)
    with pytest.raises(TypeError, match=r"scipy\.special\.erf: out="):
        scipy.special.erf(t, out=np.zeros(()))


def run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_scipys_functions_are_found_without_an_import_of_ours():
    printed = run(
        "import sys, autodiff\n"
        "print('scipy' in sys.modules)\n"
        "import scipy.special\n"
        "print(scipy.special.erf(autodiff.Tensor(0.5)).op, 'autodiff.special' in sys.modules)"
    )
    assert printed.split() == ["False", "erf", "False"]


def test_without_scipy_the_module_says_what_to_install():
    printed = run("import sys\nsys.modules['scipy'] = None\nfrom autodiff import special")
    assert "autodiff.special needs SciPy: pip install scipy" in printed


def test_the_listing_names_scipys_functions():
    printed = run(
        "import autodiff\nprint([row['numpy'] for row in autodiff.supported() if row['op'] == 'erf'])"
    )
    assert printed.strip() == "[['scipy.special.erf']]"
