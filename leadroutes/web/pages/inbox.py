"""The inbox of an agent: invitations, what is offered to the agent, and what of the agent's waits to be done."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leadroutes.domain.preview import preview
from leadroutes.engine import memberships
from leadroutes.errors import Conflict, Forbidden, Invalid
from leadroutes.web.audit import row_of_page
from leadroutes.web.page import Done, Inverse, MenuItem, Page, Visit
from leadroutes.web.pages.leads import mark_call_done, mark_task
from leadroutes.web.sent import Sent

FIRST, ALL = 10, 50  # of each list, as the page shows it at first, and as many as the API has
ANSWERS = {"accept": "Accepted", "decline": "Declined"}


async def load_inbox(visit: Visit) -> Mapping[str, Any]:
    most = ALL if "all" in visit.query else FIRST
    inbox = await visit.api.get("/inbox", {"$limit": str(most + 1)})  # one more tells whether there are others
    for offer in inbox["offers"]:
        offer["about"] = preview(offer["first_name"], offer["city"], offer["type"], offer["listing_price"])
    return {**inbox, "most": most}


async def claim(visit: Visit, sent: Sent) -> Done:
    """Claim the lead of an offer. Raises Conflict where someone else was faster."""
    lead_id = _required(sent, "lead_id")
    lead = await visit.api.post(f"/leads/{lead_id}/claim")
    return Done(f"/leads/{lead['id']}", "Yours. Answer at once: whoever calls within five minutes gets the client.")


async def decline(visit: Visit, sent: Sent) -> Done:
    offer_id = _required(sent, "offer_id")
    await visit.api.post(f"/lead-offers/{offer_id}/decline")
    undo = Inverse("DELETE", f"/lead-offers/{offer_id}/decline")
    return Done("/", "Passed on: the next agent is asked.", undo)


async def answer_invitation(visit: Visit, sent: Sent) -> Done:
    """Accept or decline an invitation into a team; to accept one that shares contacts is to agree to the sharing."""
    status = ANSWERS.get(sent.get("answer"))
    if status is None:
        raise Invalid("answer: expected one of the page's buttons.")
    member_id, agrees = _required(sent, "member_id"), sent.get("sharing") == "yes"
    try:
        act = replace(
            row_of_page(visit.viewer.user.id, visit.viewer.user.id, "/team-members", member_id), method="PATCH"
        )
        await memberships.answer(visit.database, member_id, visit.viewer.user.id, status, agrees=agrees, act=act)
    except Forbidden:
        raise Conflict("This invitation is over.") from None
    return Done("/", "You are in the team." if status == "Accepted" else "The invitation is declined.")


async def finish_task(visit: Visit, sent: Sent) -> Done:
    return await mark_task(visit, _required(sent, "task_id"), "complete", "/")


async def finish_call(visit: Visit, sent: Sent) -> Done:
    return await mark_call_done(visit, _required(sent, "call_id"), "/")


def _required(sent: Sent, name: str) -> int:
    number = sent.id(name)
    if number is None:
        raise Invalid(f"{name}: expected the id of a record.")
    return number


INBOX = Page(
    path="/",
    title="Inbox",
    about="invitations into teams; what is offered to you, with the time that is left, to claim or to pass; your leads"
    " that you have not been in touch about yet, your tasks that are due, and the calls that campaigns ask for",
    template="pages/inbox.html",
    load=load_inbox,
    acts={
        "claim": claim,
        "decline": decline,
        "invitation": answer_invitation,
        "finish": finish_task,
        "call_done": finish_call,
    },
    place=MenuItem("My leads", "Inbox", "inbox", on_phone=True),
    parts=("inbox",),
    listens=("user",),
)
