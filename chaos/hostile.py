"""The hostile two at work: a program of its own, so that what it prepares and reads takes no time of those who measure.

`python -m chaos.hostile FILE`: its first line of input is its Target as JSON; each further line is its pace, the last
one `end`. FILE gets a line of JSON for every answer. It ends by itself, also when no one is there to tell it to.
"""

import asyncio
import itertools
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, cast
from urllib.parse import unquote_to_bytes

import msgspec

from chaos import attacks_of_account, attacks_of_stranger
from chaos.attacks import SILENCE, Attack, Hand, Interrupted, Target, Who
from chaos.programs import ROOT, clean_environment
from chaos.wire import Answer

ATTACKS: Final = (*attacks_of_stranger.ATTACKS, *attacks_of_account.ATTACKS)
Pace = Literal["rest", "quick", "steady", "end"]
RATES: Final[dict[Pace, dict[Who, float]]] = {
    "quick": {"stranger": 6.0, "account": 4.0},  # attacks a second; each is made once within some ten seconds
    "steady": {"stranger": 1.0, "account": 0.6},
}
AT_ONCE: Final = 8  # attacks of one of the two that are under way
MOST: Final = 2_000  # attacks of one of the two in a run
LONGEST: Final = 3_600.0  # seconds, whatever happens
GOODBYE: Final = 40.0  # seconds for those that are under way
_ALWAYS_RIGHT: Final = frozenset({503})


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to an attack. Moments are of the steady clock, which all processes of a machine share."""

    attack: str
    who: Who
    began: float
    ended: float
    status: int  # SILENCE: none
    is_right: bool
    faults: tuple[str, ...] = ()  # what no answer may be or hold
    said: str = ""  # of a wrong answer


class Hostile:
    """Makes the attacks of both, in an order that is drawn from the seed, each at least once before any comes again."""

    def __init__(self, target: Target, file: Path) -> None:
        self.pace: Pace = "rest"
        self._target = target
        self._file = file.open("ab", buffering=0)
        self._numbers = itertools.count(1)
        self._memory: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, line: str) -> None:
        """A pace, and how many of the first honest leads have been taken in by now."""
        pace, _, taken = line.strip().partition(" ")
        self.pace = cast("Pace", pace)
        self._memory["taken"] = int(taken or self._memory.get("taken", 1))

    async def run(self) -> None:
        deadline = time.monotonic() + LONGEST
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                await asyncio.gather(self._go_on("stranger", deadline), self._go_on("account", deadline))

    async def _go_on(self, who: Who, deadline: float) -> None:
        dice = random.Random(f"{self._target.seed} {who}")  # noqa: S311 -- it has to be repeatable
        deck = _deck([each for each in ATTACKS if each.who == who], dice)
        under_way: set[asyncio.Task[None]] = set()
        made, first_turn = 0, sum(each.who == who for each in ATTACKS)
        while (self.pace != "end" or 0 < made < first_turn) and made < MOST and time.monotonic() < deadline:
            if self.pace == "rest" or len(under_way) >= AT_ONCE:
                await asyncio.sleep(0.05)
                continue
            if (attack := next(deck, None)) is None:
                break
            made += 1
            hand = Hand(attack, self._target, dice, self._note, time.monotonic, self._memory, self._numbers)
            task = asyncio.create_task(_make(hand))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(dice.expovariate(RATES[self.pace if self.pace in RATES else "quick"][who]))
        if under_way:
            await asyncio.wait(under_way, timeout=GOODBYE)

    def _note(self, attack: Attack, sent: bytes, answer: Answer | None, began: float, right: frozenset[int]) -> None:
        status = SILENCE if answer is None else answer.status
        seen = Seen(
            attack=attack.name, who=attack.who, began=began, ended=time.monotonic(), status=status,
            is_right=status in right | _ALWAYS_RIGHT,
            faults=() if answer is None else tuple(self._faults(sent, answer)),
            said="" if answer is None or status in right else answer.body[:300].decode("utf-8", "replace"),
        )  # fmt: skip
        self._file.write(msgspec.json.encode(seen) + b"\n")

    def _faults(self, sent: bytes, answer: Answer) -> Iterator[str]:
        """Yields the faults of an answer: 500, 503 without Retry-After, or a secret that the sender did not send."""
        if answer.status == 500:
            yield "it was answered 500"
        if answer.status == 503 and "retry-after" not in answer.headers:
            yield "it was answered 503 without Retry-After"
        asked_with = sent + unquote_to_bytes(sent)
        for secret in self._target.secrets:
            word = secret.encode()
            if word in answer.body and word not in asked_with:
                yield f"the answer holds {secret!r}, which is of others"


def _deck(attacks: Sequence[Attack], dice: random.Random) -> Iterator[Attack]:
    """All of them in an order that is drawn, again and again, without those that were made often enough."""
    for turn in itertools.count():
        cards = [each for each in attacks if turn < each.most]
        if not cards:
            return
        dice.shuffle(cards)
        yield from cards


async def _make(hand: Hand) -> None:
    with suppress(Interrupted):  # the step that was not answered is noted
        await hand.attack.sends(hand)


async def main(file: Path) -> None:
    """Attack at the pace that the input says, until it says `end` or ends itself."""
    line = await asyncio.to_thread(sys.stdin.readline)
    with Hostile(msgspec.json.decode(line, type=Target), file) as hostile:
        working = asyncio.create_task(hostile.run())
        while hostile.pace != "end":
            line = await asyncio.to_thread(sys.stdin.readline)
            hostile.take(line or "end")
        await working


@dataclass
class Hostiles:
    """The program, from outside."""

    file: Path
    _process: asyncio.subprocess.Process

    def take(self, pace: Pace, taken: int | None = None) -> None:
        """Set the pace; `taken`: so many of the first honest leads have been taken in."""
        assert self._process.stdin is not None
        with suppress(ConnectionError):  # it has ended by itself, having made all it may
            self._process.stdin.write(f"{pace} {taken or ''}".strip().encode() + b"\n")

    async def end(self) -> None:
        """Tell both to stop once each attack was made, and wait until they have their last answers."""
        self.take("end")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 2 * GOODBYE)

    def has_made_all(self) -> bool:
        """Whether each attack has been answered once."""
        return len({each.attack for each in self.seen()}) == len(ATTACKS)

    def seen(self) -> list[Seen]:
        """All answers so far."""
        content = self.file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        return [msgspec.json.decode(line, type=Seen) for line in whole.splitlines()]


@asynccontextmanager
async def hostiles(target: Target, file: Path) -> AsyncIterator[Hostiles]:
    """Both of them, at rest; nothing of them runs afterwards."""
    await asyncio.to_thread(file.touch)
    with file.with_suffix(".log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chaos.hostile", str(file), cwd=ROOT, env=clean_environment(),
            stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(target) + b"\n")
        yield Hostiles(file, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
