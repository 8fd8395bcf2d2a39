"""Who may write a file: one process at a time, until it ends.

The claim is a lock of the operating system on a file beside it, so a killed process leaves none
behind. Within a process the database itself notices when somebody else has written.
"""

import atexit
import os
import sys
from pathlib import Path
from typing import IO

from twin.errors import OutputError, StateError

__all__ = ["claim", "is_claimed_elsewhere"]

_CLAIMED: dict[Path, IO[bytes]] = {}
_HINT = "choose another file, or a folder that can be written"

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        """Take the lock, or raise OSError."""
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        """Take the lock, or raise OSError."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def claim(path: Path) -> None:
    """Keep other processes from writing a file as long as this one lives.

    Raises
    ------
    OutputError
        Its folder cannot be written.
    StateError
        Another process has claimed it.
    """
    key = path.resolve()
    if key in _CLAIMED:
        return
    try:
        file = _beside(path).open("ab")
    except OSError as error:
        raise OutputError(path, error.strerror or str(error), hint=_HINT) from error
    try:
        _lock(file)
    except OSError as error:
        file.close()
        hint = "stop it, or choose another file"
        raise StateError(path, "another process is using it", hint=hint) from error
    _CLAIMED[key] = file


@atexit.register
def _release() -> None:
    """Give all back."""
    while _CLAIMED:
        _CLAIMED.popitem()[1].close()


def is_claimed_elsewhere(path: Path) -> bool:
    """Say whether another process has claimed a file."""
    if path.resolve() in _CLAIMED or not _beside(path).exists():
        return False
    with _beside(path).open("ab") as file:
        try:
            _lock(file)
        except OSError:
            return True
    return False


def _beside(path: Path) -> Path:
    """Return the file that is locked; SQLite's own have such names, too."""
    return Path(f"{os.fspath(path)}-lock")
