"""Whatever was typed into a name, a subject or an address: the mail has our headers, these characters and one body.

The mails are read by the standard library's two parsers, which are not what writes them, and cut up by hand.
"""

import email
import re
from base64 import b64encode
from email import policy
from email.header import decode_header
from email.message import Message
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.channels.email import EmailChannel, make_mail, open_email
from leadroutes.channels.envelope import DeliveryError, Envelope
from leadroutes.channels.mail_headers import encoded_text, header, one_line, plain_address
from leadroutes.errors import Misconfigured
from leadroutes.settings import Settings
from tests.support.examples import examples
from tests.support.mailbox import Mailbox

OURS = [
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
    "List-Unsubscribe",
]  # fmt: skip
MIME = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}


def hidden(text: str, encoding: str = "b") -> str:
    """The text as an encoded word."""
    inner = b64encode(text.encode()).decode() if encoding == "b" else "".join(f"={each:02X}" for each in text.encode())
    return f"=?utf-8?{encoding}?{inner}?="


WRITES_HEADERS = "\r\nReply-To: dave@example.net\r\nContent-Type: text/html\r\n\r\n<h1>Your mailbox is full</h1><!--"
PIECES = st.sampled_from(
    ["\r\n", "\r", "\n", "\0", ":", "=?", "?=", '"', "\\", "<", ">", ",", ";", "(", ")", "@", " ", "  ", "\t", "\x85",
     "\u2028", "Bcc: dave@example.net", "Content-Type: text/html", "--=", "Zoë", "雪", "👩‍👧", "e\u0301", "\ud800",
     "=?utf-8?q?=0D=0A?=", hidden(WRITES_HEADERS), hidden(WRITES_HEADERS, "Q"), "x" * 500,
     "=?utf-8?b?DQo=?= =?utf-8?b?DQo=?="]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(st.characters(), max_size=80))


def lines_of(mail: bytes) -> dict[str, str]:
    """The header as an unforgiving reader sees it: the name before the colon, the folds undone."""
    head, empty, _ = mail.partition(b"\r\n\r\n")
    assert empty
    found: dict[str, str] = {}
    for line in re.sub(rb"\r\n[ \t]", b" ", head).decode("ascii").split("\r\n"):
        assert line.isprintable()
        name, colon, value = line.partition(": ")
        assert colon or line.endswith(":")
        name = name.rstrip(":")
        assert name not in found
        found[name] = value
    return found


def decoded(value: str) -> str:
    """What RFC 2047 says that a header's value means."""
    return "".join(
        part if isinstance(part, str) else part.decode(kind or "ascii") for part, kind in decode_header(value)
    )


def bodies_of(mail: Message) -> list[tuple[str, str]]:
    return [
        (part.get_content_type(), part.get_payload(decode=True).decode("utf-8"))  # type: ignore[union-attr]
        for part in mail.walk()
        if not part.is_multipart()
    ]


def settled(text: str) -> str:
    """A body as it arrives: half characters are gone, line ends are those of mails, the last one is there."""
    lines = re.split("\r\n|\r|\n", text.encode("utf-8", "replace").decode())
    return "\n".join(lines[:-1] if lines[-1] == "" else lines) + "\n"


@settings(max_examples=examples(400), deadline=None)
@given(subject=TEXTS, name=TEXTS, text_body=TEXTS, html_body=st.none() | TEXTS, value=TEXTS)
def test_no_text_becomes_a_header_a_line_or_a_body(
    subject: str, name: str, text_body: str, html_body: str | None, value: str
) -> None:
    envelope = Envelope(
        address="bob@example.com", subject=subject, text_body=text_body, html_body=html_body, sender_name=name,
        reply_to="alice@example.com", headers={"List-Unsubscribe": value},
    )  # fmt: skip
    mail = make_mail(envelope, "leads@example.com")

    lines = lines_of(mail)
    assert [each for each in lines if each not in MIME] == OURS
    assert decoded(lines["Subject"]) == one_line(subject)
    for read in (email.message_from_bytes(mail), email.message_from_bytes(mail, policy=policy.default)):
        assert sorted(read.keys()) == sorted(
            {*OURS, *MIME} - ({"Content-Transfer-Encoding"} if read.is_multipart() else set())
        )
        kinds = ["text/plain"] if html_body is None else ["text/plain", "text/html"]
        assert [kind for kind, _ in bodies_of(read)] == kinds
        wanted = [settled(each) for each in (text_body, html_body) if each is not None]
        assert [body.replace("\r\n", "\n") for _, body in bodies_of(read)] == wanted
    read = email.message_from_bytes(mail, policy=policy.default)
    assert str(read["Subject"]) == one_line(subject)
    sender = one_line(name) if name else "Lead Routes"
    assert (person(lines["From"]), person(lines["Reply-To"])) == (
        (sender, "leads@example.com"),
        (one_line(name), "alice@example.com"),
    )
    assert [len(addresses(read[each])) for each in ("From", "To", "Reply-To")] == [1, 1, 1]


def person(value: str) -> tuple[str, str]:
    """Display name and address of a header that names one person.

    By decode_header, as the newer parser leaves blanks between the encoded words of a long display name.
    """
    name, _, address = value.rpartition(" ")
    if name.startswith('"'):
        return re.sub(r"\\(.)", r"\1", name[1:-1]), address.strip("<>")
    return decoded(name.strip()), address.strip("<>")


def made(envelope: Envelope) -> tuple[bytes, DeliveryError | None]:
    try:
        return make_mail(envelope, "leads@example.com"), None
    except DeliveryError as error:
        return b"", error


def addresses(value: Any) -> Any:
    return value.addresses


@settings(max_examples=examples(300), deadline=None)
@given(address=TEXTS | st.builds("{}@{}".format, TEXTS, TEXTS), which=st.sampled_from(["address", "reply_to"]))
def test_what_is_not_an_address_gets_no_mail_and_an_address_is_one_only(address: str, which: str) -> None:
    fields = {"address": "bob@example.com", "reply_to": "alice@example.com", which: address}
    envelope = Envelope(subject="New lead", text_body="Claim it", **fields)
    mail, refusal = made(envelope)
    if refusal is not None:
        assert refusal.is_permanent
        return
    lines = lines_of(mail)
    assert [each for each in lines if each not in MIME] == [
        each for each in OURS if each != "List-Unsubscribe" and (each != "Reply-To" or fields["reply_to"])
    ]
    read = email.message_from_bytes(mail, policy=policy.default)
    assert len(addresses(read["To"])) == 1
    assert addresses(read["To"])[0].addr_spec == plain_address(fields["address"])


@pytest.mark.parametrize(
    "typed",
    [
        hidden(WRITES_HEADERS),
        hidden(WRITES_HEADERS, "q"),
        "=?utf-8?b?Qm9i?=",
        "=?UTF-8?Q?a?= =?UTF-8?Q?b?=",
        "=? not a word ?=",
    ],
)
def test_an_encoded_word_that_a_person_typed_shows_as_its_characters(typed: str) -> None:
    envelope = Envelope(
        address="bob@example.com", subject=f"New lead: {typed}, in Denver", text_body="", sender_name=typed
    )
    read = email.message_from_bytes(make_mail(envelope, "leads@example.com"), policy=policy.default)
    assert read["Subject"] == f"New lead: {typed}, in Denver"
    assert person(lines_of(make_mail(envelope, "leads@example.com"))["From"])[0] == typed


def test_plain_words_are_written_as_they_are() -> None:
    assert encoded_text("New lead: Mia, in Denver, Buyer, $450,000") == "New lead: Mia, in Denver, Buyer, $450,000"


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("bob@example.com", "bob@example.com"),
        ("bob.o'neil+leads@mail.example.com", "bob.o'neil+leads@mail.example.com"),
        ("bob@bücher.example", "bob@xn--bcher-kva.example"),
        ("leads@localhost", "leads@localhost"),
        ("bob@[192.0.2.1]", "bob@[192.0.2.1]"),
    ],
)
def test_an_address_is_sent_in_ascii(address: str, plain: str) -> None:
    assert plain_address(address) == plain


@pytest.mark.parametrize(
    "address",
    [
        "", "bob", "@example.com", "bob@", "bob @example.com", "bob@exam ple.com",
        "bob@example.com\r\nRCPT TO:<dave@example.net>",
        "bob@example.com>", "<bob@example.com>", "bob@example.com,dave@example.net", "bob@.example.com",
        "zoë@example.com",
        '"bob"@example.com', "bob@example.com (x)", "=?utf-8?b?DQo=?= <bob@example.com>", "a" * 65 + "@example.com",
        "bob@" + "é" * 100_000 + ".example",
    ],
)  # fmt: skip
def test_what_is_not_an_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        plain_address(address)


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0", "é", "a\r\n \r\n b"])
def test_a_header_takes_one_encoded_line(value: str) -> None:
    with pytest.raises(ValueError, match="not an encoded header"):
        header("Subject", value)
    with pytest.raises(ValueError, match="not an encoded header"):
        header(f"Sub{value}", "a")


def test_a_sender_that_is_not_an_address_is_found_at_the_start() -> None:
    with pytest.raises(Misconfigured, match=r"LEADROUTES_MAIL_FROM: 'Leads <leads>' was given"):
        open_email(Settings(smtp_url="smtp://127.0.0.1", mail_from="Leads <leads>"))


@pytest.mark.parametrize(
    ("mail_from", "shown"),
    [
        ("leads@example.com", "Lead Routes <leads@example.com>"),
        ("Vale Realty <leads@example.com>", "Vale Realty <leads@example.com>"),
        ('"Vale, \\"Inc.\\"" <leads@example.com>', '"Vale, \\"Inc.\\"" <leads@example.com>'),
        ("Immobilien Müller <leads@bücher.example>", "Immobilien Müller <leads@xn--bcher-kva.example>"),
        ("<leads@example.com>", "Lead Routes <leads@example.com>"),
    ],
)
async def test_a_sender_may_have_a_name_which_alerts_carry(mail_from: str, shown: str) -> None:
    async with Mailbox() as mailbox:
        channel = open_email(Settings(smtp_url=mailbox.url, mail_from=mail_from))
        assert isinstance(channel, EmailChannel)
        await channel.send(Envelope(address="bob@example.com", subject="a", text_body="b"))
        await channel.send(Envelope(address="mia@example.com", subject="a", text_body="b", sender_name="Bob Lee"))
        await channel.close()
    own, named = mailbox.mails
    assert str(own["From"]) == shown
    assert named["From"].startswith("Bob Lee <leads@")


async def test_a_mail_server_receives_the_address_and_nothing_else() -> None:
    async with Mailbox() as mailbox:
        channel = open_email(Settings(smtp_url=mailbox.url))
        assert isinstance(channel, EmailChannel)
        with pytest.raises(DeliveryError):
            await channel.send(
                Envelope(address="bob@example.com>\r\nRCPT TO:<dave@example.net", subject="a", text_body="b")
            )
        await channel.send(Envelope(address="bob@bücher.example", subject=hidden(WRITES_HEADERS), text_body="b"))
        await channel.close()
    [mail] = mailbox.mails
    assert mail["To"] == "bob@xn--bcher-kva.example"
    assert mail["Reply-To"] is None
    assert mail["Subject"] == hidden(WRITES_HEADERS)
