"""How alerts reach the user: by which channels, quiet time, notifications of browsers, and a test of each channel."""

from collections.abc import Mapping
from typing import Any

from leadroutes.channels import configured_channels
from leadroutes.domain.alerts import CHOICES, NOTICE
from leadroutes.engine.push_keys import load_push_keys
from leadroutes.errors import Conflict, Invalid, Misconfigured, NotFound
from leadroutes.security.vault import Vault
from leadroutes.store.notifications import add_test_message, list_push_subscriptions, list_test_messages
from leadroutes.store.postgres import Transaction
from leadroutes.store.sessions import list_sessions
from leadroutes.web.page import Done, Page, Stale, Visit, digest
from leadroutes.web.sent import Sent

KINDS = {
    "won": "You have claimed a lead, or were given one",
    "claimed": "Someone else has claimed a lead that you were alerted about",
    "unclaimed": "No one has claimed a lead of your account",
    "replied": "A contact of yours has answered, or is to be called",
    "digest": "Every morning at 7:30: your leads and tasks",
}
CHANNELS = {NOTICE: "as the alert came", "email": "E-mail", "text": "Text", "call": "Call", "push": "Notification"}
QUIET = ("quiet_from", "quiet_to")
TOO_SOON = "A test was sent a moment ago. Wait a minute before you send another one."
NOT_ALLOWED = "This browser did not give what notifications need. Try again, or use another browser."


async def load_alerts(visit: Visit) -> Mapping[str, Any]:
    user_id = visit.viewer.user.id
    preferences = await _preferences(visit)
    browsers = await visit.api.records("/push-subscriptions")
    return {
        "preferences": preferences,
        "kinds": KINDS,
        "choices": CHOICES,
        "channel_names": CHANNELS,
        "browsers": browsers,
        "public_key": await _public_key(visit),
        "testable": await _testable(visit),
        "tests": await list_test_messages(visit.database, user_id),
        "addresses": {"email": visit.viewer.email, "text": visit.viewer.phone, "call": visit.viewer.phone},
    }


async def _preferences(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = await visit.api.get(f"/alert-preferences/{visit.viewer.user.id}")
    return found


async def _public_key(visit: Visit) -> str | None:
    """Returns the key that a browser asks for; None where the service cannot read its own keys."""
    try:
        return (await load_push_keys(visit.database, Vault.of(visit.settings))).public_key
    except Misconfigured:
        return None


async def _testable(visit: Visit) -> list[str]:
    """Returns the channels that are configured, notifications where a browser shows them."""
    found = [each for each in CHANNELS if each in configured_channels(visit.settings)]
    return [*found, "push"] if await list_push_subscriptions(visit.database, visit.viewer.user.id) else found


# ---------------------------------------------------------------------------------------------------- preferences


async def save(visit: Visit, sent: Sent) -> Done:
    before = await _preferences(visit)
    if sent.get("seen") and sent.get("seen") != digest(before):
        raise Stale(before)
    chosen: dict[str, Any] = {kind: sent.all(kind) for kind in KINDS}
    quiet = {name: sent.text(name) for name in QUIET}
    try:
        await visit.api.patch(f"/alert-preferences/{visit.viewer.user.id}", chosen | quiet)
    except Invalid as problem:
        raise Invalid.fields({name: _plain(name, text) for name, text in problem.errors.items()}) from None
    return Done("", "It is saved.")


def _plain(name: str, text: str) -> str:
    if name not in QUIET:
        return text
    if "another time" in text:
        return "Choose an end that is not the beginning."
    return "Fill in both times, such as 22:00 and 07:00, or none."


# ------------------------------------------------------------------------------------------------------- browsers


async def allow(visit: Visit, sent: Sent) -> Done:
    """The script of the page has asked the browser, and sends what it gave."""
    sessions = await list_sessions(visit.database, visit.viewer.user.id, visit.session_token)
    browser = next((each["browser"] for each in sessions if each["is_current"]), None)
    body = {
        "endpoint": sent.get("endpoint"),
        "keys": {"p256dh": sent.get("p256dh"), "auth": sent.get("auth")},
        "browser": browser,
    }
    try:
        await visit.api.post("/push-subscriptions", body)
    except Invalid:
        raise Conflict(NOT_ALLOWED) from None
    return Done("", "Alerts are shown in this browser from now on. Send yourself a test.")


async def stop(visit: Visit, sent: Sent) -> Done:
    number = sent.id("id")
    if number is None:
        raise Invalid("id: expected the id of a browser.")
    try:
        await visit.api.delete(f"/push-subscriptions/{number}")
    except NotFound:
        return Done("", "That browser shows no alerts any more.")
    return Done("", "That browser shows no alerts any more.")


# ---------------------------------------------------------------------------------------------------------- tests


async def test(visit: Visit, sent: Sent) -> Done:
    """A message to oneself, over one channel, by the way that every alert goes."""
    channel = sent.get("channel")
    if channel not in await _testable(visit):
        raise Invalid("channel: expected one of the page's buttons.")

    async def work(transaction: Transaction) -> bool:
        return await add_test_message(transaction, visit.viewer.user.id, channel)

    if not await visit.database.run(work):
        raise Conflict(TOO_SOON)
    return Done("", "It is on its way. Look here again in a moment: the page says what became of it.")


ALERTS = Page(
    path="/me/alerts",
    title="Alerts",
    about="which alerts reach you by which channel, quiet time, the morning's digest; notifications of this browser,"
    " with what to do in each browser, and all browsers that show them; a test for each channel, with its outcome",
    template="pages/alerts.html",
    load=load_alerts,
    acts={"save": save, "allow": allow, "stop": stop, "test": test},
    below="/me",
    is_personal=True,
)
