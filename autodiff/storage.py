"""Nested dicts of arrays in files: .npz without pickle, and .safetensors.

What a file holds, by one rule for both formats: every leaf of the nested dict is an array under its dotted name.
A Tensor is its data; a Python number is an array of no dimensions (int64, float64 or bool), and is one when it
comes back; a text is the bytes of its UTF-8 as a uint8 array under "text:" and its name, and comes back as a text.
So a state of training, too, goes into a file; an integer beyond 64 bits, which would be no such array, has to be
made a text. The dict's order comes back from .npz; .safetensors has none, and its names come back sorted, numbers
among them by size.
"""

import os
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo, is_zipfile

import numpy as np

from . import Tensor
from .files import write_whole
from .parameters import named_parameters, nested

# What both formats hold, under the names that .safetensors has for them.
DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "U16": np.dtype(np.uint16),
    "U32": np.dtype(np.uint32),
    "U64": np.dtype(np.uint64),
    "I8": np.dtype(np.int8),
    "I16": np.dtype(np.int16),
    "I32": np.dtype(np.int32),
    "I64": np.dtype(np.int64),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
}
TEXT = "text:"


def save(path: str | os.PathLike[str], parameters: Any) -> Path:
    """Write a nested dict of Tensors, arrays, numbers and texts to a file that ends in .npz or .safetensors.

    A list or tuple counts as a dict with the keys "0", "1", ...; None holds nothing. A file that is there is
    replaced only whole. Returns the path. Raises ValueError for another ending, for a key that is no text, is
    empty or has a dot in it, and for a leaf that is no number or text, such as an array of objects;
    FileNotFoundError for a folder that is not there; ImportError where .safetensors lacks its package; TypeError
    for what is no nested dict.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(f"{folder}/model.npz", {"0": {"weight": np.eye(2)}, "epoch": 3, "note": "best so far"})
    ...     load(path)
    {'0': {'weight': array([[1., 0.],
           [0., 1.]])}, 'epoch': array(3), 'note': 'best so far'}
    """
    path = Path(path)
    pack, _ = _format("save", path)
    named = _named("save", parameters)
    return write_whole(path, pack(dict(_encoded(name, leaf) for name, leaf in named.items())))


def load(path: str | os.PathLike[str], into: Any = None) -> dict[str, Any]:
    """The nested dict that a file from `save` holds, with arrays and texts at its leaves; the arrays are your own.

    With `into`, a nested dict of leaf Tensors such as `model.parameters()`, each Tensor's `.data` becomes what
    the file has under its name, in the Tensor's own dtype; names, shapes and kinds of dtype (float with float)
    are checked first, and nothing is assigned unless all fit. Raises OSError for a file that cannot
    be read, ValueError for one that is empty, cut short, of another format, pickled, or does not fit; TypeError for
    an `into` that is no nested dict.

    >>> import tempfile
    >>> weight = Tensor([1.0, 2.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(f"{folder}/model.npz", {"weight": np.array([5.0, 6.0])})
    ...     _ = load(path, into={"weight": weight})
    >>> weight.data
    array([5., 6.])
    """
    path = Path(path)
    _, unpack = _format("load", path)
    tensors = None if into is None else _named("load", into)
    content = path.read_bytes()
    try:
        if not content:
            raise ValueError("the file is empty")
        tree: dict[str, Any] = nested(_decoded(unpack(content)))
    except ImportError:
        raise
    except Exception as error:  # the parsers raise a dozen kinds for bytes that they did not expect
        raise ValueError(f"load: cannot read {str(path)!r} as {path.suffix}: {error}") from error
    if tensors is not None:
        try:
            _assign(named_parameters(tree), tensors)
        except ValueError as error:
            raise ValueError(f"load: {str(path)!r} does not fit: {error}") from None
    return tree


def _named(verb: str, tree: Any) -> dict[str, Any]:
    """The leaves of a nested dict by name, or TypeError for what is none."""
    named = named_parameters(tree)
    if "" in named:
        raise TypeError(f"{verb}: give a nested dict, such as model.parameters(), not {type(tree).__name__}")
    return named


def _assign(values: dict[str, Any], tensors: dict[str, Any]) -> None:
    """Give Tensors the values of the same names, if every one of them fits; or raise ValueError."""
    differences = {"lacks": tensors.keys() - values.keys(), "has besides": values.keys() - tensors.keys()}
    facts = [f"{verb} {_some(names)}" for verb, names in differences.items() if names]
    if facts:
        raise ValueError(f"the file {' and '.join(facts)}")
    fitting = [(tensor, _fitting(name, values[name], tensor)) for name, tensor in tensors.items()]
    for tensor, value in fitting:
        tensor.data = value


def _fitting(name: str, value: Any, tensor: Any) -> Any:
    """A value in a Tensor's dtype, or ValueError if it is not one for it."""
    if not isinstance(tensor, Tensor) or tensor.op != "leaf":
        raise ValueError(f"into has no leaf Tensor under {name!r}")
    if isinstance(value, str):
        raise ValueError(f"{name!r} is a text")
    if value.shape != tensor.shape:
        raise ValueError(f"{name!r} has shape {value.shape} in the file, and the Tensor {tensor.shape}")
    if value.dtype.kind != tensor.dtype.kind:
        raise ValueError(f"{name!r} is of dtype {value.dtype} in the file, and the Tensor {tensor.dtype}")
    return value.astype(tensor.dtype)


def _some(names: Any) -> str:
    """A few of many names, in order."""
    first = ", ".join(map(repr, sorted(names)[:5]))
    return first + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _encoded(name: str, leaf: Any) -> tuple[str, Any]:
    """A leaf of a nested dict as the name and the array that stand for it in a file."""
    if not name.isprintable() or "\\" in name or name == "__metadata__" or name.startswith(TEXT):
        raise ValueError(f"save: {name!r} cannot be a name in a file")
    if isinstance(leaf, str):
        return TEXT + name, np.frombuffer(leaf.encode("utf-8", "surrogatepass"), np.uint8)
    array = np.asarray(leaf.data if isinstance(leaf, Tensor) else leaf, order="C")
    if array.dtype.newbyteorder("=") not in DTYPES.values():
        raise ValueError(
            f"save: {name!r} is of dtype {array.dtype}; a file holds bool, integers and floats of up to 64 bits, and texts"
        )
    return name, array


def _decoded(arrays: list[tuple[str, Any]]) -> dict[str, Any]:
    """The leaves of a nested dict, under their names, from what stands for them in a file."""
    leaves: dict[str, Any] = {}
    for name, array in arrays:
        dtype = array.dtype.newbyteorder("=")
        if dtype not in DTYPES.values():
            raise ValueError(f"{name!r} is of dtype {array.dtype}, and not bool, an integer or a float")
        is_text = name.startswith(TEXT)
        name = name.removeprefix(TEXT)
        if name in leaves:
            raise ValueError(f"{name!r} is there twice")
        leaves[name] = array.tobytes().decode("utf-8", "surrogatepass") if is_text else array.astype(dtype)
    return leaves


# -- the two formats -------------------------------------------------------------------------------------


def _format(verb: str, path: Path) -> Any:
    """How to pack arrays into bytes, and to unpack them, for a path's ending."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise ValueError(f"{verb}: {path.name!r} should end in {' or '.join(FORMATS)}") from None


def _to_npz(arrays: dict[str, Any]) -> bytes:
    # As np.savez does, which cannot take every name: it has parameters of its own.
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            # A ZipInfo of its own has no time of day: the same arrays are the same bytes.
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return content.getvalue()


def _from_npz(content: bytes) -> list[tuple[str, Any]]:
    arrays = []
    if not is_zipfile(BytesIO(content)):
        raise ValueError("the file is cut short or of another kind")
    with ZipFile(BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.endswith(".npy"):
                raise ValueError(f"{name!r} is no array")
            file = BytesIO(archive.read(name))  # checks its checksum
            arrays.append((name.removesuffix(".npy"), np.lib.format.read_array(file, allow_pickle=False)))
    return arrays


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            ".safetensors needs its package: pip install 'tiny-autodiff[safetensors]'"
        ) from None
    return safetensors


def _to_safetensors(arrays: dict[str, Any]) -> bytes:
    content: bytes = _safetensors().numpy.save(arrays)
    return content


def _from_safetensors(content: bytes) -> list[tuple[str, Any]]:
    arrays = []
    for name, held in sorted(_safetensors().deserialize(content), key=_place):
        dtype = DTYPES.get(held["dtype"])
        if dtype is None:
            raise ValueError(f"{name!r} is {held['dtype']}; convert it to F16, F32 or F64 first")
        array = np.frombuffer(held["data"], dtype.newbyteorder("<"))
        arrays.append((name, array.reshape(held["shape"])))
    return arrays


def _place(entry: tuple[str, Any]) -> list[tuple[bool, int, str]]:
    """Where an entry of a file without order comes: by its name, with numbers as numbers."""
    parts = entry[0].removeprefix(TEXT).split(".")
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


FORMATS = {".npz": (_to_npz, _from_npz), ".safetensors": (_to_safetensors, _from_safetensors)}
