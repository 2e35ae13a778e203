"""What the enhanced status codes of mail servers (RFC 3463) say about an address. Pure."""

import re
from typing import Final

# There is no such mailbox or domain, or the mailbox is disabled. Neither a full mailbox (5.2.2) is one of these, nor a
# refusal without such a code, which may as well concern the sender.
_DEAD_ADDRESS: Final = re.compile(r"5\.(?:1\.(?:[0-3]|6|10)|2\.1|4\.4)(?![0-9.])")
_CODE: Final = re.compile(r"(?<![0-9.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?!\.?[0-9])")
_UNSPECIFIC: Final = re.compile(r"[245]\.0\.0")


def is_dead_address(code: str) -> bool:
    """Whether a text that begins with a status code says that no mail at all can be delivered to the address."""
    return _DEAD_ADDRESS.match(code) is not None


def status_code(status: str, diagnostic: str = "") -> str | None:
    """Returns the status code of a report; where that is as good as none (5.0.0), the one in what the server said."""
    found = _CODE.search(status)
    if found is None or _UNSPECIFIC.fullmatch(found[0]):
        found = _CODE.search(diagnostic) or found
    return found[0] if found else None
