"""The network of micrograd's demo notebook, for any engine whose scalars know + * and relu.

Two moons of 10 points each, an MLP of 2-16-16-1 neurons, the hinge loss with an L2 penalty, gradient descent.
After github.com/karpathy/micrograd, demo.ipynb and micrograd/nn.py.
"""

import random

import numpy as np


def moons():
    """20 points of two interleaved half circles, and their labels -1 and 1."""
    rng = np.random.default_rng(0)
    angles = np.linspace(0, np.pi, 10)
    outer = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inner = np.stack([1 - np.cos(angles), 0.5 - np.sin(angles)], axis=1)
    points = np.concatenate([outer, inner]) + rng.normal(scale=0.1, size=(20, 2))
    return points.tolist(), [-1] * 10 + [1] * 10


class Neuron:
    def __init__(self, scalar, inputs, relu):
        self.w = [scalar(random.uniform(-1, 1)) for _ in range(inputs)]
        self.b = scalar(0.0)
        self.relu = relu

    def __call__(self, x):
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.relu else act


class Network:
    def __init__(self, scalar, *sizes):
        random.seed(1337)
        last = len(sizes) - 2
        self.layers = [
            [Neuron(scalar, sizes[i], relu=i != last) for _ in range(sizes[i + 1])] for i in range(last + 1)
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for neuron in layer for p in [*neuron.w, neuron.b]]


def training(scalar, constant, zero, update):
    """A function that takes one step of training and returns the loss; `scalar` makes a parameter."""
    points, labels = moons()
    network = Network(scalar, 2, 16, 16, 1)

    def step():
        inputs = [[constant(number) for number in point] for point in points]
        scores = [network(x) for x in inputs]
        losses = [(1 + -yi * score).relu() for yi, score in zip(labels, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        loss = data_loss + 1e-4 * sum(p * p for p in network.parameters())
        for p in network.parameters():
            p.grad = zero
        loss.backward()
        update(network.parameters())
        return loss

    return step
