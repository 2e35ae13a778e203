"""Search in contacts and leads: words by their beginning, phones in any spelling, and only in what the caller sees."""

import pytest

from leadroutes.domain.search import plain_words, search_patterns
from tests.support.api import ask, create


@pytest.fixture
async def people(town):
    """Three contacts of Alice's; Mia has a lead on offer to Bob, Tom one that came with other names."""
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.route("alice")
    mia = await create(
        town, "alice", "/contacts",
        {"first_name": "Mia", "last_name": "O’Brien-Lund", "email": "Mia.Lund@Example.com", "tags": "Buyer, Hot one",
         "mobile_phone": "+1 (604) 555-0100"},
    )  # fmt: skip
    tom = await create(town, "alice", "/contacts", {"first_name": "José", "last_name": "Øye", "home_phone": "5550199"})
    await create(town, "alice", f"/contacts/{tom['id']}/addresses", {"street_address_1": "1080 West 1st Ave"})
    await create(town, "alice", "/contacts", {"first_name": "J.", "last_name": "Miaou", "tags": "buyer"})
    lead = await create(
        town, "alice", "/leads", {"contact_id": mia["id"], "source_id": 1, "street_address": "171 Shore Blvd E"}
    )
    await create(town, "alice", "/leads", {"contact_id": tom["id"], "distribute": False})
    return {"mia": mia, "tom": tom, "lead": lead}


CONTACTS = [
    ("mia", ["Mia", "J."]), ("MIA", ["Mia", "J."]), ("mia lund", ["Mia"]), ("lund mi", ["Mia"]), ("obrien", ["Mia"]),
    ("o'brien", ["Mia"]), ("brien", []), ("mia.lund", ["Mia"]), ("mia.lund@ex", ["Mia"]), ("example.com", ["Mia"]),
    ("lund@example.com", []), ("604 555 0100", ["Mia"]), ("6045550", ["Mia"]), ("604-555-01", ["Mia"]),
    ("+16045550100", ["Mia"]), ("555-0100", ["Mia"]), ("5550", ["Mia", "José"]), ("0100", []), ("jose", ["José"]),
    ("JOSÉ øy", ["José"]), ("1080 west", ["José"]), ("west ave", ["José"]), ("080", []), ("j", ["J."]),
    ("j. mia", ["J."]), ("", ["Mia", "José", "J."]), (" , ", ["Mia", "José", "J."]), ("zoe", []), ("mia zoe", []),
    ("' \\ & | : * ~ !", ["Mia", "José", "J."]), ("#buyer", []), ("1:mia", []), ("mia\0", ["Mia", "J."]),
    ("mia~'", ["Mia", "J."]), ("mia\\lund", ["Mia"]),
]  # fmt: skip


# rules: search
@pytest.mark.parametrize(("typed", "names"), CONTACTS)
async def test_contacts_are_found_by_the_beginning_of_words(people, town, typed, names):
    reply = await town.client("alice").get("/contacts", params={"$search": typed})
    assert reply.status_code == 200, reply.text
    assert [each["first_name"] for each in reply.json()["data"]] == names
    assert reply.json()["total"] == len(names)


@pytest.mark.parametrize(
    ("query", "names"),
    [("$tag=buyer", ["Mia", "J."]), ("$tag=HOT%20ONE", ["Mia"]), ("$tag=hot", []),
     ("$tag=hot+one&$search=mia", ["Mia"]), ("$tag=%00", []),
     ("$tag=nope&$tag=Buyer", ["Mia", "J."]),
     ("$search=mia&first_name=Mia", ["Mia"]), ("$tag='", [])],
)  # fmt: skip
# rules: tag
async def test_contacts_are_found_by_whole_tags(people, town, query, names):
    reply = await ask(town, "alice", "GET", f"/contacts?{query}")
    assert [each["first_name"] for each in reply.json["data"]] == names


@pytest.mark.parametrize(
    ("query", "count"),
    [("$search=shore", 1), ("$search=mia+171", 1), ("$search=mia", 1), ("$search=mia+jose", 0), ("$search=604555", 1),
     ("$tag=buyer", 1), ("$search=jose&lead_state=held", 1), ("$search=jose&lead_state=on+offer", 0), ("$search=", 2),
     ("$search=mia&lead_state[$in]=on+offer&lead_state[$in]=held", 1)],
)  # fmt: skip
async def test_leads_are_found_by_their_street_and_by_their_contact(people, town, query, count):
    reply = await ask(town, "alice", "GET", f"/leads?{query}")
    assert (reply.status, reply.json["total"], len(reply.json["data"])) == (200, count, count)


async def test_no_one_finds_anything_by_what_is_masked(people, town):
    """Bob was notified of Mia's lead: neither the name nor the street is shown."""
    assert (await ask(town, "bob", "GET", "/leads")).ids == [people["lead"]["id"]]
    for name in ("bob", "carol", "dave"):
        for typed in ("mia", "shore", "604555", "mia.lund@example.com"):
            assert (await ask(town, name, "GET", f"/leads?$search={typed}")).json["total"] == 0
            assert (await ask(town, name, "GET", f"/contacts?$search={typed}")).json["total"] == 0
        assert (await ask(town, name, "GET", "/leads?$tag=buyer")).json["total"] == 0

    await ask(town, "bob", "POST", f"/leads/{people['lead']['id']}/claim")

    for typed in ("mia", "shore", "604555", "mia+shore"):
        assert (await ask(town, "bob", "GET", f"/leads?$search={typed}")).ids == [people["lead"]["id"]]
    assert (await ask(town, "bob", "GET", "/contacts?$search=mia")).ids == [people["mia"]["id"]]
    await ask(town, "alice", "PATCH", f"/contacts/{people['mia']['id']}", json={"assigned_user_id": None})
    assert (await ask(town, "bob", "GET", "/leads?$search=mia")).ids == [], "the contact is no longer Bob's to see"
    assert (await ask(town, "bob", "GET", "/leads?$search=shore")).ids == [people["lead"]["id"]]


async def test_a_change_is_found_at_once(people, town):
    url = f"/contacts/{people['mia']['id']}"
    await ask(town, "alice", "PATCH", url, json={"first_name": "Ann", "tags": None})
    assert (await ask(town, "alice", "GET", "/contacts?$search=ann+lund")).ids == [people["mia"]["id"]]
    assert (await ask(town, "alice", "GET", "/contacts?$search=mia+obrien")).ids == [people["mia"]["id"]], "the e-mail"
    assert (await ask(town, "alice", "GET", "/contacts?$tag=buyer")).json["total"] == 1


@pytest.mark.parametrize(
    "query", ["$search[]=a", "$search[a]=b", "$search=" + "a+" * 11, "$search=" + "a" * 201, "$tag[a][b]=1"]
)
async def test_what_cannot_be_searched_for_is_refused(people, town, query):
    for path in ("/contacts", "/leads"):
        assert (await ask(town, "alice", "GET", f"{path}?{query}")).status == 400


async def test_other_lists_and_single_records_are_not_searched(people, town):
    for target in ("/tags?$search=a", f"/contacts/{people['mia']['id']}?$search=mia", "/leads?$or[0][$search]=a"):
        assert (await ask(town, "alice", "GET", target)).json["message"].startswith("Invalid query parameter $search")


@pytest.mark.parametrize("text", ["José O'Brien", "ÄÖÜß Øye ŁÓDŹ", "ﬁne ½ Ⅳ", "ΑΒΓ Привет 李", "a\u0301 ʼx’"])
async def test_the_database_and_the_domain_read_words_alike(database, text):
    words = await database.fetchval("SELECT search_words(7, ARRAY[$1], NULL, NULL, NULL)::text", text)
    assert words == " ".join(sorted({f"'7:{word}'" for word in plain_words(text).split()}))
    async with database.pool.acquire() as connection:
        await connection.execute("VACUUM ANALYZE contacts")


def test_a_pattern_has_a_place_for_the_owner_before_each_word():
    assert search_patterns("mia.lund 604 555") == [
        "('~604555':* | '~604':* & '~555':*)",
        "('~mia.lund':* | '~mia':* & '~lund':*)",
    ]
    assert search_patterns("x") == ["'~x'"]


async def test_words_of_any_length_and_any_blanks_are_stored(town):
    names = ["x" * 255, "\t\v\u00a0\u2003", ", , ;", "[]{}\\ ' ''"]
    for name in names:
        body = {"first_name": name, "email": name[:255], "tags": f",{name}, ,", "mobile_phone": "1" * 255}
        contact = await create(town, "alice", "/contacts", body)
        assert (await ask(town, "alice", "GET", f"/contacts?id={contact['id']}&$search=1111")).ids == [contact["id"]]
    assert (await ask(town, "alice", "GET", f"/contacts?$search={'x' * 150}")).json["total"] == 1
