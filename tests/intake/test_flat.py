"""Flat fields under names that people chose: website forms, Zapier."""

import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.flat import NAMES, plain_key
from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, expected_json
from tests.support.samples import only, read_json, why

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": 'multipart/form-data; boundary="=_x y"'}


def form(*pairs: tuple[str, str]) -> Inquiry:
    return only(read(urlencode([*pairs, ("email", "ann@example.com")]).encode(), URLENCODED, format="website"))


def multipart(*parts: tuple[str, bytes], end: bytes = b"--=_x y--\r\n") -> Reading:
    body = b"".join(
        b"--=_x y\r\nContent-Disposition: form-data; " + f"{head}\r\n\r\n".encode() + value + b"\r\n"
        for head, value in parts
    )
    return read(body + end, MULTIPART, format="website")


def flat(**fields: Any) -> Inquiry:
    return only(read_json("zapier", {"email": "ann@example.com"} | fields))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("form[First-Name]", "firstname"),
        ("First Name", "firstname"),
        ("E-MAIL", "email"),
        ("lead[person][Phone_Number]", "phonenumber"),
        ("phone[]", "phone"),
        ("lead[phone][]", "phone"),
        ("Téléphone", "telephone"),
        ("ZIP code*", "zipcode"),
        ("I am", "iam"),
        ("I'm looking to", "imlookingto"),
        ("[]", ""),
        ("x" * 300, ""),
    ],
)
def test_names_are_compared_by_their_last_part_without_accents_and_signs(name: str, key: str) -> None:
    assert plain_key(name) == key


VALUES = {
    "first": ("Ann", "first_name", "Ann"),
    "last": ("Lee", "last_name", "Lee"),
    "full": ("Ann Lee", "last_name", "Lee"),
    "phone": ("303-555-0142", "phone", "+13035550142"),
    "zipcode": ("80212", "zipcode", "80212"),
    "city": ("Denver", "city", "Denver"),
    "state": ("colorado", "state", "CO"),
    "street": ("1 A St", "street_address", "1 A St"),
    "type": ("Selling", "type", "Seller"),
    "source": ("fb", "source", "Facebook"),
    "message": ("n/a", "message", "n/a"),
    "price": ("$500k", "price", 500_000),
    "mls_id": ("U1", "mls_id", "U1"),
    "vendor_id": ("v1", "vendor_id", "v1"),
    "test": ("yes", "is_test", True),
}


@pytest.mark.parametrize(
    ("meaning", "name"),
    [(meaning, name) for meaning, names in NAMES.items() for name in names if meaning in VALUES],
)
def test_every_name_has_its_meaning(meaning: str, name: str) -> None:
    value, field, expected = VALUES[meaning]
    assert getattr(form((name, value)), field) == expected
    assert getattr(flat(**{name.upper(): value}), field) == expected


@pytest.mark.parametrize("name", NAMES["email"])
def test_every_name_of_an_email_is_known(name: str) -> None:
    assert only(read_json("zapier", {name: "ann@example.com"})).email == "ann@example.com"


@pytest.mark.parametrize("name", NAMES["time"])
def test_every_name_of_a_time_is_known(name: str) -> None:
    assert flat(**{name: "2026-11-20T15:30:00-05:00"}).as_json()["received_at"] == "2026-11-20T20:30:00Z"


def test_no_text_of_an_inquiry_holds_what_a_database_refuses() -> None:
    """An inquiry that cannot be stored is a lead that no one gets."""
    values = [(names[0], VALUES[meaning][0]) for meaning, names in NAMES.items() if meaning in VALUES]
    found = form(*((f"{name}\0", f"{value}\0") for name, value in (*values, ("consent", "I agree to texts"))))
    assert found.consents
    assert b"\\u0000" not in msgspec.json.encode(found)


def test_the_first_non_blank_name_in_the_tables_order_counts() -> None:
    found = form(("cell", "303-555-0100"), ("mobile", " "), ("phone", ""), ("tel", "303-555-0199"))
    assert found.phone == "+13035550100"
    assert form(("phone", "n/a"), ("cell", "303-555-0100")).phone == "+13035550100"
    assert form(("phone", "call me"), ("cell", "303-555-0100")).phone is None
    assert form(("maxprice", "2"), ("price", "1")).price == 1
    assert form(("comment", "two"), ("message", "-")).message == "-"
    assert form(("fname", "None"), ("firstname", "")).first_name == "None"


def test_of_a_form_field_sent_twice_the_first_non_blank_counts() -> None:
    assert form(("city", ""), ("city", "Denver"), ("city", "Tampa")).city == "Denver"
    assert form(("a[city]", " "), ("City", "Denver")).city == "Denver"


def test_of_a_json_key_sent_twice_the_last_counts() -> None:
    body = b'{"email": "ann@example.com", "city": "Denver", "city": "Tampa"}'
    assert only(read(body, {}, format="zapier")).city == "Tampa"


def test_defaults_of_the_source() -> None:
    assert form().source == "Website"
    assert form(("source", "none")).source == "Website"
    assert flat().source == "Other"
    assert only(read(b"email=ann%40example.com", URLENCODED, format="zapier")).source == "Other"


def test_markup_is_plain_text_in_forms_and_json() -> None:
    text = "<b>R&amp;B</b>"
    assert form(("message", text)).message == text
    assert flat(message=text, city="A&amp;B").city == "A&amp;B"


def test_a_one_line_address_is_taken_apart() -> None:
    found = form(("address", "1 A St, Denver, CO 80212"), ("zip", "80299"))
    assert (found.street_address, found.city, found.state, found.zipcode) == ("1 A St", "Denver", "CO", "80299")


# -------------------------------------------------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"name=H%C3%A9l%C3%A8ne&email=a%40b.co", URLENCODED),
        (b"name=H%E9l%E8ne&email=a%40b.co", URLENCODED),
        ("name=Hélène&email=a@b.co".encode(), URLENCODED),
        ("name=Hélène&email=a@b.co".encode("cp1252"), URLENCODED),
        (b"name=H%E9l%E8ne&email=a%40b.co", {"Content-Type": "application/x-www-form-urlencoded; charset=ISO-8859-1"}),
        (
            b"name=H%C3%A9l%C3%A8ne&email=a%40b.co",
            {"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"},
        ),
    ],
)
def test_form_values_are_utf_8_or_windows_1252(body: bytes, headers: dict[str, str]) -> None:
    assert only(read(body, headers, format="website")).first_name == "Hélène"


def test_windows_quotes_are_read_even_where_latin_1_is_declared() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=latin1"}
    assert only(read(b"name=O%92Dwyer&email=a%40b.co", headers, format="website")).first_name == "O\u2019Dwyer"


@pytest.mark.parametrize(
    ("charset", "declared"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("cp1252", None),
        ("shift_jis", "shift_jis"),
        ("utf-16-le", "utf-16le"),
        ("utf-8-sig", "iso-8859-1"),
        ("utf-16", "utf-8"),
    ],
)
def test_json_is_read_in_any_charset(charset: str, declared: str | None) -> None:
    name = "山田" if charset == "shift_jis" else "Hélène"
    body = json.dumps({"name": name, "email": "a@b.co"}, ensure_ascii=False).encode(charset)
    headers = {"Content-Type": f"application/json; charset={declared}"} if declared else {}
    assert only(read(body, headers, format="zapier")).first_name == name


@pytest.mark.parametrize(
    ("name", "written", "declared"),
    [
        ("朱镕基", "gbk", "gb2312"),
        ("똠방각하", "cp949", "ks_c_5601-1987"),
        ("髙橋", "cp932", "shift_jis"),
        ("鰂魚涌", "big5hkscs", "big5"),
        ("Ayşe’s", "cp1254", "iso-8859-9"),
        ("สมชาย“", "cp874", "tis-620"),
    ],
)
def test_a_charset_is_read_with_what_programs_add_to_it(name: str, written: str, declared: str) -> None:
    """Names are spelt with letters that the standard lacks, and programs declare the standard all the same."""
    body = json.dumps({"first_name": name, "email": "a@b.co"}, ensure_ascii=False).encode(written)
    headers = {"Content-Type": f"application/json; charset={declared}"}
    assert only(read(body, headers, format="zapier")).first_name == name


def test_a_form_may_begin_with_a_byte_order_mark_whatever_it_declares() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=iso-8859-1"}
    assert only(read(b"\xef\xbb\xbfname=Ann&email=a%40b.co", headers, format="website")).first_name == "Ann"


def test_json_may_hold_the_line_ends_that_a_person_typed() -> None:
    """A template of a form puts them between the quotes as they are."""
    body = b'{"name": "Ann Lee", "email": "a@b.co", "message": "Hello,\r\n\tis it free?"}'
    found = only(read(body, {"Content-Type": "application/json"}))
    assert (found.first_name, found.message) == ("Ann", "Hello,\n\tis it free?")


def test_percent_signs_that_are_none_stay() -> None:
    found = only(read(b"message=100%+of+%zz%4&email=a@b.co&&=x&city", URLENCODED, format="website"))
    assert found.message == "100% of %zz%4"


# ---------------------------------------------------------------------------------------------------- multipart


def test_a_multipart_form_is_read_and_its_files_are_not() -> None:
    reading = multipart(
        ('name="form[First-Name]"', "Hélène".encode()),
        ('name="email"\r\nContent-Type: text/plain; charset=utf-8', b"ann@example.com"),
        ('name="message"; filename="a.txt"', b"not this"),
        ('name="message"; filename=""', b""),
        ("name=\"message\"; filename*=utf-8''a.txt", b"nor this"),
        ('name="message"', "Ça va?\r\n--=_x\r\nBye".encode("cp1252")),
        ("x=y", b"no name"),
    )
    found = only(reading)
    assert (found.first_name, found.email) == ("Hélène", "ann@example.com")
    assert found.message == "Ça va?\n--=_x\nBye"


def test_a_multipart_form_without_its_end_keeps_what_is_whole() -> None:
    reading = multipart(
        ('name="email"', b"ann@example.com"), end=b'--=_x y\r\nContent-Disposition: form-data; name="city"\r\n\r\nDen'
    )
    assert (only(reading).email, only(reading).city) == ("ann@example.com", None)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", URLENCODED),
        (b"&&", URLENCODED),
        (b"name=&email=", URLENCODED),
        (b"--b\r\n", {"Content-Type": "multipart/form-data"}),
        (b"hello", {"Content-Type": "multipart/form-data; boundary=b"}),
        (b"", {"Content-Type": "multipart/form-data; boundary=b"}),
    ],
)
def test_a_form_that_says_nothing_is_malformed(body: bytes, headers: dict[str, str]) -> None:
    assert why(read(body, headers, format="website")) == "malformed"


# --------------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize(
    ("value", "city"),
    [
        ({"lead": {"email": "ann@example.com", "city": "Denver"}}, "Denver"),
        ({"data": {"email": "ann@example.com", "city": "Denver"}}, "Denver"),
        ({"Data": {"lead": {"email": "ann@example.com"}, "city": "Denver"}}, "Denver"),
        ({"email": "ann@example.com", "lead": {"city": "Denver"}}, "Denver"),
        ({"email": "ann@example.com", "contact": {"city": "Denver"}}, None),
        ({"email": "ann@example.com", "city": {"name": "Denver"}}, None),
        ({"email": "ann@example.com", "city": ["Denver"]}, None),
    ],
)
def test_objects_under_lead_and_data_count_and_others_do_not(value: Any, city: str | None) -> None:
    assert only(read_json("zapier", value)).city == city


def test_an_array_is_several_leads() -> None:
    several = [{"email": "a@example.com"}, {"name": "Bob"}, 7, {"lead": {"email": "c@example.com"}}]
    for value in (several, {"data": several}, {"lead": several}):
        leads = expected_json(read_json("zapier", value))["leads"]
        assert [lead.get("email") or lead["why"] for lead in leads] == [
            "a@example.com",
            "no_contact",
            "malformed",
            "c@example.com",
        ]


def test_numbers_and_text_are_interchangeable() -> None:
    found = flat(zip=2134, price=500000.0, lead_id=90071992547409931234, phone=3035550142, test=1, timestamp=1794858750)
    assert (found.zipcode, found.price, found.vendor_id) == ("02134", 500_000, "90071992547409931234")
    assert (found.phone, found.is_test) == ("+13035550142", True)
    assert found.as_json()["received_at"] == "2026-11-16T19:52:30Z"
    assert only(read(b'{"email":"a@b.co","zip":30307.0,"price":7.5e5}', {}, format="zapier")).zipcode == "30307"
    assert only(read(b'{"email":"a@b.co","price":7.5e5}', {}, format="zapier")).price == 750_000
    assert flat(test=True).is_test
    assert not flat(test=False, city=None).is_test


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"{}x", "malformed"),
        (b'{"price": NaN}', "malformed"),
        (b'"text"', "malformed"),
        (b"7", "malformed"),
        (b"null", "malformed"),
        (b"[]", "not_a_lead"),
        (b"{}", "no_contact"),
        (b'{"price": 1e99999999999999999999}', "no_contact"),
        (b'{"phone": "\\ud83d"}', "no_contact"),
        (b"[" * 64 + b"]" * 64, "malformed"),
        (b"[" * 65 + b"]" * 65, "too_deep"),
        (b'{"a":' * 64 + b"1" + b"}" * 64, "no_contact"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too_deep"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_json_that_is_not_a_lead_is_refused(body: bytes, code: str) -> None:
    assert why(read(body, {"Content-Type": "application/json"}, format="zapier")) == code


def test_a_number_of_any_length_is_read() -> None:
    assert flat(lead_id="1").vendor_id == "1"
    body = b'{"email":"a@b.co","lead_id":' + b"9" * 5_000 + b"}"
    assert only(read(body, {}, format="zapier")).vendor_id == "9" * 5_000


# ------------------------------------------------------------------------- what is the form's, and not the person's


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"name": "Footer form", "data": {"Name": "Kai Odell", "Email": "kai@example.com"}}, ("Kai", "Odell")),
        ({"data": {"Name": "Kai Odell", "Email": "kai@example.com"}, "name": "Footer form"}, ("Kai", "Odell")),
        ({"name": "Footer form", "data": {"Email": "kai@example.com"}}, (None, None)),
        ({"name": "Footer form", "email": "kai@example.com", "lead": {"First Name": "Kai"}}, ("Kai", None)),
        ({"name": "Outer", "data": {"name": "Inner", "lead": {"name": "Kai", "tel": "303-555-0142"}}}, ("Kai", None)),
        ({"name": "Kai Odell", "email": "kai@example.com", "data": {"city": "Denver"}}, ("Kai", "Odell")),
        ({"full name": "Kai Odell", "data": {"email": "kai@example.com"}}, ("Kai", "Odell")),
        ({"form_name": "Newsletter", "email": "kai@example.com"}, (None, None)),
    ],
)
def test_a_name_beside_a_persons_fields_is_the_forms(body: dict[str, Any], names: tuple[str | None, ...]) -> None:
    found = only(read_json("zapier", body))
    assert (found.first_name, found.last_name) == names


@pytest.mark.parametrize(
    ("pairs", "first_name"),
    [
        ([("form[name]", "Footer"), ("form[id]", "9"), ("fields[name]", "Kai")], "Kai"),
        ([("form[name]", "Footer"), ("fields[city]", "Denver")], None),
        ([("form[name]", "Kai"), ("form[phone]", "303-555-0142")], "Kai"),
        ([("form[First-Name]", "Kai"), ("form[name]", "Odell")], "Kai"),
        ([("fields[0][name]", "your-email"), ("fields[0][id]", "email")], None),
        ([("form_name", "Newsletter Form")], None),
        ([("lead[name]", "Kai")], "Kai"),
        (
            [
                ("form[name]", "Footer"),
                ("fields[name][id]", "name"),
                ("fields[name][type]", "text"),
                ("fields[name][title]", "Name"),
                ("fields[name][value]", "Kai"),
                ("fields[name][raw_value]", "Kai"),
                ("meta[name][value]", "Chrome"),
            ],
            "Kai",
        ),
    ],
)
def test_what_describes_a_form_or_its_fields_describes_no_one(
    pairs: list[tuple[str, str]], first_name: str | None
) -> None:
    found = form(*pairs)
    assert (found.first_name, found.vendor_id) == (first_name, None)


@pytest.mark.parametrize(
    ("fields", "vendor_id", "is_loose"),
    [
        ({"lead_id": "7", "id": "3"}, "7", False),
        ({"id": "3", "Submission-ID": "8"}, "8", False),
        ({"entry_id": "9"}, "9", False),
        ({"id": "3"}, "3", True),
        ({"id": "3", "lead_id": "n/a"}, "3", True),
        ({"form_id": "3", "form id": "4", "field_id": "5"}, None, False),
        ({"id": "form-77", "data": {"Email": "ada@example.com"}}, "form-77", True),
        ({}, None, False),
    ],
)
def test_a_bare_id_may_be_the_forms(fields: dict[str, Any], vendor_id: str | None, is_loose: bool) -> None:
    found = flat(**fields)
    assert (found.vendor_id, found.is_id_loose) == (vendor_id, is_loose)
    assert "is_id_loose" not in found.as_json()
