"""The agents of listings: who is offered the inquiries about a listing first."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from leadroutes.domain.rule_document import MOST_SIZE
from leadroutes.errors import Conflict, Invalid, TooLarge
from leadroutes.store import statement
from leadroutes.web.forms import read_id, require_id
from leadroutes.web.page import Done, Inverse, Page, Visit, change, owners
from leadroutes.web.pages.listing_file import read_listings
from leadroutes.web.sent import Sent

PATH: Final = "/listing-agents"
PER_PAGE: Final = 50
MOST_FAULTS: Final = 10  # lines of a file that are shown with what is wrong


async def load_listing_agents(visit: Visit) -> Mapping[str, Any]:
    query: dict[str, object] = {}
    if (after_id := read_id(visit.query.get("after"))) is not None:
        query["id[$gt]"] = after_id
    listings = await visit.api.records(PATH, query, most=PER_PAGE + 1)
    shown = listings[:PER_PAGE]
    members = {row["id"]: row["name"] for row in await _members(visit)}
    gone = [each["user_id"] for each in shown if each["user_id"] not in members]
    rows = await visit.database.fetch(*statement("find_display_names").bind(user_ids=gone)) if gone else []
    return {
        "listings": shown,
        "older_than": shown[-1]["id"] if len(listings) > PER_PAGE else None,
        "members": list(members.items()),
        "names": members,
        "gone": {row["id"]: row["name"] for row in rows},
    }


async def _members(visit: Visit) -> list[asyncpg.Record]:
    """The accepted members of the owner's teams, by name."""
    return await visit.database.fetch(*statement("list_agents").bind(owner_id=visit.viewer.owner_id))


async def add(visit: Visit, sent: Sent) -> Done:
    errors = {}
    if not sent.text("mls_id"):
        errors["mls_id"] = "Give the MLS number of the listing."
    if sent.id("user_id") is None:
        errors["user_id"] = "Choose the agent."
    if errors:
        raise Invalid.fields(errors)
    body = {"mls_id": sent.text("mls_id"), "user_id": sent.id("user_id")}
    made = await _unless_taken(visit.api.post(PATH, body))
    return Done("", f"Inquiries about {made['mls_id']} are offered to this agent first.")


async def save(visit: Visit, sent: Sent) -> Done:
    saved = await change(visit, f"{PATH}/{_on(sent)}", {"user_id": sent.id("user_id")}, sent.get("seen"))
    return Done("", f"Inquiries about {saved['mls_id']} are offered to this agent first.")


async def remove(visit: Visit, sent: Sent) -> Done:
    gone = await visit.api.delete(f"{PATH}/{_on(sent)}")
    undo = Inverse("POST", PATH, {"mls_id": gone["mls_id"], "user_id": gone["user_id"]})
    return Done("", f"{gone['mls_id']} has no agent any more: its inquiries go to the usual line.", undo)


async def bring(visit: Visit, sent: Sent) -> Done:
    """Adds the listings of a file, and gives those that are there the agents that it names; all of them or none."""
    file = sent.files.get("file")
    if file is None or not file.content:
        raise Invalid.fields({"file": "Choose a file with rows in it"})
    emails = {row["email"].lower() for row in await _members(visit)}
    read = await asyncio.to_thread(read_listings, file.content, emails)
    if wrong := read.fault or _in_words(read.faults):
        raise Invalid.fields({"file": f"{file.name}: nothing was changed. {wrong}"})
    given = [{"mls_id": mls_id, "user": email} for mls_id, email in read.agents.items()]
    try:
        loaded = await visit.api.put("/rules/document", {"rules": 1, "listing_agents": given})
    except (Invalid, TooLarge) as problem:
        raise Invalid.fields({"file": f"{file.name}: nothing was changed. {problem.message}"}) from None
    changed, all_ = len(loaded["changes"]), len(given)
    return Done("", f"{_listings(changed)} of the file changed; {all_ - changed:,} had this agent already.")


def _in_words(faults: Sequence[tuple[int, str]]) -> str:
    more = len(faults) - MOST_FAULTS
    said = [f"Line {line}: {why}" for line, why in faults[:MOST_FAULTS]]
    return "; ".join((*said, f"and {more:,} more") if more > 0 else said)


def _listings(number: int) -> str:
    return "1 listing" if number == 1 else f"{number:,} listings"


async def _unless_taken(made: Any) -> Any:
    try:
        return await made
    except Conflict as taken:
        raise Invalid.fields({"mls_id": f"{taken}. Change the agent in the list."}) from None


def _on(sent: Sent) -> int:
    return require_id("on", sent.on, "the number of a record")


LISTING_AGENTS_PAGE = Page(
    path="/routes/listing-agents",
    title="Listing agents",
    about="who is offered the inquiries about a listing first, by its MLS number; a list of them from a CSV file",
    template="pages/listing_agents.html",
    load=load_listing_agents,
    acts={"add": add, "save": save, "remove": remove, "import": bring},
    may=owners,
    below="/routes",
    parts=("listings",),
    largest=MOST_SIZE + 65_536,
)
