"""The backward pass as something to step through: one piece of HTML that needs nothing else.

Where no script runs, as in a notebook that is not trusted, it shows its picture and its steps as text.
"""

import html
import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..files import check_folder, write_whole
from .cards import Picture
from .column import column
from .compact import compact
from .dot import digraph
from .engine import paint
from .errors import NoPictureError
from .story import Story
from .text import Text, tree_of
from .trace import Trace


class Player:
    """A backward pass to step through: shows itself in a notebook, and saves itself as a page of HTML.

    The numbers are those of the moment it was made; the picture is painted when somebody looks. `tree` is the
    graph as text.
    """

    def __init__(self, trace: Trace, picture: Picture) -> None:
        self.tree: Text = tree_of(picture, len(picture.cards) + len(picture.edges) + 1, 40)
        self._picture = picture
        self._story = Story(trace, picture)
        self._html: str | None = None

    def __repr__(self) -> str:
        count = len(self._story.turns)
        return f'<Player of {count} step{"s" * (count != 1)}; a notebook shows it, save("backward.html") keeps it>'

    def __str__(self) -> str:
        return self.tree

    def html(self) -> str:
        """The player as a fragment of HTML, which may stand on a page several times."""
        if self._html is None:
            self._html = self._build()
        return self._html

    def _build(self) -> str:
        note = ""
        try:
            svg = compact(paint(digraph(self._picture, "cards", "TB", ids=True).source, "svg").decode())
        except NoPictureError as error:
            svg = column(self._picture)
            note = f'<p class="note">The cards stand in one column: {html.escape(str(error))}</p>'
        data = self._story.as_data()
        title = html.escape(
            f"The graph of {data['loss']}, with {len(data['steps'])} steps of the backward pass"
        )
        steps = "".join(f"<li>{html.escape(line)}</li>" for line in self._story.lines(data))
        return (
            '<div class="autodiff-player" data-lm-suppress-shortcuts="true">'
            f'<style media="not all">{asset("player.css")}</style>'
            f'<img alt="{title}" style="max-width:100%;background:#fff" src="{data_uri(svg)}">'
            f"<details><summary>{title}</summary><ol>{steps}</ol></details>{note}"
            f'<script type="application/json">{as_json(data)}</script>'
            f"<script>{asset('player.js')}</script></div>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self.tree)}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the player as a page of its own, to a path that ends in .html; returns the path.

        A file that is there is replaced only whole. Raises ValueError for another ending, FileNotFoundError for
        a folder that is not there.
        """
        path = Path(path)
        check_folder(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: {path.name!r} should end in .html")
        title = html.escape(f"The backward pass of {self._story.words.name(self._story.trace.root.id)}")
        page = files(__package__).joinpath("player.html").read_text(encoding="utf-8")
        before, after = page.replace("{title}", title).split("{player}")
        return write_whole(path, (before + self.html() + after).encode())


def asset(name: str) -> str:
    """One of the package's own .js and .css files, without comments and the spaces that lines begin with."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return re.sub(r"^(\s*//.*|/\*.*\*/)?\s+", "", text, flags=re.MULTILINE)


def data_uri(svg: str) -> str:
    """A picture as an address that holds it, fit for an attribute in double quotes: its words have none."""
    address = svg.replace("%", "%25").replace("#", "%23").replace('"', "'")
    return "data:image/svg+xml;charset=utf-8," + address.replace("&", "&amp;").replace("\n", " ")


def as_json(data: Any) -> str:
    """Data for a script element, which nothing in it can end."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
