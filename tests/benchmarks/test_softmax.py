"""The fused softmax on an array of megabytes, against the textbook's formulas in NumPy."""

import numpy as np

from autodiff import Tensor, softmax

from .peers import compared


def test_fused_softmax_is_as_fast_as_the_textbook_in_numpy_by_hand(benchmark):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1024, 1000)).astype(np.float32)
    g = rng.normal(size=x.shape).astype(np.float32)
    leaf = Tensor(x)

    def ours():
        leaf.grad = None
        softmax(leaf).backward(g)
        return leaf.grad

    def by_hand():
        y = x - x.max(axis=1, keepdims=True)
        np.exp(y, out=y)
        y /= y.sum(axis=1, keepdims=True)
        pulled = g * y
        dot = pulled.sum(axis=1, keepdims=True)
        np.subtract(g, dot, out=pulled)
        pulled *= y
        return pulled

    np.testing.assert_allclose(ours(), by_hand(), rtol=1e-3, atol=1e-8)
    row = "fused softmax, 1024 x 1000, float32"
    ratio = 1 / compared(benchmark, row, ours, {"numpy": by_hand})["numpy"]
    assert ratio <= 1.0, f"the fused softmax takes {ratio:.2f} times as long as NumPy by hand"
