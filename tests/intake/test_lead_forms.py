"""Lead forms of Facebook and Google: standard fields, questions, test leads, ids that wait for an answer."""

from typing import Any

import pytest

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake import facebook
from leadroutes.intake.results import Reading, expected_json
from tests.support.samples import only, read_json, why


def change(leadgen_id: Any = "1", **value: Any) -> dict[str, Any]:
    return {"field": "leadgen", "value": {"leadgen_id": leadgen_id} | value}


def webhook(*changes: dict[str, Any], graph: dict[str, Any] | None = None) -> Reading:
    entries = [{"id": "p", "changes": [each]} for each in changes]
    return read_json("facebook", {"object": "page", "entry": entries}, graph=graph)


def reply(*fields: tuple[str, Any], **others: Any) -> dict[str, Any]:
    data = [{"name": name, "values": values if isinstance(values, list) else [values]} for name, values in fields]
    return {"id": "1", "field_data": data} | others


def form(*fields: tuple[str, Any], **others: Any) -> Inquiry:
    whole = (*fields, ("email", "ann@example.com"))
    return only(webhook(change(), graph={"1": reply(*whole, **others)}))


def google(*columns: tuple[str, str, str], **others: Any) -> Inquiry:
    """Columns are id, name, value."""
    data = [{"column_id": id_, "column_name": name, "string_value": value} for id_, name, value in columns]
    email = {"column_id": "EMAIL", "string_value": "ann@example.com"}
    return only(read_json("google", {"user_column_data": [*data, email]} | others))


# ----------------------------------------------------------------------------------------------- ids and answers


def test_only_changes_of_leadgen_count_and_each_id_once() -> None:
    graph = {str(number): reply(("email", f"a{number}@example.com")) for number in (1, 2)}
    other = {"field": "feed", "value": {"leadgen_id": "3"}}
    reading = webhook(change("1"), other, change("2"), change(1), graph=graph)
    assert [lead.email for lead in reading.inquiries] == ["a1@example.com", "a2@example.com"]
    assert [lead["vendor_id"] for lead in expected_json(reading)["leads"]] == ["1", "2"]


@pytest.mark.parametrize("body", [{}, {"entry": []}, {"entry": {}}, {"entry": [{"changes": [{"field": "feed"}]}]}])
def test_a_webhook_without_a_lead_is_none(body: dict[str, Any]) -> None:
    assert why(read_json("facebook", body)) == "not_a_lead"
    assert why(read_json("facebook", [])) == "malformed"


def test_an_id_waits_for_its_answer() -> None:
    error = {"error": {"message": "Unsupported get request", "code": 100}}
    graph = {"2": error, "3": reply(("email", "c@example.com")), "4": {"id": "4"}, "5": None}
    reading = webhook(*(change(str(number)) for number in range(1, 6)), graph=graph)
    found = expected_json(reading)
    assert [lead["email"] for lead in found["leads"]] == ["c@example.com"]
    assert found["pending"] == [
        {"vendor_id": "1", "why": "not_fetched"},
        {"vendor_id": "2", "why": "graph_error"},
        {"vendor_id": "4", "why": "graph_error"},
        {"vendor_id": "5", "why": "graph_error"},
    ]
    assert expected_json(webhook(change(), graph={"1": error})) == {
        "leads": [],
        "pending": [{"vendor_id": "1", "why": "graph_error"}],
    }


def test_a_lead_without_contact_is_refused_among_others() -> None:
    reading = webhook(
        change("1"), change("2"), graph={"1": reply(("city", "x")), "2": reply(("email", "b@example.com"))}
    )
    leads = expected_json(reading)["leads"]
    assert leads[0] == {"rejected": True, "why": "no_contact"}
    assert leads[1]["email"] == "b@example.com"


def test_the_time_is_the_answers_else_the_webhooks() -> None:
    created = "2026-11-16T19:52:30+0000"
    assert form(created_time=created).as_json()["received_at"] == "2026-11-16T19:52:30Z"
    for time in (1794858750, "1794858750", 1794858750123):
        found = only(webhook(change(created_time=time), graph={"1": reply(("email", "a@example.com"))}))
        assert found.as_json()["received_at"] == "2026-11-16T19:52:30Z"


def test_a_subscription_is_answered_only_with_the_token() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "t", "hub.challenge": "42"}
    assert facebook.challenge(query, "t") == "42"
    assert facebook.challenge(query, "other") is None
    assert facebook.challenge(query | {"hub.mode": "x"}, "t") is None
    assert facebook.challenge({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "42"}, "") is None
    assert facebook.challenge({}, None) is None


# ---------------------------------------------------------------------------------------------- standard fields


def test_standard_fields_are_known_in_any_case() -> None:
    found = form(
        ("FIRST_NAME", "Ann"),
        ("Last_Name", "Lee"),
        ("Phone", "303-555-0142"),
        ("street_address", "1 A St"),
        ("CITY", "Denver"),
        ("province", "Colorado"),
        ("post_code", "80212"),
        ("country", "US"),
    )
    assert (found.first_name, found.last_name, found.phone) == ("Ann", "Lee", "+13035550142")
    assert (found.street_address, found.city, found.state, found.zipcode) == ("1 A St", "Denver", "CO", "80212")
    assert found.message is None


def test_the_first_non_blank_value_counts_and_work_only_where_nothing_else_is() -> None:
    found = form(
        ("work_email", "w@example.com"), ("work_phone_number", "303-555-0100"), ("phone_number", ["", "3035550142"])
    )
    assert (found.email, found.phone) == ("ann@example.com", "+13035550142")
    found = only(webhook(change(), graph={"1": reply(("email", " "), ("work_email", "w@example.com"))}))
    assert found.email == "w@example.com"


def test_other_answers_are_lines_of_the_message_in_order() -> None:
    found = form(
        ("when?", "soon"),
        ("city", "Denver"),
        ("areas", ["North", " ", "South"]),
        ("nothing", []),
        ("blank", " "),
        ("Your Message", "Hello\nthere"),
        ("comments", "n/a"),
    )
    assert found.message == "when?: soon\nareas: North, South\nHello\nthere\nn/a"


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("are_you_looking_to_buy_or_sell?", "sell_my_home", "Seller"),
        ("I want to rent", "yes, rent", "Renter"),
        ("role", "tenant", "Renter"),
        ("interested in", "buying_and_selling", None),
        ("What is your plan", "buy", None),
        ("bestseller", "buy", None),
        ("looking", "Buying", "Buyer"),
    ],
)
def test_questions_tell_the_kind(question: str, answer: str, kind: str | None) -> None:
    assert form((question, answer)).type == kind


def test_the_first_answer_that_names_one_kind_counts() -> None:
    assert (
        form(("type of home", "condo"), ("type", "both buy and sell"), ("role", "seller"), ("buy?", "buyer")).type
        == "Seller"
    )
    assert form(("message", "I want to buy")).type is None


@pytest.mark.parametrize(
    ("question", "answer", "price"),
    [
        ("what_is_your_budget?", "$600k_-_$750k", 750_000),
        ("Price range", "1m_to_2m", 2_000_000),
        ("Budget", "open", None),
        ("How many rooms?", "3", None),
    ],
)
def test_questions_tell_the_price(question: str, answer: str, price: int | None) -> None:
    assert form((question, answer)).price == price


def test_test_values_are_absent_and_make_a_test_lead() -> None:
    found = form(("full_name", "<test lead: dummy data for full_name>"), ("budget", "<TEST LEAD: x>"))
    assert found.is_test
    assert (found.first_name, found.message) == (None, None)
    assert not form(("full_name", "Ann Lee")).is_test


# -------------------------------------------------------------------------------------------------------- Google


def test_googles_columns_are_known_by_id_or_else_by_name() -> None:
    found = google(
        ("FIRST_NAME", "x", "Ann"),
        ("", "Last Name", "Lee"),
        ("", "User Phone", "303-555-0142"),
        ("REGION", "", "Colorado"),
        ("POSTAL_CODE", "", "80212"),
        ("COMPANY_NAME", "", "Acme"),
        ("JOB_TITLE", "", "Boss"),
        ("WORK_EMAIL", "", "w@example.com"),
    )
    assert (found.first_name, found.last_name, found.phone) == ("Ann", "Lee", "+13035550142")
    assert (found.state, found.zipcode, found.message, found.source) == ("CO", "80212", None, "Google")
    assert found.email == "ann@example.com"


def test_googles_questions_are_lines_by_name_else_by_id() -> None:
    found = google(
        ("q1", "Buy or sell?", "Sell my home"),
        ("what_price?", "", "700k"),
        ("q3", "Questions", "Call me"),
        ("email_2", "Email", "x"),
    )
    assert found.message == "Buy or sell?: Sell my home\nwhat_price?: 700k\nCall me\nEmail: x"
    assert (found.type, found.price) == ("Seller", 700_000)


def test_googles_test_leads_are_known() -> None:
    assert google(is_test=True).is_test
    assert google(is_test="true").is_test
    assert not google(is_test=False).is_test
    found = google(lead_id=12345678901234567890, lead_submit_time="2026-11-19T02:14:08.5Z", form_id=7)
    assert (found.vendor_id, found.as_json()["received_at"]) == ("12345678901234567890", "2026-11-19T02:14:08Z")


def test_googles_body_must_be_an_object() -> None:
    assert why(read_json("google", [])) == "malformed"
    assert why(read_json("google", {"user_column_data": {}})) == "no_contact"
