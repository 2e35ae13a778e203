"""The templates to begin with end well with a signature and without one: the name and the phone are there once."""

import pytest

from leadroutes.channels.words import campaign_template_input
from leadroutes.domain.message import MessageContact, MessageSender, MessageStatus, MessageTemplate, OutgoingMessage
from leadroutes.sandbox.tasks.templates import compose
from leadroutes.web.pages.template_editor import FIRST_WORDS
from leadroutes.web.ready_made import ready_campaigns

READY = {step.template: step.body for each in ready_campaigns().values() for step in each.steps if step.subject}
MAILS = READY | {"a new template": FIRST_WORDS["Email"]}
SIGNED = [
    ({}, "Bob Town\n+1 303 555 0100"),
    ({"signature_text": "Bob Town, broker\n+1 303 555 0100"}, "Bob Town, broker\n+1 303 555 0100"),
    ({"signature_html": "<b>Bob Town</b><br>+1 303 555 0100"}, "Bob Town\n+1 303 555 0100"),
]


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_signed_once(name: str) -> None:
    for signature, end in SIGNED:
        message = OutgoingMessage(
            owner_id=1, id=1, kind="campaign", channel="email", attempts=1, was_sending=False, status=MessageStatus(),
            contact=MessageContact(id=1, first_name="Eve", owner_name="Alice", postal_address="1 Elm Street"),
            template=MessageTemplate(id=1, subject="Hi", body=MAILS[name]),
            sender=MessageSender(id=2, name="Bob Town", first_name="Bob", phone="+1 303 555 0100", **signature),
        )  # fmt: skip
        words = compose(campaign_template_input(message, "https://x/unsubscribe/1")).words
        assert words is not None
        assert words.html_body is not None
        letter, _, _ = words.text_body.rpartition("\n--\n")
        wanted = end if signature or "agent.phone" in MAILS[name] else "Bob Town"
        assert letter.rstrip().endswith(f"\n\n{wanted}"), letter
        for text in (words.text_body, words.html_body):
            assert (text.count("Bob Town"), text.count("555 0100")) == (1, wanted.count("555 0100")), text
