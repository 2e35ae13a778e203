"""Reads the e-mail addresses that mail is sent to and from: `bob@example.com`, and `Bob Lee <bob@example.com>`.

Knows no mail and no server.
"""

import re
from typing import Final

LONGEST_ADDRESS: Final = 320  # characters; a mail server may have a limit of its own
LONGEST_NAME: Final = 200  # characters
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_IP_LITERAL: Final = re.compile(r"\[(?:[0-9.]+|IPv6:[0-9a-f:.]+)\]", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NAMED: Final = "expected an address such as leads@example.com, or a name with it: Lead Routes <leads@example.com>"


def plain_address(address: str) -> str:
    """Returns the address in ASCII, as SMTP wants it. Raises ValueError if mail cannot be sent there."""
    local, at, domain = address[: LONGEST_ADDRESS + 1].rpartition("@")
    if not domain.isascii() and len(address) <= LONGEST_ADDRESS:
        domain = domain.encode("idna").decode("ascii")  # UnicodeError, which is a ValueError
    is_domain = _DOMAIN.fullmatch(domain) or _IP_LITERAL.fullmatch(domain)
    if len(address) > LONGEST_ADDRESS or not (at and _LOCAL.fullmatch(local) and is_domain):
        raise ValueError("expected an e-mail address such as bob@example.com")
    return f"{local}@{domain}"


def named_address(text: str) -> tuple[str, str]:
    """Returns the display name, empty where there is none, and the address in ASCII. ValueError: it is not one."""
    text = text.strip()
    name, address = "", text
    if text.endswith(">"):
        name, opened, address = text[:-1].rpartition("<")
        name = name.strip() if opened else "<"
    try:
        if not text.isprintable():
            raise ValueError(text)  # noqa: TRY301 -- one sentence for all that it may not be
        return _plain_name(name), plain_address(address.strip())
    except ValueError:
        raise ValueError(_NAMED) from None


def _plain_name(name: str) -> str:
    if found := _QUOTED.fullmatch(name):
        name = re.sub(r"\\(.)", r"\1", found[1])
    elif set(name) & set('<>"@'):
        raise ValueError(name)
    if len(name) > LONGEST_NAME:
        raise ValueError(name)
    return name
