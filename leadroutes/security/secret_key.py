"""The key for everything that is signed: LEADROUTES_SECRET, or one that is made once and stored in LEADROUTES_DATA."""

import contextlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from leadroutes.errors import Misconfigured
from leadroutes.security.private_files import create_private, sync
from leadroutes.settings import Settings
from leadroutes.settings.values import LEAST_SECRET

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
    """Two processes that start together use the same key: that of the first to link its file into place.

    What is signed with a key that a crash has cut short could be made by anyone, so such a file is refused.
    """
    path = directory / FILE
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = create_private(path)
        try:
            mine.write_text(secrets.token_urlsafe(32), encoding="utf-8")
            sync(mine)
            with contextlib.suppress(FileExistsError):
                os.link(mine, path)
        finally:
            mine.unlink()
    key = path.read_bytes().decode("utf-8", "replace").strip()
    if len(key) < LEAST_SECRET or not key.isprintable():
        raise Misconfigured(
            f"LEADROUTES_DATA: {path} holds {len(key)} characters; expected the generated secret, of at least"
            f" {LEAST_SECRET} characters: bring the file back from a copy, or remove it, and a new secret is made"
        )
    return key
