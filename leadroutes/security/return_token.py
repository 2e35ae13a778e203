"""The addresses to which mail about a message comes back: `bounce+TOKEN@…` for reports, `reply+TOKEN@…` for answers.

The token names the message and is signed. It is written in small base32 letters, as mail servers may change the case of
an address, and 64 characters are all that may be before its @.
"""

import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, cast

Purpose = Literal["bounce", "reply"]

SIGNATURE: Final = 10  # bytes
LONGEST: Final = 25  # bytes, which are 40 characters of base32
LOCAL_PART: Final = re.compile(r"(bounce|reply)\+([a-z2-7]{16,40})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """What an address names: the message, and what comes back there."""

    purpose: Purpose
    owner_id: int
    message_id: int

    def local_part(self, secret: str) -> str:
        """Returns what is before the @. It is the same for every attempt to send the message."""
        named = _number(self.owner_id) + _number(self.message_id)
        token = named + _signature(secret, self.purpose, named)
        if len(token) > LONGEST:
            raise ValueError(f"the numbers of message {self.message_id} do not fit into an address")
        return f"{self.purpose}+{b32encode(token).decode('ascii').rstrip('=').lower()}"


def read_return_address(secret: str, local_part: str) -> ReturnAddress | None:
    """Returns what an address names, or None for one that this installation did not make."""
    found = LOCAL_PART.fullmatch(local_part)
    if found is None:
        return None
    token = found[2].upper()
    try:
        named = b32decode(token + "=" * (-len(token) % 8))[:-SIGNATURE]
        owner_id, message_id = _numbers(named)
    except ValueError:
        return None
    address = ReturnAddress(cast("Purpose", found[1].lower()), owner_id, message_id)
    # Made again and compared as a whole, so that each message has one address.
    return address if hmac.compare_digest(address.local_part(secret), local_part.lower()) else None


def _signature(secret: str, purpose: Purpose, named: bytes) -> bytes:
    return hmac.digest(secret.encode(), b"return address 1 " + purpose.encode() + b"\0" + named, "sha256")[:SIGNATURE]


def _number(number: int) -> bytes:
    """Returns a number in groups of seven bits, the last one without the highest bit: the usual ones are short."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _numbers(written: bytes) -> tuple[int, int]:
    """Returns the two numbers. Raises ValueError where they are not two."""
    first, second = _groups(written)
    return first, second


def _groups(written: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in written:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte <= 0x7F:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("a number has no end")
