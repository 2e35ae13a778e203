"""What became no lead and names a contact who is erased: found however it is written, and only that."""

import base64
import contextlib
import json
import time
from email.message import EmailMessage

import pytest

from leadroutes.errors import Problem
from tests.support.brokerage import KEY, Brokerage
from tests.support.databases import content
from tests.support.erasure import EMAIL, MARK, PHONE, contact_of, erase_and_check, remaining_rows

NAMED = f"Dear agent, write to {EMAIL.title()} please, or call ({PHONE.replace('-', ') ', 1)}."
CALLED = "Dear agent, call 303\N{NON-BREAKING HYPHEN}555\N{NON-BREAKING HYPHEN}0101, please."
AFTER = "SELECT id, body, status, reason, emptied_at IS NOT NULL AS is_emptied FROM arrivals ORDER BY id"


def mail(text: str = NAMED, cte: str = "base64", charset: str = "utf-8") -> bytes:
    message = EmailMessage()
    message["From"] = "someone@example.com"
    message["Subject"] = "Your sign in the garden"
    message.set_content(text, charset=charset, cte=cte)
    return message.as_bytes()


def attached() -> bytes:
    """A mail that came back, which is attached whole, and encoded once more."""
    head = b"From: mailer-daemon@example.com\nSubject: It came back\nContent-Type: multipart/mixed; boundary=b\n\n"
    part = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(mail())
    return head + b"--b\n\nIt came back:\n--b\n" + part + b"\n--b--\n"


def split() -> bytes:
    text = "=\n".join(NAMED[at : at + 5] for at in range(0, len(NAMED), 5))
    return b"From: x@example.com\nSubject: A question\nContent-Transfer-Encoding: quoted-printable\n\n" + text.encode()


def headed() -> bytes:
    word = base64.b64encode(EMAIL.encode()).decode()
    return f"From: x@example.com\nSubject: =?utf-8?B?{word}?=\n\nHello\n".encode()


BODIES = {
    "as it is": ("text/plain", NAMED.encode()),
    "hyphens that are no ASCII": ("text/plain", CALLED.encode()),
    "base64": ("message/rfc822", mail()),
    "UTF-16 in base64": ("message/rfc822", mail(charset="utf-16")),
    "quoted-printable": ("message/rfc822", split()),
    "an encoded word": ("message/rfc822", headed()),
    "an attached mail": ("message/rfc822", attached()),
    "escapes of JSON": ("application/json", json.dumps({"said": NAMED}).replace("@", r"\u0040").encode()[:-1]),
    "references": ("application/xml", b"<a>" + EMAIL.replace("@", "&#64;").encode() + b"</a>"),
    "UTF-16": ("text/plain", NAMED.encode("utf-16")),
    "a form": ("application/x-www-form-urlencoded", b"note=" + EMAIL.replace("@", "%40").encode()),
}


async def came_in(brokerage: Brokerage, kind: str, body: bytes) -> int:
    """An arrival that became no lead."""
    with contextlib.suppress(Problem):
        await brokerage.arrivals.ingest(KEY, body, {"Content-Type": kind})
    row = await brokerage.town.database.fetchrow("SELECT id, lead_id FROM arrivals ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert row["lead_id"] is None, "it is a lead"
    return int(row["id"])


@pytest.mark.parametrize("how", BODIES)
async def test_what_names_the_contact_is_emptied(brokerage: Brokerage, how: str) -> None:
    await brokerage.ask(email=EMAIL, phone=PHONE)
    contact_id = await contact_of(brokerage)
    arrival_id = await came_in(brokerage, *BODIES[how])
    rows = await erase_and_check(brokerage, contact_id)

    assert rows["stray_arrivals"] == 1
    row = await brokerage.town.database.fetchrow(f"SELECT * FROM ({AFTER}) AS a WHERE id = $1", arrival_id)
    assert row is not None
    assert (row["body"], row["reason"], row["is_emptied"]) == (b"", "the contact was erased", True)


async def test_what_names_someone_else_stays(brokerage: Brokerage) -> None:
    """In every wrapping, and with digits that are nearly the contact's."""
    await brokerage.ask(email="noa@example.com", phone="303-555-0102")
    contact_id = await contact_of(brokerage, "noa@example.com")
    for kind, body in BODIES.values():
        await came_in(brokerage, kind, body)
    before = await brokerage.town.database.fetch(AFTER)
    rows = await erase_and_check(brokerage, contact_id)

    assert rows["stray_arrivals"] == 0
    after = await brokerage.town.database.fetch(AFTER)
    assert [row for row in after if row["is_emptied"]] == after[:1], "the contact's own"
    assert after[1:] == before[1:]


async def test_who_has_neither_address_nor_phone_is_looked_for_nowhere(brokerage: Brokerage) -> None:
    contact_id = await brokerage.town.contact("alice", first_name="Mia")
    await came_in(brokerage, *BODIES["base64"])
    assert (await erase_and_check(brokerage, contact_id))["stray_arrivals"] == 0


async def test_another_owners_arrivals_are_not_looked_at(brokerage: Brokerage) -> None:
    town = brokerage.town
    await brokerage.ask(email=EMAIL)
    contact_id = await contact_of(brokerage)
    arrival_id = await came_in(brokerage, *BODIES["base64"])
    moved = "UPDATE arrivals SET owner_id = $1, intake_key_id = NULL WHERE id = $2"
    await town.database.execute(moved, town.users["dave"], arrival_id)
    assert (await erase_and_check(brokerage, contact_id))["stray_arrivals"] == 0


async def test_thousands_are_looked_through_piece_by_piece(brokerage: Brokerage, database_url: str) -> None:
    """More than one look's worth of them, and one alone that is; the contact's come first, between them and last."""
    database = brokerage.town.database
    await brokerage.ask(email=EMAIL, phone=PHONE)
    contact_id = await contact_of(brokerage)
    fill = (
        "INSERT INTO arrivals (owner_id, received_at, headers, body, status, reason)"
        " SELECT $1, now(), '{}', $2, 'rejected', 'not a lead' FROM generate_series(1, $3)"
    )
    other, large = mail("Hello " * 100), mail("Hello " * 900_000)
    for body, number in ((mail(), 1), (other, 1_500), (mail(), 1), (large, 2), (mail(), 1)):
        await database.execute(fill, brokerage.owner_id, body, number)
    began = time.monotonic()
    rows = await erase_and_check(brokerage, contact_id)

    assert rows["stray_arrivals"] == 3
    assert time.monotonic() - began < 30
    assert remaining_rows(await content(database_url)) == []
    assert await database.fetchval("SELECT count(*) FROM arrivals WHERE emptied_at IS NULL") == 1_502
    assert MARK.lower() not in mail().decode().lower(), "it has to be read"
