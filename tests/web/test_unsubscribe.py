"""The link in mails to contacts: looking is harmless, its button and mail programs end the mails, for good."""

import pytest

from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.security.unsubscribe_token import unsubscribe_token
from tests.support.web_app import WebApp


@pytest.fixture
async def running(web_app: WebApp) -> dict[str, int]:
    """A campaign that runs for Mia: an e-mail and a text, neither sent yet. The ids of its steps, by type."""
    campaign_id = await web_app.town.campaign("alice", "Nurture")
    for kind in ("Email Contact", "Text Contact"):
        template_id = await web_app.town.template("alice", template_type=kind.split()[0])
        await web_app.town.action("alice", campaign_id, type=kind, template_id=template_id, delay_by_seconds=3600)
    contact_id = await web_app.database.fetchval("SELECT contact_id FROM leads WHERE id = $1", web_app.lead_id)
    owner_id = web_app.brokerage.owner_id
    await web_app.engine.start_campaign(owner_id, campaign_id, contact_id, owner_id)
    return {"contact": contact_id, **dict(await web_app.database.fetch("SELECT type, id FROM contact_communications"))}


def link(web_app: WebApp, contact_id: int) -> str:
    named = UnsubscribeLink(web_app.brokerage.owner_id, contact_id)
    return f"/unsubscribe/{unsubscribe_token(web_app.settings.secret, named)}"


async def active(web_app: WebApp) -> set[str]:
    rows = await web_app.database.fetch("SELECT type FROM contact_communications WHERE is_active")
    return {row["type"] for row in rows}


async def unsubscribed_at(web_app: WebApp, contact_id: int) -> object:
    """Since when the contact's address is suppressed."""
    return await web_app.database.fetchval(
        "SELECT s.at FROM contacts c, suppression_of(c.owner_id, c.email) s WHERE c.id = $1", contact_id
    )


async def test_a_look_shows_a_button_and_changes_nothing(web_app: WebApp, running: dict[str, int]) -> None:
    for method in ("HEAD", "GET"):
        answer = await web_app.browser().request(method, link(web_app, running["contact"]))
        assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert "Mia" not in answer.text, "the link may have been passed on"
    assert await active(web_app) == {"Email Contact", "Text Contact"}


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"List-Unsubscribe": "One-Click"}, "headers": {"Sec-Fetch-Site": "cross-site"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}, "headers": {"Origin": "https://mail.example"}},
        {},
    ],
)
async def test_the_button_ends_the_mails_and_nothing_else(web_app: WebApp, running: dict[str, int], sent: dict) -> None:
    answer = await web_app.browser().post(link(web_app, running["contact"]), **sent)
    rows = await web_app.database.fetch("SELECT channel, value, reason FROM suppressions")

    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert [tuple(row) for row in rows] == [("email", "mia@example.com", "unsubscribed")]
    assert await active(web_app) == {"Email Contact", "Text Contact"}, "the mail says why when it falls due"


async def test_the_page_names_whom_the_mails_come_from(web_app: WebApp, running: dict[str, int]) -> None:
    await web_app.database.execute(
        "UPDATE users SET postal_address = $2 WHERE id = $1",
        web_app.brokerage.owner_id,
        "12 Elm St\n<Denver>, CO 80202",
    )
    shown = await web_app.browser().get(link(web_app, running["contact"]))
    done = await web_app.browser().post(link(web_app, running["contact"]))

    for answer in (shown, done):
        assert "Alice Town" in answer.text
        assert "12 Elm St<br>&lt;Denver&gt;, CO 80202" in answer.text


async def test_the_link_is_good_for_the_address_whatever_becomes_of_the_contact(
    web_app: WebApp, running: dict[str, int]
) -> None:
    """The mail went to another address than the contact has now, or the contact has been erased."""
    digest = await web_app.database.fetchval("SELECT address_digest('mia@example.com', salt) FROM suppression_salt")
    named = UnsubscribeLink(web_app.brokerage.owner_id, running["contact"], 7, digest)
    await web_app.database.execute("UPDATE contacts SET email = 'new@example.com'")
    path = f"/unsubscribe/{unsubscribe_token(web_app.settings.secret, named)}"

    assert (await web_app.browser().post(path)).status_code == 200
    assert await unsubscribed_at(web_app, running["contact"]) is None
    await web_app.database.execute("UPDATE contacts SET email = 'Mia@example.com'")
    assert await unsubscribed_at(web_app, running["contact"]) is not None
    rows = await web_app.database.fetch("SELECT value, source_message_id FROM suppressions")
    assert [tuple(row) for row in rows] == [(None, 7)]


async def test_once_is_enough(web_app: WebApp, running: dict[str, int]) -> None:
    path = link(web_app, running["contact"])
    await web_app.browser().post(path)
    first = await unsubscribed_at(web_app, running["contact"])
    await web_app.pass_minutes(10)

    assert (await web_app.browser().post(path)).status_code == 200
    assert first is not None
    assert await unsubscribed_at(web_app, running["contact"]) == first


async def test_a_link_of_an_account_that_is_gone_ends_nothing_and_is_no_fault(web_app: WebApp) -> None:
    for named in (UnsubscribeLink(999_999, 1), UnsubscribeLink(999_999, 1, 1, b"d" * 32)):
        address = f"/unsubscribe/{unsubscribe_token(web_app.settings.secret, named)}"
        answer = await web_app.browser().post(address)
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
    assert await web_app.database.fetchval("SELECT count(*) FROM suppressions") == 0


async def test_a_link_that_we_did_not_make_ends_nothing(web_app: WebApp, running: dict[str, int]) -> None:
    good = link(web_app, running["contact"])
    named = UnsubscribeLink(web_app.brokerage.owner_id, running["contact"])
    foreign = f"/unsubscribe/{unsubscribe_token('another secret', named)}"
    for path in (good[:-1], good + "x", foreign, "/unsubscribe/forged", "/unsubscribe/%00", "/unsubscribe/..x.."):
        for method in ("GET", "POST"):
            assert (await web_app.browser().request(method, path)).status_code == 404
    assert await unsubscribed_at(web_app, running["contact"]) is None
