"""Google Ads' lead form webhook.

The secret `google_key` is in the body.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from leadroutes.domain.normalize import is_true
from leadroutes.intake.authentication import is_same, secret
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import items, record, scalar
from leadroutes.intake.questions import FormAnswer, StandardField, form_draft
from leadroutes.intake.results import Refused, Result

STANDARD: Final[dict[str, StandardField]] = {
    "full_name": "full",
    "first_name": "first",
    "last_name": "last",
    "email": "email",
    "user_email": "email",
    "work_email": "email",
    "phone_number": "phone",
    "user_phone": "phone",
    "work_phone": "phone",
    "street_address": "street",
    "city": "city",
    "region": "state",
    "postal_code": "zipcode",
    "country": "nothing",
    "company_name": "nothing",
    "job_title": "nothing",
}
"""Standard fields in order of precedence."""


def recognises(incoming: Body) -> bool:
    """Whether a body is JSON with the columns or the key of that webhook."""
    body = record(incoming.json_if_any)
    return isinstance(body.get("user_column_data"), list) or "google_key" in body


def check(incoming: Body) -> None:
    """Raises Refused for a wrong key."""
    if not is_same(scalar(_object(incoming.json).get("google_key")), secret(incoming, "google_key")):
        raise Refused("bad_secret", "The field google_key must hold the key that was agreed on.")


def read(incoming: Body) -> list[Result]:
    """Returns one lead."""
    body = _object(incoming.json)
    draft = form_draft(list(_answers(items(body.get("user_column_data")))), STANDARD)
    whole = replace(
        draft,
        default_source=incoming.default_source,
        vendor_id=scalar(body.get("lead_id")),
        test="true" if draft.test or is_true(scalar(body.get("is_test"))) else None,
        times=(scalar(body.get("lead_submit_time")),),
    )
    return [whole.normalize()]


def _answers(columns: list[Any]) -> Iterator[FormAnswer]:
    for column in map(record, columns):
        column_id = (scalar(column.get("column_id")) or "").strip()
        name = (scalar(column.get("column_name")) or "").strip()
        key = column_id or name.replace(" ", "_")
        value = scalar(column.get("string_value"))
        yield FormAnswer(key.lower(), name or column_id, (value,) if value else ())


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused("malformed", "The webhook must be a JSON object.")
    return value
