"""Einstein's summation, every form of it."""

import numpy as np

from ..primitive import implements, primitive
from .constants import _on_values

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def spell_out(subscripts, ndims):
    """einsum's labels for each operand and for the result, with letters for an ellipsis.

    >>> spell_out("...i,i", (2, 1))
    (['Ai', 'i'], 'A')
    """
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    operands = left.split(",")
    if len(operands) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} names {len(operands)} operands, not {len(ndims)}")
    spare = [letter for letter in LETTERS if letter not in subscripts]
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


def as_text(operands):
    """The list form of einsum's arguments, a, [0, 1], b, [1, 2], [0, 2], as subscripts and operands.

    >>> as_text(["a", [0, 1], "b", [1, ...], [0, ...]])
    ('AB,B...->A...', ['a', 'b'])
    """
    labels = [list(part) for part in operands[1::2]]
    pairs = len(operands) // 2
    result = [list(operands[-1])] if len(operands) % 2 else []
    known = sorted({label for part in labels + result for label in part if label is not Ellipsis})
    # In this order, for without a result's labels it has them sorted.
    letters = dict(zip(known, LETTERS, strict=False))
    spelled = ["".join("..." if x is Ellipsis else letters[x] for x in part) for part in labels + result]
    text = ",".join(spelled[:pairs])
    return "->".join([text, *spelled[pairs:]]), list(operands[: 2 * pairs : 2])


@implements(np.einsum)
def einsum(*operands, optimize=False, **options):
    """Einstein's summation: np.einsum("ij,jk->ik", a, b), or np.einsum(a, [0, 1], b, [1, 2], [0, 2]).

    Letters may repeat, and "..." stands for further axes, which broadcast. `optimize` as NumPy's: True
    lets three and more operands be multiplied in a better order.
    """
    if options:
        raise TypeError(f"einsum: there is no option {next(iter(options))}= for Tensors here, only optimize")
    if len(operands) < 2:
        raise TypeError('einsum: takes subscripts and arrays, as np.einsum("ij,jk->ik", a, b)')
    if isinstance(operands[0], str):
        subscripts, operands = operands[0], operands[1:]
    else:
        subscripts, operands = as_text(operands)
    return _einsum(*operands, subscripts=subscripts, optimize=optimize)


implements(np.einsum_path)(_on_values(np.einsum_path))
