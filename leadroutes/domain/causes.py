"""Why a message was not sent, in words, and what to do about it. A table of data, read from top to bottom. Pure."""

from dataclasses import dataclass

from leadroutes.domain.provider_errors import CODES


@dataclass(frozen=True, slots=True)
class Cause:
    """A usual cause: `part` of the stored reason tells it."""

    part: str
    what: str
    remedy: str


CAUSES = (
    Cause(
        "does not know of it", "It never came to the provider.", "Send again.",
    ),
    Cause(
        "it may have arrived", "No one can tell whether it arrived.",
        "It is not sent twice by itself. Ask the person, or write yourself.",
    ),
    Cause(
        "the login was refused", "The mail server does not accept the user name or the password.",
        "Put the right ones into the address of the mail server, then send again.",
    ),
    Cause(
        "the mail server cannot be reached", "The mail server does not answer.",
        "Nothing is lost: what waits is sent as soon as it answers. If it lasts, look whether its address is right.",
    ),
    Cause(
        "the sender was refused", "The mail server does not let you send from your sender address.",
        "Have the address confirmed at your mail provider, or send from another one.",
    ),
    Cause(
        "the provider cannot be reached", "The provider of texts and calls does not answer.",
        "Nothing is lost: what waits is sent as soon as it answers. If it lasts, look whether its address is right.",
    ),
    Cause(
        "an answer that cannot be read", "Something else than the provider answers at its address.",
        "Look at LEADROUTES_TWILIO_URL.",
    ),
    Cause(
        "sender's time", "It leaves when its campaign's windows allow it; the contact's time zone is not known.",
        "Nothing to do: it is sent when these hours begin.",
    ),
    Cause(
        "contact's time", "It leaves when its campaign's windows and the hours of the contact's place allow it.",
        "Nothing to do: it is sent when these hours begin.",
    ),
    Cause(
        "most texts of a day", "As many texts as may be sent in a day have been sent.",
        "Nothing to do: it is sent on the next day. Whoever runs the service can raise LEADROUTES_TEXTS_PER_DAY.",
    ),
    Cause(
        "asked for no more texts", "The person does not want texts.",
        "Respect it. The person can text START to the number that the texts came from.",
    ),
    Cause(
        "takes no texts", "An earlier text to this number came back: it is a landline.",
        "Call, or ask for a mobile number.",
    ),
    Cause(
        "channel is configured", "The service cannot send this kind of message yet.",
        "Whoever runs the service sets it up; messages from then on are sent.",
    ),
    Cause(
        "came back", "The mail came back: the receiving mail server delivers nothing to this address.",
        "What it said is above. Correct the address, or ask the person for another one.",
    ),
    Cause(
        "no longer stored", "The answer was removed before it could be passed on.", "Ask the contact to send it again.",
    ),
    Cause(
        "the mail server said 4", "The receiving mail server put it off.", "Send again in an hour.",
    ),
    Cause(
        "said 550 5.1", "There is no such mailbox.",
        "Ask the person for the right address and correct it; nothing more is sent to this one.",
    ),
    Cause(
        "said 552", "The mailbox is full, or the message is too large for it.", "Call, or send again in a few days.",
    ),
    Cause(
        "5.7.", "The receiving mail server refuses your mail: it takes it for unwanted.",
        "Ask your mail provider whether your domain has SPF and DKIM records, then send again.",
    ),
    Cause(
        "no mail can be made for", "The e-mail address is not a valid one.", "Correct it, then send again.",
    ),
    Cause(
        "the mail server said 5", "The receiving mail server refused the message for good.",
        "What it said is above. Check the address, or call.",
    ),
    Cause(
        "the mail server broke off", "The connection to the mail server was lost.", "Send again.",
    ),
    Cause(
        "has no template", "The step of the campaign has no template.",
        "Choose one in the campaign.",
    ),
    Cause(
        "template", "The template cannot be filled in.",
        "Correct the template, then send again.",
    ),
    Cause(
        "has unsubscribed", "The person does not want e-mails of campaigns.",
        "Respect it. Should the person want them again, say so on the page of the contact.",
    ),
    Cause(
        "asked for no more messages", "The person does not want messages of campaigns.",
        "Respect it. Should the person want them again, say so on the page of the contact.",
    ),
    Cause(
        "has complained", "The person reported an e-mail as unwanted.", "Do not write again unless the person asks.",
    ),
    Cause(
        "takes no mail", "An earlier mail to this address was refused for good.",
        "Ask the person for another address, and store it with the contact.",
    ),
    Cause(
        "list of suppressions", "The address is on a list that was imported.",
        "It can be lifted on the page of the contact.",
    ),
    Cause(
        "suppressed by hand", "Someone entered that this address is not to be written to.",
        "It can be lifted on the page of the contact.",
    ),
    Cause(
        "no browser of the user", "The user has no browser any more that shows notifications.", "Nothing to do.",
    ),
    Cause(
        "quiet time", "It is the user's quiet time.", "It is sent as soon as that is over.",
    ),
    Cause(
        "the push service", "The service that delivers notifications to this browser did not take it.",
        "The same alert goes out over other channels. If it lasts, allow notifications in that browser again.",
    ),
    Cause(
        "has no e-mail address", "There is no e-mail address to send to.", "Store one, then send again.",
    ),
    Cause(
        "has no phone number", "There is no phone number to send to.", "Store one, then send again.",
    ),
    Cause(
        "by text and e-mail the alert has failed", "It was night where the agent is, and nothing else got through.",
        "Look at the agent's addresses. The options of the member can allow calls at night.",
    ),
    Cause(
        "no calls between", "It was night where the agent is, so that an e-mail or a text went instead.",
        "Nothing to do. The options of the member can allow calls at night.",
    ),
    Cause(
        "calls agents only", "A step of a campaign does not call anyone.", "Call the person yourself.",
    ),
    Cause(
        "called again after a minute", "The agent could not be reached at first.", "Nothing to do.",
    ),
    Cause(
        "the phone was busy, twice", "The agent was on the phone.", "Send again, or call the agent yourself.",
    ),
    Cause(
        "no one answered, twice", "The agent did not pick up.", "Send again, or call the agent yourself.",
    ),
    Cause(
        "the call did not get through, twice", "The number cannot be called.",
        "Look whether the phone number of the agent is right, then send again.",
    ),
    Cause(
        "is not a phone number", "The phone number is not a valid one.", "Correct it, then send again.",
    ),
    Cause(
        "had claimed the lead", "Someone was faster, so there was nothing to tell any more.", "Nothing to do.",
    ),
    Cause(
        "the offer was", "The lead was no longer offered to this person.", "Nothing to do.",
    ),
    Cause(
        "is not active", "The account of the agent is closed.", "Give the agent's leads to someone else.",
    ),
)  # fmt: skip


def advice_of(reason: str | None, error_code: int | None = None) -> str | None:
    """Returns in words what went wrong with a message and what to do about it; None where nothing is known."""
    found = CODES.get(error_code) if error_code is not None else None
    cause = found or cause_of(reason)
    return f"{cause.what} {cause.remedy}" if cause is not None else None


def cause_of(reason: str | None) -> Cause | None:
    """Returns the usual cause that a stored reason tells of; None for any other."""
    if not reason:
        return None
    known = reason.casefold()
    return next((cause for cause in CAUSES if cause.part.casefold() in known), None)
