"""Reads a body, or extracts the words of an HTML page, in a sandbox process."""

import re

from leadroutes.intake.html import page_text
from leadroutes.intake.reading import read
from leadroutes.sandbox.bodies import SandboxBody, SandboxReading


def read_body(body: SandboxBody) -> SandboxReading:
    """Returns the reading of a body."""
    wanted: list[str] = []

    def find_certificate(address: str) -> bytes | None:
        found = body.certificates.get(address)
        if found is None:
            wanted.append(address)
        return found

    reading = read(
        body.body,
        body.headers,
        format=body.format,
        secrets=body.secrets,
        graph=body.graph,
        certificates=find_certificate,
        limit=body.limit,
        mail_limit=body.mail_limit,
    )
    return SandboxReading.of(reading, wanted)


def words_of(markup: str) -> str:
    """Returns the words of HTML as a person reads them, in lines; nothing of its markup."""
    lines = (" ".join(line.split()) for line in page_text(markup).split("\n"))
    return re.sub(r"\n\n+", "\n\n", "\n".join(lines)).strip()
