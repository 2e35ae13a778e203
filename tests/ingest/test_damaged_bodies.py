"""Ten thousand spoilt samples through an intake door: none raises, none is lost, no lead is without its raw arrival."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

from leadroutes.intake.formats import BY_NAME
from leadroutes.operations.doctor import examine
from tests.support.intake_app import IntakeApp
from tests.support.samples import Sample, samples

COUNT = 10_000
SEED = 20_261_124
TOGETHER = 100
LONGEST = 20_000  # bytes
CHARSETS = ("utf-8", "utf-16", "utf-32", "cp1252", "latin-1", "utf-7")
SIGNS = (b"<", b"&#", b"\\u0000", b"\\ud800", b"%00", b"%", b'"', b"[", b"{", b"]", b"\x00", b"--", b"\r", b":", b"=?",
         b"NaN", b"1e999", b"\xff\xfe", b"<!DOCTYPE x>", b"@")  # fmt: skip


def spoilt(chance: random.Random) -> Iterator[tuple[Sample, bytes]]:
    """Samples truncated, spliced, repeated, recoded; always the same ones."""
    all_ = samples()
    for number in range(COUNT):
        each = all_[number % len(all_)]
        body = each.body
        for _ in range(chance.randint(1, 3)):
            body = spoilt_once(chance, body, all_)[:LONGEST]
        yield each, body


def spoilt_once(chance: random.Random, body: bytes, all_: tuple[Sample, ...]) -> bytes:
    start = chance.randint(0, len(body))
    end = min(len(body), start + chance.randint(0, 300))
    match chance.randint(0, 6):
        case 0:
            return body[:start]
        case 1:
            return body[:start] + body[end:]
        case 2:
            return body[:end] + body[start:end] * chance.randint(1, 30) + body[end:]
        case 3:
            other = chance.choice(all_).body
            return body[:start] + other[chance.randint(0, len(other)) :]
        case 4:
            return body.decode("utf-8", "replace").encode(chance.choice(CHARSETS), "replace")
        case 5:
            return body[:start] + chance.randbytes(chance.randint(1, 20)) + body[end:]
    return body[:start] + chance.choice(SIGNS) + body[start:]


async def test_none_of_ten_thousand_spoilt_samples_is_lost(intake: IntakeApp) -> None:
    await intake.town.option("alice", intake.town.team_id, "bob")
    await intake.town.route("alice")
    keys = {None: await intake.key(), **{name: await intake.key(name) for name in BY_NAME}}
    chance = random.Random(SEED)
    waiting = list(spoilt(chance))
    statuses: Counter[str] = Counter()
    ids = set()
    for start in range(0, COUNT, TOGETHER):
        batch = waiting[start : start + TOGETHER]
        chosen = [keys[chance.choice((each.format, each.format, None))] for each, _ in batch]
        answers = await asyncio.gather(
            *(intake.arrivals.ingest(key, body, each.headers) for key, (each, body) in zip(chosen, batch, strict=True))
        )
        statuses.update(answer.stored.status for answer in answers)
        ids |= {answer.stored.arrival_id for answer in answers}

    assert sum(statuses.values()) == COUNT
    assert min(statuses[name] for name in ("accepted", "touch", "rejected", "pending")) > 100
    bodies = {row["id"]: bytes(row["body"]) for row in await intake.database.fetch("SELECT id, body FROM arrivals")}
    assert ids == set(bodies)
    assert set(bodies.values()) == {body for _, body in waiting}
    orphans = "SELECT count(*) FROM leads l WHERE NOT EXISTS (SELECT FROM arrivals a WHERE a.id = l.arrival_id)"
    assert await intake.database.fetchval(orphans) == 0
    violation = (await examine(intake.database)).violation
    assert violation is None, str(violation)
