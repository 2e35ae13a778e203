"""Which events a change comes to, when the next try follows, and when a receiver is given up: tables."""

from datetime import UTC, datetime, timedelta

import pytest

from leadroutes.domain.model import Change, Lead, LeadEvent, Offer
from leadroutes.domain.webhooks import (
    EVENTS,
    LONGEST_FAILING,
    MOST_GIVEN_UP,
    ReceiverHealth,
    TryOutcome,
    events_of_change,
    next_try_after,
)

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)
LEAD = Lead(owner_id=1, id=7, owner_has_phone=False, wait=timedelta(minutes=15), is_exclusive=False, offers=())


def offer(user_id: int, state: str, notified_at: datetime | None) -> Offer:
    return Offer(
        user_id=user_id, team_id=1, place=0, notify_at=EARLIER, rank=1, assign_automatically=False,
        has_call_alert=False, has_text_alert=False, has_email_alert=True, state=state,  # type: ignore[arg-type]
        notified_at=notified_at,
    )  # fmt: skip


CHANGES = {
    "one event for each member who is notified": (
        Change(lead=LEAD, offers=(offer(2, "notified", NOW), offer(3, "notified", NOW), offer(4, "scheduled", None))),
        [("lead.offered", 2), ("lead.offered", 3)],
    ),
    "a member who was notified before is not again": (
        Change(lead=LEAD, offers=(offer(2, "notified", EARLIER), offer(3, "expired", NOW), offer(4, "won", NOW))),
        [],
    ),
    "a claim": (Change(lead=LEAD, events=(LeadEvent(kind="claimed", user_id=2),)), [("lead.claimed", None)]),
    "an assignment": (Change(lead=LEAD, events=(LeadEvent(kind="assigned", user_id=2),)), [("lead.assigned", None)]),
    "a decline, and the next one is notified": (
        Change(
            lead=LEAD, offers=(offer(2, "declined", EARLIER), offer(3, "notified", NOW)),
            events=(LeadEvent(kind="declined", user_id=2, by_user_id=2),),
        ),
        [("lead.offered", 3), ("lead.declined", 2)],
    ),
    "the end of the rollout": (
        Change(lead=LEAD, events=(LeadEvent(kind="expired", user_id=2), LeadEvent(kind="unclaimed"))),
        [("lead.unclaimed", None)],
    ),
    "what no webhook is sent": (
        Change(lead=LEAD, events=tuple(LeadEvent(kind=each, user_id=2) for each in ("skipped", "given back"))), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_comes_to_events(name: str) -> None:
    change, expected = CHANGES[name]

    found = list(events_of_change(change, NOW))
    assert found == expected
    assert {type_ for type_, _ in found} <= EVENTS.keys()


def test_tries_follow_the_schedule_up_to_a_tenth_later() -> None:
    delays = (5.0, 300.0)

    assert next_try_after(delays, 1, 0.0) == 5.0
    assert next_try_after(delays, 2, 1.0) == pytest.approx(330.0)
    assert next_try_after(delays, 3, 0.5) is None


FAILED, GIVEN_UP = TryOutcome(is_delivered=False), TryOutcome(is_delivered=False, is_last=True)
DELIVERED, GONE = TryOutcome(is_delivered=True), TryOutcome(is_delivered=False, is_last=True, is_gone=True)


def after(*outcomes: TryOutcome) -> ReceiverHealth:
    health = ReceiverHealth()
    for each in outcomes:
        health = health.after(each, NOW)
    return health


def test_a_success_makes_good_what_failed_before() -> None:
    assert after(*[GIVEN_UP] * 9, DELIVERED) == ReceiverHealth()
    assert after(*[GIVEN_UP] * 9, DELIVERED, GIVEN_UP).given_up == 1


def test_the_span_of_failures_begins_with_the_first_one() -> None:
    health = after(FAILED).after(FAILED, NOW + timedelta(days=1))

    assert health.failing_since == NOW
    assert health.why_off(NOW + LONGEST_FAILING - timedelta(seconds=1)) is None
    assert health.why_off(NOW + LONGEST_FAILING) == "no delivery has succeeded for 5 days"


def test_ten_deliveries_that_are_given_up_switch_it_off() -> None:
    assert after(*[GIVEN_UP] * (MOST_GIVEN_UP - 1), *[FAILED] * 20).why_off(NOW) is None
    assert after(*[GIVEN_UP] * MOST_GIVEN_UP).why_off(NOW) == (
        "10 deliveries were given up without a success in between"
    )


def test_a_receiver_that_is_gone_switches_it_off_at_once() -> None:
    assert after(GONE, DELIVERED).why_off(NOW) == after(GONE).why_off(NOW)
    assert after(GONE).why_off(NOW) == "the receiver answered 410: it wants nothing more"
