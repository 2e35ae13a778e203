"""What forms do about an address that campaigns must not write to, on the page of a contact and on the list of all."""

from leadroutes.errors import Conflict, Invalid
from leadroutes.web.page import Done, Inverse, Visit
from leadroutes.web.sent import Sent


async def suppress_address(visit: Visit, sent: Sent, channel: str, value: str, field: str) -> Done:
    """Enters an address. `field`: the field of the form that a fault is shown at."""
    reason = "stopped" if sent.get("reason") == "stopped" else "manual"
    try:
        made = await visit.api.post("/suppressions", {"channel": channel, "value": value, "reason": reason})
    except Conflict:
        raise Invalid.fields({field: "Campaigns do not write to this address already"}) from None
    undo = Inverse("DELETE", f"/suppressions/{made['id']}") if reason == "manual" else None
    return Done("", "Campaigns do not write to this address any more.", undo)


def suppression_of(sent: Sent) -> int:
    """Returns the id of the suppression that a button is about."""
    suppression_id = sent.id("suppression_id")
    if suppression_id is None:
        raise Invalid("suppression_id: expected one of the page's buttons.")
    return suppression_id


async def lift(visit: Visit, sent: Sent) -> Done:
    """Lets campaigns write again; where the person did not want it, with how that has changed."""
    consent = sent.text("consent")
    await visit.api.call("DELETE", f"/suppressions/{suppression_of(sent)}", {"consent": consent} if consent else {})
    return Done("", "Campaigns may write to this address again.")
