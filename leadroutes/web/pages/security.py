"""Where one is signed in, trusted browsers, the second factor, and what happened at one's sign-ins."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from leadroutes.engine.ended_sessions import end_sessions
from leadroutes.engine.second_factors import SecondFactors
from leadroutes.errors import Invalid
from leadroutes.security.vault import Vault
from leadroutes.store.sessions import list_sessions
from leadroutes.web.page import Done, Page, Revealed, Visit
from leadroutes.web.plain_words import in_plain_words
from leadroutes.web.qr import qr_svg
from leadroutes.web.sent import Sent

MOST = 50  # sign-ins of a page
KINDS = {
    "signed in": "Signed in",
    "wrong password": "Wrong password",
    "wrong code": "Wrong code",
    "signed out": "Signed out",
    "session ended": "Signed out from another browser",
    "reset asked for": "Link for a new password asked for",
    "password set": "Password set",
    "second factor added": "Second factor added",
    "second factor removed": "Second factor switched off",
    "browser trusted": "Browser trusted",
}
METHODS = {
    "password": "with the password",
    "code": "with a code of the app",
    "recovery code": "with a recovery code",
    "trusted browser": "in a trusted browser",
    "link": "by a link",
    "setup": "at the first start",
}
ALARMING = ("wrong password", "wrong code")


async def load_security(visit: Visit) -> Mapping[str, Any]:
    user_id = visit.viewer.user.id
    factor = await visit.api.get("/me/second-factor")
    enrolment = None if factor["is_on"] else await _factors(visit).find_enrolment(user_id)
    query: dict[str, object] = {"user_id": user_id}
    before = Sent({"before": [visit.query.get("before", "")]}).id("before")
    if before is not None:
        query["id[$lt]"] = before
    sign_ins = await visit.api.records("/sign-ins", query, most=MOST + 1)
    return {
        "sessions": await list_sessions(visit.database, user_id, visit.session_token),
        "trusted": await visit.api.records("/trusted-browsers", most=MOST),
        "factor": factor,
        "enrolment": enrolment,
        "picture": Markup(qr_svg(enrolment.uri)) if enrolment else None,  # noqa: S704 -- made here, of numbers alone
        "codes": None,
        "sign_ins": sign_ins[:MOST],
        "has_more": len(sign_ins) > MOST,
        "is_first": before is None,
        "kinds": KINDS,
        "methods": METHODS,
        "alarming": ALARMING,
    }


def _factors(visit: Visit) -> SecondFactors:
    return SecondFactors(visit.database, Vault.of(visit.settings))


# ------------------------------------------------------------------------------------------------------- sessions


async def end_one(visit: Visit, sent: Sent) -> Done:
    await visit.api.delete(f"/sessions/{_id(sent)}", {"user_id": visit.viewer.user.id})
    return Done("", "That browser is signed out.")


async def end_others(visit: Visit, _sent: Sent) -> Done:
    user_id = visit.viewer.user.id
    ended = await end_sessions(visit.database, user_id, user_id, spared=visit.session_token)
    return Done("", f"{ended} other {'browser is' if ended == 1 else 'browsers are'} signed out.")


async def forget_browser(visit: Visit, sent: Sent) -> Done:
    await visit.api.delete(f"/trusted-browsers/{_id(sent)}")
    return Done("", "That browser is asked for the second factor again.")


def _id(sent: Sent) -> int:
    number = sent.id("id")
    if number is None:
        raise Invalid("id: expected the id of a record.")
    return number


# -------------------------------------------------------------------------------------------------- second factor


async def _ask(visit: Visit, method: str, path: str, body: Mapping[str, Any]) -> Any:
    """Raises Invalid in the words of a page."""
    try:
        return await visit.api.call(method, path, body)
    except Invalid as problem:
        raise Invalid.fields(in_plain_words(problem.errors)) if problem.errors else problem from None


def _password(sent: Sent) -> dict[str, str]:
    return {"current_password": sent.get("current_password")}


async def begin(visit: Visit, sent: Sent) -> Done:
    await _ask(visit, "POST", "/me/second-factor", _password(sent))
    return Done("")


async def confirm(visit: Visit, sent: Sent) -> Revealed:
    code = "".join(sent.get("code").split())
    shown = await _ask(visit, "POST", "/me/second-factor/confirm", {"code": code})
    return Revealed({"codes": shown["recovery_codes"]})


async def renew_codes(visit: Visit, sent: Sent) -> Revealed:
    shown = await _ask(visit, "POST", "/me/second-factor/recovery-codes", _password(sent))
    return Revealed({"codes": shown["recovery_codes"]})


async def switch_off(visit: Visit, sent: Sent) -> Done:
    await _ask(visit, "DELETE", "/me/second-factor", _password(sent))
    return Done("", "The second factor is switched off.")


SECURITY = Page(
    path="/me/security",
    title="Security",
    about="where you are signed in, to sign out one browser or all others; your second factor and its recovery codes;"
    " the browsers that are not asked for it; what happened at your sign-ins",
    template="pages/security.html",
    load=load_security,
    acts={
        "end": end_one,
        "end_others": end_others,
        "forget": forget_browser,
        "begin": begin,
        "confirm": confirm,
        "codes": renew_codes,
        "off": switch_off,
    },
    below="/me",
    is_personal=True,
)
