"""What somebody who is signed in sees of his own account, and nothing of anybody else's."""

import re

from leadroutes.channels import open_channels
from leadroutes.delivering import Delivery
from leadroutes.store.messages import MessageKey
from leadroutes.users import By, change_user
from tests.web.conftest import Office


async def deliver(office: Office) -> None:
    """Everything that is queued, with no channel configured."""
    delivery = Delivery(office.database, open_channels(office.settings), office.settings)
    for row in await office.database.fetch("SELECT owner_id, id FROM messages WHERE state = 'queued' ORDER BY id"):
        await delivery.deliver(MessageKey(row["owner_id"], row["id"]))


def ledger_of(page: str) -> dict[str, int]:
    pairs = re.findall(r"<dt>([a-z ]+)</dt><dd>([\d,]+)</dd>", page)
    return {name: int(number) for name, number in pairs}


async def test_the_owner_sees_the_ledger_and_who_has_which_lead_since_when(office: Office) -> None:
    await office.ask(email="noor@example.com", name="Noor Haddad")
    browser = await office.sign_in("alice")
    before = (await browser.get("/")).text
    await office.engine.claim(office.brokerage.owner_id, office.lead_id, office.town.users["bob"])
    after = (await browser.get("/")).text

    assert ledger_of(before) == {"received": 2, "claimed": 0, "on offer": 2, "unclaimed": 0, "held": 0, "rejected": 0}
    assert ledger_of(after) | {"claimed": 1, "on offer": 1} == ledger_of(after)
    assert before.count("offered to Bob Town since") == 2
    assert "Mia Lund" in after
    assert re.search(r'class="taken">Bob Town since <time datetime="[^"]+">\w{3} \d+, \d+:\d\d [AP]M UTC<', after)
    assert after.count("offered to Bob Town since") == 1


async def test_every_fate_of_a_lead_is_named(office: Office) -> None:
    await office.pass_minutes(5)
    await office.pass_minutes(15)
    contact_id = await office.town.contact("alice", first_name="Held", last_name="Back")
    await office.town.lead("alice", contact_id)
    await office.town.lead("alice", await office.town.contact("alice", first_name="Old"), is_imported=True)
    page = (await (await office.sign_in("alice")).get("/")).text

    assert "nobody; unclaimed since" in page
    assert "held: it has not been routed" in page
    assert '<span class="faint">imported</span>' in page
    assert ledger_of(page)["imported"] == 1


async def test_nobody_sees_anothers_account(office: Office) -> None:
    await deliver(office)
    for name in ("dave", "carol"):
        browser = await office.sign_in(name)
        for path in ("/", "/outbox"):
            page = (await browser.get(path)).text
            assert "Mia" not in page
            assert "bob@example.com" not in page


async def test_the_outbox_shows_what_would_have_been_sent_and_no_claim_link(office: Office) -> None:
    await deliver(office)
    page = (await (await office.sign_in("alice")).get("/outbox")).text

    assert "New lead: Mia, in Denver, Buyer, $450,000" in page
    assert "email to Bob Town" in page
    assert "bob@example.com" in page
    assert "no email channel is configured" in page
    assert "What would have been sent" in page
    assert re.search(r"/claim/[\w-]{20,}", page) is None
    assert "http://town/claim/…" in page


async def test_the_outbox_can_be_filtered_and_paged(office: Office) -> None:
    owner_id, bob = office.brokerage.owner_id, office.town.users["bob"]
    states = ("sent", "failed", "sent")
    for n in range(120):
        await office.town.insert(
            "messages", owner_id=owner_id, kind="claimed", channel="text", user_id=bob, state=states[n % 3],
            subject=f"number {n}.", created_at=office.town.now,
        )  # fmt: skip
    browser = await office.sign_in("alice")
    seen, path = [], "/outbox?state=sent"
    while path:
        page = (await browser.get(path)).text
        seen.append([int(n) for n in re.findall(r"number (\d+)\.", page)])
        older = re.search(r'href="(/outbox\?[^"]*before=\d+)"', page)
        path = older[1].replace("&amp;", "&") if older else None

    assert [len(part) for part in seen] == [50, 30]
    assert [n for part in seen for n in part] == [n for n in range(119, -1, -1) if states[n % 3] == "sent"]
    assert (await browser.get("/outbox?state=failed")).text.count("number ") == 40
    assert "There are none that are unknown." in (await browser.get("/outbox?state=unknown")).text


async def test_a_filter_that_does_not_exist_is_named(office: Office) -> None:
    browser = await office.sign_in("alice")
    for query in ("state=lost", "before=x", "before=-1", "before=9" + "9" * 30, "state=<b>", "before=%C2%B2"):
        answer = await browser.get(f"/outbox?{query}")
        assert answer.status_code == 400
        assert "was given; expected" in answer.text
        assert "<b>" not in answer.text


async def test_what_is_assigned_to_a_closed_account_is_listed_for_its_owner_alone(office: Office) -> None:
    bob = office.town.users["bob"]
    await office.town.contact("alice", assigned_user_id=bob)
    alice, carol = await office.sign_in("alice"), await office.sign_in("carol")
    assert "To be assigned anew" not in (await alice.get("/")).text
    await change_user(office.database, bob, {"is_active": False}, By())
    page = (await alice.get("/")).text

    assert "Bob Town has no account any more" in page
    assert "still assigned: 1 contacts, 0 tasks" in page
    assert "To be assigned anew" not in (await carol.get("/")).text
