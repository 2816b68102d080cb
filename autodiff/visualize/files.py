"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file, in whose place an older one stays until the new one is complete; returns its path.

    Raises FileNotFoundError for a folder that is not there.
    """
    path = Path(path)
    check_folder(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def check_folder(path: Path) -> None:
    """Raise FileNotFoundError if a file's folder is not there."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(path.parent)!r}")
