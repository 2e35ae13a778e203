"""Amazon SNS, which carries Zillow's leads: which addresses may be asked, and whether a message is signed.

Fetches nothing: certificates are handed in, and only for addresses that pass the rule here.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from leadroutes.intake.authentication import is_same
from leadroutes.intake.body import FindCertificate
from leadroutes.intake.decoding import scalar
from leadroutes.intake.results import Refused

CONFIRMATIONS: Final = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})

_ADDRESS = re.compile(
    r"https://sns\.[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\.amazonaws\.com(?::443)?(?:[/?#][\x21-\x5b\x5d-\x7e]{0,2000})?",
    re.IGNORECASE,
)
_SIGNED: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_CONFIRMATION: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_VERSIONS: Final[dict[str, hashes.HashAlgorithm]] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - theirs


def require_amazon_address(address: str | None, field: str) -> str:
    """Returns the address if it is one of Amazon's SNS. Raises Refused (`bad_url`) otherwise."""
    if address is None or not _ADDRESS.fullmatch(address):
        raise Refused("bad_url", f"{field} must be an https address at sns.<region>.amazonaws.com.")
    return address


def require_signature(message: Mapping[str, Any], topic: Any, certificates: FindCertificate | None) -> None:
    """Refuses `bad_signature`, `bad_url` (the certificate's) and, after a good signature, `unknown_topic`."""
    signature = _signature(message)
    algorithm = _VERSIONS.get(scalar(message.get("SignatureVersion")) or "")
    if signature is None or algorithm is None:
        raise Refused("bad_signature", "The message must be signed by SNS, version 1 or 2.")
    address = require_amazon_address(scalar(message.get("SigningCertURL")), "SigningCertURL")
    key = _public_key(certificates(address) if certificates else None)
    if key is None:
        raise Refused("bad_signature", "The certificate to check the signature with cannot be read.")
    try:
        key.verify(signature, signed_text(message), PKCS1v15(), algorithm)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise Refused("bad_signature", "The signature does not fit the message.") from None
    if not is_same(scalar(message.get("TopicArn")), topic):
        raise Refused("unknown_topic", "The message is signed, but not for the topic that was configured.")


def signed_text(message: Mapping[str, Any]) -> bytes:
    """Returns the text that SNS signs: name and value of the signed fields on lines of their own."""
    names = _SIGNED_CONFIRMATION if message.get("Type") in CONFIRMATIONS else _SIGNED
    lines = (f"{name}\n{value}\n" for name in names if (value := scalar(message.get(name))) is not None)
    return "".join(lines).encode("utf-8", "surrogatepass")


def _signature(message: Mapping[str, Any]) -> bytes | None:
    try:
        return b64decode(scalar(message.get("Signature")) or "", validate=True) or None
    except (Base64Error, ValueError):
        return None


def _public_key(pem: bytes | None) -> RSAPublicKey | None:
    try:
        key = load_pem_x509_certificate(pem).public_key() if pem else None
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None
