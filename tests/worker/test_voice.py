"""A step goes out in the voice of whoever has the contact, on its conditions, and its results are counted."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.domain.variants import arm_of
from leadroutes.engine.campaign_preview import preview_campaign
from leadroutes.operations.doctor import all_checks, examine
from leadroutes.store.counters import fold_changes, recount_owner
from leadroutes.store.step_results import load_step_results
from leadroutes.store.suppressions import unsubscribe
from tests.support.mailbox import text_of
from tests.support.post import Post

PROOFS = [each for each in all_checks() if each.sentence.startswith("Every result of a campaign")]


async def campaign_of(post: Post, *steps: dict[str, Any]) -> int:
    campaign_id = await post.brokerage.town.campaign("alice", "Voices")
    for step in steps:
        await post.brokerage.town.action("alice", campaign_id, **step)
    return campaign_id


async def contact(post: Post, campaign_id: int, name: str, **columns: Any) -> int:
    contact_id = await post.brokerage.town.contact(
        "alice", first_name=name, email=f"{name.lower()}@mailhost.example", **columns
    )
    owner_id = post.brokerage.owner_id
    await post.brokerage.engine.start_campaign(owner_id, campaign_id, contact_id, owner_id)
    return contact_id


async def sign(post: Post, name: str, **bodies: str) -> None:
    town = post.brokerage.town
    moments = {"created_at": town.now, "modified_at": town.now}
    await town.insert("signatures", owner_id=town.users[name], name="s", is_default=True, **bodies, **moments)


async def counted(post: Post, campaign_id: int) -> dict[tuple[int, int], dict[str, int]]:
    return dict(await load_step_results(post.database, post.brokerage.owner_id, campaign_id))


async def prove(post: Post) -> None:
    outcome = await examine(post.database, PROOFS)
    assert outcome.checks == 1
    assert outcome.violation is None, str(outcome)


async def test_who_has_the_contact_when_a_step_leaves_signs_it_and_gets_the_answer(post: Post) -> None:
    town = post.brokerage.town
    body = "Hi {{ contact.first_name }},\n{{ agent.name }} of {{ owner.name }}, {{ campaign.name }}"
    template_id = await town.template("alice", body=body)
    steps = [{"template_id": template_id, "delay_by_seconds": delay} for delay in (0, 60)]
    steps.append({"template_id": template_id, "delay_by_seconds": 60, "assigned_user_id": town.users["carol"]})
    campaign_id = await campaign_of(post, *steps)
    await sign(post, "alice", text_body="Alice, broker")
    await sign(post, "bob", text_body="Bob\n+1 303", html_body="<b>Bob</b>")
    contact_id = await contact(post, campaign_id, "Eve")
    await post.deliver()
    await post.database.execute(
        "UPDATE contacts SET assigned_user_id = $1 WHERE id = $2", town.users["bob"], contact_id
    )
    await post.later()

    first, second, third = sorted(post.relay.mails, key=lambda mail: (str(mail["From"]), text_of(mail)))
    assert text_of(first).startswith("Hi Eve,\nAlice Town of Alice Town, Voices\n\nAlice, broker\n\n--\n")
    assert text_of(second).startswith("Hi Eve,\nBob Town of Alice Town, Voices\n\nBob\n+1 303\n\n--\n")
    rich = second.get_body(("html",))
    assert rich is not None
    assert "<b>Bob</b>" in rich.get_content()
    assert text_of(third).startswith("Hi Eve,\nCarol Town of Alice Town, Voices\n\n--\n"), "Carol has no signature"

    post.relay.mails[-1:] = [third]
    assert (await post.answer("Yes please")).startswith("250")
    await post.deliver()
    assert [post.relay.mails[-1][name] for name in ("To", "Reply-To")] == [
        "carol@example.com", "Eve Karr <eve@mailhost.example>"
    ] or post.relay.mails[-1]["To"] == "carol@example.com"  # fmt: skip
    assert str(post.relay.mails[-1]["From"]) == "Eve Lund via Lead Routes <leads@brokerage.example>"


async def test_a_closed_account_does_not_write_to_contacts(post: Post) -> None:
    town = post.brokerage.town
    step = {"template_id": await town.template("alice"), "assigned_user_id": town.users["carol"]}
    await contact(post, await campaign_of(post, step), "Eve", assigned_user_id=town.users["bob"])
    await post.database.execute("UPDATE users SET is_active = false WHERE username = 'carol'")
    await post.deliver()
    assert str(post.relay.mails[0]["From"]) == "Bob Town <leads@brokerage.example>"


async def test_a_step_whose_conditions_do_not_hold_is_skipped_and_the_next_goes_on(post: Post) -> None:
    template_id = await post.brokerage.town.template("alice")
    later = {"template_id": template_id, "delay_by_seconds": 60}
    asked = {"field": "contact_tags", "is": "equal", "value": "VIP"}
    both = {"all": [{"field": "steps_sent", "is": "equal", "value": 1}, {"field": "custom.kids", "is": "unknown"}]}
    campaign_id = await campaign_of(
        post,
        {"template_id": template_id, "conditions": json.dumps(asked)},
        {"template_id": template_id},
        later | {"conditions": json.dumps({"field": "replied", "is": "equal", "value": False})},
        later | {"conditions": json.dumps(both), "delay_by_seconds": 61},
        later | {"conditions": json.dumps({"field": "of a newer version", "is": "known"}), "delay_by_seconds": 62},
    )
    await contact(post, campaign_id, "Eve")
    await post.deliver()
    assert await post.messages() == [
        ("suppressed", "it was skipped, as it is sent only if: the contact has the tag VIP; it is not known"),
        ("sent", None),
    ]
    await post.database.execute(
        "INSERT INTO events (owner_id, user_id, contact_id, source, type, created_at, modified_at)"
        " SELECT owner_id, owner_id, id, 'text', 'text_received', $1, $1 FROM contacts", post.brokerage.town.now
    )  # fmt: skip
    await post.later()
    assert (await post.messages())[2:] == [
        ("suppressed", "it was skipped, as it is sent only if: the contact has not replied"),
        ("sent", None),
        ("suppressed", "it was skipped, as its conditions were written by a newer version"),
    ]
    rows = await post.rows("SELECT reason IS NOT NULL, is_active FROM contact_communications c JOIN messages m"
                           " ON m.communication_id = c.id ORDER BY c.id")  # fmt: skip
    assert [is_active for _, is_active in rows] == [False] * 5


async def test_contacts_are_divided_among_variants_and_what_comes_of_it_is_counted(post: Post) -> None:
    town = post.brokerage.town
    templates = [await town.template("alice", subject=f"Words {name}") for name in "AB"]
    variants = [{"template_id": template_id, "share": 1} for template_id in templates]
    campaign_id = await campaign_of(post, {"variants": json.dumps(variants)})
    action_id = await post.database.fetchval("SELECT max(id) FROM campaign_actions")
    contacts = [await contact(post, campaign_id, f"Eve{number}") for number in range(8)]
    await post.deliver()

    arms = [arm_of(campaign_id, contact_id, [1, 1]) for contact_id in contacts]
    subjects = {str(mail["To"]): str(mail["Subject"]) for mail in post.relay.mails}
    assert subjects == {f"eve{n}@mailhost.example": f"Words {'AB'[arm]}" for n, arm in enumerate(arms)}
    sent = [arms.count(arm) for arm in (0, 1)]
    assert min(sent) > 0
    assert await counted(post, campaign_id) == {
        (action_id, templates[arm]): {"sent": sent[arm], "delivered": sent[arm]} for arm in (0, 1)
    }
    await prove(post)

    assert (await post.answer("Tell me more")).startswith("250")
    assert (await post.answer("And more")).startswith("250"), "a message is answered once"
    last = next(n for n in range(8) if f"eve{n}@mailhost.example" == post.relay.mails[-1]["To"])
    post.relay.mails.pop(), post.relay.return_paths.pop()
    other = next(n for n in range(8) if f"eve{n}@mailhost.example" == post.relay.mails[-1]["To"])
    assert (await post.report("postfix")).startswith("250")
    message = await post.rows(
        "SELECT id FROM messages WHERE contact_id = $1 AND kind = 'campaign'", contacts[(last + 1) % 8]
    )
    link = UnsubscribeLink(post.brokerage.owner_id, contacts[(last + 1) % 8], message[0][0], None)
    await unsubscribe(post.database, link)
    await prove(post)
    found = await counted(post, campaign_id)
    assert found[action_id, templates[arms[last]]]["replied"] == 1
    assert found[action_id, templates[arms[other]]]["bounced"] == 1
    assert found[action_id, templates[arms[(last + 1) % 8]]]["opted_out"] == 1
    assert sum(each["sent"] for each in found.values()) == 8

    assert await fold_changes(post.database) > 0
    assert await post.rows("SELECT * FROM step_result_changes") == []
    assert await counted(post, campaign_id) == found
    await prove(post)
    await post.database.execute("UPDATE step_results SET number = number + 1")
    await recount_owner(post.database, post.brokerage.owner_id)
    assert await counted(post, campaign_id) == found
    await post.database.execute("DELETE FROM contacts WHERE id = $1", contacts[last])
    assert sum(each["sent"] for each in (await counted(post, campaign_id)).values()) == 7
    await prove(post)


async def test_an_answer_counts_for_fourteen_days(post: Post) -> None:
    campaign_id = await campaign_of(post, {"template_id": await post.brokerage.town.template("alice")})
    for span, replied in ((timedelta(days=14, seconds=-60), 1), (timedelta(days=14, seconds=60), 1)):
        await contact(post, campaign_id, f"Eve{span.days}{span.seconds}")
        await post.deliver()
        await post.database.move_clock(span)
        assert (await post.answer("Hello?")).startswith("250")
        [numbers] = (await counted(post, campaign_id)).values()
        assert numbers["replied"] == replied
    await prove(post)


async def test_what_a_preview_says_is_sent(post: Post) -> None:
    town, public_url = post.brokerage.town, post.settings.public_url
    templates = [await town.template("alice", subject=f"Words {name}", body="Hi, {{ owner.name }}") for name in "AB"]
    variants = json.dumps([{"template_id": template_id, "share": 1} for template_id in templates])
    asked = json.dumps({"field": "steps_sent", "is": "equal", "value": 1})
    campaign_id = await campaign_of(
        post, {"variants": variants}, {"variants": variants, "conditions": asked, "delay_by_seconds": 60}
    )
    await sign(post, "alice", text_body="Alice, broker")
    await sign(post, "bob", text_body="Bob, agent")

    async def said(contact_id: int, warnings: list[int]) -> list[tuple[str, str]]:
        owner_id, rules = post.brokerage.owner_id, post.brokerage.engine.sending_rules
        shown = await preview_campaign(post.database, rules, public_url, owner_id, campaign_id, contact_id)
        assert [len(each["warnings"]) for each in shown] == warnings
        return [(each["subject"], without_link(each["text_body"])) for each in shown]

    expected, contacts = {}, {}
    for number, name in enumerate(("alice", "bob", "bob", "alice")):
        columns = {"first_name": f"Eve{number}", "email": f"eve{number}@mailhost.example"}
        contact_id = await town.contact("alice", assigned_user_id=town.users[name], **columns)
        before = await said(contact_id, [0, 1])
        await post.brokerage.engine.start_campaign(post.brokerage.owner_id, campaign_id, contact_id, town.users[name])
        assert await said(contact_id, [0, 1]) == before, "the condition of the second does not hold yet"
        expected[columns["email"]], contacts[columns["email"]] = before, contact_id
    await post.deliver()
    for email, contact_id in contacts.items():
        assert await said(contact_id, [0, 0]) == expected[email]
    await post.later()

    sent: dict[str, list[tuple[str, str]]] = {}
    for mail in post.relay.mails:
        sent.setdefault(str(mail["To"]), []).append((str(mail["Subject"]), without_link(text_of(mail))))
    assert sent == expected
    assert {words.split("\n")[2] for [(_, words), _] in sent.values()} == {"Alice, broker", "Bob, agent"}


async def test_a_preview_asks_the_database_as_often_for_forty_steps_as_for_one(post: Post) -> None:
    """And fills each step in with the words of its own template, from its own sender."""
    town, owner_id, rules = post.brokerage.town, post.brokerage.owner_id, post.brokerage.engine.sending_rules
    names = ("alice", "bob", "carol")
    contact_id = await town.contact("alice", first_name="Eve", email="eve@mailhost.example")

    async def asked(steps: int) -> int:
        campaign_id, expected = await town.campaign("alice", f"{steps} steps"), []
        for number in range(steps):
            name = names[number % 3]
            template_id = await town.template("alice", subject=f"News {number}", body="{{ agent.email }}")
            await town.action(
                "alice", campaign_id, template_id=template_id, delay_by_seconds=60 * number,
                assigned_user_id=town.users[name],
            )  # fmt: skip
            expected.append((f"News {number}", f"{name}@example.com", town.users[name]))
        async with counting(post) as queries:
            shown = await preview_campaign(
                post.database, rules, post.settings.public_url, owner_id, campaign_id, contact_id
            )
        found = [(each["subject"], each["text_body"].split("\n")[0], each["sender_user_id"]) for each in shown]
        assert found == expected
        return len(queries)

    await asked(2)  # the driver learns the types of what is answered
    assert await asked(1) == await asked(40)


@asynccontextmanager
async def counting(post: Post) -> AsyncIterator[list[str]]:
    """What the database is asked, on whichever connection."""
    pool, found = post.database.pool, list[str]()

    def note(record: Any) -> None:
        found.append(record.query)

    held = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in held:
        connection.add_query_logger(note)
        await pool.release(connection)
    yield found
    held = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in held:
        connection.remove_query_logger(note)
        await pool.release(connection)


def without_link(text: str) -> str:
    """All before the link to unsubscribe, which a preview cannot know."""
    return text[: text.index("http")]
