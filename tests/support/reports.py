"""Mails that come back, as real servers and people write them, addressed to one of our messages."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "intake" / "reports"
DEAD = {  # the status code with which each says that there is no such mailbox
    "postfix": "5.1.1",
    "exchange": "5.1.10",
    "exim": "5.1.1",
    "gmail": "5.1.1",
    "qmail": "5.1.1",
}
_OURS = re.compile(rb"(bounce|reply)\+[a-z2-7]{20}@leads\.example\.com")


def returned(name: str, bounce: str | None = None, reply: str | None = None) -> bytes:
    """The mail of this name; `bounce` and `reply` take the place of the addresses in it."""
    given = {b"bounce": bounce, b"reply": reply}
    content = (FOLDER / f"{name}.eml").read_bytes()
    return _OURS.sub(lambda found: (given[found[1]] or found[0].decode()).encode(), content)
