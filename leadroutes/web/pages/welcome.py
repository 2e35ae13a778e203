"""The first steps of an owner: what has to be there before a lead finds its agent, and the example to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadroutes.errors import Conflict
from leadroutes.store import statement
from leadroutes.web.page import Done, Inverse, Page, Visit, owners
from leadroutes.web.sent import Sent


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps: what says that it is done, its words, and where it is done; "" href: on this page."""

    name: str
    words: str
    why: str
    href: str
    label: str


STEPS = (
    Step("has_people", "Invite your agents", "Each gets a mail with a link, and chooses a password.", "/people",
         "People"),
    Step("has_team", "Make a team", "Who is asked for a lead, in which order, and for how long.", "/teams/new",
         "New team"),
    Step("has_source", "Connect a source", "An address for Zillow, Realtor.com, your website or e-mail, with what to do"
         " there.", "/sources/new", "New source"),
    Step("has_route", "Make a route", "Which leads go to which team, and which follow-up they get.", "/routes/new",
         "New route"),
    Step("has_lead", "Send a test lead", "It goes the way of a real one, to your own address, and is counted nowhere.",
         "", "Send a test lead"),
)  # fmt: skip
NO_SOURCE = "Connect a source first: a test lead comes in through it."


async def first_steps(visit: Visit) -> Mapping[str, Any]:
    """Returns which steps are done, how many, and the ids that the page needs."""
    bound = statement("find_first_steps").bind(owner_id=visit.viewer.owner_id, is_admin=visit.viewer.is_admin)
    row = await visit.database.fetchrow(*bound)
    assert row is not None
    return how_far(dict(row))


def how_far(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns what is stored of the first steps, with how many are done."""
    done = sum(row[step.name] for step in STEPS)
    return {**row, "done": done, "of": len(STEPS), "is_complete": done == len(STEPS)}


async def load_welcome(visit: Visit) -> Mapping[str, Any]:
    found = await first_steps(visit)
    may_load = visit.viewer.is_admin and not visit.viewer.is_delegate
    todo = next((step.name for step in STEPS if not found[step.name]), "")
    return {
        "steps": STEPS,
        "first_steps": found,
        "todo": todo,
        "example": await visit.api.get("/example-brokerage") if may_load else None,
    }


async def send_test(visit: Visit, _sent: Sent) -> Done:
    key_id = (await first_steps(visit))["intake_key_id"]
    if key_id is None:
        raise Conflict(NO_SOURCE)
    lead = await visit.api.post(f"/intake-keys/{key_id}/test-lead")
    return Done(f"/leads/{lead['id']}", "This is the test lead: who was asked, and what is sent, you see below.")


async def load_example(visit: Visit, _sent: Sent) -> Done:
    await visit.api.post("/example-brokerage")
    undo = Inverse("DELETE", "/example-brokerage")
    return Done("", "The example brokerage is loaded: a team, routes and a campaign to look at.", undo)


async def remove_example(visit: Visit, _sent: Sent) -> Done:
    await visit.api.delete("/example-brokerage")
    return Done("", "The example brokerage is removed.")


WELCOME = Page(
    path="/welcome",
    title="First steps",
    about="the home of an owner until the first lead has come: people, team, source, route and a test lead, ticked as"
    " they are done; the example brokerage, to load and to remove",
    template="pages/welcome.html",
    load=load_welcome,
    acts={"test": send_test, "load_example": load_example, "remove_example": remove_example},
    may=owners,
    below="/board",
)
