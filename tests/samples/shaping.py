"""Samples of shaping: turning, joining, splitting, repeating, padding, windows."""

import numpy as np

from autodiff.ops.padding import pad
from autodiff.ops.spacing import logspace

from .base import apart, positive, sample

BLOCK = apart(2, 3)


def joined(parts):
    """Several results as one, each with numbers of its own before it is summed."""
    return np.concatenate([np.ravel(part) * (i + 1) for i, part in enumerate(parts)])


def of_several(function):
    """A call of a NumPy function that takes its arrays in a sequence."""
    return lambda *xs, **options: function(xs, **options)


def in_parts(function):
    """A call of a NumPy function that returns several arrays."""
    return lambda *xs, **options: joined(function(*xs, **options))


sample("moveaxis", apart(2, 3, 2), source=0, destination=-1)
sample("moveaxis", apart(2, 3, 2), source=(0, -1), destination=(1, 0))
sample("np.rollaxis", apart(2, 3, 2), axis=2)
sample("np.rollaxis", apart(2, 3, 2), axis=0, start=-1)
sample("np.matrix_transpose", apart(2, 3, 1))
sample("np.linalg.matrix_transpose", BLOCK)
sample("np.atleast_1d", apart())
sample("np.atleast_2d", apart(3), apart(2, 1, 2, seed=1), call=in_parts(np.atleast_2d))
sample("np.atleast_3d", apart(3), apart(2, 2, seed=1), apart(seed=2), call=in_parts(np.atleast_3d))
sample(
    "np.broadcast_arrays", apart(3), apart(2, 1, seed=1), apart(seed=2), call=in_parts(np.broadcast_arrays)
)
sample("np.meshgrid", apart(2), apart(3, seed=1), call=in_parts(np.meshgrid))
sample(
    "np.meshgrid",
    apart(2),
    apart(3, seed=1),
    apart(seed=2),
    call=in_parts(np.meshgrid),
    sparse=True,
    indexing="ij",
)
sample("copy", BLOCK)
sample("copy", apart())

sample("np.concatenate", BLOCK, apart(1, 3, seed=1), call=of_several(np.concatenate), dtype=np.longdouble)
sample("np.vstack", BLOCK, apart(3, seed=1), call=of_several(np.vstack))
sample("np.hstack", BLOCK, apart(2, 1, seed=1), call=of_several(np.hstack))
sample("np.hstack", apart(), apart(3, seed=1), call=of_several(np.hstack))
sample("np.dstack", BLOCK, apart(2, 3, 2, seed=1), call=of_several(np.dstack))
sample("np.column_stack", apart(2), BLOCK, call=of_several(np.column_stack))
sample(
    "np.block",
    BLOCK,
    apart(2, 1, seed=1),
    call=lambda a, b: np.block([[a, b], [np.ones((1, 4), np.float16)]]),
)
sample("np.block", apart(2), apart(seed=1), call=lambda a, b: np.block([a, b, np.float16(1.5)]))
sample("np.append", BLOCK, apart(2, seed=1))
sample("np.append", BLOCK, apart(1, 3, seed=1), axis=0)
sample("np.insert", BLOCK, apart(2, 2, seed=1), call=lambda a, v: np.insert(a, [2, 0], v, axis=1))
sample("np.insert", BLOCK, apart(2, seed=1), call=lambda a, v: np.insert(a, 1, v))
sample("np.insert", BLOCK, apart(2, seed=1), call=lambda a, v: np.insert(a, -1, v, axis=1))

sample("np.split", apart(4, 2), indices_or_sections=2, call=in_parts(np.split))
sample("np.split", BLOCK, indices_or_sections=[2, 1], axis=-1, call=in_parts(np.split))
sample("np.array_split", apart(5), indices_or_sections=3, call=in_parts(np.array_split))
sample("np.hsplit", BLOCK, indices_or_sections=3, call=in_parts(np.hsplit))
sample("np.vsplit", BLOCK, indices_or_sections=[1], call=in_parts(np.vsplit))
sample("np.dsplit", apart(1, 2, 2), indices_or_sections=2, call=in_parts(np.dsplit))
if hasattr(np, "unstack"):
    sample("np.unstack", BLOCK, axis=-1, call=in_parts(np.unstack))
sample("np.delete", BLOCK, obj=[0, -1], axis=1)
sample("np.delete", BLOCK, obj=slice(1, 5, 2))
sample("np.trim_zeros", apart(3), call=lambda x: np.trim_zeros(x * np.array([0, 1, 1], np.int8)))

sample("np.repeat", BLOCK, repeats=2)
sample("np.repeat", BLOCK, repeats=[2, 0, 3], axis=-1)
for repeats, axis in [(2, 1), (0, 0), (np.array([0, 3]), 0)]:
    sample("repeat", BLOCK, repeats=repeats, axis=axis)
sample("sum_repeats", apart(2, 4), repeats=2, axis=1)
sample("sum_repeats", apart(4, 2), repeats=np.array([1, 0, 3]), axis=0)
sample("np.tile", BLOCK, reps=(2, 1, 2))
sample("np.tile", apart(), reps=3)
sample("np.resize", BLOCK, new_shape=(2, 4))
sample("np.resize", BLOCK, new_shape=4)
sample("roll", BLOCK, shift=2)
sample("roll", BLOCK, shift=(1, -5), axis=(0, 1))
sample("flip", BLOCK)
sample("flip", BLOCK, axis=-1)
sample("np.fliplr", BLOCK)
sample("np.flipud", BLOCK)
for k in [1, 2, -1]:
    sample("np.rot90", apart(2, 3, 2), k=k, axes=(2, 0))

sample("pad_constant", BLOCK, widths=[(1, 0), (2, 1)], numbers=np.array(0.5))
for mode in ["edge", "wrap", "reflect", "symmetric"]:
    sample("pad_copies", BLOCK, widths=[(1, 0), (4, 3)], mode=mode)
sample("fold_back", apart(2, 5), places=np.array([1, 0, 0, 1, 1]), axis=1, before=2, length=2)
sample("np.pad", BLOCK, pad_width=1, mode="constant", constant_values=((1.0, 2.0), (3.0, 4.0)))
sample("np.pad", BLOCK, apart(seed=1), call=lambda x, c: pad(x, ((0, 2), (1, 1)), constant_values=c))
sample("np.pad", BLOCK, pad_width=((2, 1), (0, 3)), mode="linear_ramp", end_values=(0.5, -1.0))
sample("np.pad", BLOCK, pad_width=1, mode="maximum")
sample("np.pad", BLOCK, pad_width=((1, 2),), mode="minimum", stat_length=2)
sample("np.pad", BLOCK, pad_width=2, mode="mean", stat_length=((1, 2), (3, 2)))
sample("np.pad", apart(5), pad_width=(1, 2), mode="median", stat_length=4)
sample("np.pad", BLOCK, pad_width=(5, 3), mode="reflect", reflect_type="odd")
sample("np.pad", BLOCK, pad_width=((0, 4), (7, 2)), mode="symmetric", reflect_type="odd")

sample("sliding_window_view", apart(5), window_shape=3)
sample("sliding_window_view", apart(3, 4), window_shape=(2, 3))
sample("sliding_window_view", apart(4, 2), window_shape=(2, 2), axis=(0, 0))
sample("sum_windows", apart(2, 3), window=(3,), axes=(0,), shape=(4,))
sample("np.apply_along_axis", BLOCK, call=lambda x: np.apply_along_axis(lambda row: row[:-1] * row[-1], 0, x))
sample("np.apply_along_axis", BLOCK, call=lambda x: np.apply_along_axis(np.sum, 1, x**2))
sample("np.apply_over_axes", apart(2, 3, 2), call=lambda x: np.apply_over_axes(np.sum, x**2, (0, -1)))

ENDS = apart(), apart(2, seed=1)
sample("np.linspace", *ENDS, num=4, call=np.linspace)
sample("np.linspace", *ENDS, num=3, endpoint=False, axis=1, call=np.linspace)
sample("np.logspace", *ENDS, num=3, call=np.logspace)
sample("np.logspace", *ENDS, positive(2), call=lambda a, b, base: logspace(a, b, 3, base=base, axis=-1))
sample("np.geomspace", positive(2), positive(seed=3), num=4, call=np.geomspace)
