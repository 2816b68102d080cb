"""The program that lays out and paints a picture: which one, and how it is run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from .errors import NoPictureError

TIMEOUT = 60.0  # seconds
INSTALL = "no Graphviz program found: pip install graphviz-pure, or name yours in $AUTODIFF_DOT"


def find_program() -> str | None:
    """The path of a Graphviz program, or None.

    In this order: $AUTODIFF_DOT; `dot` beside Python and on PATH; graphviz-pure's program, which
    notebook kernels often have installed but not on PATH. Raises NoPictureError where $AUTODIFF_DOT names no program.
    """
    chosen = os.environ.get("AUTODIFF_DOT")
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise NoPictureError(f"$AUTODIFF_DOT is {chosen!r}, which is no program; mend or unset it")
        return found
    for name in ("dot", "graphviz-pure"):
        beside = shutil.which(name, path=str(Path(sys.executable).parent)) if sys.executable else None
        found = beside or shutil.which(name)
        if found is not None:
            return found
    return installed_program("graphviz-pure")


def installed_program(distribution: str) -> str | None:
    """The program that an installed distribution lists among its files, wherever pip has put it."""
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if Path(file).stem == distribution and Path(file).parent.name.lower() in ("bin", "scripts"):
            return shutil.which(str(file.locate()))
    return None


def paint(dot: str, kind: str, *options: str) -> bytes:
    """The picture of a DOT text as "svg", "png" or "pdf".

    Raises NoPictureError, in one line what to do, without a program or where it fails or hangs.
    """
    program = find_program()
    if program is None:
        raise NoPictureError(INSTALL)
    code, picture, complaint = run([program, f"-T{kind}", *options], dot.encode())
    if code is None:
        raise NoPictureError(
            f"{program} was still busy after {TIMEOUT:g} s; fold scopes (collapse=), draw less, "
            "or choose another program in $AUTODIFF_DOT"
        )
    said = complaint.decode(errors="replace").strip()
    if re.search(r'Format: "\w+" not recognized', said):
        way_out = "save svg or png, or install Graphviz itself (https://graphviz.org/download)"
        raise NoPictureError(f"{program} cannot write {kind.upper()}; {way_out}")
    if code or not picture:
        raise NoPictureError(f"{program} failed with exit status {code}: {said or 'it said nothing'}")
    return picture


def run(command: list[str], text: bytes) -> tuple[int | None, bytes, bytes]:
    """The exit status, output and error output of a program; status None if it was still running at the end of TIMEOUT.

    It gets a session of its own, so that what it has started ends with it.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise NoPictureError(f"{command[0]} does not start: {error}") from error
    with process:
        try:
            output, complaint = process.communicate(text, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return None, b"", b""
        finally:
            if process.poll() is None:
                stop(process)
    return process.returncode, output, complaint


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a program and whatever it has started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
