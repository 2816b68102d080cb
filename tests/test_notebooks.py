"""The notebooks: each runs from top to bottom, and what is stored in it is what it prints today."""

import re
from datetime import datetime

import pytest

from .conftest import NOTEBOOKS as FOLDER

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytest.importorskip("matplotlib", reason="the notebooks plot: the extra [plot]")

NAMES = [
    "01_one_neuron",
    "02_broadcasting",
    "03_softmax_jacobian",
    "04_softmax_two_ways",
    "05_softmax_and_cross_entropy",
    "06_toy_network",
    "07_digits",
    "08_second_derivatives",
    "09_attention",
    "10_your_own_op",
]
QUANTITY = re.compile(
    r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?(?:\s*(?:ns|us|ms|s|kB|MB|GB)\b)?|\b(?:nan|inf)\b", re.IGNORECASE
)


def stored(name):
    """A notebook as it lies in the folder."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(notebook):
    """The cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]


def kinds(cell):
    """What a cell shows: for each output its type and formats; what is printed at once may come in parts."""
    found = [(output.output_type, *sorted(output.get("data", ()))) for output in cell.outputs]
    return [
        kind for place, kind in enumerate(found) if kind != ("stream",) or found[place - 1 : place] != [kind]
    ]


def words(cell):
    """A cell's text without its quantities: times differ on every run, last digits between machines."""
    texts = [output.get("text") or output.data.get("text/plain", "") for output in cell.outputs]
    return QUANTITY.sub("#", "".join(texts)).split()


def printed(cells):
    """All that the cells print and show as text."""
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in cells
        for output in cell.outputs
    )


def seconds_of(cells):
    """How long the cells took, from the first one's start to the last one's end."""
    times = [cell.metadata.execution for cell in cells]
    start, end = times[0]["iopub.execute_input"], times[-1]["shell.execute_reply"]
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_what_is_stored(name, executed):
    before = {cell.id: (kinds(cell), words(cell)) for cell in code_cells(stored(name))}
    path = executed(name)
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        errors = [output.text for output in cell.outputs if output.get("name") == "stderr"]
        errors += [output.traceback for output in cell.outputs if output.output_type == "error"]
        assert errors == [], cell.source
        shown, text = before[cell.id]
        assert kinds(cell) == shown, cell.source
        # A cell tagged "varies" prints what the machine decides: sampled text, a verdict about times.
        if "varies" not in cell.metadata.get("tags", []):
            assert words(cell) == text, cell.source
    assert list(path.parent.iterdir()) == [path]
    if name == "07_digits":
        reached = dict(
            re.findall(r"^(digits|mnist): ([\d.]+) % of \d+", printed(code_cells(notebook)), re.MULTILINE)
        )
        assert float(reached["digits"]) >= 97
        assert float(reached["mnist"]) >= 93
        assert seconds_of(code_cells(notebook)) < 120


def test_the_folder_holds_these_notebooks_and_no_other():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_with_its_outputs_in_order(name):
    cells = code_cells(stored(name))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) > len(cells) / 3
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_opens_with_what_you_will_be_able_to_do(name):
    first = "\n".join(cell.source for cell in stored(name).cells[:2] if cell.cell_type == "markdown")
    assert first.startswith(f"# {int(name[:2])}. ")
    assert "you can" in first
    assert first.count("\n- ") + first.count("\n* ") >= 3


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_links_to_what_is_there_and_to_the_next(name):
    prose = "\n".join(cell.source for cell in stored(name).cells if cell.cell_type == "markdown")
    links = {link for link in re.findall(r"\]\(([^)#\s]+)\)", prose) if "://" not in link}
    assert [link for link in links if not (FOLDER / link).exists()] == []
    following = NAMES[NAMES.index(name) + 1 : NAMES.index(name) + 2]
    assert {f"{other}.ipynb" for other in following} <= links


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_names_no_folder_of_the_machine_that_ran_it(name):
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert re.findall(r"(?:/tmp/|/home/|/root/|/work/|site-packages)[^\"\s]*", text) == []


@pytest.mark.parametrize("name", NAMES)
def test_readme_points_to_a_notebook_by_its_picture_and_title(name):
    text = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    title = stored(name).cells[0].source.splitlines()[0].removeprefix("# ")
    picture = f"notebooks/pictures/{name[:2]}.png"
    linked = re.search(rf'<a href="notebooks/{name}.ipynb"><img src="{picture}"[^>]*><br>([^<]+)</a>', text)
    assert linked is not None
    assert title.startswith(linked[1])
    assert (FOLDER.parent / picture).is_file()
