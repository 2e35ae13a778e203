"""Templates that cannot be filled in are refused where they are written, not when a contact waits for them."""

import pytest

from tests.support.api import ask
from tests.support.event_loop import LONGEST, monitored_loop


@pytest.fixture
async def email(town):
    folder = await ask(town, "alice", "POST", "/template-folders", json={"name": "Buyers"})
    return {
        "template_folder_id": folder.json["id"],
        "template_type": "Email",
        "subject": "Hello {{first_name}}",
        "body": "Hi",
    }


@pytest.mark.parametrize("name", ["subject", "body"])
async def test_a_template_that_does_not_parse_is_refused_with_the_field(town, email, name):
    reply = await ask(town, "alice", "POST", "/templates", json=email | {name: "Hi {{ first_name"})

    assert reply.status == 400
    assert "expected '}}'" in reply.json["errors"][name]
    created = await ask(town, "alice", "POST", "/templates", json=email)
    changed = await ask(town, "alice", "PATCH", f"/templates/{created.json['id']}", json={name: "{% include 'x' %}"})
    assert (created.status, changed.status) == (201, 400)
    assert "unexpected tag 'include'" in changed.json["errors"][name]


async def test_a_letter_that_someone_else_fills_in_is_stored_as_it_is(town, email):
    letter = email | {"template_type": "Direct Mail Letter", "body": "Dear {{ first_name"}
    reply = await ask(town, "alice", "POST", "/templates", json=letter)

    assert (reply.status, reply.json["body"]) == (201, "Dear {{ first_name")
    retyped = await ask(town, "alice", "PATCH", f"/templates/{reply.json['id']}", json={"template_type": "Email"})
    assert (retyped.status, list(retyped.json["errors"])) == (400, ["body"])


async def test_no_one_waits_while_a_template_is_looked_at(town, email):
    """Parsed on the event loop, it would hold it for a second."""
    body = "{% if a %}{{ b | upcase | downcase }}{% endif %}" * 4_000
    with monitored_loop() as monitor:
        reply = await ask(town, "alice", "POST", "/templates", json=email | {"body": body})

    assert reply.status == 201, reply.body
    assert monitor.longest < LONGEST


async def test_a_range_that_is_too_long_is_refused_when_it_is_saved(town, email):
    body = "{% for a in (1..1000000000) reversed %}x{% endfor %}"
    reply = await ask(town, "alice", "POST", "/templates", json=email | {"body": body})

    assert reply.status == 400
    assert "a range is longer than 10000" in reply.json["errors"]["body"]
