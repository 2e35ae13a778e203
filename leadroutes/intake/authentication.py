"""Checks whether a sender knows the secret: keys in headers, Basic auth, signatures over the raw body.

Constant time; an unset secret equals nothing. Raises Refused, decides nothing else.
"""

import hashlib
import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from leadroutes.intake.body import Body
from leadroutes.intake.results import Refused


def is_same(given: str | None, expected: Any) -> bool:
    """Whether the secrets are equal; never if one of them is not set."""
    if not given or not expected or not isinstance(expected, str):
        return False
    return hmac.compare_digest(given.encode("utf-8", "backslashreplace"), expected.encode("utf-8", "backslashreplace"))


def require_key(incoming: Body, header: str, name: str) -> None:
    """Raises Refused (`bad_secret`) unless the header holds the secret of that name."""
    if not is_same(incoming.header(header), secret(incoming, name)):
        raise Refused("bad_secret", f"The header {header} must hold the key that was agreed on.")


def require_basic(incoming: Body, user: Any, password: Any, *, empty_password: bool = False) -> None:
    """Raises Refused (`bad_secret`) unless Basic auth names this user and password."""
    given_user, given_password = basic_of(incoming.header("Authorization"))
    is_user = is_same(given_user, user)
    is_password = given_password == "" if empty_password else is_same(given_password, password)
    if not (is_user and is_password):
        raise Refused(
            "bad_secret", "The header Authorization must hold the user name and password that were agreed on."
        )


def require_hmac(incoming: Body, header: str, name: str) -> None:
    """Raises Refused (`bad_signature`) unless the header holds `sha256=` and the raw body's HMAC with the secret."""
    key = secret(incoming, name)
    signature = (incoming.header(header) or "").strip()
    if not isinstance(key, str) or not key:
        raise Refused("bad_signature", "No secret is set to check the signature with.")
    digest = hmac.new(key.encode("utf-8", "backslashreplace"), incoming.body, hashlib.sha256).hexdigest()
    if not is_same(signature.lower(), f"sha256={digest}"):
        raise Refused("bad_signature", f"The header {header} must hold the SHA-256 signature of the body.")


def secret(incoming: Body, name: str) -> Any:
    """Returns one of the vendor's secrets, None if unset."""
    return (incoming.secret or {}).get(name)


def basic_of(header: str | None) -> tuple[str | None, str | None]:
    """Returns user name and password of Basic auth in the header Authorization; None and None without it."""
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (Base64Error, ValueError):
        return None, None
    return (user, password) if colon else (None, None)
