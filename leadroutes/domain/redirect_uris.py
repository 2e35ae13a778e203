"""Redirect URIs: which addresses can be registered, and whether one is. Pure."""

import re
from urllib.parse import urlsplit

from leadroutes.errors import Invalid

# Native applications listen on a port that they get at random (RFC 8252, section 7.3).
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::\d{0,5})?((?:[/?].*)?)", re.IGNORECASE)
_ADDRESS = re.compile(r"[!-~]{1,2000}")
MOST = 20


def is_registered(uri: str, registered: list[str]) -> bool:
    """Whether an address is exactly one of the registered ones; on a loopback address the port is ignored."""
    if uri in registered:
        return True
    found = _LOOPBACK.fullmatch(uri)
    return found is not None and any(
        (each := _LOOPBACK.fullmatch(other)) is not None and each.groups() == found.groups() for other in registered
    )


def check_redirect_uris(uris: list[str]) -> list[str]:
    """Returns the addresses unchanged. Raises Invalid, which names the first that cannot be registered."""
    if not 0 < len(uris) <= MOST:
        raise Invalid(f"redirect_uri: {len(uris)} were given; expected 1 to {MOST}")
    for uri in uris:
        if not _is_good(uri):
            raise Invalid(
                f"redirect_uri: {uri[:200]!r} was given; expected an address such as https://app.example/callback,"
                " or one with a scheme of the application's own such as com.example.app:/callback; without a fragment"
            )
    return list(dict.fromkeys(uris))


def _is_good(uri: str) -> bool:
    if not _ADDRESS.fullmatch(uri) or set(uri) & set('#"<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        return bool(parts.hostname) and parts.username is None and port != 0
    return "." in parts.scheme  # a name turned around, as RFC 8252 wants it; so javascript: and data: are refused


def origin_of(uri: str) -> str:
    """Returns the source expression of an address for a page's CSP: its origin, or its scheme if it is not HTTP(S)."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
