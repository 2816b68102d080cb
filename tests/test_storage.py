"""Nested dicts in files: what comes back, what is refused, and that a file is always whole."""

import errno
import io
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from autodiff import StaleGraphError, Tensor
from autodiff.storage import load, save

ENDINGS = [".npz", ".safetensors"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
DTYPES = ["bool", *UNSIGNED, "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.fixture(params=ENDINGS)
def path(request, tmp_path):
    """Where a file of each format goes."""
    return tmp_path / f"model{request.param}"


@pytest.fixture
def state(rng):
    """What a training has to keep."""
    return {
        "model": {"0": {"weight": rng.normal(size=(3, 2)), "bias": rng.normal(size=2).astype(np.float32)}},
        "steps": np.array(7),
        "rng": json.dumps(rng.bit_generator.state),
    }


def assert_same(found, wanted):
    """Two nested dicts have the same leaves under the same names, to the bit."""
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if isinstance(value, dict):
            assert_same(found[name], value)
        elif isinstance(value, str):
            assert found[name] == value
        else:
            assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape), name
            assert found[name].tobytes() == value.tobytes(), name


# -- what comes back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3,), (2, 0, 4), (2, 3, 4)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_back_to_the_bit(path, dtype, shape, rng):
    array = rng.integers(0, 100, shape).astype(dtype) if dtype != "float64" else rng.normal(size=shape)
    save(path, {"a": array})
    assert_same(load(path), {"a": array})


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_unusual_floats_come_back_to_the_bit(path, dtype):
    about = np.finfo(dtype)
    array = np.array(
        [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, about.smallest_subnormal, about.max, about.eps], dtype
    )
    save(path, {"a": array})
    assert_same(load(path), {"a": array})


def test_a_state_of_training_comes_back(path, state):
    save(path, state)
    assert_same(load(path), state)


def test_a_generator_goes_on_from_a_file_as_if_nothing_had_been(path):
    rng = np.random.default_rng(5)
    rng.normal(size=3)
    save(path, {"rng": json.dumps(rng.bit_generator.state)})
    other = np.random.default_rng(0)
    other.bit_generator.state = json.loads(load(path)["rng"])
    np.testing.assert_array_equal(other.normal(size=9), rng.normal(size=9))


def test_a_tensor_is_saved_as_its_data(path):
    save(path, {"w": Tensor([1.0, 2.0], name="w"), "scalar": Tensor(3.0)})
    assert_same(load(path), {"w": np.array([1.0, 2.0]), "scalar": np.array(3.0)})


def test_numbers_come_back_as_arrays_of_no_dimensions(path):
    save(path, {"int": -3, "float": 0.1, "bool": True, "numpy": np.float32(0.1)})
    wanted = {
        "int": np.array(-3),
        "float": np.array(0.1),
        "bool": np.array(True),
        "numpy": np.array(0.1, np.float32),
    }
    assert_same(load(path), wanted)


@pytest.mark.parametrize("text", ["", "a", "a\0b\0\0", "é 数 🙂", "\ud800", "line\r\nline\n", " "])
def test_a_text_comes_back_as_it_was(path, text):
    save(path, {"branch": {"note": text}, "w": np.ones(2)})
    assert load(path)["branch"]["note"] == text


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0)[::3],
        np.arange(12.0).reshape(3, 4).T,
        np.arange(3.0, dtype=">f4"),
        np.array(2.0, dtype=">f8"),
        np.broadcast_to(np.float16(2.0), (2, 3)),
    ],
    ids=["strided", "transposed", "big-endian", "big-endian scalar", "broadcast"],
)
def test_the_values_do_not_depend_on_how_an_array_lies_in_memory(path, array):
    save(path, {"a": array})
    found = load(path)["a"]
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


def test_lists_and_tuples_come_back_as_dicts_and_none_holds_nothing(path):
    save(path, {"layers": [np.ones(1), (np.zeros(2), None)], "nothing": None, "empty": {}})
    assert_same(load(path), {"layers": {"0": np.ones(1), "1": {"0": np.zeros(2)}}})


def test_an_empty_dict_comes_back_empty(path):
    save(path, {})
    assert load(path) == {}


def test_npz_keeps_the_order_and_safetensors_sorts_with_numbers_by_size(tmp_path):
    tree = {name: np.zeros(1, dtype) for name, dtype in [("b", "f4"), ("10", "f8"), ("2", "f2"), ("a", "f8")]}
    save(tmp_path / "a.npz", tree)
    save(tmp_path / "a.safetensors", tree)
    assert list(load(tmp_path / "a.npz")) == ["b", "10", "2", "a"]
    assert list(load(tmp_path / "a.safetensors")) == ["2", "10", "a", "b"]


def test_loaded_arrays_are_the_callers_own(path):
    save(path, {"a": np.zeros(3)})
    first = load(path)["a"]
    first += 1.0
    assert load(path)["a"].tolist() == [0.0, 0.0, 0.0]


def test_the_same_dict_makes_the_same_bytes(path, state, monkeypatch):
    first = save(path, state).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert save(path, state).read_bytes() == first


def test_save_returns_the_path_and_takes_text(path):
    assert save(str(path), {"a": 1}) == path
    assert load(str(path))["a"] == 1


def test_an_ending_may_be_in_capitals(tmp_path):
    assert load(save(tmp_path / "A.NPZ", {"a": 1}))["a"] == 1


def test_numpy_and_safetensors_read_what_was_saved(tmp_path, rng):
    arrays = {"0.weight": rng.normal(size=(2, 3)), "0.bias": np.zeros(3, np.float16)}
    tree = {"0": {"weight": arrays["0.weight"], "bias": arrays["0.bias"]}}
    with np.load(save(tmp_path / "a.npz", tree), allow_pickle=False) as found:
        assert_same(dict(found), arrays)
    assert_same(safetensors.numpy.load_file(save(tmp_path / "a.safetensors", tree)), arrays)


def test_files_of_numpy_and_safetensors_are_read(tmp_path, rng):
    arrays = {"0.weight": rng.normal(size=(2, 3)), "scale": np.array(2.0, np.float32)}
    tree = {"0": {"weight": arrays["0.weight"]}, "scale": arrays["scale"]}
    np.savez(tmp_path / "a.npz", **arrays)
    np.savez_compressed(tmp_path / "b.npz", **arrays)
    safetensors.numpy.save_file(arrays, tmp_path / "c.safetensors", metadata={"format": "pt"})
    for name in ("a.npz", "b.npz", "c.safetensors"):
        assert_same(load(tmp_path / name), tree)


# -- what is not saved ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.pt", "model", "model.npz.gz", ".npz"])
def test_another_ending_is_refused(tmp_path, name):
    for attempt in (lambda: save(tmp_path / name, {"a": 1}), lambda: load(tmp_path / name)):
        with pytest.raises(ValueError, match=rf"'{name}' should end in \.npz or \.safetensors$"):
            attempt()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["a/b", "/etc/x", "C:x", "~", "file", "self", "args", "allow_pickle", "é", "a b"]
)
def test_a_name_is_only_a_name(path, name):
    save(path, {name: np.ones(2), "inner": {name: np.zeros(1)}})
    assert_same(load(path), {name: np.ones(2), "inner": {name: np.zeros(1)}})
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("name", ["a.b", "../x", ".", "..", "", 3, None, ("a",)])
def test_a_key_that_is_no_part_of_a_dotted_name_is_refused(path, name):
    with pytest.raises(ValueError, match="the name"):
        save(path, {"a": {name: np.ones(2)}})
    assert not path.exists()


@pytest.mark.parametrize("name", ["__metadata__", "text:a", "a\0b", "a\\b", "a\nb", "\ud800"])
def test_a_name_that_a_file_cannot_keep_is_refused(path, name):
    with pytest.raises(ValueError, match=r"^save: .* cannot be a name in a file$"):
        save(path, {name: np.ones(2)})
    assert not path.exists()


@pytest.mark.parametrize(
    ("leaf", "dtype"),
    [
        (np.array([{}, []], dtype=object), "object"),
        (np.array(["a", "b"]), "<U1"),
        (b"bytes", r"\|S5"),
        (np.ones(2, complex), "complex128"),
        (1j, "complex128"),
        (2**70, "object"),
        (np.array("2026-11-22", "datetime64[D]"), r"datetime64\[D\]"),
        (np.zeros(2, "V2"), r"\|V2"),
        (np.zeros(2, [("x", float)]), r"\[\('x', '<f8'\)\]"),
        (object(), "object"),
        ({1, 2}, "object"),
    ],
)
def test_a_leaf_that_is_no_number_or_text_is_refused_by_name(path, leaf, dtype):
    with pytest.raises(ValueError, match=rf"^save: 'a\.b' is of dtype {dtype}; a file holds bool"):
        save(path, {"a": {"b": leaf}})
    assert not path.exists()


@pytest.mark.parametrize("leaf", [Tensor(1.0), np.ones(2), 3.0, "text"])
def test_a_leaf_alone_is_no_nested_dict(path, leaf):
    with pytest.raises(TypeError, match=rf"^save: give a nested dict, .*, not {type(leaf).__name__}$"):
        save(path, leaf)
    save(path, {"a": 1.0})
    with pytest.raises(TypeError, match=rf"^load: give a nested dict, .*, not {type(leaf).__name__}$"):
        load(path, into=leaf)


def test_safetensors_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    path = save(tmp_path / "a.safetensors", {"a": 1})
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for attempt in (lambda: save(path, {"a": 2}), lambda: load(path)):
        with pytest.raises(ImportError, match=r"pip install 'tiny-autodiff\[safetensors\]'"):
            attempt()


# -- a file is whole -----------------------------------------------------------------------------------


def failing(error):
    """A function that fails."""

    def fail(*args, **options):
        raise error

    return fail


class FullDisk(io.FileIO):
    """A file on a disk that is full after ten bytes."""

    def write(self, content):
        super().write(bytes(content)[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["os.fsync", "os.replace"])
def test_a_step_that_fails_leaves_the_older_file_and_nothing_else(path, step, error, monkeypatch):
    save(path, {"a": 1})
    monkeypatch.setattr(step, failing(error))
    with pytest.raises(type(error)):
        save(path, {"a": 2})
    assert load(path)["a"] == 1
    assert os.listdir(path.parent) == [path.name]


def test_a_full_disk_leaves_the_older_file_and_the_error_names_the_new_one(path, monkeypatch):
    save(path, {"a": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda file, mode: FullDisk(file, mode))
        with pytest.raises(OSError, match="No space left on device") as caught:
            save(path, {"a": 2})
    assert str(path) in str(caught.value)
    assert load(path)["a"] == 1
    assert os.listdir(path.parent) == [path.name]


def test_the_bytes_are_on_the_disk_before_they_take_the_files_place(path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        "os.fsync", lambda file: (steps.append(("fsync", os.fstat(file).st_size)), fsync(file))
    )
    monkeypatch.setattr("os.replace", lambda *names: (steps.append(("replace", names[1])), replace(*names)))
    save(path, {"a": np.ones(100)})
    assert steps == [("fsync", path.stat().st_size), ("replace", path)]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize(
    "moment", ["open, and not written", "half written", "written, and not on the disk", "not yet renamed"]
)
def test_a_process_killed_in_the_middle_leaves_the_older_file_whole(path, moment):
    # The process kills itself at the moment; a writer that is killed cannot tidy up.
    program = f"""
import os, pathlib, signal
from autodiff.storage import save
def die(*args): os.kill(os.getpid(), signal.SIGKILL)
class File:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *args): pass
    def write(self, content):
        if {moment!r} == "half written":
            self.file.write(content[:len(content) // 2])
            self.file.flush()
        die()
save({str(path)!r}, {{"a": 1}})
if {moment!r} == "written, and not on the disk":
    os.fsync = die
elif {moment!r} == "not yet renamed":
    os.replace = die
else:
    before = pathlib.Path.open
    pathlib.Path.open = lambda path, mode: File(before(path, mode))
save({str(path)!r}, {{"a": 2}})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert load(path)["a"] == 1
    save(path, {"a": 3})
    assert load(path)["a"] == 3


def test_threads_that_save_at_once_leave_a_whole_file(path):
    values = {n: np.full(10_000, n) for n in range(4)}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: save(path, {"a": values[n % 4]}), range(40)))
    found = load(path)["a"]
    np.testing.assert_array_equal(found, values[int(found[0])])
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("target", ["older.npz", "new.npz"])
def test_a_link_stays_and_the_file_it_leads_to_is_replaced(tmp_path, target):
    (tmp_path / "there").mkdir()
    save(tmp_path / "there" / "older.npz", {"a": 1})
    (tmp_path / "link.npz").symlink_to(tmp_path / "there" / target)
    assert save(tmp_path / "link.npz", {"a": 2}) == tmp_path / "link.npz"
    assert (tmp_path / "link.npz").is_symlink()
    assert load(tmp_path / "there" / target)["a"] == 2
    assert sorted(os.listdir(tmp_path / "there")) == sorted({"older.npz", target})


def test_a_file_that_is_replaced_keeps_its_permissions(path):
    save(path, {"a": 1})
    path.chmod(0o600)
    save(path, {"a": 2})
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_device_stays(path):
    path.symlink_to(os.devnull)
    with pytest.raises(FileExistsError, match="is no file, but a folder or a device"):
        save(path, {"a": 1})
    assert not Path(os.devnull).is_file()


def test_a_folder_that_is_not_there_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"^save: there is no folder '.*nodir'$"):
        save(path.parent / "nodir" / path.name, {"a": 1})


def test_a_file_is_no_folder(path):
    save(path, {"a": 1})
    with pytest.raises(FileNotFoundError, match=r"^save: there is no folder"):
        save(path / path.name, {"a": 1})


def test_a_folder_in_the_files_place_stays(path):
    path.mkdir()
    for attempt in (lambda: save(path, {"a": 1}), lambda: load(path)):
        with pytest.raises(OSError, match=rf"'[^']*{path.name}'"):
            attempt()
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders are not write-protected on this system")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_folder_that_may_not_be_written_is_named(ending):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root may write everywhere
        try:
            with pytest.raises(PermissionError, match=f"model{ending}"):
                save(f"{folder}/model{ending}", {"a": 1})
        finally:
            os.seteuid(user)
        assert os.listdir(folder) == []
        Path(folder).chmod(0o755)


# -- what is not read ----------------------------------------------------------------------------------


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match=path.name):
        load(path)


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"PK", b"hello, world\n" * 9, bytes(range(256)), b"\xff" * 64]
)
def test_bytes_that_are_no_such_file_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^load: cannot read '.*' as \.(npz|safetensors): .*") as caught:
        load(path)
    assert path.name in str(caught.value)
    assert path.suffix != ".npz" or "the file is" in str(caught.value)
    assert ("the file is empty" in str(caught.value)) == (content == b"")


def test_a_file_of_the_other_format_is_refused(tmp_path):
    one, other = (save(tmp_path / f"a{ending}", {"a": np.ones(3)}) for ending in ENDINGS)
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    for path in (one, other):
        with pytest.raises(ValueError, match="cannot read"):
            load(path)


def test_every_file_cut_short_is_refused(path, state):
    content = save(path, state).read_bytes()
    assert len(content) > 400
    for length in range(0, len(content), 3):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="cannot read"):
            load(path)


def test_a_byte_that_changed_in_an_array_of_an_npz_is_noticed(tmp_path, state):
    path = tmp_path / "a.npz"
    content = save(path, state).read_bytes()
    for array in (state["model"]["0"]["weight"], state["model"]["0"]["bias"], state["steps"]):
        start = content.index(array.tobytes())
        for place in range(start, start + array.nbytes):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(ValueError, match=r"cannot read .* Bad CRC-32"):
                load(path)


def test_a_pickle_is_never_opened(path, tmp_path):
    opened = tmp_path / "opened"

    class Trap:
        def __reduce__(self):
            return opened.touch, ()

    pickled = np.array([Trap()], dtype=object)
    np.savez(tmp_path / "trap.npz", a=pickled)
    trap = (tmp_path / "trap.npz").read_bytes()
    for content in (trap, pickle.dumps(Trap())):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="cannot read"):
            load(path)
    assert not opened.exists()
    pickle.loads(pickle.dumps(Trap()))
    assert opened.exists()  # it would have been


def test_an_npz_that_holds_pickled_objects_says_so(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{}]))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded when allow_pickle=False"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["readme.txt", "a", "folder/"])
def test_an_archive_that_holds_anything_else_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr(name, "")
    with pytest.raises(ValueError, match=f"'{name}' is no array"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("array", [np.ones(2, complex), np.array(["a"]), np.zeros(1, "datetime64[s]")])
def test_an_array_of_another_kind_in_an_npz_is_named(tmp_path, array):
    np.savez(tmp_path / "a.npz", odd=array)
    with pytest.raises(ValueError, match=r"'odd' is of dtype .*, and not bool, an integer or a float"):
        load(tmp_path / "a.npz")


def test_an_array_larger_than_what_is_there_is_refused(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", header.getvalue() + bytes(80))
    with pytest.raises(ValueError, match="cannot read"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "names", [["a", "a.b"], ["a.b", "a"], ["a", "text:a"], ["a..b"], [".a"], [""], ["a."], ["text:"]]
)
def test_names_that_make_no_nested_dict_are_refused(path, names):
    arrays = {name: np.zeros(1, np.uint8) for name in names}
    if path.suffix == ".npz":
        with zipfile.ZipFile(path, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w") as file:
                    np.save(file, array)
    else:
        safetensors.numpy.save_file(arrays, path)
    with pytest.raises(ValueError, match="cannot read"):
        load(path)


def test_a_text_that_is_no_utf_8_is_refused(path):
    save(path, {"note": "\ud800"})
    path.write_bytes(path.read_bytes().replace("\ud800".encode("utf-8", "surrogatepass"), b"\xff\xff\xff"))
    with pytest.raises(ValueError, match="cannot read"):
        load(path)


def with_header(header, data=b""):
    """The bytes of a .safetensors file with a header of one's own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "content",
    [
        with_header(b"{"),
        with_header(b"[]"),
        with_header({"w": {}}, bytes(8)),
        with_header({"w": entry(shape=(3,))}, bytes(8)),
        with_header({"w": entry(offsets=(0, 80))}, bytes(8)),
        with_header({"w": entry(offsets=(4, 8), shape=(1,))}, bytes(8)),
        with_header({"w": entry(offsets=(8, 0))}, bytes(8)),
        with_header({"w": entry(), "v": entry()}, bytes(8)),
        with_header({"w": entry(dtype="F99")}, bytes(8)),
        with_header({"w": entry()}, bytes(9)),
        with_header({"w": entry(shape=(-2,))}, bytes(8)),
        with_header({"w": entry(shape=(2**62, 2**62))}, bytes(8)),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 3) + b"{}",
    ],
)
def test_a_safetensors_file_with_a_wrong_header_is_refused(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot read '.*a\.safetensors'"):
        load(path)


def test_a_safetensors_file_written_by_hand_is_read(tmp_path):
    # The oracle of the test above: the same bytes with a right header.
    path = tmp_path / "a.safetensors"
    path.write_bytes(with_header({"w": entry()}, struct.pack("<2f", 1.5, -2.0)))
    assert_same(load(path), {"w": np.array([1.5, -2.0], np.float32)})


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3"])
def test_bfloat16_is_refused_with_the_way_out(tmp_path, dtype):
    path = tmp_path / "a.safetensors"
    shape = (4,) if dtype == "BF16" else (8,)
    path.write_bytes(with_header({"0.weight": entry(dtype=dtype, shape=shape)}, bytes(8)))
    with pytest.raises(ValueError, match=f"'0.weight' is {dtype}; convert it to F16, F32 or F64 first"):
        load(path)


# -- into Tensors --------------------------------------------------------------------------------------


@pytest.fixture
def parameters():
    """Those of a little model."""
    return {"0": {"weight": Tensor(np.zeros((2, 3))), "bias": Tensor(np.zeros(3, np.float32))}}


def other_values():
    """What fits them."""
    return {"0": {"weight": np.arange(6.0).reshape(2, 3), "bias": np.array([1.0, 2.0, 3.0])}}


def test_tensors_take_the_values_and_keep_their_dtype(path, parameters):
    save(path, other_values())
    found = load(path, into=parameters)
    assert_same(found, other_values())
    assert parameters["0"]["weight"].data.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert parameters["0"]["bias"].data.tolist() == [1.0, 2.0, 3.0]
    assert parameters["0"]["bias"].dtype == np.float32


def test_tensors_share_no_memory_with_what_load_returns(path, parameters):
    save(path, other_values())
    load(path, into=parameters)["0"]["weight"][:] = 9.0
    assert parameters["0"]["weight"].data[0].tolist() == [0.0, 1.0, 2.0]


def test_a_list_of_tensors_takes_the_values_of_a_list(path):
    leaves = [Tensor(0.0), Tensor([0.0, 0.0])]
    save(path, [Tensor(1.0), Tensor([2.0, 3.0])])
    load(path, into=leaves)
    assert [leaf.data.tolist() for leaf in leaves] == [1.0, [2.0, 3.0]]


def test_a_graph_from_before_is_stale(path, parameters):
    save(path, other_values())
    loss = np.sum(parameters["0"]["weight"] ** 2)
    load(path, into=parameters)
    with pytest.raises(StaleGraphError):
        loss.backward()


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda tree: tree["0"].pop("bias"), r"the file lacks '0\.bias'$"),
        (lambda tree: tree.update(b=np.ones(1)), r"the file has besides 'b'$"),
        (lambda tree: tree.update(b=tree["0"].pop("bias")), r"the file lacks '0\.bias' and has besides 'b'$"),
        (
            lambda tree: tree["0"].update(bias=np.ones(4)),
            r"'0\.bias' has shape \(4,\) in the file, and .* \(3,\)",
        ),
        (lambda tree: tree["0"].update(bias=np.ones((3, 1))), r"'0\.bias' has shape \(3, 1\)"),
        (lambda tree: tree["0"].update(bias=np.ones(3, int)), r"'0\.bias' is of dtype int64 .* float32"),
        (lambda tree: tree["0"].update(bias="text"), r"'0\.bias' is a text"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(path, parameters, change, fact):
    tree = other_values()
    change(tree)
    save(path, tree)
    with pytest.raises(ValueError, match=f"^load: '.*{path.name}' does not fit: .*{fact}"):
        load(path, into=parameters)
    assert not parameters["0"]["weight"].data.any()
    assert not parameters["0"]["bias"].data.any()


def test_only_the_first_few_of_many_names_are_told(path):
    save(path, {})
    with pytest.raises(ValueError, match=r"lacks 'a0', 'a1', 'a2', 'a3', 'a4' and 3 more$"):
        load(path, into={f"a{n}": Tensor(0.0) for n in range(8)})


def freed():
    """A computed tensor whose graph is gone."""
    computed = Tensor(np.zeros(3)) * 1.0
    np.sum(computed).backward(free_graph=True)
    return computed


@pytest.mark.parametrize("other", [np.zeros(3), Tensor(np.zeros(3)) * 1.0, freed(), 0.0])
def test_what_is_no_leaf_tensor_takes_nothing(path, parameters, other):
    save(path, other_values())
    parameters["0"]["bias"] = other
    with pytest.raises(ValueError, match=r"into has no leaf Tensor under '0\.bias'$"):
        load(path, into=parameters)
    assert not parameters["0"]["weight"].data.any()


def test_values_too_large_for_a_tensors_dtype_change_nothing(path):
    # pytest makes an error of NumPy's warning: a load that stops anywhere has assigned nothing.
    first, second = Tensor(0.0), Tensor(np.zeros(1, np.float16))
    save(path, {"first": 1.0, "second": np.array([1e10])})
    with pytest.raises(RuntimeWarning, match="overflow"):
        load(path, into={"first": first, "second": second})
    assert first.data == 0.0
