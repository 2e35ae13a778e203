"""The push services of browsers: to no other address is a notification ever sent. Values only."""

from typing import Final
from urllib.parse import urlsplit

# Of Chrome and its relatives, Firefox, Safari, Edge; what begins with a dot means every name that ends with it.
KNOWN: Final = (
    "fcm.googleapis.com",
    "android.googleapis.com",
    "jmt17.google.com",
    "updates.push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)
LONGEST: Final = 1_000  # characters of an endpoint


def is_of_push_service(endpoint: str, others: str | None) -> bool:
    """Whether an endpoint belongs to a known push service, or to one of `others`, the setting of that name."""
    origin = origin_of(endpoint)
    if origin is None:
        return False
    if others is not None and origin in others.split(","):
        return True
    host = origin.removeprefix("https://")
    return host != origin and any(host == each or (each[0] == "." and host.endswith(each)) for each in KNOWN)


def origin_of(endpoint: str) -> str | None:
    """Returns the scheme, host and port of an endpoint, without a port that goes without saying. None: it has none."""
    if len(endpoint) > LONGEST or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return None
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "\\" in endpoint:
        return None
    usual = {"http": 80, "https": 443}[parts.scheme]
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port is not None and port != usual else "")
