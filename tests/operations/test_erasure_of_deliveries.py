"""Of a person who is erased nothing is left in what was, or was to be, sent to webhooks."""

import json

from leadroutes.engine.merging import merge_contacts
from leadroutes.operations.erasure import export_contact
from tests.support.databases import content
from tests.support.erasure import EMAIL, MARK, PHONE, contact_of, erase_and_check, remaining_rows
from tests.support.hooks import Hooks
from tests.support.receiver import Receiver


async def test_what_was_sent_and_what_waits_loses_the_person(
    hooks: Hooks, receiver: Receiver, database_url: str
) -> None:
    """The first event is answered with the person's name; the others wait."""
    receiver.answer = f"Thank you for {MARK}".encode()
    await hooks.add(receiver.url)
    await hooks.brokerage.ask(name=f"Mia {MARK}", email=EMAIL, phone=PHONE, message=f"I am {MARK}")
    await hooks.deliver_due()
    receiver.status = 500
    await hooks.brokerage.ask(name=f"Mia {MARK}", email=EMAIL, phone=PHONE, message=f"Again {MARK}")
    await hooks.deliver_due()
    contact_id = await contact_of(hooks.brokerage)
    exported = json.loads(await export_contact(hooks.database, hooks.brokerage.owner_id, contact_id))
    assert MARK in str(exported["webhook_deliveries"])
    assert {each["to"] for each in exported["webhook_deliveries"]} == {f"127.0.0.1:{receiver.port}"}
    rows = await erase_and_check(hooks.brokerage, contact_id)

    assert rows["deliveries"] == 3
    assert remaining_rows(await content(database_url)) == []
    arrived, offered, touched, unclaimed = await hooks.deliveries()
    assert [each["state"] for each in (arrived, offered, touched)] == ["delivered", "delivered", "withdrawn"]
    assert (arrived["reason"], touched["reason"]) == (None, "the contact was erased")
    assert [each["status"] for each in json.loads(touched["tries"])] == [500]
    assert (unclaimed["type"], unclaimed["state"]) == ("lead.unclaimed", "waiting")
    receiver.status, before = 200, len(receiver.messages)
    await hooks.bring_forward()
    await hooks.deliver_due()
    assert [message.json["type"] for message in receiver.messages[before:]] == ["lead.unclaimed"]
    assert MARK not in receiver.messages[-1].body.decode()
    assert (await erase_and_check(hooks.brokerage, contact_id))["deliveries"] in (0, 1), "what was said since then"


async def test_what_was_sent_about_others_stays(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.add(receiver.url, "lead.arrived")
    await hooks.brokerage.ask(name=f"Mia {MARK}", email=EMAIL)
    await hooks.brokerage.ask(name="Noa Berg", email="noa@example.com", message="Good day")
    await erase_and_check(hooks.brokerage, await contact_of(hooks.brokerage))
    await hooks.deliver_due()

    assert [message.json["data"]["text_body"] for message in receiver.messages] == ["Good day"]


async def test_what_was_sent_about_a_merged_contact_goes_with_the_one_that_remains(
    hooks: Hooks, database_url: str
) -> None:
    await hooks.add("http://127.0.0.1:9/", "lead.arrived")
    await hooks.brokerage.ask(name="Noa Berg", email="noa@example.com")
    await hooks.brokerage.ask(name=f"Mia {MARK}", email=EMAIL, message=MARK)
    target, merged = await contact_of(hooks.brokerage, "noa@example.com"), await contact_of(hooks.brokerage)
    await merge_contacts(hooks.database, hooks.brokerage.owner_id, target, merged, hooks.brokerage.owner_id)
    await erase_and_check(hooks.brokerage, target)

    assert {each["data"] for each in await hooks.deliveries()} == {None}
    assert remaining_rows(await content(database_url)) == []
