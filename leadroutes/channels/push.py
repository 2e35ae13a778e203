"""Notifications of browsers by web push (RFC 8030): one request for each browser, whose address is its endpoint.

It knows no database: who has which browsers, and what becomes of one that is gone, the worker says.
"""

import json

import httpx

from leadroutes.channels.envelope import DeliveryError, Envelope, NoLongerWanted, StillWanted, always_wanted
from leadroutes.channels.push_encryption import LARGEST_BODY, PushKeys, encrypted, signature
from leadroutes.channels.push_services import is_of_push_service, origin_of
from leadroutes.domain.mail_addresses import named_address
from leadroutes.settings import Settings
from leadroutes.settings.values import is_local_address, is_public_url

TIMEOUT = 10.0  # seconds
LONGEST_TITLE, LONGEST_BODY = 120, 400  # characters, of which one takes up to four bytes
LONGEST_REASON = 200  # characters of what a push service says
GONE = (404, 410)
RETRIED = (408, 425, 429)  # and all from 500 on


def push_subject(settings: Settings) -> str:
    """Returns whom push services may ask about what is sent; some refuse a signature without a real address."""
    if is_local_address(settings.mail_from) and is_public_url(settings.public_url):
        return settings.public_url
    return f"mailto:{named_address(settings.mail_from)[1]}"


class PushChannel:
    """One client for all push services, which keeps its connections open."""

    def __init__(self, keys: PushKeys, settings: Settings) -> None:
        self._keys = keys
        self._subject = push_subject(settings)
        self._services = settings.push_services
        self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        """Hands it to the browser's push service. Raises DeliveryError; is_dead_address: the browser is gone."""
        shown = envelope.notification
        assert shown is not None
        if not is_of_push_service(envelope.address, self._services):
            raise DeliveryError("the browser's push service is not a known one", is_permanent=True)
        try:
            body = encrypted(_payload(envelope), *shown.keys)
        except ValueError as error:
            raise DeliveryError(f"the browser's keys are wrong: {error}", is_permanent=True) from error
        headers = {
            "authorization": signature(self._keys, origin_of(envelope.address) or "", self._subject),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(shown.life),
            "topic": shown.tag,
            "urgency": "high" if shown.is_urgent else "normal",
        }
        if reason := await is_still_wanted():
            raise NoLongerWanted(reason)
        try:
            response = await self._client.post(envelope.address, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryError(f"the push service cannot be reached: {error or type(error).__name__}") from error
        if not response.is_success:
            raise _refusal(response)

    async def close(self) -> None:
        await self._client.aclose()


def _payload(envelope: Envelope) -> bytes:
    """What the service worker of the pages shows: it gets no more of a lead than these words."""
    shown = envelope.notification
    assert shown is not None
    payload = {
        "title": _shortened(envelope.subject or "", LONGEST_TITLE),
        "body": _shortened(envelope.text_body, LONGEST_BODY),
        "path": shown.path,
        "tag": shown.tag,
        "silent": shown.is_silent,
    }
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    assert len(body) <= LARGEST_BODY
    return body


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _refusal(response: httpx.Response) -> DeliveryError:
    said = " ".join(response.text[:LONGEST_REASON].split())
    reason = f"the push service said {response.status_code}{' ' + said if said else ''}"
    if response.status_code in GONE:
        return DeliveryError(reason, is_permanent=True, is_dead_address=True)
    is_temporary = response.status_code in RETRIED or response.status_code >= 500
    return DeliveryError(reason, is_permanent=not is_temporary)
