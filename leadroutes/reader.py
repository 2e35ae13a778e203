"""Reads a body with all that this takes from elsewhere: the certificate of its signature, the Graph API's answers.

Stores nothing; asks a vendor only once the sender has proved himself as far as that is possible without.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from leadroutes.domain.text import one_line
from leadroutes.intake.formats import FORMATS
from leadroutes.intake.reading import read
from leadroutes.intake.results import ControlMessage, Pending, Reading
from leadroutes.vendors import Vendors

SECTIONS = tuple(each.secrets for each in FORMATS if each.secrets)  # a key has one vendor, and his secrets
LARGE_BODY = 65_536  # bytes; what is larger is read in a thread, so that others do not wait for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A body at a door. `secrets` are the vendor's; he has to prove that he knows them, unless he is let in already."""

    body: bytes
    headers: Mapping[str, str]
    format: str | None = None
    secrets: Mapping[str, Any] = field(default_factory=dict)
    is_let_in: bool = True
    limit: int | None = None
    mail_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What a body says; `why_pending` where it has to be read again: what stood in the way this time."""

    reading: Reading
    why_pending: str | None = None


class Reader:
    """One per process. `vendors` None: nobody is asked anything."""

    def __init__(self, vendors: Vendors | None) -> None:
        self._vendors = vendors

    async def read(self, parcel: Parcel) -> Understood:
        """What can be said at once; what takes a vendor's answer, but for a certificate, is pending."""
        reading = await self._read_signed(parcel)
        return Understood(reading, _why_pending(reading, {}))

    async def read_again(self, parcel: Parcel) -> Understood:
        """As `read`, but the vendors are asked, and a subscription is confirmed."""
        reading = await self._read_signed(parcel)
        if self._vendors is None:
            return Understood(reading, _why_pending(reading, {}))
        ids = [each.vendor_id for each in reading.pending if each.why != "no_certificate"]
        graph = {each: await self._vendors.fetch_lead(each, parcel.secrets) for each in ids}
        if graph:
            reading = await self._read_signed(parcel, graph)
        for result in reading.results:
            if isinstance(result, ControlMessage) and result.get and not await self._vendors.confirm(result.get):
                return Understood(reading, f"{result.action}: the address could not be asked")
        return Understood(reading, _why_pending(reading, graph, is_confirmed=True))

    async def _read_signed(self, parcel: Parcel, graph: Mapping[str, Any] | None = None) -> Reading:
        """A certificate is fetched where one is wanted: the sender knew the password, and the address is Amazon's."""
        wanted: list[str] = []
        reading = await self._read(parcel, graph, wanted)
        if not wanted or self._vendors is None:
            return reading
        if await self._vendors.fetch_certificate(wanted[0]) is None:
            return replace(reading, results=(Pending("", "no_certificate"),))
        return await self._read(parcel, graph, [])

    async def _read(self, parcel: Parcel, graph: Mapping[str, Any] | None, wanted: list[str]) -> Reading:
        def find_certificate(address: str) -> bytes | None:
            found = self._vendors.known_certificate(address) if self._vendors else None
            if found is None:
                wanted.append(address)
            return found

        def work() -> Reading:
            return read(
                parcel.body,
                parcel.headers,
                format=parcel.format,
                secrets=None if parcel.is_let_in else dict.fromkeys(SECTIONS, parcel.secrets),
                graph=graph,
                certificates=find_certificate,
                limit=parcel.limit,
                mail_limit=parcel.mail_limit,
            )

        return await asyncio.to_thread(work) if len(parcel.body) > LARGE_BODY else work()


def _why_pending(reading: Reading, graph: Mapping[str, Any], *, is_confirmed: bool = False) -> str | None:
    for result in reading.results:
        match result:
            case Pending(vendor_id=vendor_id, why=why):
                return _told(why, graph.get(vendor_id))
            case ControlMessage(action=action, get=get) if get and not is_confirmed:
                return f"{action}: to be done"
            case _:
                continue
    return None


def _told(why: str, reply: Any) -> str:
    """`graph_error: Error validating access token`, as far as the vendor said."""
    error = reply.get("error") if isinstance(reply, Mapping) else None
    message = one_line(str(error.get("message") or "")[:200]) if isinstance(error, Mapping) else None
    return f"{why}: {message}" if message else why
