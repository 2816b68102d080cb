"""The player in a real browser: stepped to its end by button, key and slider, in both themes, at every width."""

import contextlib
import os
import shutil

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROGRAM = os.environ.get("AUTODIFF_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no chromium program on this machine")
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for all tests here, with a fresh profile."""
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")), executable_path=PROGRAM, args=FLAGS
        )
        yield context.browser or context
        context.close()


@pytest.fixture
def show(browser, tmp_path):
    """Opens a page; at the end there must be no message, no error, no dialog and no request but for the file."""
    opened, trouble, requests = [], [], []

    def opener(html, width=1250, theme="light", **preferences):
        path = tmp_path / f"page{len(opened)}.html"
        if hasattr(html, "save"):
            html.save(path)
        else:
            path.write_text(html, encoding="utf-8")
        page = browser.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce", **preferences)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        opened.append((page, path.as_uri()))
        return page

    yield opener
    for page, _ in opened:
        page.close()
    assert trouble == []
    files = {address for _, address in opened}
    assert [url for url in requests if url not in files and not url.startswith("data:")] == []


def square_plus_sine():
    x = Tensor(2.0, name="x")
    return (x * x + np.sin(x)).named("y")


def network():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 4))
    W1, b1 = Tensor(rng.normal(size=(4, 3)), name="W1"), Tensor(np.zeros(3), name="b1")
    W2 = Tensor(rng.normal(size=(3, 3)), name="W2")
    with ad.recording():
        h = np.tanh(X @ W1 + b1)
        loss = ad.cross_entropy(h @ W2, np.array([0, 2, 1, 1, 0]))
    return loss.named("loss"), (W1, b1, W2)


# Players paint once, however often they are shown.
SCALAR, NETWORK = ad.player(square_plus_sine()), ad.player(network()[0])


def place(page):
    return page.locator("output").inner_text()


def card_grad(page, id):
    """The numbers that a card shows in its gradient's row."""
    return page.locator(f"svg [id='{id}-grad'] text").all_text_contents()


def flags(page, id):
    return set((page.locator(f"svg .card[id='{id}']").get_attribute("class") or "").split())


# -- moving ----------------------------------------------------------------------------------------


def test_the_button_leads_through_every_step_to_the_end(show):
    page = show(SCALAR)
    seen = [place(page)]
    button = page.get_by_role("button", name="one step on")
    while button.is_enabled():
        button.click()
        seen.append(place(page))
    assert seen == ["start", "1/3", "2/3", "3/3", "done"]
    assert card_grad(page, "n1") == ["3.584"]
    page.get_by_role("button", name="one step back").click()
    page.get_by_role("button", name="to the start").click()
    assert place(page) == "start"
    assert card_grad(page, "n1") == [""]
    page.get_by_role("button", name="to the end").click()
    assert place(page) == "done"


def test_the_keys_lead_there_too(show):
    page = show(SCALAR)
    page.locator(".player").focus()
    seen = []
    for key in ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowLeft"]:
        page.keyboard.press(key)
        seen.append(place(page))
    assert seen == ["1/3", "2/3", "1/3", "done", "done", "start", "start"]


def test_a_key_for_the_player_is_not_one_for_the_notebook_around_it(show):
    page = show(SCALAR)
    page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    page.locator(".player").focus()
    for key in ["ArrowRight", "End", " "]:
        page.keyboard.press(key)
    assert page.evaluate("heard") == []


def test_the_slider_leads_there_too(show):
    page = show(SCALAR)
    slider = page.locator("input[type=range]")
    seen = []
    for value in "241":
        slider.fill(value)
        seen.append((place(page), slider.get_attribute("aria-valuetext")))
    assert seen == [("2/3", "step 2 of 3"), ("done", "done"), ("1/3", "step 1 of 3")]


def test_space_plays_to_the_end_and_pauses(show):
    page = show(SCALAR)
    page.clock.install()
    page.reload()
    page.locator(".player").focus()
    page.keyboard.press(" ")
    assert page.locator(".play").inner_text() == "pause"
    page.clock.run_for(2000)
    assert place(page) == "1/3"
    page.keyboard.press(" ")
    page.clock.run_for(5000)
    assert (place(page), page.locator(".play").inner_text()) == ("1/3", "play")
    page.locator(".play").click()
    page.clock.run_for(20_000)
    assert (place(page), page.locator(".play").inner_text()) == ("done", "play")
    page.locator(".play").click()
    assert place(page) == "start"


def test_a_click_on_a_card_goes_to_its_step(show):
    page = show(SCALAR)
    page.locator("svg .card[id='n3']").click()
    assert "backward through v2 = sin(x)" in page.locator("h3").inner_text()


# -- showing ---------------------------------------------------------------------------------------


def test_a_step_shows_the_sum_and_what_waits(show):
    page = show(SCALAR)
    page.locator("input[type=range]").fill("2")
    assert flags(page, "n3") >= {"now"}
    assert flags(page, "n1") >= {"gets", "waits"}
    assert flags(page, "n4") >= {"spent"}
    assert page.locator("svg .card[id='n1'] .count").text_content() == "1 of 3"
    assert card_grad(page, "n1") == ["-0.4161"]
    assert card_grad(page, "n2") == ["1"]
    assert "now" in page.locator("svg [id='e3-0']").get_attribute("class")
    assert "1 of 3 contributions: x must wait for v1 (step 3)" in page.locator("section").inner_text()
    page.locator("input[type=range]").fill("3")
    assert page.locator("section").count() == 2
    assert "waits" not in flags(page, "n1")
    last = page.locator("section").nth(1)
    assert "✓ x complete (3 of 3)" in last.inner_text()
    assert last.locator(".sum").nth(1).locator(".cells").all_inner_texts() == ["1.584", "2", "3.584"]


def test_the_last_sums_shown_are_the_gradients_of_backward(show):
    loss, parameters = network()
    page = show(ad.player(loss))
    page.locator("input[type=range]").fill("99")
    assert place(page) == "done"
    loss.backward()
    assert page.locator(".leaves section").count() == len(parameters)
    ids = {node.name: node.id for node in ad.trace(loss).nodes}
    for parameter in parameters:
        expected = ["0" if g == 0 else f"{g:.3g}" for g in parameter.grad.ravel()]
        section = page.locator(".leaves section").filter(has_text=f"{parameter.name}.grad")
        assert section.locator(".cells span").all_inner_texts() == expected
        assert card_grad(page, ids[parameter.name]) == expected
        assert "final" in flags(page, ids[parameter.name])


def test_a_recorded_line_is_shown(show):
    page = show(NETWORK)
    page.locator("input[type=range]").fill("3")
    assert page.locator(".line code").inner_text() == "h = np.tanh(X @ W1 + b1)"


def test_every_step_is_announced(show):
    page = show(SCALAR)
    live = page.locator("[aria-live]")
    assert live.get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="one step on").click()
    assert live.text_content() == (
        "Step 1 of 3: backward through y = v1 + v2. v1 complete (1 of 1); v2 complete (1 of 1)."
    )


def test_going_back_shows_what_was_shown_before(show):
    page = show(NETWORK)
    there, back = page.evaluate(
        """() => {
            const { player } = document.querySelector(".autodiff-player");
            const shown = [];
            const look = () => shown.push(player.svg.outerHTML + player.explanation.outerHTML);
            for (let step = 0; step <= player.last; step++) player.go(step), look();
            const there = shown.splice(0);
            for (let step = player.last; step >= 0; step--) player.go(step), look();
            return [there, shown];
        }"""
    )
    assert len(set(there)) == 7
    assert back[::-1][1:] == there[1:]


MEASURE = """() => {
    const { player } = document.querySelector(".autodiff-player");
    const steps = [];
    for (let step = 0; step <= player.last; step++) {
        player.go(step);
        steps.push({
            wide: document.documentElement.scrollWidth,
            graph: player.graph.getBoundingClientRect().toJSON(),
            words: player.explanation.getBoundingClientRect().toJSON(),
            clipped: [...player.explanation.querySelectorAll(".rows")].filter((rows) => rows.scrollWidth > rows.clientWidth).length,
            now: [...player.svg.querySelectorAll(".now > rect")].map((card) => card.getBoundingClientRect().toJSON()),
        });
    }
    return steps;
}"""


@pytest.mark.parametrize("width", [480, 820, 1250])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_every_width_in_both_themes(show, width, theme):
    page = show(NETWORK, width, theme)
    assert page.locator(".player").get_attribute("data-theme") == theme
    for step in page.evaluate(MEASURE):
        assert step["wide"] <= width
        assert step["clipped"] == 0
        graph, words = step["graph"], step["words"]
        if width < 830:
            assert graph["bottom"] <= words["top"]
        else:
            assert graph["right"] <= words["left"]
        for card in step["now"]:  # scrolled into its pane
            assert graph["left"] - 1 <= card["left"]
            assert graph["top"] - 1 <= card["top"] <= graph["bottom"] - 20
    ink, ground = page.evaluate(
        "[getComputedStyle(document.querySelector('.autodiff-player').shadowRoot.querySelector('h3')).color,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    assert contrast(ink, ground) > 7


def test_a_graph_wider_than_its_pane_starts_at_its_loss_and_ends_at_its_middle(show):
    x = Tensor(np.ones((2, 3)), name="x")
    wide = (x * np.ones((2, 3)) + np.sin(x) * np.cos(x) + np.exp(x) * np.tanh(x)).sum()
    page = show(ad.player(wide), 480)
    page.emulate_media(reduced_motion="reduce")
    root = ad.trace(wide).root.id
    pane = "const pane = document.querySelector('.autodiff-player').shadowRoot.querySelector('.graph');"
    room, whole = page.evaluate(f"() => {{ {pane} return [pane.clientWidth, pane.scrollWidth]; }}")
    assert whole > room + 40
    left, middle = page.evaluate(f"""() => {{ {pane}
        const card = pane.querySelector(".card[id='{root}']").getBoundingClientRect();
        return [pane.scrollLeft, (card.left + card.right) / 2 - pane.getBoundingClientRect().left + pane.scrollLeft]; }}""")
    assert left == pytest.approx(min(max(middle - room / 2, 0), whole - room), abs=2)
    page.get_by_title("to the end (End)").click()
    left = page.evaluate(f"() => {{ {pane} return pane.scrollLeft; }}")
    assert left == pytest.approx((whole - room) / 2, abs=16)


def contrast(a, b):
    """The contrast of two colours as the Web Content Accessibility Guidelines 2 define it."""

    def luminance(colour):
        channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_theme_follows_the_ground_and_not_the_browser(show):
    fragment = SCALAR.html()
    grounds = ["#111", "#fff", "oklch(0.2 0.02 250)", "color(srgb 1 1 1)", "rgb(0 0 0 / 0.1)"]
    page = show("".join(f"<div style='background:{ground}'>{fragment}</div>" for ground in grounds))
    themes = [player.get_attribute("data-theme") for player in page.locator(".player").all()]
    assert themes == ["dark", "light", "dark", "light", "light"]
    page.evaluate("document.body.style.background = '#000'")  # as a notebook does when its theme changes
    page.wait_for_function(
        "document.querySelectorAll('.autodiff-player')[4].shadowRoot.querySelector('.player').dataset.theme === 'dark'"
    )


def test_several_players_on_a_page_do_not_collide(show):
    first, second = SCALAR, ad.player(Tensor(3.0, name="x") * 2.0)
    page = show(first.html() + second.html() + first.html())
    players = page.locator(".player")
    assert players.count() == 3
    players.nth(2).get_by_role("button", name="to the end").click()
    assert page.locator("output").all_inner_texts() == ["start", "start", "done"]
    assert players.nth(0).locator("svg [id='n1-grad'] text").text_content() == ""
    assert players.nth(2).locator("svg [id='n1-grad'] text").text_content() == "3.584"


def test_the_looks_of_a_page_do_not_reach_the_player(show):
    style = "<style>button, code, svg text { display: none !important } * { color: red }</style>"
    page = show(style + SCALAR.html())
    assert page.get_by_role("button", name="one step on").is_visible()
    assert page.locator("svg text").first.is_visible()


def test_hostile_names_stay_text(show):
    x = Tensor([1.0, 2.0], name=HOSTILE)
    with ad.scope(HOSTILE):
        y = (x * 3.0).named(f"\"'`${{}}%41#&amp;{HOSTILE}")
    for options in ({}, {"collapse": HOSTILE}):
        page = show(ad.player(np.sum(y), **options))
        for step in ("0", "1", "2", "3"):
            page.locator("input[type=range]").fill(step)
            assert page.locator("img:visible, .player img, .player script").count() == 0
        assert HOSTILE[:20] in page.locator(".leaves").inner_text()
        assert HOSTILE[:20] in " ".join(page.locator("svg .card text").all_text_contents())


def test_without_scripts_the_picture_stays(browser, tmp_path):
    path = SCALAR.save(tmp_path / "page.html")
    with contextlib.closing(browser.new_page()) as page:
        page.route("**/*", lambda route: route.continue_())
        html = path.read_text(encoding="utf-8")
        inert = html.replace("<script>", '<script type="text/plain">')
        path.write_text(inert, encoding="utf-8")
        page.goto(path.as_uri())
        picture = page.locator("img")
        assert picture.is_visible()
        assert picture.evaluate("picture => picture.naturalWidth") > 100
        assert page.locator("summary").is_visible()


def test_without_a_program_it_steps_through_a_column(show, monkeypatch, tmp_path):
    monkeypatch.setenv("AUTODIFF_DOT", str(tmp_path / "none"))
    page = show(ad.player(square_plus_sine()))
    page.locator(".player").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert (place(page), card_grad(page, "n1")) == ("done", ["3.584"])
    assert "one column" in page.locator(".player .note").inner_text()
    lefts = {round(card.bounding_box()["x"]) for card in page.locator("svg .card > rect").all()}
    assert max(lefts) - min(lefts) <= 2


def test_a_step_among_100_nodes_takes_less_than_20_milliseconds(show, monkeypatch, tmp_path):
    monkeypatch.setenv("AUTODIFF_DOT", str(tmp_path / "none"))  # which is quicker, and as much to show
    x = y = Tensor(np.linspace(-1.0, 1.0, 6), name="x")
    for _ in range(49):
        y = np.tanh(y) * x
    page = show(ad.player(y.sum()))
    assert page.locator("svg .card").count() >= 100
    # The time of the page's own thread, layout and style included: other programs may be busy meanwhile.
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    before = spent()
    steps = page.evaluate(
        """() => {
            const { player } = document.querySelector(".autodiff-player");
            for (let step = 1; step <= player.last; step++) {
                player.go(step);
                player.root.getBoundingClientRect();
            }
            return player.last;
        }"""
    )
    assert steps == 100
    assert (spent() - before) / steps < 0.020


def test_an_executed_notebook_still_plays_after_nbconvert(show, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    code = (
        "import numpy as np\nimport autodiff as ad\nad.recording.on()\nx = ad.Tensor(2.0, name='x')\n"
        "y = (x * x + np.sin(x)).named('y')\nad.player(y)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for _ in range(2)])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    bundle = notebook.cells[0].outputs[0].data
    assert bundle["text/plain"].startswith("y: add, loss")
    exporter = nbconvert.HTMLExporter(template_name="basic")
    page = show(f"<meta charset=utf-8>{exporter.from_notebook_node(notebook)[0]}")
    players = page.locator(".player")
    assert players.count() == 2
    players.nth(1).get_by_role("button", name="one step on").click()
    assert page.locator("output").all_inner_texts() == ["start", "1/3"]
    assert "In [2], line 5" in players.nth(1).locator(".line").inner_text()
