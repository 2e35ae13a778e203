"""Who may see and do what, walked over every declaration: the owner, two agents, a stranger, tokens of every state.

The agents are met twice: as mere colleagues in a team, and where everything that can be shared is.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from leadroutes.api.openapi import document
from leadroutes.api.operations import OPERATIONS, Operation
from leadroutes.api.resource import Resource
from leadroutes.api.resources import RESOURCES
from leadroutes.api.values import Id
from tests.support.api import Reply, ask
from tests.support.catalog import Catalog
from tests.support.town import Town

VERBS = {"GET": "G", "HEAD": "G", "PATCH": "P", "PUT": "U", "DELETE": "D"}
NOWHERE = 999_999_999
EACH = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
PRIVATE = [each for each in OPERATIONS if not each.is_public]
EACH_CALL = pytest.mark.parametrize("operation", PRIVATE, ids=lambda each: f"{each.method} {each.path}")


def is_for_brokers(resource: Resource) -> bool:
    return resource.path == "/sub-accounts"


def address(catalog: Catalog, operation: Operation, *, nowhere: bool = False) -> str:
    """Where an operation is called on Alice's record, or on one that does not exist."""
    path, start = operation.path, ""
    while ":" in path:
        head, _, path = path.partition("/:")
        ids = [each["id"] for name, each in catalog.records.items() if name == re.sub(r"/\d+", "/:id", start + head)]
        start += f"{head}/{NOWHERE if nowhere or not ids else ids[0]}"
        path = path.partition("/")[1] + path.partition("/")[2]
    contact_id = NOWHERE if nowhere else catalog.records["/contacts"]["id"]
    query = f"?contact_id={contact_id}" if operation.path == "/campaigns/:id/preview" else ""
    return start + path + query


@cache
def described_scopes() -> dict[tuple[str, str], list[str]]:
    """What an application's token has to be good for, by method and path, as /openapi.json says."""
    description = json.loads(document("https://leads.example"))
    return {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path)): scopes["oauth2"]
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        for scopes in operation.get("security", description["security"])
        if "oauth2" in scopes
    }


def plain(reply: Reply) -> tuple[int, str]:
    """An answer without the ids in it."""
    return reply.status, re.sub(rb"\d+", b"#", reply.body).decode()


# ------------------------------------------------------------------------------------------------------- tokens


@EACH_CALL
async def test_without_a_good_token_every_call_is_401(catalog: Catalog, operation: Operation) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    town = catalog.town
    tokens = {
        "expired": await town.token("alice", expires_at=past),
        "revoked": await town.token("alice", revoked_at=past),
        "unknown": "0" * 40,
    }
    target = address(catalog, operation)
    anonymous = await ask(town, None, operation.method, target, json={})
    assert (anonymous.status, anonymous.json["message"]) == (401, "No access token")
    for state, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"}
        reply = await ask(town, None, operation.method, target, json={}, headers=headers)
        assert (reply.status, reply.json["message"]) == (401, "Invalid access token"), state


@EACH_CALL
async def test_a_token_that_reads_reads_all_and_changes_nothing(catalog: Catalog, operation: Operation) -> None:
    headers = {"Authorization": f"Bearer {await catalog.town.token('alice', 'read')}"}
    target = address(catalog, operation)
    reply = await ask(catalog.town, None, operation.method, target, json={}, headers=headers)

    described = described_scopes()[operation.method, re.sub(":[a-z]+", "{}", operation.path)]
    if operation.method != "GET":
        assert (reply.status, reply.json["message"]) == (403, "Insufficient scope")
        assert described == ["write"]
        return
    assert described == ["read"]
    owner = await ask(catalog.town, "alice", "GET", target)
    assert (reply.status, reply.body) == (owner.status, owner.body)
    assert reply.status == 200


# ----------------------------------------------------------------------------------------------------- a stranger


@pytest.mark.parametrize("manner", [{}, {"headers": {"Accept": "text/html"}}], ids=["as usual", "without JSON"])
@EACH_CALL
async def test_what_is_not_ones_own_answers_as_if_it_were_not_there(
    catalog: Catalog, operation: Operation, manner: dict[str, Any]
) -> None:
    if ":" not in operation.path:
        return
    there, nowhere = [
        await ask(catalog.town, "dave", operation.method, address(catalog, operation, nowhere=away), json={}, **manner)
        for away in (False, True)
    ]

    assert plain(there) == plain(nowhere)
    assert there.status == (403 if operation.path.startswith("/sub-accounts") else 404)


@EACH
async def test_no_total_counts_what_a_stranger_may_not_see(catalog: Catalog, resource: Resource) -> None:
    if resource.parent or resource.allowed_for:
        return
    page = (await ask(catalog.town, "dave", "GET", f"{resource.path}?$limit=1000")).json

    assert page["total"] == len(page["data"])
    assert catalog.records[resource.path]["id"] not in [record["id"] for record in page["data"]]
    assert (await ask(catalog.town, "dave", "GET", f"{resource.path}?$limit=0")).json["total"] == page["total"]


IDS = [
    (r, n) for r in RESOURCES if not (r.parent or r.allowed_for) for n, f in r.filters.items() if isinstance(f.kind, Id)
]


@pytest.mark.parametrize(("resource", "name"), IDS, ids=[f"{resource.path} {name}" for resource, name in IDS])
async def test_an_id_of_another_one_in_a_query_finds_nothing(catalog: Catalog, resource: Resource, name: str) -> None:
    record = (await ask(catalog.town, "alice", "GET", catalog.url(resource))).json
    each = resource.filters[name]
    value = record[each.answer_key]
    value = value["id"] if isinstance(value, dict) else value
    if value is None:
        return
    reply = await ask(catalog.town, "dave", "GET", f"{resource.path}?{name}={value}&id={record['id']}")

    assert (reply.status, reply.json["total"]) == (200, 0)


NAMING = [
    (resource, each.name)
    for resource in RESOURCES
    if "C" in resource.methods and not (resource.parent or resource.allowed_for)
    for each in resource.writeable
    if each.refers
]


@pytest.mark.parametrize(("resource", "name"), NAMING, ids=[f"{resource.path} {name}" for resource, name in NAMING])
async def test_naming_what_another_user_owns_is_the_same_fault_as_naming_nothing(catalog, resource, name) -> None:
    body = catalog.bodies[resource.path]
    named = body.get(name)
    if named is None:
        return
    foreign, missing = [
        await ask(catalog.town, "dave", "POST", resource.path, json=body | {name: value}) for value in (named, NOWHERE)
    ]

    assert foreign.status == missing.status == 400
    assert plain(foreign) == plain(missing)
    foreign_fault, missing_fault = foreign.json["errors"][name], missing.json["errors"][name]
    assert foreign_fault.replace(str(named), "#") == missing_fault.replace(str(NOWHERE), "#")


# ------------------------------------------------------------------------------------- agents: 404, 403, or may do it

UNSEEN, SEEN, MAY = "unseen", "seen", "may"  # may: sees it and changes it

# Of mere colleagues; everything that is not named is unseen.
COLLEAGUES: dict[str, dict[str, str]] = {
    "bob": {"/teams": SEEN, "/team-members": MAY, "/team-member-distribution-options": SEEN},
    "carol": {"/campaigns/:id/contacts": UNSEEN},
}
# Where Alice's team shares contacts, Bob has accepted, and Carol's account has all of its broker's that it can.
SHARED: dict[str, dict[str, str]] = {
    "bob": {
        "/teams": SEEN, "/team-members": MAY, "/team-member-distribution-options": SEEN,
        "/contacts": MAY, "/contacts/:id/addresses": MAY, "/events": SEEN, "/events/:id/properties": SEEN,
        "/consents": SEEN,
        "/leads": SEEN, "/contact-communications": MAY,
    },
    "carol": {
        "/lead-sources": SEEN, "/hotnesses": SEEN, "/custom-fields": SEEN,
        "/campaigns": SEEN, "/campaigns/:id/actions": SEEN, "/campaigns/:id/contacts": MAY,
        "/contacts": MAY, "/contacts/:id/addresses": MAY, "/events": SEEN, "/events/:id/properties": SEEN,
        "/consents": SEEN,
        "/leads": SEEN, "/contact-communications": MAY,
    },
}  # fmt: skip
# What may be added to by whoever sees the parent.
OPEN_BELOW = {"/contacts/:id/addresses", "/campaigns/:id/contacts", "/events/:id/properties"}
# Whoever changes it may still not remove it.
NOT_REMOVED = {"/contacts"}


@pytest.fixture(scope="session")
async def open_catalog(open_town: Town) -> Catalog:
    """The same records, and everything about them shared."""
    catalog = await Catalog.build(open_town)
    town = open_town
    switches = await town.database.fetch(
        "SELECT column_name AS name FROM information_schema.columns"
        " WHERE table_name = 'sub_accounts' AND data_type = 'boolean'"
    )
    for change in (
        "UPDATE teams SET is_contact_resource_sharing_enabled = true WHERE name = 'North Side'",
        "UPDATE team_members SET request_status = 'Accepted', is_sharing_accepted = true",
        "UPDATE campaigns SET is_broker_sharing_on = true",
        "UPDATE sub_accounts SET " + ", ".join(f"{row['name']} = true" for row in switches),
    ):
        await town.database.execute(change)
    return catalog


@pytest.mark.parametrize("name", ["bob", "carol"])
@EACH
async def test_a_mere_colleague_sees_what_the_contract_says(catalog: Catalog, resource: Resource, name: str) -> None:
    await walk(catalog, resource, name, COLLEAGUES[name].get(resource.path, UNSEEN))


@pytest.mark.parametrize("name", ["bob", "carol"])
@EACH
async def test_who_is_shared_with_sees_what_the_contract_says(open_catalog, resource: Resource, name: str) -> None:
    await walk(open_catalog, resource, name, SHARED[name].get(resource.path, UNSEEN))


async def walk(catalog: Catalog, resource: Resource, name: str, standing: str) -> None:
    """Every verb of the resource, by this person, on Alice's record."""
    town, record_id = catalog.town, catalog.records[resource.path]["id"]
    expected = {UNSEEN: 404, SEEN: 200, MAY: 200}[standing] if not is_for_brokers(resource) else 403
    for method in ("GET", "HEAD"):
        assert (await ask(town, name, method, catalog.url(resource))).status == expected, method
    listed = await ask(town, name, "GET", f"{catalog.urls[resource.path]}?$limit=1000")
    if listed.status == 200:
        assert (record_id in listed.ids) == (standing != UNSEEN)
        assert listed.json["total"] == len(listed.ids)
    else:
        assert listed.status == expected
    for method in ("PATCH", "PUT", "DELETE"):
        if VERBS[method] not in resource.methods:
            continue
        if standing == MAY and not (method == "DELETE" and resource.path in NOT_REMOVED):
            if method == "PATCH":
                assert (await ask(town, name, method, catalog.url(resource), json={})).status == 200
            continue
        reply = await ask(town, name, method, catalog.url(resource), json=_body(catalog, resource))
        assert reply.status == (403 if standing != UNSEEN or is_for_brokers(resource) else 404), (method, reply.body)
    assert (await ask(town, "alice", "GET", catalog.url(resource))).status == 200, "it is still there"


def _body(catalog: Catalog, resource: Resource) -> dict[str, Any]:
    return catalog.bodies.get(resource.path, {})


@pytest.mark.parametrize("name", ["bob", "carol", "dave"])
@EACH
async def test_no_one_adds_below_what_they_do_not_manage(open_catalog: Catalog, resource: Resource, name: str) -> None:
    """Whoever sees a contact or a campaign may go on with it; the rest is its owner's."""
    if not resource.parent or "C" not in resource.methods or resource.path == "/leads/:id/offers":
        return
    town, parent = open_catalog.town, resource.parent.path
    standing = SHARED.get(name, {}).get(parent, UNSEEN)
    if resource.path in OPEN_BELOW and standing != UNSEEN:
        return
    reply = await ask(town, name, "POST", open_catalog.urls[resource.path], json=_body(open_catalog, resource))

    assert reply.status == (404 if standing == UNSEEN else 403), reply.body
