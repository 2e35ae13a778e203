"""Values that travel through a browser and come back unchanged: names of forms, ways back, what was done.

All are signed with the installation's secret; none is secret.
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec
from itsdangerous import BadSignature, Signer, TimestampSigner

from leadroutes.web.page import Done, Inverse

UNDO_SECONDS = 600
DONE_SECONDS = 120


class Signed:
    """What this installation signs for its pages."""

    def __init__(self, secret: str) -> None:
        self._forms = self._signer(Signer, secret, "form")
        self._undo = self._signer(TimestampSigner, secret, "undo")
        self._done = self._signer(TimestampSigner, secret, "done")

    @staticmethod
    def _signer(kind: type[Any], secret: str, purpose: str) -> Any:
        """Returns a signer whose key is derived once: an inbox has a hundred forms, each with a name of its own."""
        salt = f"leadroutes {purpose} 1"
        key = kind(secret, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256).derive_key()
        return kind(key, salt=salt, key_derivation="none", digest_method=hashlib.sha256)

    def form_token(self, user_id: int, owner_id: int) -> str:
        """Returns a name for a form of this user, about the account of this owner, that no other form has."""
        token: str = self._forms.sign(f"{user_id}.{owner_id}.{secrets.token_urlsafe(12)}").decode()
        return token

    def form_owner(self, token: str) -> int | None:
        """Returns about whose account a form is; None where we made none of this name."""
        try:
            return int(self._forms.unsign(token).decode().split(".")[1])
        except (BadSignature, IndexError, ValueError):
            return None

    def form_user(self, token: str) -> int | None:
        """Returns for whom a form was made; None where we made none of this name."""
        try:
            return int(self._forms.unsign(token).decode().partition(".")[0])
        except (BadSignature, ValueError):
            return None

    def undo_token(self, user_id: int, owner_id: int, inverse: Inverse) -> str:
        described = {name: value for name, value in asdict(inverse).items() if value}
        packed = msgspec.json.encode({"user_id": user_id, "owner_id": owner_id, "inverse": described})
        token: str = self._undo.sign(urlsafe_b64encode(packed)).decode()
        return token

    def inverse(self, user_id: int, token: str) -> tuple[int, Inverse] | None:
        """Returns the owner of the account with the way back; None for another user's, or after ten minutes."""
        packed = self._unpacked(self._undo, token, UNDO_SECONDS)
        if not packed or packed["user_id"] != user_id:
            return None
        return packed["owner_id"], Inverse(**packed["inverse"])

    def done_cookie(self, done: Done, undo: str) -> str:
        packed = msgspec.json.encode({"message": done.message, "undo": undo})
        cookie: str = self._done.sign(urlsafe_b64encode(packed)).decode()
        return cookie

    def done(self, cookie: str) -> Mapping[str, str] | None:
        """Returns what the last form has done: {message, undo}."""
        return self._unpacked(self._done, cookie, DONE_SECONDS)

    @staticmethod
    def _unpacked(signer: Any, token: str, seconds: int) -> dict[str, Any] | None:
        try:
            packed: dict[str, Any] = msgspec.json.decode(urlsafe_b64decode(signer.unsign(token, seconds)))
        except (BadSignature, ValueError):
            return None
        return packed
