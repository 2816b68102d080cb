"""A text to learn letters from."""

from importlib.resources import files


def load_text() -> str:
    """Lewis Carroll's "Alice's Adventures in Wonderland" (1865), whole: 147,814 characters, 67 different ones.

    Plain ASCII: lines of at most 72 characters that end with a line feed, quotation marks as apostrophes, twelve
    chapters. The text is in the public domain: its author died in 1898, and it was published before 1931, so
    copyright has ended both where it lasts for a life and a hundred years and in the United States. From the
    Canterbury Corpus (alice29.txt); what was changed stands in LICENSE-alice beside it.

    >>> text = load_text()
    >>> len(text), len(set(text)), text.count("Alice")
    (147814, 67, 395)
    """
    return files(__package__).joinpath("alice.txt").read_text(encoding="ascii")
