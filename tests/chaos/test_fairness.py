"""The verdict on hostile ones notices each kind of harm: what is forged here in a record of a run is found in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos import fairness
from chaos.attacks import HEADERS_IN_A_WORD, INJECTED, PAIR, SILENCE, Target
from chaos.hostile import ATTACKS, Hostile, Seen
from chaos.load import Record, Timing
from chaos.sink import Mail
from chaos.wire import http, parsed

GOOD = (
    ("From", "Lead Routes <leads@localhost>"),
    ("To", "bob@example.com"),
    ("Subject", f"New lead: Eve, {PAIR!r}"),
    ("Content-Type", 'text/plain; charset="utf-8"'),
)
SEEN = Seen(attack="a head", who="stranger", began=1.0, ended=2.0, status=431, is_right=True)


def mail(*headers: tuple[str, str]) -> Mail:
    return Mail(fate="taken", to="bob@example.com", subject="s", message_id="m", text="t", headers=headers)


def measured(alone: float, beside: float, count: int = 200) -> Record:
    """All requests took so long, and one in a hundred four times that."""
    record = Record()
    for kind in fairness.MEASURED:
        for number in range(count):
            times = 4 if number % 100 == 0 else 1
            record.timings.append(Timing("alone", kind, alone * times, 200))
            record.timings.append(Timing("beside hostile ones", kind, beside * times, 200))
    return record


def test_each_attack_has_a_name_of_its_own_and_never_500_as_a_right_status() -> None:
    names = [attack.name for attack in ATTACKS]

    assert len(names) == len(set(names))
    assert all(attack.right and 500 not in attack.right for attack in ATTACKS)
    assert {attack.who for attack in ATTACKS} == {"stranger", "account"}


def test_a_mail_as_the_service_writes_it_is_not_a_breach() -> None:
    in_a_name = ("From", f'"Eve Reply-To: {INJECTED}" <leads@localhost>')

    assert fairness.headers_of_others([mail(*GOOD), mail(in_a_name, *GOOD[1:]), mail()]) == []


@pytest.mark.parametrize(
    "header",
    [
        ("X-Injected", "yes"),
        ("Subject", "once more"),
        ("Reply-To", f"Eve <{INJECTED}>"),
        ("Bcc", "eve@hostile.example"),
    ],
    ids=lambda header: header[0],
)
def test_a_header_that_someone_wrote_is_noticed(header: tuple[str, str]) -> None:
    assert fairness.headers_of_others([mail(*GOOD, header)]) != []


def test_a_mail_that_became_html_is_noticed() -> None:
    assert fairness.headers_of_others([mail(*GOOD[:3], ("Content-Type", "text/html"))]) != []


def test_p99_is_the_value_that_one_in_a_hundred_exceeds() -> None:
    assert fairness.percentile(range(1, 101), 0.99) == 99
    assert fairness.percentile(range(1, 1001), 0.99) == 990
    assert fairness.percentile([7.0], 0.99) == 7.0


def test_others_may_wait_for_less_than_a_second_however_quick_they_are_alone() -> None:
    assert fairness.others_waited_too_long(measured(alone=0.001, beside=0.9)) == []


def test_others_who_wait_for_more_than_a_second_are_noticed() -> None:
    assert len(fairness.others_waited_too_long(measured(alone=0.09, beside=1.1))) == len(fairness.MEASURED)


def test_where_the_machine_is_slow_the_wait_is_compared_with_that_of_others_alone() -> None:
    assert fairness.others_waited_too_long(measured(alone=1.0, beside=9.9)) == []
    assert fairness.others_waited_too_long(measured(alone=1.0, beside=10.1)) != []


def test_a_machine_is_quick_that_was_free_and_answered_quickly() -> None:
    assert fairness.is_quick(measured(alone=0.1, beside=0.9), idle=0.95)
    assert not fairness.is_quick(measured(alone=0.1, beside=0.9), idle=0.5)
    assert not fairness.is_quick(measured(alone=0.4, beside=0.9), idle=0.95)


def test_a_run_in_which_nothing_was_measured_proves_nothing() -> None:
    assert len(fairness.others_waited_too_long(Record())) == len(fairness.MEASURED)


def test_an_honest_request_that_is_answered_503_before_anything_is_killed_is_noticed() -> None:
    record = measured(alone=0.01, beside=0.01)
    assert fairness.others_were_refused(record) == []

    record.timings.append(Timing("beside hostile ones", "a claim", 0.1, 503))
    assert fairness.others_were_refused(record) == ["1 times a claim was answered 503, beside hostile ones"]


def test_an_answer_that_is_not_right_is_noticed_and_silence_only_before_the_kills() -> None:
    silent = replace_seen(status=SILENCE, is_right=False)

    assert fairness.wrongly_answered([SEEN, silent], killed_from=1.5) == []
    assert fairness.wrongly_answered([silent], killed_from=3.0) == ["1 times stranger, a head: answered nothing"]
    assert fairness.wrongly_answered([replace_seen(status=200, is_right=False)], killed_from=1.5) != []


def replace_seen(**changes: object) -> Seen:
    values = {name: getattr(SEEN, name) for name in SEEN.__struct_fields__} | changes
    return Seen(**values)


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Hostile]:
    target = Target(
        ports=(1,), owner_email="alice@example.com", form_key="k", others=(1,), user_id=2, email="dave@example.com",
        password="p", token="t", own_key="o", secrets=("alice@example.com", "Lund"), seed=1, patience=1.0,
    )  # fmt: skip
    with Hostile(target, tmp_path / "hostile.jsonl") as hostile:
        yield hostile


@pytest.mark.parametrize(
    ("sent", "answer", "count"),
    [
        (http("GET", "/me"), b"HTTP/1.1 401 Unauthorized\r\n\r\n{}", 0),
        (http("GET", "/me"), b"HTTP/1.1 500 Internal Server Error\r\n\r\n{}", 1),
        (http("GET", "/me"), b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}", 1),
        (http("GET", "/me"), b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\r\n{}", 0),
        (http("GET", "/leads"), b'HTTP/1.1 200 OK\r\n\r\n{"last_name": "Lund"}', 1),
        (
            http("GET", "/leads"),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nLu\r\n2\r\nnd\r\n0\r\n\r\n",
            1,
        ),
        (
            http("POST", "/sign-in", body=b"email=alice%40example.com"),
            b"HTTP/1.1 403 Forbidden\r\n\r\nalice@example.com",
            0,
        ),
    ],
)
def test_a_fault_and_a_word_of_others_in_an_answer_are_noticed(
    hostile: Hostile, sent: bytes, answer: bytes, count: int
) -> None:
    read = parsed(answer)
    assert read is not None
    assert len(list(hostile._faults(sent, read))) == count


def test_what_is_injected_is_in_the_texts_that_inject_it() -> None:
    assert INJECTED in PAIR
    assert HEADERS_IN_A_WORD.startswith("=?utf-8?b?")
