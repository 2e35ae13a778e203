"""The link in mails to contacts: looking is harmless, its button and mail programs end the mails, for good."""

import pytest

from leadroutes.unsubscribing import unsubscribe_token
from tests.web.conftest import Office


@pytest.fixture
async def running(office: Office) -> dict[str, int]:
    """A campaign that runs for Mia: an e-mail and a text, neither sent yet. The ids of its steps, by type."""
    campaign_id = await office.town.campaign("alice", "Nurture")
    for kind in ("Email Contact", "Text Contact"):
        template_id = await office.town.template("alice", template_type=kind.split()[0])
        await office.town.action("alice", campaign_id, type=kind, template_id=template_id, delay_by_seconds=3600)
    contact_id = await office.database.fetchval("SELECT contact_id FROM leads WHERE id = $1", office.lead_id)
    owner_id = office.brokerage.owner_id
    await office.engine.start_campaign(owner_id, campaign_id, contact_id, owner_id)
    return {"contact": contact_id, **dict(await office.database.fetch("SELECT type, id FROM contact_communications"))}


def link(office: Office, contact_id: int) -> str:
    return f"/unsubscribe/{unsubscribe_token(office.settings.secret, office.brokerage.owner_id, contact_id)}"


async def active(office: Office) -> set[str]:
    rows = await office.database.fetch("SELECT type FROM contact_communications WHERE is_active")
    return {row["type"] for row in rows}


async def unsubscribed_at(office: Office, contact_id: int) -> object:
    return await office.database.fetchval("SELECT unsubscribed_at FROM contacts WHERE id = $1", contact_id)


async def test_a_look_shows_a_button_and_changes_nothing(office: Office, running: dict[str, int]) -> None:
    for method in ("HEAD", "GET"):
        answer = await office.browser().request(method, link(office, running["contact"]))
        assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert "Mia" not in answer.text, "the link may have been passed on"
    assert await active(office) == {"Email Contact", "Text Contact"}


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"List-Unsubscribe": "One-Click"}, "headers": {"Sec-Fetch-Site": "cross-site"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}, "headers": {"Origin": "https://mail.example"}},
        {},
    ],
)
async def test_the_button_ends_the_mails_and_nothing_else(office: Office, running: dict[str, int], sent: dict) -> None:
    answer = await office.browser().post(link(office, running["contact"]), **sent)
    row = await office.database.fetchrow(
        "SELECT is_active, completed_at, completing_user_id FROM contact_communications WHERE id = $1",
        running["Email Contact"],
    )

    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert (row["is_active"], row["completing_user_id"]) == (False, None)
    assert row["completed_at"] is not None
    assert await active(office) == {"Text Contact"}


async def test_once_is_enough(office: Office, running: dict[str, int]) -> None:
    path = link(office, running["contact"])
    await office.browser().post(path)
    first = await unsubscribed_at(office, running["contact"])
    await office.pass_minutes(10)

    assert (await office.browser().post(path)).status_code == 200
    assert first is not None
    assert await unsubscribed_at(office, running["contact"]) == first


async def test_a_link_that_we_did_not_make_ends_nothing(office: Office, running: dict[str, int]) -> None:
    good = link(office, running["contact"])
    foreign = f"/unsubscribe/{unsubscribe_token('another secret', office.brokerage.owner_id, running['contact'])}"
    for path in (good[:-1], good + "x", foreign, "/unsubscribe/forged", "/unsubscribe/%00", "/unsubscribe/..x.."):
        for method in ("GET", "POST"):
            assert (await office.browser().request(method, path)).status_code == 404
    assert await unsubscribed_at(office, running["contact"]) is None
