"""What the board shows: the leads of a day, the ledger, and what does not work. Reads only, in few round trips.

Lists are as their statements return them, but that moments are texts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from leadroutes.domain.provider_errors import FILTERED
from leadroutes.store import joined
from leadroutes.store.postgres import Database

WINDOW: Final = 5_001  # leads of a day that are looked at
MOST_REFUSED: Final = 0.05  # of a day's texts by carriers, before an owner is to look at it

# Statements that take one round trip.
NEWS: Final = (
    "list_board_leads", "sum_ledger", "has_open_arrivals", "count_texts", "list_channel_faults",
    "list_unreachable_users",
    "list_open_handovers",
)  # fmt: skip
NOTICES: Final = ("list_to_reassign", "find_lack_of_address", "find_first_steps")

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RefusedShare:
    """Texts that the provider has dealt with, and those of them that carriers refused."""

    texts: int
    refused: int

    @property
    def are_refused(self) -> bool:
        """Whether so many were refused that the sender is at fault, and not a single text."""
        return self.refused > self.texts * MOST_REFUSED


@dataclass(frozen=True, slots=True)
class News:
    """What may change on an open board.

    `leads`: see list_board_leads; their `total` stops at WINDOW. `ledger`: see sum_ledger. `has_open_arrivals`:
    something that was rejected waits for someone. `faults`: channel, reason, since, last_at, waiting. `unreachable`:
    id, name, address, reason, at. `handovers`: lead_id, from_name, to_name.
    """

    leads: Rows
    ledger: dict[str, int]
    has_open_arrivals: bool
    texts: RefusedShare
    faults: Rows
    unreachable: Rows
    handovers: Rows


async def load_board_news(
    database: Database, owner_id: int, since: datetime, *, most: int, claimed: int, named: int, sees_all: bool
) -> News:
    """Returns the news of an account: leads and texts since a moment.

    Of each state `most` leads, of claimed ones `claimed`, with `named` names of those who are asked. `sees_all`: mail
    comes back of all users.
    """
    bound = joined(*NEWS).bind(
        owner_id=owner_id, user_id=owner_id, since=since, most=most, claimed=claimed, window=WINDOW, named=named,
        refused=list(FILTERED), sees_all=sees_all,
    )  # fmt: skip
    leads, [ledger], [arrivals], [texts], faults, unreachable, handovers = await _fetch(database, *bound)
    waiting = arrivals["has_open_arrivals"]
    return News(leads, ledger, waiting, RefusedShare(**texts), faults, unreachable, handovers)


@dataclass(frozen=True, slots=True)
class AccountNotices:
    """What changes only by what someone does on another page.

    `to_reassign`: name, contacts, tasks of members whose accounts are closed. `first_steps`: see find_first_steps.
    """

    to_reassign: Rows
    lacks_postal_address: bool
    first_steps: dict[str, Any]


async def load_account_notices(database: Database, owner_id: int, *, is_admin: bool) -> AccountNotices:
    """Returns what the whole page of an account's board shows, and its live part does not."""
    bound = joined(*NOTICES).bind(owner_id=owner_id, user_id=owner_id, is_admin=is_admin)
    to_reassign, [lack], [first_steps] = await _fetch(database, *bound)
    return AccountNotices(to_reassign, lack["lacks_postal_address"], first_steps)


async def _fetch(database: Database, *bound: Any) -> list[Rows]:
    row = await database.fetchrow(*bound)
    assert row is not None
    return [msgspec.json.decode(column) for column in row.values()]
