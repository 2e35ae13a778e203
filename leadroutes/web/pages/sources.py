"""Lead sources: the addresses through which leads come in, what came last, and what an owner does with an address."""

from collections.abc import Mapping
from typing import Any

from leadroutes.errors import Invalid
from leadroutes.web.page import Done, Inverse, MenuItem, Page, Revealed, Visit, change, owners
from leadroutes.web.pages.vendor_steps import steps_of, vendor_of
from leadroutes.web.sent import Sent

PAGE = 50
MOST_KEYS = 100  # of one source
FIELD = "secret."  # begins the name of a field that holds a vendor's secret
OLD_KEY_DAYS = {"7": "7 days", "30": "30 days", "90": "90 days", "0": "not at all: it ends now"}
OUTCOMES = {
    "on offer": "it is on offer",
    "claimed": "it is claimed",
    "unclaimed": "no one could be asked, or no one claimed it",
    "held": "it is held: no route takes it",
}

# ------------------------------------------------------------------------------------------------- all addresses


async def load_sources(visit: Visit) -> Mapping[str, Any]:
    query: dict[str, object] = {"$sort[id]": -1}
    if visit.query.get("after"):
        query["id[$lt]"] = Sent({"after": [visit.query["after"]]}).id("after")
    keys = await visit.api.records("/intake-keys", query, most=PAGE + 1)
    shown = keys[:PAGE]
    return {
        "keys": shown,
        "last": shown[-1]["id"] if len(keys) > PAGE else None,
        "sources": await visit.api.by_id("/lead-sources", [key["lead_source_id"] for key in shown], ("name",)),
        "vendors": await visit.api.get("/intake-vendors"),
        "vendor_of": vendor_of,
    }


SOURCES = Page(
    path="/sources",
    title="Sources",
    about="the addresses through which leads come in, with what came last and what could not be read; to make one for"
    " Zillow, Realtor.com, Facebook, Google, a form of a website, e-mail or Zapier",
    template="pages/sources.html",
    load=load_sources,
    may=owners,
    place=MenuItem("Leads in and out", "Sources", "plug"),
    parts=("rows",),
)

# -------------------------------------------------------------------------------------------------- a new address


async def load_new(visit: Visit) -> Mapping[str, Any]:
    vendors = await visit.api.get("/intake-vendors")
    kind = visit.sent.get("kind") or visit.query.get("kind", "")
    vendor = next((each for each in vendors if each["name"] == kind), None)
    sources = await visit.api.records("/lead-sources", {"$sort[name]": 1, "$select": ["id", "name"]})
    wanted = visit.query.get("source") or next(
        (str(each["id"]) for each in sources if vendor and each["name"] == vendor["lead_source"]), ""
    )
    return {
        "vendors": vendors,
        "vendor": vendor,
        "steps": steps_of(vendor) if vendor else [],
        "sources": [(each["id"], each["name"]) for each in sources],
        "source": wanted,
        "has_mailbox": visit.settings.mail_domain is not None,
    }


async def make_key(visit: Visit, sent: Sent) -> Revealed:
    """A new address, which is shown this once."""
    vendors = await visit.api.get("/intake-vendors")
    vendor = next((each for each in vendors if each["name"] == sent.get("kind")), None)
    if vendor is None:
        raise Invalid("Choose first where the leads come from.")
    secrets = _secrets(vendor, sent)
    made = await visit.api.post(
        "/intake-keys",
        {
            "lead_source_id": await _source_id(visit, sent),
            "format": vendor["format"],
            **({"secrets": secrets} if secrets else {}),
        },
    )
    return Revealed({"made": made, "vendor": vendor, "steps": steps_of(vendor, made), "is_new": True})


def _secrets(vendor: Mapping[str, Any], sent: Sent) -> dict[str, str]:
    given = {name: sent.get(FIELD + name).strip() for name in vendor["secrets"]}
    missing = {
        FIELD + name: f"Fill in {about}; without it, anyone who knows the address could send leads"
        for name, about in vendor["secrets"].items()
        if not given[name]
    }
    if missing:
        raise Invalid.fields(missing)
    return given


async def _source_id(visit: Visit, sent: Sent) -> int:
    """The lead source that was chosen; or the one of the name that was typed, which is made where there is none."""
    name = sent.text("name")
    if name is None:
        chosen = sent.id("lead_source_id")
        if chosen is None:
            raise Invalid.fields({"lead_source_id": "Choose a lead source, or type the name of a new one"})
        return chosen
    found = await visit.api.records("/lead-sources", {"name": name, "$select": ["id"]}, most=1)
    return int(found[0]["id"] if found else (await visit.api.post("/lead-sources", {"name": name}))["id"])


NEW_SOURCE = Page(
    path="/sources/new",
    title="A new source",
    about="make an address for leads of one vendor: it is shown once, with the steps to do there and, for a website,"
    " the form to copy",
    template="pages/source_new.html",
    load=load_new,
    acts={"make": make_key},
    may=owners,
    below="/sources",
)

# ----------------------------------------------------------------------------------------------------- one source


async def load_source(visit: Visit) -> Mapping[str, Any]:
    source = await visit.api.get(f"/lead-sources/{visit.id}")
    keys = await visit.api.records("/intake-keys", {"lead_source_id": visit.id, "$sort[id]": -1}, most=MOST_KEYS)
    test_id = Sent({"test": [visit.query.get("test", "")]}).id("test")
    return {
        "source": source,
        "keys": keys,
        "vendors": await visit.api.get("/intake-vendors"),
        "vendor_of": vendor_of,
        "days": OLD_KEY_DAYS,
        "test": await visit.api.find(f"/leads/{test_id}") if test_id else None,
        "outcomes": OUTCOMES,
    }


async def rotate(visit: Visit, sent: Sent) -> Revealed:
    """A new address in the place of the present one, which works on for some days."""
    if sent.get("days") not in OLD_KEY_DAYS:
        raise Invalid.fields({"days": "Choose how long the old address works on"})
    made = await visit.api.post(f"/intake-keys/{_key(sent)}/rotate", {"days": int(sent.get("days"))})
    vendor = vendor_of(await visit.api.get("/intake-vendors"), made["format"])
    steps = steps_of(vendor, made) if vendor else []
    return Revealed({"made": made, "vendor": vendor, "steps": steps, "is_new": False})


async def revoke(visit: Visit, sent: Sent) -> Done:
    await visit.api.delete(f"/intake-keys/{_key(sent)}")
    return Done("", "The address is closed. What came through it stays.")


async def set_private(visit: Visit, sent: Sent) -> Done:
    """Whether only the vendor knows the address, which decides how far its sender is believed."""
    path, is_private = f"/intake-keys/{_key(sent)}", sent.is_checked("is_private")
    await change(visit, path, {"is_private": is_private}, sent.get("seen"))
    undo = Inverse("PATCH", path, {"is_private": not is_private}, only_if={"is_private": str(is_private).lower()})
    words = "The address counts as known to its sender alone." if is_private else "The address counts as public."
    return Done("", words, undo)


async def send_test(visit: Visit, sent: Sent) -> Done:
    """A lead with the viewer's own addresses; the page then shows where it went."""
    given = {name: sent.text(name) for name in ("type", "zipcode", "price", "city", "state") if sent.text(name)}
    lead = await visit.api.post(f"/intake-keys/{_key(sent)}/test-lead", given)
    return Done(f"/sources/{visit.id}?test={lead['id']}", "The test lead came in. Below is what became of it.")


async def remove_tests(visit: Visit, _sent: Sent) -> Done:
    await visit.api.get(f"/lead-sources/{visit.id}", {"$select": "id"})
    removed = (await visit.api.delete("/test-leads"))["removed"]
    return Done("", "There was no test lead." if not removed else "The test leads are gone, and all that came of them.")


def _key(sent: Sent) -> int:
    key_id = sent.id("key")
    if key_id is None:
        raise Invalid("key: expected one of the page's buttons.")
    return key_id


SOURCE = Page(
    path="/sources/{id}",
    title="Source",
    about="the addresses of a lead source: replace one, close one, send a test lead and see where it went, remove the"
    " test leads",
    template="pages/source.html",
    load=load_source,
    acts={
        "rotate": rotate, "revoke": revoke, "private": set_private, "test": send_test, "remove_tests": remove_tests,
    },
    may=owners,
    below="/sources",
)  # fmt: skip

SOURCE_PAGES = (SOURCES, NEW_SOURCE, SOURCE)
