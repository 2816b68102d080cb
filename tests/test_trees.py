"""Nested structures keep their kind, their order and their Nones."""

from collections import Counter, OrderedDict, defaultdict, namedtuple

import pytest

from autodiff.trees import StructureError, leaves_of, map_leaves, paths_of

Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    "tree",
    [
        3.0,
        None,
        [],
        (),
        {},
        [1.0, (2.0, {"a": 3.0})],
        Pair(1.0, [2.0, None]),
        OrderedDict(b=1.0, a=2.0),
        defaultdict(list, {"b": 1.0, 3: 2.0}),
        Counter(a=3),
    ],
)
def test_mapping_by_the_identity_gives_an_equal_tree_of_the_same_kind(tree):
    copied = map_leaves(lambda x: x, tree)
    assert copied == tree
    assert type(copied) is type(tree)
    assert leaves_of(copied) == leaves_of(tree)


def test_a_defaultdict_keeps_its_factory():
    assert map_leaves(lambda x: -x, defaultdict(list, a=1.0)).default_factory is list


def test_an_ordered_dict_keeps_its_order():
    assert list(map_leaves(lambda x: x, OrderedDict(b=1.0, a=2.0))) == ["b", "a"]


def test_mapping_leaves_the_tree_as_it_was():
    tree = {"a": [1.0, 2.0]}
    map_leaves(lambda x: 0.0, tree)
    assert tree == {"a": [1.0, 2.0]}


def test_none_and_empty_containers_hold_nothing():
    assert leaves_of([None, (), {}, {"a": None}, [[]]]) == []


def test_counterparts_are_found_by_key_and_by_place():
    tree, other = {"a": 1, "b": (2, None)}, {"b": [20, None], "a": 10}
    assert map_leaves(lambda x, y: (x, y), tree, other) == {"a": (1, 10), "b": ((2, 20), None)}


def test_paths_are_written_as_python_would():
    tree = (Pair({"w": [1.0, None, 2.0]}, 3.0), None, {4: 5.0})
    assert paths_of(tree, "args") == [
        "args[0].left['w'][0]",
        "args[0].left['w'][2]",
        "args[0].right",
        "args[2][4]",
    ]


def test_there_is_a_path_for_each_leaf():
    tree = [1.0, {"b": (2.0, None), "a": Pair(3.0, ())}]
    assert len(paths_of(tree, "x")) == len(leaves_of(tree))
    assert [eval(path, {"x": tree}) for path in paths_of(tree, "x")] == leaves_of(tree)


@pytest.mark.parametrize(
    ("tree", "other", "message"),
    [
        ({"a": 1}, {"b": 1}, r"no dict with the keys \['a'\], but one with \['b'\]"),
        ({"a": 1}, [1], r"no dict with the keys \['a'\], but list"),
        ([1, 2], [1], "no list of 2, but list of 1"),
        ((1, 2), 3.0, "no tuple of 2, but float"),
        ([1, 2], None, "no list of 2, but None"),
        (None, 1.0, "no None, but float"),
        ([1, {"a": (1,)}], [1, {"a": 5}], "no tuple of 1, but int"),
    ],
)
def test_other_structures_are_refused_with_both_named(tree, other, message):
    with pytest.raises(StructureError, match=message):
        map_leaves(lambda x, y: x, tree, other)
