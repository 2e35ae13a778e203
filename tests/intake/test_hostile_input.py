"""Whatever comes in, a Reading comes out: fuzzed samples, and bodies made to take time or memory."""

import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadroutes.intake.csv_import import ImportedRow, read_csv, repeats
from leadroutes.intake.formats import BY_NAME
from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, expected_json
from tests.support.examples import examples
from tests.support.samples import SAMPLES, Sample, certificate, samples, secrets

pytestmark = pytest.mark.slow

BODIES = [each.body for each in samples()]
CHARSETS = ["utf-8", "utf-16", "utf-16-be", "utf-32", "cp1252", "latin-1", "utf-7", "ascii"]


@st.composite
def mangled(draw: st.DrawFn, body: bytes) -> bytes:
    """A body truncated, spliced, repeated, recoded or otherwise spoilt, several times over."""
    for _ in range(draw(st.integers(1, 4))):
        body = _mangled_once(draw, body)[:20_000]
    return body


def _mangled_once(draw: st.DrawFn, body: bytes) -> bytes:
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 400)))
    match draw(st.integers(0, 6)):
        case 0:
            return body[:start]
        case 1:
            return body[:start] + body[end:]
        case 2:
            return body[:end] + body[start:end] * draw(st.integers(1, 50)) + body[end:]
        case 3:
            other = draw(st.sampled_from(BODIES))
            return body[:start] + other[draw(st.integers(0, len(other))) :]
        case 4:
            text = body.decode("utf-8", "replace")
            return text.encode(draw(st.sampled_from(CHARSETS)), "replace")
        case 5:
            return body[:start] + draw(st.binary(max_size=20)) + body[end:]
    signs = [
        b"<",
        b"&#",
        b"\\u",
        b"\\ud800",
        b"%",
        b'"',
        b"[",
        b"{",
        b"]",
        b"\x00",
        b"--",
        b"\r",
        b":",
        b"=?",
        b"NaN",
        b"1e999",
    ]
    return body[:start] + draw(st.sampled_from(signs)) + body[start:]


def _is_sound(reading: Reading) -> None:
    """Such a reading can be stored: no half characters, and times that can be written."""
    assert reading.results
    expected_json(reading)
    for inquiry in reading.inquiries:
        str(inquiry.as_json()).encode()
        assert inquiry.email or inquiry.phone
        assert "\x00" not in str(inquiry.as_json())


@pytest.mark.parametrize("each", samples(), ids=lambda each: each.name)
@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_a_spoilt_sample_is_read_or_refused(each: Sample, data: st.DataObject) -> None:
    body = data.draw(mangled(each.body))
    format_ = data.draw(st.sampled_from([each.format, each.format, None, *BY_NAME]))
    is_authenticated = data.draw(st.booleans())
    _is_sound(
        read(
            body,
            each.headers,
            format=format_,
            secrets=None if is_authenticated else secrets(),
            graph=each.graph,
            certificates=certificate,
        ),
    )


@given(st.binary(max_size=300), st.sampled_from([None, *BY_NAME]), st.text(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes, format_: str | None, content_type: str) -> None:
    _is_sound(read(body, {"Content-Type": content_type}, format=format_))


@settings(deadline=None)
@given(st.data())
def test_a_spoilt_history_is_read(data: st.DataObject) -> None:
    body = (SAMPLES / "history.csv").read_bytes()[:6_000]
    rows = list(read_csv(data.draw(mangled(body))))
    repeats([row for row in rows if isinstance(row, ImportedRow)])


# ----------------------------------------------------------------------------------------------------- time, memory

MEBIBYTE = 1_048_576
HEADER = b"From: a@b.co\n"


def _filled(unit: bytes, start: bytes = b"", end: bytes = b"", size: int = MEBIBYTE) -> bytes:
    room = size - len(start) - len(end)
    return start + (unit * (room // len(unit) + 1))[:room] + end


def _mail(unit: bytes, start: bytes = b"", type_: bytes = b"text/plain") -> bytes:
    return _filled(unit, HEADER + b"Content-Type: " + type_ + b"\n\n" + start, size=10 * MEBIBYTE)


def _json(name: str, unit: str) -> bytes:
    return _filled(unit.encode(), f'{{"{name}":"'.encode(), b'"}')


ADF = b"<adf><prospect><customer>"
HOSTILE = {
    "zapier": [
        b"[" * MEBIBYTE,
        _filled(b'"\\"'),
        _filled(b"{},", b"["),
        _filled(b"[],", b"[", b"[]]"),
        b"[" + b",".join([b'{"e":"x","phone":"3035550142"}'] * 9_000) + b"]",
        _filled(b"9", b'{"phone":', b"}"),
        *(_json("phone", unit) for unit in ("1 x ", "3035550142 ext", "1", "+", "1/", "x     ")),
        *(_json("email", unit) for unit in ("@", "a@b,", "<", "a@")),
        *(_json("name", unit) for unit in ("a ", "a@", "Mr and ", ",", "e\u0315\u0301", "\u0315\u0301")),
        *(_json("price", unit) for unit in ("1", "1,", "111,", "111.", "0", ".1")),
        *(_json("address", unit) for unit in ("a,", "A ", "A.,", "1 ")),
        *(_json("message", unit) for unit in (" \\n", " ", "\u0315\u0301")),
    ],
    "website": [_filled(unit) for unit in (b"a=1&", b"%FF", b"&", b"[[", b"a[b]=c&", b"a=%C3%A9")],
    "adf": [
        *(_filled(unit, ADF) for unit in (b"<contact>", b"<phone>", b"<", b"<a ", b"<a>", b"</a  ", b"</phone>")),
        *(_filled(unit, ADF) for unit in (b"<![CDATA[", b"<![CDATA[]]>", b"<!--", b"<?", b"<id \"' ", b"<id a=\"b'>")),
        *(_filled(unit, ADF) for unit in (b"&#1", b"&amp;", b"<id " + b"a" * 999_999, b"<a:b:c:", b"< ")),
        ADF + b"<a>" * 150_000 + b"</a>" * 100_000,
    ],
    "email": [
        *(
            _mail(unit)
            for unit in (b"-", b">", b"\r", b"Name: x\n", b"Message:\n", b"Address:\n", b" * ", b"\n", b"a\t")
        ),
        *(
            _mail(unit, b"-- Forwarded message --\n")
            for unit in (b"> > >\n", b"From: x\n\n", b"-- Forwarded message --\n")
        ),
        *(_mail(unit, type_=b"text/html") for unit in (b"<div>", b"<", b"<a ", b'<a "', b"<a \"' ", b"<!--", b"<!")),
        *(_mail(unit, type_=b"text/html") for unit in (b"<script>", b"<meta name=lead_a content=b>", b"&amp;", b"-- ")),
        *(_mail(unit, type_=b"text/html") for unit in (b"--&nbsp;", b"begin ", b"begin" + b" " * 99, b"<td>x</td>")),
        *(_mail(unit, type_=b"multipart/mixed; boundary=b") for unit in (b"--bx\n", b"--b\n", b"--b\n\nx\n")),
        _mail(b"--b\nContent-Type: text/html\n\n" + b"<p>x" * 2_500 + b"\n", type_=b"multipart/mixed; boundary=b"),
        _mail(b"--b\nContent-Type: message/rfc822\n\nA: b\n\nx\n", type_=b"multipart/mixed; boundary=b"),
        _filled(b"A: b\n", HEADER, size=10 * MEBIBYTE),
        _filled(b';"', HEADER + b"Content-Type: ", size=10 * MEBIBYTE),
        _filled(b"\n ", HEADER, size=10 * MEBIBYTE),
        _filled(b"(", b"From: ", size=10 * MEBIBYTE),
        HEADER + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(50_000)),
        HEADER + b"Content-Type: message/rfc822\n\n" * 100_000,
    ],
}


@pytest.mark.parametrize(
    ("format_", "body"),
    [(name, body) for name, bodies in HOSTILE.items() for body in bodies],
    ids=[f"{name} {number}" for name, bodies in HOSTILE.items() for number in range(len(bodies))],
)
def test_a_hostile_body_takes_neither_time_nor_memory(format_: str, body: bytes) -> None:
    start = time.process_time()
    _is_sound(read(body, {}, format=format_))
    assert time.process_time() - start < 2  # twice what is promised: a slow machine is not a defect


@pytest.mark.parametrize("format_", HOSTILE)
def test_a_hostile_body_takes_little_memory(format_: str) -> None:
    for body in HOSTILE[format_][:2]:
        tracemalloc.start()
        read(body, {}, format=format_)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50 * MEBIBYTE
