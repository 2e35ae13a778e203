"""The dialect: reading the query string, operators, values by type, lists, ids. A row, a case."""

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
    # -- reading the query string
    ("query-decoding", "first_name=Team%20Rollout", "e"),
    ("query-decoding", "first_name=Team+Rollout", "e"),
    ("query-decoding", "first_name=Zo%C3%AB", "c"),
    ("brackets-encoded-or-not", "last_name%5B%24ne%5D=a&first_name%5B$in%5D=Ann", ""),
    ("brackets-encoded-or-not", "last_name[%24ne]=a", "bcde"),
    ("brackets-encoded-or-not", "last_name%5b$ne]=a", "bcde"),
    ("broken-escapes", "company=%zz%FF", "e"),
    ("broken-escapes", "company=%25zz%FF", "e"),
    ("broken-escapes", "first_name=%FF", ""),
    ("empty-parts", "&&last_name=a&&", "a"),
    ("empty-parts", "=1&last_name=a", "a"),
    ("empty-parts", "__proto__[x]=1&__proto__=2&last_name=a", "a"),
    ("name-alone", "company", "b"),
    ("name-alone", "company=", "b"),
    ("list-forms", "last_name=a&last_name=b", "ab"),
    ("list-forms", "last_name[]=a&last_name[]=b", "ab"),
    ("list-forms", "last_name[0]=a&last_name[7]=b", "ab"),
    ("list-forms", "last_name[0]=a&last_name[0]=b", "ab"),
    ("list-forms", "last_name[$in][]=a&last_name[$in][]=b", "ab"),
    ("list-forms", "last_name[$in][3]=a&last_name[$in][12345]=b", "ab"),
    ("list-forms", "last_name[$in][x]=a&last_name[$in][y]=b", "ab"),
    ("parameter-limit", "&".join(["last_name=a"] * 1000), "a"),
    ("parameter-limit long", "last_name=a&first_name[$ne]=" + "x" * 8000, "a"),
    ("nesting-limit", "$or[0][$and][0][last_name][$in]=a", "a"),
    # -- operators
    ("equal", "last_name=b", "b"),
    ("equal and", "last_name=b&first_name=Ann", ""),
    ("not-equal", "first_name[$ne]=Ann", "bce"),
    ("first-of-several-ne", "last_name[$ne]=a&last_name[$ne]=b", "bcde"),
    ("in-one", "last_name[$in]=c", "c"),
    ("in", "last_name[$in]=c&last_name[$in]=d", "cd"),
    ("in", "last_name[$in][0]=c&last_name[$in][1]=d", "cd"),
    ("in-nothing", "last_name[$in]=", ""),
    ("in-nothing", "last_name[$in][]=", ""),
    ("not-in", "first_name[$nin]=Ann", "bce"),
    ("not-in", "first_name[$nin]=Ann&first_name[$nin]=ann", "ce"),
    ("not-in", "first_name[$nin][]=Ann&first_name[$nin][]=ann", "ce"),
    ("not-in", "hotness_id[$nin]=999999", "acde"),
    ("not-in-nothing", "first_name[$nin]=", "abcde"),
    ("not-in-nothing", "first_name[$nin][]=", "abcde"),
    ("in-that-is-not-sent", "", "abcde"),
    ("comparisons", "last_name[$lt]=c", "ab"),
    ("comparisons", "last_name[$lte]=c", "abc"),
    ("comparisons", "last_name[$gt]=c", "de"),
    ("comparisons", "last_name[$gte]=c", "cde"),
    ("comparisons null", "first_name[$gte]=", "abce"),
    ("several-operators", "last_name[$gt]=a&last_name[$lt]=d", "bc"),
    ("several-operators", "last_name[$gt]=a&last_name[$ne]=c", "bde"),
    ("or", "$or[0][last_name]=a&$or[1][last_name][$gt]=d", "ae"),
    ("or", "$or[][last_name]=a&$or[][first_name]=ann", "ab"),
    ("or", "$or[0][last_name]=a&$or[0][first_name]=ann&$or[1][last_name]=b", "b"),
    ("or and", "$or[0][last_name]=a&$or[1][last_name]=b&first_name=ann", "b"),
    ("and", "$and[0][last_name][$gt]=a&$and[1][last_name][$lt]=c", "b"),
    ("and", "$and[0][$or][0][last_name]=a&$and[0][$or][1][last_name]=b&$and[1][first_name]=Ann", "a"),
    ("and", "$or[0][$and][0][last_name]=a&$or[0][$and][1][first_name]=Ann&$or[1][last_name]=e", "ae"),
    ("comma", "company[$in]=1,2", "c"),
    ("comma", "company=1,2", "c"),
    # -- values by type
    ("filter-integers", "hotness_id={h1}", "a"),
    ("filter-integers", "hotness_id=00{h1}.000", "a"),
    ("filter-integers", f"hotness_id={BIG}", ""),
    ("filter-integers", f"hotness_id=-{BIG}", ""),
    ("filter-integers", f"hotness_id[$ne]={BIG}", "acde"),
    ("filter-integers", f"hotness_id[$lt]={BIG}", "acde"),
    ("filter-integers", f"hotness_id[$gt]={BIG}", ""),
    ("filter-integers", f"hotness_id[$gte]=-{BIG}", "acde"),
    ("filter-integers", f"hotness_id[$in]={BIG}&hotness_id[$in]={{h1}}", "a"),
    ("filter-integers", f"hotness_id[$nin]={BIG}", "acde"),
    ("filter-integers", "hotness_id=" + "9" * 5000, ""),
    ("filter-texts", "first_name=ANN", ""),
    ("filter-texts", "company=Ann", ""),
    ("filter-texts", "company=Ann%20", "d"),
    ("filter-texts nul", "company=%00", ""),
    ("filter-texts nul", "company[$ne]=%00", "bcde"),
    ("filter-texts nul", "last_name[$lt]=c%00", "abc"),
    ("filter-texts nul", "last_name[$gte]=c%00", "de"),
    ("filter-texts nul", "last_name[$in]=c%00&last_name[$in]=b", "b"),
    ("filter-emails", "email=ann@example.com", "a"),
    ("filter-emails", "email=ANN@EXAMPLE.COM", "a"),
    ("filter-emails", "email[$in]=ANN@EXAMPLE.COM&email[$in]=BO@example.com", "ab"),
    ("filter-emails", "email[$nin]=ANN@EXAMPLE.COM", "bde"),
    ("filter-emails", "email[$ne]=ANN@EXAMPLE.COM", "bde"),
    ("filter-emails", "email=%C3%84H@EXAMPLE.com", "e"),
    ("filter-moments", "created_at=2018-01-16T12:12:12.345Z", "a"),
    ("filter-moments", "created_at=2018-01-16T14:12:12.345%2B02:00", "a"),
    ("filter-moments", "created_at=2018-01-16T14:12:12.345+02:00", "a"),
    ("filter-moments", "created_at[$gt]=2020-01-16T12:12:12.345", "de"),
    ("filter-moments", "created_at[$gte]=2020-01-16&created_at[$lt]=2021-01-17", "cd"),
    ("filter-moments", "created_at[$in]=2018-01-16T12:12:12.345Z", "a"),
    ("filter-text-order", "first_name[$gt]=Z", "bc"),
    ("filter-text-order", "first_name[$lt]=Zo", "ae"),
    ("filter-null", "hotness_id=null", "b"),
    ("filter-null", "hotness_id=", "b"),
    ("filter-null", "hotness_id", "b"),
    ("filter-null-text", "company=null", "a"),
    ("filter-null-text", "email=null", "c"),
    ("filter-null-text", "email=", "d"),
    ("filter-not-null", "company[$ne]=null", "bcde"),
    ("filter-not-null", "hotness_id[$ne]=null", "acde"),
    ("filter-not-null", "hotness_id[$ne]=", "acde"),
    ("filter-not-null", "company[$ne]=", "cde"),
    ("null-in-a-set", "hotness_id[$in]=null&hotness_id[$in]={h1}", "a"),
    ("null-in-a-set", "hotness_id[$in]=null", ""),
    ("null-in-a-set", "hotness_id[$nin]=null", "abcde"),
    ("null-in-a-set", "hotness_id[$nin]=null&hotness_id[$nin]={h1}", "cde"),
    # -- order
    ("default-order", "", "abcde"),
    ("sort", "$sort[last_name]=-1", "edcba"),
    ("sort", "$sort[hotness_id]=1&$sort[last_name]=-1", "baedc"),
    ("sort", "$sort[hotness_id]=-1&$sort[last_name]=1", "cdeab"),
    ("ties-and-nulls", "$sort[company]=1", "abecd"),
    ("ties-and-nulls", "$sort[company]=-1", "dceba"),
    ("ties-and-nulls", "$sort[first_name]=1", "daecb"),
    ("ties-and-nulls ties", "$sort[hotness_id]=-1", "cdeab"),
    ("sort-that-cannot-be as sent", "%24sort%5Blast_name%5D=-1", "edcba"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "query", "expected"), CONTACTS, ids=[f"{row} {q[:60]}" for row, q, _ in CONTACTS])
async def test_a_query_finds_what_its_row_says(shared, library, row, query, expected):
    query = query.replace("{h1}", str(library["h1"])).replace("{{", "{").replace("}}", "}")
    reply = await ask(shared, "fay", "GET", f"/contacts?{query}")

    assert reply.status == 200, reply.body
    assert reply.ids == [library[name] for name in expected]
    assert reply.json["total"] == len(expected)


OTHERS = [
    ("comparisons", "/teams?mins_until_next_alert[$gt]=2&mins_until_next_alert[$lt]=10", ["t5"]),
    ("several-operators", "/teams?mins_until_next_alert[$gte]=5&mins_until_next_alert[$ne]=10", ["t5"]),
    ("filter-booleans", "/teams?is_contact_resource_sharing_enabled=true", ["t5"]),
    ("filter-booleans", "/teams?is_contact_resource_sharing_enabled=0", ["t0", "t10"]),
    ("filter-booleans", "/teams?is_contact_resource_sharing_enabled[$ne]=1", ["t0", "t10"]),
    ("filter-choices", "/teams?order_method=rank", []),
    ("filter-choices", "/teams?order_method=Nonsense", []),
    ("filter-choices", "/teams?order_method[$in]=Rank&order_method[$in]=x", ["t0", "t5", "t10"]),
    ("filter-choices", "/lead-routes?distribution_target=", []),
    ("filter-null", "/lead-routes?team_selection_method=null", ["s"]),
    ("filter-null", "/lead-routes?team_selection_method=", ["s"]),
    ("filter-null-text", "/lead-routes?filter=", ["s"]),
    ("filter-null-text", "/lead-routes?filter=null", ["r"]),
    ("token-needed", "/lead-routes?distribution_target=Myself", ["s"]),
    ("token-needed", "/lead-routes?distribution_target[$ne]=Team%20Rollout", ["s"]),
    ("token-needed", "/lead-routes?$limit=2", ["r", "s"]),
    ("token-needed", "/lead-routes?distribution_target=Team+Rollout&$limit=2&$skip=0", ["r"]),
    ("token-needed", "/lead-routes?lead_source_id[$in]=1", ["r"]),
    ("token-needed", "/lead-routes?lead_source_id[$nin]=1", ["s"]),
    ("flat-and-nested", "/lead-routes?team_id={t5}", ["r"]),
    ("filter-by-invisible", "/lead-routes?team_id=1", []),
    ("default-order hotnesses", "/hotnesses", ["h2", "h1"]),
]


@pytest.mark.parametrize(("row", "target", "expected"), OTHERS, ids=[f"{row} {t}" for row, t, _ in OTHERS])
async def test_other_types_are_compared_as_their_rows_say(shared, library, row, target, expected):
    reply = await ask(shared, "fay", "GET", target.replace("{t5}", str(library["t5"])))

    assert reply.status == 200, reply.body
    assert reply.ids == [library[name] for name in expected]


REFUSED = [
    ("parameter-limit", "&".join(["last_name=a"] * 1001), None),
    ("nesting-limit", "a[b=1", None),
    ("nesting-limit", "last_name[$in]x=1", None),
    ("nesting-limit", "[]=1", None),
    ("nesting-limit", "[x]=1", None),
    ("nesting-limit", "last_name[a][b][c][d][e][f]=1", None),
    ("or-needs-a-list", "$or=1", None),
    ("or-needs-a-list", "$or[last_name]=1", None),
    ("or-needs-a-list", "$or[0]=1", None),
    ("or-needs-a-list", "$and=1", None),
    ("or-needs-a-list", "$and[last_name]=1", None),
    ("unknown-operator", "$not=1", "$not"),
    ("unknown-operator", "$nor=1", "$nor"),
    ("unknown-operator", "last_name[$like]=a", "$like"),
    ("unknown-operator", "last_name[$regex]=a", "$regex"),
    ("unknown-operator", "$populate=x", "$populate"),
    ("unknown-operator", "$foo=1", "$foo"),
    ("unknown-operator", "last_name[$foo]=1", "$foo"),
    ("unknown-operator", "last_name[$eq]=1", "$eq"),
    ("unknown-operator", "$or[0][$limit]=1", "$limit"),
    ("unknown-operator", "$or[0][$sort][id]=1", "$sort"),
    ("unknown-operator", "$or[0][$select]=id", "$select"),
    ("unknown-field", "nope=1", "nope"),
    ("unknown-field", "limit=2", "limit"),
    ("unknown-field", "skip=2", "skip"),
    ("unknown-field", "constructor=1", "constructor"),
    ("unknown-field", "addresses=1", "addresses"),
    ("unknown-field", "custom_fields=1", "custom_fields"),
    ("unknown-field", "last_name[word]=a", "last_name[word]"),
    ("unknown-field", "$or[0][nope]=1", "nope"),
    ("unknown-field", "Last_Name=a", "Last_Name"),
    ("unknown-field", "oauth_client_id=1", "oauth_client_id"),
    ("value-and-operator", "last_name=1&last_name[$ne]=2", None),
    ("value-and-operator", "last_name[$ne]=2&last_name=1", None),
    ("limit-that-cannot-be", "$limit=abc", None),
    ("limit-that-cannot-be", "$limit=", None),
    ("limit-that-cannot-be", "$limit=null", None),
    ("limit-that-cannot-be", "$limit=-1", None),
    ("limit-that-cannot-be", "$limit=+1", None),
    ("limit-that-cannot-be", "$limit[a]=2", None),
    ("limit-that-cannot-be", "$skip=-1", None),
    ("limit-that-cannot-be", "$skip=x", None),
    ("limit-that-cannot-be", f"$skip={2**53}", None),
    ("sort-that-cannot-be", "$sort[last_name]=desc", None),
    ("sort-that-cannot-be", "$sort[last_name]=2", None),
    ("sort-that-cannot-be", "$sort[last_name]=", None),
    ("sort-that-cannot-be", "$sort[last_name]", None),
    ("sort-that-cannot-be", "$sort[last_name]=1&$sort[last_name]=-1", None),
    ("sort-that-cannot-be", "$sort[nope]=1", None),
    ("sort-that-cannot-be", "$sort[addresses]=1", None),
    ("sort-that-cannot-be", "$sort=id", None),
    ("sort-that-cannot-be", "$sort[]=id", None),
    ("select-names", "$select=nope", None),
    ("select-names", "$select=", None),
    ("select-names", "$select[$in]=id", None),
    ("select-names", "$select[0][x]=id", None),
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


# rules: unknown-operator
async def test_data_is_the_query_as_read(shared, library):
    reply = await ask(shared, "fay", "GET", "/contacts?first_name[$in][]=a&first_name[$in][]=b&$foo=1&x[0]=2")

    assert reply.json["data"] == {"first_name": {"$in": ["a", "b"]}, "$foo": "1", "x": ["2"]}


BAD_VALUES = [
    ("comma", "/contacts", "hotness_id[$in]=1,2"),
    ("filter-integers", "/contacts", "hotness_id=1abc"),
    ("filter-integers", "/contacts", "hotness_id=abc"),
    ("filter-integers", "/contacts", "hotness_id=1.5"),
    ("filter-integers", "/contacts", "hotness_id=%2B1"),
    ("filter-integers", "/contacts", "hotness_id=%201"),
    ("filter-integers", "/contacts", "hotness_id=%D9%A1"),
    ("filter-booleans", "/teams", "is_contact_resource_sharing_enabled=yes"),
    ("filter-booleans", "/teams", "is_contact_resource_sharing_enabled=TRUE"),
    (
        "filter-booleans",
        "/teams",
        "is_contact_resource_sharing_enabled[$in]=true&is_contact_resource_sharing_enabled[$in]=2",
    ),
    ("filter-moments", "/contacts", "created_at=yesterday"),
    ("filter-moments", "/contacts", "created_at=2018-02-30"),
    ("filter-moments", "/contacts", "created_at=2018-01-16T12:12"),
    ("filter-moments", "/contacts", "created_at=0001-01-01T00:00:00%2B05:00"),
    ("filter-moments", "/contacts", "created_at[$gt]=1516104732"),
    ("null-that-cannot-be", "/contacts", "created_at=null"),
    ("null-that-cannot-be", "/contacts", "id[$ne]=null"),
    ("null-that-cannot-be", "/contacts", "id="),
    ("null-that-cannot-be", "/contacts", "hotness_id[$lt]=null"),
    ("null-that-cannot-be", "/contacts", "hotness_id[$gte]="),
    ("null-that-cannot-be", "/contacts", "company[$lt]=null"),
    ("null-that-cannot-be", "/teams", "name=null"),
    ("null-that-cannot-be", "/teams", "is_contact_resource_sharing_enabled=null"),
    ("null-that-cannot-be", "/lead-routes", "distribution_target=null"),
    ("comparisons list", "/contacts", "last_name[$lt]=a&last_name[$lt]=b"),
]


@pytest.mark.parametrize(("row", "path", "query"), BAD_VALUES, ids=[f"{row} {q}" for row, _, q in BAD_VALUES])
async def test_a_value_that_breaks_its_row_is_400_and_names_the_field(shared, library, row, path, query):
    for target in (f"{path}?{query}", f"{path}/1?{query}"):
        reply = await ask(shared, "fay", "GET", target)
        assert reply.status == 400
        assert list(reply.json["errors"]) == [query.partition("=")[0].partition("[")[0]]


PAGES = [
    ("page-of-ten", "", 10, 0, "abcde"),
    ("page-at-most", "$limit=5000", 1000, 0, "abcde"),
    ("page-at-most", "$limit=" + "9" * 500, 1000, 0, "abcde"),
    ("limit-zero", "$limit=0", 0, 0, ""),
    ("limit-is-read-from-the-start", "$limit=2.7", 2, 0, "ab"),
    ("limit-is-read-from-the-start", "$limit=2abc", 2, 0, "ab"),
    ("limit-is-read-from-the-start", "$limit=1e3", 1, 0, "a"),
    ("limit-is-read-from-the-start", "$limit=02", 2, 0, "ab"),
    ("limit-is-read-from-the-start", "$skip=3x", 10, 3, "de"),
    ("first-limit-counts", "$limit=2&$limit=3", 2, 0, "ab"),
    ("first-limit-counts", "$limit[]=2", 2, 0, "ab"),
    ("first-limit-counts", "$limit[0]=2&$limit[1]=3", 2, 0, "ab"),
    ("first-limit-counts", "$skip=2&$skip=3", 10, 2, "cde"),
    ("skip-beyond-the-end", "$skip=77", 10, 77, ""),
    ("limit-that-cannot-be", f"$skip={2**53 - 1}", 10, 2**53 - 1, ""),
    ("limit-and-skip-echoed", "$limit=2&$skip=1", 2, 1, "bc"),
]


@pytest.mark.parametrize(("row", "query", "limit", "skip", "page"), PAGES, ids=[f"{c[0]} {c[1][:40]}" for c in PAGES])
async def test_a_page_is_cut_and_echoed_as_its_row_says(shared, library, row, query, limit, skip, page):
    reply = await ask(shared, "fay", "GET", f"/contacts?{query}")

    assert list(reply.json) == ["total", "limit", "skip", "data"]
    assert (reply.json["total"], reply.json["limit"], reply.json["skip"]) == (5, limit, skip)
    assert reply.ids == [library[name] for name in page]


SELECTED = [
    ("select", "/lead-routes", "$select[]=filter&$select[]=priority", {"id", "filter", "priority"}),
    ("select", "/lead-routes", "$select=filter", {"id", "filter"}),
    ("select", "/lead-routes", "$select[0]=filter&$select[x]=priority", {"id", "filter", "priority"}),
    ("select-names", "/lead-routes", "$select=team_id", {"id", "team"}),
    ("select-names", "/lead-routes", "$select=team", {"id", "team"}),
]


@pytest.mark.parametrize(("row", "path", "query", "keys"), SELECTED, ids=[f"{c[0]} {c[2]}" for c in SELECTED])
async def test_selected_keys_and_id_are_answered(shared, library, row, path, query, keys):
    listed = await ask(shared, "fay", "GET", f"{path}?{query}")
    record = await ask(shared, "fay", "GET", f"{path}/{library['r']}?{query}")

    assert all(set(each) == keys for each in listed.json["data"])
    assert set(record.json) == keys


# rules: select-everywhere, query-of-a-post
async def test_select_works_on_writes_and_the_rest_is_ignored_on_post(shared):
    made = await ask(shared, "erin", "POST", "/hotnesses?$select=name&nope=1&x[y=2&$limit=x", json={"name": "H"})
    assert (made.status, set(made.json)) == (201, {"id", "name"})
    url = f"/hotnesses/{made.json['id']}?$select=rank"
    for method in ("PATCH", "PUT", "DELETE"):
        reply = await ask(shared, "erin", method, url, json={"name": "H"})
        assert (reply.status, set(reply.json)) == (200, {"id", "rank"})
    refused = await ask(shared, "erin", "POST", "/hotnesses?$select=nope", json={"name": "H"})
    assert refused.status == 400


IDS = [
    ("id-digits", "0{a}", None),
    ("id-digits", "000000000000000000000000000{a}", None),
    *(("unknown-id", segment, segment) for segment in (
        "abc", "1abc", "1.0", "-1", "%201", "null", "undefined", "0", "999999", "9" * 30, "1%20", "+1", "%31"
    )),
]  # fmt: skip


@pytest.mark.parametrize(("row", "segment", "shown"), IDS, ids=[f"{row} {s}" for row, s, _ in IDS])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "PUT"])
async def test_an_id_is_digits_and_all_else_is_not_found(shared, library, row, segment, shown, method):
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
# rules: query-on-a-record
async def test_a_query_on_a_record_must_hold_for_it(shared, library, method):
    url = f"/contacts/{library['a']}"
    reply = await ask(shared, "fay", method, f"{url}?last_name=b", json={"first_name": "Changed"})

    assert (reply.status, reply.json["message"]) == (404, f"No record found for id '{library['a']}'")
    held = await ask(shared, "fay", "GET", f"{url}?last_name=a&$limit=x&$skip=-1&$sort=z")
    assert (held.status, held.json["first_name"]) == (200, "Ann")


# rules: parent-first
async def test_the_parent_is_checked_first_and_its_id_is_in_the_message(shared, catalog, library):
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


async def test_10_000_characters_of_any_kind_are_never_an_internal_error(shared, library):
    for text in ("\U0001f600" * 2500, "'\";--", "\\", "%", "_", "\x01", "{}", "$1", "\u2028"):
        reply = await ask(shared, "fay", "GET", f"/contacts?first_name={quote(text)}&company[$in]={quote(text)}")
        assert (reply.status, reply.json["total"]) == (200, 0)
