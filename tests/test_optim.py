"""Optimizers, learning-rate schedules and gradient clipping."""

import math
import pickle

import numpy as np
import pytest

from autodiff import StaleGraphError, Tensor
from autodiff.optim import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    clip_grad_norm,
    clip_grad_value,
    cosine_decay,
    exponential_decay,
    step_decay,
    warmup,
)
from autodiff.parameters import named_parameters
from autodiff.trees import leaves_of, map_leaves

GRADIENTS = [[0.5, -1.0], [0.25, 2.0], [-1.0, 0.5]]
OPTIMIZERS = {
    "SGD": lambda p: SGD(p, 0.1),
    "momentum": lambda p: SGD(p, 0.1, momentum=0.9),
    "Nesterov": lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: Adam(p, 0.1),
    "AdamW": lambda p: AdamW(p, 0.1),
}


@pytest.fixture(params=OPTIMIZERS)
def new(request):
    """Each kind of optimizer: `new(parameters)` makes one."""
    return OPTIMIZERS[request.param]


def path(optimizer, theta):
    """The values of `theta` after each of three steps with GRADIENTS."""
    values = []
    for g in GRADIENTS:
        theta.grad = g
        optimizer.step()
        values.append(theta.data.tolist())
    return values


def two_parameters():
    """A nested dict of a matrix and a vector."""
    return {"0": {"weight": Tensor([[1.0, 2.0], [3.0, 4.0]]), "bias": Tensor([5.0, 6.0])}}


def train(optimizer, rng, steps):
    """Some steps with random gradients."""
    for _ in range(steps):
        for p in leaves_of(optimizer.parameters):
            p.grad = rng.normal(size=p.shape)
        optimizer.step()


# -- formulas ------------------------------------------------------------------------------------------

# Every number here is a short binary fraction, so the paths are exact, and can be followed by hand: with
# momentum 1/2 the first coordinate's b is 1/2, then 1/2 * 1/2 + 1/4 = 1/2, then 1/2 * 1/2 - 1 = -3/4.


def test_plain_sgd_goes_against_the_gradient():
    theta = Tensor([1.0, -2.0])
    assert path(SGD(theta, 0.25), theta) == [[0.875, -1.75], [0.8125, -2.25], [1.0625, -2.375]]


def test_momentum_sums_past_gradients():
    theta = Tensor([1.0, -2.0])
    steps = [[0.875, -1.75], [0.75, -2.125], [0.9375, -2.4375]]
    assert path(SGD(theta, 0.25, momentum=0.5), theta) == steps


def test_nesterov_adds_the_gradient_to_the_momentum_that_follows():
    # g + b / 2 is 3/4, 1/2, -11/8 in the first coordinate and -3/2, 11/4, 9/8 in the second.
    theta = Tensor([1.0, -2.0])
    steps = [[0.8125, -1.625], [0.6875, -2.3125], [1.03125, -2.59375]]
    assert path(SGD(theta, 0.25, momentum=0.5, nesterov=True), theta) == steps


def test_weight_decay_of_sgd_adds_to_the_gradient():
    # g + theta / 2 is 1, 5/8, -45/64 in the first coordinate and -2, 5/4, -13/32 in the second.
    theta = Tensor([1.0, -2.0])
    steps = [[0.75, -1.5], [0.59375, -1.8125], [0.76953125, -1.7109375]]
    assert path(SGD(theta, 0.25, weight_decay=0.5), theta) == steps


# Kingma and Ba's algorithm 1, and Loshchilov and Hutter's algorithm 2, in 40 digits by mpmath, with lr, betas
# and eps the float64 numbers nearest to 0.1, 0.9, 0.999 and 1e-8.
@pytest.mark.parametrize(
    ("make", "first", "second"),
    [
        (
            lambda p: Adam(p, 0.1),
            [0.90000000199999995445, 0.80678204047746165783, 0.82741774288541074384],
            [-1.9000000009999999844, -1.9366103534720750835, -1.9781754731467740436],
        ),
        (
            lambda p: Adam(p, 0.1, weight_decay=0.5),
            [0.90000000099999998445, 0.80242795207283137907, 0.76287688304412861979],
            [-1.9000000004999999919, -1.8752831662557582675, -1.8443652832729532721],
        ),
        (
            lambda p: AdamW(p, 0.1, weight_decay=0.5),
            [0.85000000199999995167, 0.71428204037746165511, 0.69920364076653765638],
            [-1.8000000009999999789, -1.746610353422075074, -1.7008449554256702755],
        ),
        (
            lambda p: Adam(p, 0.1, betas=(0.5, 0.75), eps=0.25),
            [0.93333333333333332963, 0.88025177415913536577, 0.92458987282270057941],
            [-1.9199999999999999956, -1.9727006739106844208, -2.0192643666913067406],
        ),
    ],
    ids=["Adam", "with L2", "AdamW", "other betas and eps"],
)
def test_adam_takes_the_steps_of_its_papers(make, first, second):
    theta = Tensor([1.0, -2.0])
    np.testing.assert_allclose(path(make(theta), theta), np.transpose([first, second]), rtol=2e-15)


def test_the_defaults_are_those_of_pytorchs_documentation():
    theta = Tensor(1.0)
    assert (SGD(theta).momentum, SGD(theta).nesterov, SGD(theta).weight_decay) == (0.0, False, 0.0)
    for kind, decay in ((Adam, 0.0), (AdamW, 0.01)):
        optimizer = kind(theta)
        assert (optimizer.lr, optimizer.betas, optimizer.eps) == (0.001, (0.9, 0.999), 1e-8)
        assert optimizer.weight_decay == decay
    assert SGD(theta).lr == 0.01


def test_adams_first_step_is_lr_whatever_the_size_of_the_gradient():
    theta = Tensor(np.zeros(3))
    theta.grad = [1e-3, 1.0, 1e6]
    Adam(theta, lr=0.5, eps=0).step()
    np.testing.assert_allclose(theta.data, -0.5, rtol=1e-15)


def test_adam_counts_the_updates_of_each_parameter():
    # The first update of the second parameter comes at the third step, and is a first update all the same.
    early, late = Tensor(0.0), Tensor(0.0)
    optimizer = Adam([early, late], lr=0.5, eps=0)
    for gradient in (None, None, 2.0):
        early.grad, late.grad = 1.0, gradient
        optimizer.step()
    np.testing.assert_allclose(late.data, -0.5, rtol=1e-15)


# -- parameters ------------------------------------------------------------------------------------------


def test_a_parameter_without_gradient_stays_as_it_is(new):
    with_gradient, without = Tensor([1.0]), Tensor([1.0])
    optimizer = new({"a": with_gradient, "b": without})
    with_gradient.grad = [1.0]
    optimizer.step()
    assert with_gradient.data != 1.0
    assert without.data == 1.0


def test_a_tensor_that_stands_there_twice_is_updated_once(new):
    once, twice = Tensor([1.0]), Tensor([1.0])
    for parameters in ([once], {"a": twice, "b": [twice]}):
        optimizer = new(parameters)
        leaves_of(parameters)[0].grad = [0.5]
        optimizer.step()
    assert once.data == twice.data
    assert list(SGD({"a": twice, "b": [twice]}, momentum=0.9).state()["velocity"]) == ["a"]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("shape", [(2, 3), (), (0,)])
def test_a_parameter_keeps_its_dtype_and_shape(new, dtype, shape):
    theta = Tensor(np.ones(shape, dtype))
    optimizer = new(theta)
    optimizer.lr = lambda step: np.float64(0.5)  # which would promote float32 arrays
    for _ in range(2):
        theta.grad = np.ones(shape, dtype)
        optimizer.step()
    assert theta.dtype == dtype
    assert theta.shape == shape
    assert np.all(theta.data < 1)


def test_float32_steps_are_computed_in_float32(new):
    theta = np.ones(2, np.float32)
    optimizer = new(Tensor(theta))
    memory = optimizer.fresh(theta)
    change = optimizer.change(theta, theta, 0.1, memory)
    assert {array.dtype for array in (change, *memory.values()) if array.ndim} == {np.dtype(np.float32)}


def test_adam_moves_float16_by_gradients_whose_squares_are_0_in_float16():
    theta = Tensor(np.zeros(2, np.float16))
    theta.grad = np.array([1e-5, 0.0], np.float16)
    Adam(theta, lr=0.5).step()
    np.testing.assert_allclose(theta.data, [-0.5, 0.0], rtol=2e-3)


def test_a_step_renews_the_parameters_so_that_old_graphs_refuse(new):
    for data in (2.0, [2.0]):
        theta = Tensor(data)
        y = theta * theta
        theta.grad = 1.0 if theta.shape == () else [1.0]
        new(theta).step()
        with pytest.raises(StaleGraphError):
            y.backward([1.0])


def test_zero_grad_sets_every_gradient_to_none(new):
    parameters = two_parameters()
    for p in leaves_of(parameters):
        p.grad = 0
    new(parameters).zero_grad()
    assert [p.grad for p in leaves_of(parameters)] == [None, None]


def test_a_step_leaves_the_gradient_as_it_is(new):
    theta = Tensor([1.0, -2.0])
    optimizer = new(theta)
    for _ in range(3):
        theta.grad = [0.5, -1.0]
        optimizer.step()
        assert theta.grad.tolist() == [0.5, -1.0]


def test_an_optimizer_finds_the_minimum_of_a_parabola(new):
    theta = Tensor([3.0, -4.0])
    optimizer = new({"theta": theta})
    for _ in range(500):
        optimizer.zero_grad()
        ((theta - [1.0, 2.0]) ** 2).sum().backward()
        optimizer.step()
    # The decay of 0.1 moves SGD's minimum to 2 / 2.1 of it; AdamW's is smaller.
    np.testing.assert_allclose(theta.data, [1.0, 2.0], rtol=0.05)


def test_an_optimizer_of_ones_own_says_what_a_step_takes_off():
    class Sign(Optimizer):
        def change(self, theta, g, lr, memory):
            return lr * np.sign(g)

    theta = Tensor([1.0, -2.0])
    assert path(Sign(theta, 0.5), theta) == [[0.5, -1.5], [0.0, -2.0], [0.5, -2.5]]


def test_the_repr_shows_how_many_parameters_the_rate_and_the_steps():
    optimizer = SGD(two_parameters(), step_decay(0.5, every=1))
    assert repr(optimizer) == "SGD(2 parameters, lr=0.5, steps=0)"
    optimizer.step()
    assert repr(optimizer) == "SGD(2 parameters, lr=0.05, steps=1)"
    assert repr(Adam(Tensor(1.0))) == "Adam(1 parameter, lr=0.001, steps=0)"


# -- state -----------------------------------------------------------------------------------------------


def test_a_loaded_state_continues_to_the_bit(new):
    parameters = two_parameters()
    optimizer = new(parameters)
    rng = np.random.default_rng(1)
    train(optimizer, rng, 3)
    twin = map_leaves(lambda p: Tensor(p.data), parameters)
    other = new(twin)
    other.load_state(pickle.loads(pickle.dumps(optimizer.state())))
    assert other.steps == 3
    rng_twin = pickle.loads(pickle.dumps(rng))
    train(optimizer, rng, 3)
    train(other, rng_twin, 3)
    for p, q in zip(leaves_of(parameters), leaves_of(twin), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        assert p.data.any()


def test_a_state_is_a_copy_in_both_directions(new):
    optimizer = new(two_parameters())
    state = optimizer.state()
    before = pickle.dumps(state)
    other = new(two_parameters())
    other.load_state(state)
    for each in (optimizer, other):
        train(each, np.random.default_rng(1), 2)
    assert pickle.dumps(state) == before


def test_the_state_is_named_by_what_is_remembered_and_of_which_parameter():
    theta = {"0": {"weight": Tensor([1.0, -2.0])}}
    optimizer = SGD(theta, 0.25, momentum=0.5)
    path(optimizer, theta["0"]["weight"])
    state = optimizer.state()
    assert state["steps"] == 3
    assert state["velocity"]["0"]["weight"].tolist() == [-0.75, 1.25]
    assert SGD(theta).state() == {"steps": 0}
    assert set(named_parameters(Adam(theta).state())) == {
        "steps",
        "first_moment.0.weight",
        "second_moment.0.weight",
        "updates.0.weight",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: state.pop("updates"),
            r"Adam: the state lacks \['updates\.0\.bias', 'updates\.0\.weight'\]; it is of another optimizer",
        ),
        (lambda state: state.update(velocity=np.zeros(2)), r"has besides \['velocity'\]"),
        (
            lambda state: state["second_moment"]["0"].update(bias=np.zeros(3)),
            r"has shape \(3,\) at 'second_moment\.0\.bias', where \(2,\) belongs",
        ),
        (lambda state: state.update(steps=1.5), "holds float64 at 'steps', where int64 belongs"),
        (
            lambda state: state["second_moment"]["0"].update(bias=np.array(["a", "b"])),
            "holds <U1 at 'second_moment.0.bias', where float64 belongs",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(change, message):
    optimizer = Adam(two_parameters())
    state = optimizer.state()
    train(optimizer, np.random.default_rng(1), 1)
    before = pickle.dumps(optimizer.state())
    change(state)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state(state)
    assert pickle.dumps(optimizer.state()) == before


def test_the_state_of_sgd_is_none_of_adam():
    with pytest.raises(
        ValueError, match=r"SGD: the state has besides \['first_moment.0.bias', .* of another optimizer"
    ):
        SGD(two_parameters()).load_state(Adam(two_parameters()).state())


# -- learning rates ----------------------------------------------------------------------------------------


def test_a_schedule_is_asked_for_each_step_by_the_number_of_steps_before():
    theta, asked = Tensor([1.0]), []
    optimizer = SGD(theta, lambda step: asked.append(step) or 2.0**-step)
    theta.grad = [1.0]
    for _ in range(3):
        optimizer.step()
    assert asked == [0, 1, 2]
    assert theta.data == 1.0 - 1.0 - 0.5 - 0.25
    assert optimizer.steps == 3
    assert optimizer.current_lr == 0.125


def test_lr_can_be_assigned():
    theta = Tensor([1.0])
    theta.grad = [1.0]
    optimizer = SGD(theta, 0.5)
    optimizer.step()
    optimizer.lr = 0.25
    optimizer.step()
    assert theta.data == 0.25
    assert optimizer.lr == optimizer.current_lr == 0.25


def test_steps_count_where_no_parameter_has_a_gradient():
    optimizer = SGD(Tensor(1.0))
    optimizer.step()
    assert optimizer.steps == 1


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (step_decay(1.0, every=2, factor=0.5), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]),
        (step_decay(1.0, every=3), [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01]),
        (exponential_decay(1.0, 0.5), [1.0, 0.5, 0.25, 0.125]),
        # (1 + cos(0, 60, 120, 180 degrees)) / 2, from 3 to 1.
        (cosine_decay(3.0, steps=3, final=1.0), [3.0, 2.5, 1.5, 1.0, 1.0]),
        (cosine_decay(1.0, steps=2), [1.0, 0.5, 0.0, 0.0]),
        (warmup(1.0, steps=4), [0.25, 0.5, 0.75, 1.0, 1.0]),
        (warmup(1.0, steps=1), [1.0, 1.0]),
        (warmup(exponential_decay(1.0, 0.5), steps=2), [0.5, 0.5, 0.25, 0.125]),
    ],
)
def test_schedules_give_the_rates_of_their_formulas(schedule, rates):
    np.testing.assert_allclose([schedule(step) for step in range(len(rates))], rates, rtol=1e-15, atol=1e-16)


@pytest.mark.parametrize("steps", [3, 1])
def test_a_cosine_ends_exactly_at_its_final_rate(steps):
    assert cosine_decay(0.7, steps, final=0.1)(steps) == 0.1
    assert cosine_decay(0.7, steps, final=0.1)(10**9) == 0.1


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: SGD(p, lr=-0.1), ValueError, "SGD: lr is -0.1; it must be 0 or more, and finite"),
        (lambda p: SGD(p, lr=math.nan), ValueError, "SGD: lr is nan"),
        (lambda p: AdamW(p, lr=math.inf), ValueError, "AdamW: lr is inf"),
        (lambda p: SGD(p, lr="0.1"), TypeError, "SGD: lr is a number, not str"),
        (lambda p: SGD(p, momentum=-0.5), ValueError, "SGD: momentum is -0.5"),
        (lambda p: SGD(p, nesterov=True), ValueError, "give momentum, such as 0.9"),
        (lambda p: SGD(p, weight_decay=-1), ValueError, "SGD: weight_decay is -1"),
        (lambda p: Adam(p, betas=(1.0, 0.9)), ValueError, "Adam: beta1 is 1.0; .* below 1"),
        (lambda p: AdamW(p, betas=(0.9, -0.1)), ValueError, "AdamW: beta2 is -0.1"),
        (lambda p: Adam(p, eps=-1e-8), ValueError, "Adam: eps is -1e-08"),
        (lambda p: step_decay(0.1, every=0), ValueError, "step_decay: every is 0; .* 1 or more"),
        (lambda p: step_decay(0.1, every="2"), ValueError, "step_decay: every is '2'; .* whole number"),
        (lambda p: warmup(0.1, steps=float("inf")), ValueError, "warmup: steps is inf; .* whole number"),
        (lambda p: cosine_decay(0.1, steps=2.5), ValueError, "cosine_decay: steps is 2.5; .* whole number"),
        (lambda p: cosine_decay(0.1, steps=2, final=-1), ValueError, "cosine_decay: final is -1"),
        (lambda p: exponential_decay(0.1, -0.5), ValueError, "exponential_decay: factor is -0.5"),
        (lambda p: warmup(-1, 5), ValueError, "warmup: lr is -1"),
        (lambda p: warmup(0.1, 0), ValueError, "warmup: steps is 0"),
    ],
)
def test_settings_out_of_range_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(Tensor(1.0))


@pytest.mark.parametrize("rate", [-1.0, math.nan])
def test_a_schedule_that_leaves_the_range_is_refused_before_anything_changes(rate):
    theta = Tensor([1.0])
    theta.grad = [1.0]
    optimizer = SGD(theta, lambda step: rate)
    with pytest.raises(ValueError, match="SGD: the schedule's lr at step 0 is"):
        optimizer.step()
    assert theta.data == 1.0
    assert optimizer.steps == 0


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, "there are no parameters"),
        (None, ValueError, "there are no parameters"),
        ({"w": np.ones(2)}, TypeError, "takes Tensors, not ndarray at 'w'; hand it model.parameters()"),
        (object(), TypeError, "takes Tensors, not object; hand it model.parameters()"),
        ((Tensor(x) for x in (1.0, 2.0)), TypeError, "takes Tensors, not generator"),
        ([Tensor(1.0) * 2], TypeError, "'0' was computed, by multiply; only leaves"),
    ],
)
def test_what_is_no_parameter_is_refused(parameters, error, message):
    with pytest.raises(error, match=f"Adam: {message}"):
        Adam(parameters)
    with pytest.raises(error, match=f"clip_grad_norm: {message}"):
        clip_grad_norm(parameters, 1.0)


# -- clipping ------------------------------------------------------------------------------------------------


def test_the_joint_norm_is_clipped_and_the_norm_before_returned():
    # 2, 3 and 6 have the norm 7.
    a, b, without = Tensor([0.0, 0.0]), Tensor(0.0), Tensor(0.0)
    a.grad, b.grad = [2.0, -3.0], 6.0
    assert clip_grad_norm({"a": a, "b": b, "without": without}, 3.5) == 7.0
    assert a.grad.tolist() == [1.0, -1.5]
    assert b.grad == 3.0
    assert without.grad is None


@pytest.mark.parametrize("max_norm", [5.0, 100.0, math.inf])
def test_gradients_within_the_norm_stay_to_the_bit(max_norm):
    theta = Tensor([0.0, 0.0])
    theta.grad = [3.0, 4.0]
    assert clip_grad_norm(theta, max_norm) == 5.0
    assert theta.grad.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-170, 1e170, 1e307])
def test_the_norm_neither_overflows_nor_vanishes(size):
    theta = Tensor(np.zeros(2))
    theta.grad = [3 * size, 4 * size]
    np.testing.assert_allclose(clip_grad_norm(theta, 1.0), 5 * size, rtol=1e-15)
    if size > 1:
        np.testing.assert_allclose(theta.grad, [0.6, 0.8], rtol=1e-15)
    else:
        assert theta.grad.tolist() == [3 * size, 4 * size]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_norm_of_a_narrow_dtype_is_summed_in_a_wide_one(dtype):
    # A square is infinite in float16, and so is the sum of them there; 10,001 is 10,000.
    theta = Tensor(np.zeros(10_001, dtype))
    theta.grad = np.full(10_001, 300.0, dtype)
    np.testing.assert_allclose(clip_grad_norm(theta, 100.0), 300 * math.sqrt(10_001), rtol=1e-14)
    assert theta.grad.dtype == dtype
    np.testing.assert_allclose(theta.grad, 1.0, rtol=1e-3)


def test_without_any_gradient_the_norm_is_0():
    theta = Tensor([1.0])
    assert clip_grad_norm(theta, 1.0) == 0.0
    theta.grad = 0
    assert clip_grad_norm(theta, 1.0) == 0.0
    empty = Tensor(np.zeros(0))
    empty.grad = np.zeros(0)
    assert clip_grad_norm(empty, 1.0) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_not_finite_raises_and_changes_nothing(bad):
    fine, broken = Tensor([0.0]), Tensor([0.0, 0.0])
    fine.grad, broken.grad = [9.0], [bad, 1.0]
    with pytest.raises(FloatingPointError, match="1 of the 2 elements of the gradient of 'broken' are"):
        clip_grad_norm({"fine": fine, "broken": broken}, 1.0)
    assert fine.grad.tolist() == [9.0]
    np.testing.assert_array_equal(broken.grad, [bad, 1.0])


def test_values_are_clipped_element_by_element():
    theta, without = Tensor([0.0, 0.0, 0.0, 0.0]), Tensor(0.0)
    theta.grad = [0.5, -3.0, math.inf, -math.inf]
    assert clip_grad_value([theta, without], 2.0) is None
    assert theta.grad.tolist() == [0.5, -2.0, 2.0, -2.0]
    assert without.grad is None


def test_nan_is_not_clipped_by_value():
    fine, broken = Tensor([0.0]), Tensor([0.0, 0.0])
    fine.grad, broken.grad = [9.0], [math.nan, 1.0]
    with pytest.raises(FloatingPointError, match="clip_grad_value: the gradient of 'broken' holds NaN"):
        clip_grad_value({"fine": fine, "broken": broken}, 1.0)
    assert fine.grad.tolist() == [9.0]


@pytest.mark.parametrize("limit", [0, -1.0, math.nan])
def test_a_limit_is_above_0(limit):
    with pytest.raises(ValueError, match="must be above 0"):
        clip_grad_norm(Tensor(1.0), limit)
    with pytest.raises(ValueError, match="must be above 0"):
        clip_grad_value(Tensor(1.0), limit)
