"""Asks vendors over HTTPS: for SNS's certificates, its confirmation of a subscription, and leads of the Graph API.

No address that a body names is asked, but those that pass the rule of `intake.sns`; no redirect is followed, and no
more is read than such an answer may hold.
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from leadroutes.intake.decoding import parse_json
from leadroutes.intake.results import Refused
from leadroutes.intake.sns import require_amazon_address
from leadroutes.settings import Settings

log = structlog.get_logger()

TIMEOUT = 10.0  # seconds
MAX_RESPONSE_BYTES = 1_048_576
MAX_CERTIFICATE_BYTES = 65_536
MAX_CERTIFICATES = 100
GRAPH_FIELDS = "created_time,field_data,form_id,ad_id,custom_disclaimer_responses"
_LEADGEN_ID = re.compile("[0-9]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class VendorResponse:
    """An answer: its status, and its body as far as it may go."""

    status: int
    body: bytes


class VendorClient:
    """One per process; certificates are cached, as one serves for a year. `transport` is what requests go through."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._graph_url = settings.graph_url
        self._transport = transport
        self._certificates: OrderedDict[str, bytes] = OrderedDict()

    # -- Amazon SNS

    def known_certificate(self, address: str) -> bytes | None:
        """The certificate of an address that has been asked for it before."""
        return self._certificates.get(address)

    async def fetch_certificate(self, address: str) -> bytes | None:
        """The PEM certificate at one of SNS's addresses; None where it cannot be had now. Refused for any other."""
        require_amazon_address(address, "SigningCertURL")
        response = await self._ask(address, MAX_CERTIFICATE_BYTES)
        if response is None or response.status != 200 or b"-----BEGIN CERTIFICATE-----" not in response.body:
            return None
        self._certificates[address] = response.body
        while len(self._certificates) > MAX_CERTIFICATES:
            self._certificates.popitem(last=False)
        return response.body

    async def confirm(self, address: str) -> bool:
        """The one GET by which a subscription is confirmed; whether it was taken. Refused for any other address."""
        response = await self._ask(require_amazon_address(address, "SubscribeURL"), MAX_RESPONSE_BYTES)
        return response is not None and response.status == 200

    # -- Facebook's Graph API

    async def fetch_lead(self, leadgen_id: str, secrets: Mapping[str, Any]) -> dict[str, Any]:
        """The Graph API's answer about a lead: its fields, or `{"error": {"message": …}}`, also where none came."""
        token = secrets.get("access_token")
        if not _LEADGEN_ID.fullmatch(leadgen_id):
            return _graph_error("the id of the lead is not a number")
        if not isinstance(token, str) or not token:
            return _graph_error("the intake key has no access_token to ask the Graph API with")
        address = f"{self._graph_url}/{leadgen_id}?fields={GRAPH_FIELDS}{_proof(token, secrets.get('app_secret'))}"
        response = await self._ask(address, MAX_RESPONSE_BYTES, {"Authorization": f"Bearer {token}"})
        if response is None:
            return _graph_error("the Graph API cannot be reached")
        try:
            reply = parse_json(response.body.decode("utf-8", "replace"))
        except Refused:
            reply = None
        is_answer = isinstance(reply, dict) and (response.status == 200 or "error" in reply)
        return reply if is_answer else _graph_error(f"the Graph API answered {response.status}")

    async def _ask(self, address: str, largest: int, headers: Mapping[str, str] | None = None) -> VendorResponse | None:
        """One GET; None where no whole answer came in time."""
        try:
            async with (
                httpx.AsyncClient(transport=self._transport, timeout=TIMEOUT, follow_redirects=False) as client,
                client.stream("GET", address, headers=headers) as response,
            ):
                body = b""
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > largest:
                        return None
                return VendorResponse(response.status_code, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("a vendor cannot be asked", host=httpx.URL(address).host, error=repr(error))
            return None


def _proof(token: str, app_secret: Any) -> str:
    """Shows that the token is used by the application that it was made for; applications may require it."""
    if not isinstance(app_secret, str) or not app_secret:
        return ""
    return f"&appsecret_proof={hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()}"


def _graph_error(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}
