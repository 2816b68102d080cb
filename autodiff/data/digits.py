"""Handwritten digits of 8 x 8 pixels."""

from typing import Any

import numpy as np


def load_digits() -> tuple[Any, Any]:
    """Handwritten digits, 1,797 small ones that scikit-learn ships: `(images, labels)`.

    `images`: float64 (1797, 8, 8), 0 is paper and 1 is ink. `labels`: integers (1797,), 0 to 9, about 180 of each.
    They are the test set of "Optical Recognition of Handwritten Digits" in the UCI Machine Learning Repository
    (E. Alpaydin and C. Kaynak, 1998): each pixel counts the ink in a block of 4 x 4 pixels, here divided by 16.
    Raises ImportError without scikit-learn.

    >>> images, labels = load_digits()
    >>> images.shape, labels[:5].tolist()
    ((1797, 8, 8), [0, 1, 2, 3, 4])
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise ImportError("load_digits needs scikit-learn: pip install 'tiny-autodiff[digits]'") from None
    digits = datasets.load_digits()
    return digits.images / 16, digits.target.astype(np.int64)
