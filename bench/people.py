"""The users that sql/found.sql creates: their tokens, intake keys, and the requests that they send.

Everything is computed from a number; nothing is read from the database.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from bench.load import request


def token(user_id: int) -> str:
    """Returns the access token of this user."""
    return hashlib.sha256(f"token {user_id}".encode()).hexdigest()[:40]


def intake_key(owner_id: int) -> str:
    """Returns the intake key of this owner."""
    return hashlib.sha256(f"key {owner_id}".encode()).hexdigest()[:40]


def bearer(user_id: int) -> str:
    """Returns the Authorization header of this user."""
    return f"Bearer {token(user_id)}"


def inquiry(number: int) -> dict[str, str]:
    """Returns the inquiry of a new contact: all fields of a portal's form."""
    return {
        "name": f"Mia Lund {number}",
        "email": f"mia.lund.{number}@example.org",
        "phone": f"+1 415 {200 + number // 10_000 % 800} {number % 10_000:04d}",
        "message": "I would like to see this house at the weekend. Is it still available?",
        "address": f"{number} Grape Street",
        "city": "Denver",
        "state": "CO",
        "zip": "80205",
        "type": "Buyer",
        "price": "450000",
        "mls_id": f"MLS{number}",
    }


def inquiries(owner_ids: Iterable[int], start: int = 0) -> list[bytes]:
    """Returns a POST /intake for each of these owners, in order, each of a new person."""
    return [
        request("POST", f"/intake/{intake_key(owner_id)}", msgspec.json.encode(inquiry(number)))
        for number, owner_id in enumerate(owner_ids, start)
    ]
