"""Bodies that take long, or hold too much: no one else waits for them, and a refused one is stored with its reason."""

import pytest

from leadroutes.errors import Unavailable
from leadroutes.ingest.reader import MAX_INLINE_BODY, MAX_INLINE_JSON, BodyReader, IncomingBody, is_small
from leadroutes.intake.reading import read
from tests.support.api import ask
from tests.support.event_loop import LONGEST, monitored_loop
from tests.support.intake_app import IntakeApp
from tests.support.samples import Sample, samples

MAIL = {"Content-Type": "message/rfc822"}
HALF_OPEN = b"--b\nContent-Type: text/xml\n\n<adf><prospect>" + b"<a" * 120_000 + b"\n"
PERSON = "<contact><name>Eve Ash</name><email>eve.{}.{}@example.com</email></contact>"
PROSPECT = f"<prospect><customer>{PERSON}</customer></prospect>"
EMPTY_SHEET = b"--b\nContent-Type: text/xml\n\n<adf>" + b"<prospect></prospect>" * 100 + b"</adf>\n"


def parts(*contents: bytes) -> bytes:
    head = b"From: portal@example.net\nContent-Type: multipart/mixed; boundary=b\n\n"
    return head + b"".join(contents)


def sheet(number: int, leads: int) -> bytes:
    prospects = "".join(PROSPECT.format(number, each) for each in range(leads))
    return f"--b\nContent-Type: text/xml\n\n<adf>{prospects}</adf>\n".encode()


HOSTILE = {
    "half-open tags": (parts(HALF_OPEN, HALF_OPEN, HALF_OPEN), MAIL),
    "elements": (b"<adf><prospect>" + b"<a>" * 240_000, {"Content-Type": "text/xml"}),
    "fields": (b"a=b&" * 150_000, {"Content-Type": "application/x-www-form-urlencoded"}),
    "pages": (parts(*(b"--b\nContent-Type: text/html\n\n" + b"<div>" * 20_000 + b"\n",) * 5), MAIL),
    "names": (b"{" + b",".join(b'"k%d":[{}]' % n for n in range(50_000)) + b"}", {"Content-Type": "application/json"}),
    "parts": (parts(*(b"--b\n\nx\n",) * 90_000), MAIL),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_one_waits_while_a_body_is_read(intake: IntakeApp, name: str) -> None:
    body, headers = HOSTILE[name]
    key = (await ask(intake.town, "alice", "POST", "/intake-keys", json={"lead_source_id": 1})).json
    for address in (f"/intake/{key['key']}", f"/intake-keys/{key['id']}/trials"):
        with monitored_loop() as monitor:
            reply = await ask(intake.town, "alice", "POST", address, body=body, headers=headers)

        assert reply.status < 500, reply.body
        assert monitor.turns > 10
        assert monitor.longest < LONGEST, address


@pytest.mark.parametrize("each", samples(), ids=lambda each: each.name)
async def test_what_is_read_apart_is_what_is_read_at_once(each: Sample) -> None:
    incoming_body = IncomingBody(
        owner_id=1, body=each.body + b" " * MAX_INLINE_JSON, headers=each.headers, format=each.format
    )
    assert not is_small(incoming_body)

    assert (await BodyReader(None).read(incoming_body)).reading == read(
        incoming_body.body, each.headers, format=each.format, certificates=lambda _: None
    )


def test_only_what_is_read_within_milliseconds_is_read_at_once() -> None:
    json, xml = {"content-type": "application/json"}, {"content-type": "text/xml"}
    for size, headers, format_, expected in (
        (MAX_INLINE_BODY, xml, None, True),
        (MAX_INLINE_BODY + 1, xml, None, False),
        (MAX_INLINE_JSON, json, None, True),
        (MAX_INLINE_JSON + 1, json, None, False),
        (MAX_INLINE_JSON, json, "adf", False),
        (MAX_INLINE_JSON, xml, None, False),
    ):
        assert is_small(IncomingBody(owner_id=1, body=b"{".ljust(size), headers=headers, format=format_)) is expected


async def test_a_mail_holds_no_more_leads_than_any_body_and_is_stored_with_that_reason(intake: IntakeApp) -> None:
    key = await intake.key("email")
    assert len(read(parts(sheet(1, 90), sheet(2, 90)), MAIL).inquiries) == 180
    reply = await intake.post(key, parts(*(EMPTY_SHEET,) * 101), MAIL)

    assert reply.status_code == 413
    assert reply.json()["message"] == "too_large: The body holds more than 10000 leads."
    arrival = await intake.arrival()
    assert (arrival["status"], arrival["reason"]) == ("rejected", "too_large: The body holds more than 10000 leads.")
    assert reply.json()["data"]["arrival_id"] == arrival["id"]
    assert await intake.count("leads") == 0


async def test_the_mail_server_learns_that_such_a_mail_is_stored(intake: IntakeApp) -> None:
    key = await intake.key("email")
    await intake.send(parts(*(EMPTY_SHEET,) * 101), key)

    assert (await intake.arrival())["status"] == "rejected"


async def test_what_has_more_bytes_than_are_taken_is_not_stored(intake: IntakeApp) -> None:
    key = await intake.key()
    reply = await intake.post(key, b"x" * (intake.settings.intake_limit + 1), {"Content-Type": "text/plain"})

    assert reply.status_code == 413
    assert await intake.count("arrivals") == 0


async def test_what_takes_too_long_to_read_is_too_large() -> None:
    body = parts(*(b"--b\nContent-Type: text/xml\n\n<adf><prospect>" + b"<a" * 524_000 + b"\n",) * 20)
    with monitored_loop() as monitor:
        found = await BodyReader(None).read(IncomingBody(owner_id=1, body=body, headers=MAIL, mail_limit=len(body)))

    [refusal] = found.reading.refusals
    assert (refusal.why, refusal.detail) == ("too_large", "Reading the body takes longer than 5 seconds.")
    assert monitor.longest < LONGEST


async def test_what_the_database_does_not_take_is_stored_and_rejected(intake: IntakeApp) -> None:
    """The sender is informed that it has arrived, and need not send it again."""
    await intake.database.execute("ALTER TABLE leads ADD CONSTRAINT no_rain CHECK (text_body <> 'rain')")
    key = await intake.key()
    body = {"name": "Mia Lund", "email": "mia@example.com", "message": "rain"}
    first = await intake.client.post(f"/intake/{key}", json=body)
    again = await intake.client.post(f"/intake/{key}", json=body)

    assert (first.status_code, again.status_code) == (202, 202)
    arrival = await intake.arrival()
    assert (arrival["status"], arrival["reason"]) == ("rejected", "not_stored: CheckViolationError")
    assert b"rain" in arrival["body"]
    assert await intake.count("arrivals") == 1
    await intake.database.execute("ALTER TABLE leads DROP CONSTRAINT no_rain")
    replayed = await intake.arrivals.replay(intake.owner_id, arrival["id"])
    assert replayed.stored.is_new


async def test_more_leads_than_can_be_tried_are_refused_in_words(intake: IntakeApp) -> None:
    key = (await ask(intake.town, "alice", "POST", "/intake-keys", json={"lead_source_id": 1})).json
    reply = await ask(
        intake.town, "alice", "POST", f"/intake-keys/{key['id']}/trials", body=parts(sheet(1, 101)), headers=MAIL
    )

    assert (reply.status, reply.json["message"]) == (400, "The body holds 101 leads; 100 can be tried at a time")


async def test_what_the_database_cannot_take_for_the_moment_comes_again(intake: IntakeApp) -> None:
    """Such as a disk that is full: that is not a fault of the lead's."""
    await intake.database.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$;"
        " CREATE TRIGGER full_disk BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION full_disk()"
    )
    key = await intake.key()
    body = b'{"name": "Mia Lund", "email": "mia@example.com"}'
    with pytest.raises(Unavailable):
        await intake.arrivals.ingest(key, body, {"Content-Type": "application/json"})

    assert await intake.count("arrivals") == 0
