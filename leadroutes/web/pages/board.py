"""The board of an owner: today's leads by state, the ledger, and what does not work."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from leadroutes.settings.warnings import warnings_of
from leadroutes.store.board import WINDOW, load_account_notices, load_board_news
from leadroutes.web.forms import read_id
from leadroutes.web.page import Done, MenuItem, Page, Visit, owners
from leadroutes.web.pages.leads import colleagues
from leadroutes.web.pages.rule_findings import count_findings
from leadroutes.web.pages.welcome import how_far
from leadroutes.web.sent import Sent

CHANNELS = {"email": "E-mail", "text": "Texting", "call": "Calling", "webhook": "The webhook"}
COLUMNS = ("on offer", "unclaimed", "held", "claimed")
MOST, CLAIMED = 25, 10  # cards of a column; of leads that want nothing more of the owner, the newest
NAMED = 5  # on a card, of those who were notified
SINCE = timedelta(hours=24)


async def load_board(visit: Visit) -> Mapping[str, Any]:
    live = await _load_live(visit)
    return live if visit.part else live | await _load_notices(visit)


async def _load_live(visit: Visit) -> dict[str, Any]:
    """Returns what changes while the board is open. Every open board reads it anew whenever something happens."""
    owner_id, assigned_id = visit.viewer.owner_id, read_id(visit.query.get("assign"))
    news = await load_board_news(
        visit.database, owner_id, visit.now - SINCE, most=MOST, claimed=CLAIMED, named=NAMED,
        sees_all=visit.viewer.is_admin,
    )  # fmt: skip
    return {
        "columns": [(name, [card for card in news.leads if card["state"] == name]) for name in COLUMNS],
        "most_counted": WINDOW - 1,
        "named": NAMED,
        "ledger": news.ledger,
        "has_open_arrivals": news.has_open_arrivals,
        "texts": news.texts,
        "faults": news.faults,
        "channels": CHANNELS,
        "unreachable": news.unreachable,
        "handovers": news.handovers,
        "assigned_id": assigned_id,
        "colleagues": await colleagues(visit) if assigned_id is not None or visit.sent.do == "assign" else [],
    }


async def _load_notices(visit: Visit) -> dict[str, Any]:
    """Returns what only a change on another page changes."""
    is_admin = visit.viewer.is_admin
    notices = await load_account_notices(visit.database, visit.viewer.owner_id, is_admin=is_admin)
    return {
        "warnings": warnings_of(visit.settings) if is_admin else [],
        "to_reassign": notices.to_reassign,
        "findings": await count_findings(visit),
        "lacks_postal_address": notices.lacks_postal_address,
        "first_steps": how_far(notices.first_steps),
    }


async def assign(visit: Visit, sent: Sent) -> Done:
    await visit.api.post(f"/leads/{sent.id('lead_id')}/assignment", {"user_id": sent.id("user_id")})
    return Done("/board", "The lead is assigned.")


BOARD = Page(
    path="/board",
    title="Board",
    about="the leads of the last 24 hours by state, with who was asked and who is next, to assign one; the ledger; what"
    " does not work, what the check of the rules finds, requests to pass leads on",
    template="pages/board.html",
    load=load_board,
    acts={"assign": assign},
    may=owners,
    place=MenuItem("Leads in and out", "Board", "layout-dashboard", on_phone=True),
    parts=("board",),
    listens=("account",),
)
