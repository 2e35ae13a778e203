"""The key for everything that is signed: LEADROUTES_SECRET, or one that is made once and stored in LEADROUTES_DATA."""

import contextlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from leadroutes.errors import Misconfigured
from leadroutes.security.private_files import create_private
from leadroutes.settings import Settings

FILE = "secret"


def load_secret_key(settings: Settings) -> str:
    """The key of this installation; several machines need the same LEADROUTES_SECRET.

    Raises Misconfigured where none is set and none can be stored.
    """
    if settings.secret:
        return settings.secret
    try:
        return _kept(settings.data)
    except OSError as error:
        raise Misconfigured(
            f"LEADROUTES_DATA: '{settings.data}' was given; expected a directory for the generated secret"
            f" ({error.strerror}), or LEADROUTES_SECRET"
        ) from error


@lru_cache
def _kept(directory: Path) -> str:
    """Two processes that start together use the same key: that of the first to link its file into place."""
    path = directory / FILE
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = create_private(path)
        mine.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
    return path.read_text(encoding="utf-8").strip()
