"""The key for everything that is signed: LEADROUTES_SECRET, else one that is made once and kept in LEADROUTES_DATA."""

import contextlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from leadroutes.settings import Settings

FILE = "secret"


def secret_of(settings: Settings) -> str:
    """The key of this installation; several machines need the same LEADROUTES_SECRET."""
    return settings.secret or _kept(settings.data)


@lru_cache
def _kept(directory: Path) -> str:
    """Two processes that begin together keep the same one: whoever links his file into place first."""
    path = directory / FILE
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        mine = directory / f".{FILE}-{os.getpid()}"
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
    return path.read_text(encoding="utf-8").strip()
