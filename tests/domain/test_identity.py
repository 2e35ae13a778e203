"""Names, e-mails, phones, zipcodes and time zones in normal form."""

import time
import zoneinfo

import pytest
import zipcodes
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.identity import (
    E164,
    comparable_zipcode,
    is_relay,
    normal_email,
    normal_name,
    normal_names,
    normal_phone,
    normal_zipcode,
    split_name,
    time_zone_of,
)


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Maribel Ochoa-Lindqvist", "Maribel", "Ochoa-Lindqvist"),
        ("Ana de la Cruz", "Ana", "de la Cruz"),
        ("Kwabena St. John", "Kwabena", "St. John"),
        ("Ada Nwosu III", "Ada", "Nwosu III"),
        ("Cher", "Cher", None),
        ("Mr. John Smith", "John", "Smith"),
        ("mrs Ann Lee", "Ann", "Lee"),
        ("MX. Ann Lee", "Ann", "Lee"),
        ("Prof. Dr. Ann Lee", "Ann", "Lee"),
        ("Miss Ann", "Ann", None),
        ("Drew Mrs", "Drew", "Mrs"),
        ("Missy Lee", "Missy", "Lee"),
        ("Smith, John", "John", "Smith"),
        ("de la Cruz, Ana", "Ana", "de la Cruz"),
        ("Smith,John", "John", "Smith"),
        ("Lee, Dr. Ann", "Ann", "Lee"),
        ("Dr. Lee, Ann", "Ann", "Lee"),
        ("John Smith, Jr.", "John", "Smith, Jr."),
        ("John Smith, III", "John", "Smith, III"),
        ("John Smith, sr", "John", "Smith, sr"),
        ("Smith,", "Smith", None),
        ("John W. Dunn, V", "John", "W. Dunn, V"),
        ("John Dunn, MD", "John", "Dunn, MD"),
        ("John Dunn, M.D., Ph.D.", "John", "Dunn, M.D., Ph.D."),
        ("John Dunn, Esq.", "John", "Dunn, Esq."),
        ("Ann Lee, Realtor", "Ann", "Lee, Realtor"),
        ("Ann Lee, Realtor at Juniper & Vale", "Ann", "Lee, Realtor at Juniper & Vale"),
        ("Smith, John, Jr.", "John", "Smith, Jr."),
        ("Smith, Jr., John", "John", "Smith, Jr."),
        ("Rosa Smith, Dr.", "Rosa", "Smith"),
        ("Royce, Ed", "Ed", "Royce"),
        ("Ma, Andrew", "Andrew", "Ma"),
        ("Tran, V", "V", "Tran"),
        ("Tran, V, MD", "V", "Tran, MD"),
        ("Tran Van, Do", "Do", "Tran Van"),
        ("Tran Van, DO", "Tran", "Van, DO"),
        ("Van Maximilian Carlson", "Van", "Maximilian Carlson"),
        ("O'Neil, Shaun & Kate", "Shaun & Kate", "O'Neil"),
        ("🏡 Zoë Hart", "Zoë", "Hart"),
        ("Hart, 🏡 Zoë", "Zoë", "Hart"),
        ("1. Ann Lee", "Ann", "Lee"),
        ("• 2) Dr. Ann Lee", "Ann", "Lee"),
        ("& Ann Lee", "Ann", "Lee"),
        ("{{ 7 | times: 7 }}", None, "7 | times: 7 }}"),
        ("Tom & Ann Lee", "Tom & Ann", "Lee"),
        ("Tom and Ann Lee", "Tom & Ann", "Lee"),
        ("Tom AND Ann de la Cruz", "Tom & Ann", "de la Cruz"),
        ("Tom & Ann", "Tom & Ann", None),
        ("Mr. Tom & Mrs. Ann Lee", "Tom & Ann", "Lee"),
        ("Mr. and Mrs. Lee", "Lee", None),
        ("Andy Lee", "Andy", "Lee"),
        ("John Smith and Mary Jones", "John", "Smith and Mary Jones"),
        ("  María   José\tLópez ", "María", "José López"),
        ("None", "None", None),
        ("李 明", "李", "明"),
        ("12345", None, None),
        ("ann@example.com", None, None),
        ("Ann <ann@example.com>", None, None),
        ("-", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_full_name_is_split(full: str | None, first: str | None, last: str | None) -> None:
    assert split_name(full) == (first, last)


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        (" Ann  Marie ", "Ann Marie"),
        ("O'Dwyer", "O'Dwyer"),
        ("Mr.", "Mr."),
        ("n/a", "n/a"),
        ("555-0101", None),
        ("?!", None),
        ("ann@example.com", None),
        ("Ann (ann@example.com)", None),
        ("Ann @ home", "Ann @ home"),
        (None, None),
    ],
)
def test_a_name_has_a_letter_and_no_mail_address(name: str | None, normal: str | None) -> None:
    assert normal_name(name) == normal


def test_a_full_name_is_split_only_where_both_names_are_missing() -> None:
    assert normal_names("Ann", None, "Bob Stone") == ("Ann", None)
    assert normal_names(None, "Lee", "Bob Stone") == (None, "Lee")
    assert normal_names("", " ", "Bob Stone") == ("Bob", "Stone")
    assert normal_names("Dr. Ann Marie", "Lee, Jr.", None) == ("Dr. Ann Marie", "Lee, Jr.")
    assert normal_names("123", "ann@example.com", "Bob Stone") == ("Bob", "Stone")


@pytest.mark.parametrize("nothing", ["null", "N/A", "None", "UNDEFINED", " na ", "--"])
def test_names_that_both_say_nothing_are_none(nothing: str) -> None:
    assert normal_names(nothing, nothing) == (None, None)
    assert normal_names(nothing, "null", "Bob Stone") == ("Bob", "Stone")
    assert normal_names(None, None, f"{nothing} {nothing}") == (None, None)


def test_a_name_that_says_nothing_is_a_name_beside_another_one() -> None:
    assert normal_names("Jane", "Null") == ("Jane", "Null")
    assert normal_names("None", "Lee") == ("None", "Lee")
    assert normal_names("None", None) == ("None", None)


@given(st.lists(st.text(st.sampled_from("Av. ,1🏡-&")), max_size=8).map("".join), st.text())
def test_a_first_name_that_is_split_off_has_a_letter_and_no_comma(full: str, other: str) -> None:
    for each in (full, other):
        first, _ = split_name(each)
        assert first is None or (any(map(str.isalpha, first)) and not first.endswith(","))


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        ("Ann.Lee@Example.COM", "ann.lee@example.com"),
        (" ann@example.com\n", "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("MAILTO:Ann@example.com?subject=Hi", "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("<mailto:ann@example.com>", "ann@example.com"),
        ("Ann Lee <ann@example.com>", "ann@example.com"),
        ('"Lee, Ann" <ann@example.com>', "ann@example.com"),
        ("ann@example.com<mailto:ann@example.com>", "ann@example.com"),
        ("ann@example.com, bob@example.com", "ann@example.com"),
        ("no; bob@example.com", "bob@example.com"),
        ("ann@home, , bob@example.com", "bob@example.com"),
        ("ann+tag_1%x@mail.example.co.uk", "ann+tag_1%x@mail.example.co.uk"),
        ("o'dwyer@example.org", "o'dwyer@example.org"),
        ("ann@exam ple.com", None),
        ("ann @example.com", None),
        ("ann@@example.com", None),
        ("ann@b@example.com", None),
        ("ann@localhost", None),
        ("ann@.com", None),
        ("ann@example.", None),
        ("ann@example..com", None),
        ("@example.com", None),
        ("ann@", None),
        ("ann.example.com", None),
        ("ann(at)example.com", None),
        ("mailto:", None),
        ("n/a", None),
        ("x" * 250 + "@example.com", None),
        ("", None),
        (None, None),
    ],
)
def test_an_email_is_good_or_none_and_never_repaired(typed: str | None, email: str | None) -> None:
    assert normal_email(typed) == email


def test_a_portals_relay_address_is_known() -> None:
    assert is_relay(normal_email("3K9X@Convo.Zillow.com"))
    assert not is_relay("ann@zillow.com")
    assert not is_relay("ann@convo.zillow.com.example.com")
    assert not is_relay("convo.zillow.com@example.com")
    assert not is_relay(None)


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("(303) 555-0142", "+13035550142"),
        ("303.555.0142", "+13035550142"),
        ("3035550142", "+13035550142"),
        ("13035550142", "+13035550142"),
        ("1 (303) 555-0142", "+13035550142"),
        ("+1 303 555 0142", "+13035550142"),
        ("tel:+1-303-555-0142", "+13035550142"),
        ("tel:303-555-0142;ext=12", "+13035550142"),
        ("303-555-0142 x12", "+13035550142"),
        ("303-555-0142x 1234", "+13035550142"),
        ("303-555-0142 ext. 12", "+13035550142"),
        ("303-555-0142, Extension 12", "+13035550142"),
        ("303-555-0142 #12", "+13035550142"),
        ("303-555-0142 (ext 12)", "+13035550142"),
        ("Phone #: 303-555-0142", "+13035550142"),
        ("Phone #303-555-0142", "+13035550142"),
        ("text 303-555-0142 please", "+13035550142"),
        ("cell (after six): 303 555 0142!", "+13035550142"),
        ("303-555-0142 / 720-555-0101", "+13035550142"),
        ("303-555-0142 or 720-555-0101", "+13035550142"),
        ("home 303-555-0142 and work 720-555-0101", "+13035550142"),
        ("555-0142; 720-555-0101", "+17205550101"),
        ("303-555-0142 (call after 5)", "+13035550142"),
        ("303-555-0142 extn 136", "+13035550142"),
        ("303-555-0142 (136)", "+13035550142"),
        ("303-555-0142 [ 12 ] ", "+13035550142"),
        ("after 5pm 303-555-0142, or before 9", "+13035550142"),
        ("303 and then 555-0142", "+13035550142"),
        ("(303) 555 (0142)", "+13035550142"),
        ("303-555-0142 9", None),
        ("n/a, 303-555-0142 x4 | 720-555-0101", "+13035550142"),
        ("303/555-0142", "+13035550142"),
        ("３０３-555-0142", "+13035550142"),
        ("\u202a+1 (303) 555‑0142\u202c", "+13035550142"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+49 (30) 1234567 ext 5", "+49301234567"),
        ("mobile +33 1 23 45 67 89", "+33123456789"),
        ("+52 55 1234 5678 / 303-555-0142", "+525512345678"),
        ("+4712345 678", "+4712345678"),
        ("+44 20 7946 0958 after 6", "+442079460958"),
        ("+44 20 7946 0958 or 555", "+442079460958"),
        ("+44 20 7946 0958 (136)", "+442079460958"),
        ("+44 20 7946 (0958)", "+442079460958"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+44 020 7946 0958", "+442079460958"),
        ("+39 06 6982 1234", "+390669821234"),
        ("+123456", None),
        ("+1234567890123456", None),
        ("+0 303 555 0142", None),
        ("+1 203 555", None),
        ("+1 103 555 0142", None),
        ("+1 303 155 0142", None),
        ("103-555-0142", None),
        ("303-155-0142", None),
        ("003-555-0142", None),
        ("555-0142", None),
        ("0000000000", None),
        ("0044 20 7946 0958", None),
        ("23035550142", None),
        ("303555014", None),
        ("1-800-FLOWERS", None),
        ("call me", None),
        ("none", None),
        ("", None),
        (None, None),
    ],
)
def test_a_phone_is_e164_or_none(typed: str | None, phone: str | None) -> None:
    assert normal_phone(typed) == phone


@given(st.text(st.sampled_from("+0123456789()-./;,| xort#andexti")))
def test_a_phone_is_e164_whatever_is_typed(typed: str) -> None:
    phone = normal_phone(typed)
    assert phone is None or E164.fullmatch(phone)
    assert normal_phone(phone) == phone


@pytest.mark.parametrize(
    ("typed", "zipcode"),
    [
        ("80212", "80212"),
        (" 80212 ", "80212"),
        ("80212-1234", "80212"),
        ("802121234", "80212"),
        ("2134", "02134"),
        ("501", "00501"),
        ("12", None),
        ("9", None),
        ("1234567", None),
        ("80212-12", None),
        ("00000", None),
        ("000", None),
        ("99999", None),
        ("99999-1234", None),
        ("ABCDE", None),
        ("K1A 0B1", None),
        ("Tampa", None),
        ("CO 80212", None),
        ("none", None),
        ("", None),
        (None, None),
    ],
)
def test_a_zipcode_has_five_digits_or_is_none(typed: str | None, zipcode: str | None) -> None:
    assert normal_zipcode(typed) == zipcode


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("98112-1234", "98112"),
        ("981121234", "98112"),
        (98112, "98112"),
        (2134, "02134"),
        ("7", "00007"),
        ("00000", "00000"),
        ("v6j 4z3", "V6J4Z3"),
        ("123456", "123456"),
        (" 98112 ", "98112"),
        ("  ", None),
        ("", None),
        (None, None),
    ],
)
def test_zipcodes_of_teams_compare_as_text(typed: str | int | None, compared: str | None) -> None:
    assert comparable_zipcode(typed) == compared


@pytest.mark.parametrize(
    ("zipcode", "phone", "zone"),
    [
        ("80212", None, "America/Denver"),
        ("33606-1234", None, "America/New_York"),
        ("85251", "+13035550142", "America/Phoenix"),
        ("96815", None, "Pacific/Honolulu"),
        ("99501", None, "America/Anchorage"),
        ("32501", None, "America/Chicago"),
        ("00601", None, "America/Puerto_Rico"),
        ("00000", "+18085550142", "Pacific/Honolulu"),
        ("V6J 4Z3", "+13035550142", "America/Denver"),
        (None, "+14045550142", "America/New_York"),
        (None, "+442079460958", "Europe/London"),
        (None, "+18005550142", None),
        (None, "555-0142", None),
        ("", "", None),
        (None, None, None),
    ],
)
def test_a_time_zone_comes_from_the_zipcode_else_the_area_code(
    zipcode: str | None,
    phone: str | None,
    zone: str | None,
) -> None:
    assert time_zone_of(zipcode, phone) == zone


def test_every_zipcode_lies_where_its_own_package_says() -> None:
    for each in zipcodes.list_all():
        zone = each["timezone"] or ""
        if "/" in zone:
            assert time_zone_of(each["zip_code"], None) == zone
    assert time_zone_of("80299", None) == "America/Denver"  # not given out yet
    assert time_zone_of("09012", "+13035550142") == "America/Denver"  # the forces' post overseas lies nowhere


@given(st.text(max_size=12), st.text(max_size=16))
def test_a_time_zone_is_one_that_the_system_knows(zipcode: str, phone: str) -> None:
    zone = time_zone_of(zipcode, phone)
    assert zone is None or zone in zoneinfo.available_timezones()


def test_a_time_zone_is_cheap_to_find_again() -> None:
    time_zone_of("80212", None)
    start = time.process_time()
    for _ in range(10_000):
        time_zone_of("80212", "+13035550142")
    assert time.process_time() - start < 0.5
