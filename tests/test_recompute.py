"""A checkpointed function is the function, at every order, without its intermediate values."""

import gc
import weakref

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, check_grads, checkpoint, grad, gradients, hessian, jvp, no_grad

X = np.array([0.5, -1.0, 2.0])


def f(x):
    return np.tanh(np.exp(np.sin(x)) * x)


def test_values_and_gradients_are_those_of_the_function():
    x, same = Tensor(X), Tensor(X)
    y, z = checkpoint(f)(x), f(same)
    np.testing.assert_array_equal(y.data, z.data)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, same.grad)


def test_every_order_and_the_jvp_are_those_of_the_function():
    np.testing.assert_allclose(
        hessian(lambda x: checkpoint(f)(x).sum())(X), hessian(lambda x: f(x).sum())(X), rtol=1e-13
    )
    np.testing.assert_allclose(jvp(checkpoint(f), (X,), (X,))[1], jvp(f, (X,), (X,))[1], rtol=1e-14)
    assert grad(grad(grad(checkpoint(lambda x: x * x * x))))(2.0) == 6.0
    check_grads(checkpoint(f), X, order=3)


def test_nested_checkpoints_are_right():
    inner = checkpoint(lambda x: np.sin(x) * x)
    outer = checkpoint(lambda x: inner(np.exp(inner(x))))
    check_grads(outer, X)


def test_tensors_from_outside_get_their_gradients():
    w = Tensor(3.0)
    x = Tensor(X)
    (checkpoint(lambda x: x * w * w)(x)).sum().backward()
    assert w.grad == 2 * 3.0 * 1.5
    assert x.grad.tolist() == [9.0, 9.0, 9.0]
    check_grads(lambda a, b: checkpoint(lambda a: np.sin(a) * b * b)(a), X, 1.5)


def test_arguments_and_results_may_be_nested():
    def nested(p, k=1.0):
        return {"a": [p["x"] * p["y"] * k, None], "b": (p["y"] * p["y"], "text", 3), "x": p["x"]}

    x, y = Tensor(X), Tensor(2.0)
    out = checkpoint(nested)({"x": x, "y": y}, k=5.0)
    assert out["a"][1] is None
    assert out["b"][1:] == ("text", 3)
    assert out["a"][0].data.tolist() == (X * 10).tolist()
    (out["a"][0].sum() + out["b"][0] + (out["x"] * out["x"]).sum()).backward()
    assert y.grad == 5 * 1.5 + 4.0
    assert x.grad.tolist() == (10 + 2 * X).tolist()


def test_results_of_one_size_and_empty_ones_are_told_apart():
    out = checkpoint(lambda x: (x * 2, x[:0], x * 3, x.sum()))(Tensor(X))
    assert [o.shape for o in out] == [(3,), (0,), (3,), ()]
    assert out[2].data.tolist() == (3 * X).tolist()
    (twice, nothing) = checkpoint(lambda x: (x * 2, x[:0]))(Tensor(X))
    assert twice.data.tolist() == (2 * X).tolist()
    assert nothing.shape == (0,)


def test_a_function_that_returns_its_argument_is_right():
    x = Tensor(X)
    checkpoint(lambda x: x)(x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


def test_dtypes_are_kept_and_may_be_mixed():
    a, b = Tensor(X.astype(np.float32)), Tensor(X)
    out = checkpoint(lambda a, b: (a * 2, b * 3, a * b))(a, b)
    assert [o.dtype for o in out] == [np.float32, np.float64, np.float64]
    (out[0].sum() + out[1].sum() + out[2].sum()).backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(a.grad, 2 + X, rtol=1e-6)
    np.testing.assert_allclose(b.grad, 3 + X, rtol=1e-14)


def test_extended_precision_is_kept():
    third = np.longdouble(1) / 3
    assert grad(checkpoint(lambda x: x * third))(np.longdouble(2)) == third


def test_without_a_tensor_or_a_graph_it_is_the_function():
    assert checkpoint(f)(X).tolist() == f(X).tolist()
    with no_grad():
        assert type(checkpoint(f)(Tensor(X))) is np.ndarray
    assert checkpoint(lambda x: 3.0)(Tensor(X)) == 3.0


def test_the_function_is_called_again_by_the_backward_pass_only():
    calls = []

    def counted(x):
        calls.append(1)
        return x * x

    y = checkpoint(counted)(Tensor(X)).sum()
    assert len(calls) == 1
    y.backward()
    assert len(calls) == 2


def test_intermediate_values_are_gone_after_the_call():
    held = []

    def watched(x):
        y = np.exp(x)
        held.append(weakref.ref(y))
        return y * y

    gc.disable()
    try:
        x = Tensor(X)
        y = checkpoint(watched)(x).sum()
        assert held[0]() is None
        y.backward()
        assert held[1]() is None
        root = weakref.ref(y)
        del y
        assert root() is None
    finally:
        gc.enable()


def test_a_transform_leaves_nothing_behind():
    held = []

    def watched(x):
        y = np.exp(x)
        held.append(weakref.ref(y))
        return (y * y).sum()

    gc.disable()
    try:
        grad(watched)(X)
        hessian(watched)(X)
        jvp(watched, (X,), (X,))
        ad.vjp(watched, X)[1](1.0)
        assert [alive() for alive in held] == [None] * len(held)
    finally:
        gc.enable()


def test_an_exception_in_the_second_call_leaves_gradients_as_they_were():
    calls = []

    def fails_later(x):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError("the second time")
        return x * x

    x = Tensor(X)
    x.grad = 5 * np.ones(3)
    y = (checkpoint(fails_later)(x) + x).sum()
    with pytest.raises(RuntimeError, match="the second time"):
        y.backward()
    assert x.grad.tolist() == [5.0, 5.0, 5.0]


def test_a_stale_leaf_is_refused():
    x = Tensor(X)
    y = checkpoint(f)(x).sum()
    x.data -= 1.0
    with pytest.raises(ad.StaleGraphError):
        y.backward()


def dropped(x, rng):
    return f(x) * (rng.random(x.shape) < 0.5)


def test_a_generator_among_the_arguments_begins_the_second_call_as_it_began_the_first():
    x, rng = np.linspace(-1, 1, 50), np.random.default_rng
    for of in (grad, hessian):
        plain = of(lambda x: dropped(x, rng(3)).sum())(x)
        np.testing.assert_array_equal(of(lambda x: checkpoint(dropped)(x, rng(3)).sum())(x), plain)
        np.testing.assert_array_equal(of(lambda x: checkpoint(dropped)(x, rng=rng(3)).sum())(x), plain)


def test_a_generator_goes_on_after_a_checkpoint_as_after_the_function():
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    checkpoint(dropped)(Tensor(X), one).sum().backward()
    dropped(Tensor(X), other)
    assert one.random() == other.random()


@pytest.mark.parametrize("shapes", [(50, 50), (50, 60)])
def test_a_second_call_that_computes_something_else_is_refused(shapes):
    rng, lengths = np.random.default_rng(3), iter(shapes)
    x = Tensor(np.ones(50))
    y = checkpoint(lambda x: x[0] * rng.random(next(lengths)))(x)
    with pytest.raises(RuntimeError, match="checkpoint: f computed something else"):
        y.sum().backward()
    assert x.grad is None


def test_nan_and_infinities_are_the_same_at_both_calls():
    x = Tensor([1.0, 2.0, 3.0])
    checkpoint(lambda x: x * np.array([np.nan, np.inf, 1.0]))(x).backward([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(x.grad, [np.nan, np.inf, 1.0])


def test_gradients_by_interior_tensors_before_the_checkpoint():
    x = Tensor(X)
    h = x * x
    y = checkpoint(lambda h: h * h)(h).sum()
    assert gradients(y, h).tolist() == (2 * X * X).tolist()
