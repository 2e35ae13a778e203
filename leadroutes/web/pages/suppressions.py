"""Addresses that campaigns must not write to: the list, to search and to add to; as a file in and out."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from leadroutes.api.suppression_calls import LARGEST
from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.errors import Invalid
from leadroutes.web.page import Done, Page, Revealed, Visit, owners_themselves
from leadroutes.web.pages.settings import csv_file
from leadroutes.web.pages.suppression_acts import lift, suppress_address
from leadroutes.web.pages.suppression_words import CHANNELS, REASONS, WISHES
from leadroutes.web.pages.templates import given_id
from leadroutes.web.sent import Sent

PAGE = 50
LONGEST_SEARCH = 255
CSV = {"content-type": ["text/csv"], "accept": ["application/json"]}


async def load_suppressions(visit: Visit) -> Mapping[str, Any]:
    asked = {name: visit.query.get(name, "").strip() for name in ("value", "channel", "reason")}
    before = given_id(visit, "before")
    query: dict[str, object] = {"owner_user_id": visit.viewer.owner_id, "$sort[id]": -1}
    if asked["value"]:
        query["value"] = _plain(asked["value"])
    if asked["channel"] in CHANNELS:
        query["channel"] = asked["channel"]
    if asked["reason"] in REASONS:
        query["reason"] = asked["reason"]
    if before:
        query["id[$lt]"] = before
    found = await visit.api.records("/suppressions", query, most=PAGE + 1)
    return {
        "suppressions": found[:PAGE],
        "older_than": found[PAGE - 1]["id"] if len(found) > PAGE else None,
        "asked": asked,
        "reasons": REASONS,
        "channels": CHANNELS,
        "wishes": WISHES,
        "report": None,
    }


def _plain(typed: str) -> str:
    """Returns an address as it is stored, whichever kind it is; else what was typed, which is found nowhere."""
    return normal_email(typed) or normal_phone(typed) or typed[:LONGEST_SEARCH]


async def add(visit: Visit, sent: Sent) -> Done:
    channel, value = sent.get("channel"), sent.text("value")
    if value is None:
        raise Invalid.fields({"value": "Write an e-mail address or a phone number first"})
    return await suppress_address(visit, sent, channel, value, "value")


async def bring(visit: Visit, sent: Sent) -> Revealed:
    """Adds the rows of a file, and shows what became of them."""
    file = sent.files.get("file")
    if file is None or not file.content:
        raise Invalid.fields({"file": "Choose a file with rows in it"})
    try:
        report = await visit.api.send("POST", "/suppressions/import", file.content, None, CSV)
    except Invalid as problem:
        raise Invalid.fields({"file": f"{file.name}: {problem.message}"}) from None
    return Revealed({"report": report})


async def download(visit: Visit) -> Response:
    """All suppressions of the account, also those that were lifted, as a file that an import reads."""
    return await csv_file(visit, "suppressions")


SUPPRESSIONS = Page(
    path="/settings/suppressions",
    title="Do not contact",
    about="addresses that campaigns must not write to, with the reason: search, add, lift; the list as a CSV file, in"
    " and out",
    template="pages/suppressions.html",
    load=load_suppressions,
    acts={"add": add, "lift": lift, "import": bring},
    may=owners_themselves,
    below="/settings",
    parts=("rows",),
    largest=LARGEST + 65_536,
    download=download,
)
