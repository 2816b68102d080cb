"""The data that ships with the package."""

from importlib.resources import files

import numpy as np
import pytest

from autodiff.data import load_iris, stratified_split


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
