"""Files that are written whole or not at all."""

import os
import shutil
import threading
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file, in whose place an older one stays until the new one is complete; returns its path.

    The content is written aside in the same folder and is on the disk before it takes the file's place, so that
    a process that is killed, or a machine that goes down, leaves one of the two whole. Where a link leads to the
    file, the link stays; so do the permissions of the older file. Raises FileNotFoundError for a folder that is not
    there, FileExistsError for a folder or a device in the file's place, and an OSError that names the path if the
    system cannot write it.
    """
    path = Path(path)
    check_folder(path)
    file = Path(os.path.realpath(path))
    aside = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with aside.open("wb") as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        if file.exists():
            shutil.copymode(file, aside)
        aside.replace(file)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk names no file
        raise
    finally:
        aside.unlink(missing_ok=True)
    return path


def check_folder(path: Path) -> None:
    """Raise unless the folder for a file is there, and nothing but a file in the place of the file."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(path.parent)!r}")
    if path.exists() and not path.is_file():
        raise FileExistsError(f"save: {str(path)!r} is no file, but a folder or a device")
