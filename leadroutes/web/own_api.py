"""The API for the pages of this process: the same operations, rights and errors as over HTTP, without HTTP.

So what the API refuses, a page cannot do. A page never reads what the API would not show to its reader.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from leadroutes.api.asgi import Api
from leadroutes.api.auth import Caller
from leadroutes.api.call import Request
from leadroutes.errors import NotFound

_HEADERS = {"content-type": ["application/json"], "accept": ["application/json"]}

Query = Mapping[str, object]


class OwnApi:
    """The API as one caller reaches it. Every method raises the Problem that a client would be answered."""

    def __init__(self, api: Api, caller: Caller) -> None:
        self._api = api
        self._caller = caller

    async def get(self, path: str, query: Query | None = None) -> Any:
        """Returns a record, or a list as {total, limit, skip, data}."""
        return await self.call("GET", path, query=query)

    async def find(self, path: str, query: Query | None = None) -> Any:
        """Returns a record, or None where the reader sees none."""
        try:
            return await self.get(path, query)
        except NotFound:
            return None

    async def records(self, path: str, query: Query | None = None, *, most: int = 500) -> list[dict[str, Any]]:
        """Returns the records of a list, `most` of them at most; how many there are in all is not counted."""
        wanted = {"$limit": most, **(query or {})}
        listed = await self.send("GET", path, b"", wanted, _HEADERS, is_counted=False)
        found: list[dict[str, Any]] = listed["data"]
        return found

    async def by_id(self, path: str, ids: Iterable[int | None], keys: Iterable[str] = ()) -> dict[int, dict[str, Any]]:
        """Returns those of these records that the caller sees, by their ids; `keys` are all that is read of them."""
        wanted = sorted({each for each in ids if each is not None})
        if not wanted:
            return {}
        query: dict[str, object] = {"id[$in]": wanted}
        if keys:
            query["$select"] = ["id", *keys]
        return {record["id"]: record for record in await self.records(path, query)}

    async def post(self, path: str, body: Mapping[str, Any] | None = None, query: Query | None = None) -> Any:
        return await self.call("POST", path, body or {}, query)

    async def patch(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> Any:
        return await self.call("PATCH", path, body, query)

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self.call("PUT", path, body)

    async def delete(self, path: str, query: Query | None = None) -> Any:
        return await self.call("DELETE", path, query=query)

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Query | None = None
    ) -> Any:
        """Returns the decoded answer; None for an empty one, and bytes for one that is not JSON."""
        sent = msgspec.json.encode(body) if body is not None else b""
        return await self.send(method, path, sent, query, _HEADERS)

    async def send(
        self,
        method: str,
        path: str,
        body: bytes,
        query: Query | None,
        headers: Mapping[str, list[str]],
        *,
        is_counted: bool = True,
    ) -> Any:
        """Like `call`, with a body that may be anything; `headers` have small letters."""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        text = urlencode({name: _as_sent(value) for name, value in (query or {}).items()}, doseq=True)
        segments = tuple(segment for segment in path.split("/") if segment)
        url = f"{path}?{text}" if text else path
        request = Request(method, segments, url, text, dict(headers), receive, is_counted=is_counted)
        response = await self._api.run_as(self._caller, request)
        if not response.body:
            return None
        if not response.content_type.startswith(b"application/json"):
            return response.body
        return msgspec.json.decode(response.body)


def _as_sent(value: object) -> object:
    """A list is sent as one pair for each value; true, false and null as words."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list() | tuple():
            return [str(each) for each in value]
    return str(value)
