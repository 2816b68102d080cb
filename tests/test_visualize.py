"""What a picture shows, read back from its SVG, its DOT and its tree."""

import re
import xml.etree.ElementTree as ET

import graphviz
import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor
from autodiff.lines import find_line
from autodiff.visualize.draw import fitted
from autodiff.visualize.values import MAGENTA, tint

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"


class Parsed:
    """An SVG's cards, edges and clusters by their ids."""

    def __init__(self, drawing):
        groups = ET.fromstring(drawing.svg()).iter(f"{SVG}g")
        self.groups = {group.get("id"): group for group in groups if group.get("class")}

    def of_class(self, word):
        return [id for id, group in self.groups.items() if word in group.get("class").split()]

    def text(self, id):
        return [text.text for text in self.groups[id].iter(f"{SVG}text")]

    def fills(self, id):
        return [shape.get("fill") for shape in self.groups[id].iter(f"{SVG}polygon")]

    def tooltip(self, id):
        return next(anchor.get(f"{XLINK}title") for anchor in self.groups[id].iter(f"{SVG}a"))

    def ends(self, id):
        return tuple(self.groups[id].find(f"{SVG}title").text.split("->"))


def square_plus():
    x = Tensor(3.0, name="x")
    return x * x + x


def network():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(5, 4))
    W, b = Tensor(rng.normal(size=(4, 10))), Tensor(np.zeros(10), name="b")
    V = Tensor(rng.normal(size=(10, 3)))
    with ad.scope("layer1"):
        h = ad.relu(X @ W + b)
    loss = ad.cross_entropy(h @ V, np.array([0, 1, 2, 0, 1]))
    return locals()


# -- cards and edges -------------------------------------------------------------------------------


def test_a_square_has_two_parallel_edges():
    picture = Parsed(ad.draw(square_plus()))
    ends = sorted(picture.ends(id) for id in picture.of_class("gradient"))
    assert ends == [("n1", "n2"), ("n1", "n2"), ("n1", "n3"), ("n2", "n3")]


def test_a_card_shows_name_op_value_gradient_and_place_in_the_backward_pass():
    picture = Parsed(ad.draw(square_plus()))
    assert picture.text("n1") == ["x", "parameter", "3", "data", "3", "grad", "7"]
    assert picture.text("n2") == ["multiply", "2", "data", "9", "grad", "1"]
    assert picture.text("n3") == ["add, loss", "1", "data", "12", "grad", "1"]


def test_kinds_differ_in_outline_and_word():
    x = Tensor([1.0, 2.0], name="x")
    picture = Parsed(ad.draw((np.exp(x) * np.array([3.0, 4.0])).sum()))
    kinds = {id: picture.groups[id].get("class").split()[-1] for id in picture.of_class("node")}
    assert kinds == {"n1": "parameter", "n2": "interior", "n3c1": "constant", "n3": "interior", "n4": "root"}

    def outline(id):
        paths = [p for p in picture.groups[id].iter(f"{SVG}path") if p.get("fill") == "none"]
        return [(p.get("stroke"), p.get("stroke-width"), bool(p.get("stroke-dasharray"))) for p in paths]

    forms = {kind: [part[1:] for part in outline(id)] for id, kind in kinds.items() if id != "n2"}
    assert len({str(form) for form in forms.values()}) == 4  # told apart without any colour
    assert outline("n3c1")[0][2], "a constant is dashed"
    assert "no gradient needed" in picture.text("n3c1")
    assert "parameter" in picture.text("n1")
    assert "sum, loss" in picture.text("n4")


def test_a_constant_number_is_a_small_card_with_a_dashed_edge():
    x = Tensor(3.0)
    picture = Parsed(ad.draw(x * 2.5))
    assert picture.text("n2c1") == ["2.5", "constant"]
    (edge,) = [id for id in picture.of_class("constant") if id.startswith("e")]
    assert picture.ends(edge) == ("n2c1", "n2")
    assert next(picture.groups[edge].iter(f"{SVG}path")).get("stroke-dasharray")


def test_equal_constants_of_two_ops_stay_two_cards():
    x = Tensor(3.0)
    assert len(Parsed(ad.draw((x * 2.0) * 2.0)).of_class("node")) == 5


def test_ids_follow_the_topological_order_so_two_runs_are_identical():
    assert ad.draw(network()["loss"]).source == ad.draw(network()["loss"]).source
    nodes = ad.trace(network()["loss"]).nodes
    seen = set()
    for node in nodes:
        assert set(node.parents) <= seen
        seen.add(node.id)


def test_ops_as_nodes_put_the_op_between_its_inputs_and_its_result():
    picture = Parsed(ad.draw(square_plus(), ops="nodes"))
    assert picture.text("n2op") == ["multiply"]
    assert picture.text("n2") == ["2", "data", "9", "grad", "1"]
    ends = sorted(picture.ends(id) for id in picture.of_class("edge"))
    assert ends == [
        ("n1", "n2op"),
        ("n1", "n2op"),
        ("n1", "n3op"),
        ("n2", "n3op"),
        ("n2op", "n2"),
        ("n3op", "n3"),
    ]


def test_an_unnamed_value_between_ops_shows_its_numbers_alone():
    y = np.exp(np.sin(Tensor([0.0, 0.0])))
    assert Parsed(ad.draw(y, ops="nodes")).text("n2") == ["data", "0", "0"]


def test_a_pointer_over_an_edge_reads_the_name_of_the_input():
    a, b = Tensor(1.0), Tensor(2.0)
    picture = Parsed(ad.draw((a / b).named("ratio")))
    assert picture.tooltip("e3-1") == "input b of ratio"


def test_an_option_of_the_op_is_in_the_tooltip():
    x = Tensor(np.ones((2, 3)))
    picture = Parsed(ad.draw(np.sum(x, axis=1), seed=np.ones(2)))
    assert "axis=1" in picture.tooltip("n2")


# -- numbers ---------------------------------------------------------------------------------------


def test_up_to_24_elements_show_as_numbers():
    array = np.arange(1.0, 25.0).reshape(4, 6) / 8
    text = Parsed(ad.draw(np.sum(Tensor(array) * 1.0))).text("n1")
    after = text.index("data") + 1
    assert text[after : after + 24] == [f"{x:.3g}" for x in array.flat]


def test_larger_arrays_show_shape_dtype_and_statistics():
    array = np.arange(25, dtype=np.float32)
    text = " ".join(Parsed(ad.draw(np.sum(Tensor(array)))).text("n1"))
    assert "(25,) float32" in text
    assert "min 0, mean 12, max 24" in text


def test_a_scalar_has_four_digits():
    assert "0.1235" in Parsed(ad.draw(Tensor(0.123456) * 1.0)).text("n1")


def test_signs_are_tinted_orange_and_blue_and_zero_is_white():
    red, _, blue = (int(tint(2.0, 2.0)[i : i + 2], 16) for i in (1, 3, 5))
    assert red > blue
    red, _, blue = (int(tint(-2.0, 2.0)[i : i + 2], 16) for i in (1, 3, 5))
    assert blue > red
    assert tint(0.0, 2.0) == "#FFFFFF"
    assert tint(0.5, 2.0) != tint(2.0, 2.0)


def test_nan_and_inf_are_magenta_and_counted():
    x = Tensor([np.nan, np.inf, 1.0, -np.inf])
    picture = Parsed(ad.draw(np.sum(x * 1.0)))
    assert "1 NaN, 2 inf" in picture.text("n1")
    assert {"nan", "inf", "-inf"} <= set(picture.text("n1"))
    assert picture.fills("n1").count(MAGENTA.lower()) == 3


def test_nan_is_counted_in_an_array_too_large_for_cells():
    array = np.ones(100)
    array[:7] = np.nan
    text = Parsed(ad.draw(np.sum(Tensor(array)))).text("n1")
    assert "7 NaN" in text
    assert "min 1, mean 1, max 1" in text


def test_an_array_of_three_axes_says_its_shape_under_its_numbers():
    text = Parsed(ad.draw(np.sum(Tensor(np.arange(8.0).reshape(2, 2, 2)) * 1.0))).text("n1")
    assert text.count("(2, 2, 2)") == 2


def test_a_mask_shows_as_true_and_false():
    x = Tensor([1.0, 2.0])
    picture = Parsed(ad.draw(np.sum(np.where(np.array([True, False]), x, 0.0))))
    assert {"True", "False"} <= set(picture.text("n2c0"))


def test_an_array_of_nothing_but_nan_has_no_statistics():
    first = ad.tree(Tensor(np.full((5, 5), np.nan))).splitlines()[0]
    assert first == "parameter = (5, 5) float64, 25 NaN"


def test_an_empty_array_says_so():
    y = np.sum(Tensor(np.zeros((0, 3))))
    assert "empty, (0, 3)" in Parsed(ad.draw(y)).text("n1")
    assert "empty, (0, 3)" in ad.tree(y)


def test_drawing_a_graph_with_overflow_warns_of_nothing():
    x = Tensor(0.0)
    with np.errstate(all="ignore"):
        y = np.log(x)
    assert "grad inf" in ad.tree(y)


# -- gradients -------------------------------------------------------------------------------------


def test_drawing_touches_no_grad():
    x = Tensor([1.0, 2.0])
    y = (x * x).sum()
    ad.draw(y)
    ad.tree(y)
    ad.to_graphviz(y)
    assert x.grad is None
    y.backward()
    ad.draw(y)
    assert x.grad.tolist() == [2.0, 4.0]


def test_drawn_gradients_are_those_of_backward():
    parts = network()
    seen = {node.name: node.gradient for node in ad.trace(parts["loss"], names=parts).nodes}
    parts["loss"].backward()
    for name in ("W", "b", "V"):
        np.testing.assert_array_equal(seen[name], parts[name].grad)


def test_a_root_that_is_no_scalar_shows_values_alone_and_says_so():
    drawing = ad.draw(Tensor([1.0, 2.0]) * 3.0)
    assert "values only: shape (2,) is no scalar" in str(drawing)
    assert "values only: shape (2,) is no scalar" in drawing.svg()
    assert "grad" not in Parsed(drawing).text("n1")


def test_a_seed_gives_a_root_of_any_shape_its_gradients():
    x = Tensor([1.0, 2.0], name="x")
    assert "x: parameter = [1, 2]  grad [3, 6]" in ad.tree(x * 3.0, seed=[1.0, 2.0])


def test_a_seed_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="a seed of shape"):
        ad.draw(Tensor([1.0, 2.0]) * 3.0, seed=np.ones(3))


def test_a_freed_graph_says_what_freed_it():
    y = Tensor(2.0) * 3.0
    y.backward(free_graph=True)
    for look in (ad.draw, ad.tree, ad.to_graphviz):
        with pytest.raises(RuntimeError, match="free_graph=True"):
            look(y)


def test_a_stale_graph_is_not_drawn():
    x = Tensor(2.0)
    y = x * 3.0
    x.data = 5.0
    with pytest.raises(ad.StaleGraphError):
        ad.draw(y)


@pytest.mark.parametrize("thing", [np.ones(2), 2.0, None, "loss"])
def test_what_is_no_tensor_is_refused_with_the_way_out(thing):
    with pytest.raises(TypeError, match="takes the Tensor that a computation ends with"):
        ad.draw(thing)


def test_a_picture_keeps_the_numbers_of_its_moment():
    x = Tensor([1.0, 2.0], name="x")
    drawing = ad.draw((x * x).sum())
    x.data -= 100.0
    assert Parsed(drawing).text("n1").count("1") == 1
    assert "-99" not in drawing.svg()


def test_a_single_parameter_is_a_picture():
    assert Parsed(ad.draw(Tensor(2.0, name="x"))).text("n1") == [
        "x",
        "parameter",
        "1",
        "data",
        "2",
        "grad",
        "1",
    ]


# -- names -----------------------------------------------------------------------------------------


def test_names_come_from_locals_and_change_no_tensor():
    W, X = Tensor(np.ones((2, 2))), np.ones((3, 2))
    text, number = "not a tensor", 3
    loss = (X @ W).sum()
    drawn = ad.tree(loss, names=locals())
    assert "loss: sum = " in drawn
    assert "W: parameter" in drawn
    assert "X: constant" in drawn
    assert W.name is None
    assert loss.name is None


def test_a_tensor_in_locals_under_its_own_name_keeps_it():
    W = Tensor(1.0, name="W")
    p = W  # as a loop over the parameters leaves it
    assert "W: parameter" in ad.tree(W * 2.0, names={"p": p, "W": W})


def test_a_name_handed_now_wins_over_the_tensors_own():
    x = Tensor(1.0, name="x")
    assert "weight: parameter" in ad.tree(x * 2.0, names={"weight": x})


def test_a_notebooks_own_variables_name_nothing():
    x = Tensor(1.0)
    assert "_12" not in ad.tree(x * 2.0, names={"_12": x, "_": x})


def test_names_that_are_no_dict_are_refused():
    with pytest.raises(TypeError, match="names= is a dict"):
        ad.draw(Tensor(1.0), names=["x"])


HOSTILE = [
    "</TD><script>alert(1)</script>",
    "<b>bold</b>",
    "<>",
    '"; n1 -> n2 [label="',
    'it\'s "quoted"',
    "a & b &amp; &lt; &#92;N",
    "back\\slash \\N \\G \\l \\\\ \\",
    "\\",
    "{a|b}",
    "]]> --> <!--",
    "émoji 😀 中文 θ₁",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name):
    x = Tensor(2.0, name=name)
    with ad.scope(name):
        y = (x * 3.0).named(name)
    picture = Parsed(ad.draw(np.exp(y)))
    assert picture.text("n1")[0] == name
    assert picture.text("n2")[0] == name
    assert picture.text("scope1")[0] == name
    assert picture.tooltip("n1").startswith(f"{name}; parameter")
    assert picture.tooltip("e2-0") == f"input a of {name}"
    assert len(picture.of_class("node")) == 4
    assert len(picture.of_class("edge")) == 3
    collapsed = Parsed(ad.draw(np.exp(y), collapse=name))
    assert collapsed.text("s1")[0] == name
    assert name in ad.tree(y)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines", "two\\nlines"),
        ("nul\x00bell\x07", "nul\\x00bell\\x07"),
        ("\ud800", "\\ud800"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_what_cannot_be_printed_is_spelled_out(name, shown):
    drawing = ad.draw(Tensor(2.0, name=name))
    assert Parsed(drawing).text("n1")[0] == shown
    assert len(str(drawing).splitlines()) == 1


@pytest.mark.parametrize("name", ["", "   "])
def test_an_empty_name_is_none(name):
    assert Parsed(ad.draw(Tensor(2.0, name=name))).text("n1")[0] == "parameter"
    with ad.scope(name):
        y = Tensor(2.0) * 2.0
    assert Parsed(ad.draw(y)).of_class("cluster") == ["scope1"]


def test_a_long_name_is_cut_on_the_card():
    shown = Parsed(ad.draw(Tensor(2.0, name="x" * 5000))).text("n1")[0]
    assert shown == "x" * 31 + "…"


# -- scopes ----------------------------------------------------------------------------------------


def nested():
    x = Tensor([2.0, 1.0], name="x")
    with ad.scope("outer"):
        a = np.exp(x)
        with ad.scope("inner"):
            b = np.sin(a) * 2.0
        c = b + a
    return np.sum(c)


def test_scopes_become_clusters_that_nest():
    graph = ad.to_graphviz(nested())
    picture = Parsed(ad.draw(nested()))
    assert [picture.text(id)[0] for id in ("scope1", "scope2")] == ["outer", "inner"]
    assert re.search(r"cluster_1[^}]*cluster_2", graph.source, re.DOTALL)


def test_a_collapsed_scope_is_one_card_with_its_outer_edges():
    picture = Parsed(ad.draw(nested(), collapse="outer"))
    assert sorted(picture.ends(id) for id in picture.of_class("edge")) == [("n1", "s1"), ("s1", "n6")]
    assert picture.text("s1")[:3] == ["outer", "scope of 4 ops", "2-5"]


def test_a_collapsed_inner_scope_stays_in_its_outer_one():
    picture = Parsed(ad.draw(nested(), collapse=["inner"]))
    assert picture.of_class("cluster") == ["scope1"]
    ends = sorted(picture.ends(id) for id in picture.of_class("edge"))
    assert ends == [("n1", "n2"), ("n2", "n5"), ("n2", "s1"), ("n5", "n6"), ("s1", "n5")]


def test_two_entries_into_one_scope_are_two_cards():
    y = Tensor(2.0)
    for _ in range(2):
        with ad.scope("block"):
            y = np.exp(np.sin(y))
    assert Parsed(ad.draw(y, collapse="block")).of_class("scope") == ["s1", "s2"]


def test_a_scope_with_several_results_shows_each():
    with ad.scope("pair"):
        x = Tensor(1.0)
        a, b = np.exp(x).named("a"), np.sin(x).named("b")
    text = Parsed(ad.draw(a * b, collapse="pair")).text("s1")
    assert text.count("data") == 2
    assert {"a", "b"} <= set(text)


def test_a_collapsed_scope_with_the_root_says_loss():
    with ad.scope("all"):
        y = np.exp(Tensor(0.0))
    assert "scope of 1 op, loss" in Parsed(ad.draw(y, collapse="all")).text("s1")


def test_a_named_constant_survives_the_folding_of_its_scope():
    parts = network()
    assert "X: constant" in ad.tree(parts["loss"], names=parts, collapse="layer1")
    assert "constant" not in ad.tree(parts["loss"], collapse="layer1")


def test_the_composed_softmax_folds_into_the_fused_ones_place():
    z = Tensor([1.0, 2.0, 3.0])
    t = np.array([0.0, 1.0, 0.0])

    def shape_of(form, **options):
        picture = Parsed(ad.draw(np.sum(ad.softmax(z, form=form) * t), **options))
        return len(picture.of_class("node")), len(picture.of_class("edge"))

    assert shape_of("composed", collapse="softmax") == shape_of("fused")
    assert shape_of("composed") > shape_of("fused")


def test_a_scope_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(
        ValueError, match="collapse='layer2' is no scope of this graph; its scopes are 'layer1'"
    ):
        ad.draw(network()["loss"], collapse="layer2")
    with pytest.raises(ValueError, match="it has none"):
        ad.tree(square_plus(), collapse="layer2")


def test_too_many_nodes_are_refused_with_the_way_to_fold():
    y = Tensor(1.0)
    with ad.scope("long"):
        for _ in range(200):
            y = np.sin(y)
    with pytest.raises(
        ValueError, match=r"201 nodes are more than max_nodes=150; fold a part with collapse="
    ):
        ad.draw(y)
    assert len(Parsed(ad.draw(y, collapse="long")).of_class("node")) == 2
    assert len(Parsed(ad.draw(y, max_nodes=201)).of_class("node")) == 201


def test_a_limit_that_is_no_number_is_refused():
    for look in (ad.draw, ad.player):
        with pytest.raises(ValueError, match=rf"{look.__name__}: max_nodes is a number of cards, not 'a'"):
            look(Tensor(1.0) * 2.0, max_nodes="a")


def test_constants_count_as_nodes_too():
    with pytest.raises(ValueError, match=r"3 nodes are more than max_nodes=2.*its scopes|it has none"):
        ad.draw(Tensor(1.0) * 2.0, max_nodes=2)


@pytest.mark.parametrize("option", [{"ops": "edges"}, {"rankdir": "XY"}])
def test_an_unknown_choice_is_refused(option):
    with pytest.raises(ValueError, match="is one of"):
        ad.draw(square_plus(), **option)


# -- source lines ----------------------------------------------------------------------------------


def test_recorded_lines_show_file_line_and_text():
    x = Tensor(2.0)
    with ad.recording():
        y = np.exp(x * 3.0)
    line = find_line(y.notes.source)
    assert line.text == "y = np.exp(x * 3.0)"
    assert line.place == f"test_visualize.py, line {line.number}"
    picture = Parsed(ad.draw(y))
    assert picture.tooltip("n3").endswith(f"{line.place}: {line.text}")
    assert line.text in picture.text("n3")


def test_a_line_that_filled_a_scope_is_on_its_last_card_alone():
    x = Tensor([1.0, 2.0])
    with ad.recording():
        y = ad.softmax(x, form="composed").sum()
    picture = Parsed(ad.draw(y))
    shown = [id for id in picture.of_class("node") if any("form=" in text for text in picture.text(id))]
    assert {picture.text(id)[0] for id in shown} == {"divide", "sum, loss"}


def test_a_graph_without_lines_is_drawn_without_them():
    assert "test_visualize" not in ad.draw(square_plus()).source


def test_a_line_whose_file_is_gone_has_a_number_all_the_same():
    code = compile("\n\ny = x * 3.0", "/nowhere/gone.py", "exec")
    around = {"ad": ad, "x": Tensor(2.0)}
    with ad.recording():
        exec(code, around)
    assert find_line(around["y"].notes.source)[2:] == ("gone.py, line 3", "")
    assert "gone.py, line 3" in Parsed(ad.draw(around["y"])).text("n2")


def test_a_notebook_cell_is_called_by_its_number(monkeypatch):
    class Compiler:
        def format_code_name(self, name):
            return ("Cell", "In[2]") if name == "cell-file" else None

    class Shell:
        compile = Compiler()

    class IPython:
        @staticmethod
        def get_ipython():
            return Shell()

    monkeypatch.setitem(__import__("sys").modules, "IPython", IPython)
    assert find_line((compile("\n\n\n\ny = 1", "cell-file", "exec"), 2)).place == "In [2], line 5"


# -- the tree --------------------------------------------------------------------------------------


def test_the_tree_shows_a_shared_node_once_and_points_to_it():
    assert str(ad.tree(square_plus())).splitlines() == [
        "add, loss = 12  grad 1",
        "├─ multiply = 9  grad 1",
        "│  ├─ x: parameter #n1 = 3  grad 7",
        "│  └─ x: parameter #n1 (above)",
        "└─ x: parameter #n1 (above)",
    ]


def test_a_tree_prints_itself():
    shown = ad.tree(square_plus())
    assert repr(shown) == str(shown)


def test_a_chain_of_5000_ops_is_cut_with_a_clear_line():
    y = Tensor(0.5)
    for _ in range(5000):
        y = np.sin(y)
    lines = str(ad.tree(y)).splitlines()
    assert lines[40].endswith("…")
    assert lines[-1].startswith("… 4960 of 5001 nodes are not shown")
    whole = ad.tree(y, max_nodes=10_000, max_depth=10_000)
    assert len(str(whole).splitlines()) == 5001


def test_a_wide_graph_is_cut_at_max_nodes():
    y = np.concatenate([Tensor([float(i)]) for i in range(300)]).sum()
    lines = str(ad.tree(y, max_nodes=10)).splitlines()
    assert len(lines) == 11
    assert lines[-1].startswith("… 292 of 302 nodes are not shown")


@pytest.mark.parametrize("limits", [{"max_nodes": 0}, {"max_depth": 0}])
def test_a_tree_without_room_is_refused(limits):
    with pytest.raises(ValueError, match="at least 1"):
        ad.tree(square_plus(), **limits)


# -- what is returned ------------------------------------------------------------------------------


def test_to_graphviz_returns_a_digraph_to_build_on():
    graph = ad.to_graphviz(square_plus(), rankdir="LR")
    assert isinstance(graph, graphviz.Digraph)
    graph.node("mine")
    assert "rankdir=LR" in graph.source


def test_a_drawing_has_a_short_repr_and_prints_as_a_tree():
    drawing = ad.draw(square_plus())
    assert repr(drawing).startswith("<Drawing of 3 nodes and 4 edges")
    assert str(drawing) == str(ad.tree(square_plus()))


def test_a_notebook_gets_svg_and_the_tree():
    bundle = ad.draw(square_plus())._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert ET.fromstring(bundle["image/svg+xml"]).tag == f"{SVG}svg"
    assert bundle["text/plain"] == str(ad.tree(square_plus()))


def shown(width, height):
    """The size, in points, in which a notebook shows a picture of `width` and `height` points."""
    root = ET.fromstring(
        fitted(f'<svg width="{width}pt" height="{height}pt" viewBox="0 0 1 1" xmlns="{SVG[1:-1]}"/>')
    )
    assert root.get("style") == "max-width:100%;height:auto"
    return root.get("width"), root.get("height")


def test_a_picture_in_a_notebook_is_as_wide_as_the_page_at_most_and_never_smaller_than_one_can_read():
    assert shown(162, 194) == ("162pt", "194pt")
    assert shown(1000, 500) == ("720pt", "360pt")
    assert shown(3000, 500) == ("1800pt", "300pt")
    assert "max-width" in ad.draw(square_plus())._repr_mimebundle_()["image/svg+xml"]


def test_a_picture_cannot_be_saved_into_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^save: there is no folder '.*nodir'$"):
        ad.draw(square_plus()).save(tmp_path / "nodir" / "graph.dot")


def test_a_root_whose_name_says_that_it_is_the_loss_is_not_called_so_twice():
    x = Tensor(2.0)
    assert str(ad.tree((x * 3).named("train loss"))).startswith("train loss: multiply = 6")
    assert str(ad.tree((x * 3).named("total"))).startswith("total: multiply, loss = 6")
