"""How large a run is: full, quick, or tiny for the tests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Seconds are those in which is measured, after a warm-up; counts are rows."""

    name: str
    seconds: float
    warmup: float
    connections: tuple[int, ...]
    owners: int
    imported: int
    claims: int
    claimers: int
    races: int
    waiting: int  # offers, and campaign steps, that are not due
    due: int  # that fall due at once
    steady: int  # that fall due one after the other …
    pace: int  # … so many a second
    mails: int
    events: int  # for a webhook
    routes: int  # of the large owner
    many_owners: int
    flat_seconds: float
    decisions: float  # seconds
    starts: int
    leads: int  # of the owner who has been here for years
    agents: int  # who share a team with that owner


FULL = Sizes(
    name="full", seconds=10, warmup=3, connections=(16, 128), owners=100, imported=100_000, claims=20_000, claimers=200,
    races=20, waiting=1_000_000, due=100_000, steady=10_000, pace=500, mails=10_000, events=4_000, routes=10_000,
    many_owners=100_000, flat_seconds=10, decisions=5, starts=3, leads=1_000_000, agents=100,
)  # fmt: skip
QUICK = Sizes(
    name="quick", seconds=2, warmup=1, connections=(16, 128), owners=20, imported=10_000, claims=3_000, claimers=200,
    races=3, waiting=40_000, due=5_000, steady=1_000, pace=500, mails=1_000, events=1_500, routes=10_000,
    many_owners=2_000, flat_seconds=2, decisions=1, starts=1, leads=50_000, agents=100,
)  # fmt: skip
TINY = Sizes(
    name="tiny", seconds=6.0, warmup=0.0, connections=(2,), owners=3, imported=50, claims=20, claimers=5, races=1,
    waiting=200, due=50, steady=20, pace=100, mails=10, events=20, routes=60, many_owners=20,
    flat_seconds=0.2, decisions=0.05, starts=1, leads=300, agents=10,
)  # fmt: skip
