"""0 and 1 of each dtype, as arrays without an axis: with one of these an operation on a small array takes half the
time that it takes with Python's number, of which NumPy first makes such an array. Other dtypes, as those of exact
numbers, have none here."""

import numpy as np

ZERO = {np.dtype(kind): np.zeros((), kind) for kind in "efdg"}
ONE = {np.dtype(kind): np.ones((), kind) for kind in "efdg"}
