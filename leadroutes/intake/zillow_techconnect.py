"""Zillow Tech Connect: leads as JSON inside messages of Amazon SNS.

Basic auth and the SNS signature are the secrets. The Assignee is a user of the receiving account, never the contact.
"""

from typing import Any

from leadroutes.domain.inquiry import LeadType, SourceEvent
from leadroutes.domain.normalize import is_true, lead_type_named_by, mentions_rent
from leadroutes.domain.places import Place
from leadroutes.intake.authentication import require_basic, secret
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import first_field, has_content, parse_json, record, scalar
from leadroutes.intake.draft import Draft
from leadroutes.intake.results import ControlMessage, Refused, Result
from leadroutes.intake.sns import require_amazon_address, require_signature

_BLOCKS = ("ContactMessage", "ContactInfo")


def recognises(incoming: Body) -> bool:
    """Whether a body is a message of SNS (by header or fields), or Zillow's JSON without that cover."""
    if incoming.header("x-amz-sns-message-type"):
        return True
    body = record(incoming.json_if_any)
    is_message = isinstance(body.get("TopicArn"), str) and isinstance(body.get("MessageId"), str)
    return is_message or any(isinstance(body.get(block), dict) for block in _BLOCKS)


def check(incoming: Body) -> None:
    """Raises Refused for a wrong user or password, a wrong signature, an unknown topic."""
    require_basic(incoming, secret(incoming, "basic_user"), secret(incoming, "basic_password"))
    require_signature(_object(incoming.json), secret(incoming, "topic_arn"), incoming.certificates)


def read(incoming: Body) -> list[Result]:
    """Returns one lead, or the address to be fetched once that confirms a subscription."""
    message = _object(incoming.json)
    match message.get("Type"):
        case "SubscriptionConfirmation":
            address = require_amazon_address(scalar(message.get("SubscribeURL")), "SubscribeURL")
            return [ControlMessage("confirm_subscription", get=address)]
        case "Notification" if isinstance(message.get("Message"), str):
            return [_draft(incoming, message, _object(parse_json(message["Message"]))).normalize()]
        case None if any(block in message for block in _BLOCKS):
            return [_draft(incoming, message, message).normalize()]
        case "Notification" | None:
            raise Refused("malformed", "The message must hold Zillow's JSON as the text of its field Message.")
    raise Refused("not_a_lead", "A message of this Type brings no lead.")


def _draft(incoming: Body, cover: dict[str, Any], body: dict[str, Any]) -> Draft:
    contact, search, estate = (_block(body, name) for name in ("ContactInfo", "SearchCriteria", "PropertyInfo"))
    return Draft(
        full=scalar(contact.get("ContactName")),
        email=scalar(contact.get("ContactEmail")),
        phone=scalar(contact.get("ContactPhone")),
        type=_kind(contact, search, estate),
        source=first_field(body.get("Source"), record(body.get("ContactMessage")).get("Source")),
        default_source=incoming.default_source,
        message=scalar(contact.get("ContactMessage")),
        places=(_place(estate), _place(search)),
        prices=(scalar(estate.get("ListingPrice")), scalar(search.get("MaxPrice"))),
        mls_id=scalar(estate.get("MLSNumber")),
        vendor_id=first_field(contact.get("CommunicationGUID"), cover.get("MessageId")),
        times=(
            scalar(contact.get("LeadDateTime")),
            scalar(contact.get("ContactDateTime")),
            scalar(cover.get("Timestamp")),
        ),
        event=_event(contact),
    )


def _block(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns a block inside ContactMessage or beside it."""
    return record(record(body.get("ContactMessage")).get(name)) or record(body.get(name))


def _place(block: dict[str, Any]) -> Place:
    return Place(
        scalar(block.get("StreetAddress")),
        scalar(block.get("City")),
        scalar(block.get("State")),
        first_field(block.get("Zip"), block.get("ZIP")),
    )


def _kind(contact: dict[str, Any], search: dict[str, Any], estate: dict[str, Any]) -> LeadType | None:
    if named := lead_type_named_by(scalar(contact.get("ContactType"))):
        return named
    if mentions_rent(scalar(estate.get("ListingStatus"))):
        return "Renter"
    return "Buyer" if has_content(estate) or has_content(search) else None


def _event(contact: dict[str, Any]) -> SourceEvent | None:
    if is_true(scalar(contact.get("Reassignment"))):
        return "reassignment"
    return "update" if is_true(scalar(contact.get("Update"))) else None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused("malformed", "The message must be a JSON object.")
    return value
