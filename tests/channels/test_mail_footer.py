"""Every mail of a campaign ends with a way out that is seen and with the owner's postal address, in both parts."""

import re

import pytest

from leadroutes.domain.template import MessageContent, TemplateInput
from leadroutes.sandbox.tasks.templates import compose

LINK = "https://leads.example/unsubscribe/WzEsMl0.x-Y_z"
ADDRESS = "12 Elm St\nDenver & Co, CO 80202"


def words(body: str, *, link: str = LINK, address: str = ADDRESS, is_email: bool = True) -> MessageContent:
    ends = {"unsubscribe_link": link, "postal_address": address}
    letter = TemplateInput(
        subject="Hello", body=body, name="", is_email=is_email, variables=dict(ends), owner_name="Alice Town", **ends
    )
    composed = compose(letter)
    assert composed.words is not None, composed.fault
    return composed.words


@pytest.mark.parametrize(
    "body",
    [
        "Hi Mia.",
        "",
        "<p>Hi Mia.</p>",
        "<!doctype html><html><body><p>Hi Mia.</p></BODY></html>",
        "<p>Hi <!-- {{ unsubscribe_link }} {{ postal_address }} --></p>",
        "{% if nothing %}{{ unsubscribe_link }}{{ postal_address }}{% endif %}Hi",
        '{% assign unsubscribe_link = "https://elsewhere.example" %}{{ unsubscribe_link }}',
        "<b>Hi</b>\n\nMia",
    ],
)
def test_they_are_put_where_the_template_has_neither(body: str) -> None:
    made = words(body)
    assert made.text_body.endswith(
        f"--\nAlice Town\n12 Elm St\nDenver & Co, CO 80202\nNo more of these e-mails: {LINK}\n"
    )
    html = made.html_body or ""
    assert f'<a href="{LINK}">No more of these e-mails</a></p>' in html
    assert "Alice Town<br>\n12 Elm St<br>\nDenver &amp; Co, CO 80202<br>\n" in html
    assert "unsubscribe" not in html.lower().partition("</body>")[2], "it is seen, so it is within the body"


@pytest.mark.parametrize(
    "body",
    [
        "Hi Mia. {{ postal_address }} No more: {{ unsubscribe_link }}",
        '<p>Hi Mia.</p><p>{{ postal_address }}, <a href="{{ unsubscribe_link }}">no more</a></p>',
        '<p>{{ postal_address | newline_to_br }}<a href="{{ unsubscribe_link }}">no more</a></p>',
    ],
)
def test_a_template_that_has_both_is_sent_as_it_is(body: str) -> None:
    made = words(body)
    assert made.text_body.count(LINK) == 1
    assert made.text_body.count("12 Elm St") == 1
    assert "No more of these e-mails" not in made.text_body + (made.html_body or "")
    assert f'href="{LINK}"' in (made.html_body or ""), "also in the HTML of a text, where it can be followed"


def test_what_the_template_has_is_not_put_a_second_time() -> None:
    with_link = words("Hi. No more: {{ unsubscribe_link }}")
    assert with_link.text_body.endswith("--\nAlice Town\n12 Elm St\nDenver & Co, CO 80202\n")
    assert with_link.text_body.count(LINK) == 1
    with_address = words("Hi. We live at {{ postal_address }}.")
    assert with_address.text_body.endswith(f"--\nNo more of these e-mails: {LINK}\n")


def test_an_owner_without_a_postal_address_has_the_way_out_alone() -> None:
    made = words("Hi Mia.", address="")
    assert made.text_body == f"Hi Mia.\n\n--\nNo more of these e-mails: {LINK}\n"


def test_a_text_message_gets_no_end_but_may_name_them() -> None:
    assert words("Hi Mia.", is_email=False) == MessageContent(subject=None, text_body="Hi Mia.")
    assert words("Stop: {{ unsubscribe_link }}", is_email=False).text_body == f"Stop: {LINK}"


def test_the_end_is_markup_of_its_own_whatever_the_owner_is_called() -> None:
    made = words("Hi.", address="<script>alert(1)</script>\n{{ contact.email }}")
    assert not re.search(r"<script", made.html_body or "")
    assert "{{ contact.email }}" in made.text_body, "it is not a template"
