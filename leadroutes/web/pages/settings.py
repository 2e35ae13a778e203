"""Settings: the channels of the installation, what an account is known by, how long data is stored, export, example."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import fields
from typing import Any, TextIO

from starlette.responses import Response

from leadroutes.errors import Conflict, Invalid
from leadroutes.operations.csv_export import STATEMENTS, What, export
from leadroutes.settings import Settings
from leadroutes.web.downloads import csv_download
from leadroutes.web.page import Done, MenuItem, Page, Stale, Visit, digest, owners_themselves
from leadroutes.web.sent import Sent
from leadroutes.web.zones import zone_choices

CHANNELS = {"email": "E-mail", "text": "Text messages", "call": "Calls"}
TESTED = {
    "email": ("mail", "The mail server took a test mail to {}. Look into your mailbox."),
    "text": ("text", "The provider took a test text to {}. Look at your phone."),
}
EXPORTS = {"leads": "Leads", "contacts": "Contacts", "suppressions": "Do not contact"}
STORED = {
    "keep_arrivals": "What came in, as it came. What became of it stays",
    "keep_messages": "The words of messages. That, when and to whom they were sent stays",
    "keep_imports": "Files of imports. Their numbers, and the leads, stay",
    "keep_claim_links": "Links in alerts: until then they lead to the lead",
    "keep_audit": "Who changed what",
    "keep_versions": "Versions of the rules",
    "keep_rule_sets": "Earlier versions of the rules by which no lead was decided",
    "keep_queue_log": "The log of the message queue",
}
PIECE = 65_536  # characters


async def load_settings(visit: Visit) -> Mapping[str, Any]:
    is_admin = visit.viewer.is_admin
    me = await visit.api.get("/me")
    return {
        "me": me,
        "zones": zone_choices(me["timezone"]),
        "channels": await visit.api.get("/channels") if is_admin else [],
        "channel_names": CHANNELS,
        "example": await visit.api.get("/example-brokerage") if is_admin else None,
        "stored": _stored(visit.settings),
        "exports": EXPORTS,
    }


def _stored(settings: Settings) -> list[tuple[str, int | None, str]]:
    """Returns what is removed in time, after how many days (None: never), and by which setting."""
    names = {each.name: each.metadata["name"] for each in fields(settings)}
    return [(what, getattr(settings, name), names[name]) for name, what in STORED.items()]


async def save(visit: Visit, sent: Sent) -> Done:
    if sent.text("timezone") is None:
        raise Invalid.fields({"timezone": "Choose a time zone: times are shown and hours are counted in it"})
    now, seen = await visit.api.get("/me"), sent.get("seen")
    if seen and seen != digest(now):
        raise Stale(now)
    await visit.api.patch("/me", {name: sent.text(name) for name in ("timezone", "postal_address")})
    return Done("", "It is saved.")


async def send_test(visit: Visit, sent: Sent) -> Done:
    """A mail or a text to the viewer over the installation's channel."""
    name = sent.get("channel") or "email"
    if name not in TESTED:
        raise Invalid(f"channel: {name[:40]!r} was given; expected one of {', '.join(TESTED)}.")
    what, taken = TESTED[name]
    tested = await visit.api.post(f"/channels/{name}/test")
    if not tested["is_sent"]:
        raise Conflict(f"The test {what} could not be sent: {tested['reason']}.")
    return Done("", taken.format(tested["address"]))


async def load_example(visit: Visit, _sent: Sent) -> Done:
    await visit.api.post("/example-brokerage")
    return Done("", "The example brokerage is there: look at its teams and routes, and send a test lead.")


async def remove_example(visit: Visit, _sent: Sent) -> Done:
    await visit.api.delete("/example-brokerage")
    return Done("", "The example brokerage is gone, with the test leads.")


async def export_all(visit: Visit, sent: Sent) -> Response:
    """All leads, contacts or suppressions of the account as a CSV file, which an import reads."""
    for what in STATEMENTS:
        if sent.get("what") == what:
            return await csv_file(visit, what)
    raise Invalid("what: expected one of the page's buttons.")


async def csv_file(visit: Visit, what: What) -> Response:
    """Returns all of one kind in the viewer's account as a CSV file."""
    file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115 -- closed once it is sent
    await export(visit.database, what, visit.viewer.email, file)
    return csv_download(f"{what}.csv", _pieces(file))


async def _pieces(file: TextIO) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece.encode()


SETTINGS = Page(
    path="/settings",
    title="Settings",
    about="time zone and postal address of the account; how long what is stored; export; for administrators the state"
    " of every channel with what to add and a test, and the example brokerage to load and to remove",
    template="pages/settings.html",
    load=load_settings,
    acts={
        "save": save, "send_test": send_test, "load_example": load_example, "remove_example": remove_example,
        "export": export_all,
    },
    may=owners_themselves,
    place=MenuItem("Account", "Settings", "settings"),
)  # fmt: skip
