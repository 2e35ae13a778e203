"""Arrivals: everything that came in, how it was read, and what a person does about what could not be read."""

from collections.abc import Mapping
from typing import Any

from leadroutes.errors import Invalid
from leadroutes.ingest.corrections import FIELDS
from leadroutes.web.page import Done, Inverse, MenuItem, Page, Visit, owners
from leadroutes.web.pages.leads import CONTACT_KEYS, full_name
from leadroutes.web.sent import Sent

PAGE = 50
FIELD = "fields."  # begins the name of a field that is corrected
STATES = {
    "open": "to be looked at",
    "accepted": "new lead",
    "touch": "known lead, again",
    "pending": "waits to be read",
    "rejected": "not taken",
    "update": "update of a lead",
    "test": "test of a vendor",
}
NO_LEAD_MEANT = "noted"  # of what was understood and is not about a lead, such as a mail that came back
TAG_KINDS = {"accepted": "good", "rejected": "warn", "pending": "warn"}
REASONS = {
    "no_contact": "There is neither an e-mail nor a phone in it",
    "not_a_lead": "It is not about a lead",
    "unknown_format": "It has no form that is known",
    "malformed": "It is damaged: it cannot be read as what it says it is",
    "bad_secret": "The sender did not give the secret of this address, or a wrong one",
    "bad_signature": "The sender's signature is not right",
    "unknown_topic": "It is signed by the vendor, but was meant for another account",
    "bad_url": "It names an address that is not the vendor's",
    "too_deep": "It is nested too deeply",
    "dtd_forbidden": "Its XML brings rules of its own, which are not read",
    "too_large": "It is too large to be read",
    "unknown_number": "It is a text from a number that no contact has, and the number it came to has no intake address",
    "not_stored": "The lead could not be stored",
    "over_budget": "More came in than is read at once; it is read in its turn",
}
RETURNED = {  # mails that came back; what else is known of them is shown, too
    "delivery_report": "A report about a mail that was sent",
    "complaint": "Someone calls a mail of yours unwanted",
    "automatic_reply": "An automatic reply to a mail that was sent",
    "reply": "An answer to a mail that was sent",
    "unreadable": "A mail that came back and cannot be read",
}

# ---------------------------------------------------------------------------------------------------- everything


async def load_arrivals(visit: Visit) -> Mapping[str, Any]:
    arrivals = await visit.api.records("/arrivals", {**_filters(visit), "$sort[id]": -1}, most=PAGE + 1)
    shown = arrivals[:PAGE]
    keys = await visit.api.records("/intake-keys", {"$sort[id]": -1, "$select": ["id", "lead_source_id"]})
    source_ids = [each["lead_source_id"] for each in (*keys, *shown)]
    names = {id_: each["name"] for id_, each in (await visit.api.by_id("/lead-sources", source_ids, ("name",))).items()}
    return {
        "arrivals": shown,
        "last": shown[-1]["id"] if len(arrivals) > PAGE else None,
        "people": await _people(visit, shown),
        "names": names,
        "keys": [(each["id"], f"{names.get(each['lead_source_id'], 'A lead source')} ({each['id']})") for each in keys],
        "states": STATES,
        "tag_of": tag_of,
        "why": why,
        "asked": {name: visit.query.get(name, "") for name in ("status", "key")},
    }


def _filters(visit: Visit) -> dict[str, object]:
    """Returns the query of the API for what the page was asked for. Raises Invalid for what it does not offer."""
    asked, found = Sent({name: [value] for name, value in visit.query.items()}), dict[str, object]()
    state = asked.get("status")
    if state == "open":
        found |= {"status": "rejected", "is_handled": False}
    elif state:
        if state not in STATES:
            raise Invalid(f"status: {state[:40]!r} was given; expected one of {', '.join(STATES)}.")
        found["status"] = state
    if (key_id := asked.id("key")) is not None:
        found["intake_key_id"] = key_id
    if (after := asked.id("after")) is not None:
        found["id[$lt]"] = after
    return found


async def _people(visit: Visit, arrivals: list[dict[str, Any]]) -> dict[int, str]:
    """Returns the names of the persons by the leads of these arrivals."""
    leads = await visit.api.by_id("/leads", [each["lead_id"] for each in arrivals], ("contact_id",))
    contacts = await visit.api.by_id("/contacts", [each["contact_id"] for each in leads.values()], CONTACT_KEYS)
    return {id_: full_name(contacts.get(lead["contact_id"], {})) or "A lead" for id_, lead in leads.items()}


def why(reason: str | None) -> str:
    """Returns why no lead came of an arrival, in words."""
    code, _, rest = (reason or "").partition(":")
    if code in RETURNED:
        return f"{RETURNED[code]}:{rest}"
    code = code.strip()
    return REASONS.get(code) or reason or "The reason is not known"


def tag_of(arrival: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the word for what became of an arrival, and the kind of its tag."""
    if arrival["is_handled"] and arrival["status"] == "rejected":  # else a lead came of it afterwards
        return "handled", ""
    if arrival["status"] == "accepted" and arrival["lead_id"] is None:
        return NO_LEAD_MEANT, ""
    return STATES[arrival["status"]], TAG_KINDS.get(arrival["status"], "")


async def set_handled(visit: Visit, sent: Sent) -> Done:
    """Nothing remains to be done about it; or it is open again."""
    arrival_id = sent.id("id")
    if arrival_id is None:
        raise Invalid("id: expected one of the page's buttons.")
    path, is_handled = f"/arrivals/{arrival_id}/handled", sent.is_checked("is_handled")
    method, inverse = ("POST", "DELETE") if is_handled else ("DELETE", "POST")
    await visit.api.call(method, path)
    words = "It is marked: nothing is to be done about it." if is_handled else "It is open again."
    return Done(_back(sent), words, Inverse(inverse, path, only_if={}))


def _back(sent: Sent) -> str:
    """The same part of the list."""
    return "/arrivals?status=open" if sent.get("status") == "open" else ""


ARRIVALS = Page(
    path="/arrivals",
    title="Arrivals",
    about="everything that came in, newest first, by its state and by the address through which it came; what could not"
    " be read waits here",
    template="pages/arrivals.html",
    load=load_arrivals,
    acts={"handled": set_handled},
    may=owners,
    place=MenuItem("Leads in and out", "Arrivals", "mailbox"),
    parts=("rows",),
)

# -------------------------------------------------------------------------------------------------------- one of them


async def load_arrival(visit: Visit) -> Mapping[str, Any]:
    arrival = await visit.api.get(f"/arrivals/{visit.id}")
    reading = await visit.api.get(f"/arrivals/{visit.id}/reading")
    source_id, user_ids = arrival["lead_source_id"], [arrival["handled_by_user_id"], arrival["corrected_by_user_id"]]
    users = await visit.api.by_id("/users", user_ids, ("first_name", "last_name"))
    first = reading["read"][0] if reading["read"] else {}
    return {
        "arrival": arrival,
        "reading": reading,
        "source": await visit.api.find(f"/lead-sources/{source_id}") if source_id else None,
        "people": await _people(visit, [arrival]),
        "users": {id_: full_name(user) for id_, user in users.items()},
        "fields": [(name, first.get(name)) for name in FIELDS],
        "is_open": arrival["status"] in ("rejected", "pending") and reading["raw"] is not None,
        "tag_of": tag_of,
        "why": why,
    }


async def correct(visit: Visit, sent: Sent) -> Done:
    """What a person read in it counts in place of the body, and is read at once."""
    fields = {name: sent.text(FIELD + name) for name in FIELDS if sent.text(FIELD + name)}
    if not fields.get("email") and not fields.get("phone"):
        raise Invalid.fields({FIELD + "email": "Fill in an e-mail or a phone: without one no lead can come of it"})
    return _told(await visit.api.post(f"/arrivals/{visit.id}/correction", {"fields": fields}))


async def correct_text(visit: Visit, sent: Sent) -> Done:
    given = {"body": sent.get("body"), "content_type": sent.text("content_type")}
    body = {name: value for name, value in given.items() if value is not None}
    return _told(await visit.api.post(f"/arrivals/{visit.id}/correction", body))


async def replay(visit: Visit, _sent: Sent) -> Done:
    return _told(await visit.api.post(f"/arrivals/{visit.id}/replay"))


def _told(answer: Any) -> Done:
    """What came of reading it again: leads, or why there is none."""
    if isinstance(answer, dict) and "arrival_id" in answer:
        return Done("", f"It was read again, and there is no lead yet. {why(answer['reason'])}.")
    return Done("", "It was read again, and there is a lead now.")


ARRIVAL = Page(
    path="/arrivals/{id}",
    title="Arrival",
    about="what came in, as it came and as it was read, and why no lead came of it; to correct it, read it again, or"
    " mark it as handled",
    template="pages/arrival.html",
    load=load_arrival,
    acts={"correct": correct, "correct_text": correct_text, "replay": replay, "handled": set_handled},
    may=owners,
    below="/arrivals",
)

ARRIVAL_PAGES = (ARRIVALS, ARRIVAL)
