"""The request, the response, and the call that carries a request and its context through the API."""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from leadroutes.api.auth import Caller, Callers, Grant
from leadroutes.api.count_cache import CountCache
from leadroutes.cache import short_cache
from leadroutes.channels.account_numbers import AccountNumbers
from leadroutes.engine.engine import Engine
from leadroutes.engine.phone_calls import PhoneCalls
from leadroutes.errors import NotAcceptable
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.security.throttle import PasswordThrottle
from leadroutes.settings import Settings
from leadroutes.store.batching import BatchLoader
from leadroutes.store.commits import WriteGroupCommit
from leadroutes.store.delegates import Delegations
from leadroutes.store.lists import ListQueries
from leadroutes.store.pipeline import Pipeline
from leadroutes.store.postgres import Database

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Context:
    """What all calls use: the database, the engine, the settings, and the look-ups that concurrent requests share."""

    database: Database
    engine: Engine
    arrivals: Arrivals
    settings: Settings
    callers: Callers
    delegations: Delegations
    own_leads: BatchLoader[tuple[int, int], str]  # (owner, lead) -> its record as the owner sees it
    claimed_leads: BatchLoader[tuple[int, int], str]  # (user, lead) -> its record, where this user has claimed it
    lead_owners: BatchLoader[int, int]  # lead -> its owner
    records: Pipeline  # reads records by id
    lists: ListQueries
    totals: CountCache
    throttle: PasswordThrottle  # of passwords that are sent beside a token
    phone_calls: PhoneCalls
    creations: Mapping[str, WriteGroupCommit]  # of plain resources, by path
    numbers: AccountNumbers


@dataclass(frozen=True, slots=True)
class Request:
    """`segments` are those of the path as sent, without empty ones; header names are lower case.

    `is_counted`: whether a list says how many records there are in all, which costs more the more there are. No client
    can do without; the pages, which show no total, do.
    """

    method: str
    segments: tuple[str, ...]
    url: str  # path and query as received
    query: str
    headers: dict[str, list[str]] = field(repr=False)  # they hold the token, which no log may show
    receive: Receive
    address: str = ""  # of the client
    is_counted: bool = True

    def header(self, name: str) -> str | None:
        """Returns the first header of this name."""
        values = self.headers.get(name)
        return values[0] if values else None

    @property
    def accepts_json(self) -> bool:
        return _accepts_json(", ".join(self.headers.get("accept", ())))


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is JSON unless a content type says otherwise."""

    status: int
    body: bytes = b""
    content_type: bytes = b"application/json; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through the API; `ids` are the variable segments of its path, as sent.

    `granted`: what the role of a caller who acts for another allows by this operation; None: they act for no one else.
    """

    context: Context
    request: Request
    ids: tuple[str, ...] = ()
    caller: Caller = field(default=Caller(0, frozenset()))
    granted: Grant | None = None
    operation: str = ""  # its path with :id

    def require_json_accepted(self) -> None:
        """Raises NotAcceptable for a client that does not accept JSON. Comes last, while nothing is stored yet."""
        if not self.request.accepts_json:
            raise NotAcceptable("The answer is application/json; the Accept header does not allow it")


_RANGE = re.compile(r"\s*(application/json|application/\*|\*/\*)\s*((?:;[^,]*)?)", re.IGNORECASE)


@short_cache(entries=256, longest=500)
def _accepts_json(header: str) -> bool:
    if not header.strip():
        return True
    return any(_is_wanted(found[2]) for part in header.split(",") if (found := _RANGE.fullmatch(part)))


def _is_wanted(parameters: str) -> bool:
    """A weight of zero excludes the type."""
    return not re.search(r";\s*q\s*=\s*0(\.0*)?\s*(;|$)", parameters, re.IGNORECASE)
