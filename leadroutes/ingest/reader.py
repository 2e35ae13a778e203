"""Reads a body with all that this takes from elsewhere: the certificate of its signature, the Graph API's answers.

Stores nothing; asks a vendor only once the sender has proven as much as is possible without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from leadroutes.domain.text import one_line
from leadroutes.ingest.vendor_api import VendorClient
from leadroutes.intake.formats import FORMATS
from leadroutes.intake.reading import read
from leadroutes.intake.results import ControlMessage, Pending, Reading, Refusal
from leadroutes.sandbox.bodies import READ_BODY, SandboxBody, SandboxReading
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.work import ComputationFailed

SECRET_SECTIONS = tuple(
    each.secrets for each in FORMATS if each.secrets
)  # a key has one vendor, and that vendor's secrets
NON_JSON_FORMATS = ("adf", "email", "website")  # formats
MAX_INLINE_BODY, MAX_INLINE_JSON = (
    4_096,
    32_768,
)  # bytes that are read at once, within some 5 ms; others do not wait for more


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingBody:
    """A body with its intake key. The sender has to prove knowledge of `secrets`, unless authenticated already."""

    owner_id: int  # in whose account it comes in
    body: bytes
    headers: Mapping[str, str]
    format: str | None = None
    secrets: Mapping[str, Any] = field(default_factory=dict)
    is_authenticated: bool = True
    limit: int | None = None
    mail_limit: int | None = None


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """What a body says; `why_pending` where it has to be read again: what stood in the way this time."""

    reading: Reading
    why_pending: str | None = None


class BodyReader:
    """One per process. `vendors` None: no vendor is asked anything."""

    def __init__(self, vendors: VendorClient | None) -> None:
        self._vendors = vendors

    async def read(self, incoming_body: IncomingBody) -> ParsedBody:
        """What can be said at once; what takes a vendor's answer, but for a certificate, is pending."""
        reading = await self._read_signed(incoming_body)
        return ParsedBody(reading, _why_pending(reading, {}))

    async def reread(self, incoming_body: IncomingBody) -> ParsedBody:
        """As `read`, but the vendors are asked, and a subscription is confirmed."""
        reading = await self._read_signed(incoming_body)
        if self._vendors is None:
            return ParsedBody(reading, _why_pending(reading, {}))
        ids = [each.vendor_id for each in reading.pending if each.why != "no_certificate"]
        graph = {each: await self._vendors.fetch_lead(each, incoming_body.secrets) for each in ids}
        if graph:
            reading = await self._read_signed(incoming_body, graph)
        for result in reading.results:
            if isinstance(result, ControlMessage) and result.get and not await self._vendors.confirm(result.get):
                return ParsedBody(reading, f"{result.action}: the address could not be asked")
        return ParsedBody(reading, _why_pending(reading, graph, is_confirmed=True))

    async def _read_signed(self, incoming_body: IncomingBody, graph: Mapping[str, Any] | None = None) -> Reading:
        """A certificate is fetched where one is wanted: the sender knew the password, and the address is Amazon's."""
        wanted: list[str] = []
        reading = await self._read(incoming_body, graph, wanted)
        if not wanted or self._vendors is None:
            return reading
        if await self._vendors.fetch_certificate(wanted[0]) is None:
            return replace(reading, results=(Pending("", "no_certificate"),))
        return await self._read(incoming_body, graph, [])

    async def _read(self, incoming_body: IncomingBody, graph: Mapping[str, Any] | None, wanted: list[str]) -> Reading:
        """Here, where that takes a few milliseconds at the most whatever the body says; else apart."""
        certificates: dict[str, bytes] = {}

        def find_certificate(address: str) -> bytes | None:
            found = self._vendors.known_certificate(address) if self._vendors else None
            if found is None:
                wanted.append(address)
            else:
                certificates[address] = found
            return found

        secrets = None if incoming_body.is_authenticated else dict.fromkeys(SECRET_SECTIONS, incoming_body.secrets)
        if is_small(incoming_body):
            return read(
                incoming_body.body,
                incoming_body.headers,
                format=incoming_body.format,
                secrets=secrets,
                graph=graph,
                certificates=find_certificate,
                limit=incoming_body.limit,
                mail_limit=incoming_body.mail_limit,
            )
        found = await _read_in_sandbox(incoming_body, secrets, graph, certificates)
        if found.wanted and find_certificate(found.wanted[0]) is not None:
            found = await _read_in_sandbox(incoming_body, secrets, graph, certificates)
        return found.reading


def is_small(incoming_body: IncomingBody) -> bool:
    """JSON is read in a tenth of the time that anything else may take."""
    if len(incoming_body.body) <= MAX_INLINE_BODY:
        return True
    media_type = next((value for name, value in incoming_body.headers.items() if name.lower() == "content-type"), "")
    is_json = incoming_body.body[:1] in (b"{", b"[") and (not media_type or "json" in media_type.lower())
    return is_json and incoming_body.format not in NON_JSON_FORMATS and len(incoming_body.body) <= MAX_INLINE_JSON


async def _read_in_sandbox(
    incoming_body: IncomingBody,
    secrets: Mapping[str, Any] | None,
    graph: Mapping[str, Any] | None,
    certificates: Mapping[str, bytes],
) -> SandboxReading:
    """What takes too long, or too much memory, is too large."""
    body = SandboxBody(
        body=incoming_body.body,
        headers=dict(incoming_body.headers),
        format=incoming_body.format,
        secrets=dict(secrets) if secrets is not None else None,
        graph=dict(graph) if graph is not None else None,
        certificates=dict(certificates),
        limit=incoming_body.limit,
        mail_limit=incoming_body.mail_limit,
    )
    try:
        return await run_sandboxed(READ_BODY, body, owner=incoming_body.owner_id)
    except ComputationFailed as error:
        refusal = Refusal("too_large", f"Reading the body {error.reason}.")
        return SandboxReading.of(Reading(incoming_body.format, (refusal,)), [])


def _why_pending(reading: Reading, graph: Mapping[str, Any], *, is_confirmed: bool = False) -> str | None:
    for result in reading.results:
        match result:
            case Pending(vendor_id=vendor_id, why=why):
                return _pending_reason(why, graph.get(vendor_id))
            case ControlMessage(action=action, get=get) if get and not is_confirmed:
                return f"{action}: to be done"
            case _:
                continue
    return None


def _pending_reason(why: str, reply: Any) -> str:
    """`graph_error: Error validating access token`, as far as the vendor said."""
    error = reply.get("error") if isinstance(reply, Mapping) else None
    message = one_line(str(error.get("message") or "")[:200]) if isinstance(error, Mapping) else None
    return f"{why}: {message}" if message else why
