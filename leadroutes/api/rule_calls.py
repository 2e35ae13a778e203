"""Calls for the rules of an account as a whole: their versions, and the rules as a document."""

import re
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.bodies import read_limited
from leadroutes.api.brackets import parse
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import encoded, read_nothing
from leadroutes.api.query import requested_page
from leadroutes.api.reads import id_in
from leadroutes.api.rule_names import load_names
from leadroutes.api.values import LARGEST_ID, quoted
from leadroutes.domain.document_text import UnreadableDocument, read_document, write_document
from leadroutes.domain.rule_document import MOST_SIZE, DocumentFault, RuleDocument, as_invalid
from leadroutes.domain.rule_records import Names
from leadroutes.errors import Invalid, NotFound
from leadroutes.rules.documents import export_rules, load_rules
from leadroutes.rules.versions import people_in, restore_version, sentences, templates_in
from leadroutes.sandbox.documents import READ_DOCUMENT, DocumentText
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.rule_versions import (
    ChangedRecords,
    RuleVersion,
    count_versions,
    find_version,
    list_versions,
    load_changes,
)

MOST_SENTENCES: Final = 100  # of one version in a list
SMALL: Final = 16_384  # bytes of a document that are read at once
FORMATS: Final = ("json", "yaml")
DOCUMENT: Final = {"type": "object", "description": "the rules as a document, in JSON or YAML, up to 1 MiB"}
FORMAT_PARAMETER: Final = ({
    "name": "format", "in": "query", "schema": {"enum": list(FORMATS)},
    "description": "json by default, yaml with Accept: application/yaml",
},)  # fmt: skip
SINCE_PARAMETER: Final = ({
    "name": "since", "in": "query", "schema": {"type": "integer"},
    "description": "the number of the version to compare with; the one before by default",
},)  # fmt: skip
LOAD_PARAMETERS: Final = tuple(
    {"name": name, "in": "query", "schema": {"type": "boolean", "default": False}, "description": about}
    for name, about in (
        ("dry_run", "say what would change, and change nothing"),
        ("prune", "remove what the document does not name"),
    )
)
_YAML: Final = re.compile(r"\b(application|text)/(x-)?yaml\b", re.IGNORECASE)
_NUMBER: Final = re.compile("[0-9]{1,19}", re.ASCII)


# ------------------------------------------------------------------------------------------------------- versions


async def show_versions(call: Call) -> Response:
    """GET /rules/versions: the versions of the caller's rules, newest first."""
    limit, skip = requested_page(call.request.query)
    call.require_json_accepted()
    owner_id, database = call.caller.user_id, call.context.database
    versions = await list_versions(database, owner_id, most=limit, skip=skip)
    total = await count_versions(database, owner_id)
    data = await shown_versions(database, owner_id, versions)
    return _answer({"total": total, "limit": limit, "skip": skip, "data": data})


async def shown_versions(database: Database, owner_id: int, versions: list[RuleVersion]) -> list[dict[str, Any]]:
    """Returns versions as the API answers them."""
    if not versions:
        return []
    users = {user_id for each in versions for user_id in people_in(each.changed)}
    templates = {template_id for each in versions for template_id in templates_in(each.changed)}
    names = await load_names(database, owner_id, user_ids=users, template_ids=templates)
    return [_version(each, sentences(each.changed, names)) for each in versions]


def _version(version: RuleVersion, changes: list[str]) -> dict[str, Any]:
    shown = changes[:MOST_SENTENCES]
    if len(changes) > len(shown) or not version.is_whole:
        more = f"{len(changes) - len(shown)} more changes" if version.is_whole else "more changes"
        shown.append(f"and {more}: see /rules/versions/{version.number}/changes")
    return {"number": version.number, "at": version.at, "user_id": version.user_id, "changes": shown}


async def show_version(call: Call) -> Response:
    """GET /rules/versions/:n."""
    owner_id, database = call.caller.user_id, call.context.database
    found = await _version_asked_for(call)
    call.require_json_accepted()
    changed = await load_changes(database, owner_id, after=found["previous"], until=found["number"])
    version = RuleVersion(found["number"], found["at"], found["user_id"], found["previous"], changed)
    [shown] = await shown_versions(database, owner_id, [version])
    return _answer(shown)


async def show_changes(call: Call) -> Response:
    """GET /rules/versions/:n/changes: the net difference from another version, by default the one before."""
    owner_id, database = call.caller.user_id, call.context.database
    found = await _version_asked_for(call)
    number = found["number"]
    since = await _since(call, found["previous"])
    call.require_json_accepted()
    older, newer = sorted((since, number))
    changed = await load_changes(database, owner_id, after=older, until=newer)
    if since > number:
        changed = {key: (after, before) for key, (before, after) in changed.items()}
    names = await names_for(database, owner_id, changed)
    return _answer({"number": number, "since": since, "changes": sentences(changed, names)})


async def _version_asked_for(call: Call) -> asyncpg.Record:
    """Returns the version that the address names. Raises NotFound, which comes before other faults of a request."""
    found = await find_version(call.context.database, call.caller.user_id, id_in(call.ids[0]))
    if found is None:
        raise NotFound.record(call.ids[0])
    return found


async def _since(call: Call, previous: int) -> int:
    given = parse(call.request.query).get("since") if call.request.query else None
    if given is None:
        return previous
    number = int(given) if isinstance(given, str) and _NUMBER.fullmatch(given) else 0
    is_possible = 0 < number <= LARGEST_ID
    found = await find_version(call.context.database, call.caller.user_id, number) if is_possible else None
    if found is None:
        message = f"since: {quoted(given)} was given; expected the number of a version"
        raise Invalid.fields({"since": message})
    return int(found["number"])


async def names_for(source: Database | Transaction, owner_id: int, changed: ChangedRecords) -> Names:
    """Returns the names that sentences about these changes need."""
    return await load_names(source, owner_id, user_ids=people_in(changed), template_ids=templates_in(changed))


async def restore(call: Call) -> Response:
    """POST /rules/versions/:n/restore: brings the rules of a version back."""
    await read_nothing(call)
    number = id_in(call.ids[0])
    await _version_asked_for(call)
    call.require_json_accepted()
    owner_id = call.caller.user_id

    async def work(transaction: Transaction) -> dict[str, Any]:
        async def load(changed: ChangedRecords) -> Names:
            return await names_for(transaction, owner_id, changed)

        act = act_of_call(call, owner_id, number)
        done = await restore_version(
            transaction, owner_id, number, load_names=load, by_user_id=call.caller.person_id, act=act
        )
        not_restored = [each._asdict() for each in done.not_restored]
        return {"rule_set": done.rule_set, "changes": done.changes, "not_restored": not_restored}

    return _answer(await call.context.database.run(work))


# ------------------------------------------------------------------------------------------------------- document


async def show_document(call: Call) -> Response:
    """GET /rules/document: the rules as a document, as JSON or YAML."""
    form = _form(call)
    owner_id = call.caller.user_id

    async def work(transaction: Transaction) -> RuleDocument:
        names = await load_names(transaction, owner_id, all_templates=True)
        return await export_rules(transaction, owner_id, names)

    document = await call.context.database.run(work)
    if form == "yaml":
        return Response(200, write_document(document).encode(), b"application/yaml; charset=utf-8")
    call.require_json_accepted()
    return Response(200, msgspec.json.encode(document.content))


def _form(call: Call) -> str:
    given = parse(call.request.query).get("format") if call.request.query else None
    if given is None:
        return "yaml" if _YAML.search(",".join(call.request.headers.get("accept", ()))) else "json"
    if given not in FORMATS:
        raise Invalid.fields({"format": f"format: {quoted(given)} was given; expected one of {', '.join(FORMATS)}"})
    return str(given)


async def put_document(call: Call) -> Response:
    """PUT /rules/document?dry_run=true&prune=true: makes the rules what the document says."""
    given = parse(call.request.query) if call.request.query else {}
    dry_run, prune = _flag(given, "dry_run"), _flag(given, "prune")
    data = await read_limited(call.request, MOST_SIZE, call.context.settings.body_timeout)
    call.require_json_accepted()
    owner_id = call.caller.user_id
    document = await read_sent_document(data, owner_id)
    act = act_of_call(call, owner_id)

    async def work(transaction: Transaction) -> dict[str, Any]:
        names = await load_names(transaction, owner_id, emails=document.people, all_templates=True)
        loaded = await load_rules(
            transaction, owner_id, document, names, prune=prune, dry_run=dry_run,
            by_user_id=call.caller.person_id, act=act,
        )  # fmt: skip
        return {"rule_set": loaded.rule_set, "is_dry_run": dry_run, "changes": loaded.changes}

    return _answer(await call.context.database.run(work))


async def read_sent_document(data: bytes, owner_id: int) -> RuleDocument:
    """Returns a document that someone has sent; large ones are read in the sandbox. Raises Invalid with its place."""
    if len(data) <= SMALL:
        try:
            return read_document(data)
        except UnreadableDocument as error:
            raise as_invalid([error.fault]) from None
    try:
        reading = await run_sandboxed(READ_DOCUMENT, DocumentText(data), owner=owner_id)
    except ComputationFailed as error:
        raise as_invalid([DocumentFault("", f"reading the document {error.reason}", 1, 1)]) from None
    if reading.document is None:
        raise as_invalid([reading.fault or DocumentFault("", "the document cannot be read", 1, 1)])
    return reading.document


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, "false")
    if value not in ("true", "false"):
        raise Invalid.fields({name: f"{name}: {quoted(value)} was given; expected true or false"})
    return bool(value == "true")


def _answer(value: Any) -> Response:
    return Response(200, encoded(value))
