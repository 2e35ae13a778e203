"""The words of notifications, digests and of what could not be delivered; and what a browser does with them."""

from typing import Any

import pytest

from leadroutes.channels.words import alert_content, notification
from leadroutes.domain.message import MessageLead, MessageOffer, MessageStatus, MorningDigest, OutgoingMessage

MIA = MessageLead(
    id=3, first_name="Mia", city="Denver", type="Buyer", listing_price="450000", source="Zillow",
    text_body="My gate code is 4711", street_address="12 Elm Street",
)  # fmt: skip


def message(kind: Any, channel: str = "push", **changes: Any) -> OutgoingMessage:
    usual = {"lead": MIA, "offer": MessageOffer(id=7), "status": MessageStatus(claimed_by_name="Carol Town")}
    return OutgoingMessage(
        owner_id=1, id=1, kind=kind, channel=channel, attempts=1, was_sending=False, **usual | changes
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "title", "path", "is_silent", "is_urgent"),
    [
        ("offer", "New lead: Mia", "offers/7", False, True),
        ("reoffer", "Offered again: Mia", "offers/7", False, True),
        ("unclaimed", "No one claimed: Mia", "offers/7", False, True),
        ("won", "You have the lead: Mia", "offers/7", False, True),
        ("claimed", "Taken: Mia", "offers/7", True, False),
        ("given_back", "Given back: Mia", "leads/3", False, False),
        ("handover", "To be passed on: Mia", "leads/3", False, False),
        ("untold", "Not notified: Mia", "leads/3", False, False),
        ("junk", "Junk: Mia", "leads/3", False, False),
    ],
)
def test_a_notification_shows_the_preview_and_leads_to_the_page(
    kind: str, title: str, path: str, is_silent: bool, is_urgent: bool
) -> None:
    content, shown = alert_content(message(kind), None), notification(message(kind))
    assert (content.subject or "").startswith(title)
    assert (shown.path, shown.is_silent, shown.is_urgent) == (path, is_silent, is_urgent)
    assert shown.tag == "lead-3", "the next one about the lead takes its place"
    assert content.html_body is None
    for secret in ("4711", "Elm"):
        assert secret not in f"{content.subject} {content.text_body}"


def test_without_an_offer_a_tap_leads_to_the_lead() -> None:
    assert notification(message("won", offer=None)).path == "leads/3"


def test_what_is_about_no_lead_has_a_place_of_its_own() -> None:
    digest = message("digest", lead=None, offer=None, digest=MorningDigest(claimed=1, tasks=0, waiting=()))
    assert (notification(digest).path, notification(digest).tag) == ("", "digest")
    trial = message("test", lead=None, offer=None)
    assert (notification(trial).path, notification(trial).tag) == ("me/alerts", "test")
    assert alert_content(trial, None).subject == "A test of your alerts"


@pytest.mark.parametrize(
    ("names", "beginning"), [("Bob Town, Carol Town", "Bob Town, Carol Town could not"), (None, "An agent could not")]
)
def test_the_owner_reads_who_was_not_reached(names: str | None, beginning: str) -> None:
    lead = MessageLead(id=3, first_name="Mia", untold_names=names)
    content = alert_content(message("untold", "text", lead=lead), None)
    assert f"Not notified: Mia. {beginning} be notified: every alert has failed." in content.text_body


def test_a_member_who_was_not_reached_reads_nothing_of_it_when_the_alert_is_sent_again() -> None:
    content = alert_content(message("offer", "email", offer=MessageOffer(id=7, reason="could not be told")), None)
    assert "because" not in content.text_body


@pytest.mark.parametrize(
    ("digest", "headline", "words"),
    [
        (
            MorningDigest(claimed=2, tasks=3, waiting=("Mia Lund", "Tom Ray")),
            "Your leads this morning: 2 to contact",
            "New since yesterday: 2. Not contacted yet: Mia Lund, Tom Ray. Tasks due today: 3.",
        ),
        (
            MorningDigest(claimed=0, tasks=0, waiting=("Mia Lund",), has_more=True),
            "Your leads this morning: 1+ to contact",
            "Not contacted yet: Mia Lund and more.",
        ),
        (MorningDigest(claimed=0, tasks=1, waiting=()), "Your leads this morning", "Tasks due today: 1."),
    ],
)
def test_a_digest_says_what_there_is_to_do(digest: MorningDigest, headline: str, words: str) -> None:
    content = alert_content(
        message("digest", "email", lead=None, offer=None, digest=digest), "https://leads.example/app"
    )
    assert content.subject == headline
    assert words in content.text_body
    assert "Open your inbox: https://leads.example/app" in content.text_body
    assert not digest.is_empty
