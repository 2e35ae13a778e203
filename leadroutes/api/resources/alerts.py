"""How alerts reach a user: browsers that show notifications, and which channels for which kind of alert."""

from typing import Any

from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources.common import computed, record_id
from leadroutes.api.values import ChoiceList, Moment, NamedTexts, Text, TimeOfDay, quoted
from leadroutes.channels.push_encryption import browser_key, browser_secret
from leadroutes.channels.push_services import LONGEST, is_of_push_service
from leadroutes.domain.alerts import CHOICES, DEFAULTS, NOTICE
from leadroutes.errors import Invalid
from leadroutes.store.audit import note_act
from leadroutes.store.notifications import add_push_subscription, change_preferences
from leadroutes.store.postgres import Transaction

_KEYS = {"p256dh": browser_key, "auth": browser_secret}


class PushSubscriptionBehaviour(Behaviour):
    """A browser that is added once more gets its new keys; it shows notifications to whoever added it last."""

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        keys = writing.sent.get("keys")
        if not keys or "keys" in found:
            return {}
        expected = "keys: expected p256dh, a public key of P-256 in base64url, and auth, 16 bytes in base64url"
        if set(keys) != set(_KEYS):
            given = ", ".join(sorted(keys))
            return {"keys": f"keys: {quoted(given)} were given; {expected.removeprefix('keys: ')}"}
        for name, read in _KEYS.items():
            try:
                read(keys[name])
            except ValueError:
                return {"keys": f"{expected}; {name} is not one"}
        return {}

    async def create_through(self, context: Context, writing: Writing) -> int:
        endpoint: str = writing.sent["endpoint"]
        if not is_of_push_service(endpoint, context.settings.push_services):
            expected = "an https address of a known push service; LEADROUTES_PUSH_SERVICES adds others"
            raise Invalid.fields({"endpoint": f"endpoint: {quoted(endpoint)} was given; expected {expected}"})

        async def work(transaction: Transaction) -> int:
            added = await add_push_subscription(
                transaction, writing.caller.user_id, endpoint, writing.sent["keys"], writing.sent.get("browser")
            )
            note_act(transaction, writing.act, record_id=added)
            return added

        return await context.database.run(work)

    async def delete(self, writing: Writing) -> None:
        await writing.transaction.execute("DELETE FROM push_subscriptions WHERE id = $1", writing.id)


PUSH_SUBSCRIPTIONS = Resource(
    path="/push-subscriptions",
    noun="a push subscription",
    page_about="Browsers that show your alerts as notifications, by web push. A browser makes the endpoint and the keys"
    " (`PushSubscription.toJSON()`); the page Alerts does all of it. Of more than 20 the newest stay.",
    table="push_subscriptions",
    fields=(
        record_id(),
        Field("endpoint", Text(LONGEST), write=Write.ONCE, required=True, note="unique; of a known push service"),
        Field("keys", NamedTexts(200), write=Write.ONCE, required=True, column="", key="", filterable=False,
              note="p256dh and auth, as the browser gives them; never shown"),
        Field("browser", Text(100), write=Write.ONCE, note="such as Firefox on Windows"),
        computed("created_at", Moment(), "date_trunc('milliseconds', t.created_at)", null=False),
    ),
    methods="LGCD",
    visible="t.user_id = $1",
    changeable="true",
    owned=False,
    behaviour=PushSubscriptionBehaviour(),
)  # fmt: skip


class AlertPreferencesBehaviour(Behaviour):
    """Who has chosen nothing has a record, too: it shows what is done by default."""

    def rewrite(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {kind: [] for kind in CHOICES if kind in body and body[kind] is None}

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        sent = writing.sent
        if not {"quiet_from", "quiet_to"} & set(sent) or {"quiet_from", "quiet_to"} & set(found):
            return {}
        row = await writing.transaction.fetchrow(
            "SELECT quiet_from, quiet_to FROM alert_preferences WHERE user_id = $1", writing.id
        )
        begins, ends = (sent.get(name, row[name] if row else None) for name in ("quiet_from", "quiet_to"))
        if (begins is None) != (ends is None):
            missing = "quiet_to" if ends is None else "quiet_from"
            return {
                missing: f"{missing}: null was given; expected a time of day, as the other one has it, or both null"
            }
        if begins is not None and ends is not None and begins[:5] == ends[:5]:
            return {"quiet_to": f"quiet_to: {quoted(ends)} was given; expected another time than quiet_from"}
        return {}

    async def after_write(self, writing: Writing) -> None:
        assert writing.id is not None
        if writing.sent:
            await change_preferences(writing.transaction, writing.id, dict(writing.sent))


_NOTES = {
    "won": "a lead that you claim, or that is assigned to you; of an assigned one you hear in any case",
    "claimed": f"someone else has a lead that you were alerted about; {NOTICE}: over the channel of that alert",
    "unclaimed": "no one claimed a lead of your account in time",
    "replied": "a contact of yours has answered, or is to be called for a campaign",
    "digest": "your leads and tasks, every morning at 07:30",
}


def _chosen(kind: str) -> Field:
    default = "{" + ",".join(DEFAULTS[kind]) + "}"
    return Field(
        kind, ChoiceList(CHOICES[kind], may_be_empty=True), write=Write.LATER, null=False, column="",
        sql=f"coalesce(p.{kind}, '{default}')",
        filterable=False, note=f"{_NOTES[kind]}; [] or null: none",
    )  # fmt: skip


def _quiet(name: str, note: str) -> Field:
    return Field(name, TimeOfDay(), write=Write.LATER, column="", sql=f"p.{name}", filterable=False, note=note)


ALERT_PREFERENCES = Resource(
    path="/alert-preferences",
    noun="a record of alert preferences",
    page_about="Over which channels you get alerts, by kind; one record for each user, whose id is the user's. Offers"
    " go by the channels of the distribution option, and every alert also to the browsers in /push-subscriptions."
    " `push` in a list is for a kind that goes nowhere else. A text goes only to users with a phone.",
    table="users",
    source="users t LEFT JOIN alert_preferences p ON p.user_id = t.id",
    fields=(
        record_id(),
        *(_chosen(kind) for kind in CHOICES),
        _quiet("quiet_from", "from this time of day, in your time zone, alerts wait, except for offers; null: never"),
        _quiet("quiet_to", "until this time; it may be on the next morning"),
    ),
    methods="LGP",
    visible="t.id = $1",
    changeable="true",
    owned=False,
    behaviour=AlertPreferencesBehaviour(),
)

ALERT_RESOURCES = (PUSH_SUBSCRIPTIONS, ALERT_PREFERENCES)
