"""Where the bar of a training is shown: on a terminal, in a notebook's cell, or nowhere."""

import sys
from typing import Any

from tqdm import tqdm


def bar(shown: bool, **options: Any) -> Any:
    """A bar of tqdm's with the `options`; a silent one unless it is to be `shown` and there is somebody to see it."""
    place = (sys.stderr if is_terminal(sys.stderr) else cell()) if shown else None
    return tqdm(disable=place is None, file=place, **options)


def is_terminal(file: Any) -> bool:
    """Whether what is written to `file` is seen at once; there is no file at all under pythonw."""
    return file is not None and file.isatty()


def cell() -> Any:
    """A line of the notebook's cell that runs now, or None if none does."""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return CellLine(sys.modules["IPython.display"].display) if getattr(shell, "kernel", None) else None


class CellLine:
    """One line of output in a notebook, as a file: what is written replaces what was there.

    tqdm's own widget needs another package, and is lost in notebooks that are only viewed; on stderr each
    change of the bar would be kept.
    """

    encoding = "utf-8"

    def __init__(self, display: Any) -> None:
        self.shown = display({"text/plain": ""}, raw=True, display_id=True)

    def write(self, text: str) -> None:
        """Show the line, if there is anything in it."""
        if line := text.strip():
            self.shown.update({"text/plain": line}, raw=True)

    def flush(self) -> None:
        """Nothing waits."""
