"""Phone numbers of the installation, for administrators: whose texts come in where, and texts that belong to no one."""

from collections.abc import Mapping
from typing import Any

from leadroutes.store.phone_numbers import list_keys_for_numbers
from leadroutes.store.received_texts import list_unknown_texts
from leadroutes.web.forms import require_id
from leadroutes.web.page import Done, Page, Visit, administrators, change
from leadroutes.web.pages.people_words import name_of
from leadroutes.web.rendering import phone
from leadroutes.web.sent import Sent

MOST = 500  # numbers, users and intake keys to choose from
MOST_TEXTS = 50
NAME_KEYS = ("first_name", "last_name", "email")
NO_KEY = "no one"


async def load_phone_numbers(visit: Visit) -> Mapping[str, Any]:
    numbers = await visit.api.records("/phone-numbers", {"$sort[number]": 1}, most=MOST)
    users = await visit.api.records("/users", {"$select": ["id", *NAME_KEYS, "is_active"]}, most=MOST)
    names = {each["id"]: name_of(each) for each in users}
    active = [each["id"] for each in users if each["is_active"]]
    keys = await list_keys_for_numbers(visit.database, MOST)
    return {
        "numbers": [
            {"record": each, "shown": phone(each["number"]), "user": names.get(each["user_id"], "another user")}
            for each in numbers
        ],
        "users": [(user_id, name) for name, user_id in sorted((names[id_], id_) for id_ in active)],
        "keys": [("", NO_KEY), *((each["id"], _key_in_words(dict(each))) for each in keys)],
        "address": f"{visit.settings.public_url}/twilio/messages",
        "texts": await list_unknown_texts(visit.database, MOST_TEXTS),
    }


def _key_in_words(key: Mapping[str, Any]) -> str:
    return f"{key['owner_name']}: leads from {key['source']} ({key['id']})"


async def add(visit: Visit, sent: Sent) -> Done:
    made = await visit.api.post("/phone-numbers", {"number": sent.text("number"), **_whose(sent)})
    return Done("", f"The number {phone(made['number'])} is added.")


async def save(visit: Visit, sent: Sent) -> Done:
    await change(visit, f"/phone-numbers/{_on(sent)}", _whose(sent), sent.get("seen"))
    return Done("", "The number is saved.")


async def remove(visit: Visit, sent: Sent) -> Done:
    gone = await visit.api.delete(f"/phone-numbers/{_on(sent)}")
    return Done("", f"{phone(gone['number'])} belongs to everyone again. It stays in the provider's account.")


def _whose(sent: Sent) -> dict[str, int | None]:
    return {"user_id": sent.id("user_id"), "intake_key_id": sent.id("intake_key_id")}


def _on(sent: Sent) -> int:
    return require_id("on", sent.on, "the number of a record")


PHONE_NUMBERS = Page(
    path="/settings/phone-numbers",
    title="Phone numbers",
    about="for administrators: the numbers of the provider's account, whose texts come in at each, and through which"
    " intake address people who are not known become leads; texts that belong to no one",
    template="pages/phone_numbers.html",
    load=load_phone_numbers,
    acts={"add": add, "save": save, "remove": remove},
    may=administrators,
    below="/settings",
)
