"""The hours of the states, each row with its statute, where it was read, when, and how sure it is. Data, and no rule.

It is not legal advice. Grades: A the statute was read; B a law firm, the press or a carrier; C vendors' tables that do
not contradict each other; D tables that contradict each other, or a law that may not be in force: read narrowly then.
"""

from datetime import date
from typing import Final, Literal

from msgspec import Struct

from leadroutes.domain.weekly_hours import DAY, WeeklyHours

Hours = tuple[int, int] | None
"""From this full hour to that one; None: not at all."""

SEEN: Final = date(2026, 11, 28)
NOT_READ: Final = "not found"
"""The hours are those of vendors' tables, whose statute was not found."""


class StateHours(Struct, frozen=True, kw_only=True):
    """When texts and calls may go to people in a state, by their own clock."""

    state: str
    weekdays: Hours
    saturday: Hours
    sunday: Hours
    rests_on_holidays: bool = False  # the federal ones, and those that the state adds
    texts_per_day: int | None = None  # in 24 hours, to one person
    is_of_automated_calls: bool = False  # so that a call which an agent makes has the federal hours
    answers_exempt: bool = False  # an answer to the person's own inquiry is not bound by these hours
    statute: str
    source: str
    seen: date = SEEN
    grade: Literal["A", "B", "C", "D"]
    note: str = ""

    def weekly_hours(self) -> WeeklyHours:
        """Returns the hours as ranges of a week."""
        return weekly_hours(self.weekdays, self.saturday, self.sunday)


def weekly_hours(weekdays: Hours, saturday: Hours, sunday: Hours) -> WeeklyHours:
    """Returns the hours of a week from those of its working days, its Saturday and its Sunday."""
    days = (*(weekdays,) * 5, saturday, sunday)
    return WeeklyHours(
        tuple((at * DAY + each[0] * 60, at * DAY + each[1] * 60) for at, each in enumerate(days) if each is not None)
    )


FEDERAL_HOURS: Final[Hours] = (8, 21)
FEDERAL_STATUTE: Final = "47 CFR 64.1200(c)(1), 16 CFR 310.4(c)"

_DAY, _NIGHT = (8, 20), (8, 21)

STATE_HOURS: Final = (
    StateHours(
        state="AL", weekdays=_DAY, saturday=_DAY, sunday=None, rests_on_holidays=True, statute=NOT_READ,
        source="dropcowboy.com, clickpoint.com", grade="C",
        note="a holiday at a weekend rests on the Friday or the Monday, too",
    ),
    StateHours(
        state="CT", weekdays=(9, 20), saturday=(9, 20), sunday=(9, 20), statute="Conn. Gen. Stat. 42-288a, P.A. 23-98",
        source="vendors' tables", grade="C",
        note="texts included; answers to a request of one's own are exempt in part only, so that they are not here",
    ),
    StateHours(
        state="FL", weekdays=_DAY, saturday=_DAY, sunday=_DAY, texts_per_day=3, statute="Fla. Stat. 501.616(6)",
        source="lawserver.com; flsenate.gov, SB 1120 of 2021", grade="A",
        note="at most 3 in 24 hours on the same subject; automated texts need a consent in writing (501.059)",
    ),
    StateHours(
        state="KY", weekdays=(10, 21), saturday=(10, 21), sunday=(10, 21), statute="KRS 367.46955",
        source="two vendors' tables", grade="C",
    ),
    StateHours(
        state="LA", weekdays=_DAY, saturday=_DAY, sunday=None, rests_on_holidays=True, statute=NOT_READ,
        source="vendors' tables; the press and the state's commission on emergencies", grade="C",
        note="in a declared emergency an order may forbid all of it; this table does not know of emergencies",
    ),
    StateHours(
        state="MA", weekdays=_DAY, saturday=_DAY, sunday=_DAY, statute=NOT_READ,
        source="vendors' tables", grade="C",
    ),
    StateHours(
        state="MD", weekdays=_DAY, saturday=_DAY, sunday=_DAY, texts_per_day=3, answers_exempt=True,
        statute="Md. Code, Com. Law 14-4502", source="dnc.com, wmar2news.com", grade="B",
        note="at most 3 calls or texts in 24 hours; a single answer to an inquiry is exempt (statute read)",
    ),
    StateHours(
        state="ME", weekdays=(9, 17), saturday=None, sunday=None, is_of_automated_calls=True, statute=NOT_READ,
        source="vendors' tables", grade="C", note="of automated calls; live calls have the federal hours",
    ),
    StateHours(
        state="MI", weekdays=(9, 21), saturday=(9, 21), sunday=(9, 21), statute=NOT_READ,
        source="one vendor's table", grade="C",
    ),
    StateHours(
        state="MN", weekdays=(9, 21), saturday=(9, 21), sunday=(9, 21), statute=NOT_READ,
        source="one vendor's table", grade="C",
    ),
    StateHours(
        state="MS", weekdays=_DAY, saturday=_DAY, sunday=None, statute=NOT_READ,
        source="vendors' tables, which differ on Sundays", grade="D", note="read narrowly: not on Sundays",
    ),
    StateHours(
        state="NE", weekdays=_NIGHT, saturday=_NIGHT, sunday=_NIGHT, statute=NOT_READ,
        source="vendors' tables", grade="C",
        note="the federal hours; prerecorded calls, which this service does not make, on Sundays and holidays 13–21",
    ),
    StateHours(
        state="NJ", weekdays=_DAY, saturday=_DAY, sunday=_DAY, statute=NOT_READ,
        source="one vendor's table; others do not name the state", grade="D", note="read narrowly",
    ),
    StateHours(
        state="NM", weekdays=(9, 21), saturday=(9, 21), sunday=(9, 21), statute=NOT_READ,
        source="one vendor's table", grade="C",
    ),
    StateHours(
        state="NV", weekdays=(9, 20), saturday=(9, 20), sunday=(9, 20), statute=NOT_READ,
        source="vendors' tables", grade="C",
    ),
    StateHours(
        state="OK", weekdays=_DAY, saturday=_DAY, sunday=_DAY, texts_per_day=3, statute="15 O.S. 775C",
        source="dnc.com, nolo.com", grade="B", note="at most 3 in 24 hours; an existing relationship is exempt",
    ),
    StateHours(
        state="PA", weekdays=(9, 19), saturday=(9, 19), sunday=None, rests_on_holidays=True,
        statute="a law of 2019; SB 992", source="law firms; two sources on SB 992, which differ",
        grade="D", note="read narrowly: SB 992 (9–19, no Sundays, texts included) may be in force since 2026-10-18",
    ),
    StateHours(
        state="RI", weekdays=(9, 18), saturday=(10, 17), sunday=None, rests_on_holidays=True,
        statute="R.I. Gen. Laws 5-61-3.6 with 5-61-2", source="the statute", grade="A",
    ),
    StateHours(
        state="TX", weekdays=(9, 21), saturday=(9, 21), sunday=(12, 21), answers_exempt=True,
        statute="Tex. Bus. & Com. Code 301.051", source="commlawgroup.com, telnyx.com", grade="B",
        note="texts since 2025-09-01 (SB 140); what was asked for is exempt; many senders have to register",
    ),
    StateHours(
        state="UT", weekdays=_NIGHT, saturday=_NIGHT, sunday=None, rests_on_holidays=True,
        statute="Utah Code 13-25a-103(3)", source="the statute", grade="A", note="without a consent given before",
    ),
    StateHours(
        state="VA", weekdays=_NIGHT, saturday=_NIGHT, sunday=_NIGHT, statute="SB 1339 of 2026",
        source="law firms", grade="B", note="the federal hours; an answer STOP counts for ten years",
    ),
    StateHours(
        state="WA", weekdays=_DAY, saturday=_DAY, sunday=_DAY, answers_exempt=True, statute="RCW 80.36.390",
        source="centralialaw.com, dwt.com on HB 1497; the exemption in 80.36.390(1)(a), read", grade="B",
        note="name and purpose within 30 seconds; what answers an inquiry is exempt",
    ),
    StateHours(
        state="WY", weekdays=_DAY, saturday=_DAY, sunday=_DAY, statute=NOT_READ,
        source="vendors' tables", grade="C",
    ),
)  # fmt: skip

STRICT_HOURS: Final = weekly_hours((9, 20), (10, 17), None)
"""What LEADROUTES_QUIET_HOURS=strict adds, besides federal holidays: with it nearly every row is fulfilled anyway."""

BY_STATE: Final = {each.state: each for each in STATE_HOURS}
