"""Reports: whose figures a viewer sees, of which days, compared with which, as a chart, a table and CSV."""

import re
from codecs import BOM_UTF8

import pytest

from tests.support.page_forms import form
from tests.support.web_app import WebApp

VIEWS = [
    "", "?show=speed&by=source", "?show=speed&by=hour", "?show=speed&by=day&period=7", "?show=claims",
    "?show=claims&by=day", "?show=fairness", "?show=sources", "?show=campaigns", "?show=load", "?period=month",
    "?period=last", "?period=365", "?from=2026-01-01&to=2026-01-31",
]  # fmt: skip


async def claim(web_app: WebApp) -> None:
    await web_app.pass_minutes(2)
    bob = await web_app.sign_in("bob")
    answer = await bob.post("/app", data=form((await bob.get("/app")).text, "claim"))
    assert answer.status_code == 303


async def test_the_owner_sees_every_report_of_the_account(web_app: WebApp) -> None:
    await claim(web_app)
    alice = await web_app.sign_in("alice")
    for query in VIEWS:
        answer = await alice.get(f"/app/reports{query}")
        assert answer.status_code == 200, (query, answer.text)
        assert " style=" not in answer.text
        assert len(answer.content) < 60_000

    speed = (await alice.get("/app/reports")).text
    assert 'class="chart" role="img"' in speed
    assert "<details><summary>The numbers as a table" in speed
    assert "2 min" in speed
    assert "100 %" in speed, "of the leads that came"
    assert "compared with" in speed
    assert "leads came" in speed
    assert "of 50 %" in (await alice.get("/app/reports?show=fairness")).text
    load = (await alice.get("/app/reports?show=load")).text
    assert "1 lead" in load
    assert "1 leads" not in load


async def test_names_are_shown_instead_of_ids(web_app: WebApp) -> None:
    await claim(web_app)
    await web_app.database.execute("UPDATE users SET first_name = 'Bob', last_name = '<b>Town' WHERE username = 'bob'")
    page = (await (await web_app.sign_in("alice")).get("/app/reports?show=fairness")).text
    assert "Bob &lt;b&gt;Town" in page


async def test_a_report_is_downloaded_as_csv(web_app: WebApp) -> None:
    await claim(web_app)
    alice = await web_app.sign_in("alice")
    file = await alice.get("/app/reports?show=claims&by=agent&period=7&download=csv")

    assert file.headers["content-type"].startswith("text/csv")
    assert file.headers["content-disposition"].startswith('attachment; filename="claims-')
    assert file.content.startswith(BOM_UTF8 + b"agent_id,agent,leads"), "Excel knows the character set by its mark"
    assert "download=csv" in (await alice.get("/app/reports?show=claims")).text


async def test_an_agent_sees_only_own_figures(web_app: WebApp) -> None:
    await claim(web_app)
    carol = await web_app.sign_in("carol")
    page = await carol.get("/app/reports")
    owner = web_app.town.users["alice"]

    assert page.status_code == 200
    assert "your own figures" in page.text
    assert "2 min" not in page.text, "that is how fast Bob was"
    assert "show=campaigns" not in page.text
    assert (await carol.get(f"/app/reports?account={owner}&show=sources")).status_code == 400
    file = await carol.get(f"/app/reports?account={owner}&show=claims&by=source&download=csv")
    assert "source" not in file.text
    assert str(web_app.town.users["bob"]) not in [line.partition(",")[0] for line in file.text.splitlines()]


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # 25 hours apart: never one day
async def test_today_is_the_day_of_the_account_wherever_its_reader_is(web_app: WebApp, timezone: str) -> None:
    await web_app.database.execute("UPDATE users SET timezone = $1 WHERE username = 'carol'", timezone)
    alice, carol = await web_app.sign_in("alice"), await web_app.sign_in("carol")
    for query in ("?period=7", "?period=month", "?from=2026-01-01"):
        days = [re.search(r"([A-Z][a-z]{2} \d+, \d{4} to [^,]+, \d{4}), compared", (await each.get(path)).text)
                for each, path in ((alice, f"/app/reports{query}"), (carol, f"/app/reports{query}"))]  # fmt: skip
        assert all(days)
        assert days[0][1] == days[1][1], query


async def test_a_stranger_has_no_figures_of_others(web_app: WebApp) -> None:
    dave = await web_app.sign_in("dave")
    assert (await dave.get("/app/reports")).status_code == 200
    assert (await dave.get(f"/app/reports?account={web_app.town.users['alice']}")).status_code == 400
    assert (await dave.get(f"/app/reports?account={web_app.town.users['alice']}&download=csv")).status_code == 400
    assert (await web_app.browser().get("/app/reports")).status_code == 303


@pytest.mark.parametrize(
    "query",
    ["show=x", "period=x", "from=x", "from=2026-02-30", "from=2026-02-02&to=2026-02-01", "account=x", "to=9999-12-31",
     "from=1990-01-01&to=2026-01-01"],
)  # fmt: skip
async def test_what_the_page_does_not_offer_is_refused(web_app: WebApp, query: str) -> None:
    alice = await web_app.sign_in("alice")
    assert (await alice.get(f"/app/reports?{query}")).status_code == 400
