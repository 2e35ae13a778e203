"""ADF: what is well-formed and what can be recovered."""

from typing import Any

import pytest

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, expected_json
from tests.support.samples import only, sample, why

EMAIL = "<email>ann@example.com</email>"


def adf(text: str | bytes, **headers: str) -> Reading:
    return read(text if isinstance(text, bytes) else text.encode(), headers, format="adf")


def prospect(inner: str) -> Inquiry:
    return only(adf(f"<adf><prospect>{inner}</prospect></adf>"))


def contact(inner: str, *, around: str = "") -> Inquiry:
    return prospect(f"<customer><contact>{EMAIL}{inner}</contact></customer>{around}")


# ------------------------------------------------------------------------------------------------------- fields


@pytest.mark.parametrize(
    ("names", "first", "last"),
    [
        ('<name part="first">Ann</name><name part="last">Lee</name>', "Ann", "Lee"),
        ('<name part="full">Bob Stone</name><name part="first">Ann</name>', "Ann", None),
        ('<name part="full">Dr. Ann de la Cruz</name>', "Ann", "de la Cruz"),
        ("<name>Ann Lee</name>", "Ann", "Lee"),
        ('<name part="First"> </name><name part="FIRST">Ann</name>', "Ann", None),
    ],
)
def test_parts_of_a_name_go_before_the_whole(names: str, first: str, last: str | None) -> None:
    found = contact(names)
    assert (found.first_name, found.last_name) == (first, last)


@pytest.mark.parametrize(
    ("phones", "last_digits"),
    [
        ([("fax", 1), ("work", 2), ("home", 3), ("voice", 4), ("cell", 5), ("cellphone", 6), ("mobile", 7)], 7),
        ([("fax", 1), ("work", 2), ("home", 3), ("voice", 4), ("cell", 5), ("CellPhone", 6)], 6),
        ([("work", 2), ("home", 3), ("voice", 4), ("cell", 5)], 5),
        ([("work", 2), ("home", 3), ("voice", 4)], 4),
        ([("fax", 1), ("work", 2), ("home", 3)], 3),
        ([("fax", 1), ("work", 2)], 2),
        ([("pager", 8), ("fax", 1)], 8),
    ],
)
def test_the_phone_that_reaches_a_person_best_counts(phones: list[tuple[str, int]], last_digits: int) -> None:
    markup = "".join(f'<phone type="{type_}">303-555-010{digit}</phone>' for type_, digit in phones)
    assert contact(markup).phone == f"+1303555010{last_digits}"


def test_a_phone_that_is_not_a_number_is_passed_over() -> None:
    found = contact('<phone type="mobile">555-0101</phone><phone>303-555-0102</phone>')
    assert found.phone == "+13035550102"


@pytest.mark.parametrize(
    ("interest", "kind"),
    [("buy", "Buyer"), ("SELL", "Seller"), ("lease", "Renter"), ("rent", "Renter"), ("trade-in", None), ("", None)],
)
def test_interest_tells_the_kind(interest: str, kind: str | None) -> None:
    assert contact("", around=f'<vehicle interest="{interest}"/>').type == kind
    assert contact("", around="<vehicle/>").type is None


def test_the_listing_is_the_vehicle() -> None:
    vehicle = "<vehicle><stock>0</stock><price>0</price><finance><amount>2,500</amount></finance></vehicle>"
    found = contact("", around=vehicle)
    assert (found.mls_id, found.price) == (None, 2_500)
    assert contact("", around="<vehicle><stock>U1</stock><price>$1,000.50</price></vehicle>").price == 1_000
    option = "<vehicle><option><stock>O1</stock><price>5</price></option><price>9</price></vehicle>"
    assert (contact("", around=option).mls_id, contact("", around=option).price) == (None, 9)


@pytest.mark.parametrize(
    ("around", "source"),
    [
        ('<id source="A">1</id><provider><name part="full">B</name></provider>', "B"),
        ("<provider><name>zillow.com</name></provider>", "Zillow"),
        ('<provider><name part="first">Home</name><name part="last">Quest</name></provider>', "Home Quest"),
        ('<id source="A">1</id><id source="C">2</id><provider><service>S</service></provider>', "A"),
        ("<id>1</id>", "Other"),
        ("<provider><contact><name>B</name></contact></provider>", "Other"),
    ],
)
def test_the_source_is_the_provider_else_the_ids_source(around: str, source: str) -> None:
    assert contact("", around=around).source == source


def test_the_first_id_is_the_inquirys() -> None:
    found = contact("", around='<customer><id>9</id></customer><id sequence="1">A-1</id><id>A-2</id>')
    assert found.vendor_id == "A-1"
    assert contact("", around="<vehicle><id>9</id></vehicle>").vendor_id is None


def test_an_address_has_street_lines_and_an_apartment() -> None:
    lines = '<street line="1">1 A St</street><street line="2">Floor 2</street><apartment>304</apartment>'
    found = contact(f"<address>{lines}<city>Denver</city><regioncode>Colorado</regioncode></address>")
    assert (found.street_address, found.city, found.state) == ("1 A St, Floor 2 #304", "Denver", "CO")


def test_vendor_and_provider_are_never_the_lead() -> None:
    party = "<contact><name>Bob</name><email>bob@example.com</email><phone>303-555-0142</phone></contact>"
    parties = f"<vendor>{party}</vendor><provider>{party}<email>x@example.com</email></provider>"
    assert why(adf(f"<adf><prospect>{parties}</prospect></adf>")) == "no_contact"


def test_several_prospects_are_several_leads() -> None:
    one = f"<prospect><customer><contact>{EMAIL}</contact></customer></prospect>"
    reading = adf(f"<adf>{one}<prospect></prospect>{one.replace('ann', 'bob')}</adf>")
    leads = expected_json(reading)["leads"]
    assert [lead.get("email") or lead["why"] for lead in leads] == ["ann@example.com", "no_contact", "bob@example.com"]


# ----------------------------------------------------------------------------------------------------- recovery

GOOD = sample("adf").body.decode()


@pytest.mark.parametrize(
    "broken",
    [
        GOOD.upper().replace("WREN.ABERNATHY@EXAMPLE.COM", "wren.abernathy@example.com"),
        GOOD.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?"),
        GOOD.replace('"', ""),
        GOOD.replace('"', "'"),
        GOOD.replace("</adf>", ""),
        GOOD.replace("</adf>", "").replace("</prospect>", ""),
        "Dear all,\n3 < 4 & 5 > 2\n" + GOOD + "\n-- \nBob <bob@example.com>",
        GOOD.replace("&amp;", "&"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace('<?xml version="1.0" encoding="UTF-8"?>\n<?adf version="1.0"?>', ""),
        GOOD.replace("<prospect", "<!-- a comment with <email>bob@example.com</email> --><prospect"),
    ],
    ids=[
        "capitals",
        "prefixes",
        "no quotes",
        "quotes",
        "no end",
        "no ends",
        "text around",
        "bare &",
        "CRLF",
        "bare",
        "comment",
    ],
)
def test_what_is_broken_is_recovered(broken: str) -> None:
    found = only(adf(broken)).as_json()
    expected = sample("adf").expected
    names = ["email", "phone", "zipcode", "type", "price", "mls_id", "state", "received_at"]
    assert {name: found[name] for name in names} == {name: expected[name] for name in names}
    assert found["street_address"].lower() == "3960 osage st"
    assert found["message"].lower().startswith("saw the sign")


@pytest.mark.parametrize(
    "tag",
    [
        *("email", "phone", "name", "street", "city", "regioncode", "postalcode", "country", "address", "contact"),
        *("comments", "customer", "vehicle", "stock", "price", "year", "model", "id", "requestdate", "provider"),
        *("vendor", "service"),
    ],
)
def test_an_element_without_an_end_tag_ends_where_the_next_one_begins(tag: str) -> None:
    assert expected_json(adf(GOOD.replace(f"</{tag}>", ""))) == sample("adf").expected


def test_no_element_needs_an_end_tag() -> None:
    text = GOOD
    for tag in (
        "email",
        "phone",
        "name",
        "street",
        "city",
        "regioncode",
        "postalcode",
        "country",
        "address",
        "contact",
    ):
        text = text.replace(f"</{tag}>", "")
    for tag in ("comments", "customer", "vehicle", "stock", "price", "year", "make", "model", "id", "requestdate"):
        text = text.replace(f"</{tag}>", "")
    for tag in ("provider", "vendor", "service", "url", "prospect", "adf"):
        text = text.replace(f"</{tag}>", "")
    assert "</" not in text
    assert expected_json(adf(text)) == sample("adf").expected


@pytest.mark.parametrize(
    ("comments", "message"),
    [
        ("R&amp;B &lt;3 &#233;&#xE9; &eacute;", "R&B <3 éé é"),
        ("R&B < 500k & more <b", "R&B < 500k & more <b"),
        ("AT&T &copy now", "AT&T &copy now"),
        ("<![CDATA[a <b> & &amp; c]]>", "a <b> & &amp; c"),
        ("a<![CDATA[ & ]]>b", "a & b"),
        ("<![CDATA[never ends", "never ends"),
        ("one<br/>two<br>three", "one\ntwo\nthree"),
        ("<p>Hello <b>there</b></p>", "Hello there"),
        ("price <500k or city <Denver>", "price <500k or city <Denver>"),
        ("x <!-- hidden --> y", "x  y"),
        ("line one\r\n\r\n line two ", "line one\n\n line two"),
        ("n/a", "n/a"),
    ],
)
def test_comments_keep_what_people_wrote(comments: str, message: str) -> None:
    found = prospect(f"<customer><contact>{EMAIL}</contact><comments>{comments}</comments></customer>")
    assert found.message == message


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (b"<?xml version='1.0' encoding='windows-1252'?>", {}),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>", {}),
        (b"", {}),
        (b"", {"Content-Type": "text/xml; charset=windows-1252"}),
    ],
)
def test_charsets_are_read_as_declared_or_guessed(raw: bytes, headers: dict[str, str]) -> None:
    text = f'<adf><prospect><customer><contact>{EMAIL}<name part="full">Zoë Ångström</name>'.encode("cp1252")
    assert only(adf(raw + text, **headers)).first_name == "Zoë"
    utf_8 = text.decode("cp1252").encode()
    assert only(adf(utf_8)).first_name == "Zoë"
    assert only(adf(b"\xff\xfe" + utf_8.decode().encode("utf-16-le"))).first_name == "Zoë"


# ----------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "declaration",
    ["<!DOCTYPE adf>", "<!doctype adf [<!ENTITY x 'y'>]>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "<!DocType x>"],
)
def test_a_dtd_is_forbidden_wherever_it_is(declaration: str) -> None:
    assert why(adf(declaration + GOOD)) == "dtd_forbidden"
    assert why(adf(GOOD + declaration)) == "dtd_forbidden"


def test_entities_are_not_resolved() -> None:
    assert contact("<name>&xxe;</name>").first_name == "&xxe;"


@pytest.mark.parametrize("text", ["", "hello", "<adf></adf>", "<xml/>", "<customer><contact><email>a@b.co</email>"])
def test_xml_without_a_prospect_is_malformed(text: str) -> None:
    assert why(adf(text)) == "malformed"


def test_too_many_elements_are_refused() -> None:
    assert why(adf("<adf>" + "<prospect>" * 10_001)) == "too_large"
    assert why(adf("<adf><prospect>" + "<id>" * 60_000)) == "too_large"


def test_the_requestdate_may_be_missing_or_unreadable() -> None:
    assert contact("").received_at is None
    assert contact("", around="<requestdate>11/20/2026</requestdate>").received_at is None
    found: Any = contact("", around="<requestdate>2026-11-13T16:05:00-07:00</requestdate>").as_json()
    assert found["received_at"] == "2026-11-13T23:05:00Z"
