"""Looking at a graph: a picture by Graphviz, a tree of text, and the pure data under both."""

from .draw import Drawing, draw, to_graphviz, tree
from .errors import NoPictureError

__all__ = ["Drawing", "NoPictureError", "draw", "to_graphviz", "tree"]
