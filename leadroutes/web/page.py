"""The declaration of a page: its path, who may see it, what it loads, what its forms do, and when it is old.

Routing, navigation, tests and the documentation walk these declarations. Data only; leadroutes.web.site runs them.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response

from leadroutes.api.auth import Caller
from leadroutes.api.resource import Field
from leadroutes.api.resources import BY_PATH
from leadroutes.domain.availability import ALWAYS, Presence
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, NotFound
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import SessionUser
from leadroutes.web.own_api import OwnApi
from leadroutes.web.sent import Sent


@dataclass(frozen=True, slots=True)
class Acting:
    """That a user acts for the owner of another account: for whom, and in which role of a delegate."""

    owner_id: int
    owner_name: str
    role: str
    team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page: a user who is signed in, and what decides which pages are shown to the user.

    Of a user who acts for an owner, `owner_id`, `caller` and the marks are those of the owner, within the role; on a
    page about the user alone they are the user's own, and `is_oneself` is set.
    """

    user: SessionUser
    caller: Caller  # as whom the API is asked
    owner_id: int  # of the account that is looked at; who "I" am there, as the API takes the viewer for this user
    email: str
    phone: str | None
    is_admin: bool
    has_account: bool  # runs an account: sources, routes, teams, leads of their own
    is_member: bool  # of a team, so that leads are offered to them
    acting: Acting | None = None
    accounts: tuple[Acting, ...] = ()  # for which the user may act
    is_oneself: bool = True
    has_switch: bool = False  # the user is a member of a team, also while acting for an owner
    presence: Presence = ALWAYS  # when the user is available, as the user says

    @property
    def timezone(self) -> str:
        return self.user.timezone

    @property
    def is_owner(self) -> bool:
        """Whether the half of the owner is shown: to whoever runs an account, and to whoever is in no team yet."""
        return self.has_account or self.is_admin or not self.is_member

    @property
    def is_delegate(self) -> bool:
        """Whether this page is looked at for another owner."""
        return self.acting is not None and not self.is_oneself

    @property
    def is_team_lead(self) -> bool:
        """Whether only what concerns one team of another owner is shown."""
        return self.is_delegate and self.acting is not None and self.acting.role == TEAM_LEAD


Right = Callable[[Viewer], bool]
TEAM_LEAD = "Team Lead"


def everyone(_viewer: Viewer) -> bool:
    """Everyone who is signed in."""
    return True


def owners(viewer: Viewer) -> bool:
    """Whoever runs an account."""
    return viewer.is_owner


def owners_themselves(viewer: Viewer) -> bool:
    """Whoever runs an account, but no one who acts for them."""
    return owners(viewer) and not viewer.is_delegate


def administrators(viewer: Viewer) -> bool:
    """The administrators of the service."""
    return viewer.is_admin


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one viewer."""

    viewer: Viewer
    api: OwnApi
    database: Database
    engine: Engine
    settings: Settings
    ids: Mapping[str, int]  # of the path
    query: Mapping[str, str]
    sent: Sent
    session_token: str = field(default="", repr=False)
    part: str = ""  # the block of the page that is answered alone; "": the whole page

    @property
    def id(self) -> int:
        return self.ids["id"]

    @property
    def now(self) -> datetime:
        return self.database.clock.now()


@dataclass(frozen=True, slots=True)
class Inverse:
    """What takes an act back: a call of the API, which acts only where the record still is as the act left it.

    `only_if` holds filters of the record; where they do not hold any more, the API finds none. What cannot be asked as
    a filter is compared beforehand: `left` is the digest of what the act left in the fields that `body` puts back.
    """

    method: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    only_if: Mapping[str, Any] = field(default_factory=dict)
    left: str = ""

    def is_as_left(self, record: Mapping[str, Any]) -> bool:
        """Returns whether a record still is as the act left it, as far as `left` says."""
        return not self.left or digest({name: record.get(name) for name in self.body}) == self.left


@dataclass(frozen=True, slots=True)
class Done:
    """What follows a form: the page to go to, what is said there, and how it is taken back."""

    path: str  # below /app; "": the same page
    message: str = ""
    undo: Inverse | None = None


@dataclass(frozen=True, slots=True)
class Revealed:
    """What follows a form that shows something once, such as a new token: the same page with further values.

    `sent` is what its forms show again; None: they are empty.
    """

    values: Mapping[str, Any]
    sent: Sent | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What is answered in place of the page, such as the content of a frame; `headers` replace the usual ones."""

    template: str
    values: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Stale(Conflict):
    """Someone else changed the record while the form was filled in. `now` is the record as it is.

    `differences`: what is shown of both versions, as (label, now, yours); else the fields of the form are.
    """

    def __init__(self, now: Mapping[str, Any], differences: Sequence[tuple[str, str, str]] = ()) -> None:
        super().__init__(
            "Someone has changed this since you opened the page. Nothing of yours is lost: compare, and save again."
        )
        self.now = now
        self.differences = tuple(differences)


Values = Mapping[str, Any]
Load = Callable[[Visit], Awaitable[Values]]
Frame = Callable[[Visit], Awaitable[Document]]
Download = Callable[[Visit], Awaitable[Response]]
Act = Callable[[Visit, Sent], Awaitable[Done | Revealed | Document | Response]]


@dataclass(frozen=True, slots=True)
class MenuItem:
    """Where the navigation shows a page: `group` heads it, pages of a group stand in the order of the list."""

    group: str
    label: str
    icon: str
    on_phone: bool = False  # in the bar at the bottom of a phone; the others are under More


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page below /app. `acts` are its forms by name: the value of `do` that the form sends.

    `looks` are those that change nothing: the same form may be sent again, and another of its buttons still acts.
    """

    path: str
    title: str
    about: str  # what it is for, in the documentation
    template: str
    load: Load
    acts: Mapping[str, Act] = field(default_factory=dict)
    looks: frozenset[str] = frozenset()
    frame: Frame | None = None  # what a frame of the page shows: the page's address with `frame` in its query
    may: Right = everyone
    place: MenuItem | None = None
    below: str = ""  # the path of the page that is current in the navigation; "": its own
    parts: tuple[str, ...] = ()  # blocks of the template that are also answered alone
    listens: tuple[str, ...] = ()  # "user", "account": whose changes its live parts show
    largest: int = 524_288  # bytes of a form
    download: Download | None = None  # the file that the page's address with `download` in its query answers
    for_team_leads: bool = False  # also for whoever acts for an owner as Team Lead, who may open no other page
    is_personal: bool = False  # about the user alone, also while the user acts for an owner

    @property
    def is_for_phone(self) -> bool:
        """Whether it is for everyone, so that it is seen on phones more often than at a desk."""
        return self.may is everyone or self.for_team_leads

    @property
    def picture(self) -> str:
        """The file name of its picture in the documentation."""
        return (self.path.strip("/").translate({ord("/"): "-", ord("{"): None, ord("}"): None}) or "inbox") + ".png"

    def may_open(self, viewer: Viewer) -> bool:
        """Returns whether this viewer may open the page."""
        return self.for_team_leads if viewer.is_team_lead else self.may(viewer)


def digest(record: Mapping[str, Any]) -> str:
    """Returns what a form says of the record that it was made from."""
    return hashlib.sha256(msgspec.json.encode(record, order="sorted")).hexdigest()[:16]


def put_back(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any], only_if: Mapping[str, Any] | None = None
) -> Inverse:
    """Returns what gives the fields of `after` their values of `before`, as long as they have those of `after`."""
    left = digest({name: after[name] for name in after})
    return Inverse("PATCH", path, {name: before[name] for name in after}, only_if or {}, left)


async def change(visit: Visit, path: str, body: Mapping[str, Any], seen: str) -> Any:
    """Change a record that a form was made from; `seen` is its digest then, "" where that does not matter.

    Raises Stale where someone has changed it since, and NotFound where there is none. What is changed is also a
    condition of the change, so that of two at the same moment the second is stale.
    """
    now = await visit.api.get(path)
    if seen and seen != digest(now):
        raise Stale(now)
    different = {name: value for name, value in body.items() if _stored(now, name) != value}
    if not different:
        return now
    filters = _filters(path) if seen else {}
    before = {name: _stored(now, name) for name in different if name in filters}
    only_if = {name: _as_filter(value) for name, value in before.items() if _can_be_asked(filters[name], value)}
    try:
        return await visit.api.patch(path, different, only_if)
    except NotFound:
        raise Stale(await visit.api.get(path)) from None


def _filters(path: str) -> Mapping[str, Field]:
    """Returns the fields that a query on the path of a record may name."""
    collection = "/".join(":id" if each.isdigit() else each for each in path.split("/")[:-1])
    return BY_PATH[collection].filters if collection in BY_PATH else {}


def _stored(record: Mapping[str, Any], name: str) -> Any:
    """Returns the value of a field, of a reference its id; [] where the record does not show it."""
    if name in record:
        return record[name]
    key = name.removesuffix("_id")
    if key == name or key not in record:
        return []
    return record[key]["id"] if record[key] is not None else None


def _can_be_asked(about: Field, value: object) -> bool:
    """Returns whether a query can ask that the field has this value."""
    match value:
        case None:
            return about.nullable
        case str():
            return (bool(value) or about.kind.is_text) and len(value) <= 200 and value != "null"  # which asks for none
        case _:
            return isinstance(value, bool | int)


def _as_filter(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
