"""From the text of a setting to its value. A ValueError says what was expected; no file and no network is asked.

Also how a value is shown where it holds a password: a log, a terminal and an error get no secret.
"""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qs, urlsplit

import limits

from leadroutes.domain.mail_addresses import named_address

LEAST_SECRET = 16  # characters
LARGEST_PORT = 65_535
LONGEST_SHOWN = 200  # characters of a wrong value
MASK = "…"

_LABEL = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
_PORT = re.compile("[0-9]{1,5}")
_SHOWABLE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?", re.IGNORECASE)
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_PUBLIC = (
    "expected the address under which people reach this service, such as https://leads.example.com, without ? and #"
)
_SMTP = (
    "expected smtp://user:password@host:port or smtps://…, with a password where there is a user, and with @ : / ? # in"
    " either written as %40 %3A %2F %3F %23"
)
_DATABASE = (
    "expected postgresql://user:password@host:port/database, with @ : / ? # in a user or a password written as"
    " %40 %3A %2F %3F %23"
)
_LISTEN = "expected host:port, such as 0.0.0.0:25"


# ------------------------------------------------------------------------------------------------- numbers, words


def whole(least: int, most: int | None = None, what: str = "whole number") -> Callable[[str], int]:
    """Returns what reads a whole number within these limits."""
    span = f"of at least {least}" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise ValueError(f"expected a {what} {span}")
        return value

    return parse


def decimal(least: float, most: float, what: str = "number") -> Callable[[str], float]:
    """Returns what reads a number within these limits; what is not a number is outside of any."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ValueError(f"expected a {what} from {least:g} to {most:g}")
        return value

    return parse


def truth(text: str) -> bool:
    """Whether it is on, in any of the usual words."""
    if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
        raise ValueError("expected on or off")
    return text.lower() in ("1", "true", "yes", "on")


def secret(text: str) -> str:
    """A key for signatures."""
    if len(text.strip()) < LEAST_SECRET:
        raise ValueError(f"expected at least {LEAST_SECRET} characters; openssl rand -hex 32 makes a good one")
    return text


def bearer(text: str) -> str:
    """A token that a header can carry."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("expected letters, digits and signs of ASCII, without blanks")
    return text


def rate(text: str) -> str:
    """How many in which span."""
    expected = "expected a number above 0 and a span, such as 600/minute"
    try:
        found = limits.parse_many(text)
    except ValueError:
        raise ValueError(expected) from None
    if len(found) != 1 or found[0].amount < 1:
        raise ValueError(expected)
    return text


def rate_or_off(text: str) -> str | None:
    """How many in which span; None: as many as come."""
    if text.strip().lower() == "off":
        return None
    try:
        return rate(text)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from None


# ------------------------------------------------------------------------------------------------------ addresses


def domain(text: str) -> str:
    """A domain in small letters."""
    found = text.strip().lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", found) or ".." in found:
        raise ValueError("expected a domain such as leads.example.com")
    return found


def host_and_port(text: str) -> str:
    """Where a server listens."""
    host, _, port = text.strip().rpartition(":")
    if not (is_host(host.strip("[]")) and _PORT.fullmatch(port) and int(port) <= LARGEST_PORT):
        raise ValueError(_LISTEN)
    return text.strip()


def sender(text: str) -> str:
    """An e-mail address, with a display name or without."""
    named_address(text)
    return text.strip()


def public_url(text: str) -> str:
    """A web address that others are made from: no query, no fragment, no user, no slash at its end."""
    parts = _split(text, ("http", "https"), _PUBLIC)
    is_plain = not set("?#@") & set(text) and _PATH.fullmatch(parts.path) and ".." not in parts.path
    if not is_plain:
        raise ValueError(_PUBLIC)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def web_url(example: str) -> Callable[[str], str]:
    """Returns what reads the address of another service, without a slash at its end."""
    expected = f"expected an address such as {example}"

    def parse(text: str) -> str:
        parts = _split(text, ("http", "https"), expected)
        if parts.query or parts.fragment:
            raise ValueError(expected)
        return text.strip().rstrip("/")

    return parse


def smtp_url(text: str) -> str:
    """A mail server."""
    parts = _split(text, ("smtp", "smtps"), _SMTP)
    if bool(parts.username) != bool(parts.password) or parts.path not in ("", "/") or set("?#") & set(text):
        raise ValueError(_SMTP)
    return text.strip()


def database_url(text: str) -> str:
    """One or several PostgreSQL servers; what the driver reads beyond this, it says itself."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        given = parse_qs(parts.query)
    except ValueError:
        raise ValueError(_DATABASE) from None
    is_readable = parts.scheme in ("postgresql", "postgres") and text.isprintable() and " " not in text
    hosts = parts.netloc.rpartition("@")[2].split(",")
    ports = [port for host in hosts if (port := _port_of(host)) is not None]
    ports += [port for value in given.get("port", ()) for port in value.split(",")]
    if not is_readable or parts.fragment or "@" in parts.path or not all(map(_is_port, ports)):
        raise ValueError(_DATABASE)
    if given.get("sslmode", ["prefer"])[-1] not in _SSL_MODES:
        raise ValueError(f"expected an sslmode of {', '.join(_SSL_MODES)}")
    return text


def _port_of(host: str) -> str | None:
    """Of `name:port` or `[address]:port`; None where none is given."""
    rest = host.rpartition("]")[2]
    return rest.partition(":")[2] if ":" in rest else None


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and 0 < int(text) <= LARGEST_PORT


def _split(text: str, schemes: tuple[str, ...], expected: str) -> SplitResult:
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    has_scheme = parts.scheme in schemes and text.isprintable() and " " not in text
    if not has_scheme or not is_host(parts.hostname or "") or port == 0 or parts.netloc.endswith(":"):
        raise ValueError(expected)
    return parts


def is_host(text: str) -> bool:
    """Whether it is a name or a number that a connection can be made to."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        is_number = re.fullmatch(r"[0-9.]*", text) is not None  # 999.1.1.1 is not a name either
        return not is_number and len(text) <= 253 and _HOST_NAME.fullmatch(text) is not None
    return True


def is_loopback(host: str | None) -> bool:
    """Whether it is this machine, seen from itself."""
    host = (host or "").rstrip(".").lower()
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return found.is_loopback or found.is_unspecified


# --------------------------------------------------------------------------------------------------- how it is shown


def without_password(text: str) -> str:
    """An address as it may be shown, also one that cannot be read: no password, no query.

    Where it is not clear what is a host, nothing is shown but the scheme.
    """
    scheme, separator, rest = text.partition("://")
    before, at, after = rest.rpartition("@") if separator else ("", "", "")
    if not separator:
        return text if _SHOWABLE.fullmatch(text) and ("." in text or text.startswith("localhost")) else MASK
    shown = after if at else rest
    host, slash, path = re.split(r"[?#]", shown, maxsplit=1)[0].partition("/")
    query = MASK if re.search(r"[?#]", shown) else ""
    if not at and not all(_SHOWABLE.fullmatch(each) or each.startswith("[") for each in host.split(",") if each):
        host, slash, path = MASK, "", ""
    user = before.partition(":")[0] + ":" if ":" in before else ""
    return f"{scheme}://{user}{MASK if at else ''}{at}{host}{slash}{path}{query}"


def shortened(text: str) -> str:
    """The beginning of a text of any length."""
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + MASK
