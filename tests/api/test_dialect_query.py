"""Sections 5 to 9 of the dialect: reading the query string, operators, values by type, lists, ids. A row, a case."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.support.api import ask

BIG = 10**25


@pytest.fixture(scope="session")
async def library(shared):
    """Fay's contacts a to e, teams t0, t5 and t10 and routes r and s; ids by these names."""
    town = shared
    await town.add_user("fay")
    ids = {
        "h1": await town.insert("hotnesses", owner_id=town.users["fay"], name="Hot", rank=1),
        "h2": await town.insert("hotnesses", owner_id=town.users["fay"], name="Cold", rank=None),
    }
    people = {
        "a": {"first_name": "Ann", "email": "Ann@Example.com", "company": None, "hotness_id": ids["h1"]},
        "b": {"first_name": "ann", "email": "bo@example.com", "company": "", "hotness_id": None},
        "c": {"first_name": "Zoë", "email": None, "company": "1,2", "hotness_id": ids["h2"]},
        "d": {"first_name": None, "email": "", "company": "Ann ", "hotness_id": ids["h2"]},
        "e": {"first_name": "Team Rollout", "email": "ÄH@example.com", "company": "%zz%FF", "hotness_id": ids["h2"]},
    }
    for year, (name, columns) in enumerate(people.items(), 2018):
        moment = datetime(year, 1, 16, 12, 12, 12, 345000, tzinfo=UTC)
        ids[name] = await town.contact("fay", last_name=name, **columns, created_at=moment, modified_at=moment)
    for minutes in (0, 5, 10):
        ids[f"t{minutes}"] = await town.insert(
            "teams", owner_id=town.users["fay"], name=f"T{minutes}", mins_until_next_alert=minutes,
            is_contact_resource_sharing_enabled=minutes == 5,
        )  # fmt: skip
    ids["r"] = await town.route("fay", team_id=ids["t5"])
    ids["s"] = await town.route(
        "fay", team_id=None, distribution_target="Myself", team_selection_method=None, filter="", lead_source_id=3
    )
    return ids


CONTACTS = [
    # -- 5 reading the query string
    ("5.1", "first_name=Team%20Rollout", "e"),
    ("5.1", "first_name=Team+Rollout", "e"),
    ("5.1", "first_name=Zo%C3%AB", "c"),
    ("5.2", "last_name%5B%24ne%5D=a&first_name%5B$in%5D=Ann", ""),
    ("5.2", "last_name[%24ne]=a", "bcde"),
    ("5.2", "last_name%5b$ne]=a", "bcde"),
    ("5.3", "company=%zz%FF", "e"),
    ("5.3", "company=%25zz%FF", "e"),
    ("5.3", "first_name=%FF", ""),
    ("5.4", "&&last_name=a&&", "a"),
    ("5.4", "=1&last_name=a", "a"),
    ("5.4", "__proto__[x]=1&__proto__=2&last_name=a", "a"),
    ("5.5", "company", "b"),
    ("5.5", "company=", "b"),
    ("5.7", "last_name=a&last_name=b", "ab"),
    ("5.7", "last_name[]=a&last_name[]=b", "ab"),
    ("5.7", "last_name[0]=a&last_name[7]=b", "ab"),
    ("5.7", "last_name[0]=a&last_name[0]=b", "ab"),
    ("5.7", "last_name[$in][]=a&last_name[$in][]=b", "ab"),
    ("5.7", "last_name[$in][3]=a&last_name[$in][12345]=b", "ab"),
    ("5.7", "last_name[$in][x]=a&last_name[$in][y]=b", "ab"),
    ("5.8", "&".join(["last_name=a"] * 1000), "a"),
    ("5.8 long", "last_name=a&first_name[$ne]=" + "x" * 8000, "a"),
    ("5.9", "$or[0][$and][0][last_name][$in]=a", "a"),
    # -- 6 operators
    ("6.1", "last_name=b", "b"),
    ("6.1 and", "last_name=b&first_name=Ann", ""),
    ("6.3", "first_name[$ne]=Ann", "bce"),
    ("6.4", "last_name[$ne]=a&last_name[$ne]=b", "bcde"),
    ("6.5", "last_name[$in]=c", "c"),
    ("6.6", "last_name[$in]=c&last_name[$in]=d", "cd"),
    ("6.6", "last_name[$in][0]=c&last_name[$in][1]=d", "cd"),
    ("6.7", "last_name[$in]=", ""),
    ("6.7", "last_name[$in][]=", ""),
    ("6.8", "first_name[$nin]=Ann", "bce"),
    ("6.8", "first_name[$nin]=Ann&first_name[$nin]=ann", "ce"),
    ("6.8", "first_name[$nin][]=Ann&first_name[$nin][]=ann", "ce"),
    ("6.8", "hotness_id[$nin]=999999", "acde"),
    ("6.9", "first_name[$nin]=", "abcde"),
    ("6.9", "first_name[$nin][]=", "abcde"),
    ("6.10", "", "abcde"),
    ("6.11", "last_name[$lt]=c", "ab"),
    ("6.11", "last_name[$lte]=c", "abc"),
    ("6.11", "last_name[$gt]=c", "de"),
    ("6.11", "last_name[$gte]=c", "cde"),
    ("6.11 null", "first_name[$gte]=", "abce"),
    ("6.12", "last_name[$gt]=a&last_name[$lt]=d", "bc"),
    ("6.12", "last_name[$gt]=a&last_name[$ne]=c", "bde"),
    ("6.13", "$or[0][last_name]=a&$or[1][last_name][$gt]=d", "ae"),
    ("6.13", "$or[][last_name]=a&$or[][first_name]=ann", "ab"),
    ("6.13", "$or[0][last_name]=a&$or[0][first_name]=ann&$or[1][last_name]=b", "b"),
    ("6.13 and", "$or[0][last_name]=a&$or[1][last_name]=b&first_name=ann", "b"),
    ("6.14", "$and[0][last_name][$gt]=a&$and[1][last_name][$lt]=c", "b"),
    ("6.14", "$and[0][$or][0][last_name]=a&$and[0][$or][1][last_name]=b&$and[1][first_name]=Ann", "a"),
    ("6.14", "$or[0][$and][0][last_name]=a&$or[0][$and][1][first_name]=Ann&$or[1][last_name]=e", "ae"),
    ("6.19", "company[$in]=1,2", "c"),
    ("6.19", "company=1,2", "c"),
    # -- 7 values by type
    ("7.1", "hotness_id={h1}", "a"),
    ("7.1", "hotness_id=00{h1}.000", "a"),
    ("7.1", f"hotness_id={BIG}", ""),
    ("7.1", f"hotness_id=-{BIG}", ""),
    ("7.1", f"hotness_id[$ne]={BIG}", "acde"),
    ("7.1", f"hotness_id[$lt]={BIG}", "acde"),
    ("7.1", f"hotness_id[$gt]={BIG}", ""),
    ("7.1", f"hotness_id[$gte]=-{BIG}", "acde"),
    ("7.1", f"hotness_id[$in]={BIG}&hotness_id[$in]={{h1}}", "a"),
    ("7.1", f"hotness_id[$nin]={BIG}", "acde"),
    ("7.1", "hotness_id=" + "9" * 5000, ""),
    ("7.2", "first_name=ANN", ""),
    ("7.2", "company=Ann", ""),
    ("7.2", "company=Ann%20", "d"),
    ("7.2 nul", "company=%00", ""),
    ("7.2 nul", "company[$ne]=%00", "bcde"),
    ("7.2 nul", "last_name[$lt]=c%00", "abc"),
    ("7.2 nul", "last_name[$gte]=c%00", "de"),
    ("7.2 nul", "last_name[$in]=c%00&last_name[$in]=b", "b"),
    ("7.3", "email=ann@example.com", "a"),
    ("7.3", "email=ANN@EXAMPLE.COM", "a"),
    ("7.3", "email[$in]=ANN@EXAMPLE.COM&email[$in]=BO@example.com", "ab"),
    ("7.3", "email[$nin]=ANN@EXAMPLE.COM", "bde"),
    ("7.3", "email[$ne]=ANN@EXAMPLE.COM", "bde"),
    ("7.3", "email=%C3%84H@EXAMPLE.com", "e"),
    ("7.5", "created_at=2018-01-16T12:12:12.345Z", "a"),
    ("7.5", "created_at=2018-01-16T14:12:12.345%2B02:00", "a"),
    ("7.5", "created_at=2018-01-16T14:12:12.345+02:00", "a"),
    ("7.5", "created_at[$gt]=2020-01-16T12:12:12.345", "de"),
    ("7.5", "created_at[$gte]=2020-01-16&created_at[$lt]=2021-01-17", "cd"),
    ("7.5", "created_at[$in]=2018-01-16T12:12:12.345Z", "a"),
    ("7.7", "first_name[$gt]=Z", "bc"),
    ("7.7", "first_name[$lt]=Zo", "ae"),
    ("7.8", "hotness_id=null", "b"),
    ("7.8", "hotness_id=", "b"),
    ("7.8", "hotness_id", "b"),
    ("7.9", "company=null", "a"),
    ("7.9", "email=null", "c"),
    ("7.9", "email=", "d"),
    ("7.10", "company[$ne]=null", "bcde"),
    ("7.10", "hotness_id[$ne]=null", "acde"),
    ("7.10", "hotness_id[$ne]=", "acde"),
    ("7.10", "company[$ne]=", "cde"),
    ("7.11", "hotness_id[$in]=null&hotness_id[$in]={h1}", "a"),
    ("7.11", "hotness_id[$in]=null", ""),
    ("7.11", "hotness_id[$nin]=null", "abcde"),
    ("7.11", "hotness_id[$nin]=null&hotness_id[$nin]={h1}", "cde"),
    # -- 8 order
    ("8.10", "", "abcde"),
    ("8.11", "$sort[last_name]=-1", "edcba"),
    ("8.11", "$sort[hotness_id]=1&$sort[last_name]=-1", "baedc"),
    ("8.11", "$sort[hotness_id]=-1&$sort[last_name]=1", "cdeab"),
    ("8.12", "$sort[company]=1", "abecd"),
    ("8.12", "$sort[company]=-1", "dceba"),
    ("8.12", "$sort[first_name]=1", "daecb"),
    ("8.12 ties", "$sort[hotness_id]=-1", "cdeab"),
    ("8.13 as sent", "%24sort%5Blast_name%5D=-1", "edcba"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "query", "expected"), CONTACTS, ids=[f"{row} {q[:60]}" for row, q, _ in CONTACTS])
async def test_a_query_finds_what_its_row_says(shared, library, row, query, expected):
    query = query.replace("{h1}", str(library["h1"])).replace("{{", "{").replace("}}", "}")
    reply = await ask(shared, "fay", "GET", f"/contacts?{query}")

    assert reply.status == 200, reply.body
    assert reply.ids == [library[name] for name in expected]
    assert reply.json["total"] == len(expected)


OTHERS = [
    ("6.11", "/teams?mins_until_next_alert[$gt]=2&mins_until_next_alert[$lt]=10", ["t5"]),
    ("6.12", "/teams?mins_until_next_alert[$gte]=5&mins_until_next_alert[$ne]=10", ["t5"]),
    ("7.4", "/teams?is_contact_resource_sharing_enabled=true", ["t5"]),
    ("7.4", "/teams?is_contact_resource_sharing_enabled=0", ["t0", "t10"]),
    ("7.4", "/teams?is_contact_resource_sharing_enabled[$ne]=1", ["t0", "t10"]),
    ("7.6", "/teams?order_method=rank", []),
    ("7.6", "/teams?order_method=Nonsense", []),
    ("7.6", "/teams?order_method[$in]=Rank&order_method[$in]=x", ["t0", "t5", "t10"]),
    ("7.6", "/lead-routes?distribution_target=", []),
    ("7.8", "/lead-routes?team_selection_method=null", ["s"]),
    ("7.8", "/lead-routes?team_selection_method=", ["s"]),
    ("7.9", "/lead-routes?filter=", ["s"]),
    ("7.9", "/lead-routes?filter=null", ["r"]),
    ("4.1", "/lead-routes?distribution_target=Myself", ["s"]),
    ("4.1", "/lead-routes?distribution_target[$ne]=Team%20Rollout", ["s"]),
    ("4.1", "/lead-routes?$limit=2", ["r", "s"]),
    ("4.1", "/lead-routes?distribution_target=Team+Rollout&$limit=2&$skip=0", ["r"]),
    ("4.1", "/lead-routes?lead_source_id[$in]=1", ["r"]),
    ("4.1", "/lead-routes?lead_source_id[$nin]=1", ["s"]),
    ("12.6", "/lead-routes?team_id={t5}", ["r"]),
    ("13.5", "/lead-routes?team_id=1", []),
    ("8.10 hotnesses", "/hotnesses", ["h2", "h1"]),
]


@pytest.mark.parametrize(("row", "target", "expected"), OTHERS, ids=[f"{row} {t}" for row, t, _ in OTHERS])
async def test_other_types_are_compared_as_their_rows_say(shared, library, row, target, expected):
    reply = await ask(shared, "fay", "GET", target.replace("{t5}", str(library["t5"])))

    assert reply.status == 200, reply.body
    assert reply.ids == [library[name] for name in expected]


REFUSED = [
    ("5.8", "&".join(["last_name=a"] * 1001), None),
    ("5.9", "a[b=1", None),
    ("5.9", "last_name[$in]x=1", None),
    ("5.9", "[]=1", None),
    ("5.9", "[x]=1", None),
    ("5.9", "last_name[a][b][c][d][e][f]=1", None),
    ("6.15", "$or=1", None),
    ("6.15", "$or[last_name]=1", None),
    ("6.15", "$or[0]=1", None),
    ("6.15", "$and=1", None),
    ("6.15", "$and[last_name]=1", None),
    ("6.16", "$not=1", "$not"),
    ("6.16", "$nor=1", "$nor"),
    ("6.16", "last_name[$like]=a", "$like"),
    ("6.16", "last_name[$regex]=a", "$regex"),
    ("6.16", "$populate=x", "$populate"),
    ("6.16", "$foo=1", "$foo"),
    ("6.16", "last_name[$foo]=1", "$foo"),
    ("6.16", "last_name[$eq]=1", "$eq"),
    ("6.16", "$or[0][$limit]=1", "$limit"),
    ("6.16", "$or[0][$sort][id]=1", "$sort"),
    ("6.16", "$or[0][$select]=id", "$select"),
    ("6.17", "nope=1", "nope"),
    ("6.17", "limit=2", "limit"),
    ("6.17", "skip=2", "skip"),
    ("6.17", "constructor=1", "constructor"),
    ("6.17", "addresses=1", "addresses"),
    ("6.17", "custom_fields=1", "custom_fields"),
    ("6.17", "last_name[word]=a", "last_name[word]"),
    ("6.17", "$or[0][nope]=1", "nope"),
    ("6.17", "Last_Name=a", "Last_Name"),
    ("6.17", "oauth_client_id=1", "oauth_client_id"),
    ("6.18", "last_name=1&last_name[$ne]=2", None),
    ("6.18", "last_name[$ne]=2&last_name=1", None),
    ("8.7", "$limit=abc", None),
    ("8.7", "$limit=", None),
    ("8.7", "$limit=null", None),
    ("8.7", "$limit=-1", None),
    ("8.7", "$limit=+1", None),
    ("8.7", "$limit[a]=2", None),
    ("8.7", "$skip=-1", None),
    ("8.7", "$skip=x", None),
    ("8.7", f"$skip={2**53}", None),
    ("8.13", "$sort[last_name]=desc", None),
    ("8.13", "$sort[last_name]=2", None),
    ("8.13", "$sort[last_name]=", None),
    ("8.13", "$sort[last_name]", None),
    ("8.13", "$sort[last_name]=1&$sort[last_name]=-1", None),
    ("8.13", "$sort[nope]=1", None),
    ("8.13", "$sort[addresses]=1", None),
    ("8.13", "$sort=id", None),
    ("8.13", "$sort[]=id", None),
    ("8.15", "$select=nope", None),
    ("8.15", "$select=", None),
    ("8.15", "$select[$in]=id", None),
    ("8.15", "$select[0][x]=id", None),
]


@pytest.mark.parametrize(("row", "query", "named"), REFUSED, ids=[f"{row} {q[:60]}" for row, q, _ in REFUSED])
@pytest.mark.parametrize("method", ["GET", "GET record", "PATCH"])
async def test_a_query_that_cannot_be_meant_is_400(shared, library, row, query, named, method):
    """On a record's path as well (9.4), but for paging and order, which are ignored there."""
    is_ignored = method != "GET" and query.startswith(("$limit", "$skip", "$sort"))
    target = "/contacts" if method == "GET" else f"/contacts/{library['a']}"
    reply = await ask(shared, "fay", method.partition(" ")[0], f"{target}?{query}", json={})
    if is_ignored:
        assert reply.status == 200
        return

    assert (reply.status, reply.json["name"]) == (400, "BadRequest")
    if named is not None:
        assert reply.json["message"] == f"Invalid query parameter {named}"
        assert reply.json["data"]


async def test_6_16_data_is_the_query_as_read(shared, library):
    reply = await ask(shared, "fay", "GET", "/contacts?first_name[$in][]=a&first_name[$in][]=b&$foo=1&x[0]=2")

    assert reply.json["data"] == {"first_name": {"$in": ["a", "b"]}, "$foo": "1", "x": ["2"]}


BAD_VALUES = [
    ("6.19", "/contacts", "hotness_id[$in]=1,2"),
    ("7.1", "/contacts", "hotness_id=1abc"),
    ("7.1", "/contacts", "hotness_id=abc"),
    ("7.1", "/contacts", "hotness_id=1.5"),
    ("7.1", "/contacts", "hotness_id=%2B1"),
    ("7.1", "/contacts", "hotness_id=%201"),
    ("7.1", "/contacts", "hotness_id=%D9%A1"),
    ("7.4", "/teams", "is_contact_resource_sharing_enabled=yes"),
    ("7.4", "/teams", "is_contact_resource_sharing_enabled=TRUE"),
    ("7.4", "/teams", "is_contact_resource_sharing_enabled[$in]=true&is_contact_resource_sharing_enabled[$in]=2"),
    ("7.5", "/contacts", "created_at=yesterday"),
    ("7.5", "/contacts", "created_at=2018-02-30"),
    ("7.5", "/contacts", "created_at=2018-01-16T12:12"),
    ("7.5", "/contacts", "created_at=0001-01-01T00:00:00%2B05:00"),
    ("7.5", "/contacts", "created_at[$gt]=1516104732"),
    ("7.12", "/contacts", "created_at=null"),
    ("7.12", "/contacts", "id[$ne]=null"),
    ("7.12", "/contacts", "id="),
    ("7.12", "/contacts", "hotness_id[$lt]=null"),
    ("7.12", "/contacts", "hotness_id[$gte]="),
    ("7.12", "/contacts", "company[$lt]=null"),
    ("7.12", "/teams", "name=null"),
    ("7.12", "/teams", "is_contact_resource_sharing_enabled=null"),
    ("7.12", "/lead-routes", "distribution_target=null"),
    ("6.11 list", "/contacts", "last_name[$lt]=a&last_name[$lt]=b"),
]


@pytest.mark.parametrize(("row", "path", "query"), BAD_VALUES, ids=[f"{row} {q}" for row, _, q in BAD_VALUES])
async def test_a_value_that_breaks_its_row_is_400_and_names_the_field(shared, library, row, path, query):
    for target in (f"{path}?{query}", f"{path}/1?{query}"):
        reply = await ask(shared, "fay", "GET", target)
        assert reply.status == 400
        assert list(reply.json["errors"]) == [query.partition("=")[0].partition("[")[0]]


PAGES = [
    ("8.3", "", 10, 0, "abcde"),
    ("8.4", "$limit=5000", 1000, 0, "abcde"),
    ("8.4", "$limit=" + "9" * 500, 1000, 0, "abcde"),
    ("8.5", "$limit=0", 0, 0, ""),
    ("8.6", "$limit=2.7", 2, 0, "ab"),
    ("8.6", "$limit=2abc", 2, 0, "ab"),
    ("8.6", "$limit=1e3", 1, 0, "a"),
    ("8.6", "$limit=02", 2, 0, "ab"),
    ("8.6", "$skip=3x", 10, 3, "de"),
    ("8.8", "$limit=2&$limit=3", 2, 0, "ab"),
    ("8.8", "$limit[]=2", 2, 0, "ab"),
    ("8.8", "$limit[0]=2&$limit[1]=3", 2, 0, "ab"),
    ("8.8", "$skip=2&$skip=3", 10, 2, "cde"),
    ("8.9", "$skip=77", 10, 77, ""),
    ("8.7", f"$skip={2**53 - 1}", 10, 2**53 - 1, ""),
    ("8.2", "$limit=2&$skip=1", 2, 1, "bc"),
]


@pytest.mark.parametrize(("row", "query", "limit", "skip", "page"), PAGES, ids=[f"{c[0]} {c[1][:40]}" for c in PAGES])
async def test_a_page_is_cut_and_echoed_as_its_row_says(shared, library, row, query, limit, skip, page):
    reply = await ask(shared, "fay", "GET", f"/contacts?{query}")

    assert list(reply.json) == ["total", "limit", "skip", "data"]
    assert (reply.json["total"], reply.json["limit"], reply.json["skip"]) == (5, limit, skip)
    assert reply.ids == [library[name] for name in page]


SELECTED = [
    ("8.14", "/lead-routes", "$select[]=filter&$select[]=priority", {"id", "filter", "priority"}),
    ("8.14", "/lead-routes", "$select=filter", {"id", "filter"}),
    ("8.14", "/lead-routes", "$select[0]=filter&$select[x]=priority", {"id", "filter", "priority"}),
    ("8.15", "/lead-routes", "$select=team_id", {"id", "team"}),
    ("8.15", "/lead-routes", "$select=team", {"id", "team"}),
]


@pytest.mark.parametrize(("row", "path", "query", "keys"), SELECTED, ids=[f"{c[0]} {c[2]}" for c in SELECTED])
async def test_selected_keys_and_id_are_answered(shared, library, row, path, query, keys):
    listed = await ask(shared, "fay", "GET", f"{path}?{query}")
    record = await ask(shared, "fay", "GET", f"{path}/{library['r']}?{query}")

    assert all(set(each) == keys for each in listed.json["data"])
    assert set(record.json) == keys


async def test_8_16_select_works_on_writes_and_5_10_the_rest_is_ignored_on_post(shared):
    made = await ask(shared, "erin", "POST", "/hotnesses?$select=name&nope=1&x[y=2&$limit=x", json={"name": "H"})
    assert (made.status, set(made.json)) == (201, {"id", "name"})
    url = f"/hotnesses/{made.json['id']}?$select=rank"
    for method in ("PATCH", "PUT", "DELETE"):
        reply = await ask(shared, "erin", method, url, json={"name": "H"})
        assert (reply.status, set(reply.json)) == (200, {"id", "rank"})
    refused = await ask(shared, "erin", "POST", "/hotnesses?$select=nope", json={"name": "H"})
    assert refused.status == 400


IDS = [
    ("9.1", "0{a}", None),
    ("9.1", "000000000000000000000000000{a}", None),
    *(("9.2", segment, segment) for segment in (
        "abc", "1abc", "1.0", "-1", "%201", "null", "undefined", "0", "999999", "9" * 30, "1%20", "+1", "%31"
    )),
]  # fmt: skip


@pytest.mark.parametrize(("row", "segment", "shown"), IDS, ids=[f"{row} {s}" for row, s, _ in IDS])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "PUT"])
async def test_an_id_is_digits_and_all_else_is_nobodys(shared, library, row, segment, shown, method):
    if shown is None and method in ("DELETE", "PUT"):
        return
    target = f"/contacts/{segment.replace('{a}', str(library['a']))}"
    reply = await ask(shared, "fay", method, target, json={})

    if shown is None:
        assert (reply.status, reply.json["id"]) == (200, library["a"])
        return
    assert (reply.status, reply.json["name"]) == (404, "NotFound")
    assert reply.json["message"] == f"No record found for id '{shown}'"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_9_3_a_query_on_a_record_must_hold_for_it(shared, library, method):
    url = f"/contacts/{library['a']}"
    reply = await ask(shared, "fay", method, f"{url}?last_name=b", json={"first_name": "Changed"})

    assert (reply.status, reply.json["message"]) == (404, f"No record found for id '{library['a']}'")
    held = await ask(shared, "fay", "GET", f"{url}?last_name=a&$limit=x&$skip=-1&$sort=z")
    assert (held.status, held.json["first_name"]) == (200, "Ann")


async def test_9_5_the_parent_is_checked_first_and_its_id_stands_in_the_message(shared, catalog, library):
    contact, address = catalog.records["/contacts"]["id"], catalog.records["/contacts/:id/addresses"]["id"]
    cases = (
        (f"/contacts/999/addresses/{address}", "999"),
        (f"/contacts/abc/addresses/{address}", "abc"),
        (f"/contacts/{contact}/addresses/999", "999"),
        (f"/contacts/{contact}/addresses/x", "x"),
    )
    for target, shown in cases:
        for method in ("GET", "PATCH", "DELETE"):
            reply = await ask(shared, "alice", method, target, json={})
            assert (reply.status, reply.json["message"]) == (404, f"No record found for id '{shown}'")
    other = await ask(shared, "alice", "POST", "/contacts", json={})
    reply = await ask(shared, "alice", "GET", f"/contacts/{other.json['id']}/addresses/{address}")
    assert reply.status == 404
    assert (await ask(shared, "alice", "DELETE", f"/contacts/{other.json['id']}")).status == 200


async def test_10_000_characters_of_any_kind_are_never_a_fault_of_ours(shared, library):
    for text in ("\U0001f600" * 2500, "'\";--", "\\", "%", "_", "\x01", "{}", "$1", "\u2028"):
        reply = await ask(shared, "fay", "GET", f"/contacts?first_name={quote(text)}&company[$in]={quote(text)}")
        assert (reply.status, reply.json["total"]) == (200, 0)
