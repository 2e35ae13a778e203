"""What an agent hears: the masked lead as an English sentence, the details for the winner, and no markup at all."""

import pytest

from leadroutes.channels.speech import (
    MOST_SPOKEN,
    SpokenDetails,
    SpokenLead,
    claimed_by,
    details,
    details_again,
    question,
    refusal,
    spoken,
    spoken_phone,
)

KEYS = "Press 1 to claim, 2 to pass, 3 to hear it again."


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        (
            SpokenLead(source="Zillow", first_name="Mia", city="Denver", type="Buyer"),
            f"A new lead from Zillow: Mia, in Denver, a buyer. {KEYS}",
        ),
        (
            SpokenLead(source="Zillow", first_name="Mia", city="Denver", type="Buyer", listing_price="450000"),
            f"A new lead from Zillow: Mia, in Denver, a buyer, at $450,000. {KEYS}",
        ),
        (SpokenLead(), f"A new lead: Someone. {KEYS}"),
        (SpokenLead(first_name="Mia", type="Investor"), f"A new lead: Mia, an investor. {KEYS}"),
        (SpokenLead(first_name="Mia", type="FSBO"), f"A new lead: Mia, a FSBO. {KEYS}"),
        (SpokenLead(first_name="Mia", is_test=True), f"This is a test. A new lead: Mia. {KEYS}"),
        (SpokenLead(kind="reoffer", source="Zillow", first_name="Mia"),
         f"A lead is offered again from Zillow: Mia. {KEYS}"),
        (SpokenLead(kind="won", source="Zillow", first_name="Mia"),
         "You have a new lead from Zillow: Mia. Press 1 to hear the details, 3 to hear it again."),
        (SpokenLead(first_name="😀🏡", city="<Hangup/>"), f"A new lead: Someone, in Hangup/. {KEYS}"),
    ],
)  # fmt: skip
def test_a_lead_is_said_before_the_claim(lead: SpokenLead, said: str) -> None:
    assert question(lead) == said


def test_the_winner_hears_how_to_reach_the_person() -> None:
    known = SpokenDetails(first_name="Mia", last_name="Lund", phone="+13035550199", street_address="12 Grape St",
                          city="Denver")  # fmt: skip
    assert details(known) == "It is yours. Mia Lund, at 303-555-0199, about 12 Grape St, in Denver."
    assert details_again(known) == f"{details(known)} Press 3 to hear it again."


def test_what_is_not_known_is_not_said() -> None:
    assert details(SpokenDetails()) == "It is yours. Someone, without a phone number."
    assert details(SpokenDetails(first_name="Mia", email="mia@example.com")) == "It is yours. Mia, at mia@example.com."


@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("+13035550199", "303-555-0199"),
        ("303.555.0199", "303-555-0199"),
        ("+442079460958", "plus 44 20 7946 0958"),
        ("call me", "call me"),
        (None, ""),
    ],
)
def test_numbers_are_said_in_groups(phone: str | None, said: str) -> None:
    assert spoken_phone(phone) == said


def test_whoever_is_late_hears_who_has_it() -> None:
    assert claimed_by("Ben Town") == "Ben Town has claimed it. Goodbye."
    assert claimed_by("") == "Someone else has claimed it. Goodbye."
    assert refusal("Your time to claim this lead is over") == "Your time to claim this lead is over. Goodbye."


def test_a_value_is_one_short_line_without_signs_that_a_voice_stumbles_over() -> None:
    assert spoken("Mia\r\n\t<b>Lund</b> 😀\u202e") == "Mia b Lund /b"
    assert spoken("Zoë O'Neil-García, Jr.") == "Zoë O'Neil-García, Jr."
    assert spoken(None) == spoken(" \x00 ") == ""
    long = spoken("Anna Maria " * 500)
    assert len(long) <= MOST_SPOKEN
    assert long.endswith(("Anna", "Maria"))
    assert len(spoken("a" * 5_000)) == MOST_SPOKEN
