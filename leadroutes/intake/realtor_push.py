"""Realtor.com's JSON push: consumer, property and past searches of one lead.

The secret is the key in the header x-api-key.
"""

from typing import Any

from leadroutes.domain.inquiry import Inquiry, LeadType
from leadroutes.domain.normalize import lead_type_named_by, mentions_rent
from leadroutes.domain.places import Place
from leadroutes.domain.text import one_line
from leadroutes.intake.authentication import require_key
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import first_field, has_content, items, record, scalar
from leadroutes.intake.draft import Draft
from leadroutes.intake.results import Reading, Refusal, Refused, Result

_BLOCKS = ("lead_info", "lead_consumer_info", "lead_property_info")


def recognises(incoming: Body) -> bool:
    """Whether a body is JSON with one of the push's blocks, inside `Lead` or not."""
    body = record(incoming.json_if_any)
    lead = record(body.get("Lead"))
    return any(isinstance(place.get(block), dict) for place in (body, lead) for block in _BLOCKS)


def check(incoming: Body) -> None:
    """Raises Refused for a wrong key."""
    require_key(incoming, "x-api-key", "x_api_key")


def read(incoming: Body) -> list[Result]:
    """Returns one lead."""
    info, consumer, estate, search = _blocks(incoming.json)
    area = Place(None, scalar(search.get("city")), scalar(search.get("state_code")), scalar(search.get("postal_code")))
    draft = Draft(
        first=scalar(consumer.get("first_name")),
        last=scalar(consumer.get("last_name")),
        full=scalar(consumer.get("full_name")),
        email=scalar(consumer.get("email")),
        phone=scalar(consumer.get("phone")),
        type=_kind(info, consumer, estate),
        source=scalar(info.get("lead_source")),
        default_source=incoming.default_source,
        message=scalar(consumer.get("message")),
        places=(
            Place(
                scalar(estate.get("property_street_address")),
                scalar(estate.get("property_city")),
                scalar(estate.get("property_state_code")),
                scalar(estate.get("property_zip")),
            ),
            area,
        ),
        prices=(scalar(estate.get("property_price")), scalar(search.get("price_max"))),
        mls_id=scalar(estate.get("mls_id")),
        vendor_id=first_field(info.get("inquiry_guid"), info.get("lead_guid")),
        test=scalar(info.get("test")),
        times=(scalar(info.get("lead_date_time")),),
    )
    return [draft.normalize()]


def marks(incoming: Body) -> dict[str, str]:
    """Returns the communication's id, which the answer repeats."""
    info = _blocks(incoming.json)[0]
    return {"communication_guid": one_line(scalar(info.get("communication_guid"))) or ""}


def answer(reading: Reading, lead_id: int | None) -> dict[str, Any]:
    """`{status_code, message, description, communications_guid}`, as the push's documents ask for."""
    result = reading.results[0]
    guid = reading.marks.get("communication_guid", "")
    if isinstance(result, Refusal):
        return {
            "status_code": result.status,
            "message": result.why,
            "description": result.detail,
            "communications_guid": guid,
        }
    lead = f"Lead {lead_id}" if lead_id and isinstance(result, Inquiry) else "The lead"
    return {"status_code": 200, "message": "OK", "description": f"{lead} was received.", "communications_guid": guid}


def _blocks(body: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
    """lead_info, consumer, property and the first recent search; the latter three inside lead_info or beside it."""
    if not isinstance(body, dict):
        raise Refused("malformed", "The push must be a JSON object.")
    lead = record(body.get("Lead")) or body
    info = record(lead.get("lead_info")) or lead

    def block(name: str) -> dict[str, Any]:
        return record(info.get(name)) or record(lead.get(name)) or record(body.get(name))

    searches = items(block("lead_property_preferences_info").get("recent_searches"))
    return info, block("lead_consumer_info"), block("lead_property_info"), record(next(iter(searches), None))


def _kind(info: dict[str, Any], consumer: dict[str, Any], estate: dict[str, Any]) -> LeadType | None:
    named = lead_type_named_by(scalar(consumer.get("role"))) or lead_type_named_by(scalar(info.get("lead_type")))
    if named:
        return named
    if any(mentions_rent(scalar(estate.get(name))) for name in ("property_status", "listing_status")):
        return "Renter"
    return "Buyer" if has_content(estate) else None
