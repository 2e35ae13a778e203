"""What a stranger sends: no token, no account; only the address of the service and the key in a website's form.

One entry is one attack.
"""

import asyncio
import gzip
from collections.abc import Iterable
from functools import cache
from typing import Final
from urllib.parse import urlencode

from chaos.attacks import HEADERS_IN_A_WORD, PAIR, READ, SILENCE, STORED, Attack, Hand, Sends
from chaos.wire import Request, http

FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
MAIL: Final = {"Content-Type": "message/rfc822"}
XML: Final = {"Content-Type": "text/xml"}
SLOW_CLIENTS: Final = 10  # at once
FEW: Final = 6  # times for what is large or stays connected
_BODILESS: Final = http("POST", "/intake/none", {"Content-Length": "9000"})
_TRAILER: Final = (
    http("GET", "/me").partition(b"Content-Length")[0]
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
)
GUESSES: Final = 8  # at once


def _head(line: bytes, target: str = "/me") -> Sends:
    """A GET with one more header line."""
    request = Request(content=http("GET", target).removesuffix(b"\r\n") + line + b"\r\n\r\n")
    return lambda hand: hand.send(request)


def _many(content: bytes, slowly: bytes = b"", *, reads: bool = True) -> Sends:
    """Some clients at once that send this and stay for as long as the service lets them, or patience lasts."""
    request = Request(content=content, slowly=slowly, reads=reads)

    async def sends(hand: Hand) -> None:
        each = (hand.send(request, seconds=hand.target.patience) for _ in range(SLOW_CLIENTS))
        await asyncio.gather(*each)

    return sends


async def _guess(hand: Hand) -> None:
    """Wrong passwords of the owner and of no one, as many at once as are thinkable of one machine."""
    emails: Iterable[str] = [hand.target.owner_email, "no.one@hostile.example"] * (GUESSES // 2)
    forms = [urlencode({"email": each, "password": f"wrong {next(hand.numbers)}"}).encode() for each in emails]
    await asyncio.gather(*(hand.ask("POST", "/sign-in", form, FORM) for form in forms))


async def _take_numbers(hand: Hand) -> None:
    """The vendor's ids of leads that will come, and of those that have come."""
    for number in range(first := hand.lead_to_come(), first + 3):
        await hand.to_form(hand.person(lead_id=f"L{number}", mls_id=f"L{number}"))


async def _in_a_name(hand: Hand) -> None:
    for name in (HEADERS_IN_A_WORD, PAIR, f"Eve {HEADERS_IN_A_WORD}"):
        await hand.to_form(hand.person(first_name=name, city=name, lead_type=name, message=name))


@cache
def too_many_leads() -> bytes:
    """A mail with 10,100 leads in 101 attachments."""
    person = "<customer><contact><name>Eve Ash</name><email>eve.{}.{}@hostile.example</email></contact></customer>"
    one = f"<prospect>{person}</prospect>"
    parts = (
        "--b\nContent-Type: text/xml\n\n<adf>" + "".join(one.format(part, number) for number in range(100)) + "</adf>\n"
        for part in range(101)
    )
    return (
        "From: a@hostile.example\nContent-Type: multipart/mixed; boundary=b\n\n" + "".join(parts) + "--b--\n"
    ).encode()


@cache
def half_open_tags(size: int) -> bytes:
    """A mail whose attachments never close a tag."""
    part = b"--b\nContent-Type: text/xml\n\n<adf><prospect>" + b"<a" * (size // 6) + b"\n"
    return b"From: a@hostile.example\nContent-Type: multipart/mixed; boundary=b\n\n" + part * 3


def _json(text: str) -> Sends:
    """An inquiry of someone new with one more field, written as it is."""
    return lambda hand: hand.to_form(
        b'{"first_name": "Eve", "email": "eve.json.%d@hostile.example", %s}' % (next(hand.numbers), text.encode())
    )


async def _wrong_token(hand: Hand) -> None:
    await hand.ask("GET", "/me", headers={"Authorization": f"Bearer {next(hand.numbers):040x}"})


def _guessed_link(hand: Hand) -> str:
    return f"/claim/{hand.dice.getrandbits(128):022x}"


async def _address_of_others(hand: Hand) -> None:
    """Whose address it is has inquired; the answer holds nothing that was said."""
    await hand.to_form(hand.person(email=f"l{hand.lead_that_came()}x@example.org"))


@cache
def _bomb() -> bytes:
    """Packed piece by piece, each of them a whole stream."""
    return gzip.compress(b"0" * 2**20) * 512


def _stranger(name: str, right: set[int] | frozenset[int], sends: Sends, most: int = 40) -> Attack:
    return Attack(name=name, who="stranger", right=frozenset(right), sends=sends, most=most)


ATTACKS: Final = (
    # -- heads, and connections
    _stranger("a target of 17,000 characters", {414}, _many(http("GET", "/healthz?" + "a" * 17_000))),
    _stranger("a header line of 9,000 bytes", {431}, _head(b"X-Long: " + b"a" * 9_000)),
    _stranger("a head of 60,000 bytes in many lines", {431}, _head(b"X: 1\r\n" * 10_000 + b"Y: 1")),
    _stranger("a header line without end", {431}, _many(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000)),
    _stranger("a token behind 8,000 blanks", {401}, _head(b"Authorization: Bearer a" + b" " * 8_000 + b"x")),
    _stranger("a token behind 60,000 blanks", {431}, _head(b"Authorization: Bearer a" + b" " * 60_000 + b"x")),
    _stranger("a cookie of 8,000 backslashes", {303}, _head(b'Cookie: leadroutes="' + b"\\" * 8_000 + b'"', "/")),
    _stranger("a cookie of 60,000 backslashes", {431}, _head(b'Cookie: leadroutes="' + b"\\" * 60_000 + b'"', "/")),
    _stranger("a token in the trailer of a body", {401}, _many(_TRAILER)),
    _stranger("bytes that are not HTTP", {400, 414, 431, SILENCE}, _many(bytes(range(256)) * 100)),
    _stranger("a head that comes byte after byte", {408, SILENCE}, _many(b"GET /health", b"x" * 10_000), FEW),
    _stranger("a body that comes byte after byte", {404, 408, SILENCE}, _many(_BODILESS, b"x" * 9_000), FEW),
    _stranger("answers that are not taken", {SILENCE}, _many(http("GET", "/openapi.json") * 60, reads=False), FEW),
    # -- pages, and what asks for a proof
    _stranger("wrong passwords, many at once", {200, 400, 401, 403, 429}, _guess),
    _stranger("wrong tokens", {401}, _wrong_token),
    _stranger("claim links that were guessed", {404}, lambda hand: hand.ask("POST", _guessed_link(hand), b"", FORM)),
    _stranger("a next page that is not a URL", {200}, lambda hand: hand.ask("GET", "/sign-in?next=//[")),
    _stranger(
        "an application that does not exist asks for tokens",
        {400, 401},
        lambda hand: hand.ask(
            "POST", "/oauth2/token", b"grant_type=authorization_code&code=%ff%fe&client_id=%00", FORM
        ),
    ),
    _stranger(
        "an id of 15,000 zeros", {401}, lambda hand: hand.ask("PATCH", f"/hotnesses/{'0' * 15_000}1", {"name": "x"})
    ),
    # -- bodies, with the public key of a form
    _stranger(
        "900,000 bytes of half-open tags", READ, lambda hand: hand.to_form(b"<adf><prospect>" + b"<a" * 450_000, XML)
    ),
    _stranger(
        "a mail of 3 MB of half-open tags", READ, lambda hand: hand.to_form(half_open_tags(3_000_000), MAIL), FEW
    ),
    _stranger("a mail with 10,100 leads", READ, lambda hand: hand.to_form(too_many_leads(), MAIL), FEW),
    _stranger(
        "JSON that is nested 100,000 deep", READ, lambda hand: hand.to_form(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)
    ),
    _stranger(
        "HTML that is nested 40,000 deep", STORED, lambda hand: hand.to_form(hand.person(message="<div>" * 40_000))
    ),
    _stranger("a number with a huge exponent", READ, _json('"price": 1e99999999999999999999')),
    _stranger("half of a character in a name", READ, _json('"last_name": "\\ud800", "message": "\\udfff"')),
    _stranger(
        "half of a character that is answered",
        READ,
        lambda hand: hand.to_form(b'{"action": "Echo", "msg": "\\ud800"}'),
    ),
    _stranger(
        "control characters and escape sequences",
        READ,
        _json('"last_name": "\\u001b[2J\\u0000\\u0007", "message": "\\u0000"'),
    ),
    _stranger(
        "accents without end", READ, lambda hand: hand.to_form(hand.person(last_name="a" + "\u0f39\u3099" * 60_000))
    ),
    _stranger("900,000 digits", READ, lambda hand: hand.to_form(hand.person(message="0" * 900_000))),
    _stranger(
        "100,000 fields", READ, lambda hand: hand.to_form("&".join(f"f{n}=1" for n in range(100_000)).encode(), FORM)
    ),
    _stranger(
        "a small body that unpacks to 512 MB", READ, lambda hand: hand.to_form(_bomb(), {"Content-Encoding": "gzip"})
    ),
    _stranger("e-mail addresses of people who have inquired", STORED, _address_of_others),
    _stranger("vendors' ids of leads that will come", STORED, _take_numbers),
    _stranger(
        "an Idempotency-Key that was used before",
        {*STORED, 409},
        lambda hand: hand.to_form(hand.person(), {"Idempotency-Key": "order-1001"}),
    ),
    _stranger("headers of a mail in names", STORED, _in_a_name),
)
