"""Leads by mail: only to the mailbox of a key, announced limits, TLS, and 250 for nothing that is not on disk."""

import asyncio
import datetime as dt
import smtplib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiosmtplib
import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from leadroutes.errors import Misconfigured
from leadroutes.ingest.smtp_server import MAX_RECIPIENTS, serving_mail
from leadroutes.server.run import listen, running_service
from leadroutes.settings import Settings
from leadroutes.store import accounts
from tests.support.intake_app import DOMAIN, IntakeApp
from tests.support.samples import sample

MAIL = sample("portal-metadata-email").body


@asynccontextmanager
async def talking(intake: IntakeApp) -> AsyncIterator[aiosmtplib.SMTP]:
    async with aiosmtplib.SMTP(hostname=intake.mail[0], port=intake.mail[1], start_tls=False) as smtp:
        await smtp.ehlo()
        yield smtp


async def refused(intake: IntakeApp, mail: bytes, *addresses: str) -> int:
    """The code with which the mail is refused."""
    async with talking(intake) as smtp:
        try:
            await smtp.sendmail("portal@example.net", list(addresses), mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return int(error.recipients[0].code)
        except aiosmtplib.SMTPResponseException as error:
            return int(error.code)
    return 0


async def test_the_mailbox_is_the_key_in_any_letter_case(intake: IntakeApp) -> None:
    key = await intake.key()
    await intake.send(MAIL, key.upper(), domain=DOMAIN.title())

    assert await intake.count("leads") == 1
    row = await intake.arrival()
    assert (row["format"], row["status"]) == ("email", "accepted")
    assert key not in row["headers"]


async def test_every_other_address_is_refused_before_a_mail_is_sent(intake: IntakeApp) -> None:
    key = await intake.key()
    for address in (f"unknown@{DOMAIN}", f"{key}@example.com", f"{key}x@{DOMAIN}", f"{key}@sub.{DOMAIN}", key):
        assert await refused(intake, MAIL, address) == 550, address
    await accounts.revoke_intake_key(intake.database, key)
    assert await refused(intake, MAIL, f"{key}@{DOMAIN}") == 550
    assert await intake.count("arrivals") == 0


async def test_a_key_for_another_format_has_no_mailbox(intake: IntakeApp) -> None:
    """Otherwise a mail would get around the secret that the format asks for."""
    key = await intake.guarded_key("zapier")

    assert await refused(intake, MAIL, f"{key}@{DOMAIN}") == 550


async def test_a_mail_to_two_mailboxes_is_two_arrivals(intake: IntakeApp) -> None:
    await intake.send(MAIL, await intake.key(), await intake.key(source="Homes.com"))

    assert (await intake.count("arrivals"), await intake.count("leads")) == (2, 1)


async def test_too_many_recipients_are_asked_to_come_again(intake: IntakeApp) -> None:
    keys = [f"{await intake.key()}@{DOMAIN}" for _ in range(MAX_RECIPIENTS + 1)]
    async with talking(intake) as smtp:
        refused_, _ = await smtp.sendmail("portal@example.net", keys, MAIL)

    assert [answer.code for answer in refused_.values()] == [452]


async def test_a_mail_sent_again_is_the_same_arrival(intake: IntakeApp) -> None:
    key = await intake.key()
    await intake.send(MAIL, key)
    await intake.send(MAIL, key)

    assert (await intake.count("arrivals"), await intake.count("leads")) == (1, 1)


async def test_what_is_not_a_lead_is_stored_and_not_sent_back(intake: IntakeApp) -> None:
    await intake.send(b"Subject: lunch\r\n\r\nAt one?\r\n", await intake.key())

    row = await intake.arrival()
    assert (row["status"], row["reason"].split(":")[0]) == ("rejected", "not_a_lead")


async def test_the_limit_is_announced_and_holds(intake: IntakeApp) -> None:
    key = await intake.key()
    async with talking(intake) as smtp:
        assert smtp.esmtp_extensions["size"] == str(intake.settings.mail_limit)
        assert "starttls" not in smtp.esmtp_extensions
    large = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * (intake.settings.mail_limit // 2)
    async with talking(intake) as smtp:
        await smtp.mail("portal@example.net")
        await smtp.rcpt(f"{key}@{DOMAIN}")
        with pytest.raises(aiosmtplib.SMTPDataError) as error:
            await smtp.data(large)
    assert error.value.code == 552
    assert await intake.count("arrivals") == 0


async def test_a_page_in_one_long_line_is_not_a_reason_to_lose_a_lead(intake: IntakeApp) -> None:
    page = b"<p>" + b"x" * 200_000 + b"</p>" + b'<meta name="lead_information_version" content="1.0">' + (
        b'<meta name="lead_name" content="Mia Lund"><meta name="lead_email" content="mia@example.com">'
    )  # fmt: skip
    async with talking(intake) as smtp:
        await smtp.mail("portal@example.net")
        await smtp.rcpt(f"{await intake.key()}@{DOMAIN}")
        await smtp.data(b"From: a@homes.com\r\nContent-Type: text/html\r\n\r\n" + page)
    assert await intake.count("leads") == 1


async def test_a_mail_without_a_sender_is_taken(intake: IntakeApp) -> None:
    async with talking(intake) as smtp:
        await smtp.execute_command(b"MAIL", b"FROM:<>")
        await smtp.rcpt(f"{await intake.key()}@{DOMAIN}")
        await smtp.data(MAIL)
    assert await intake.count("leads") == 1


# -- PostgreSQL is away


async def test_a_mail_that_cannot_be_stored_now_is_to_come_again(intake: IntakeApp) -> None:
    key = await intake.key()
    async with talking(intake) as smtp:
        await smtp.mail("portal@example.net")
        await smtp.rcpt(f"{key}@{DOMAIN}")
        await intake.database.pool.close()
        with pytest.raises(aiosmtplib.SMTPDataError) as error:
            await smtp.data(MAIL)
        assert error.value.code == 451
        await smtp.mail("portal@example.net")
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as refusal:
            await smtp.rcpt(f"{key}@{DOMAIN}")
        assert refusal.value.code == 451


async def test_250_means_on_disk(intake: IntakeApp, database_url: str) -> None:
    """Seen through another connection, at the moment of the answer."""
    connection = await asyncpg.connect(database_url)
    await intake.send(MAIL, await intake.key())
    assert await connection.fetchval("SELECT count(*) FROM leads") == 1
    await connection.close()


async def test_mails_that_are_under_way_are_stored_before_the_door_closes(intake: IntakeApp, database_url: str) -> None:
    key = await intake.key()
    other = await asyncpg.connect(database_url)
    transaction = other.transaction()
    async with serving_mail(intake.settings, intake.arrivals) as address:
        assert address is not None
        smtp = aiosmtplib.SMTP(hostname=address[0], port=address[1], start_tls=False)
        await smtp.connect()
        await transaction.start()
        await other.execute("LOCK TABLE arrivals")
        sending = asyncio.create_task(smtp.sendmail("portal@example.net", [f"{key}@{DOMAIN}"], MAIL))
        async with asyncio.timeout(20):
            while not await other.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):  # noqa: ASYNC110
                await asyncio.sleep(0)  # another connection waits, which can set no event of this test
        releasing = asyncio.create_task(transaction.commit())
    await releasing
    assert (await sending)[1].startswith("2.0.0 OK")
    assert await intake.count("leads") == 1
    assert not smtp.is_connected or not await alive(smtp)
    await other.close()


async def alive(smtp: aiosmtplib.SMTP) -> bool:
    try:
        await smtp.noop()
    except aiosmtplib.SMTPException:
        return False
    return True


# -- TLS, and settings that cannot be


def certificate_in(directory: Path) -> Path:
    """Certificate and key in one file, for 127.0.0.1."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = directory / "mail.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_starttls_is_offered_with_a_certificate(intake: IntakeApp, tmp_path: Path) -> None:
    key = await intake.key()
    path = certificate_in(tmp_path)
    context = ssl.create_default_context(cafile=str(path))
    async with serving_mail(replace(intake.settings, mail_certificate=path), intake.arrivals) as address:
        assert address is not None
        async with aiosmtplib.SMTP(hostname=address[0], port=address[1], start_tls=False) as smtp:
            await smtp.starttls(tls_context=context, server_hostname=DOMAIN)
            await smtp.sendmail("portal@example.net", [f"{key}@{DOMAIN}"], MAIL)
    assert await intake.count("leads") == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"mail_domain": None}, "LEADROUTES_MAIL_DOMAIN"),
        ({"mail_listen": "192.0.2.1:25"}, "cannot listen"),
        ({"mail_certificate": Path("/nowhere")}, "LEADROUTES_MAIL_CERTIFICATE"),
    ],
)
async def test_settings_that_cannot_be_are_named(intake: IntakeApp, changes: dict[str, Any], word: str) -> None:
    with pytest.raises(Misconfigured, match=word):
        async with serving_mail(replace(intake.settings, **changes), intake.arrivals):
            pass


@pytest.mark.parametrize("value", ["25", "host:", "host:99999", ":25", "host:x"])
def test_an_address_to_listen_at_names_host_and_port(value: str) -> None:
    with pytest.raises(Misconfigured, match="host:port"):
        Settings.load({"LEADROUTES_MAIL_LISTEN": value})


async def test_without_the_setting_no_mail_is_taken(intake: IntakeApp) -> None:
    async with serving_mail(replace(intake.settings, mail_listen=None), intake.arrivals) as address:
        assert address is None


async def test_the_service_opens_the_door(intake: IntakeApp) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    settings = replace(intake.settings, mail_listen=f"127.0.0.1:{port}")
    async with running_service(settings, intake.database, listen("127.0.0.1", 0), with_worker=False):
        await replace(intake, mail=("127.0.0.1", port)).send(MAIL, await intake.key())
    assert await intake.count("leads") == 1


async def test_another_mail_server_delivers_by_lmtp_one_recipient_at_a_time(intake: IntakeApp) -> None:
    first, second = await intake.key(), await intake.key()

    def deliver() -> dict[str, tuple[int, bytes]]:
        with smtplib.LMTP(*intake.mail) as lmtp:
            return lmtp.sendmail("portal@example.net", [f"{key}@{DOMAIN}" for key in (first, second)], MAIL)

    later = await asyncio.to_thread(deliver)
    assert await intake.count("leads") == 1
    assert [code for code, _ in later.values()] == [452]


async def test_an_automatic_reply_is_stored_and_starts_nothing(intake: IntakeApp) -> None:
    reply = b"Auto-Submitted: auto-replied (vacation)\r\n" + MAIL
    await intake.send(reply, await intake.key())

    row = await intake.arrival()
    assert (row["format"], row["status"], row["reason"].partition(":")[0]) == ("email", "rejected", "not_a_lead")
    assert await intake.count("leads") == await intake.count("contacts") == await intake.count("messages") == 0
    assert b"Auto-Submitted: auto-replied (vacation)" in await intake.database.fetchval("SELECT body FROM arrivals")
