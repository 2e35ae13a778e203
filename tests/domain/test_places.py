"""Places: states, units, one-line addresses, and which place counts."""

import pytest

from leadroutes.domain.places import STATES, Place, first_place, joined_lines, normal_state


@pytest.mark.parametrize(
    ("typed", "state"),
    [
        ("CO", "CO"),
        ("co", "CO"),
        ("Georgia", "GA"),
        ("new  YORK", "NY"),
        ("District of Columbia", "DC"),
        ("D.C.", "DC"),
        ("Puerto Rico", "PR"),
        ("west virginia", "WV"),
        ("ON", None),
        ("GU", None),
        ("Ontario", None),
        ("Colo", None),
        ("na", None),
        ("", None),
        (None, None),
    ],
)
def test_a_state_has_two_letters(typed: str | None, state: str | None) -> None:
    assert normal_state(typed) == state


def test_there_are_fifty_states_and_two_more() -> None:
    assert len(STATES) == 52
    assert all(normal_state(name) == code == normal_state(code) for code, name in STATES.items())


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("1222 E Madison St #305, Seattle, WA 98122", Place("1222 E Madison St #305", "Seattle", "WA", "98122")),
        ("1222 E Madison St, Seattle, WA, 98122", Place("1222 E Madison St", "Seattle", "WA", "98122")),
        ("12 Main St, Denver, co 80212-1234", Place("12 Main St", "Denver", "CO", "80212")),
        ("12 Main St, Apt 4, Denver, Colorado 80212", Place("12 Main St, Apt 4", "Denver", "CO", "80212")),
        ("12 Main St,Denver,CO,80212", Place("12 Main St", "Denver", "CO", "80212")),
        ("12 Main St, Denver, CO 80212, USA", Place("12 Main St", "Denver", "CO", "80212")),
        ("Denver, CO 80212", Place(None, "Denver", "CO", "80212")),
        ("12 Main St, CO 80212", Place("12 Main St, CO 80212")),
        ("12 Main St, Toronto, ON 80212", Place("12 Main St, Toronto, ON 80212")),
        ("12 Main St, Denver", Place("12 Main St, Denver")),
        ("12 Main St", Place("12 Main St")),
        ("12 Main St, Denver, CO 00000", Place("12 Main St", "Denver", "CO", None)),
    ],
)
def test_a_one_line_address_is_taken_apart(line: str, place: Place) -> None:
    assert Place(line).normal() == place


def test_separate_fields_win_over_a_one_line_address() -> None:
    place = Place("418 12th Ave NE, Saint Petersburg, FL 33701", "St. Pete", "xx", "33702").normal()
    assert place == Place("418 12th Ave NE", "St. Pete", "FL", "33702")


@pytest.mark.parametrize(
    ("unit", "street"),
    [
        ("304", "1 A St #304"),
        ("B", "1 A St #B"),
        ("12b", "1 A St #12b"),
        ("PH1", "1 A St #PH1"),
        ("ABC1234", "1 A St ABC1234"),
        ("PH", "1 A St PH"),
        ("Apt 4", "1 A St Apt 4"),
        ("#304", "1 A St #304"),
        ("Unit B", "1 A St Unit B"),
        ("n/a", "1 A St"),
        (None, "1 A St"),
    ],
)
def test_a_unit_follows_the_street(unit: str | None, street: str) -> None:
    assert Place("1 A St", unit=unit).normal().street_address == street


def test_a_unit_follows_the_street_of_a_one_line_address() -> None:
    assert Place("1 A St, Denver, CO 80212", unit="4").normal() == Place("1 A St #4", "Denver", "CO", "80212")


def test_a_unit_without_a_street_is_nothing() -> None:
    assert not Place(unit="4").normal().is_named


def test_the_first_place_that_names_anything_counts_and_none_are_mixed() -> None:
    nothing = Place(" ", "n/a", "XX", "00000")
    listing = Place(None, None, "CO", None)
    home = Place("1 A St", "Austin", "TX", "78701")
    assert first_place([nothing, listing, home]) == Place(None, None, "CO", None)
    assert first_place([nothing, home, listing]) == home
    assert not first_place([nothing]).is_named
    assert not first_place([]).is_named


def test_street_lines_are_joined() -> None:
    assert joined_lines([" 1 A St ", None, "none", "Floor 2"]) == "1 A St, Floor 2"
    assert joined_lines([None, " "]) is None
