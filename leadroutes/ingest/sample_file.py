"""Reads one body from files, as an intake door would read it. Stores nothing, and needs no database.

A certificate is the one that the secrets name, else it is fetched from Amazon, under the rule for its address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadroutes.errors import Invalid
from leadroutes.ingest.vendor_api import VendorClient
from leadroutes.intake.decoding import decode, parse_json
from leadroutes.intake.formats import MAIL_LIMIT
from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, Refusal, Refused
from leadroutes.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBody:
    """The file of a body, and what belongs to it; `format` None: it is recognised."""

    body: Path
    headers: Path | None = None
    format: str | None = None
    secrets: Path | None = None
    graph: Path | None = None


async def read_sample(specimen: SampleBody, settings: Settings) -> Reading:
    """What is in it. Invalid where one of the other files cannot be read."""
    with specimen.body.open("rb") as file:
        body = file.read(MAIL_LIMIT + 1)  # one more is too large, however much more there is
    secrets = _secrets(specimen.secrets)
    known = _certificate_beside(specimen.secrets, secrets)
    wanted: list[str] = []

    def work(certificate: bytes | None) -> Reading:
        def find(address: str) -> bytes | None:
            wanted.append(address)
            return certificate

        return read(
            body,
            _headers(specimen.headers),
            format=specimen.format,
            secrets=secrets,
            graph=_graph(specimen.graph),
            certificates=find,
        )

    reading = work(known)
    if not wanted or known is not None:
        return reading
    fetched = await VendorClient(settings).fetch_certificate(wanted[0])
    return work(fetched) if fetched is not None else reading


def is_good(reading: Reading) -> bool:
    """Whether there is a lead, a control message or a lead that is still to be fetched in it."""
    return any(not isinstance(result, Refusal) for result in reading.results)


def _headers(path: Path | None) -> dict[str, str]:
    """`Header: value` lines; one that begins with a blank goes on with the line before."""
    headers: dict[str, str] = {}
    name = ""
    for line in decode(path.read_bytes()).splitlines() if path else ():
        if line[:1] in (" ", "\t") and name:
            headers[name] += f" {line.strip()}"
            continue
        before, colon, value = line.partition(":")
        if colon and (name := before.strip()):
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    return headers


def _secrets(path: Path | None) -> dict[str, Any] | None:
    """Returns the vendors' sections of the file, without anything else in it."""
    if path is None:
        return None
    return {name: section for name, section in _object(path).items() if isinstance(section, dict)}


def _graph(path: Path | None) -> Mapping[str, Any] | None:
    """Answers by leadgen id; one answer alone is known by its own id."""
    if path is None:
        return None
    answers = _object(path)
    return {str(answers.get("id")): answers} if "field_data" in answers else answers


def _certificate_beside(path: Path | None, secrets: Mapping[str, Any] | None) -> bytes | None:
    """The certificate that a file of secrets names, beside that file."""
    name = (secrets or {}).get("zillow", {}).get("signing_cert")
    if path is None or not isinstance(name, str):
        return None
    try:
        return (path.parent / name).read_bytes()
    except OSError as error:
        raise Invalid(f"signing_cert: {name} cannot be read ({error.strerror})") from error


def _object(path: Path) -> dict[str, Any]:
    try:
        value = parse_json(decode(path.read_bytes()))
    except Refused as refused:
        raise Invalid(f"{path}: {refused.refusal.detail}") from None
    if not isinstance(value, dict):
        raise Invalid(f"{path}: expected a JSON object")
    return value
