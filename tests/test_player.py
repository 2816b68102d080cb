"""The player as HTML and data: what is in it, that names stay text, and how it is saved."""

import json
import re
import urllib.parse
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor
from autodiff.visualize.cards import fold
from autodiff.visualize.column import column
from autodiff.visualize.compact import compact
from autodiff.visualize.story import Story
from autodiff.visualize.trace import observe

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """A fragment's elements, its data, its picture, and its text outside scripts."""

    def __init__(self, fragment):
        super().__init__()
        self.tags, self.scripts, self.words, self.picture, self.alt = [], [], [], "", ""
        self.inside = None
        self.feed(fragment)
        self.data = json.loads(next(text for kind, text in self.scripts if kind == "application/json"))
        self.svg = ET.fromstring(urllib.parse.unquote(self.picture.partition(",")[2]))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.inside = tag
        attributes = dict(attributes)
        if tag == "img":
            self.picture, self.alt = attributes["src"], attributes["alt"]
        if tag == "script":
            self.scripts.append((attributes.get("type"), ""))

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self.inside != "style":
            self.words.append(data)

    def handle_endtag(self, tag):
        self.inside = None


def square_plus_sine():
    x = Tensor(2.0, name="x")
    return (x * x + np.sin(x)).named("y")


def softmax_loss():
    x = Tensor([1.0, 2.0, 3.0], name="x")
    with ad.scope("softmax"):
        e = np.exp(x).named("e")
        p = (e / e.sum().named("S")).named("p")
    return (-np.log(p[1])).named("loss")


def story_of(loss, **options):
    seen = observe(loss, "player", options.pop("seed", None), options.pop("names", None))
    return Story(seen, fold(seen, **options)).as_data()


def step_named(data, title):
    return next(step for step in data["steps"] if step["title"].startswith(title))


def words_of(data, index):
    return data["grids"][index].get("c", data["grids"][index])


# -- the steps -------------------------------------------------------------------------------------


def test_each_step_is_a_node_in_the_order_of_the_backward_pass():
    data = story_of(softmax_loss())
    assert [step["title"] for step in data["steps"]] == [
        "loss = -v2",
        "v2 = log(v1)",
        "v1 = p[1]",
        "p = e / S",
        "S = sum(e)",
        "e = exp(x)",
    ]


def test_the_seed_is_the_derivative_of_the_loss_by_itself_or_what_was_given():
    x = Tensor([1.0, 2.0], name="x")
    assert story_of(softmax_loss())["caption"] == "∂loss/∂loss"
    for y, seed in (((x * 3.0).named("y"), [1.0, 1.0]), (x.sum().named("y"), 2.0)):
        assert story_of(y, seed=np.array(seed))["caption"] == "given by seed="


def test_a_step_says_what_arrives_the_local_jacobian_and_the_contribution():
    data = story_of(softmax_loss())
    to_e, to_s = step_named(data, "p =")["out"]
    assert (to_e["name"], to_e["slope"], to_e["rule"], to_e["where"]) == (
        "e",
        "∂p/∂e",
        "g / b",
        "g arrives, b = S",
    )
    assert words_of(data, to_e["from"]) == "0 -4.09 0"
    assert words_of(data, to_e["jacobian"]) == "0.0331 0 0 0 0.0331 0 0 0 0.0331"
    assert words_of(data, to_e["grid"]) == "0 -0.135 0"
    assert words_of(data, to_s["jacobian"]) == "-0.00298 -0.00811 -0.022"
    assert data["grids"][to_s["jacobian"]]["w"] == 1
    assert (words_of(data, to_s["grid"]), to_s["repeated"]) == ("0.03312", "axis 0")


def test_a_step_says_what_waits_and_for_whom():
    data = story_of(softmax_loss())
    states = [part["state"] for step in data["steps"] for part in step["out"]]
    assert "1 of 2 contributions: e must wait for S (step 5)" in states
    assert "e complete (2 of 2)" in states
    assert states[-1] == "x complete (1 of 1): this is what .backward() adds to its .grad"


def test_the_running_sum_is_told_from_the_second_contribution_on():
    data = story_of(square_plus_sine())
    first, second, third = [part for step in data["steps"] for part in step["out"] if part["name"] == "x"]
    assert "before" not in first
    assert [words_of(data, second[key]) for key in ("before", "grid", "sum")] == ["-0.4161", "2", "1.584"]
    assert [words_of(data, third[key]) for key in ("before", "grid", "sum")] == ["1.584", "2", "3.584"]
    assert second["state"] == "2 of 3 contributions: x must wait for the next edge of this step"


def test_the_last_position_has_the_leaves_gradients():
    loss = softmax_loss()
    data = story_of(loss)
    (leaf,) = data["leaves"]
    loss.backward()
    (x,) = loss.parents[0].parents[0].parents[0].parents[0].parents
    assert words_of(data, leaf["grid"]) == " ".join(f"{g:.3g}" for g in x.grad)


def test_an_elementwise_jacobian_is_its_diagonal_in_the_arrays_shape():
    x = Tensor(np.arange(1.0, 7.0).reshape(2, 3), name="x")
    data = story_of(np.sum(x**2.0))
    part = step_named(data, "v1 = x ** 2")["out"][0]
    assert part["sense"] == "each"
    assert data["grids"][part["jacobian"]] == {"w": 3, "c": "2 4 6 8 10 12"}


def test_a_larger_jacobian_is_tints_and_a_large_one_words():
    A, B = Tensor(np.ones((3, 4)), name="A"), Tensor(np.ones((4, 4)), name="B")
    data = story_of(np.sum(A @ B))
    part = step_named(data, "v1 = A @ B")["out"][0]
    assert part["sense"] == "tints"
    squares = data["grids"][part["jacobian"]]
    assert (squares["w"], squares["s"]) == (12, "12 x 12")
    assert squares["h"] == "".join(
        "i" if row // 4 == column // 4 else "." for row in range(12) for column in range(12)
    )
    A, B = Tensor(np.ones((10, 20))), Tensor(np.ones((20, 9)))
    part = step_named(story_of(np.sum(A @ B)), "v1")["out"][0]
    data = story_of(np.sum(A @ B))
    assert data["grids"][part["jacobian"]]["l"] == ["90 x 200 numbers", "min 0", "mean 0.1", "max 1"]
    C = Tensor(np.ones((200, 300)))
    data = story_of(np.sum(C * 2.0))
    assert data["grids"][step_named(data, "v1")["out"][0]["jacobian"]]["l"][1] == "not written out"


def test_a_broadcast_input_shows_its_rule_and_that_its_copies_are_summed():
    a, b = Tensor(np.ones((2, 3)), name="a"), Tensor([1.0, 2.0, 3.0], name="b")
    data = story_of(np.sum(a * b))
    part = step_named(data, "v1 = a * b")["out"][1]
    assert part["repeated"] == "axis 0"
    assert part["rule"] == "sum of g * a"
    assert part["words"] == "a factor receives the gradient times the other factor"
    assert words_of(data, part["grid"]) == "2 2 2"


def test_a_hook_and_a_selection_are_told():
    x = Tensor([0.0, 2.0], name="x")
    with np.errstate(divide="ignore"):
        y = np.where(x.data > 0, np.log(x), 0.0).named("y")
    y.register_hook(lambda g: g * 10)
    data = story_of(np.sum(y))
    arrives = step_named(data, "y =")["in"][0]
    assert (words_of(data, arrives["hook"]), words_of(data, arrives["grid"])) == ("1 1", "10 10")
    assert step_named(data, "v1 = log(x)")["in"][0]["mask"] == (
        "1 of 2 elements not selected: nothing passes there, whatever the slope"
    )


def test_a_folded_scope_is_one_step_with_the_jacobian_of_the_whole():
    data = story_of(softmax_loss(), collapse="softmax")
    step = data["steps"][-1]
    assert step["title"] == "softmax, 3 ops in one: exp, sum, divide"
    (part,) = step["out"]
    y = np.exp([1.0, 2.0, 3.0]) / np.exp([1.0, 2.0, 3.0]).sum()
    expected = np.diag(y) - np.outer(y, y)
    shown = [float(word) for word in words_of(data, part["jacobian"]).split()]
    np.testing.assert_allclose(shown, expected.ravel(), rtol=1e-2)


def test_the_rule_of_a_softmax_counts_its_beta():
    x = Tensor([1.0, 2.0, 4.0], name="x")
    last = story_of(np.sum(ad.softmax(x, beta=1.5) * np.array([1.0, 0.0, 3.0])))["steps"][-1]
    assert last["out"][0]["rule"] == "beta * y * (g - sum(g * y))"


def test_the_fused_and_the_folded_composed_softmax_tell_the_same():
    def last_step(form, **options):
        x = Tensor([1.0, 2.0, 4.0], name="x")
        data = story_of(np.sum(ad.softmax(x, form=form).named("p") * np.array([1.0, 0.0, 3.0])), **options)
        part = data["steps"][-1]["out"][0]
        return [words_of(data, part[key]) for key in ("from", "jacobian")]

    assert last_step("fused") == last_step("composed", collapse="softmax")


def test_recorded_lines_are_told():
    x = Tensor([1.0, 2.0], name="x")
    with ad.recording():
        y = np.sum(x * x)
    step = story_of(y)["steps"][0]
    assert re.fullmatch(r"test_player\.py, line \d+", step["line"])
    assert step["code"] == "y = np.sum(x * x)"
    assert "line" not in story_of(square_plus_sine())["steps"][0]


def test_a_made_up_name_is_not_one_that_is_taken():
    v1 = Tensor(2.0, name="v1")
    assert [step["title"] for step in story_of(np.exp(np.sin(v1)))["steps"]] == [
        "v3 = exp(v2)",
        "v2 = sin(v1)",
    ]


def test_an_equation_has_the_options_that_say_something():
    x = Tensor(np.ones((2, 3)), name="x")
    (title, _) = [step["title"] for step in story_of(np.sum(x, axis=1).sum())["steps"]]
    assert title == "v2 = sum(v1)"
    assert story_of(np.sum(x, axis=1, keepdims=True), seed=np.ones((2, 1)))["steps"][0]["title"] == (
        "v1 = sum(x, axis=1, keepdims=True)"
    )


def test_indices_are_written_as_in_code():
    x = Tensor(np.arange(12.0).reshape(3, 4), name="x")
    titles = [step["title"] for step in story_of(x[1:, 2].sum() + x[::2].sum() + x[-1, -1])["steps"]]
    assert {"v1 = x[1:, 2]", "v3 = x[::2]", "v6 = x[-1, -1]"} <= set(titles)


def test_a_parameter_alone_has_no_steps_and_its_gradient():
    data = story_of(Tensor(2.0, name="x"))
    assert data["steps"] == []
    assert [leaf["name"] for leaf in data["leaves"]] == ["x"]


# -- the page --------------------------------------------------------------------------------------


def test_the_picture_keeps_cards_edges_and_grids_with_their_ids():
    page = Page(ad.player(square_plus_sine()).html())
    ids = {element.get("id") for element in page.svg.iter() if element.get("id")}
    assert {"n1", "n2", "n3", "n4", "e2-0", "e2-1", "e3-0", "e4-0", "e4-1", "n1-data", "n1-grad"} <= ids
    grad = next(element for element in page.svg.iter() if element.get("id") == "n1-grad")
    assert [text.text for text in grad.iter(f"{SVG}text")] == ["3.584"]


def test_without_scripts_the_picture_and_the_steps_are_there():
    page = Page(ad.player(softmax_loss()).html())
    assert page.alt == "The graph of loss, with 6 steps of the backward pass"
    assert page.picture.startswith("data:image/svg+xml")
    assert "p = e / S: 1 of 2 contributions: e must wait for S (step 5); S complete (1 of 1)" in page.words
    assert page.tags.count("li") == 6


def test_hostile_names_stay_text_everywhere():
    x = Tensor([1.0, 2.0], name=HOSTILE)
    with ad.scope(HOSTILE):
        y = (x * 3.0).named("'\"&lt;</style>%41#\u2028")
    for options in ({}, {"collapse": HOSTILE}):
        page = Page(ad.player(np.sum(y), **options).html())
        assert page.tags.count("img") == 1
        assert [kind for kind, _ in page.scripts] == ["application/json", None]
        assert page.data["cards"]["n1"]["name"].startswith("</script><img src=x")
        shown = [text.text for text in page.svg.iter(f"{SVG}text")]
        assert "</script><img src=x onerror=ale…" in shown
        assert page.data["leaves"][0]["name"] == "</script><img src=x one…"
    assert "'\"&lt;</style>%41#\\u2028" in [
        text.text for text in Page(ad.player(y.sum()).html()).svg.iter(f"{SVG}text")
    ]


def test_a_page_of_fifteen_nodes_is_below_80_kilobytes(tmp_path):
    rng = np.random.default_rng(1)
    X, T = rng.normal(size=(3, 4)), np.eye(4)[:3]
    W, b = Tensor(rng.normal(size=(4, 4)), name="W"), Tensor(rng.normal(size=4), name="b")
    p = ad.softmax(np.tanh(X @ W + b), form="composed")
    loss = -np.mean(np.sum(np.log(p) * T, axis=1))
    assert len(ad.trace(loss).nodes) >= 15
    path = ad.player(loss, names={"X": X, "T": T}).save(tmp_path / "loss.html")
    assert path.stat().st_size < 80_000


def test_nothing_on_the_page_comes_from_elsewhere():
    fragment = ad.player(square_plus_sine()).html()
    assert set(re.findall(r"https?://[^'\"\s)]*", fragment)) == {"http://www.w3.org/2000/svg"}


def test_a_notebook_gets_html_and_the_tree():
    loss = square_plus_sine()
    bundle = ad.player(loss)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == str(ad.player(loss)) == str(ad.tree(loss))
    assert bundle["text/html"].startswith('<div class="autodiff-player"')


def test_a_player_says_what_it_is():
    assert repr(ad.player(square_plus_sine())).startswith("<Player of 3 steps;")


def test_a_player_is_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "loss.html"
    path.write_text("older")
    player = ad.player(square_plus_sine())
    monkeypatch.setattr(player, "html", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        player.save(path)
    assert path.read_text() == "older"
    assert [file.name for file in tmp_path.iterdir()] == ["loss.html"]
    assert ad.player(square_plus_sine()).save(path) == path
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_player_is_saved_as_html_into_a_folder_that_is_there(tmp_path):
    player = ad.player(square_plus_sine())
    with pytest.raises(ValueError, match=r"'loss\.png' should end in \.html"):
        player.save(tmp_path / "loss.png")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        player.save(tmp_path / "nowhere" / "loss.html")


# -- limits ----------------------------------------------------------------------------------------


def test_500_nodes_are_refused_with_the_way_to_fold():
    y = Tensor(0.5)
    with ad.scope("long"):
        for _ in range(500):
            y = np.sin(y)
    with pytest.raises(
        ValueError, match=r"player: 501 nodes are more than max_nodes=150; fold a part with collapse="
    ):
        ad.player(y)
    assert repr(ad.player(y, collapse="long")).startswith("<Player of 1 step;")
    assert repr(ad.player(y, max_nodes=501)).startswith("<Player of 500 steps;")


def test_a_result_that_is_no_scalar_needs_a_seed():
    x = Tensor([1.0, 2.0], name="x")
    with pytest.raises(
        ValueError, match=r"player: shape \(2,\) is no scalar, so gradients need player\(..., seed=array\)"
    ):
        ad.player(x * 3.0)
    assert repr(ad.player(x * 3.0, seed=[1.0, 0.0])).startswith("<Player of 1 step;")


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="player: takes the Tensor"):
        ad.player(np.ones(2))


def test_playing_touches_no_grad():
    x = Tensor(2.0)
    ad.player(x * x).html()
    assert x.grad is None


def test_a_player_keeps_the_numbers_of_its_moment():
    x = Tensor([1.0, 2.0], name="x")
    player = ad.player(np.sum(x * x))
    x.data -= 100.0
    assert "-99" not in player.html()


# -- without a program -----------------------------------------------------------------------------


def test_without_a_program_the_cards_stand_in_the_trees_order(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTODIFF_DOT", str(tmp_path / "none"))
    page = Page(ad.player(softmax_loss()).html())
    cards = [
        element for element in page.svg.iter(f"{SVG}g") if "card" in (element.get("class") or "").split()
    ]
    assert [card.get("id") for card in cards] == ["n7", "n6", "n5", "n4", "n2", "n1", "n3"]
    tops = [float(next(card.iter(f"{SVG}rect")).get("y")) for card in cards]
    assert tops == sorted(tops)
    assert len({next(card.iter(f"{SVG}rect")).get("x") for card in cards}) == 1
    assert any("one column: $AUTODIFF_DOT" in words for words in page.words)


@pytest.mark.parametrize("collapse", [(), "softmax"])
def test_a_column_has_the_ids_classes_and_words_of_a_painted_picture(collapse):
    def parts(svg):
        found = {}
        for group in ET.fromstring(svg).iter(f"{SVG}g"):
            if group.get("id"):
                words = sorted(text.text or "" for text in group.iter(f"{SVG}text"))
                found[group.get("id")] = set((group.get("class") or "").split()), words
        return found

    from autodiff.visualize.dot import digraph
    from autodiff.visualize.engine import paint

    seen = observe(softmax_loss(), "player")
    picture = fold(seen, collapse)
    Story(seen, picture)
    painted = compact(paint(digraph(picture, "cards", "TB", ids=True).source, "svg").decode())
    assert parts(column(picture)) == parts(painted)
