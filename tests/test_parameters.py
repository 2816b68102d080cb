"""Nested parameters have dotted names, and dotted names make nested parameters."""

from collections import OrderedDict, namedtuple

import pytest

from autodiff.parameters import named_parameters, nested

Layer = namedtuple("Layer", "weight bias")


def test_dicts_lists_and_tuples_are_flattened_in_their_order():
    tree = {"b": [1.0, {"y": 2.0, "x": (3.0, 4.0)}], "a": 5.0}
    assert list(named_parameters(tree).items()) == [
        ("b.0", 1.0),
        ("b.1.y", 2.0),
        ("b.1.x.0", 3.0),
        ("b.1.x.1", 4.0),
        ("a", 5.0),
    ]


def test_a_named_tuple_lends_its_fields_names():
    assert named_parameters([Layer(1.0, 2.0)]) == {"0.weight": 1.0, "0.bias": 2.0}


def test_any_kind_of_dict_will_do():
    assert list(named_parameters(OrderedDict(b=1.0, a=2.0))) == ["b", "a"]


def test_a_leaf_alone_has_the_empty_name():
    assert named_parameters(3.0) == {"": 3.0}


@pytest.mark.parametrize("nothing", [None, {}, [], (), {"a": None, "b": [{}, ()]}])
def test_none_and_empty_containers_hold_nothing(nothing):
    assert named_parameters(nothing) == {}


@pytest.mark.parametrize("key", [1, None, ("a",), "", ".", "a.b", "a.", ".a"])
@pytest.mark.parametrize("deep", [False, True])
def test_a_key_that_a_dotted_name_cannot_hold_is_refused_and_named(key, deep):
    tree = {"outer": [{key: 1.0}]} if deep else {key: 1.0}
    with pytest.raises(ValueError, match="the name ") as refusal:
        named_parameters(tree)
    assert repr(key) in str(refusal.value)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"a": 1.0},
        {"b": {"weight": 1.0, "bias": 2.0}, "a": 3.0},
        {"0": {"10": {"2": 1.0}, "9": 2.0}, "1": 3.0},
    ],
)
def test_nesting_the_names_of_nested_dicts_gives_them_back(tree):
    back = nested(named_parameters(tree))
    assert back == tree
    assert list(named_parameters(back)) == list(named_parameters(tree))


def test_names_that_share_a_beginning_meet_in_one_dict_whatever_stands_between_them():
    assert nested({"a.x": 1, "b": 2, "a.y.z": 3}) == {"a": {"x": 1, "y": {"z": 3}}, "b": 2}


def test_a_list_comes_back_as_a_dict_of_the_same_names():
    assert nested(named_parameters({"layers": [1.0, 2.0]})) == {"layers": {"0": 1.0, "1": 2.0}}


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", 3, None])
def test_a_name_with_an_empty_part_is_refused_and_named(name):
    with pytest.raises(ValueError, match="empty part") as refusal:
        nested({name: 1.0})
    assert repr(name) in str(refusal.value)


def test_a_name_cannot_be_both_a_leaf_and_the_beginning_of_another():
    with pytest.raises(ValueError, match=r"'a\.b\.c' has no place, since 'b' in it is a parameter already"):
        nested({"a.b": 1.0, "a.b.c": 2.0})
    with pytest.raises(ValueError, match=r"'a\.b' has no place, since other names begin with it"):
        nested({"a.b.c": 2.0, "a.b": 1.0})


def test_neither_direction_changes_what_it_was_given():
    tree, named = {"a": [1.0, {"b": 2.0}]}, {"a.b": 1.0, "a.c": 2.0}
    named_parameters(tree)
    nested(named)
    assert tree == {"a": [1.0, {"b": 2.0}]}
    assert named == {"a.b": 1.0, "a.c": 2.0}
