"""The words of campaigns' steps: templates that are filled in, in a process of their own."""

from msgspec.structs import replace

from leadroutes.channels import words
from leadroutes.channels.envelope import DeliveryError
from leadroutes.domain.message import MessageContact, OutgoingMessage
from leadroutes.domain.template import MessageContent, TemplateInput
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.templates import COMPOSE_MESSAGE
from leadroutes.sandbox.work import ComputationFailed


async def filled_in(template_input: TemplateInput, owner_id: int) -> MessageContent:
    """Raises a permanent DeliveryError where the template cannot be filled in."""
    try:
        composed = await run_sandboxed(COMPOSE_MESSAGE, template_input, owner=owner_id)
    except ComputationFailed as error:
        raise DeliveryError(f"The template {error.reason}", is_permanent=True) from error
    if composed.words is None:
        raise DeliveryError(composed.fault or "The template cannot be filled in", is_permanent=True)
    return composed.words


async def with_words_of_call(message: OutgoingMessage) -> OutgoingMessage:
    """Returns an alert that asks for a call with what to talk about.

    Of a template that cannot be filled in the alert says so: the call is due all the same.
    """
    call = message.call
    if call is None or message.template is None or message.channel == "push":
        return message
    contact = MessageContact(
        id=call.contact_id, first_name=call.first_name, last_name=call.last_name, email=call.email,
        mobile_phone=call.phone, company=call.company,
    )  # fmt: skip
    asked = words.campaign_template_input(replace(message, contact=contact, channel="call"), "")
    try:
        said = (await filled_in(asked, message.owner_id)).text_body.strip()
    except DeliveryError as error:
        said = f"({error.reason})"
    return replace(message, call=replace(call, words=said))
