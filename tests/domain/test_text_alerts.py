"""The text of an alert: its form, its letters, and what goes first where it does not fit into two segments."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.preview import Preview, preview
from leadroutes.domain.segments import count_segments, with_gsm_letters
from leadroutes.domain.text_alerts import link_part, text_alert

LINK = f"https://leads.example/claim/{'x' * 43}"
MIA = preview("Mia", "Denver", "Buyer", "450000")


def test_an_alert_has_the_preview_the_source_and_the_link() -> None:
    assert text_alert("New lead", MIA, "Zillow", end=link_part(LINK, "Claim")) == (
        f"New lead: Mia, Denver, Buyer, $450,000 (Zillow). Claim: {LINK}"
    )
    assert text_alert("New lead", MIA, "Zillow", end=link_part(LINK, "Claim", 3)) == (
        f"New lead: Mia, Denver, Buyer, $450,000 (Zillow). Claim: {LINK} or reply 3 (pass: 3N)"
    )
    assert (
        text_alert("Taken", MIA, explanation="Ben claimed it.")
        == "Taken: Mia, Denver, Buyer, $450,000. Ben claimed it."
    )
    assert text_alert("New lead", preview(None, None, None, None), end=link_part(LINK, "Claim")) == (
        f"New lead: Someone. Claim: {LINK}"
    )


LONG = "n" * 400
# what is too long -> what is left before the link; … is as much of it as fits
SHORTENED = {
    "the price": (preview("Mia", "Denver", "Buyer", LONG), "Zillow", "New lead: Mia, Denver, Buyer (Zillow)."),
    "the town": (preview("Mia", LONG, "Buyer", "450000"), "Zillow", "New lead: Mia, Buyer (Zillow)."),
    "the source": (MIA, LONG, "New lead: Mia, Buyer (…)."),
    "the first name": (preview(LONG, "Denver", "Buyer", "450000"), "Zillow", "New lead: …, Buyer."),
    "the type": (preview("Mia", "Denver", LONG, "450000"), "Zillow", "New lead: Someone, …."),
    "all of it": (preview(LONG, LONG, LONG, LONG), LONG, "New lead: Someone, …."),
}


@pytest.mark.parametrize(("lead", "source", "expected"), SHORTENED.values(), ids=SHORTENED)
def test_what_does_not_fit_is_shortened_in_order_and_never_the_link(lead: Preview, source: str, expected: str) -> None:
    end = link_part(LINK, "Claim", 99)
    text = text_alert("New lead", lead, source, end=end)
    assert text.endswith(f" {end}")
    before = text.removesuffix(f" {end}")
    first, is_cut, last = expected.partition("…")
    assert re.fullmatch(f"{re.escape(first)}n+{re.escape(last)}" if is_cut else re.escape(expected), before), before
    units = count_segments(text).units
    assert units == 306 if is_cut else units <= 306


def test_a_link_that_is_too_long_by_itself_goes_alone() -> None:
    end = link_part("https://leads.example/" + "x" * 400, "Claim", 3)
    assert text_alert("New lead", MIA, "Zillow", end=end) == end


def test_only_as_much_is_left_out_as_has_to_be() -> None:
    room = 306 - len(text_alert("New lead", preview("Mia", "", "Buyer", None), "", end=link_part(LINK, "Claim"))) - 3
    fits = text_alert("New lead", MIA, "s" * (room - len(", Denver")), end=link_part(LINK, "Claim"))
    assert "Denver, Buyer (s" in fits
    assert "$" not in fits
    assert count_segments(fits).units == 306


LETTERS = [
    ("Mia", "Mia"),
    ("Zoë Ångström Łukasz Çelik çelik", "Zoe Ångström Lukasz Çelik celik"),
    ("“Grape St.” – it’s nice…", '"Grape St." - it\'s nice...'),
    ("Renée & Søren", "Renée & Søren"),
    ("李 Mia 👍", " Mia "),
    ("①②", "12"),
    ("a\tb\u00a0c", "a b c"),
    ("{[€]}~^|\\", "{[€]}~^|\\"),
    ("\ud800x", "x"),
]


@pytest.mark.parametrize(("text", "expected"), LETTERS)
def test_other_letters_become_the_nearest_or_go(text: str, expected: str) -> None:
    assert with_gsm_letters(text) == expected


def test_a_name_of_which_nothing_is_left_is_someone() -> None:
    assert text_alert("New lead", preview("李", "東京", None, None)).startswith("New lead: Someone.")


ANY = st.text(max_size=500) | st.none()


@given(ANY, ANY, ANY, ANY, ANY, st.integers(1, 99) | st.none())
def test_whatever_is_typed_fits_into_two_segments_of_gsm(
    name: str | None, town: str | None, kind: str | None, price: str | None, source: str | None, number: int | None
) -> None:
    end = link_part(LINK, "Claim", number)
    text = text_alert("TEST: Offered again", preview(name, town, kind, price), source, end=end)
    found = count_segments(text)
    assert (found.alphabet, found.count <= 2) == ("GSM-7", True)
    assert text.endswith(end)
    assert "\n" not in text
