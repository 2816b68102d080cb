"""Products that sum: matmul, dot, outer, einsum."""

from math import prod

import numpy as np

from ..primitive import implements, primitive
from .elementwise import multiply
from .shaping import ravel


def _flip(m):
    return np.swapaxes(m, -1, -2)


@primitive(np.matmul)
def matmul(a, b, /):
    """a @ b for any ranks from 1 on, with NumPy's broadcasting of the leading axes."""

    def left(g, y, a, b):
        if len(a.shape) == len(b.shape) == 2:  # the usual case
            return g @ b.T
        if len(b.shape) == 1:
            return np.expand_dims(g, -1) * b
        if len(a.shape) == 1:
            return (b @ np.expand_dims(g, -1))[..., 0]
        return g @ _flip(b)

    def right(g, y, a, b):
        n, m = len(a.shape), len(b.shape)
        if n == m == 2:
            return a.T @ g
        if n == m == 1:
            return a * g
        if n == 1:
            return np.expand_dims(a, -1) * np.expand_dims(g, -2)
        if m == 1:
            return (_flip(a) @ np.expand_dims(g, -1))[..., 0]
        if m == 2 and n > 2:  # one product instead of a batch and its sum
            rows = prod(a.shape[:-1])  # not -1, which NumPy cannot tell where the other length is 0
            return a.reshape((rows, a.shape[-1])).T @ g.reshape((rows, g.shape[-1]))
        return _flip(a) @ g

    return a @ b, left, right


@implements(np.dot)
def dot(a, b):
    """NumPy's dot: the product of scalars, else over a's last and b's last but one axis."""
    if not np.ndim(a) or not np.ndim(b):
        return multiply(a, b)
    if np.ndim(b) <= 2:
        return matmul(a, b)
    *batch, length, columns = np.shape(b)
    order = [len(batch), *range(len(batch)), len(batch) + 1]
    flat = np.reshape(np.transpose(b, order), (length, prod(batch) * columns))
    return np.reshape(matmul(a, flat), (*np.shape(a)[:-1], *batch, columns))


@implements(np.outer)
def outer(a, b):
    """Every element of a times every element of b, in two axes."""
    return multiply(np.expand_dims(ravel(a), 1), ravel(b))


def spell_out(subscripts, ndims):
    """einsum's labels for each operand and for the result, with letters for an ellipsis.

    >>> spell_out("...i,i", (2, 1))
    (['Ai', 'i'], 'A')
    """
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    operands = left.split(",")
    if len(operands) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} names {len(operands)} operands, not {len(ndims)}")
    spare = [
        letter
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        if letter not in subscripts
    ]
    widths = [ndim - len(labels.replace("...", "")) for labels, ndim in zip(operands, ndims, strict=True)]
    longest = max(
        [width for labels, width in zip(operands, widths, strict=True) if "..." in labels], default=0
    )
    dots = "".join(spare[:longest])
    spelled = [
        labels.replace("...", dots[longest - width :]) for labels, width in zip(operands, widths, strict=True)
    ]
    if not arrow:
        letters = "".join(operands).replace(".", "")
        result = "..." + "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return spelled, result.replace("...", dots)


@primitive(broadcasts=True)
def _einsum(*operands, subscripts, optimize=False):
    labels, result = spell_out(subscripts, [np.ndim(operand) for operand in operands])

    def vjp_of(i):
        own = labels[i]
        others = [letters for j, letters in enumerate(labels) if j != i]
        # Every place in `own` gets a letter of its own; the identity matrix ties a repeated letter's
        # places together, and ones fill those places that only this operand has.
        used = set("".join([*labels, result]))
        fresh = iter(
            letter for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in used
        )
        places = [letter if own.index(letter) == n else next(fresh) for n, letter in enumerate(own)]
        ties = [(own[n], place, n) for n, place in enumerate(places) if place != own[n]]
        alone = [
            n for n, letter in enumerate(places) if letter in own and letter not in result + "".join(others)
        ]
        terms = [result, *others, *(a + b for a, b, _ in ties), *(own[n] for n in alone)]
        formula = ",".join(terms) + "->" + "".join(places)

        def vjp(g, y, *operands):
            shape = operands[i].shape
            rest = [operand for j, operand in enumerate(operands) if j != i]
            eyes = [np.eye(shape[n], dtype=g.dtype) for *_, n in ties]
            ones = [np.ones(shape[n], g.dtype) for n in alone]
            pulled = np.einsum(formula, g, *rest, *eyes, *ones, optimize=optimize)
            # Where every other operand has length 1 there, this one's elements all get the same.
            return np.broadcast_to(pulled, np.broadcast_shapes(pulled.shape, shape))

        return vjp

    return np.einsum(subscripts, *operands, optimize=optimize), *(vjp_of(i) for i in range(len(operands)))


@implements(np.einsum)
def einsum(subscripts, *operands, optimize=False):
    """Einstein's summation over the letters of `subscripts`, such as "ij,jk->ik"; "..." is allowed.

    `optimize` as NumPy's: True lets three and more operands be multiplied in a better order.
    """
    if not isinstance(subscripts, str):
        raise TypeError('einsum: write the subscripts as text, such as np.einsum("ij,jk->ik", a, b)')
    return _einsum(*operands, subscripts=subscripts, optimize=optimize)
