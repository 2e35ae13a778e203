"""Every field of every resource, walked by its declaration: null, empty, the longest text, the form of numbers."""

from typing import Any

import pytest

from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources import BY_PATH, RESOURCES
from leadroutes.api.values import Choice, DecimalText, Id, Integer, Moment, Nested, Text, Texts
from tests.support.api import Reply, ask
from tests.support.catalog import Catalog

FILTERS = [(resource, name) for resource in RESOURCES for name in resource.filters]
PATCHED = [
    (resource, each)
    for resource in RESOURCES
    if "P" in resource.methods and resource.path != "/team-members"  # one's own status alone; tested with the teams
    for each in resource.writeable
    if each.write is Write.ALWAYS and each.answer_key
]
OF_THE_USER = ("timezone",)  # by default
GIVEN_BY_SERVER = ("created_at", "modified_at")  # sent as null, they are as if not sent

# What has to be so for the field to be looked at alone: it depends on others, and they on it.
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    ("/lead-routes", "team_id"): {"team_selection_method": None},
    ("/campaigns/:id/actions", "delay_by_days"): {"timing_type": "Delay by Day and Time", "dispatch_time": "09:00"},
    ("/campaigns/:id/actions", "dispatch_time"): {"timing_type": "Delay by Day and Time", "delay_by_days": 1},
    ("/campaigns/:id/actions", "delay_by_seconds"): {"timing_type": "Delay by Minutes"},
    ("/campaigns/:id/actions", "dispatch_datetime"): {"timing_type": "Exact Date and Time"},
    ("/campaigns/:id/actions", "recurrence"): {"type": "Agent Task - No Reminder", "timing_type": "Recurring",
                                               "template_id": None},
    ("/time-off", "ends_at"): {"starts_at": "2018-01-01"},
    ("/signatures", "text_body"): {"html_body": "<b>Alice</b>"},
    ("/signatures", "html_body"): {"text_body": "Alice"},
}  # fmt: skip
NEEDED = {  # by another field that goes with them: null is a fault, though another value there has them null
    ("/delegates", "team_id"),
    *(
        ("/campaigns/:id/actions", name)
        for name in ("delay_by_days", "dispatch_time", "delay_by_seconds", "dispatch_datetime", "recurrence")
    ),
}


def each_of(pairs: list[tuple[Resource, Any]]) -> pytest.MarkDecorator:
    names = [f"{resource.path} {getattr(each, 'name', each)}" for resource, each in pairs]
    return pytest.mark.parametrize(("resource", "field"), pairs, ids=names)


async def patch(catalog: Catalog, resource: Resource, each: Field, value: Any) -> Reply:
    body = BESIDE.get((resource.path, each.name), {}) | {each.name: value}
    return await ask(catalog.town, "alice", "PATCH", catalog.url(resource), json=body)


def answered(reply: Reply, each: Field) -> Any:
    value = reply.json[each.answer_key]
    return value["id"] if isinstance(value, dict) and each.refers else value


def must_name(reply: Reply, each: Field) -> None:
    assert (reply.status, reply.json["name"]) == (400, "BadRequest"), reply.body
    assert each.name in reply.json["errors"], reply.body


# -------------------------------------------------------------------------------------- queries


@each_of(FILTERS)
# rules: filter-null, filter-null-text, filter-not-null, null-in-a-set, null-that-cannot-be
async def test_the_forms_of_null_in_a_query(catalog, resource, field):
    """`f=null`, and `f=` and `f` on fields that are not text; `$ne`; fields that are never null."""
    each, url = resource.filters[field], f"{catalog.urls[resource.path]}?$limit=1000&"

    async def found(query: str) -> Reply:
        return await ask(catalog.town, "alice", "GET", url + query)

    is_text = each.kind.is_text
    for query in (f"{field}[$lt]=null", f"{field}[$gte]=null"):
        must_name_query(await found(query), field)
    if not each.nullable:
        for query in (f"{field}=null", f"{field}[$ne]=null"):
            must_name_query(await found(query), field)
        return
    everything = await found("")
    absent = await found(f"{field}=null")
    present = await found(f"{field}[$ne]=null")
    assert sorted(absent.ids + present.ids) == sorted(everything.ids)
    assert all(record[each.answer_key] is None for record in absent.json["data"])
    assert all(record[each.answer_key] is not None for record in present.json["data"])
    for query in (f"{field}=", field):
        assert (await found(query)).ids == ([] if is_text else absent.ids)
    assert (await found(f"{field}[$ne]=")).ids == present.ids
    assert (await found(f"{field}[$in]=null")).ids == []
    assert (await found(f"{field}[$nin]=null")).ids == everything.ids


def must_name_query(reply: Reply, name: str) -> None:
    assert (reply.status, list(reply.json["errors"])) == (400, [name]), reply.body


# --------------------------------------------------------------------------------------- bodies


@each_of(PATCHED)
# rules: required-fields
async def test_null_is_taken_where_the_field_may_be_null_and_nowhere_else(spare_catalog, resource, field):
    reply = await patch(spare_catalog, resource, field, None)

    if field.nullable and (resource.path, field.name) not in NEEDED:
        assert reply.status == 200, reply.body
        assert answered(reply, field) in (None, []) or isinstance(field.kind, Nested) or field.name == "rank"
    elif field.name not in GIVEN_BY_SERVER and field.name != "rank":
        must_name(reply, field)


NO_TEXT = [
    pair
    for pair in PATCHED
    if not pair[1].kind.is_text and not isinstance(pair[1].kind, Nested | Texts) and pair[1].nullable
]


@each_of(NO_TEXT)
# rules: empty-is-null
async def test_the_empty_string_is_null_in_json_and_in_forms(spare_catalog, resource, field):
    reply = await patch(spare_catalog, resource, field, "")
    url = spare_catalog.url(resource)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    by_form = await ask(spare_catalog.town, "alice", "PATCH", url, body=f"{field.name}=".encode(), headers=form)

    if (resource.path, field.name) in NEEDED:
        must_name(reply, field)
        return
    assert (reply.status, by_form.status) == (200, 200), by_form.body
    expected = 1 if field.name == "rank" and "option" in resource.path else None
    assert answered(reply, field) == answered(by_form, field) == expected


REFERENCES = [pair for pair in PATCHED if pair[1].refers and pair[1].nullable]


@each_of(REFERENCES)
# rules: zero-is-null
async def test_nought_is_null_on_a_reference(spare_catalog, resource, field):
    for value in (0, "0", "000", 0.0):
        reply = await patch(spare_catalog, resource, field, value)
        if (resource.path, field.name) in NEEDED:
            must_name(reply, field)
            continue
        assert (reply.status, answered(reply, field)) == (200, None), reply.body


@each_of([pair for pair in PATCHED if pair[1].refers])
# rules: references
async def test_a_reference_names_what_exists(spare_catalog, resource, field):
    for value in (987_654_321, "987654321", -1, 2**63, 10**25):
        must_name(await patch(spare_catalog, resource, field, value), field)


TEXTS = [pair for pair in PATCHED if isinstance(pair[1].kind, Text) and pair[1].kind.limit]
FORMED = {  # not any text will do
    ("/campaigns/:id/actions", "recurrence"), ("/tags", "content"),
    ("/users", "email"), ("/users", "phone"), ("/users", "timezone"), ("/imports", "received_at"),
    ("/webhooks", "url"), ("/availabilities", "timezone"),
}  # fmt: skip


@each_of(TEXTS)
# rules: text-length
async def test_the_longest_text_fits_and_one_character_more_does_not(spare_catalog, resource, field):
    limit = field.kind.limit
    must_name(await patch(spare_catalog, resource, field, "é" * (limit + 1)), field)
    if (resource.path, field.name) not in FORMED:
        reply = await patch(spare_catalog, resource, field, "é" * limit)
        assert (reply.status, answered(reply, field)) == (200, "é" * limit), reply.body


@each_of([pair for pair in PATCHED if isinstance(pair[1].kind, Text)])
# rules: body-texts
async def test_a_number_is_taken_as_text_where_the_contract_says_so(spare_catalog, resource, field):
    reply = await patch(spare_catalog, resource, field, 98112)

    if field.kind.takes_number:
        assert (reply.status, answered(reply, field)) == (200, "98112"), reply.body
        assert answered(await patch(spare_catalog, resource, field, 12.5), field).lstrip("0") == "12.5"
    else:
        must_name(reply, field)


NUMBERS = [
    pair for pair in PATCHED if isinstance(pair[1].kind, Integer) and not isinstance(pair[1].kind, Id)
]  # fmt: skip


@each_of(NUMBERS)
# rules: body-integers, integer-limits
async def test_whole_numbers_come_as_numbers_and_as_digits_of_32_bits(spare_catalog, resource, field):
    kind = field.kind
    most = min(kind.most, 100_000)
    for value, number in ((kind.least, kind.least), (most, most), (str(most), most), (f"0{most}", most)):
        reply = await patch(spare_catalog, resource, field, value)
        assert reply.status == 200, reply.body
        if not field.name.startswith("mins_"):  # another field may set those to nought
            assert answered(reply, field) == number
    for value in (kind.least - 1, kind.most + 1, str(kind.most + 1), "1e1", "0x1", " 1", "+1", "1.0", 1.5):
        must_name(await patch(spare_catalog, resource, field, value), field)


@each_of([pair for pair in PATCHED if isinstance(pair[1].kind, Choice)])
# rules: body-choices
async def test_a_word_is_taken_as_it_is_written_and_no_other(spare_catalog, resource, field):
    for word in field.kind.words:
        for wrong in (word.upper(), word.lower(), f"{word} ", f" {word}", ""):
            if wrong in field.kind.words or (wrong == "" and field.nullable):
                continue
            must_name(await patch(spare_catalog, resource, field, wrong), field)


@each_of([pair for pair in PATCHED if isinstance(pair[1].kind, Moment) and pair[1].name != "paused_until"])
# rules: body-moments
async def test_moments_are_stored_to_the_millisecond_and_answered_in_utc(spare_catalog, resource, field):
    for sent, expected in (
        ("2018-01-16", "2018-01-16T00:00:00.000Z"),
        ("2018-01-16T12:12:12", "2018-01-16T12:12:12.000Z"),
        ("2018-01-16T12:12:12.3456Z", "2018-01-16T12:12:12.345Z"),
        ("2018-01-16T12:12:12-08:00", "2018-01-16T20:12:12.000Z"),
    ):
        reply = await patch(spare_catalog, resource, field, sent)
        assert (reply.status, answered(reply, field)) == (200, expected), reply.body


@each_of([pair for pair in PATCHED if isinstance(pair[1].kind, DecimalText)])
async def test_decimals_are_answered_as_they_were_written(spare_catalog, resource, field):
    for sent, expected in (("100500.90", "100500.90"), (100500, "100500"), (100500.5, "100500.5"), ("0.00", "0.00")):
        assert answered(await patch(spare_catalog, resource, field, sent), field) == expected
    for wrong in ("1,000", "$5", "1.", ".5", "1e3", "NaN"):
        must_name(await patch(spare_catalog, resource, field, wrong), field)


READ_ONLY = [resource for resource in RESOURCES if "P" in resource.methods and resource.path != "/team-members"]


@pytest.mark.parametrize("resource", READ_ONLY, ids=lambda resource: resource.path)
# rules: read-only-fields
async def test_what_the_server_sets_is_dropped_silently(spare_catalog, resource):
    before = await ask(spare_catalog.town, "alice", "GET", spare_catalog.url(resource))
    written = {each.name for each in resource.writeable} | {"reminder_type"}
    body = {name: value for name in before.json if name not in written for value in (["nonsense"],)}
    after = await ask(spare_catalog.town, "alice", "PATCH", spare_catalog.url(resource), json=body)

    assert body
    assert (after.status, after.json) == (200, before.json)


# What PUT needs beside what is required, and what depends on it.
REPLACED = {
    "/campaigns/:id/actions": {"type": "Agent Task - No Reminder", "timing_type": "Delay by Minutes",
                               "delay_by_seconds": 0},
    "/lead-routes": {"distribution_target": "Myself"},
    "/team-member-distribution-options": {"assign_automatically": False},
    "/custom-fields": {"data_type": "Text"}, "/templates": {"template_type": "Email"},
    "/tasks": {"action_type": "None", "status": "complete"},
}  # fmt: skip


@pytest.mark.parametrize("path", [resource.path for resource in RESOURCES if "U" in resource.methods])
# rules: put
async def test_put_gives_what_is_not_sent_its_default_or_null(spare_catalog, path):
    resource, catalog = BY_PATH[path], spare_catalog
    before = (await ask(catalog.town, "alice", "GET", catalog.url(resource))).json
    body = dict(REPLACED.get(path, {}))
    for each in resource.writeable:
        if each.required and each.write is not Write.LATER and each.name not in body:
            value = before[each.answer_key]
            body[each.name] = value["id"] if isinstance(value, dict) else value
    reply = await ask(catalog.town, "alice", "PUT", catalog.url(resource), json=body)

    assert reply.status == 200, reply.body
    for each in resource.writeable:
        value = answered(reply, each)
        if each.name in body:
            assert value == body[each.name]
        elif each.name not in (*GIVEN_BY_SERVER, *OF_THE_USER, "rank", "custom_fields") and each.write is Write.ALWAYS:
            assert value == each.default, each.name
    assert (await ask(catalog.town, "alice", "GET", catalog.url(resource))).json == reply.json
