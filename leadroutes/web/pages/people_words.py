"""How pages name people and their rights."""

from collections.abc import Mapping
from typing import Any


def name_of(user: Mapping[str, Any]) -> str:
    """Returns the name of a user, else the e-mail."""
    name = " ".join(part for part in (user.get("first_name"), user.get("last_name")) if part)
    return name or user.get("email") or ""
