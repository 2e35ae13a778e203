"""Time-based one-time passwords (RFC 6238), as authenticator apps make them: SHA-1, six digits, thirty seconds."""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

PERIOD = 30  # seconds
DIGITS = 6
SECRET_BYTES = 20  # as long as the hash (RFC 4226, section 4)
NEIGHBOURS = (0, -1, 1)  # steps beside the present one, for a clock that is off and for a slow reader


def new_secret() -> str:
    """Returns a random secret in base32, as people type it into an app."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def code_at(secret: str, step: int, digits: int = DIGITS) -> str:
    """Returns the code of a time step (RFC 4226, section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_at(now: datetime) -> int:
    return int(now.timestamp()) // PERIOD


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """Returns the time step of which this is the code, the present one or a neighbour, or None."""
    given = "".join(code.split())
    if len(given) != DIGITS or not (given.isascii() and given.isdigit()):
        return None
    present = step_at(now)
    for neighbour in NEIGHBOURS:
        if hmac.compare_digest(code_at(secret, present + neighbour), given):
            return present + neighbour
    return None


def otpauth_uri(secret: str, issuer: str, account: str) -> str:
    """Returns the address that an app reads from a QR code."""
    name = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return f"otpauth://totp/{name}?secret={secret}&issuer={quote(issuer, safe='')}"
