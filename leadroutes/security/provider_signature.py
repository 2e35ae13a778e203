"""The signature of requests that the provider of texts and calls makes: HMAC over the public address and the form.

The address is that of the settings, never the one that the request names; there is no fallback to another form.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from leadroutes.settings import Settings
from leadroutes.settings.values import read_signing_keys

HEADER: Final = "x-twilio-signature"
KEYS_HEADER: Final = "x-twilio-webhooks-signature-settings"
DEFAULT_PORTS: Final = {"https": 443, "http": 80}

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Signatures:
    """What requests are checked with: the account's token, and keys of the provider by their ids."""

    public_url: str
    token: str | None
    keys: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> "Signatures":
        keys = read_signing_keys(settings.twilio_signing_keys) if settings.twilio_signing_keys else {}
        return cls(settings.public_url, settings.twilio_token if settings.twilio_account else None, keys)

    def address(self, target: str) -> str:
        """Returns the address that the provider has signed for a path and query as they were received."""
        return f"{self.public_url}{target}"

    def is_right(self, target: str, signature: str | None, settings: str | None, body: Pairs | bytes) -> bool:
        """Returns whether a request was signed by the provider. `body`: pairs of a form, or the bytes of anything else.

        `settings`: the header that names a key and the algorithm; without it the account's token and SHA-1 count.
        """
        secret, algorithm = self._secret_of(settings)
        if not signature or secret is None:
            return False
        if isinstance(body, bytes):
            named = parse_qs(urlsplit(target).query).get("bodySHA256", [""])[0]
            if not hmac.compare_digest(
                named.lower().encode("utf-8", "replace"), hashlib.sha256(body).hexdigest().encode()
            ):
                return False
            body = ()
        given = signature.strip().encode("utf-8", "replace")
        # All are compared, so that the time does not tell which one is right.
        found = [
            hmac.compare_digest(signed(secret, address, body, algorithm).encode(), given)
            for address in both_ports(self.address(target))
        ]
        return any(found)

    def _secret_of(self, settings: str | None) -> tuple[str | None, str]:
        """Returns the secret and the hash; no secret for a key or an algorithm that is not known."""
        if not (settings or "").strip():
            return self.token, "sha1"
        named = dict(part.strip().partition("=")[::2] for part in (settings or "").split(","))
        if named.get("algorithm", "").upper() != "HMAC_SHA256":
            return None, "sha256"
        return self.keys.get(named.get("key", "")), "sha256"


def signed(secret: str, address: str, pairs: Iterable[tuple[str, str]], algorithm: str = "sha1") -> str:
    """Returns the signature of an address and the pairs of a form, each pair once, sorted."""
    text = address + "".join(name + value for name, value in sorted(set(pairs)))
    return b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "replace"), algorithm)).decode("ascii")


def both_ports(address: str) -> tuple[str, str]:
    """Returns the address without a port and with one, otherwise as it is: providers sign either."""
    scheme, _, rest = address.partition("://")
    netloc, slash, path = rest.partition("/")
    port = urlsplit(address).port
    host = netloc if port is None else netloc.rpartition(":")[0]
    ports = ("", f":{port or DEFAULT_PORTS[scheme]}")
    return (f"{scheme}://{host}{ports[0]}{slash}{path}", f"{scheme}://{host}{ports[1]}{slash}{path}")
