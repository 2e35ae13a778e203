"""Whatever making or handing over a message raises is what came of it: with a reason, and never what is not true."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from leadroutes.channels.email import make_mail
from leadroutes.channels.envelope import DeliveryError, Envelope, NoLongerWanted, StillWanted, always_wanted
from leadroutes.domain.template import ComposeResult, TemplateInput
from leadroutes.retry import RetryLater
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.tasks.templates import compose
from leadroutes.sandbox.templates import COMPOSE_MESSAGE
from leadroutes.settings import Settings
from leadroutes.worker.delivery import MAX_ATTEMPTS, MessageDelivery
from tests.support.brokerage import Brokerage
from tests.support.event_loop import LONGEST, monitored_loop
from tests.support.examples import examples
from tests.support.mailbox import Mailbox, text_of
from tests.support.sender import Sender
from tests.support.templates import LONG, SLOW

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALWAYS_OPEN = json.dumps({"weekly_hours": {day: [["00:00", "24:00"]] for day in DAYS}})


async def step(brokerage: Brokerage, sender: Sender, body: str, subject: str = "Hello") -> int:
    """A mail of a campaign that is due, with this template; its message."""
    town = brokerage.town
    campaign_id = await town.database.fetchval("SELECT min(id) FROM campaigns")
    template_id = await town.template("alice", subject=subject, body=body)
    await town.action("alice", campaign_id, template_id=template_id)
    await brokerage.ask()
    await brokerage.engine.run_due()
    return await sender.the_only("kind = 'campaign'")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (SLOW, "The template takes longer than 0.5 seconds"),
        (
            "{% assign n = 1000000000 %}{% for a in (1..n) reversed %}x{% endfor %}",
            "The template cannot be processed: line 1: a range is longer than 10000",
        ),
        ("{{ 5 | divided_by: 0 }}", "The template cannot be processed: line 1"),
    ],
    ids=["slow", "range", "wrong"],
)
async def test_a_template_that_cannot_be_filled_in_fails_with_its_reason_and_holds_up_no_one(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, body: str, reason: str
) -> None:
    message_id = await step(brokerage, sender, body)
    with monitored_loop() as monitor:
        await sender.deliver(message_id)

    state, found = await sender.outcome(message_id)
    assert (state, (found or "")[: len(reason)]) == ("failed", reason)
    assert mailbox.mails == []
    assert monitor.longest < LONGEST


@pytest.mark.parametrize(
    "body", ["<p>Hello</p><![ if odd ]>", "<p>Hello</p><!", "<p>Hello</p><![CDATA[", "<p>Hello</p></"]
)
async def test_what_is_not_markup_is_sent_with_the_words_in_it(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, body: str
) -> None:
    message_id = await step(brokerage, sender, body)
    await sender.deliver(message_id)

    assert await sender.outcome(message_id) == ("sent", None)
    [mail] = mailbox.mails
    assert text_of(mail).startswith("Hello")


async def test_a_subject_that_became_too_long_is_the_templates_fault(brokerage: Brokerage, sender: Sender) -> None:
    message_id = await step(brokerage, sender, "Hello", "{% for a in (1..150) %}Hello, here I am{% endfor %}")
    await sender.deliver(message_id)

    assert await sender.outcome(message_id) == ("failed", "The subject has 2400 characters; 1000 are the limit")


class Broken:
    """A channel that breaks in a way that its own rules do not foresee."""

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        raise RuntimeError(envelope.address)

    async def close(self) -> None:
        """There is nothing to close."""


class Late:
    """A channel before whose turn the window of all campaigns closes."""

    def __init__(self, brokerage: Brokerage) -> None:
        self.database = brokerage.town.database
        self.sent: list[Envelope] = []

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        day = DAYS[(self.database.clock.now() + timedelta(days=3)).weekday()]
        closed = json.dumps({"weekly_hours": {day: [["09:00", "17:00"]]}})
        await self.database.execute("UPDATE campaigns SET send_window = $1", closed)
        if reason := await is_still_wanted():
            raise NoLongerWanted(reason)
        self.sent.append(envelope)

    async def close(self) -> None:
        """There is nothing to close."""


async def test_a_message_whose_window_closes_while_it_waits_for_its_channel_waits_for_the_next(
    brokerage: Brokerage, sender: Sender, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadroutes.worker.delivery.RECHECK_AFTER", -1.0)  # every look is too old
    database = brokerage.town.database
    await database.execute("UPDATE campaigns SET send_window = $1", ALWAYS_OPEN)
    message_id = await step(brokerage, sender, "Hello")
    late = Late(brokerage)
    sender.delivery = MessageDelivery(database, {"email": late}, settings)
    await sender.deliver(message_id)

    assert late.sent == []
    row = await database.fetchrow("SELECT state, reason, leaves_at, attempts FROM messages WHERE id = $1", message_id)
    assert (row["state"], row["attempts"]) == ("queued", 0)
    assert row["reason"].endswith("campaign's window")
    assert row["leaves_at"] > database.clock.now()


async def test_what_a_channel_raises_is_an_outcome_for_a_contact(
    brokerage: Brokerage, sender: Sender, settings: Settings
) -> None:
    """No one knows how far it had come, so it is not sent again."""
    message_id = await step(brokerage, sender, "Hello")
    sender.delivery = MessageDelivery(brokerage.town.database, {"email": Broken()}, settings)
    await sender.deliver(message_id)

    reason = "the email channel broke (RuntimeError); it may have arrived"
    assert await sender.outcome(message_id) == ("unknown", reason)


async def test_what_a_channel_raises_is_tried_again_for_an_agent_and_given_up_in_the_end(
    brokerage: Brokerage, sender: Sender, settings: Settings
) -> None:
    await brokerage.ask()
    message_id = await sender.the_only()
    sender.delivery = MessageDelivery(brokerage.town.database, {"email": Broken()}, settings)
    for _ in range(MAX_ATTEMPTS - 1):
        with pytest.raises(RetryLater):
            await sender.deliver(message_id)
    await sender.deliver(message_id)

    reason = f"given up after {MAX_ATTEMPTS} attempts: the email channel broke (RuntimeError)"
    assert await sender.outcome(message_id) == ("failed", reason)


async def test_a_message_that_cannot_be_made_now_is_made_later_and_was_never_on_its_way(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox
) -> None:
    message_id = await step(brokerage, sender, "Hello")
    slow = TemplateInput(subject="", body=LONG, name="", is_email=False, variables={})
    waiting: list[asyncio.Task[ComposeResult]] = []
    while not any(each.done() for each in waiting):  # until no more of this owner's may wait
        waiting += [
            asyncio.create_task(run_sandboxed(COMPOSE_MESSAGE, slow, owner=brokerage.owner_id)) for _ in range(50)
        ]
        await asyncio.sleep(0)
    with pytest.raises(RetryLater):
        await sender.deliver(message_id)
    put_off = await sender.outcome(message_id)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await sender.deliver(message_id)

    assert put_off == ("queued", "Too much is waiting to be worked out; try again later")
    assert await sender.outcome(message_id) == ("sent", None)
    assert len(mailbox.mails) == 1


PIECES = st.sampled_from(
    ("{{ first_name }}", "{{ lead.message | date: '%Y' }}", "{% if first_name %}", "{% endif %}", "{{ lead.message }}",
     "{{ 1 | divided_by: 0 }}", "<p>", "</p", "<![", "<!--", "]]>", "&#x;", "&#99999999;", "\x00", "\ud800", "\r\n",
     "{% for i in (1..9) %}", "{% endfor %}", "<a href='", "'>", "{% raw %}", "é", "<script>",
     "{%- assign x = first_name | split: '' %}{{ x }}")
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)


@with_settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=TEXTS, subject=TEXTS, value=st.none() | st.text(max_size=20), is_email=st.booleans())
def test_any_template_and_any_contact_come_to_words_or_to_a_fault(
    body: str, subject: str, value: str | None, is_email: bool
) -> None:
    variables: dict[str, Any] = {"first_name": value, "lead": {"message": value}}
    composed = compose(TemplateInput(subject=subject, body=body, name="n", is_email=is_email, variables=variables))

    assert isinstance(composed, ComposeResult)
    assert (composed.words is None) != (composed.fault is None)
    if composed.words is not None:
        check_mail(composed, is_email=is_email)


def check_mail(composed: ComposeResult, *, is_email: bool) -> None:
    """A mail can be made of it, or that is said."""
    words = composed.words
    assert words is not None
    envelope = Envelope(
        address="mia@example.com", subject=words.subject, text_body=words.text_body, html_body=words.html_body
    )
    try:
        make_mail(envelope, "leads@example.com")
    except DeliveryError as error:
        is_told = error.is_permanent
    else:
        is_told = True
    assert is_told
    assert is_email == (words.subject is not None)
