"""Declaring an op: what `primitive` makes of a function, and what it refuses."""

import numpy as np
import pytest

from autodiff import Tensor, gradients, hvp, jvp, no_grad, primitive
from autodiff.listing import row_of
from autodiff.primitive import registry
from autodiff.wrappers import are_constant

pytestmark = pytest.mark.usefixtures("fresh_registry")


def test_a_declared_op_serves_arrays_tensors_numpy_and_every_order():
    @primitive(np.cbrt)
    def cbrt(x, /):
        """The cube root."""
        return np.cbrt(x), lambda g, y, x: g / (3 * y * y)

    assert cbrt(8.0) == 2.0
    assert type(cbrt(np.array([8.0]))) is np.ndarray
    x = Tensor([8.0, 27.0])
    for y in (cbrt(x), np.cbrt(x)):
        assert (y.op, y.parents) == ("cbrt", (x,))
        np.testing.assert_allclose(gradients(y, x, seed=np.ones(2)), [1 / 12, 1 / 27])
    np.testing.assert_allclose(hvp(lambda x: np.cbrt(x).sum(), np.array([8.0]), np.ones(1)), [-2 / (9 * 32)])
    np.testing.assert_allclose(jvp(np.cbrt, (np.array([8.0]),), (np.array([3.0]),))[1], [0.25])
    assert (cbrt.__name__, cbrt.__doc__) == ("cbrt", "The cube root.")
    assert registry["cbrt"] is cbrt


def test_an_op_of_a_ufunc_broadcasts_and_takes_part_in_selections():
    @primitive(np.hypot)
    def hypot(a, b, /):
        return np.hypot(a, b), lambda g, y, a, b: g * a / y, lambda g, y, a, b: g * b / y

    assert (hypot.operation.broadcasts, hypot.operation.structure) == (True, "elementwise")
    a, b = Tensor(np.full((2, 3), 3.0)), Tensor(4.0)
    np.hypot(a, b).sum().backward()
    assert b.grad == pytest.approx(6 * 0.8)
    x = Tensor([0.0, 3.0])
    with np.errstate(invalid="ignore"):
        np.where(np.array([False, True]), np.hypot(x, 0.0), 0).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]


def test_an_op_that_does_not_say_so_does_not_broadcast():
    @primitive()
    def plus(a, b, /):
        return a + b, lambda g, y, a, b: g, lambda g, y, a, b: g

    with pytest.raises(ValueError, match=r"plus: its vjp returned shape \(3,\) for an input of shape \(\)"):
        plus(Tensor(1.0), Tensor([1.0, 2.0, 3.0])).backward(seed=np.ones(3))

    @primitive(broadcasts=True)
    def plus_too(a, b, /):
        return a + b, lambda g, y, a, b: g, lambda g, y, a, b: g

    x = Tensor(1.0)
    plus_too(x, Tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad == 3.0


def test_an_op_whose_result_is_too_large_is_a_bug_not_something_to_sum_away():
    @primitive()
    def total(x, /):
        return np.sum(x), lambda g, y, x: np.ones((2, *x.shape)) * g

    with pytest.raises(
        ValueError, match=r"total: its vjp returned shape \(2, 3\) for an input of shape \(3,\)"
    ):
        total(Tensor(np.ones(3))).backward()


def test_an_op_without_options_says_that_it_has_none():
    @primitive()
    def twice(x, /):
        return 2 * x, lambda g, y, x: 2 * g

    with pytest.raises(
        TypeError, match=r"twice: there is no option axis= for Tensors here, and no other either$"
    ):
        twice(Tensor(3.0), axis=0)


def test_options_come_after_the_slash_by_place_or_by_name():
    @primitive()
    def scaled(x, /, factor=2.0, shift=0.0):
        return x * factor + shift, lambda g, y, x: g * factor

    x = Tensor(3.0)
    assert [y.item() for y in (scaled(x), scaled(x, 5.0), scaled(x, 5.0, 1.0), scaled(x, shift=1.0))] == [
        6,
        15,
        16,
        7,
    ]
    assert scaled(x, factor=4.0).options == {"factor": 4.0}
    with pytest.raises(TypeError, match=r"scaled: there is no option scale=.*factor, shift"):
        scaled(x, scale=2.0)
    with pytest.raises(
        TypeError, match=r"scaled: takes 1 inputs and the options \['factor', 'shift'\], not 4 arguments"
    ):
        scaled(x, 1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match="scaled: the option factor is given twice"):
        scaled(x, 1.0, factor=2.0)
    with pytest.raises(TypeError, match=r"scaled: the option factor= has no derivative.*factor=t\.data"):
        scaled(x, factor=Tensor(2.0))


def test_any_number_of_inputs_by_a_star():
    @primitive()
    def total(*inputs):
        return sum(inputs), *(lambda g, y, *inputs: g for _ in inputs)

    a, b, c = Tensor(1.0), 2.0, Tensor(3.0)
    y = total(a, b, c)
    assert y.parents == (a, c)
    y.backward()
    assert (a.grad, c.grad) == (1.0, 1.0)


def test_none_marks_an_input_without_a_derivative():
    @primitive()
    def pick(condition, x, /):
        return x * condition, None, lambda g, y, condition, x: g * condition

    c, x = Tensor([1.0, 0.0]), Tensor([5.0, 6.0])
    y = pick(c, x)
    assert y.parents == (x,)
    y.sum().backward()
    assert (c.grad, x.grad.tolist()) == (None, [1.0, 0.0])
    assert not isinstance(pick(c, np.ones(2)), Tensor)


def test_a_vjp_of_none_alone_makes_a_constant():
    @primitive()
    def step(x, /):
        return np.sign(x), None

    assert not isinstance(step(Tensor(2.0)), Tensor)


def test_rules_that_depend_on_the_values_are_chosen_at_every_call():
    @primitive()
    def odd(x, /):
        if np.all(x > 0):
            return x, lambda g, y, x: g * 10
        return x, lambda g, y, x: g * 20

    assert gradients(odd(Tensor(1.0)), p := Tensor(1.0)) == 0
    for value, slope in [(1.0, 10.0), (-1.0, 20.0), (1.0, 10.0)]:
        p = Tensor(value)
        odd(p).backward()
        assert p.grad == slope


def test_a_rule_that_closes_over_something_is_not_shared_between_calls():
    @primitive()
    def powered(x, /):
        n = 2 if np.size(x) == 1 else 3
        return x**n, lambda g, y, x: g * n * x ** (n - 1)

    a, b = Tensor(2.0), Tensor([2.0, 1.0])
    powered(a).backward()
    powered(b).sum().backward()
    assert a.grad == 4.0
    assert b.grad.tolist() == [12.0, 3.0]


RULES = {0: lambda g, y, x: g, 1: lambda g, y, x: g * 5}


def test_an_op_of_ones_own_behind_an_operator_computes_what_it_says_at_every_call(fresh_registry):
    """A division that gives 0 for 0 / 0, in place of NumPy's."""

    @primitive(np.divide)
    def divide(a, b, /):
        return np.divide(a, b, where=b != 0, out=np.zeros(())), lambda g, y, a, b: g / b, lambda g, y, a, b: g

    x, zero = Tensor(1.0), np.float64(0.0)
    assert [(x / zero).item() for _ in range(3)] == [0.0, 0.0, 0.0]


def test_rules_that_are_looked_up_are_chosen_at_every_call():
    @primitive()
    def looked_up(x, /):
        return x * 1, RULES[np.ndim(x)]

    a, b = Tensor(1.0), Tensor([1.0])
    looked_up(a).backward()
    looked_up(b).backward()
    assert (a.grad, b.grad.tolist()) == (1.0, [5.0])


def test_only_rules_that_are_the_same_at_every_call_are_shared():
    def plain(x):
        return x, lambda g, y, x: g

    def chosen(x):
        up, down = (lambda g, y, x: g), (lambda g, y, x: -g)
        return x, up if x > 0 else down

    def closing(x):
        return x, lambda g, y, x_: g * x

    def defaulting(x):
        return x, lambda g, y, x, n=2: g * n

    assert are_constant(plain(1.0)[1:], plain)
    for function in (chosen, closing, defaulting):
        assert not are_constant(function(1.0)[1:], function)
    assert not are_constant((None,), plain)
    x, y = Tensor(2.0), Tensor(3.0)
    assert (x * y).vjps is (y * x).vjps


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: primitive()(lambda: 1), r"has no differentiable input.*slash"),
        (lambda: primitive(structure="diagonal"), r"structure is.*'diagonal'"),
    ],
)
def test_a_declaration_that_can_not_work_is_refused(declare, words):
    with pytest.raises((TypeError, ValueError), match=words):
        declare()


def test_inputs_without_a_slash_are_refused_with_the_way_out():
    with pytest.raises(TypeError, match=r"primitive: cube has no differentiable input.*def f\(x, /"):

        @primitive()
        def cube(x):
            return x**3, lambda g, y, x: g * 3 * x * x


@pytest.mark.parametrize("tracked", [True, False])
def test_an_op_that_forgets_its_vjp_is_told_what_to_return(tracked):
    @primitive()
    def forgetful(x, /):
        return x * 2

    with pytest.raises(TypeError, match=r"forgetful: .*an op returns its value and one vjp for each input"):
        forgetful(Tensor(1.0) if tracked else np.float64(1.0))


def test_an_op_with_the_wrong_number_of_vjps_is_told_so():
    @primitive()
    def single(a, b, /):
        return a * b, lambda g, y, a, b: g * b

    @primitive()
    def double(x, /, n=1):
        return x * n, lambda g, y, x: g, lambda g, y, x: g

    for call in (lambda: single(Tensor(1.0), 2.0), lambda: double(Tensor(1.0))):
        with pytest.raises((TypeError, ValueError), match=r"(single|double): .*one vjp for each input"):
            call()


def test_a_vjp_may_return_a_number_for_a_number():
    @primitive()
    def twice(x, /):
        return x * 2, lambda g, y, x: 2.0

    x = Tensor(1.0)
    twice(x).backward()
    assert x.grad == 2.0


def test_a_vjp_may_return_the_gradient_itself_or_an_input():
    @primitive()
    def odd(a, b, /):
        return a * b, lambda g, y, a, b: g, lambda g, y, a, b: a

    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    odd(a, b).backward(seed=np.ones(2))
    b.grad += 5
    assert a.data.tolist() == [1.0, 2.0]
    assert a.grad.tolist() == [1.0, 1.0]


def test_what_a_vjp_returns_gets_its_inputs_dtype():
    @primitive()
    def drifting(x, /):
        return x * 1, lambda g, y, x: np.asarray(g, np.float64)

    x = Tensor(np.ones(2, np.float32))
    drifting(x).sum().backward()
    assert x.grad.dtype == np.float32


def test_numpy_and_python_errors_carry_the_ops_name():
    @primitive()
    def picky(x, /):
        raise IndexError("nothing there")

    with pytest.raises(IndexError, match=r"picky: nothing there \(inputs of shape \(2,\)\)"):
        picky(Tensor([1.0, 2.0]))


def test_other_errors_pass_as_they_are():
    @primitive()
    def failing(x, /):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match=r"^mine$"):
        failing(Tensor(1.0))


def test_an_op_named_like_a_method_of_ndarray_becomes_one():
    @primitive(np.cumsum)
    def cumsum(x, /, axis=None):
        return np.cumsum(x, axis), lambda g, y, x: np.flip(np.cumsum(np.flip(g)))

    x = Tensor([1.0, 2.0])
    assert x.cumsum().tolist() == [1.0, 3.0]


def test_inside_no_grad_an_op_on_tensors_is_an_op_on_arrays():
    with no_grad():
        assert type(np.exp(Tensor([1.0, 2.0]))) is np.ndarray
        assert type(np.concatenate([Tensor([1.0]), np.ones(1)])) is np.ndarray
        assert type(Tensor([1.0]) + Tensor([2.0])) is np.ndarray


# -- what is refused at the first call -------------------------------------------------------------------


@pytest.mark.parametrize("x", [np.array([1.0, 2.0]), Tensor([1.0, 2.0])], ids=["array", "tensor"])
def test_an_op_that_returns_no_vjp_is_refused_even_where_its_result_can_be_unpacked(x):
    @primitive()
    def twice(x, /):
        return x * 2

    @primitive()
    def with_a_number(x, /):
        return x * 2, 2

    @primitive()
    def product(a, b, c, /):
        return np.array([1.0, 2.0, 3.0, 4.0])

    for op, inputs in ((twice, [x]), (with_a_number, [x]), (product, [x, x, x])):
        with pytest.raises(
            TypeError, match=rf"{op.__name__}: a .* stands where a vjp .*return y, lambda g, y"
        ):
            op(*inputs)


def test_a_vjp_with_other_parameters_than_g_y_and_the_inputs_is_refused_at_the_forward_pass():
    @primitive()
    def only_g(x, /):
        return x * 2, lambda g: 2 * g

    @primitive()
    def without_y(a, b, /, axis=0):
        return a * b, lambda g, y, a, b: g * b, lambda g, a, b: g * a

    with pytest.raises(TypeError, match=r"only_g: a vjp is called as vjp\(g, y, x\); this one takes \(g\)"):
        only_g(Tensor(1.0))
    with pytest.raises(TypeError, match=r"vjp\(g, y, a, b\); this one takes \(g, a, b\)"):
        without_y(Tensor(1.0), 2.0)


def test_a_vjp_may_be_any_callable_that_takes_the_arguments():
    class Double:
        def __call__(self, *arguments):
            return 2 * arguments[0]

    @primitive()
    def twice(x, /):
        return x * 2, Double()

    x = Tensor(3.0)
    twice(x).backward()
    assert x.grad == 2.0


def test_a_declaration_without_parentheses_is_refused():
    with pytest.raises(TypeError, match=r"write @primitive\(\), with parentheses"):

        @primitive
        def twice(x, /):
            return x * 2, lambda g, y, x: 2 * g


def test_an_op_may_be_declared_by_code_that_belongs_to_no_module():
    code = """
@primitive()
def scaled(a, b, /):
    return a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a
"""
    names = {"primitive": primitive}
    exec(code, names)
    a, b = Tensor(2.0), Tensor(3.0)
    names["scaled"](a, b).backward()
    assert (a.grad, b.grad) == (3.0, 2.0)
    assert row_of("scaled", names["scaled"], {})["room"] == ""
    with pytest.raises(TypeError, match=r"write @primitive\(\), with parentheses"):
        exec(code.replace("()", "", 1), {"primitive": primitive})
