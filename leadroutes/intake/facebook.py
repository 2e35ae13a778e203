"""Facebook lead ads: a webhook that names ids only, and the Graph API's answer about each.

The secret signs the raw body (X-Hub-Signature-256). Fetches nothing: answers are handed in by leadgen_id.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from leadroutes.domain.normalize import is_true
from leadroutes.domain.text import field_text
from leadroutes.intake.authentication import is_same, require_hmac
from leadroutes.intake.body import Body
from leadroutes.intake.consents import disclaimers
from leadroutes.intake.decoding import items, record, scalar
from leadroutes.intake.questions import FormAnswer, StandardField, form_draft
from leadroutes.intake.results import Pending, Reading, Refused, Result

STANDARD: Final[dict[str, StandardField]] = {
    "full_name": "full",
    "first_name": "first",
    "last_name": "last",
    "email": "email",
    "work_email": "email",
    "phone_number": "phone",
    "phone": "phone",
    "work_phone_number": "phone",
    "street_address": "street",
    "city": "city",
    "state": "state",
    "province": "state",
    "zip_code": "zipcode",
    "post_code": "zipcode",
    "zip": "zipcode",
    "country": "nothing",
}
"""Standard fields in order of precedence."""


def recognises(incoming: Body) -> bool:
    """JSON of an object with entries, as all of Facebook's webhooks are."""
    body = record(incoming.json_if_any)
    return isinstance(body.get("object"), str) and isinstance(body.get("entry"), list)


def check(incoming: Body) -> None:
    """Refuses a wrong signature, and one by SHA-1 only."""
    require_hmac(incoming, "X-Hub-Signature-256", "app_secret")


def read(incoming: Body) -> list[Result]:
    """Each lead once, in order of arrival; Pending where the Graph API's answer is missing or an error."""
    body = incoming.json
    if not isinstance(body, dict):
        raise Refused("malformed", "The webhook must be a JSON object.")
    changes = dict(_changes(body))
    if not changes:
        raise Refused("not_a_lead", "No change of the field leadgen is in the webhook.")
    return [_result(incoming, leadgen_id, value) for leadgen_id, value in changes.items()]


def challenge(query: Mapping[str, str], verify_token: str | None) -> str | None:
    """What to answer when Facebook subscribes (GET with `hub.…`); None if the token is wrong."""
    is_ours = query.get("hub.mode") == "subscribe" and is_same(query.get("hub.verify_token"), verify_token)
    return query.get("hub.challenge", "") if is_ours else None


def answer(_reading: Reading, _lead_id: int | None) -> dict[str, Any]:
    """Facebook wants a 200 within five seconds and reads nothing of it."""
    return {"success": True}


def _changes(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """leadgen_id and value of each change of the field leadgen; the first of an id counts."""
    seen = set()
    for entry in items(body.get("entry")):
        for change in items(record(entry).get("changes")):
            value = record(record(change).get("value"))
            leadgen_id = field_text(scalar(value.get("leadgen_id")))
            if record(change).get("field") == "leadgen" and leadgen_id and leadgen_id not in seen:
                seen.add(leadgen_id)
                yield leadgen_id, value


def _result(incoming: Body, leadgen_id: str, value: dict[str, Any]) -> Result:
    if incoming.graph is None or leadgen_id not in incoming.graph:
        return Pending(leadgen_id, "not_fetched")
    reply = incoming.graph[leadgen_id]
    if not isinstance(reply, Mapping) or "error" in reply or not isinstance(reply.get("field_data"), list):
        return Pending(leadgen_id, "graph_error")
    form = form_draft(list(_answers(reply["field_data"])), STANDARD)
    draft = replace(
        form,
        consents=(*form.consents, *disclaimers(list(_disclaimers(reply.get("custom_disclaimer_responses"))))),
        default_source=incoming.default_source,
        vendor_id=leadgen_id,
        times=(_text(reply.get("created_time")), scalar(value.get("created_time"))),
    )
    return draft.normalize()


def _answers(fields: list[Any]) -> Iterator[FormAnswer]:
    for field in fields:
        name = _text(record(field).get("name")) or ""
        values = record(field).get("values")
        several = values if isinstance(values, list) else [values]
        yield FormAnswer(name.strip().lower(), name.strip(), tuple(text for value in several if (text := _text(value))))


def _disclaimers(responses: Any) -> Iterator[tuple[str, bool]]:
    """The boxes below the form: Facebook names their keys, and not their words."""
    for response in map(record, items(responses)):
        is_checked = response.get("is_checked")
        yield _text(response.get("checkbox_key")) or "", is_checked is True or is_true(_text(is_checked))


def _text(value: Any) -> str | None:
    """The Graph API's answer is parsed by whoever asked for it, so that numbers may be numbers here."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else scalar(value)
