"""The package as a whole: its public names, which room imports which, and what an import brings along."""

import ast
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

import autodiff

PACKAGE = Path(autodiff.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Which room may import which: downwards only. A room is a module, or a folder of modules.
ARROWS = {
    "ambient": set(),
    "files": set(),
    "lines": set(),
    "report": set(),
    "messages": {"lines"},
    "sums": set(),
    "broadcasting": {"sums"},
    "trees": set(),
    "selection": {"broadcasting"},
    "node": {"ambient"},
    "fitting": {"ambient", "broadcasting", "messages", "node", "sums"},
    "graph": {"ambient", "fitting", "messages", "node", "selection"},
    "reading": {"node"},
    "tensor": {"ambient", "graph", "messages", "node", "reading"},
    "wrappers": {"ambient", "node", "reading", "tensor"},
    "primitive": {"node", "tensor", "wrappers"},
    "ops": {"broadcasting", "primitive", "sums", "tensor"},
    "softmax": {"ambient", "ops", "reading", "tensor"},
    "special": {"ops", "softmax"},
    "targets": {"ops", "reading", "tensor"},
    "losses": {"ambient", "ops", "primitive", "softmax", "sums", "targets", "tensor"},
    "listing": {"losses", "ops", "primitive", "softmax", "special", "tensor"},
    "calls": {"ambient", "graph", "node", "ops", "tensor", "trees"},
    "transforms": {"ambient", "calls", "graph", "ops", "tensor", "trees"},
    "recompute": {"ambient", "calls", "node", "ops", "primitive", "tensor", "trees"},
    "differences": {"tensor", "trees"},
    "checks": {"ambient", "calls", "differences", "graph", "lines", "node", "tensor", "transforms", "trees"},
    "testing": {
        "calls",
        "checks",
        "differences",
        "lines",
        "node",
        "recompute",
        "tensor",
        "transforms",
        "trees",
        "wrappers",
    },
    "anomalies": {
        "ambient",
        "fitting",
        "graph",
        "lines",
        "messages",
        "node",
        "primitive",
        "report",
        "tensor",
    },
    "rules": set(),
    "formulas": {"node", "rules"},
    "reference": {
        "ambient",
        "broadcasting",
        "calls",
        "differences",
        "graph",
        "node",
        "ops",
        "primitive",
        "tensor",
        "transforms",
        "trees",
    },
    "accuracy": {"broadcasting", "graph", "lines", "node", "reference", "report", "tensor"},
    "visualize": {
        "ambient",
        "broadcasting",
        "files",
        "formulas",
        "graph",
        "lines",
        "node",
        "accuracy",
        "report",
        "tensor",
    },
    "explanation": {
        "fitting",
        "formulas",
        "graph",
        "lines",
        "messages",
        "node",
        "ops",
        "report",
        "softmax",
        "tensor",
        "visualize",
    },
    "plot": {"graph", "losses", "reference", "tensor", "transforms"},
    "comparison": {"ambient", "calls", "explanation", "node", "plot", "reference", "report", "trees"},
    "data": set(),
    "parameters": set(),
    "nn": {"parameters", "the public names"},
    "optim": {"parameters", "the public names"},
    "storage": {"files", "parameters", "the public names"},
    "training": {"data", "files", "optim", "parameters", "storage", "the public names"},
    "__main__": {"comparison", "data", "the public names", "visualize"},
}
THIRD_PARTY = {
    "reference": {"mpmath", "numpy"},
    "visualize": {"numpy", "graphviz"},
    "__main__": {"numpy", "tqdm"},
    "ops": {"numpy", "scipy"},
    "special": {"numpy", "scipy"},
    "plot": {"numpy", "matplotlib"},
    "data": {"numpy", "sklearn"},
    "storage": {"numpy", "safetensors"},
    "training": {"numpy", "tqdm"},
}


def room_of(path):
    """The room that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path):
    """The rooms of this package, and the top-level names of others, that a file imports."""
    folder = path.relative_to(PACKAGE).parent.parts
    rooms, others = set(), set()
    for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.ImportFrom) and statement.level:
            base = folder[: len(folder) - statement.level + 1]
            for alias in statement.names:
                target = (*base, *(statement.module or alias.name).split("."))
                rooms.add(
                    target[0]
                    if (PACKAGE / target[0]).with_suffix(".py").exists() or (PACKAGE / target[0]).is_dir()
                    else "the public names"
                )
        elif isinstance(statement, ast.ImportFrom):
            others.add(statement.module.partition(".")[0])
        elif isinstance(statement, ast.Import):
            others.update(alias.name.partition(".")[0] for alias in statement.names)
    return rooms - {room_of(path)}, others - set(sys.stdlib_module_names)


# -- names -------------------------------------------------------------------------------------------


def test_every_public_name_can_be_imported_and_no_other_is_there():
    there = {name for name in dir(autodiff) if not isinstance(getattr(autodiff, name), ModuleType)}
    assert {name for name in there if not name.startswith("_")} == set(autodiff.__all__)


def test_public_names_are_sorted_and_public():
    assert list(autodiff.__all__) == sorted(autodiff.__all__)
    assert [name for name in autodiff.__all__ if name.startswith("_")] == []


def test_a_star_import_brings_every_public_name():
    names = {}
    exec("from autodiff import *", names)
    assert names.keys() - {"__builtins__"} == set(autodiff.__all__)


@pytest.mark.parametrize("name", ["data", "nn", "optim", "plot", "special", "storage", "training"])
def test_a_module_opens_when_it_is_asked_for(name):
    assert name in dir(autodiff)
    assert isinstance(getattr(autodiff, name), ModuleType)


@pytest.mark.parametrize("name", autodiff.__all__)
def test_every_public_name_says_in_a_sentence_what_it_is(name):
    first, *_ = getattr(autodiff, name).__doc__.splitlines()
    assert first.endswith((".", ":"))


# -- rooms -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_its_arrow_names(path):
    rooms, others = imports_of(path)
    room = room_of(path)
    if room == "__init__":
        assert rooms <= ARROWS.keys()
        assert others == set()
    else:
        assert room in ARROWS, f"say in ARROWS which rooms {room} may import"
        assert rooms <= ARROWS[room]
        assert others <= THIRD_PARTY.get(room, {"numpy"})


def test_the_arrows_lead_downwards():
    # A room comes after all it imports, so no circle can close.
    above = set()
    for room, allowed in ARROWS.items():
        assert allowed - {"the public names"} <= above, room
        above.add(room)


def test_every_room_with_an_arrow_is_there():
    assert {room_of(path) for path in SOURCES} - {"__init__"} == ARROWS.keys()


def lines_of_code(path):
    """How many lines a file has without docstrings, comments and blank lines."""
    text = path.read_text(encoding="utf-8")
    prose = set()
    for part in ast.walk(ast.parse(text)):
        if (
            isinstance(part, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(part) is not None
        ):
            prose.update(range(part.body[0].lineno, part.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), start=1)
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and n not in prose for n, line in lines
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_at_most_300_lines_of_code(path):
    assert lines_of_code(path) <= 300


# -- what ships, and what an import brings along -------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "data/alice.txt",
        "data/iris.csv",
        "data/LICENSE-alice",
        "data/LICENSE-iris",
        "visualize/player.js",
        "visualize/player.css",
        "visualize/player.html",
    ],
)
def test_the_package_holds_its_files(name):
    assert files("autodiff").joinpath(name).is_file()


def test_an_import_brings_numpy_and_nothing_heavy():
    program = """
import sys, numpy
before = set(sys.modules)
import autodiff
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    brought = {name for name in done.stdout.split() if not name.startswith("autodiff")}
    heavy = {
        "numpy.random",
        "decimal",
        "argparse",
        "importlib.resources",
        "importlib.metadata",
        "subprocess",
        "html",
    }
    assert brought & heavy == set()
    later = {
        f"autodiff.{room}" for room in ("accuracy", "anomalies", "comparison", "explanation", "nn", "optim")
    }
    assert later.isdisjoint(done.stdout.split())
    assert {name.partition(".")[0] for name in brought} - {"numpy"} <= set(sys.stdlib_module_names)


def test_the_change_log_knows_the_version():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] in (PACKAGE.parent / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_dependencies_are_three():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [name.partition(">")[0] for name in project["dependencies"]] == ["numpy", "graphviz", "tqdm"]


def test_a_name_that_numpy_has_is_looked_for_in_numpy():
    with pytest.raises(AttributeError, match=r"'tanh'; NumPy is the API: np\.tanh\(t\)"):
        autodiff.tanh  # noqa: B018  # the access is the test
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$"):
        autodiff.nonsense  # noqa: B018
    assert not hasattr(autodiff, "linalg")


def test_the_package_says_what_its_public_names_are_for():
    for name in ("Tensor", "grad", "hessian", "draw", "tree", "cross_entropy", "primitive", "check_grads"):
        assert f"`{name}" in autodiff.__doc__
