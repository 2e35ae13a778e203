"""The names that templates may use are those that messages have; the others are found."""

from leadroutes.channels.words import campaign_template_input, campaign_variables
from leadroutes.domain.message import MessageContact, MessageStatus, OutgoingMessage
from leadroutes.domain.template_names import ENDS, NAMES, PLAIN_NAMES, unknown_names
from leadroutes.sandbox.tasks.templates import compose, names_used

MESSAGE = OutgoingMessage(
    owner_id=1, id=1, kind="campaign", channel="email", attempts=1, was_sending=False, status=MessageStatus(),
    contact=MessageContact(id=1),
)  # fmt: skip


def test_every_name_that_is_known_is_filled_in_and_no_other() -> None:
    variables = campaign_variables(MESSAGE)
    records = {name: tuple(value) for name, value in variables.items() if isinstance(value, dict)}
    assert {name: set(fields) for name, fields in records.items()} == {name: set(NAMES[name]) for name in NAMES}
    assert set(variables) - set(records) == set(PLAIN_NAMES)
    given = set(campaign_template_input(MESSAGE, "https://leads.example/u").variables) | {"signature"}
    assert given - set(variables) == set(ENDS)


def test_unknown_names_of_a_template_are_found() -> None:
    texts = (
        "Hi {{ contact.first_name }} {{ contact.nmae }}, {{ first_name | default: agent.name }} {{ signature }}",
        "{% assign street = property.street %}{{ street }}{% for each in leads %}{{ each.id }}{% endfor %}",
        "{% if owner.postal_address %}{{ 'now' | date: '%Y' }}{% endif %}{{ campaign.name }}{{ lead['city'] }}",
    )
    assert unknown_names(names_used(texts)) == ["contact.nmae", "lead.city", "leads", "property.street"]
    assert names_used(("{{ broken", "{{ contact.email }}")) == ["contact.email"]


def test_a_signature_is_placed_or_appended_in_both_forms() -> None:
    asked = campaign_template_input(MESSAGE, "https://leads.example/u")
    text, markup = "Ann & Co\n+1 303", "<b>Ann</b> &amp; Co"

    def made(body: str, **more: str) -> tuple[str, str]:
        fields = {"body": body, "signature_text": text, "signature_html": markup, "subject": "s"} | more
        found = compose(type(asked)(**{name: getattr(asked, name) for name in asked.__struct_fields__} | fields))
        assert found.words is not None, found.fault
        return found.words.text_body, found.words.html_body or ""

    plain, rich = made("Hello")
    assert plain.startswith("Hello\n\nAnn & Co\n+1 303\n")
    assert rich.count(markup) == 1
    assert rich.index("Hello") < rich.index(markup) < rich.index("No more of these")
    placed, rich = made("Hello\n\n{{ signature }}\n\nPS: hi")
    assert placed.startswith("Hello\n\nAnn & Co\n+1 303\n\nPS: hi")
    assert (rich.count(markup), rich.index(markup) < rich.index("PS")) == (1, True)
    plain, rich = made("<p>Hello</p><p>{{ signature }}</p><p>PS</p>")
    assert plain.startswith("Hello\nAnn & Co\n+1 303\nPS")
    assert "<p><b>Ann</b> &amp; Co</p>" in rich
    plain, rich = made("Hello", signature_html="")
    assert "Ann &amp; Co<br>\n+1 303" in rich
    plain, rich = made("Hello", signature_text="")
    assert plain.startswith("Hello\n\nAnn & Co\n")
    plain, rich = made("Hi {{ signature }},", signature_text="", signature_html="")
    assert plain.startswith("Hi,")
    assert "\ue000" not in rich
    plain, _ = made("{{ signature }}", signature_text="{{ contact.email }} {% raw %}")
    assert plain.startswith("{{ contact.email }} {% raw %}"), "a signature is not a template"
