"""What windows, stops, changes, variants and conditions of a campaign mean for each other."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from leadroutes.domain.variants import arm_of
from leadroutes.engine.engine import Engine
from tests.support.api import ask, create
from tests.support.town import Town

NEVER = {"weekly_hours": {}}
HOUR = 3600
MAIL = {"type": "Email Contact", "timing_type": "Delay by Minutes"}


@pytest.fixture
def engine(town: Town) -> Engine:
    return Engine(town.database)


async def pass_by(town: Town, engine: Engine, **time: float) -> None:
    await town.database.move_clock(timedelta(**time))
    await engine.run_due()


async def steps(town: Town) -> list[dict]:
    return (await ask(town, "alice", "GET", "/contact-communications?$sort[id]=1")).json["data"]


async def preview(town: Town, campaign: str, contact_id: int) -> list[dict]:
    reply = await ask(town, "alice", "GET", f"{campaign}/preview?contact_id={contact_id}")
    assert reply.status == 200, reply.body
    return reply.json


async def succeed(town: Town, method: str, path: str, body: Any = None, by: str = "alice") -> Any:
    reply = await ask(town, by, method, path, **({} if body is None else {"json": body}))
    assert reply.status in (200, 201), reply.body
    return reply.json


# ----------------------------------------------------------------------------------------------------- variants


async def test_whatever_changes_a_contact_keeps_its_variant(town: Town, engine: Engine) -> None:
    campaign_id = (await create(town, "alice", "/campaigns", {"name": "Drip"}))["id"]
    actions = f"/campaigns/{campaign_id}/actions"
    templates = [await town.template("alice") for _ in range(3)]
    contacts = [await town.contact("alice") for _ in range(12)]

    def arms(*shares: int) -> dict[int, int]:
        return {each: templates[arm_of(campaign_id, each, shares)] for each in contacts}

    def variants(*shares: int) -> dict:
        pairs = zip(templates, shares, strict=False)
        return {"variants": [{"template_id": template, "share": share} for template, share in pairs]}

    async def stored(action_id: int) -> dict[int, int | None]:
        return {
            row["contact_id"]: row["template_id"]
            for row in await town.database.fetch(
                "SELECT contact_id, template_id FROM contact_communications WHERE action_id = $1 AND is_active",
                action_id,
            )
        }

    first = (await create(town, "alice", actions, MAIL | {"delay_by_seconds": HOUR} | variants(1, 1)))["id"]
    for each in contacts:
        await create(town, "alice", f"/campaigns/{campaign_id}/contacts", {"contact_id": each})
    halves = arms(1, 1)
    assert len(set(halves.values())) == 2
    assert await stored(first) == halves
    for change in ({"delay_by_seconds": 2 * HOUR}, {"assigned_user_id": town.users["bob"]}):
        tried = await succeed(town, "PATCH", f"{actions}/{first}?dry_run=true", change)
        assert (tried["contacts"], tried["messages"]) == (12, len(change) * 12)
        await succeed(town, "PATCH", f"{actions}/{first}", change)
        assert await stored(first) == halves

    other = arms(1, 8)
    moved = sum(halves[each] != other[each] for each in contacts)
    assert 0 < moved < 12
    path = f"{actions}/{first}?dry_run=true"
    assert (await succeed(town, "PATCH", path, variants(1, 8)))["messages"] == moved, "who changes from arm to arm"
    await succeed(town, "PATCH", f"{actions}/{first}", variants(1, 8))
    assert await stored(first) == other

    added = (await create(town, "alice", actions, MAIL | {"delay_by_seconds": HOUR} | variants(1, 1, 1)))["id"]
    assert await stored(added) == arms(1, 1, 1)

    runs = (await ask(town, "alice", "GET", f"/campaigns/{campaign_id}/contacts?$limit=50")).json["data"]
    for run in runs:
        assert (await ask(town, "alice", "DELETE", f"/campaigns/{campaign_id}/contacts/{run['id']}")).status == 200
    await succeed(town, "PATCH", f"{actions}/{added}", variants(2, 1))
    for run in runs:
        await succeed(town, "POST", f"/campaigns/{campaign_id}/contacts/{run['id']}/resumption")
    assert (await stored(first), await stored(added)) == (other, arms(2, 1))

    await succeed(town, "PATCH", f"{actions}/{added}", {"delay_by_seconds": 0})
    await town.database.move_clock(timedelta(minutes=1))
    await succeed(town, "PATCH", f"{actions}/{added}", {"delay_by_seconds": 0, **variants(1, 2)})
    await succeed(town, "PATCH", f"{actions}/{added}", {"delay_by_seconds": 3 * HOUR})
    assert await stored(added) == arms(1, 2), "also who comes back after a move into the past"
    await succeed(town, "PATCH", f"{actions}/{first}", {"variants": None, "template_id": templates[2]})
    assert set((await stored(first)).values()) == {templates[2]}


# ------------------------------------------------------------------------------------------------------- windows


async def moved(town: Town, campaign: str) -> None:
    [action] = (await ask(town, "alice", "GET", f"{campaign}/actions")).json["data"]
    await succeed(town, "PATCH", f"{campaign}/actions/{action['id']}", {"delay_by_seconds": 2 * HOUR})


async def resumed(town: Town, campaign: str) -> None:
    [run] = (await ask(town, "alice", "GET", f"{campaign}/contacts")).json["data"]
    await ask(town, "alice", "DELETE", f"{campaign}/contacts/{run['id']}")
    await succeed(town, "POST", f"{campaign}/contacts/{run['id']}/resumption")


async def set_going(town: Town, campaign: str) -> None:
    [step] = await steps(town)
    for is_active in (False, True):
        await succeed(town, "PATCH", f"/contact-communications/{step['id']}", {"is_active": is_active})


@pytest.mark.parametrize("again", [moved, resumed, set_going])
async def test_what_is_set_going_again_is_looked_at_anew(town: Town, engine: Engine, again: Callable) -> None:
    campaign = f"/campaigns/{(await create(town, 'alice', '/campaigns', {'name': 'Drip', 'send_window': NEVER}))['id']}"
    template_id = await town.template("alice")
    await create(town, "alice", f"{campaign}/actions", MAIL | {"delay_by_seconds": 60, "template_id": template_id})
    await create(town, "alice", f"{campaign}/contacts", {"contact_id": await town.contact("alice")})
    await pass_by(town, engine, minutes=2)
    [held] = await steps(town)
    assert held["waits_for"]["rule"] == "campaign's window"

    await again(town, campaign)

    [step] = await steps(town)
    assert (step["is_active"], step["waits_for"]) == (True, None)
    await pass_by(town, engine, hours=3)
    [step] = await steps(town)
    assert step["waits_for"]["rule"] == "campaign's window"
    assert step["waits_for"]["until"] >= held["waits_for"]["until"]


async def looked_again(engine: Engine) -> None:
    """Once for what a changed window holds, once for what it lets go."""
    for _ in range(2):
        await engine.run_due()


@pytest.fixture
async def offered(town: Town) -> tuple[str, dict]:
    """A campaign that waits for the claim, and the lead for which it runs, which Bob is offered."""
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 30")
    await town.option("alice", town.team_id, "bob")
    made = await create(
        town, "alice", "/campaigns", {"name": "Drip", "send_window": NEVER, "pause_on_offer": True, "stops_on": []}
    )
    campaign = f"/campaigns/{made['id']}"
    words = {"template_id": await town.template("alice", body="{{ agent.name }} of {{ owner.name }}")}
    for seconds in (60, HOUR):
        await create(town, "alice", f"{campaign}/actions", MAIL | words | {"delay_by_seconds": seconds})
    await town.route("alice", campaign_id=made["id"])
    contact_id = await town.contact("alice", email="mia@example.com")
    return campaign, await create(town, "alice", "/leads", {"contact_id": contact_id, "source_id": 1})


WAITS = "it waits until someone has the lead"


@pytest.mark.parametrize("by", ["claim", "setting"])
async def test_what_is_released_goes_through_the_windows(
    town: Town, engine: Engine, offered: tuple[str, dict], by: str
) -> None:
    campaign, lead = offered
    await pass_by(town, engine, minutes=2)
    assert [(each["reason"], (each["waits_for"] or {}).get("rule")) for each in await steps(town)] == [
        (None, "campaign's window"), (None, None),
    ]  # fmt: skip
    await succeed(town, "PATCH", campaign, {"send_window": None})
    await looked_again(engine)
    assert [(each["reason"], each["waits_for"]) for each in await steps(town)] == [(WAITS, None), (None, None)]
    await succeed(town, "PATCH", campaign, {"send_window": NEVER})

    if by == "claim":
        await succeed(town, "POST", f"/leads/{lead['id']}/claim", by="bob")
    else:
        await succeed(town, "PATCH", campaign, {"pause_on_offer": False})
    [first, _] = await steps(town)
    assert (first["reason"], first["waits_for"]) == (None, None)

    await looked_again(engine)
    [first, _] = await steps(town)
    assert (first["is_active"], first["reason"], first["waits_for"]["rule"]) == (True, None, "campaign's window")
    await succeed(town, "PATCH", campaign, {"send_window": None})
    await looked_again(engine)
    assert await town.database.fetchval("SELECT state FROM messages WHERE kind = 'campaign'") == "queued"


async def test_a_window_that_is_changed_counts_for_what_waits_in_the_queue(town: Town, engine: Engine) -> None:
    paths = []
    for name in ("Drip", "Other"):
        made = await create(town, "alice", "/campaigns", {"name": name})
        paths.append(f"/campaigns/{made['id']}")
        template_id = await town.template("alice")
        await create(town, "alice", f"{paths[-1]}/actions", MAIL | {"delay_by_seconds": 60, "template_id": template_id})
        await create(town, "alice", f"{paths[-1]}/contacts", {"contact_id": await town.contact("alice")})
    await pass_by(town, engine, minutes=2)
    await town.database.execute("UPDATE messages SET leaves_at = $1", town.now + timedelta(days=1))
    await succeed(town, "PATCH", paths[0], {"send_window": {"weekly_hours": {"monday": [["00:00", "24:00"]]}}})
    await looked_again(engine)
    rows = await town.database.fetch("SELECT leaves_at FROM messages ORDER BY id")
    assert [row["leaves_at"] is None for row in rows] == [True, False]


# ------------------------------------------------------------------------------------------------------- preview


async def test_a_preview_says_what_waits_for_the_claim_and_what_was_stopped(
    town: Town, engine: Engine, offered: tuple[str, dict]
) -> None:
    campaign, lead = offered
    await succeed(town, "PATCH", campaign, {"send_window": None})
    for _ in range(2):  # before its moment, and held
        shown = await preview(town, campaign, lead["contact_id"])
        assert [(each["leaves_at"], each["rule"]) for each in shown] == [(None, "until someone has the lead")] * 2
        assert [each["warnings"] for each in shown] == [["It waits until someone has the lead"]] * 2
        await pass_by(town, engine, minutes=2)
    await succeed(town, "POST", f"/leads/{lead['id']}/claim", by="bob")
    shown = await preview(town, campaign, lead["contact_id"])
    assert [(each["rule"], each["warnings"], each["leaves_at"] is None) for each in shown] == [(None, [], False)] * 2
    assert shown[0]["text_body"].startswith("Bob Town of Alice Town")

    await succeed(town, "PATCH", f"/contact-communications/{(await steps(town))[1]['id']}", {"is_active": False})
    _, second = await preview(town, campaign, lead["contact_id"])
    assert second["warnings"] == ["It is not sent: it was stopped by Alice Town"]
    [run] = (await ask(town, "alice", "GET", f"{campaign}/contacts")).json["data"]
    await ask(town, "alice", "DELETE", f"{campaign}/contacts/{run['id']}")
    first, second = await preview(town, campaign, lead["contact_id"])
    ended = "The campaign has ended for the contact (it was stopped by Alice Town): this is as if it began anew"
    assert (first["warnings"], second["warnings"]) == ([ended], [])
