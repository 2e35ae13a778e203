"""What a body says, whatever it is wrapped in, as a table; and that no body breaks or stops it."""

import base64
import json
import time
from email.header import Header
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.intake.text_search import TEXTS_LIMIT, texts_in

WORDS = "Write to Mia@Lund.example or call 303-555-0101"
SAID = WORDS.lower()


def mail(cte: str, charset: str = "utf-8", text: str = WORDS) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "agent@example.com"
    message["Subject"] = "Someone asked"
    message.set_content(f"{text}\n{'é' if charset == 'utf-8' else ''}", charset=charset, cte=cte)
    return message


def split_by_soft_line_breaks() -> bytes:
    lines = "=\r\n".join(WORDS[at : at + 7] for at in range(0, len(WORDS), 7))
    return b"Subject: x\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n" + lines.encode()


def with_attachment() -> bytes:
    message = MIMEMultipart()
    message["Subject"] = "See below"
    message.attach(MIMEText("Nothing here"))
    message.attach(MIMEApplication(WORDS.encode(), "octet-stream"))
    return message.as_bytes()


def attached_in_base64() -> bytes:
    """A mail attached whole, which no mailer may encode and some do; its own text is encoded again."""
    inner = base64.encodebytes(mail("base64").as_bytes())
    head = b"Subject: Fwd\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    part = b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + inner
    return head + part + b"\n--b--\n"


def attached() -> bytes:
    message = mail("7bit", "us-ascii", "See below")
    message.add_attachment(mail("base64"))
    return message.as_bytes()


def encoded_header() -> bytes:
    return f"From: x@example.com\nSubject: {Header(f'é {WORDS}', 'utf-8', maxlinelen=40).encode()}\n\nHello\n".encode()


WRAPPED = {
    "base64": mail("base64").as_bytes(),
    "quoted-printable": split_by_soft_line_breaks(),
    "UTF-16 in base64": mail("base64", "utf-16").as_bytes(),
    "an attachment": with_attachment(),
    "an attached mail": attached(),
    "an attached mail in base64": attached_in_base64(),
    "encoded words that are folded": encoded_header(),
    "encoded words, Q": b"Subject: =?ascii?q?Write_to_Mia=40Lund.example_or?= =?ascii?Q?_call_303-555-0101?=\n\nx",
    "escapes of JSON": b'{"x": "' + "".join(rf"\u{ord(each):04x}" for each in WORDS).encode() + b'"}',
    "escapes of JSON that is broken": rb'{"x": "Write to Mia\u0040Lund.example or call 303-555-0101", ',
    "JSON in JSON": json.dumps({"x": json.dumps([json.dumps(WORDS.replace("@", "\N{SMALL COMMERCIAL AT}"))])}).encode(),
    "a mail in JSON": json.dumps({"mime": mail("base64").as_string()}).encode(),
    "references of markup": WORDS.replace("@", "&#64;").replace(".", "&period;").replace("0", "&#x30;").encode(),
    "UTF-16": WORDS.encode("utf-16"),
    "UTF-16 that does not say so": WORDS.encode("utf-16-le"),
    "wide letters": "".join(chr(ord(each) + 0xFEE0) if each > " " else each for each in WORDS).encode(),
}  # fmt: skip


@pytest.mark.parametrize("how", WRAPPED)
def test_what_is_wrapped_is_found(how: str) -> None:
    assert SAID not in WRAPPED[how].decode("latin-1").lower()
    assert any(SAID in text for text in texts_in(WRAPPED[how], {}))


def test_a_form_says_what_its_fields_say() -> None:
    body = b"x=1&mail=" + b"".join(b"%%%02X" % each for each in split_by_soft_line_breaks())
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert any(SAID in text for text in texts_in(body, headers))


def test_a_form_of_several_parts_is_read_like_a_mail() -> None:
    words = base64.b64encode(WORDS.encode())
    disposition = b'Content-Disposition: form-data; name="file"; filename="x.txt"'
    body = b"--b\r\n" + disposition + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + words + b"\r\n--b--\r\n"
    assert any(SAID in text for text in texts_in(body, {"Content-Type": "multipart/form-data; boundary=b"}))


def test_headers_of_the_request_are_read() -> None:
    word = base64.b64encode(WORDS.encode()).decode()
    assert any(SAID in text for text in texts_in(b"", {"X-Person": f"=?utf-8?B?{word}?="}))


@given(st.binary(max_size=300), st.sampled_from(["", "application/json", "multipart/mixed; boundary=b", "a;charset=x"]))
def test_whatever_comes_is_read(body: bytes, content_type: str) -> None:
    assert all(isinstance(text, str) for text in texts_in(body, {"Content-Type": content_type}))


def nested() -> str:
    text = WORDS
    for _ in range(12):
        text = json.dumps([text])
    return text


@pytest.mark.parametrize(
    "body",
    [
        b"=?x?b?" * 200_000,
        b"=?x?q?" + b"a" * 1_000_000 + b"\n" + b"=?x?q?a?= " * 50_000,
        b"&#1" * 300_000,
        b"\\u" * 400_000,
        nested().encode(),
        json.dumps([json.dumps([json.dumps(["\n"] * 20)] * 20)] * 400).encode(),
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (each, each) for each in range(5_000)),
        b"a: b\n\n" * 150_000,
    ],
    ids=["words", "long words", "references", "escapes", "nested", "many nested", "nested parts", "heads"],
)
def test_what_is_meant_to_stop_it_does_not(body: bytes) -> None:
    began = time.process_time()
    assert sum(1 for _ in texts_in(body, {})) <= TEXTS_LIMIT + 1
    assert time.process_time() - began < 10
