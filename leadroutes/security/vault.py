"""Keeps what must be readable again but never shown: vendors' secrets, and the headers that prove a sender.

Encrypted with a key that is made from the installation's secret; without that one they are lost.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from leadroutes.errors import Invalid
from leadroutes.intake.formats import why_not_secrets
from leadroutes.security.secret_key import load_secret_key
from leadroutes.settings import Settings

PURPOSE = b"leadroutes vendor secrets 1"


class Vault:
    """`seal()` and `unseal()`."""

    def __init__(self, secret: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
        self._fernet = Fernet(urlsafe_b64encode(derived))

    @classmethod
    def of(cls, settings: Settings) -> "Vault":
        """The vault of this installation."""
        return cls(load_secret_key(settings))

    def seal(self, values: Mapping[str, str]) -> bytes:
        return self._fernet.encrypt(msgspec.json.encode(dict(values)))

    def unseal(self, sealed: bytes | None) -> dict[str, Any] | None:
        """What was sealed; None for nothing. What another secret sealed comes out empty, so that it opens nothing."""
        if sealed is None:
            return None
        try:
            return msgspec.json.decode(self._fernet.decrypt(sealed), type=dict[str, Any])
        except (InvalidToken, msgspec.MsgspecError):
            return {}


def seal_pairs(settings: Settings, format_: str | None, pairs: Sequence[str]) -> bytes | None:
    """`NAME=VALUE` pairs, sealed; Invalid unless they are the secrets of that format, all of them."""
    secrets = {name.strip(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs)}
    if not all(name and value for name, value in secrets.items()):
        raise Invalid("A secret is given without a value; expected NAME=VALUE")
    if why_not := why_not_secrets(format_, secrets):
        raise Invalid(f"secrets: {why_not}")
    return Vault.of(settings).seal(secrets) if secrets else None
