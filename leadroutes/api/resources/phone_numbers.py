"""Phone numbers of the provider's account: whose texts come in there, and what becomes of people who are not known."""

from typing import Any

from leadroutes.api.auth import Caller
from leadroutes.api.behaviour import Behaviour, Errors, Writing
from leadroutes.api.call import Context
from leadroutes.api.resource import Field, Reference, Resource, Write
from leadroutes.api.resources.common import created_at, record_id
from leadroutes.api.resources.users import IS_ADMIN
from leadroutes.api.values import Id, Text, quoted
from leadroutes.channels.envelope import DeliveryError
from leadroutes.domain.identity import normal_phone
from leadroutes.errors import Invalid, Unavailable
from leadroutes.store import phone_numbers as store
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Transaction


def _is_personal(caller: Caller) -> bool:
    return caller.application_id is None


class PhoneNumberBehaviour(Behaviour):
    """A number is one of the account's; it becomes the system_phone of its user."""

    def normalize(self, record: dict[str, Any]) -> Errors:
        given = record["number"]
        record["number"] = normal_phone(given)
        if record["number"] is not None:
            return {}
        return {"number": f"number: {quoted(given)} was given; expected a phone number such as +13035550100"}

    async def validate(self, writing: Writing, found: Errors) -> Errors:
        """Checks that the intake key is the user's; of a number that changes hands it is not taken along."""
        record, before = writing.record, writing.before
        if before is not None and before["owner_id"] != record["owner_id"] and "intake_key_id" not in writing.sent:
            record["intake_key_id"] = None
        key_id = record["intake_key_id"]
        if key_id is None or found.keys() & {"user_id", "intake_key_id"}:
            return {}
        if await store.has_intake_key(writing.transaction, record["owner_id"], key_id):
            return {}
        message = f"intake_key_id: {key_id} was given; expected an intake key of the user {record['owner_id']}"
        return {"intake_key_id": message}

    async def create_through(self, context: Context, writing: Writing) -> int:
        """Asks the provider first, outside of any transaction."""
        record = writing.record
        await _require_own_number(context, record["number"])

        async def work(transaction: Transaction) -> int:
            new_id = await store.add_phone_number(
                transaction, record["owner_id"], record["number"], record["intake_key_id"]
            )
            note_act(transaction, writing.act, record_id=new_id)
            return new_id

        return await context.database.run(work)

    async def after_write(self, writing: Writing) -> None:
        await store.set_system_phone(writing.transaction, writing.record["owner_id"], writing.record["number"])

    async def after_delete(self, writing: Writing) -> None:
        assert writing.before is not None
        await store.set_system_phone(writing.transaction, None, writing.before["number"])


async def _require_own_number(context: Context, number: str) -> None:
    """Raises Invalid for a number that is not the account's, and Unavailable where the provider does not say."""
    try:
        numbers = await context.numbers.load(must_have=number)
    except DeliveryError as error:
        raise Unavailable(f"The numbers of the account are not known: {error.reason}", retry_after=30) from error
    if numbers is None:
        expected = "a number of the provider's account, which is not configured (LEADROUTES_TWILIO_ACCOUNT)"
    elif any(each.number == number for each in numbers):
        return
    else:
        expected = f"one of the provider's account: {', '.join(each.number for each in numbers) or 'it has none'}"
    raise Invalid.fields({"number": f"number: {number} was given; expected {expected}"})


PHONE_NUMBERS = Resource(
    path="/phone-numbers",
    is_audited_in_full=True,
    noun="a phone number",
    page_about="Numbers of the account at the provider of texts and calls, for administrators: each with the user whose"
    " texts come in there, whose `system_phone` it becomes. With an intake key, people who are not known become leads.",
    table="phone_numbers",
    fields=(
        record_id(),
        Field("number", Text(45), write=Write.ONCE, required=True, note="one of the account's, in E.164"),
        Field("user_id", Id(), write=Write.ALWAYS, required=True, column="owner_id",
              refers=Reference("/users", "an active user",
                               "EXISTS (SELECT FROM users u WHERE u.id = {value} AND u.is_active)")),
        Field("intake_key_id", Id(), write=Write.ALWAYS, note="of the same user; null: no leads"),
        created_at(),
    ),
    methods="LGCPD",
    visible=IS_ADMIN,
    changeable=IS_ADMIN,
    creatable=IS_ADMIN,
    allowed_for=_is_personal,
    unique="The number has a user already",
    behaviour=PhoneNumberBehaviour(),
)  # fmt: skip
