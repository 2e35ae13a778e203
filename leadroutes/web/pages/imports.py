"""Imports of past leads: a file is sent, its columns are matched, it is checked, and imported in the background."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from leadroutes.errors import Invalid
from leadroutes.operations.import_jobs import LARGEST
from leadroutes.web.downloads import csv_download
from leadroutes.web.page import Done, MenuItem, Page, Visit, owners
from leadroutes.web.sent import Sent

PAGE = 50
MOST_SAMPLES = 5  # of columns that have one heading
MEANING = "meaning."  # begins the name of the field of a column, by its place
IGNORE = "ignore"
MEANINGS = {
    IGNORE: "– not imported –",
    "first": "First name",
    "last": "Last name",
    "full": "Whole name",
    "email": "E-mail",
    "phone": "Phone",
    "street": "Street",
    "city": "City",
    "state": "State",
    "zipcode": "ZIP",
    "type": "Type: buyer, seller, renter",
    "source": "Lead source",
    "contact_source": "Contact source",
    "message": "Message or notes",
    "price": "Price",
    "mls_id": "MLS number",
    "time": "When the lead came in",
    "vendor_id": "Id at the source",
    "unsubscribed": "Unsubscribed: a date or yes",
    "test": "Is a test",
    "closed": "Is closed: a date or yes",
    "junk_reason": "Junk: the reason",
    "junk_note": "Junk: the note",
}
STATES = {
    "stored": "to be checked",
    "checking": "is being checked",
    "checked": "checked",
    "importing": "is being imported",
    "done": "done",
    "failed": "failed",
}
TAG_KINDS = {"done": "good", "failed": "warn", "checked": "warn", "stored": "warn"}
UNDER_WAY = ("checking", "importing")
RESULTS = {  # of a check, of an import
    "imported": ("new leads", "new leads"),
    "known": ("in already", "in already"),
    "mended": ("would fill gaps", "filled gaps"),
    "joined": ("of persons known", "of persons known"),
    "rejected": ("cannot be taken", "not taken"),
    "warnings": ("with a warning", "with a warning"),
    "unsubscribed": ("unsubscribed", "unsubscribed"),
    "routed": ("would be routed", "routed"),
}
WHY = {
    "empty_row": "the row is empty",
    "wrong_columns": "it has more or fewer cells than the headings",
    "repeated_header": "it repeats the headings",
    "bad_date": "the date cannot be read",
    "no_contact": "there is neither an e-mail nor a phone",
    "bad_email": "the e-mail address cannot be used, and is left out",
    "bad_phone": "the phone number cannot be used, and is left out",
    "bad_zipcode": "the ZIP code cannot be read, and is left out",
    "bad_price": "the price cannot be read, and is left out",
    "bad_type": "the type is not known, and is left out",
}
CSV = {"content-type": ["text/csv"], "accept": ["application/json"]}

# --------------------------------------------------------------------------------------------------- all imports


async def load_imports(visit: Visit) -> Mapping[str, Any]:
    keys = ["id", "file_name", "state", "rows_total", "rows_done", "result", "created_at", "has_file"]
    query: dict[str, object] = {"$sort[id]": -1, "$select": keys}
    if visit.query.get("after"):
        query["id[$lt]"] = Sent({"after": [visit.query["after"]]}).id("after")
    imports = await visit.api.records("/imports", query, most=PAGE + 1)
    return {
        "imports": imports[:PAGE],
        "last": imports[PAGE - 1]["id"] if len(imports) > PAGE else None,
        "states": STATES,
        "tag_kinds": TAG_KINDS,
        "days": visit.settings.keep_imports,
    }


async def upload(visit: Visit, sent: Sent) -> Done:
    file = sent.files.get("file")
    if file is None or not file.content:
        raise Invalid.fields({"file": "Choose a file with rows in it"})
    try:
        stored = await visit.api.send("POST", "/imports", file.content, {"file_name": file.name}, CSV)
    except Invalid as problem:
        raise Invalid.fields({"file": f"{file.name}: {problem.message}"}) from None
    return Done(f"/import/{stored['id']}", "The file is here. Nothing of it is imported yet.")


IMPORT_LIST = Page(
    path="/import",
    title="Import",
    about="past leads from a CSV file: send it, and see the imports so far",
    template="pages/imports.html",
    load=load_imports,
    acts={"upload": upload},
    may=owners,
    place=MenuItem("Leads in and out", "Import", "upload"),
    parts=("rows",),
    largest=LARGEST + 65_536,
)

# ----------------------------------------------------------------------------------------------------- one import


async def load_import(visit: Visit) -> Mapping[str, Any]:
    shown = await visit.api.get(f"/imports/{visit.id}")
    return {
        "each": shown,
        "headings": _matched(shown),
        "meanings": MEANINGS,
        "states": STATES,
        "tag_kinds": TAG_KINDS,
        "results": RESULTS,
        "is_under_way": shown["state"] in UNDER_WAY,
        "is_open": shown["has_file"] and shown["state"] in ("stored", "checked", "failed"),
        "why": WHY,
    }


def _matched(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the columns with a heading, each with what it is taken for now; those of one heading mean the same."""
    found: dict[str, dict[str, Any]] = {}
    for place, each in enumerate(shown["headings"] or []):
        heading = each["heading"]
        if heading in found:
            samples = dict.fromkeys((*found[heading]["samples"], *each["samples"]))
            found[heading]["samples"] = list(samples)[:MOST_SAMPLES]
        elif heading:
            chosen = shown["columns"].get(heading) or each["meaning"] or IGNORE
            found[heading] = {**each, "place": place, "chosen": chosen}
    return list(found.values())


async def check(visit: Visit, sent: Sent) -> Done:
    """Stores what the columns mean, and begins the check."""
    columns = _chosen(await visit.api.get(f"/imports/{visit.id}"), sent)
    body = {
        **({"columns": columns} if columns else {}),
        "received_at": sent.text("received_at"),
        "routes_recent": sent.is_checked("routes_recent"),
    }
    await visit.api.patch(f"/imports/{visit.id}", body)
    await visit.api.post(f"/imports/{visit.id}/dry-run")
    return Done("", "The file is being checked. Nothing of it is imported yet.")


def _chosen(shown: Mapping[str, Any], sent: Sent) -> dict[str, str]:
    """Returns what the columns mean by their headings: those that mean something else than was recognised.

    Where there are none it is one of the others, as the API takes no empty object.
    """
    every, different = {}, {}
    for heading in _matched(shown):
        name = f"{MEANING}{heading['place']}"
        chosen = every[heading["heading"]] = sent.get(name, heading["chosen"])
        if chosen not in MEANINGS:
            raise Invalid.fields({name: "Choose what the column means from the list"})
        if chosen != (heading["meaning"] or IGNORE):
            different[heading["heading"]] = chosen
    return different or dict(list(every.items())[:1])


async def start(visit: Visit, _sent: Sent) -> Done:
    await visit.api.post(f"/imports/{visit.id}/start")
    return Done("", "The import has begun. It goes on when you leave this page.")


async def report(visit: Visit, _sent: Sent) -> Response:
    """The rows that were not taken, or with a warning, as a file."""
    return csv_download(f"import-{visit.id}.csv", await visit.api.get(f"/imports/{visit.id}/report"))


async def remove(visit: Visit, _sent: Sent) -> Done:
    await visit.api.delete(f"/imports/{visit.id}")
    return Done("/import", "The import and its file are removed. Leads that it has made stay.")


IMPORT = Page(
    path="/import/{id}",
    title="Import",
    about="one file: what its columns mean, a check that says what would become of each row, the import with its"
    " progress, and the rows that were not taken, to be corrected",
    template="pages/import.html",
    load=load_import,
    acts={"check": check, "start": start, "report": report, "remove": remove},
    may=owners,
    below="/import",
    parts=("progress",),
)

IMPORT_PAGES = (IMPORT_LIST, IMPORT)
