"""The command line, `python -m autodiff`."""

import os
import re
import signal
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from autodiff import __main__ as command
from autodiff import visualize
from autodiff.__main__ import main
from autodiff.visualize import engine

COMMAND = [sys.executable, "-m", "autodiff"]
QUICK = ["--steps", "3"]


def run(*words, **environment):
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The main job, with all its defaults but the folder."""
    out = tmp_path_factory.mktemp("out")
    return run("--out", out), out


@pytest.fixture
def quick_measures(monkeypatch):
    """Few repeats, and no search for failures: for tests that look at something else."""
    real = command.compare
    monkeypatch.setattr(
        command,
        "compare",
        lambda *args, **options: real(
            *args, **{**options, "repeats": 1, "sweep": options["sweep"] and (1, 1.1)}
        ),
    )


def training_rows(text):
    """The printed `(form, loss, right)` of each training."""
    rows = re.findall(r"^(naive|composed|fused) +([\d.e+-]+) +(\d+) of 30", text, re.MULTILINE)
    return [(form, float(loss), int(right)) for form, loss, right in rows]


def cells(text, label):
    """The three cells of the table's line with `label`."""
    (line,) = [line for line in text.splitlines() if line.strip().startswith(label)]
    return line.split(label)[1].split()


# -- the main job ------------------------------------------------------------------------------------


def test_the_command_succeeds_and_is_silent_on_stderr(finished):
    done, _ = finished
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_composed_and_fused_softmax_train_alike(finished):
    (one, composed, right), (other, fused, right_too) = training_rows(finished[0].stdout)
    assert (one, other) == ("composed", "fused")
    assert abs(composed - fused) < 1e-10
    assert right == right_too
    assert right / 30 >= 0.93
    assert composed < 0.1


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_other_seeds_learn_the_flowers_too(seed, tmp_path, capsys, quick_measures):
    assert main(["--seed", seed, "--out", str(tmp_path)]) == 0
    rows = training_rows(capsys.readouterr().out)
    assert [right >= 28 for _, _, right in rows] == [True, True]


def test_the_table_says_where_the_naive_form_overflows(finished):
    assert cells(finished[0].stdout, "is NaN from") == ["709.8", "never", "never"]


def test_the_table_says_that_only_the_fused_form_keeps_its_digits(finished):
    text = finished[0].stdout
    assert cells(text, "at logits of size 100")[1] == "1"
    assert float(cells(text, "at logits of size 100")[2]) < 1e-12
    assert cells(text, "is 1 % wrong from")[2] == "never"


def test_the_table_says_that_the_fused_form_is_smaller(finished):
    text = finished[0].stdout
    _, composed, fused = map(int, cells(text, "nodes in the graph"))
    assert fused < composed
    _, composed, fused = map(float, cells(text, "kept for the backward pass")[::2])
    assert fused < composed
    assert all(
        float(time) > 0 for time in cells(text, "forward pass")[::2] + cells(text, "backward pass")[::2]
    )
    assert float(cells(text, "largest gradient difference to fused")[1]) < 1e-14


def test_the_picture_is_an_svg_that_shows_every_parameter(finished):
    done, out = finished
    path = out / "backward.svg"
    assert done.stdout.splitlines()[-1] == str(path)
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    text = " ".join(root.itertext())
    assert [name for name in ("W1", "b1", "W2", "b2", "logits", "loss") if name not in text] == []


def test_nothing_but_the_picture_is_left_behind(finished):
    assert [path.name for path in finished[1].iterdir()] == ["backward.svg"]


def test_the_text_fits_a_terminal_and_is_plain_ascii(finished):
    *lines, _ = finished[0].stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert finished[0].stdout.isascii()


# -- options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["naive", "composed", "fused"])
def test_one_form_can_be_trained_alone(form, tmp_path, capsys, quick_measures):
    assert main([*QUICK, "--form", form, "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert [row[0] for row in training_rows(text)] == [form]
    assert "difference  " not in text


def test_float32_prints_the_difference_as_it_is(tmp_path, capsys, quick_measures):
    assert main(["--dtype", "float32", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    (_, composed, right), (_, fused, _) = training_rows(text)
    assert abs(composed - fused) < 1e-6
    assert right >= 28
    assert re.search(r"^difference (0|\d\.\de-(0[6-9]|1\d))$", text, re.MULTILINE)


def test_no_step_of_training_leaves_the_first_parameters(tmp_path, capsys, quick_measures):
    assert main(["--steps", "0", "--out", str(tmp_path)]) == 0
    assert training_rows(capsys.readouterr().out)[0][1] > 0.5


def test_the_seed_alone_decides_the_result(tmp_path, capsys, quick_measures):
    texts = []
    for seed in ("5", "5", "6"):
        assert main([*QUICK, "--seed", seed, "--out", str(tmp_path)]) == 0
        texts.append(training_rows(capsys.readouterr().out))
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    "words",
    [
        ["--steps", "-1"],
        ["--steps", "1.5"],
        ["--steps", "many"],
        ["--steps", "1" + "0" * 5000],
        ["--steps"],
        ["--lr", "nan"],
        ["--lr", "inf"],
        ["--lr", "0"],
        ["--lr", "-0.5"],
        ["--lr", "fast"],
        ["--seed", "-1"],
        ["--seed", "x"],
        ["--form", "textbook"],
        ["--dtype", "int64"],
        ["--bogus"],
        ["two\nlines"],
    ],
    ids=" ".join,
)
def test_a_bad_value_gives_one_line_and_status_2(words, tmp_path, capsys):
    assert main([*words, "--out", str(tmp_path / "new")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r"autodiff: [^\n]+\n", printed.err)
    assert not (tmp_path / "new").exists()


def test_a_bad_value_gives_one_line_and_status_2_in_a_process_of_its_own():
    done = run("--lr", "nan")
    assert done.returncode == 2
    assert done.stderr == "autodiff: argument --lr: 'nan' is not a finite number above 0\n"


def test_a_folder_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert main(["--out", str(out)]) == 2
        assert re.fullmatch(r"autodiff: argument --out: [^\n]+\n", capsys.readouterr().err)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, capsys, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(command.tempfile, "TemporaryFile", refuse)
    assert main(["--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error == f"autodiff: argument --out: cannot write to {str(tmp_path)!r}: Permission denied\n"


def test_a_training_that_diverges_says_so(tmp_path, capsys):
    assert main(["--lr", "1e300", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error == "autodiff: the training diverged, its loss is nan: try an --lr below 1e+300\n"


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert [
        word for word in ["--steps", "--lr", "--seed", "--out", "--form", "--dtype"] if word not in text
    ] == []


# -- what it writes ------------------------------------------------------------------------------------


def test_an_existing_picture_is_replaced(tmp_path, capsys, quick_measures):
    (tmp_path / "backward.svg").write_text("old")
    assert main([*QUICK, "--out", str(tmp_path)]) == 0
    assert ElementTree.parse(tmp_path / "backward.svg").getroot().tag.endswith("svg")


def test_an_existing_picture_stays_whole_when_writing_fails_half_way(
    tmp_path, capsys, monkeypatch, quick_measures
):
    def half(self, path, *args, **options):
        path.write_text("<svg")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(visualize.Drawing, "save", half)
    (tmp_path / "backward.svg").write_text("old")
    assert main([*QUICK, "--out", str(tmp_path)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["backward.svg"]
    assert (tmp_path / "backward.svg").read_text() == "old"


def test_without_a_graphviz_program_the_tree_is_written_as_text(
    tmp_path, capsys, monkeypatch, quick_measures
):
    monkeypatch.setattr(engine, "find_program", lambda: None)
    assert main([*QUICK, "--out", str(tmp_path)]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith(str(tmp_path / "backward.txt"))
    assert "pip install graphviz-pure" in last
    assert len(last) - len(str(tmp_path)) < 120
    tree = (tmp_path / "backward.txt").read_text(encoding="utf-8")
    assert "loss" in tree
    assert "W1" in tree
    assert [path.name for path in tmp_path.iterdir()] == ["backward.txt"]


def test_a_folder_that_is_not_there_is_made(tmp_path, capsys, quick_measures):
    assert main([*QUICK, "--out", str(tmp_path / "a" / "b")]) == 0
    assert (tmp_path / "a" / "b" / "backward.svg").exists()


# -- terminals and pipes -------------------------------------------------------------------------------


def test_a_terminal_without_utf8_gets_escapes(tmp_path):
    out = tmp_path / "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n"
    done = run(*QUICK, "--out", out, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    assert "gr\\xfcn" in done.stdout
    assert (out / "backward.svg").exists()


def test_a_reader_that_has_enough_gets_no_traceback(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, *QUICK, "--out", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")
def test_a_full_disk_gives_one_line(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "--out", str(tmp_path)], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == b"autodiff: No space left on device\n"


def test_ctrl_c_gives_one_line_and_status_130(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "--steps", "1000000", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()  # the training begins
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert error == b"autodiff: interrupted\n"
    assert process.returncode == 130


def test_a_terminal_shows_the_progress(tmp_path):
    pty = pytest.importorskip("pty", reason="terminals are made like this on POSIX only")
    termios = pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    os.set_blocking(ours, False)
    done = subprocess.run(
        [*COMMAND, *QUICK, "--out", str(tmp_path)], stdout=subprocess.PIPE, stderr=theirs, timeout=60
    )
    shown = os.read(ours, 10000).decode()
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert "training, composed" in shown
    assert "training, fused" in shown


# -- what a newcomer reads -----------------------------------------------------------------------------


def test_losses_are_printed_with_all_their_digits_however_large():
    rows = command.training_lines({"fused": (0.1 + 0.2, 30), "composed": (1.5e300, 10)}, "float64")
    assert [row.split()[1] for row in rows[1:3]] == ["0.30000000000000004", "1.5000000000000001e+300"]
    assert all(len(row) <= 80 for row in rows)
    assert (
        command.training_lines({"fused": (float("1.00000012"), 3)}, "float32")[1].split()[1] == "1.00000012"
    )


@pytest.mark.parametrize("ending", [".svg", ".TXT"])
def test_a_file_is_no_folder_for_the_picture(ending, tmp_path, capsys):
    out = tmp_path / f"loss{ending}"
    assert main(["--out", str(out)]) == 2
    assert re.search(r"should be a folder; .* backward\.svg$", capsys.readouterr().err)
    assert not out.exists()


def test_an_unknown_option_names_the_help(capsys):
    assert main(["--bogus"]) == 2
    assert capsys.readouterr().err == "autodiff: unrecognized arguments: --bogus; see --help\n"


def test_the_version_is_the_distributions(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert re.fullmatch(r"autodiff \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_the_table_says_against_which_truth_the_errors_are(finished):
    assert "the logits' gradient, worst relative error against 60-digit arithmetic" in finished[0].stdout
