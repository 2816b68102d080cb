"""Training steps of classifiers of three sizes, against PyTorch and against NumPy by hand.

A step is the forward pass, the backward pass, and gradient descent on every parameter.
"""

import importlib
from itertools import pairwise

import numpy as np
import pytest

from autodiff import Tensor, cross_entropy, relu

from .peers import compared, peer

RATE = 0.01

# What each is to reach: PyTorch takes at least so many times as long, NumPy at most one part in so many.
ROWS = [
    pytest.param((4, 10, 3), 5, np.float64, 2.0, 1.8, id="4-10-3, 5 rows"),
    pytest.param((64, 64, 10), 32, np.float32, 2.0, 1.5, id="64-64-10, 32 rows, float32"),
    pytest.param((784, 512, 256, 10), 256, np.float32, 1.0, 1.1, id="784-512-256-10, 256 rows, float32"),
]


class Task:
    """Data, and the same weights at the start for everybody."""

    def __init__(self, sizes, rows, dtype):
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(rows, sizes[0])).astype(dtype)
        self.targets = rng.integers(0, sizes[-1], rows)
        self.layers = [
            ((rng.normal(size=(n, m)) * (2 / n) ** 0.5).astype(dtype), np.zeros(m, dtype))
            for n, m in pairwise(sizes)
        ]


def autodiff_step(task):
    layers = [(Tensor(w), Tensor(b)) for w, b in task.layers]
    parameters = [p for layer in layers for p in layer]

    def step():
        a = task.x
        for w, b in layers[:-1]:
            a = relu(a @ w + b)
        w, b = layers[-1]
        loss = cross_entropy(a @ w + b, task.targets)
        loss.backward()
        for p in parameters:
            p.data -= RATE * p.grad
            p.grad = None
        return float(loss.data)

    return step


def torch_step(task):
    torch = peer("torch")
    cross_entropy = torch.nn.functional.cross_entropy
    layers = [
        (torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)) for w, b in task.layers
    ]
    parameters = [p for layer in layers for p in layer]
    x, targets = torch.tensor(task.x), torch.tensor(task.targets)

    def step():
        a = x
        for w, b in layers[:-1]:
            a = torch.relu(a @ w + b)
        w, b = layers[-1]
        loss = cross_entropy(a @ w + b, targets)
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= RATE * p.grad
                p.grad = None
        return loss.item()

    return step


def numpy_step(task):
    layers = [(w.copy(), b.copy()) for w, b in task.layers]
    x, targets = task.x, task.targets
    each = np.arange(len(x))

    def step():
        inputs = [x]
        for w, b in layers[:-1]:
            a = inputs[-1] @ w
            a += b
            np.maximum(a, 0, out=a)
            inputs.append(a)
        w, b = layers[-1]
        z = inputs[-1] @ w
        z += b
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        total = p.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - z[each, targets]).mean()
        p /= total
        p[each, targets] -= 1
        p /= len(x)
        g = p
        for (w, b), a in zip(reversed(layers), reversed(inputs), strict=True):
            dw = a.T @ g
            db = g.sum(axis=0)
            if a is not x:
                g = g @ w.T
                g *= a > 0
            w -= RATE * dw
            b -= RATE * db
        return float(loss)

    return step


def check_the_same_losses(one, other, dtype):
    losses = [[step() for _ in range(3)] for step in (one, other)]
    np.testing.assert_allclose(*losses, rtol=1e-4 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize(("sizes", "rows", "dtype", "bound", "_"), ROWS)
def test_a_training_step_is_faster_than_pytorchs(sizes, rows, dtype, bound, _, benchmark, request):
    task = Task(sizes, rows, dtype)
    ours, theirs = autodiff_step(task), torch_step(task)
    check_the_same_losses(ours, theirs, dtype)
    ratio = compared(benchmark, request.node.callspec.id, ours, {"torch": theirs})["torch"]
    assert ratio >= bound, f"PyTorch takes {ratio:.2f} times as long, not {bound}"


@pytest.mark.parametrize(("sizes", "rows", "dtype", "_", "bound"), ROWS)
def test_a_training_step_is_nearly_as_fast_as_numpy_by_hand(sizes, rows, dtype, _, bound, benchmark, request):
    task = Task(sizes, rows, dtype)
    ours, theirs = autodiff_step(task), numpy_step(task)
    check_the_same_losses(ours, theirs, dtype)
    ratio = 1 / compared(benchmark, request.node.callspec.id, ours, {"numpy": theirs})["numpy"]
    assert ratio <= bound, f"autodiff takes {ratio:.2f} times as long as NumPy by hand, not {bound}"


def autograd_step(task):
    autograd = peer("autograd")
    anp, each = autograd.numpy, np.arange(len(task.x))

    def loss_of(layers):
        a = task.x
        for w, b in layers[:-1]:
            a = anp.maximum(a @ w + b, 0)
        w, b = layers[-1]
        z = a @ w + b
        peak = z.max(axis=1, keepdims=True)
        log_total = anp.log(anp.exp(z - peak).sum(axis=1)) + peak[:, 0]
        return (log_total - z[each, task.targets]).mean()

    layers = [(w.copy(), b.copy()) for w, b in task.layers]
    value_and_grad = autograd.value_and_grad(loss_of)

    def step():
        loss, gradients = value_and_grad(layers)
        for pair, slopes in zip(layers, gradients, strict=True):
            for p, g in zip(pair, slopes, strict=True):
                p -= (RATE * g).astype(p.dtype)
        return float(loss)

    return step


def mygrad_step(task):
    mg = peer("mygrad")
    relu = importlib.import_module("mygrad.nnet.activations").relu
    softmax_crossentropy = importlib.import_module("mygrad.nnet.losses").softmax_crossentropy
    layers = [(mg.tensor(w), mg.tensor(b)) for w, b in task.layers]

    def step():
        a = task.x
        for w, b in layers[:-1]:
            a = relu(mg.matmul(a, w) + b)
        w, b = layers[-1]
        loss = softmax_crossentropy(mg.matmul(a, w) + b, task.targets)
        loss.backward()
        for pair in layers:
            for p in pair:
                p.data -= RATE * p.grad
                p.null_grad()
        return float(loss.data)

    return step


@pytest.mark.parametrize(("name", "step_of"), [("autograd", autograd_step), ("mygrad", mygrad_step)])
@pytest.mark.parametrize(("sizes", "rows", "dtype", "_", "__"), ROWS[:2])
def test_a_training_step_is_faster_than_other_engines_on_numpy(
    sizes, rows, dtype, _, __, name, step_of, benchmark, request
):
    task = Task(sizes, rows, dtype)
    ours, theirs = autodiff_step(task), step_of(task)
    check_the_same_losses(ours, theirs, dtype)
    ratio = compared(benchmark, request.node.callspec.id, ours, {name: theirs})[name]
    assert ratio > 1, f"{name} takes {ratio:.2f} times as long"
