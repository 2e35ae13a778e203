"""From the text of a setting to its value. A ValueError says what was expected; no file and no network is asked.

Also how a value is shown where it holds a password: a log, a terminal and an error get no secret.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
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
_SPAN = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?[smh]")
_SHOWABLE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?", re.IGNORECASE)
_PROVIDER_ID = re.compile("[A-Za-z0-9_-]{1,100}")
_PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
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


def word(*words: str) -> Callable[[str], str]:
    """Returns what reads one of these words, in any letter case."""

    def parse(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError(f"expected {' or '.join(words)}")
        return text.strip().lower()

    return parse


def moment(text: str) -> datetime:
    """A moment with its offset from UTC."""
    expected = "expected a moment with its offset, such as 2027-03-13T09:00:00-07:00"
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(expected) from None
    if found.tzinfo is None or not 2000 <= found.year < 2100:
        raise ValueError(f"{expected}, in the years 2000 to 2099")
    return found.astimezone(UTC)


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


def spans(text: str) -> str:
    """Spans of time with commas between them; `span_seconds` reads them."""
    if not all(_SPAN.fullmatch(each.strip()) for each in text.split(",")):
        raise ValueError("expected numbers with s, m or h and commas between them, such as 5s,5m,2h")
    return ",".join(each.strip() for each in text.split(","))


def span_seconds(text: str) -> tuple[float, ...]:
    """Returns the seconds of each of these spans."""
    units = {"s": 1, "m": 60, "h": 3600}
    return tuple(float(each[:-1]) * units[each[-1]] for each in text.split(","))


# -------------------------------------------------------------------------------------- the provider of texts and calls


def provider_url(text: str) -> str:
    """The address of an API of Twilio's shape; one that names only a host gets the path that Twilio has."""
    found = web_url("https://api.twilio.com/2010-04-01")(text)
    return found if urlsplit(found).path else f"{found}/2010-04-01"


def provider_id(example: str) -> Callable[[str], str]:
    """Returns what reads an id that a provider has given to something."""

    def parse(text: str) -> str:
        if not _PROVIDER_ID.fullmatch(text.strip()):
            raise ValueError(f"expected an id such as {example}")
        return text.strip()

    return parse


def phone_number(text: str) -> str:
    """A phone number in E.164."""
    if not _PHONE_NUMBER.fullmatch(text.strip()):
        raise ValueError("expected a number such as +13035550100")
    return text.strip()


def signing_keys(text: str) -> str:
    """Keys that the provider signs with."""
    read_signing_keys(text)
    return text


def read_signing_keys(text: str) -> dict[str, str]:
    """Returns the secrets by the ids of their keys. Raises ValueError for anything but ID:SECRET,ID:SECRET."""
    found = {}
    for pair in text.split(","):
        key, separator, secret_ = pair.strip().partition(":")
        if not (separator and _PROVIDER_ID.fullmatch(key) and secret_):
            raise ValueError("expected ID:SECRET, several with commas between them")
        found[key] = secret_
    return found


# ------------------------------------------------------------------------------------------------------ addresses


def networks_or_on(text: str) -> str | None:
    """Networks with commas between them, or `on`; None for `off`."""
    given = text.strip().lower()
    if given in ("on", "off"):
        return None if given == "off" else given
    try:
        return ",".join(str(ipaddress.ip_network(each.strip())) for each in given.split(","))
    except ValueError:
        raise ValueError("expected on, off, or networks such as 10.0.0.0/8,192.168.1.7/32") from None


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
    """A web address that others are made from: no query, no fragment, no user, no slash at its end, no usual port.

    Browsers leave the usual port out of the origin that they name, with which this address is compared.
    """
    parts = _split(text, ("http", "https"), _PUBLIC)
    is_plain = not set("?#@") & set(text) and _PATH.fullmatch(parts.path) and ".." not in parts.path
    if not is_plain:
        raise ValueError(_PUBLIC)
    netloc = _without_usual_port(parts.scheme, parts.netloc.lower())
    return f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}"


def _without_usual_port(scheme: str, netloc: str) -> str:
    return netloc.removesuffix(":443" if scheme == "https" else ":80")


def web_url(example: str) -> Callable[[str], str]:
    """Returns what reads the address of another service, without a slash at its end."""
    expected = f"expected an address such as {example}"

    def parse(text: str) -> str:
        parts = _split(text, ("http", "https"), expected)
        if parts.query or parts.fragment:
            raise ValueError(expected)
        return text.strip().rstrip("/")

    return parse


def origins(text: str) -> str:
    """Hosts or web addresses without a path, with commas; a host alone is reached by https."""
    expected = "expected hosts or addresses with commas, such as push.example.com,http://127.0.0.1:9000"
    found = []
    for each in text.split(","):
        given = each.strip().lower().rstrip("/")
        parts = _split(given if "://" in given else f"https://{given}", ("http", "https"), expected)
        if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(expected)
        found.append(f"{parts.scheme}://{_without_usual_port(parts.scheme, parts.netloc)}")
    return ",".join(found)


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
        parts = split_database_url(text)
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


def split_database_url(url: str) -> SplitResult:
    """The parts of an address that may name several servers; Python refuses `one,[::1]` as a network location."""
    scheme, colon, rest = url.partition("://")
    end = next((place for place, each in enumerate(rest) if each in "/?#"), len(rest))
    return urlsplit(f"{scheme}{colon}{rest[end:]}")._replace(netloc=rest[:end])


def join_database_url(parts: SplitResult) -> str:
    """The address again; Python would leave the slashes out where no server is named before the path."""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?' if parts.query else ''}{parts.query}"


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


def is_local_address(sender: str) -> bool:
    """Whether mail from this address, with a name or without, comes from this machine alone."""
    domain = named_address(sender)[1].rpartition("@")[2]
    return is_loopback(domain.strip("[]").removeprefix("IPv6:"))


def is_public_url(url: str) -> bool:
    """Whether others reach this address, and by https."""
    parts = urlsplit(url)
    return parts.scheme == "https" and not is_loopback(parts.hostname)


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
