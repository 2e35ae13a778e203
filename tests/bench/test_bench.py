"""The benchmark measures what it says: tiny runs of it against the real service; nothing is asserted about speed."""

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from bench import programs
from bench.__main__ import RESULTS, SCENARIOS
from bench.figures import Figure, Limit, Results, as_record, figure_record, laid_over, show
from bench.load import Plan, request, write_requests
from bench.page import DOCUMENTS
from tests.support.directories import make_directory

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
    )


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Any]]:
    directory = make_directory("bench")  # pytest's own are closed to the server's user
    out = directory / "results.json"
    done = bench("--tiny", "--data", str(directory / "data"), "--out", str(out), "arrival", "decision")
    assert done.returncode == 0, done.stdout + done.stderr
    yield msgspec.json.decode(out.read_bytes())
    shutil.rmtree(directory, ignore_errors=True)


def test_a_run_measures_each_scenario_that_was_asked_for(results: dict[str, Any]) -> None:
    measured = {figure["scenario"] for figure in results["figures"]}

    assert measured == {"arrival", "decision"}
    assert all(figure["value"] > 0 for figure in results["figures"])


def test_a_run_says_what_it_was_made_on(results: dict[str, Any]) -> None:
    server = results["machine"]["postgresql"]

    assert (server["fsync"], server["synchronous_commit"], server["full_page_writes"]) == ("on", "on", "on")
    assert results["machine"]["cores"] >= 1
    assert results["sizes"]["name"] == "tiny"
    assert results["made"]["until"] >= results["made"]["at"]


def test_limits_of_the_same_run_stand_beside_an_arrival(results: dict[str, Any]) -> None:
    [arrival, *_] = [figure for figure in results["figures"] if figure["scenario"] == "arrival"]

    assert [limit["name"].partition(":")[0].partition(",")[0] for limit in arrival["limits"]] == [
        "pgbench",
        "a bare echo",
    ]
    assert all(limit["value"] > 0 for limit in arrival["limits"])
    assert len(arrival["ratios"]) == 2


def test_a_scenario_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    done = bench("arrivals")

    assert done.returncode == 2
    assert f"'arrivals' was given; expected one of {', '.join(SCENARIOS)}" in " ".join(done.stderr.split())


async def test_the_load_sends_every_request_once_and_counts_the_answers(tmp_path: Path) -> None:
    requests = write_requests(tmp_path / "requests", [request("POST", "/", b"{}")] * 50)
    async with programs.echo(10) as port:
        outcome = await programs.load(Plan(port=port, connections=4, requests=requests), 200)

    assert outcome.statuses == {200: 50}
    assert outcome.samples == {200: "x" * 10}
    assert 0 < outcome.latencies["p50"] <= outcome.latencies["max"]


async def test_an_answer_that_was_not_expected_ends_the_run(tmp_path: Path) -> None:
    requests = write_requests(tmp_path / "requests", [request("GET", "/")])
    async with programs.echo(10) as port:
        plan = Plan(port=port, connections=1, requests=requests)
        with pytest.raises(programs.Failed, match="answered 200: xxxxxxxxxx"):
            await programs.load(plan, 201)


async def test_the_sink_takes_mails_and_says_how_many() -> None:
    async with programs.sink() as sink:
        assert (await sink.taken())["mails"] == 0


@pytest.mark.parametrize(
    ("value", "target", "less_is_better", "is_reached"),
    [(10, 10, False, True), (9, 10, False, False), (10, 10, True, True), (11, 10, True, False), (5, None, False, None)],
)
def test_a_figure_knows_whether_it_is_good_enough(
    value: float, target: float | None, less_is_better: bool, is_reached: bool | None
) -> None:
    figure = Figure(
        scenario="claim", name="claims", value=value, unit="claims/s", target=target, less_is_better=less_is_better
    )

    assert figure_record(figure)["is_reached"] is is_reached


@pytest.mark.parametrize(("value", "is_reached"), [(800, True), (799, False)])
def test_a_figure_may_have_to_be_a_part_of_its_limit(value: float, is_reached: bool) -> None:
    figure = Figure(
        scenario="import", name="rows", value=value, unit="rows/s", target_ratio=0.8, limits=(Limit("pgbench", 1000),)
    )

    assert figure_record(figure)["is_reached"] is is_reached
    console = Console(width=200, record=True, file=io.StringIO())
    show(console, [figure])
    assert "≥ 0.8 x" in console.export_text()


def test_scenarios_that_are_measured_again_take_the_place_of_their_own() -> None:
    def run(at: str, **values: float) -> dict[str, Any]:
        figures = [
            Figure(scenario=scenario, name=name, value=value, unit="x")
            for scenario, value in values.items()
            for name in ("one", "two")
        ]
        made = {"at": at, "commit": f"of {at}", "idle": {}}
        return as_record(Results(made=made, machine={}, sizes={"name": "full"}, figures=figures))

    first = run("Monday", arrival=1, claim=2, routes=3)
    second = laid_over(run("Tuesday", claim=20), first)
    third = laid_over(run("Friday", routes=30, pages=40), second)

    values = [(figure["scenario"], figure["value"]) for figure in third["figures"]]
    assert values[::2] == values[1::2] == [("arrival", 1), ("claim", 20), ("routes", 30), ("pages", 40)]
    assert third["made"]["at"] == "Monday"
    assert third["made"]["again"] == {
        "claim": {"at": "Tuesday", "commit": "of Tuesday"},
        "routes": {"at": "Friday", "commit": "of Friday"},
        "pages": {"at": "Friday", "commit": "of Friday"},
    }


def test_the_table_shows_a_figure_beside_its_limits() -> None:
    figure = Figure(
        scenario="claim",
        name="leads claimed",
        value=500,
        unit="claims/s",
        target=2000,
        limits=(Limit("pgbench", 1000),),
    )
    console = Console(width=200, record=True, file=io.StringIO())

    show(console, [figure])

    assert "500 claims/s" in (text := console.export_text())
    assert "≥ 2,000" in text
    assert "0.50 x pgbench, 1,000" in text


@pytest.mark.parametrize("page", DOCUMENTS.pages, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_document_shows_the_published_results_and_nothing_where_there_are_none(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == DOCUMENTS.with_figures(page, RESULTS)
