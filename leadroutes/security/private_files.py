"""Writes files that hold what only their owner may read: exports, reports, backups, the generated secret.

A file has the mode 0600 from its first moment on, whatever the umask, and is there as a whole or not at all.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TextIO

from leadroutes.errors import Invalid

MODE = 0o600
# What may happen to a file that is open; other errors in the block are not about it.
_OF_A_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


@contextlib.contextmanager
def private_text(path: Path) -> Iterator[TextIO]:
    """A text file in UTF-8 to be written to, line ends as given; it takes the place of `path` at the end of the block.

    Invalid: it cannot be written there.
    """
    with (
        private_file(path) as unfinished,
        _named(path, only=_OF_A_DISK),
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        yield file


@contextlib.contextmanager
def private_file(path: Path) -> Iterator[Path]:
    """The path of an empty file that takes the place of `path` at the end of the block, and is removed on an error.

    A pipe or a device is given as it is. Invalid: it cannot be written there.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = Path(os.path.realpath(path))
    with _named(path):
        unfinished = create_private(target)
    try:
        yield unfinished
        with _named(path):
            sync(unfinished)
            unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def create_private(beside: Path) -> Path:
    """A new empty file in the directory of `beside`, which no one else can read or has made."""
    path = beside.with_name(f".{beside.name}.{secrets.token_hex(8)}")
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    try:
        os.fchmod(opened, MODE)  # a umask may have taken away too much
    finally:
        os.close(opened)
    return path


def sync(path: Path) -> None:
    """Returns once the content is on the disk."""
    with path.open("rb") as opened:
        os.fsync(opened.fileno())


@contextlib.contextmanager
def _named(path: Path, *, only: Collection[int] | None = None) -> Iterator[None]:
    """Raises Invalid in place of the system's errors: all, or those with one of these numbers."""
    try:
        yield
    except OSError as error:
        if only is not None and error.errno not in only:
            raise
        raise Invalid(f"{path}: cannot be written ({error.strerror})") from error
