"""For every declared op, and every NumPy function composed of ops, a few inputs with options: for the laws of test_laws.py.

A module for each room of ops. An op without a sample fails `test_every_declared_op_has_a_sample`, a NumPy
function without one `test_every_composed_function_has_a_sample`.
"""

from . import core as core
from . import elementwise as elementwise
from . import fourier as fourier
from . import images as images
from . import indexing as indexing
from . import linalg as linalg
from . import products as products
from . import reductions as reductions
from . import sequences as sequences
from . import shaping as shaping
from . import special as special
from .base import DECLARED, SAMPLES, Sample, apart, every_sample, positive

__all__ = ["DECLARED", "SAMPLES", "Sample", "apart", "every_sample", "positive"]
