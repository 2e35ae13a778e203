"""Which fields of forms say that a person agrees, in which words, and for which channels."""

import pytest

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.consents import GivenConsent, disclaimers, given_consents
from leadroutes.intake.reading import read

WORDS = "By checking this box, I agree to receive text messages from Alice Realty."
CALLS = "I agree that you call or email me about homes"


def given(field: str, words: str, *channels: str, ip: str | None = None) -> GivenConsent:
    return GivenConsent(field=field, words=words, channels=channels, ip=ip)


FORMS = [
    ([("email", "mia@example.com"), ("message", "I agree to the price")], ()),
    ([("sms_consent", "on")], (given("sms_consent", "sms_consent: on", "text"),)),
    ([("sms_consent", WORDS)], (given("sms_consent", WORDS, "text"),)),
    ([("form[SMS-Consent]", "1"), ("form[SMS-Consent-Text]", WORDS)], (given("form[SMS-Consent]", WORDS, "text"),)),
    ([("smsConsent", "true"), ("ip_address", "203.0.113.7")],
     (given("smsConsent", "smsConsent: true", "text", ip="203.0.113.7"),)),
    ([("consent", "yes"), ("ip", "not an address")], (given("consent", "consent: yes"),)),
    ([("tcpa_text", CALLS)], (given("tcpa_text", CALLS, "email", "call"),)),
    ([("consent", "yes"), ("consent_text", CALLS)], (given("consent", CALLS, "email", "call"),)),
    ([("consent", "no"), ("consent_text", CALLS)], ()),
    ([("consent", ""), ("optin", "off"), ("agree", "False"), ("permission", "0")], ()),
    ([("opt_out_consent", "yes"), ("no_consent", "on"), ("unsubscribe_consent", "1")], ()),
    ([("May we text you?", "Yes")], (given("May we text you?", "May we text you?: Yes", "text"),)),
    ([("email_opt_in", "y"), ("sms_opt_in", "n")], (given("email_opt_in", "email_opt_in: y", "email"),)),
    ([(f"consent {number}", "yes") for number in range(30)],
     tuple(given(f"consent {number}", f"consent {number}: yes") for number in range(10))),
    ([("consent", "word " * 3000)], (given("consent", ("word " * 3000)[:1999]),)),
    ([("sms_\0consent", "I agree\0 to\x1b texts\r\nand\u0085 more")],
     (given("sms_ consent", "I agree to texts\nand more", "text"),)),
]  # fmt: skip


@pytest.mark.parametrize(("form", "expected"), FORMS)
def test_what_a_form_says_of_consent(form: list[tuple[str, str]], expected: tuple[GivenConsent, ...]) -> None:
    assert given_consents(form) == expected


@pytest.mark.parametrize(
    "answer",
    ["No thanks", "no, thank you", "No, please do not text me", "No - call me only", "I do not agree to this",
     "I don\u2019t consent to texts", "Please don't ever call me", "I decline", "Not checked", "Opted out", "never",
     "N/A"],
)  # fmt: skip
def test_who_refuses_in_words_has_not_agreed(answer: str) -> None:
    assert given_consents([("sms_consent", answer), ("sms_consent_text", WORDS)]) == ()
    assert given_consents([("May we text you?", answer)]) == ()


@pytest.mark.parametrize(
    "words",
    ["I agree to texts. Reply STOP to opt out.", "No purchase necessary: I agree to texts", "Notify me by text",
     "Consent to texts is not a condition of purchase", "We do not sell your data. I agree to texts",
     "Unsubscribe at any time; I agree to texts", "Don't worry, texts are rare: I agree"],
)  # fmt: skip
def test_words_of_a_form_that_only_sound_like_a_refusal_are_a_consent(words: str) -> None:
    assert given_consents([("sms_consent", words)]) == (given("sms_consent", words, "text"),)


def test_boxes_of_which_only_the_key_is_known_count_where_they_are_ticked() -> None:
    assert [each.field for each in disclaimers([("sms_ok", True), ("other", False), ("", True)])] == ["consent sms_ok"]


def inquiry(body: bytes, content_type: str) -> Inquiry:
    [found] = read(body, {"Content-Type": content_type}).inquiries
    return found


def test_an_inquiry_has_a_consent_for_each_channel_that_the_words_name() -> None:
    found = inquiry(b"email=mia@example.com&phone=303-555-0199&sms_consent=on", "application/x-www-form-urlencoded")
    assert [(each.channel, each.words, each.how) for each in found.consents] == [
        ("text", "sms_consent: on", "the field sms_consent of the inquiry")
    ]


@pytest.mark.parametrize(
    ("person", "channels"),
    [(b"email=mia@example.com", ["email"]), (b"phone=303-555-0199", ["text", "call"]),
     (b"email=mia@example.com&phone=303-555-0199", ["email", "text", "call"])],
)  # fmt: skip
def test_words_that_name_no_channel_count_for_the_addresses_that_came_with_them(
    person: bytes, channels: list[str]
) -> None:
    found = inquiry(person + b"&consent=yes", "application/x-www-form-urlencoded")
    assert [each.channel for each in found.consents] == channels


def test_flat_json_and_lead_forms_carry_consents_too() -> None:
    flat = inquiry(b'{"email": "mia@example.com", "email_consent": true}', "application/json")
    assert [each.channel for each in flat.consents] == ["email"]
    google = inquiry(
        b'{"lead_id": "1", "google_key": "k", "user_column_data": [{"column_id": "PHONE_NUMBER", "string_value":'
        b' "+13035550199"}, {"column_name": "May we text you?", "string_value": "Yes"}]}',
        "application/json",
    )
    assert [(each.channel, each.words) for each in google.consents] == [("text", "May we text you?: Yes")]
    assert google.as_json()["consents"][0]["channel"] == "text"
