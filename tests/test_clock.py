"""The domain's clock follows the database's and no machine's, and never goes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.clock import Anchor, Clock, machine_time, steady
from leadroutes.engine.engine import Engine
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Machine:
    """`at` is the true time, in seconds since noon; its own clock is `ahead`, the database's is `database_ahead`."""

    at: float = 0.0
    ahead: float = 0.0
    database_ahead: float = 0.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(measure=lambda: 5_000 + self.at, machine=lambda: NOON.timestamp() + self.at + self.ahead)

    def ask(self, *, there: float = 0.0, back: float = 0.0) -> None:
        """The database is asked, which takes so many seconds there and back."""
        asked = self.clock.measure()
        self.at += there
        shown = NOON + timedelta(seconds=self.at + self.database_ahead)
        self.at += back
        self.clock.learn(shown, asked, self.clock.measure())

    def error(self) -> float:
        """Seconds by which the clock is ahead of the database's."""
        return (self.clock.real_now() - NOON).total_seconds() - self.at - self.database_ahead


@contextmanager
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.mark.parametrize("ahead", [3600.0, -3600.0, 0.0])
def test_what_the_machine_shows_does_not_count(ahead: float) -> None:
    machine = Machine(ahead=ahead)
    machine.ask()
    assert machine.error() == pytest.approx(0)
    machine.at += 100
    machine.ahead -= 500  # someone sets it
    assert machine.error() == pytest.approx(0)
    assert machine.clock.machine_ahead() == pytest.approx(ahead - 500)


def test_what_was_read_before_the_database_was_asked_holds_nothing_up() -> None:
    machine = Machine(ahead=3600)
    early = machine.clock.now()
    machine.clock.anchor = Anchor(NOON, NOON, 1.0)
    machine.ask()
    assert machine.clock.now() == NOON < early


def test_a_slow_answer_corrects_no_more_than_it_proves_wrong() -> None:
    machine = Machine()
    machine.ask()
    machine.ask(there=0, back=8)
    assert machine.error() == pytest.approx(0)
    machine.ask(there=8, back=0)
    assert machine.error() == pytest.approx(0)


def test_a_first_answer_that_was_slow_is_made_good_by_the_next() -> None:
    machine = Machine()
    machine.ask(there=8)
    assert machine.error() == pytest.approx(4)
    before = machine.clock.now()
    machine.ask()
    assert machine.error() == pytest.approx(0)
    assert machine.clock.now() >= before


def test_a_database_that_has_moved_to_another_machine_is_followed_and_time_never_goes_back() -> None:
    machine = Machine()
    machine.clock.anchor = Anchor(NOON, NOON, 1.0)
    machine.ask()
    machine.at = 100
    before = machine.clock.now()
    machine.database_ahead = -30
    with logged() as lines:
        machine.ask()
    assert [line["seconds"] for line in lines if line["event"] == "the database's clock has moved"] == [-30.0]
    assert machine.clock.now() == before
    machine.at += 29
    assert machine.clock.now() == before
    machine.at += 2
    assert machine.clock.now() == before + timedelta(seconds=1)
    machine.database_ahead = 60
    machine.ask()
    assert machine.clock.now() == NOON + timedelta(seconds=191)


def test_that_the_machine_is_off_is_said_once_and_so_is_that_it_is_right_again() -> None:
    machine = Machine()
    with logged() as lines:
        machine.ask()
        machine.ahead = 1.5
        machine.ask()
    assert lines == []
    with logged() as lines:
        machine.ahead = 3600
        machine.ask(there=0.1, back=0.1)
        machine.ask()
    [line] = lines
    assert line["event"] == "the clock of this machine is off; the database's counts"
    assert line["seconds_ahead"] == pytest.approx(3600, abs=0.2)
    with logged() as lines:
        machine.ahead = 0
        machine.ask()
        machine.ask()
    assert [line["event"] for line in lines] == ["the clock of this machine is right again"]


@given(
    steps=st.lists(
        st.tuples(
            st.floats(0, 50), st.floats(-4000, 4000), st.floats(-4000, 4000), st.floats(0, 5), st.floats(0, 5),
            st.booleans(),
        ),
        max_size=20,
    ),
    scale=st.sampled_from([0.5, 1.0, 60.0]),
)  # fmt: skip
def test_time_never_goes_back_whatever_clocks_do(steps: list[tuple[float, ...]], scale: float) -> None:
    machine = Machine()
    machine.ask()
    machine.clock.anchor = Anchor(NOON, NOON, scale)
    latest = machine.clock.now()
    for passes, ahead, database_ahead, there, back, is_asked in steps:
        machine.at += passes
        machine.ahead, machine.database_ahead = ahead, database_ahead
        if is_asked:
            machine.ask(there=there, back=back)
        assert machine.clock.now() >= latest
        latest = machine.clock.now()


# -- with a database


async def test_a_node_whose_clock_is_an_hour_ahead_does_nothing_early(
    brokerage: Brokerage, database: Database, database_url: str
) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    before = await brokerage.states(lead_id)
    assert sorted(before.values()) == ["notified", "scheduled"]
    database.clock = Clock(machine=lambda: machine_time() + 3600)
    await database.load_clock()
    await Engine(database).run_due()
    assert await brokerage.states(lead_id) == before
    shown = await database.fetchval("SELECT clock_timestamp()")
    assert abs((database.clock.now() - shown).total_seconds()) < 60
    assert 3500 < database.clock.machine_ahead() < 3700


async def test_a_database_that_is_opened_knows_the_time_at_once(database: Database) -> None:
    asked, shown, answered = (
        database.clock.real_now(),
        await database.fetchval("SELECT clock_timestamp()"),
        database.clock.real_now(),
    )
    doubt = timedelta(seconds=1)
    assert asked - doubt <= shown <= answered + doubt


@pytest.mark.parametrize("years", [-3, 3])
async def test_a_clock_that_is_begun_shows_its_moment_also_an_earlier_one(database: Database, years: int) -> None:
    moment = database.clock.now() + timedelta(days=365 * years)
    await database.begin_clock(moment)
    assert timedelta(0) <= database.clock.now() - moment < timedelta(minutes=1)
    await database.move_clock(timedelta(hours=1))
    assert timedelta(hours=1) <= database.clock.now() - moment < timedelta(hours=1, minutes=1)


def test_the_steady_clock_does_not_go_back() -> None:
    readings = [steady() for _ in range(1000)]
    assert readings == sorted(readings)
