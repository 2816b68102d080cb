"""Files that are written whole or not at all."""

import os
import threading
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file, in whose place an older one stays until the new one is complete; returns its path.

    The content is written aside in the same folder and is on the disk before it takes the file's place, so that
    a process that is killed, or a machine that goes down, leaves one of the two whole. Raises FileNotFoundError
    for a folder that is not there, and an OSError that names the path if the system cannot write it.
    """
    path = Path(path)
    check_folder(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk names no file
        raise
    finally:
        aside.unlink(missing_ok=True)
    return path


def check_folder(path: Path) -> None:
    """Raise FileNotFoundError if a file's folder is not there."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(path.parent)!r}")
