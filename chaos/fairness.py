"""Whether hostile ones harm others: what they were answered, what mails look like, and how long the others waited.

Each check answers sentences, one for each breach, like those of verdict.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from email.utils import getaddresses
from typing import Any, Final

from chaos.attacks import INJECTED, SILENCE
from chaos.hostile import Seen
from chaos.load import Kind, Phase, Record
from chaos.sink import Mail

LONGEST_WAIT: Final = 1.0  # seconds, of 99 in a hundred requests of others
# A machine that is slow, or busy with other programs, lets an honest request wait long without any hostile one: then
# the wait beside hostile ones is compared with that.
TIMES_LONGER: Final = 10.0
QUIET: Final = 0.9  # part of the machine that no one uses
MEASURED: Final = ("an arrival", "a claim", "GET /me", "GET /healthz")
ALONE: Final = "alone"
BESIDE: Final = "beside hostile ones"
# What the service writes into the header of a mail, each at most once.
HEADERS: Final = frozenset(
    {
        *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
        *("List-Unsubscribe", "List-Unsubscribe-Post"),
        "References",  # of an answer that is passed on
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    }
)
CONTENT_TYPES: Final = ("text/plain", "multipart/alternative")


# ------------------------------------------------------------------------------------------------- the others


def percentile(seconds: Iterable[float], part: float) -> float:
    """The value that this part of them does not exceed, one of them; 0 where there are none."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0


def waits(record: Record) -> dict[str, dict[str, dict[str, float]]]:
    """Milliseconds by kind of request and phase: the median, p99, and how many they were."""
    found: defaultdict[tuple[Kind, Phase], list[float]] = defaultdict(list)
    for timing in record.timings:
        found[timing.kind, timing.phase].append(timing.seconds)
    return {
        kind: {
            phase: {
                "p50": round(percentile(found[kind, phase], 0.5) * 1000, 1),
                "p99": round(percentile(found[kind, phase], 0.99) * 1000, 1),
                "requests": len(found[kind, phase]),
            }
            for phase in (ALONE, BESIDE)
        }
        for kind in MEASURED
    }


def is_quick(record: Record, idle: float) -> bool:
    """Whether the machine was free before the run, and answered honest requests alone as a free one does."""
    return idle >= QUIET and all(
        TIMES_LONGER * phases[ALONE]["p99"] <= LONGEST_WAIT * 1000 for phases in waits(record).values()
    )


def others_waited_too_long(record: Record) -> list[str]:
    """99 in a hundred take a second at most, or where they take longer alone than a tenth of it, ten times as long."""
    breaches = []
    for kind, phases in waits(record).items():
        alone, beside = phases[ALONE], phases[BESIDE]
        most = max(LONGEST_WAIT * 1000, TIMES_LONGER * alone["p99"])
        if not beside["requests"]:
            breaches.append(f"of {kind} nothing was measured")
        elif beside["p99"] > most:
            breaches.append(f"{kind}: p99 {beside['p99']} ms beside hostile ones, {alone['p99']} ms alone")
    return breaches


def others_were_refused(record: Record) -> list[str]:
    """Before anything is killed, no honest request is answered 5xx. One without an answer counts as a long wait."""
    failed = Counter((each.phase, each.kind, each.status) for each in record.timings if each.status >= 500)
    return [f"{count} times {kind} was answered {status}, {phase}" for (phase, kind, status), count in failed.items()]


# ------------------------------------------------------------------------------------------- the hostile ones


def wrongly_answered(seen: Sequence[Seen], killed_from: float) -> list[str]:
    """Each attack has statuses that are right; once something is killed, no answer is right as well."""
    breaches = Counter(
        f"{each.who}, {each.attack}: answered {each.status or 'nothing'} {each.said}".strip()
        for each in seen
        if not each.is_right and not (each.status == SILENCE and each.ended >= killed_from)
    )
    return [f"{count} times {sentence}" for sentence, count in breaches.items()]


def faulty_answers(seen: Sequence[Seen]) -> list[str]:
    """No answer is 500, and none holds what others have said."""
    breaches = Counter(f"{each.who}, {each.attack}: {fault}" for each in seen for fault in each.faults)
    return [f"{count} times {sentence}" for sentence, count in breaches.items()]


def answers_by_attack(seen: Sequence[Seen]) -> dict[str, dict[str, Any]]:
    """Who made each attack, and what it was answered, how often."""
    answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in seen:
        answers[each.attack][str(each.status) if each.status != SILENCE else "none"] += 1
    who = {each.attack: each.who for each in seen}
    return {
        name: {"who": who[name], "answers": dict(sorted(counts.items()))} for name, counts in sorted(answers.items())
    }


# ------------------------------------------------------------------------------------------------- their mails


def headers_of_others(mails: Sequence[Mail]) -> list[str]:
    """Every header is one that the service writes, once; no recipient or type of content comes from a text."""
    return [f"the mail {mail.subject!r} to {mail.to}: {breach}" for mail in mails for breach in _breaches(mail.headers)]


def _breaches(headers: Sequence[tuple[str, str]]) -> list[str]:
    names = Counter(name for name, _ in headers)
    breaches = [f"the header {name} is not the service's" for name in names.keys() - HEADERS]
    breaches += [f"the header {name} is there {count} times" for name, count in names.items() if count > 1]
    values: Mapping[str, str] = dict(headers)
    addresses = getaddresses([values[name] for name in ("From", "To", "Reply-To", "Cc", "Bcc") if name in values])
    breaches += [f"it names {address}" for _, address in addresses if address == INJECTED]
    if not values.get("Content-Type", CONTENT_TYPES[0]).startswith(CONTENT_TYPES):
        breaches.append(f"its content is {values['Content-Type']}")
    return breaches
