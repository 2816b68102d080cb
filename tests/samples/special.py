"""Samples of SciPy's special functions. None has a float16 form, and few one for longdouble."""

import numpy as np
import scipy.special

from autodiff import special

from .base import apart, positive, sample

NARROW, DOUBLE = ("float16",), ("float16", "longdouble")

for op in ["expit", "log_expit"]:
    sample(op, apart(2, 3), refuses=NARROW)
sample("logit", np.array([0.1, 0.45, 0.8]), refuses=NARROW)
for op in [
    "erf",
    "erfc",
    "erfcx",
    "ndtr",
    "log_ndtr",
    "hazard",
    "bessel_j0",
    "bessel_j1",
    "bessel_i0",
    "bessel_i1",
]:
    sample(op, apart(2, 3), refuses=DOUBLE)
for op in ["bessel_i0e", "bessel_i1e"]:
    sample(op, apart(2, 3), refuses=DOUBLE)
for op in ["gamma", "gammaln", "loggamma", "psi", "entr", "bessel_y0", "bessel_y1", "bessel_k0", "bessel_k1"]:
    sample(op, positive(2, 3) + 0.2, refuses=DOUBLE)
sample("gamma", np.array([-0.6, -1.5]), refuses=DOUBLE)
for op in ["erfinv", "erfinv_slope"]:
    sample(op, apart(2, 3, low=-0.9, high=0.85), refuses=DOUBLE)
for op in ["ndtri", "ndtri_slope", "erfcinv", "erfcinv_slope"]:
    sample(op, apart(2, 3, low=0.15, high=0.85), refuses=DOUBLE)
sample("gauss", apart(3), factor=1, refuses=DOUBLE)
sample("erfcx_integral", np.array([-1.2, 0.3, 1.3, 2.2]), order=1, refuses=DOUBLE)
sample("erfcx_integral", np.array([-1.2, 2.2]), order=2, refuses=DOUBLE)
sample("polygamma", positive(3) + 0.3, order=1, refuses=DOUBLE)
sample("polygamma", positive(2) + 0.3, order=np.array([[0], [2]]), refuses=DOUBLE)
for op in ["beta", "betaln", "kl_div", "rel_entr", "log_ratio", "one_minus_ratio"]:
    sample(op, positive(2, 3) + 0.3, positive(3, seed=4) + 0.3, refuses=DOUBLE)
    sample(op, positive(2) + 0.3, positive(2, 1, seed=4) + 0.3, refuses=DOUBLE)
for op in ["xlogy", "xlog1py"]:
    sample(op, apart(2, 3), positive(3, seed=4), refuses=DOUBLE)
sample("polygamma_rise", positive(2) + 0.3, positive(2, seed=4) + 0.3, order=0, refuses=DOUBLE)
sample("polygamma_rise", positive(2) + 0.3, positive(2, seed=4) + 0.3, order=1, refuses=DOUBLE)
for op in ["bessel_jv", "bessel_yv", "bessel_iv", "bessel_kv"]:
    sample(op, positive(3) + 0.3, order=np.array(1.5), refuses=DOUBLE)
    sample(op, positive(2) + 0.3, order=2, refuses=DOUBLE)
sample("scaled_bessel", np.array([-2.0, 0.3, 1.1]), order=1, times=1, refuses=DOUBLE)

# -- composed of ops -----------------------------------------------------------------------------------

for name in ["jv", "yv", "iv", "kv"]:
    call = lambda x, name=name: getattr(scipy.special, name)(1.5, x)
    sample(f"scipy.special.{name}", positive(3) + 0.3, call=call, refuses=DOUBLE)
sample("ad.special.polygamma", positive(3) + 0.3, call=lambda x: special.polygamma(1, x), refuses=DOUBLE)
sample(
    "ad.special.multigammaln", positive(3) + 0.8, call=lambda x: special.multigammaln(x, 2), refuses=DOUBLE
)
