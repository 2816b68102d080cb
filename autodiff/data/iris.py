"""The Iris flowers."""

from importlib.resources import files
from typing import Any

import numpy as np


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
    _, *lines = files(__package__).joinpath("iris.csv").read_text(encoding="utf-8").splitlines()
    *columns, species = zip(*(line.split(",") for line in lines), strict=True)
    names = tuple(dict.fromkeys(species))
    labels = np.array([names.index(name) for name in species])
    return np.array(columns, dtype=np.float64).T.copy(), labels, names
