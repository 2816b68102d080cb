"""Which program paints, what happens without one, and what when it fails."""

import importlib.metadata
import os
import stat
import sys
import time

import pytest

import autodiff as ad
from autodiff.visualize import NoPictureError, engine

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the fake programs are shell scripts")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A machine without any Graphviz, and a way to put fake programs on its PATH or beside its Python."""
    folders = {"path": tmp_path / "path", "beside": tmp_path / "beside", "else": tmp_path / "else"}
    for folder in folders.values():
        folder.mkdir()

    def absent(distribution):
        raise importlib.metadata.PackageNotFoundError(distribution)

    monkeypatch.delenv("AUTODIFF_DOT", raising=False)
    monkeypatch.setenv("PATH", str(folders["path"]))
    monkeypatch.setattr(sys, "executable", str(folders["beside"] / "python"))
    monkeypatch.setattr(importlib.metadata, "files", absent)

    def install(where, name, script):
        program = folders[where] / name
        program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return str(program)

    return install


PAINTS = "cat > /dev/null; echo '<svg xmlns=\"http://www.w3.org/2000/svg\"/>'"


def drawing():
    return ad.draw(ad.Tensor(3.0, name="x") * 2.0)


# -- the search ------------------------------------------------------------------------------------


def test_the_variable_wins_over_a_dot_on_path(programs, monkeypatch):
    programs("path", "dot", PAINTS)
    mine = programs("else", "my dot", PAINTS)
    monkeypatch.setenv("AUTODIFF_DOT", mine)
    assert engine.find_program() == mine


def test_a_variable_that_names_no_program_is_an_error_not_a_fallback(programs, monkeypatch):
    programs("path", "dot", PAINTS)
    monkeypatch.setenv("AUTODIFF_DOT", "/nowhere/dot")
    with pytest.raises(NoPictureError, match="/nowhere/dot"):
        drawing().svg()


def test_a_dot_beside_python_wins_over_one_on_path(programs):
    programs("path", "dot", PAINTS)
    beside = programs("beside", "dot", PAINTS)
    assert engine.find_program() == beside


def test_a_dot_on_path_wins_over_graphviz_pure(programs):
    programs("beside", "graphviz-pure", PAINTS)
    dot = programs("path", "dot", PAINTS)
    assert engine.find_program() == dot


def test_graphviz_pure_is_found_beside_python_and_on_path(programs):
    on_path = programs("path", "graphviz-pure", PAINTS)
    assert engine.find_program() == on_path
    beside = programs("beside", "graphviz-pure", PAINTS)
    assert engine.find_program() == beside


def test_the_installed_graphviz_pure_is_found_wherever_pip_has_put_it(monkeypatch, tmp_path):
    monkeypatch.delenv("AUTODIFF_DOT", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    program = engine.find_program()
    assert program is not None
    assert os.path.basename(program).startswith("graphviz-pure")
    assert drawing().svg().rstrip().endswith("</svg>")


# -- without a program -----------------------------------------------------------------------------


def test_without_a_program_a_notebook_gets_the_tree_and_one_message(programs):
    shown = drawing()
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert bundle["text/plain"].startswith(str(shown))
    assert bundle["text/plain"].count("pip install graphviz-pure") == 1


def test_without_a_program_saving_a_picture_says_in_one_line_what_to_install(programs, tmp_path):
    with pytest.raises(NoPictureError, match="pip install graphviz-pure") as caught:
        drawing().save(tmp_path / "graph.svg")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "graph.svg").exists()


@pytest.mark.parametrize("ending", [".dot", ".gv", ".txt"])
def test_text_needs_no_program(programs, tmp_path, ending):
    path = drawing().save(tmp_path / f"graph{ending}")
    assert path.read_text(encoding="utf-8").strip()


# -- programs that fail ----------------------------------------------------------------------------


def test_a_failing_program_is_quoted(programs, tmp_path):
    programs("path", "dot", "echo 'fonts are gone' >&2; exit 3")
    with pytest.raises(NoPictureError, match="exit status 3: fonts are gone"):
        drawing().save(tmp_path / "graph.png")
    assert list(tmp_path.glob("*graph*")) == []
    assert "fonts are gone" in drawing()._repr_mimebundle_()["text/plain"]


def test_a_program_that_says_nothing_and_paints_nothing_has_failed(programs):
    programs("path", "dot", "cat > /dev/null")
    with pytest.raises(NoPictureError, match="it said nothing"):
        drawing().svg()


def test_warnings_of_a_program_that_paints_are_not_shown(programs, capfd):
    programs("path", "dot", f"echo 'Warning: no such font' >&2; {PAINTS}")
    assert "<svg" in drawing().svg()
    assert capfd.readouterr() == ("", "")


def test_a_hanging_program_is_ended_with_all_it_started(programs, monkeypatch, tmp_path):
    beats = tmp_path / "beats"
    programs("path", "dot", f"(while :; do echo >> {beats}; sleep 0.05; done) & wait")
    monkeypatch.setattr(engine, "TIMEOUT", 1.0)
    start = time.monotonic()
    with pytest.raises(NoPictureError, match="still busy after 1 s"):
        drawing().svg()
    assert time.monotonic() - start < 20
    heard = beats.stat().st_size
    assert heard
    time.sleep(0.5)
    assert beats.stat().st_size == heard


def test_a_program_that_does_not_start_is_named(programs):
    program = programs("path", "dot", "")
    with open(program, "wb") as file:
        file.write(b"\x7fELF no program at all")
    with pytest.raises(NoPictureError, match="does not start"):
        drawing().svg()


def test_a_program_that_ignores_its_input_is_no_broken_pipe(programs):
    programs("path", "dot", "exec < /dev/null; echo '<svg xmlns=\"http://www.w3.org/2000/svg\"/>'")
    y = ad.Tensor(1.0)
    for _ in range(140):
        y = -y
    assert "<svg" in ad.draw(y).svg()


# -- saving ----------------------------------------------------------------------------------------


def test_png_and_svg_are_what_their_endings_say(tmp_path):
    assert drawing().save(tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in drawing().save(str(tmp_path / "a.svg")).read_bytes()


def test_a_program_that_knows_pdf_writes_it(programs, tmp_path):
    programs("path", "dot", 'cat > /dev/null; echo "%PDF-1.7 $1"')
    assert drawing().save(tmp_path / "graph.pdf").read_text() == "%PDF-1.7 -Tpdf\n"


def test_a_program_that_knows_no_pdf_gives_the_way_out(programs, tmp_path):
    programs("path", "dot", "echo 'Format: \"pdf\" not recognized. Use one of: png svg' >&2; exit 1")
    with pytest.raises(NoPictureError, match="cannot write PDF; save svg or png, or install Graphviz itself"):
        drawing().save(tmp_path / "graph.pdf")


def test_graphviz_pure_knows_no_pdf(monkeypatch, tmp_path):
    program = engine.installed_program("graphviz-pure")
    assert program is not None
    monkeypatch.setenv("AUTODIFF_DOT", program)
    with pytest.raises(NoPictureError, match="cannot write PDF"):
        drawing().save(tmp_path / "graph.pdf")


def test_an_unknown_ending_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match=r"'graph.jpg' should end in one of .svg, .png, .pdf"):
        drawing().save(tmp_path / "graph.jpg")


def test_a_file_is_replaced_only_whole(programs, tmp_path):
    path = tmp_path / "graph.svg"
    path.write_text("before")
    programs("path", "dot", "echo half; exit 1")
    with pytest.raises(NoPictureError):
        drawing().save(path)
    assert path.read_text() == "before"
    programs("path", "dot", PAINTS)
    drawing().save(path)
    assert "<svg" in path.read_text()
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["graph.svg"]


def test_saving_into_a_folder_that_is_not_there_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        drawing().save(tmp_path / "nowhere" / "graph.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_painted_once(programs, tmp_path):
    programs("path", "dot", f"echo run >> {tmp_path}/runs; {PAINTS}")
    shown = drawing()
    assert not (tmp_path / "runs").exists()
    shown.svg()
    shown._repr_mimebundle_()
    assert (tmp_path / "runs").read_text() == "run\n"
