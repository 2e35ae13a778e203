"""Compares passwords with their hashes, one at a time, so that guessing cannot take the machine.

How a hash is made, the store's accounts know.
"""

import asyncio

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = argon2.PasswordHasher()
# What an unknown account is compared with, so that the time of an answer does not tell who has one.
_NOBODY = _HASHER.hash("nobody has this password")


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether it is the one; False for an account without a password, after the same time."""
    is_right = await asyncio.to_thread(_verify, password_hash or _NOBODY, password)
    return is_right and password_hash is not None


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
