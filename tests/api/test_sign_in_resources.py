"""Sessions, sign-ins, invitations of users and second factors in the API: who sees, ends, makes and removes them."""

from dataclasses import replace
from typing import Any

import pytest

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.engine.password_links import find_password_link, set_password_by_link
from leadroutes.engine.second_factors import trust_browser
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.security.secret_key import load_secret_key
from leadroutes.store import accounts
from leadroutes.store.sessions import add_session, find_session
from leadroutes.store.sign_ins import NO_BROWSER, SignInKind, Whereabouts, log_sign_in
from tests.support.api import Reply, ask
from tests.support.api_apps import SETTINGS
from tests.support.codes import add_factor, present_code
from tests.support.town import Town

PASSWORD = "correct horse battery"
FIREFOX = Whereabouts("Firefox on Windows", "203.0.113.7")


@pytest.fixture
async def office(town: Town) -> Town:
    """The town with an administrator, Root; Bob and Root have a password."""
    await town.add_user("root", is_admin=True, password_hash=accounts.hash_password(PASSWORD))
    await town.database.execute(
        "UPDATE users SET password_hash = $1 WHERE username = 'bob'", accounts.hash_password(PASSWORD)
    )
    return town


async def with_application(town: Town, name: str) -> dict[str, str]:
    """The headers of an application that this person lets in."""
    application = await town.insert(
        "applications", user_id=town.users["dave"], name="App", client_id=name, redirect_uris=["https://a.example"]
    )
    return {"Authorization": f"Bearer {await town.token(name, application_id=application)}"}


async def kinds(town: Town) -> list[tuple[str, int | None]]:
    rows = await town.database.fetch("SELECT kind, by_user_id FROM sign_ins ORDER BY id")
    return [(row["kind"], row["by_user_id"]) for row in rows]


# ------------------------------------------------------------------------------------------------------ sessions


async def test_a_session_is_shown_to_its_user_and_ended_by_removing_it(office: Town) -> None:
    token = await add_session(office.database, office.users["bob"], FIREFOX)
    [shown] = (await ask(office, "bob", "GET", "/sessions")).json["data"]
    assert (shown["browser"], shown["network"]) == ("Firefox on Windows", "203.0.113.7")
    assert (await ask(office, "carol", "DELETE", f"/sessions/{shown['id']}")).status == 404
    removed = await ask(office, "bob", "DELETE", f"/sessions/{shown['id']}")

    assert (removed.status, removed.json) == (200, shown)
    assert await find_session(office.database, token) is None
    assert await kinds(office) == [("session ended", None)]
    assert (await ask(office, "bob", "DELETE", f"/sessions/{shown['id']}")).status == 404


async def test_an_administrator_sees_all_own_ones_first_and_ends_them(office: Town) -> None:
    for name in ("bob", "root", "bob"):
        await add_session(office.database, office.users[name], FIREFOX)
    root, bob = office.users["root"], office.users["bob"]
    everyones = (await ask(office, "root", "GET", "/sessions")).json["data"]
    assert [each["user_id"] for each in everyones] == [root, bob, bob]
    assert (await ask(office, "root", "GET", f"/sessions?user_id={bob}")).json["total"] == 2
    assert (await ask(office, "root", "DELETE", f"/sessions/{everyones[1]['id']}")).status == 200

    ended = await ask(office, "root", "POST", f"/users/{bob}/sign-out", json={})
    assert (ended.status, ended.json) == (200, {"ended": 1})
    assert await kinds(office) == [("session ended", root)] * 2


async def test_everyone_ends_all_sessions_of_their_own_and_of_no_one_else(office: Town) -> None:
    for name in ("bob", "bob", "carol"):
        await add_session(office.database, office.users[name])

    assert (await ask(office, "bob", "POST", f"/users/{office.users['carol']}/sign-out")).status == 403, "a colleague"
    assert (await ask(office, "bob", "POST", f"/users/{office.users['dave']}/sign-out")).status == 404, "a stranger"
    assert (await ask(office, "bob", "POST", f"/users/{office.users['bob']}/sign-out")).json == {"ended": 2}
    assert (await ask(office, "carol", "GET", "/sessions")).json["total"] == 1


async def test_a_session_that_has_ended_is_not_shown(office: Town) -> None:
    await add_session(office.database, office.users["bob"])
    await office.database.execute("UPDATE sessions SET expires_at = now()")

    assert (await ask(office, "bob", "GET", "/sessions")).json["total"] == 0


async def test_trusted_browsers_are_ones_own(office: Town) -> None:
    await trust_browser(office.database, office.users["bob"], FIREFOX)
    [shown] = (await ask(office, "bob", "GET", "/trusted-browsers")).json["data"]
    for other in ("carol", "root"):
        assert (await ask(office, other, "DELETE", f"/trusted-browsers/{shown['id']}")).status == 404

    assert (await ask(office, "bob", "DELETE", f"/trusted-browsers/{shown['id']}")).json == shown
    assert (await ask(office, "bob", "GET", "/trusted-browsers")).json["total"] == 0


async def test_sign_ins_are_ones_own_and_administrators_see_all(office: Town) -> None:
    for user_id in (office.users["bob"], office.users["carol"], None):
        await log_sign_in(office.database, user_id, SignInKind.WRONG_PASSWORD, FIREFOX)

    [bobs] = (await ask(office, "bob", "GET", "/sign-ins")).json["data"]
    assert (bobs["user_id"], bobs["kind"]) == (office.users["bob"], "wrong password")
    everyones = (await ask(office, "root", "GET", "/sign-ins")).json["data"]
    assert [each["user_id"] for each in everyones] == [None, office.users["carol"], office.users["bob"]]
    assert (await ask(office, "bob", "GET", f"/sign-ins?user_id={office.users['carol']}")).json["total"] == 0


async def test_what_happened_at_a_sign_in_is_never_changed(office: Town) -> None:
    await log_sign_in(office.database, office.users["bob"], SignInKind.SIGNED_IN, NO_BROWSER)

    with pytest.raises(Exception, match="rows of sign_ins are never changed"):
        await office.database.execute("UPDATE sign_ins SET kind = 'signed out'")


@pytest.mark.parametrize("path", ["/sessions", "/trusted-browsers", "/sign-ins", "/user-invitations"])
async def test_tokens_of_applications_see_none_of_it(office: Town, path: str) -> None:
    headers = await with_application(office, "root")

    assert (await ask(office, None, "GET", path, headers=headers)).status == 403


# --------------------------------------------------------------------------------------------------- invitations


async def invite(office: Town, **fields: Any) -> Reply:
    return await ask(office, "root", "POST", "/user-invitations", json={"email": "gail@example.com"} | fields)


def token_of(reply: Reply) -> str:
    return reply.json["link"].removeprefix("https://leads.example/passwords/")


async def test_without_a_mail_channel_the_administrator_gets_the_link_once(office: Town) -> None:
    reply = await invite(office, first_name="Gail", timezone="America/Denver", is_broker=True)
    assert reply.status == 201
    assert (reply.json["email"], reply.json["first_name"], reply.json["is_expired"]) == (
        "gail@example.com",
        "Gail",
        False,
    )
    shown = await ask(office, "root", "GET", f"/user-invitations/{reply.json['id']}")
    assert shown.json == reply.json | {"link": None}
    assert await office.database.fetchval("SELECT count(*) FROM messages") == 0
    user = (await ask(office, "root", "GET", f"/users/{reply.json['user_id']}")).json
    assert (user["timezone"], user["is_broker"], user["is_admin"]) == ("America/Denver", True, False)

    await set_password_by_link(office.database, token_of(reply), PASSWORD, NO_BROWSER)
    assert (await ask(office, "root", "GET", "/user-invitations")).json["total"] == 0, "it was accepted"


async def test_with_a_mail_channel_the_link_goes_out_by_mail(office: Town, tmp_path) -> None:
    settings = replace(SETTINGS, smtp_url="smtp://127.0.0.1:9", data=tmp_path)
    engine = Engine(office.database)
    arrivals = Arrivals(engine)
    mailing = replace(office, application=api.application(office.database, engine, arrivals, settings))
    reply = await invite(mailing)
    await arrivals.close()

    assert (reply.status, reply.json["link"]) == (201, None)
    [message] = await office.database.fetch("SELECT owner_id, kind, user_id, password_link_id FROM messages")
    assert tuple(message) == (office.users["root"], "user_invitation", reply.json["user_id"], reply.json["id"])


async def test_sending_again_ends_the_link_before(office: Town) -> None:
    first = await invite(office)
    await office.database.execute("UPDATE password_links SET expires_at = now()")
    again = await ask(office, "root", "POST", f"/user-invitations/{first.json['id']}/send", json={})

    assert (again.status, again.json["id"], again.json["is_expired"]) == (200, first.json["id"], False)
    assert await find_password_link(office.database, token_of(first)) is None
    found = await find_password_link(office.database, token_of(again))
    assert found is not None
    assert found["state"] == "open"
    assert (await ask(office, "bob", "POST", f"/user-invitations/{first.json['id']}/send", json={})).status == 404


async def test_an_invitation_that_is_taken_back_closes_the_account(office: Town) -> None:
    made = await invite(office)
    assert (await ask(office, "bob", "DELETE", f"/user-invitations/{made.json['id']}")).status == 404
    assert (await ask(office, "root", "DELETE", f"/user-invitations/{made.json['id']}")).status == 200

    assert await find_password_link(office.database, token_of(made)) is None
    user = await ask(office, "root", "GET", f"/users/{made.json['user_id']}")
    assert user.json["is_active"] is False
    again = await invite(office)
    assert (again.status, again.json["user_id"]) == (201, made.json["user_id"])


async def test_an_account_without_a_password_can_be_invited_and_one_with_a_password_cannot(office: Town) -> None:
    carol = await invite(office, email="carol@example.com")
    assert (carol.status, carol.json["user_id"]) == (201, office.users["carol"])
    twice = await invite(office, email="CAROL@example.com")
    bob = await invite(office, email="bob@example.com")

    assert (twice.status, bob.status) == (409, 409)
    assert "can be sent again" in twice.json["message"]
    assert "in use already" in bob.json["message"]


async def test_a_wrong_field_is_named_and_only_administrators_invite(office: Town) -> None:
    wrong = await invite(office, email="nothing", timezone="Mars", phone="1")
    assert (wrong.status, sorted(wrong.json["errors"])) == (400, ["email", "phone", "timezone"])
    refused = await ask(office, "bob", "POST", "/user-invitations", json={"email": "gail@example.com"})

    assert refused.status == 403
    assert (await ask(office, "bob", "GET", "/user-invitations")).json["total"] == 0


async def test_an_administrator_makes_a_link_for_whoever_has_forgotten_the_password(office: Town) -> None:
    bob = office.users["bob"]
    reply = await ask(office, "root", "POST", f"/users/{bob}/password-link", json={})
    assert reply.status == 201
    found = await find_password_link(office.database, token_of(reply))
    assert found is not None
    assert (found["user_id"], found["purpose"]) == (bob, "reset")

    assert (await ask(office, "carol", "POST", f"/users/{bob}/password-link", json={})).status == 403
    assert (await ask(office, "dave", "POST", f"/users/{bob}/password-link", json={})).status == 404
    headers = await with_application(office, "root")
    lent = await ask(office, None, "POST", f"/users/{bob}/password-link", json={}, headers=headers)
    assert lent.status == 403
    assert await kinds(office) == [("reset asked for", office.users["root"])]


# ------------------------------------------------------------------------------------------------- second factors

FACTOR = "/me/second-factor"


async def test_a_second_factor_is_begun_confirmed_and_removed(office: Town) -> None:
    off = {"is_on": False, "confirmed_at": None, "recovery_codes_left": 0, "is_required": False}
    assert (await ask(office, "bob", "GET", FACTOR)).json == off
    begun = await ask(office, "bob", "POST", FACTOR, json={"current_password": PASSWORD})
    assert begun.status == 201
    assert begun.json["uri"].startswith("otpauth://totp/Lead%20Routes:bob@example.com?secret=")
    assert (await ask(office, "bob", "GET", FACTOR)).json == off, "it is not in force yet"
    code = await present_code(office.database, begun.json["secret"])
    confirmed = await ask(office, "bob", "POST", f"{FACTOR}/confirm", json={"code": code})

    assert (confirmed.status, len(set(confirmed.json["recovery_codes"]))) == (200, 10)
    on = (await ask(office, "bob", "GET", FACTOR)).json
    assert (on["is_on"], on["recovery_codes_left"]) == (True, 10)
    assert (await ask(office, "bob", "POST", FACTOR, json={"current_password": PASSWORD})).status == 409
    assert (await ask(office, "bob", "DELETE", FACTOR, json={"current_password": PASSWORD})).json == off
    assert (await ask(office, "bob", "DELETE", FACTOR, json={"current_password": PASSWORD})).status == 404
    assert [kind for kind, _ in await kinds(office)] == ["second factor added", "second factor removed"]


WRONG = [{}, {"current_password": "wrong"}, {"current_password": [1]}, {"current_password": "x" * 300}]


@pytest.mark.parametrize("body", WRONG)
async def test_it_takes_the_password_to_begin_and_to_remove_one(office: Town, body: dict[str, Any]) -> None:
    for method in ("POST", "DELETE"):
        reply = await ask(office, "bob", method, FACTOR, json=body)
        assert (reply.status, list(reply.json["errors"])) == (400, ["current_password"])


async def test_a_wrong_code_confirms_nothing_and_many_are_refused(office: Town) -> None:
    await ask(office, "bob", "POST", FACTOR, json={"current_password": PASSWORD})
    replies = [await ask(office, "bob", "POST", f"{FACTOR}/confirm", json={"code": "x"}) for _ in range(11)]

    assert [reply.status for reply in replies] == [400] * 10 + [429]
    assert list(replies[0].json["errors"]) == ["code"]
    assert (await ask(office, "carol", "POST", f"{FACTOR}/confirm", json={"code": "123456"})).status == 404


async def test_an_administrator_removes_the_factor_of_who_has_lost_it(office: Town) -> None:
    bob = office.users["bob"]
    await add_factor(office.database, load_secret_key(SETTINGS), bob)
    assert (await ask(office, "carol", "DELETE", f"/users/{bob}/second-factor")).status == 403
    assert (await ask(office, "bob", "DELETE", f"/users/{bob}/second-factor")).status == 403, "without the password"
    assert (await ask(office, "root", "DELETE", f"/users/{bob}/second-factor")).json == {"is_on": False}

    assert (await ask(office, "bob", "GET", FACTOR)).json["is_on"] is False
    assert (await kinds(office))[-1] == ("second factor removed", office.users["root"])


async def test_where_administrators_need_one_they_cannot_remove_it(office: Town, tmp_path) -> None:
    settings = replace(SETTINGS, admin_second_factor=True, data=tmp_path)
    engine = Engine(office.database)
    arrivals = Arrivals(engine)
    strict = replace(office, application=api.application(office.database, engine, arrivals, settings))
    await add_factor(office.database, load_secret_key(settings), office.users["root"])
    state = await ask(strict, "root", "GET", FACTOR)
    refused = await ask(strict, "root", "DELETE", FACTOR, json={"current_password": PASSWORD})
    await arrivals.close()

    assert state.json["is_required"] is True
    assert refused.status == 409


async def test_tokens_of_applications_have_nothing_to_do_with_it(office: Town) -> None:
    headers = await with_application(office, "bob")
    for method, path in (("GET", FACTOR), ("POST", FACTOR), ("DELETE", FACTOR), ("POST", f"{FACTOR}/confirm")):
        reply = await ask(office, None, method, path, json={"current_password": PASSWORD}, headers=headers)
        assert reply.status == 403, (method, path)
