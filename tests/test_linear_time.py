"""Text of strangers takes linear time: every pattern of the package, and every reader, on texts made to keep it busy.

What takes quadratic time stops the whole service with one request, so the next such pattern has to fail here.
"""

import ast
import itertools
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from leadroutes.domain import recurrence
from leadroutes.domain.mentions import mention_pattern
from tests.support import readers
from tests.support import scaling as growth
from tests.support.readers import GROUPS, Reader
from tests.support.scaling import Used

pytestmark = pytest.mark.slow

BAD_PATTERNS = {
    "blanks before blanks": (r"bearer +(\S.*?) *", re.IGNORECASE, "fullmatch"),
    "anything before blanks": (r"(.*)\s*x", 0, "search"),
    "a run that begins everywhere": (r"[\w.+'-]+@(?:[\w-]+\.)+[a-z]{2,}\b", re.IGNORECASE, "sub"),
    "a word that begins everywhere": (r"(\w+://[^/@:\s]*:)[^@/\s]+@", 0, "sub"),
    "blanks at the end": (r"\s*\([^()]*\)\s*$", 0, "sub"),
    "two optional runs": (r"message[ \t]*-*[ \t*]*$", 0, "search"),
    "an end that is looked for from every beginning": (r"<[^>]*>", 0, "search"),
    "the same in two branches": (r"(?:a|a)*b", 0, "match"),
    "a repetition of repetitions": (r"(?:[a-z]+)*[0-9]", 0, "fullmatch"),
    "the same with an optional part between": (r"[0-9]+(?:,?[0-9]+)x", 0, "match"),
    "bytes": (rb"=\?.*?\?=", 0, "search"),
}


# Steps of Python and not of C: how fast memory is copied or counted beside that depends on the machine.


def take_off(text: str) -> str:
    while text and all(each == " " for each in text):
        text = text[1:]
    return text


def count_again(text: str) -> int:
    return sum(sum(1 for each in text[:position] if each == "a") for position in range(0, len(text), 10))


def joined_one_by_one(text: str) -> str:
    parts: tuple[str, ...] = ()
    for each in text:
        parts = (*parts, each)
    return "".join(parts)


BAD_READERS = [
    Reader("one character after the other", take_off, size=1_500),
    Reader("what was counted before", count_again, size=5_000),
    Reader("a text that is made anew for every character", joined_one_by_one, size=5_000),
]


@pytest.fixture(scope="module")
def floor() -> float:
    return growth.fastest_quadratic(growth.SMALL) / 4


# ------------------------------------------------------------------------------------------------------- the package


def test_every_pattern_takes_linear_time(floor: float) -> None:
    found = growth.patterns()

    assert len(found) > 100
    assert [text for used in found for text in growth.slow_texts(used, floor)] == []


def test_no_pattern_is_made_where_this_test_does_not_see_it(floor: float) -> None:
    """But for two: the parts of a rule, which a table has, and what an erased person is looked for by."""
    known = ["leadroutes.domain.recurrence: RULE_PARTS[name]", "leadroutes.operations.erasure: pattern"]
    assert growth.unknown_patterns() == known

    parts = [
        Used(f"RULE_PARTS[{name}]", re.compile(part), ("fullmatch",)) for name, part in recurrence.RULE_PARTS.items()
    ]
    mentioned = mention_pattern([("email", "a.b@c.example"), ("phone", "+13035550142")])
    assert mentioned
    parts.append(Used("mentions", re.compile(mentioned), ("search",)))
    assert [text for used in parts for text in growth.slow_texts(used, floor)] == []


@pytest.mark.parametrize("group", GROUPS)
def test_every_reader_takes_linear_time(floor: float, group: str) -> None:
    found, units = GROUPS[group]
    suspected = [reader for reader in found if slow_cases(reader, units, floor)]

    # What a busy machine has made slow is not slow once more.
    assert [case for reader in suspected for case in slow_cases(reader, units, floor)] == []


def slow_cases(reader: Reader, units: tuple[str, ...], floor: float) -> Iterator[str]:
    call = readers.ignoring(reader.call)
    for parts in readers.cases(reader, units):
        if not growth.is_linear(call, partial(growth.text_of, *parts), reader.size, floor):
            yield f"{reader.name}: {parts[0]!r} + {parts[1]!r} * n + {parts[2]!r}"


# ------------------------------------------------------------------------------------------------- that it finds any


@pytest.mark.parametrize("case", BAD_PATTERNS)
def test_a_pattern_that_takes_longer_is_found(floor: float, case: str) -> None:
    pattern, flags, method = BAD_PATTERNS[case]

    assert any(growth.slow_texts(Used(case, re.compile(pattern, flags), (method,)), floor))


@pytest.mark.parametrize("reader", BAD_READERS, ids=[each.name for each in BAD_READERS])
def test_a_reader_that_takes_longer_is_found(floor: float, reader: Reader) -> None:
    assert any(slow_cases(reader, (), floor))


def burn(seconds: float) -> None:
    """Take so much time of this thread, whatever machine it is."""
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass


@pytest.mark.parametrize("linear", [0, 1, 3])
def test_a_small_quadratic_part_beside_a_linear_one_is_found(floor: float, linear: int) -> None:
    """Three quarters of the time linear: the first two lengths are in doubt, the longer one decides."""
    unit = 2 * floor

    def read(text: str) -> None:
        times = len(text) / 10
        burn(unit * (linear * times + times**2))

    assert not growth.is_linear(read, "a".__mul__, 10, floor)


@pytest.mark.parametrize("late", [{2}, {0, 1, 2}, {3, 4, 5, 6, 7, 8}])
def test_a_machine_that_is_busy_for_a_while_makes_no_reader_slow(floor: float, late: set[int]) -> None:
    calls = itertools.count()

    def read(text: str) -> None:
        burn(floor * len(text) / 5 * (10 if next(calls) in late else 1))

    assert growth.is_linear(read, "a".__mul__, 10, floor)


def test_a_call_that_is_stopped_once_is_made_again(floor: float) -> None:
    calls = itertools.count()

    def read(text: str) -> None:
        if next(calls) == 3:
            raise growth.TooLongError
        burn(floor * len(text) / 5)

    assert growth.is_linear(read, "a".__mul__, 10, floor)


@pytest.mark.parametrize("late", [{0}, {0, 1, 2}])
def test_a_machine_that_is_busy_at_first_hides_no_slow_reader(floor: float, late: set[int]) -> None:
    calls = itertools.count()

    def read(text: str) -> None:
        burn(floor * len(text) ** 2 / 50 * (1.8 if next(calls) in late else 1))

    assert not growth.is_linear(read, "a".__mul__, 10, floor)


def test_patterns_are_found_wherever_they_are() -> None:
    places = {used.place for used in growth.patterns()}

    assert "leadroutes.observability.logs.SECRET_TEXTS" in places, "in a tuple of pairs"
    assert "leadroutes.intake.html._UNSEEN" in places, "in a dict"
    assert any(place.startswith("leadroutes.api.values:") for place in places), "in a function"


# -------------------------------------------------------------------------------- parts of the standard library

# Before 3.11.10 and 3.12.6 these have known holes on text of strangers, or had them again and again.
UNSAFE = frozenset({"cgi", "http.cookies", "http.server", "imaplib", "plistlib", "pickle", "tarfile", "xml", "zipfile"})
ROOT = Path(__file__).parent.parent / "leadroutes"


def test_no_part_of_the_standard_library_that_old_patch_levels_have_holes_in_reads_for_us() -> None:
    used = {}
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        unsafe = {name for name in names if name in UNSAFE or name.partition(".")[0] in UNSAFE}
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        unsafe |= attributes & {"cookies", "form_data", "message_from_bytes", "message_from_string"}
        if unsafe:
            used[path.relative_to(ROOT).as_posix()] = sorted(unsafe)

    assert used == {
        "demo/agents.py": ["message_from_bytes"],
        "channels/twiml.py": ["xml.etree.ElementTree"],
        "engine/phone_calls.py": ["xml.etree.ElementTree"],
    }, "its own mails alone are read there, and XML is only written"
