"""The load: sends prepared requests over keep-alive connections, each waiting for its answer, and reports the answers.

A program of its own (`python -m bench.load PLAN`), so that it disturbs the measured processes little.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import msgspec
import uvloop


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send. With `seconds`, for so long after `warmup` seconds; without, every request once."""

    port: int
    connections: int
    requests: str  # a file of whole requests, as write_requests makes it
    seconds: float | None = None
    warmup: float = 0.0
    repeats: bool = False  # begin again when all have been sent


class Outcome(msgspec.Struct, kw_only=True):
    """The result. Latencies in milliseconds, of answers within `seconds`; `samples` is one body per status."""

    answers: int
    seconds: float
    latencies: dict[str, float]
    statuses: dict[int, int]
    samples: dict[int, str]
    cpu: float  # cores that the load itself took

    @property
    def rate(self) -> float:
        return self.answers / self.seconds if self.seconds else 0.0


PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}


def write_requests(path: Path, requests: Sequence[bytes]) -> str:
    """Writes whole HTTP requests to a file that a plan can name."""
    path.write_bytes(msgspec.msgpack.encode(requests))
    return str(path)


def request(method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    """Returns one whole HTTP/1.1 request; underscores in names of headers become hyphens."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class _Sending:
    """The requests that are left, and what has come back so far."""

    def __init__(self, plan: Plan, requests: Sequence[bytes]) -> None:
        self.plan = plan
        self.left: Iterator[bytes] = cycle(requests) if plan.repeats else iter(requests)
        self.statuses: Counter[int] = Counter()
        self.samples: dict[int, str] = {}
        self.times: list[tuple[float, float]] = []  # when an answer was there, and how long it took
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.busy = 0
        self.end = float("inf")

    def begin(self, callers: Sequence["_Caller"]) -> None:
        self.start = time.perf_counter()
        if self.plan.seconds is not None:
            self.end = self.start + self.plan.warmup + self.plan.seconds
        self.busy = len(callers)
        for caller in callers:
            caller.send_next()

    def note(self, status: int, sent: float, now: float, answer: bytes) -> None:
        self.statuses[status] += 1
        if status not in self.samples:
            self.samples[status] = answer.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")[:2000]
        self.times.append((now, now - sent))

    def leave(self) -> None:
        """Notes that a caller has no more to send."""
        self.busy -= 1
        if self.busy == 0 and not self.over.done():
            self.over.set_result(None)

    def break_off(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)

    def outcome(self, cpu: float) -> Outcome:
        since = self.start + self.plan.warmup
        until = min(self.end, max((now for now, _ in self.times), default=since))
        counted = sorted(took for now, took in self.times if since <= now <= until)
        return Outcome(
            answers=len(counted),
            seconds=until - since,
            latencies={name: at_part(counted, part) * 1000 for name, part in PERCENTILES.items()},
            statuses=dict(self.statuses),
            samples=self.samples,
            cpu=cpu / max(time.perf_counter() - self.start, 1e-9),
        )


def at_part(ordered: Sequence[float], part: float) -> float:
    """Returns the value that this part of them does not exceed; 0 where there are none."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


class _Caller(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, sending: _Sending) -> None:
        self._sending = sending
        self._answer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def send_next(self) -> None:
        now = time.perf_counter()
        following = next(self._sending.left, None) if now < self._sending.end else None
        if following is None:
            self._sending.leave()
            return
        self._sent = now
        self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        answer = self._answer = self._answer + data if self._answer else data
        head = answer.find(b"\r\n\r\n")
        if head < 0 or len(answer) < head + 4 + _length(answer, head):
            return
        self._answer = b""
        self._sending.note(int(answer[9:12]), self._sent, time.perf_counter(), answer)
        self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        self._sending.break_off(error or ConnectionError("the service closed a connection"))


def _length(answer: bytes, head: int) -> int:
    at = answer.find(b"content-length: ", 0, head)
    return int(answer[at + 16 : answer.find(b"\r", at)]) if at >= 0 else 0


def read_requests(path: Path) -> list[bytes]:
    """Returns the requests of a file of write_requests."""
    return msgspec.msgpack.decode(path.read_bytes(), type=list[bytes])


async def send(plan: Plan, requests: Sequence[bytes]) -> Outcome:
    """Connects, then sends all that the plan says."""
    sending = _Sending(plan, requests)
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(plan.connections):
        _, caller = await loop.create_connection(lambda: _Caller(sending), "127.0.0.1", plan.port)
        callers.append(caller)
    before = time.process_time()
    sending.begin(callers)
    await sending.over
    return sending.outcome(time.process_time() - before)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.argv[1], type=Plan)
    print(msgspec.json.encode(uvloop.run(send(given, read_requests(Path(given.requests))))).decode())
