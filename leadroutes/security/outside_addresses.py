"""Which addresses a request may go to whose target a user has typed: none inside, unless the operator allows it.

Inside is whatever is not a public host of the internet: this machine, its networks, and addresses that lead to either
by way of a translation. Decides only; leadroutes.security.outside_client makes the requests.
"""

import ipaddress
import socket
from dataclasses import dataclass

import httpx

from leadroutes.settings import Settings
from leadroutes.settings.values import LARGEST_PORT

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL = 2048
# IPv6 networks whose addresses stand for one of IPv4: NAT64, 6to4, Teredo, and the old compatible form.
_TRANSLATED = tuple(
    map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96"))
)
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all of IPv6 that is public
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")


@dataclass(frozen=True, slots=True)
class AllowedNetworks:
    """Where http and https may go although it is inside: into these networks; `is_all`: to every inside address."""

    networks: tuple[Network, ...] = ()
    is_all: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "AllowedNetworks":
        named = settings.webhooks_to_private
        if named is None or named == "on":
            return cls(is_all=named == "on")
        return cls(tuple(ipaddress.ip_network(each) for each in named.split(",")))

    def has(self, address: Address) -> bool:
        """Returns whether an address is one of these."""
        return (self.is_all and is_inside(address)) or any(address in each for each in self.networks)


NONE_ALLOWED = AllowedNetworks()


def is_inside(address: Address) -> bool:
    """Returns whether an address is not a public one, or means another one."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address not in _UNICAST or any(address in each for each in _TRANSLATED)
    ):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved


def why_refused(address: Address, allowed: AllowedNetworks, *, is_encrypted: bool) -> str | None:
    """Returns why no request may go to this address, or None; `is_encrypted`: by https."""
    if allowed.has(address):
        return None
    if is_inside(address):
        return f"{address} is an address inside; only public ones are allowed"
    return None if is_encrypted else "http is not allowed to a public address; expected https"


def literal_address(host: str) -> Address | None:
    """Returns the address that a host is in itself, in any form that the system's resolver reads; None: it is a name.

    The resolver takes 127.1, 2130706433, 0x7f000001 and 017700000001 for 127.0.0.1.
    """
    text = host.strip("[]").rstrip(".").partition("%")[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text)) if text and not set(text) & set(" \t\r\n") else None
    except (OSError, UnicodeError):
        return None


def why_not_target(url: str, allowed: AllowedNetworks) -> str | None:
    """Returns what is expected in place of an address that a user has typed, or None.

    Names are only looked up when a request is made, as their owner may let them lead elsewhere at any time.
    """
    expected = "expected an address such as https://example.com/leads"
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        return expected
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return expected
    if parts.scheme not in ("http", "https") or not parts.host:
        return expected
    if parts.userinfo:
        return "expected an address without a user and a password"
    if parts.port is not None and not 0 < parts.port <= LARGEST_PORT:
        return expected
    return _why_not_host(parts, allowed)


def _why_not_host(parts: httpx.URL, allowed: AllowedNetworks) -> str | None:
    is_encrypted = parts.scheme == "https"
    found = literal_address(parts.host)
    if found is not None:
        return f"expected another host: {why}" if (why := _why(found, allowed, is_encrypted)) else None
    name = parts.host.rstrip(".").lower()
    may_be_inside = allowed.is_all or bool(allowed.networks)
    if (name in _LOCAL_NAMES or name.endswith(".localhost")) and not may_be_inside:
        return "expected another host: localhost is inside; only public ones are allowed"
    if not is_encrypted and not may_be_inside:
        return "expected https in place of http"
    return None


def _why(address: Address, allowed: AllowedNetworks, is_encrypted: bool) -> str | None:
    return why_refused(address, allowed, is_encrypted=is_encrypted)
