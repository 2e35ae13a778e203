"""Requests byte for byte: paths and queries go to the application exactly as they are written here."""

import json as json_module
from dataclasses import dataclass
from typing import Any

from tests.support.town import Town


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json_module.loads(self.body)

    @property
    def ids(self) -> list[int]:
        """Of a list: its records' ids, in order."""
        return [record["id"] for record in self.json["data"]]


async def ask(
    town: Town,
    name: str | None,
    method: str,
    target: str,
    *,
    json: Any = ...,
    body: bytes | list[bytes] = b"",
    headers: dict[str, str] | list[tuple[str, str]] = (),
) -> Reply:
    """One request by this person (None: without a token). A list of bytes is a body that arrives in pieces."""
    path, _, query = target.partition("?")
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    if name is not None:
        pairs.append(("Authorization", f"Bearer {town.tokens[name]}"))
    if json is not ...:
        body = json_module.dumps(json).encode()
        pairs.append(("Content-Type", "application/json"))
    pieces = body if isinstance(body, list) else [body]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(key.lower().encode(), value.encode()) for key, value in pairs],
    }
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting[-1]["more_body"] = False
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await town.application(scope, receive, send)
    start = sent[0]
    received = {key.decode(): value.decode() for key, value in start["headers"]}
    return Reply(start["status"], received, b"".join(message.get("body", b"") for message in sent[1:]))


async def create(town, name, path, body):
    reply = await ask(town, name, "POST", path, json=body)
    assert reply.status == 201, reply.body
    return reply.json
