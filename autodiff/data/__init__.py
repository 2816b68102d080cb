"""Small real data to learn from, shipped with the package: see LICENSE-iris beside the file."""

from importlib.resources import files
from typing import Any

import numpy as np

__all__ = ["load_iris", "stratified_split"]


def load_iris() -> tuple[Any, Any, tuple[str, ...]]:
    """Fisher's Iris flowers (1936): `(features, labels, names)` of 150 flowers, 50 of each species.

    `features`: float64 (150, 4), in centimetres: length and width of the sepals, length and width of
    the petals. `labels`: integers (150,) that index `names`, the three species. The arrays are the caller's
    own. From the UCI Machine Learning Repository (https://doi.org/10.24432/C56C76, CC BY 4.0),
    with the two flowers corrected that differ there from Fisher's paper.

    >>> features, labels, names = load_iris()
    >>> features.shape, names
    ((150, 4), ('setosa', 'versicolor', 'virginica'))
    >>> features[0].tolist(), names[labels[0]]
    ([5.1, 3.5, 1.4, 0.2], 'setosa')
    """
    _, *lines = files(__name__).joinpath("iris.csv").read_text(encoding="utf-8").splitlines()
    *columns, species = zip(*(line.split(",") for line in lines), strict=True)
    names = tuple(dict.fromkeys(species))
    labels = np.array([names.index(name) for name in species])
    return np.array(columns, dtype=np.float64).T.copy(), labels, names


def stratified_split(labels: Any, held_out: int, seed: int = 0) -> tuple[Any, Any]:
    """Indices of the rows to train on and of `held_out` others: `(train, test)`, both sorted.

    The held-out rows have the classes in the proportions of `labels`, as nearly as whole numbers allow
    (largest remainders), and are drawn at random within each class by `seed`. Raises ValueError
    unless `held_out` is between 0 and the number of rows.

    >>> train, test = stratified_split([0, 0, 0, 0, 1, 1], held_out=3)
    >>> len(train), np.bincount(np.array([0, 0, 0, 0, 1, 1])[test]).tolist()
    (3, [2, 1])
    """
    labels = np.asarray(labels)
    if not 0 <= held_out <= labels.size:
        raise ValueError(f"stratified_split: cannot hold out {held_out} of {labels.size} rows")
    _, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    wanted = held_out * sizes / max(labels.size, 1)
    shares = np.floor(wanted).astype(int)
    # The rows that rounding left over go where it took the most.
    for place in np.argsort(shares - wanted, kind="stable")[: held_out - shares.sum()]:
        shares[place] += 1
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(inverse == place))[:share] for place, share in enumerate(shares)
    ]
    test = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=int)
    return np.setdiff1d(np.arange(labels.size), test), test
