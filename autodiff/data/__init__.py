"""Small real data to learn from; what ships with the package has its source in a LICENSE file beside it."""

from .batches import minibatches, stratified_split
from .digits import load_digits
from .iris import load_iris
from .mnist import load_mnist, load_mnist_sample
from .text import load_text

__all__ = [
    "load_digits",
    "load_iris",
    "load_mnist",
    "load_mnist_sample",
    "load_text",
    "minibatches",
    "stratified_split",
]
