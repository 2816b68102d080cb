"""Laws of grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp and gradients."""

import functools
import threading
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import autodiff as ad
from autodiff import (
    Tensor,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)

Pair = namedtuple("Pair", "left right")
X = np.array([1.0, -2.0, 3.0])


def cube(x):
    return x * x * x


def total_cube(x):
    return (x * x * x).sum()


def scale(x, y):
    """x times the square of y."""
    return x * y * y


# -- values, by hand -----------------------------------------------------------------------------------


def test_derivatives_of_a_power_by_hand():
    assert grad(cube)(2.0) == 12.0
    assert grad(grad(cube))(2.0) == 12.0
    assert grad(grad(grad(cube)))(2.0) == 6.0
    assert grad(grad(grad(grad(cube))))(2.0) == 0.0
    assert value_and_grad(cube)(2.0) == (8.0, 12.0)
    assert jvp(cube, (2.0,), (10.0,)) == (8.0, 120.0)
    assert vjp(cube, 2.0)[1](10.0) == (120.0,)
    assert jacobian(cube)(2.0) == 12.0
    assert hessian(cube)(2.0) == 12.0
    assert hvp(cube, 2.0, 10.0) == 120.0


def test_the_vjp_and_the_jvp_are_adjoint():
    random = np.random.default_rng(0)
    x, v, g = random.normal(size=(2, 3)), random.normal(size=(2, 3)), random.normal(size=(2, 2))

    def f(x):
        return np.tanh(x) @ x.T

    y, dy = jvp(f, (x,), (v,))
    again, pullback = vjp(f, x)
    np.testing.assert_array_equal(y, again)
    np.testing.assert_allclose((g * dy).sum(), (pullback(g)[0] * v).sum(), rtol=1e-13)


def test_a_jacobian_is_the_same_by_rows_and_by_columns():
    w = np.random.default_rng(0).normal(size=(3, 3))
    wide = jacobian(lambda x: np.tanh(w @ x))(X)  # by rows
    tall = jacobian(lambda x: np.concatenate([np.tanh(w @ x), x]))(X)  # by columns
    expected = (1 - np.tanh(w @ X) ** 2)[:, None] * w
    np.testing.assert_allclose(wide, expected, rtol=1e-14)
    np.testing.assert_allclose(tall, np.concatenate([expected, np.eye(3)]), rtol=1e-14)


def test_a_hessian_times_a_vector_is_the_hvp():
    f = lambda x: np.exp(np.sin(x) * x[0]).sum()
    v = np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(hessian(f)(X) @ v, hvp(f, X, v), rtol=1e-13)


def test_linear_functions_have_zero_second_derivatives():
    assert hessian(lambda x: x.sum())(X).tolist() == np.zeros((3, 3)).tolist()
    assert hvp(lambda x: x.sum(), X, X).tolist() == [0.0, 0.0, 0.0]
    assert grad(grad(lambda x: 3 * x))(1.0) == 0.0
    assert jvp(grad(lambda x: 3 * x), (1.0,), (1.0,)) == (3.0, 0.0)


# -- arguments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 9.0),
        (1, 12.0),
        (-1, 12.0),
        (-2, 9.0),
        (np.int64(1), 12.0),
        ((1, 0), (12.0, 9.0)),
        ([0, -1], (9.0, 12.0)),
        ((1,), (12.0,)),
        ((), ()),
    ],
)
def test_argnums_choose_the_arguments(argnums, expected):
    assert grad(scale, argnums)(2.0, 3.0) == expected
    assert value_and_grad(scale, argnums)(2.0, 3.0) == (18.0, expected)
    assert jacobian(scale, argnums)(2.0, 3.0) == expected


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian])
def test_argnums_that_name_no_argument_are_refused(transform):
    with pytest.raises(ValueError, match="there is no argument 2 among the 2"):
        transform(scale, 2)(1.0, 2.0)
    with pytest.raises(ValueError, match="there is no argument -3 among the 2"):
        transform(scale, -3)(1.0, 2.0)
    with pytest.raises(ValueError, match="handed by name are not differentiated"):
        transform(scale)(x=1.0, y=2.0)
    with pytest.raises(ValueError, match=r"argnums \(0, -2\) names an argument twice"):
        transform(scale, (0, -2))(1.0, 2.0)
    for wrong in (1.0, "x", None, ("x",)):
        with pytest.raises(TypeError, match="argnums is the place of an argument"):
            transform(scale, wrong)(1.0, 2.0)


def test_keywords_pass_through():
    f = lambda x, *, k=1.0: x * x * k
    assert grad(f)(3.0, k=5.0) == 30.0
    assert vjp(f, 3.0, k=5.0)[0] == 45.0
    assert jvp(f, (3.0,), (1.0,), k=5.0) == (45.0, 30.0)
    assert jacobian(f)(3.0, k=5.0) == 30.0
    assert hessian(f)(3.0, k=5.0) == 10.0


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, ad.checkpoint])
def test_a_function_keeps_its_name_and_its_words(transform):
    made = transform(scale)
    assert (made.__name__, made.__doc__) == ("scale", scale.__doc__)
    assert transform(functools.partial(scale, y=2.0))(3.0) is not None


def test_gradients_have_the_structure_of_their_argument():
    def f(p, unused):
        return (p["w"][0] * p["pair"].left).sum() + p["pair"].right

    p = OrderedDict(w=[X, None], pair=Pair(2 * X, 4.0), empty=(), nothing=None, none={})
    slope, zero = grad(f, (0, 1))(p, {"z": np.ones((2, 2))})
    assert type(slope) is OrderedDict
    assert list(slope) == ["w", "pair", "empty", "nothing", "none"]
    assert slope["w"][0].tolist() == [2.0, -4.0, 6.0]
    assert slope["w"][1] is slope["nothing"] is None
    assert isinstance(slope["pair"], Pair)
    assert slope["pair"].left.tolist() == X.tolist()
    assert slope["pair"].right == 1.0
    assert slope["empty"] == ()
    assert slope["none"] == {}
    assert zero["z"].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_nested_results_give_nested_derivatives():
    def f(p):
        return {"a": [p["x"] * p["s"], None], "b": (p["s"], 3.0)}

    p = {"x": np.array([1.0, 2.0]), "s": 3.0}
    y, dy = jvp(f, (p,), ({"x": np.array([1.0, 0.0]), "s": 10.0},))
    assert y["a"][0].tolist() == [3.0, 6.0]
    assert dy["a"][0].tolist() == [13.0, 20.0]
    assert dy["a"][1] is None
    assert dy["b"] == (10.0, 0.0)
    _, pullback = vjp(f, p)
    (found,) = pullback({"a": [np.array([1.0, 1.0]), None], "b": (100.0, 7.0)})
    assert found["x"].tolist() == [3.0, 3.0]
    assert found["s"] == 103.0
    matrix = jacobian(f)(p)
    assert matrix["a"][0]["x"].tolist() == [[3.0, 0.0], [0.0, 3.0]]
    assert matrix["a"][0]["s"].tolist() == [1.0, 2.0]
    assert matrix["a"][1] is None
    assert matrix["b"][0]["x"].tolist() == [0.0, 0.0]
    assert matrix["b"][0]["s"] == 1.0
    assert matrix["b"][1]["x"].tolist() == [0.0, 0.0]


def test_a_hessian_of_a_nested_argument_is_nested_twice():
    found = hessian(lambda p: (p["a"] ** 2 * p["b"]).sum())({"a": np.array([1.0, 2.0]), "b": 3.0})
    assert found["a"]["a"].tolist() == [[6.0, 0.0], [0.0, 6.0]]
    assert found["a"]["b"].tolist() == [2.0, 4.0]
    assert found["b"]["a"].tolist() == [2.0, 4.0]
    assert found["b"]["b"] == 0.0
    assert hvp(lambda p: p["a"] ** 2 * p["b"], {"a": 1.0, "b": 3.0}, {"a": 1.0, "b": 10.0}) == {
        "a": 26.0,
        "b": 2.0,
    }


@pytest.mark.parametrize(
    ("f", "shape", "expected"),
    [
        (lambda x: x * x, (), ()),
        (lambda x: x * x, (1,), (1, 1)),
        (lambda x: x * x, (0, 2), (0, 2, 0, 2)),
        (lambda x: x[:0], (3,), (0, 3)),
        (lambda x: np.concatenate([x, np.ones(2)]), (0,), (2, 0)),
        (lambda x: x.sum(axis=1), (2, 3), (2, 2, 3)),
        (lambda x: np.stack([x, x, x]), (2,), (3, 2, 2)),
        (lambda x: x.sum(), (2, 3), (2, 3)),
        (lambda x: np.ones((2, 2)), (3,), (2, 2, 3)),
        (lambda x: 3, (3,), (3,)),
    ],
)
def test_a_jacobian_has_the_results_shape_and_then_the_arguments(f, shape, expected):
    found = jacobian(f)(np.ones(shape))
    assert found.shape == expected
    assert found.dtype == np.float64


# -- what does not depend on x -----------------------------------------------------------------------


@pytest.mark.parametrize("constant", [3, 3.0, np.float32(3.0), np.ones(1), np.ones((1, 1))])
def test_a_constant_function_has_zero_derivatives(constant):
    f = lambda x: constant
    value, slope = value_and_grad(f)(X)
    assert value is constant
    assert slope.tolist() == [0.0, 0.0, 0.0]
    assert np.ravel(jvp(f, (X,), (X,))[1]).tolist() == [0.0]
    assert vjp(f, X)[1](np.ones_like(constant, float))[0].tolist() == [0.0, 0.0, 0.0]
    assert hvp(f, X, X).tolist() == [0.0, 0.0, 0.0]


def test_an_argument_that_is_ignored_gets_zeros():
    slopes = grad(lambda x, y, z: y * y, (0, 1, 2))(X, 3.0, np.ones((2, 0), np.float32))
    assert slopes[0].tolist() == [0.0, 0.0, 0.0]
    assert slopes[1] == 6.0
    assert (slopes[2].shape, slopes[2].dtype) == ((2, 0), np.float32)


# -- dtypes and ownership ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_derivatives_keep_the_dtype(dtype):
    x = np.array([1.0, 2.0], dtype)
    kept = [
        *value_and_grad(total_cube)(x),
        *jvp(cube, (x,), (x,)),
        vjp(cube, x)[1](x)[0],
        jacobian(cube)(x),
        jacobian(lambda x: np.stack([x, x, x]))(x),
        jacobian(lambda x: np.stack([x, x, x]).astype(np.longdouble))(x),
        hessian(total_cube)(x),
        hvp(total_cube, x, x),
        grad(lambda x: ad.checkpoint(total_cube)(x))(x),
    ]
    assert [found.dtype for found in kept] == [np.dtype(dtype)] * len(kept)


def test_longdouble_keeps_its_precision():
    x = np.array([0.5, -1.25, 2.0], np.longdouble)
    third = np.longdouble(1) / 3
    assert grad(np.mean)(x).tolist() == [third] * 3
    assert grad(np.max)(np.ones(3, np.longdouble)).tolist() == [third] * 3
    exact = 2 * (x - x.mean()) * third
    np.testing.assert_allclose(grad(np.var)(x), exact, rtol=4 * np.finfo(np.longdouble).eps)


def test_each_argument_keeps_its_own_dtype():
    a, b = grad(lambda a, b: (a * b).sum(), (0, 1))(X.astype(np.float32), X)
    assert (a.dtype, b.dtype) == (np.float32, np.float64)


def test_integers_become_float64():
    slope = grad(lambda x: (x * x).sum())(np.array([1, 2]))
    assert slope.dtype == np.float64
    assert grad(cube)(2) == 12.0
    assert jvp(cube, (2,), (1,)) == (8.0, 12.0)
    assert jacobian(cube)(np.array([1, 2])).dtype == np.float64


def arrays_from(x):
    y, pullback = vjp(lambda x: (x, x + 0, x), x)
    y2, dy = jvp(lambda x: x, (x,), (x,))
    (_, aux), slope = value_and_grad(lambda x: (x.sum(), [x, x * 1]), has_aux=True)(x)
    blocks = jacobian(lambda x, y: [x, y], (0, 1))(x, x)
    both = grad(lambda a, b: (a + b).sum(), (0, 1))(x, x)
    kept = [*y, y2, dy, *aux, slope, *blocks[0], *blocks[1], *both, *pullback((x, x, x))]
    return [*kept, hessian(total_cube)(x), hvp(lambda x: x.sum(), x, x), *pullback((x, x, x))]


def test_arrays_that_come_out_are_the_callers_own():
    x = X.copy()
    found = [x, *arrays_from(x)]
    for i, array in enumerate(found):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in found[:i])
        array[...] = np.nan


def test_writing_into_a_result_does_not_change_the_pullback():
    y, pullback = vjp(lambda x: np.exp(x), np.zeros(2))
    y[...] = 100.0
    assert pullback(np.ones(2))[0].tolist() == [1.0, 1.0]


def test_arguments_are_left_as_they_were():
    x = X.copy()
    x.flags.writeable = False
    grad(total_cube)(x)
    jacobian(cube)(x)
    jvp(cube, (x,), (x,))
    assert x.tolist() == X.tolist()


# -- nesting -------------------------------------------------------------------------------------------


def test_perturbations_of_two_levels_are_not_confused():
    # d/dx [x * d/dy (x + y)] = 1, not 2.
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1.0
    assert grad(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1])(1.0) == 1.0
    assert jvp(lambda x: x * grad(lambda y: x + y)(1.0), (1.0,), (1.0,))[1] == 1.0


@pytest.mark.parametrize("inner", ["grad", "jvp", "vjp", "jacobian"])
@pytest.mark.parametrize("outer", ["grad", "jvp", "vjp", "jacobian"])
def test_every_transform_nests_in_every_other(outer, inner):
    slope = {
        "grad": grad,
        "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
        "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
        "jacobian": jacobian,
    }
    # g(x) = d/dy (x**2 y**3) at y = x is 3 x**4, and its derivative 12 x**3.
    g = lambda x: slope[inner](lambda y: x * x * y * y * y)(x)
    assert g(2.0) == 48.0
    assert slope[outer](g)(2.0) == 96.0
    assert slope[inner](slope[outer](g))(2.0) == 144.0


def test_perturbations_of_three_and_four_levels_are_not_confused():
    # d/dx x d/dy y d/dz (x y z) at y = z = x: the innermost is x y, then d/dy (x y**2) = 2 x y, then 4 x.
    inner = lambda x, y: grad(lambda z: x * y * z)(x)
    middle = lambda x: grad(lambda y: y * inner(x, y))(x)
    assert middle(3.0) == 18.0
    assert grad(middle)(3.0) == 12.0
    assert grad(lambda x: x * middle(x))(3.0) == 54.0
    # d/dw of w**2 times all that at x = w: w**2 * 2 w**2 -> 8 w**3
    assert grad(lambda w: w * w * middle(w))(2.0) == 64.0


def test_a_closure_over_an_outer_tensor_is_differentiated_by_it():
    w = Tensor(3.0)
    slope = grad(lambda x: w * x * x)(2.0)
    assert isinstance(slope, Tensor)
    assert slope.item() == 12.0
    slope.backward()
    assert w.grad == 4.0


def test_a_tensor_as_an_argument_stays_tied_to_its_graph():
    w = Tensor(3.0)
    for derive in [grad, jacobian, lambda f: lambda x: vjp(f, x)[1](1.0)[0]]:
        assert gradients(derive(cube)(w * w), w) == 6 * 9.0 * 2 * 3.0
    value, slope = value_and_grad(cube)(w)
    assert gradients(value, w) == 27.0
    assert gradients(slope, w) == 18.0
    assert gradients(hvp(cube, w, 1.0), w) == 6.0
    assert gradients(jvp(cube, (w,), (1.0,))[1], w) == 18.0


def test_a_tensor_as_a_tangent_or_a_seed_is_differentiated_by():
    v = Tensor(2.0)
    y, dy = jvp(cube, (3.0,), (v,))
    assert not isinstance(y, Tensor)
    assert gradients(dy, v) == 27.0
    (pulled,) = vjp(cube, 3.0)[1](v)
    assert gradients(pulled, v) == 27.0


def test_a_pullback_may_be_called_twice():
    _, pullback = vjp(lambda x, y: x * y, X, 2 * X)
    first, second = pullback(np.ones(3)), pullback(10 * np.ones(3))
    assert first[0].tolist() == [2.0, -4.0, 6.0]
    assert second[0].tolist() == [20.0, -40.0, 60.0]
    assert second[1].tolist() == [10.0, -20.0, 30.0]


def test_aux_keeps_its_graph_although_the_value_has_none():
    w = Tensor(3.0)
    (value, aux), slope = value_and_grad(
        lambda x: (x * x, {"w": w * x, "text": "a", "none": None}), has_aux=True
    )(2.0)
    assert not isinstance(value, Tensor)
    assert slope == 4.0
    assert gradients(aux["w"], w) == 2.0
    assert (aux["text"], aux["none"]) == ("a", None)


def test_aux_tensors_come_out_as_arrays():
    (value, aux), slope = value_and_grad(lambda x: (x.sum(), (x * 2, [x])), has_aux=True)(X)
    assert value == 2.0
    assert slope.tolist() == [1.0, 1.0, 1.0]
    assert type(aux[0]) is np.ndarray
    assert aux[1][0].tolist() == X.tolist()


# -- surroundings --------------------------------------------------------------------------------------


def test_everything_works_inside_no_grad():
    w = Tensor(3.0)
    with no_grad():
        assert grad(cube)(2.0) == 12.0
        assert grad(grad(cube))(2.0) == 12.0
        assert jvp(grad(cube), (2.0,), (1.0,)) == (12.0, 12.0)
        assert hessian(cube)(2.0) == 12.0
        assert jacobian(cube)(X).shape == (3, 3)
        assert hvp(cube, 2.0, 1.0) == 12.0
        assert vjp(cube, 2.0)[1](1.0) == (12.0,)
        assert not isinstance(grad(lambda x: w * x)(2.0), Tensor)
        assert not isinstance(grad(cube)(w), Tensor)
        assert not isinstance(jvp(cube, (2.0,), (w,))[1], Tensor)
        assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
        assert grad(ad.checkpoint(cube))(2.0) == 12.0


def test_a_pullback_inside_no_grad_returns_arrays():
    w = Tensor(3.0)
    _, pullback = vjp(lambda x: w * x, 2.0)
    assert isinstance(pullback(1.0)[0], Tensor)
    with no_grad():
        assert not isinstance(pullback(1.0)[0], Tensor)
        assert not isinstance(pullback(Tensor(1.0))[0], Tensor)


def test_no_grad_inside_the_function_stops_the_gradient():
    def f(x):
        with no_grad():
            constant = x * x
        return constant * x

    assert grad(f)(3.0) == 9.0


def test_threads_do_not_see_each_others_no_grad():
    found = []

    def work():
        found.extend([grad(grad(cube))(2.0), isinstance(Tensor(1.0) * 2, Tensor)])

    with no_grad():
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [12.0, True] * 4


def test_no_leafs_grad_is_touched():
    w = Tensor(3.0)
    grad(cube)(w)
    gradients(cube(w), w)
    assert w.grad is None


def test_a_long_chain_needs_no_recursion():
    def chain(x):
        for _ in range(20_000):
            x = x + 1.0
        return x * x

    assert grad(chain)(0.0) == 40_000.0
    assert jvp(chain, (0.0,), (1.0,))[1] == 40_000.0


# -- gradients -----------------------------------------------------------------------------------------


def test_gradients_by_interior_tensors_and_with_a_seed():
    x = Tensor(X)
    square = x * x
    cubed = square * x
    assert gradients(cubed.sum(), square).tolist() == X.tolist()
    assert gradients(cubed, {"x": [x]}, seed=np.array([1.0, 0.0, 10.0]))["x"][0].tolist() == [3.0, 0.0, 270.0]
    assert gradients(cubed.sum(), Tensor(np.ones(2))).tolist() == [0.0, 0.0]
    assert gradients(cubed, cubed, seed=X).tolist() == X.tolist()


def test_a_constant_slope_can_be_differentiated_again_and_gives_zeros():
    x, other = Tensor([1.0, 2.0]), Tensor(3.0)
    found = gradients((x * 2.0).sum(), [x, other], create_graph=True)
    assert [slope.tolist() for slope in found] == [[2.0, 2.0], 0.0]
    for slope in found:
        assert gradients(slope.sum(), x).tolist() == [0.0, 0.0]


def test_gradients_create_a_graph_where_asked():
    x = Tensor(2.0)
    slope = gradients(cube(x), x, create_graph=True)
    assert gradients(slope, x) == 12.0
    with no_grad():
        assert gradients(slope, x) == 12.0
        assert gradients(gradients(slope, x, create_graph=True), x) == 6.0


def test_gradients_refuse_what_has_no_graph():
    with pytest.raises(TypeError, match="gradients: y is no Tensor"):
        gradients(1.0, Tensor(1.0))
    with pytest.raises(TypeError, match="gradients: xs are Tensors"):
        gradients(Tensor(1.0), 1.0)
    with pytest.raises(ValueError, match="is no scalar"):
        gradients(Tensor(X), Tensor(X))


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (lambda x: x, ValueError, r"returned a result of shape \(3,\).*\.sum\(\), or use jacobian or vjp"),
        (lambda x: None, ValueError, "returned None"),
        (lambda x: (x.sum(),), ValueError, "returned a tuple"),
        (lambda x: {"a": x.sum()}, ValueError, "returned a dict"),
        (lambda x: np.ones(2), ValueError, r"returned a result of shape \(2,\)"),
        (lambda x: "text", TypeError, "returned str 'text'; return real numbers"),
        (lambda x: 1j, TypeError, "returned complex 1j; return real numbers"),
    ],
)
def test_grad_refuses_what_is_no_number(result, error, message):
    with pytest.raises(error, match=f"grad: the function {message}"):
        grad(result)(X)


def test_has_aux_wants_a_pair():
    for wrong in [lambda x: x.sum(), lambda x: (x.sum(), 1, 2), lambda x: [x.sum(), 1]]:
        with pytest.raises(TypeError, match=r"the function returns the pair \(value, aux\)"):
            value_and_grad(wrong, has_aux=True)(X)


@pytest.mark.parametrize("name", ["vjp", "jvp", "jacobian"])
def test_results_that_are_no_real_numbers_are_refused(name):
    call = {
        "vjp": lambda f: vjp(f, X),
        "jvp": lambda f: jvp(f, (X,), (X,)),
        "jacobian": lambda f: jacobian(f)(X),
    }
    with pytest.raises(TypeError, match=f"{name}: the function returned str 'text'"):
        call[name](lambda x: (x, "text"))


@pytest.mark.parametrize(
    ("g", "error", "message"),
    [
        (np.ones(3), ValueError, "there is no tuple of 2, but ndarray"),
        ((np.ones(3), {"z": 1.0}), ValueError, r"no dict with the keys \['k'\], but one with \['z'\]"),
        ((np.ones(2), {"k": 1.0}), ValueError, r"of shape \(2,\) does not fit one of shape \(3,\)"),
        ((np.ones(3), {"k": None}), TypeError, "zeros where there is none, not of None"),
        ((np.ones(3), {"k": 1j}), TypeError, "made of real numbers"),
        (None, ValueError, "there is no tuple of 2, but None"),
    ],
)
def test_a_pullback_refuses_a_seed_that_does_not_fit(g, error, message):
    _, pullback = vjp(lambda x: (x * x, {"k": x.sum()}), X)
    with pytest.raises(error, match=f"vjp: the result's gradient.*{message}"):
        pullback(g)
    assert pullback((np.ones(3), {"k": 0.0}))[0].tolist() == [2.0, -4.0, 6.0]


@pytest.mark.parametrize(
    ("primals", "tangents", "error", "message"),
    [
        (3.0, 1.0, TypeError, r"primals is a tuple with one entry for each argument, as \(x,\), not float"),
        ((3.0,), np.ones(1), TypeError, "tangents is a tuple"),
        ((3.0,), (), ValueError, "there is no list of 1, but list of 0"),
        ((3.0,), (None,), TypeError, "zeros where there is none, not of None"),
        ((3.0,), ("a",), TypeError, "made of real numbers"),
        ((X,), (np.ones(2),), ValueError, r"of shape \(2,\) does not fit one of shape \(3,\)"),
        (({"a": 1.0},), ({"b": 1.0},), ValueError, "no dict with the keys"),
        ((None,), (1.0,), ValueError, "there is no None, but float"),
    ],
)
def test_jvp_refuses_tangents_that_do_not_fit(primals, tangents, error, message):
    with pytest.raises(error, match=f"jvp: .*{message}"):
        jvp(lambda x: x, primals, tangents)


def test_hvp_refuses_a_vector_that_does_not_fit():
    with pytest.raises(ValueError, match=r"hvp: v of shape \(2,\) does not fit one of shape \(3,\)"):
        hvp(total_cube, X, np.ones(2))
    with pytest.raises(ValueError, match="hvp: v does not fit: there is no dict"):
        hvp(lambda p: p["a"], {"a": 1.0}, 1.0)


def test_what_the_function_raises_passes_through():
    def f(x):
        raise KeyError("mine")

    for call in [grad(f), jacobian(f), lambda x: vjp(f, x), lambda x: jvp(f, (x,), (x,)), ad.checkpoint(f)]:
        with pytest.raises(KeyError, match="mine"):
            call(1.0)


@pytest.mark.parametrize("wrong", ["text", True, 1j, np.array([None]), np.array(["a"])])
def test_arguments_that_are_no_real_numbers_are_refused(wrong):
    with pytest.raises(TypeError, match="not real numbers"):
        grad(lambda x: 1.0)(wrong)


@pytest.mark.parametrize("transform", ["grad", "value_and_grad", "jacobian", "hessian", "checkpoint"])
def test_a_transform_takes_the_function_itself(transform):
    with pytest.raises(
        TypeError, match=rf"^{transform}: takes the function itself, as {transform}\(f\)\(.*float"
    ):
        getattr(ad, transform)(3.0)


@pytest.mark.parametrize(
    ("transform", "rest"),
    [("vjp", (1.0,)), ("jvp", ((1.0,), (1.0,))), ("hvp", (1.0, 1.0)), ("check_grads", (1.0,))],
)
def test_a_derivative_at_a_point_takes_the_function_itself(transform, rest):
    with pytest.raises(
        TypeError, match=rf"^{transform}: takes the function itself, as {transform}\(f, .*not a Tensor"
    ):
        getattr(ad, transform)(Tensor(3.0), *rest)
