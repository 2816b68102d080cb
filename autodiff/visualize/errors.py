"""What can go wrong with a picture, in a room that costs nothing to import."""


class NoPictureError(RuntimeError):
    """No picture could be painted: no program for it, or the program failed."""
