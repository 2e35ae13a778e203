"""Signatures of what is sent to webhooks, as standardwebhooks.com describes them, and the secrets that they need."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
SECRET_BYTES = 24


def new_webhook_secret() -> str:
    """Returns a secret in the form in which receivers configure it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(known_secrets: Sequence[str], message_id: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """Returns the three headers of a message that is sent at this Unix time; each secret signs it."""
    signed = b"%b.%d.%b" % (message_id.encode(), seconds, body)
    keys = [base64.b64decode(each.removeprefix(PREFIX)) for each in known_secrets]
    signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }
