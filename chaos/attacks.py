"""What an attack is: who makes it, what it sends, and which statuses are right. The lists are in two other modules.

A new attack is one more entry in one of these lists; 500 is never right, and 503 with `Retry-After` always is.
"""

import base64
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from chaos.wire import Answer, Request, http, send

Who = Literal["account", "stranger"]
SILENCE: Final = 0  # instead of a status: the connection ends without an answer
STORED: Final = frozenset({200, 201, 202})
READ: Final = frozenset({*STORED, 400, 413, 422})  # a body at /intake: understood or not, but never a fault
ANSWERS_WITHIN: Final = 60.0  # seconds; what takes long is not cut off before it is refused
INJECTED: Final = (
    "injected@hostile.example"  # no account, contact or sender has this address: only a header that was written
)
_LINES: Final = f"\r\nReply-To: {INJECTED}\r\nX-Injected: yes\r\nContent-Type: text/html\r\n\r\n<h1>Hello</h1><!--"
HEADERS_IN_A_WORD: Final = f"=?utf-8?b?{base64.b64encode(_LINES.encode()).decode()}?="
PAIR: Final = f"Eve\r\nReply-To: {INJECTED}"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What the hostile two know and have, and the words of others that must not be in an answer to them."""

    ports: tuple[int, ...]
    owner_email: str
    form_key: str  # the owner's, as it is in the page of a website
    others: tuple[int, ...]  # ids of all other users
    user_id: int  # of the hostile account
    email: str
    password: str
    token: str
    own_key: str
    secrets: tuple[str, ...]
    seed: int
    patience: float  # seconds that a slow client stays


Sends = Callable[["Hand"], Awaitable[object]]


class Interrupted(Exception):  # noqa: N818 -- not a fault of this code
    """A step of an attack was not answered as the next one needs it: the service is down, or refuses the attack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One of the declarations. `most`: how often in one run, as what it stores stays there."""

    name: str
    who: Who
    right: frozenset[int]
    sends: Sends
    most: int = 40


Note = Callable[[Attack, bytes, Answer | None, float, frozenset[int]], None]


@dataclass
class Hand:
    """What an attack sends with. Every answer is noted; `memory` holds ids that later turns use again."""

    attack: Attack
    target: Target
    dice: random.Random
    note: Note
    now: Callable[[], float]
    memory: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def send(
        self, request: Request, right: frozenset[int] | None = None, seconds: float = ANSWERS_WITHIN
    ) -> Answer | None:
        """One request to one of the services. `right`: the attack's statuses unless given."""
        begun = self.now()
        answer = await send(self.dice.choice(self.target.ports), request, seconds)
        self.note(self.attack, request.content, answer, begun, self.attack.right if right is None else right)
        return answer

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        right: frozenset[int] | None = None,
    ) -> Answer | None:
        """An ordinary request, of the account with its token. `body`: bytes as they are, or what becomes JSON."""
        lines = {"Authorization": f"Bearer {self.target.token}"} if self.attack.who == "account" else {}
        content = body if isinstance(body, bytes) else b"" if body is None else encode(body)
        if body is not None:
            lines["Content-Type"] = "application/json"
        return await self.send(Request(content=http(method, path, {**lines, **(headers or {})}, content)), right)

    async def make(self, path: str, /, **fields: Any) -> Any:
        """A step on the way: the record that a POST makes. Interrupted: it made none."""
        answer = await self.ask("POST", path, fields, right=STORED)
        if answer is None or answer.status not in STORED:
            raise Interrupted
        return msgspec.json.decode(answer.body)

    async def to_form(self, body: Any, headers: Mapping[str, str] | None = None) -> Answer | None:
        """To /intake: the stranger with the owner's public key, the account with its own."""
        key = self.target.form_key if self.attack.who == "stranger" else self.target.own_key
        return await self.ask("POST", f"/intake/{key}", body, headers)

    def person(self, **fields: Any) -> dict[str, Any]:
        """Fields of an inquiry of someone new."""
        return {"first_name": "Eve", "email": f"eve.{self.attack.who}.{next(self.numbers)}@hostile.example"} | fields

    def lead_to_come(self) -> int:
        """The number in the vendor's id of an honest lead, which has come or will; they are counted up from 1."""
        return self.dice.randrange(1, 400)

    def lead_that_came(self) -> int:
        """The number in the name and the e-mail address of someone who has inquired."""
        return self.dice.randint(1, max(1, self.memory["taken"]))


def encode(body: Any) -> bytes:
    """JSON. Halves of characters are written as escapes, which this encoder would refuse: give bytes for those."""
    return msgspec.json.encode(body)
