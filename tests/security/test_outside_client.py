"""Requests to addresses that users type, over real connections: checked where they go, and no further."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadroutes.security.outside_addresses import NONE_ALLOWED, Address, AllowedNetworks
from leadroutes.security.outside_client import MOST_READ, NoOutsideResponse, OutsideClient
from tests.support.receiver import Receiver

LOOPBACK = AllowedNetworks((ipaddress.ip_network("127.0.0.0/8"),))
EVERYTHING = AllowedNetworks(is_all=True)


async def post(client: OutsideClient, url: str, body: bytes = b"{}", seconds: float = 5.0):
    try:
        return await client.post(url, {"Content-Type": "application/json"}, body, seconds)
    finally:
        await client.close()


async def why_not(client: OutsideClient, url: str, seconds: float = 5.0) -> NoOutsideResponse:
    with pytest.raises(NoOutsideResponse) as caught:
        await post(client, url, seconds=seconds)
    return caught.value


async def test_the_request_is_what_was_asked_for(receiver: Receiver) -> None:
    answer = await post(OutsideClient(LOOPBACK), f"{receiver.url}?a=b", b'{"a": 1}')

    [message] = receiver.messages
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"ok", "2")
    assert (message.target, message.body) == ("/leads?a=b", b'{"a": 1}')
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.headers["content-type"] == "application/json"


async def test_further_requests_use_the_same_connection(receiver: Receiver) -> None:
    client = OutsideClient(LOOPBACK)
    for _ in range(5):
        await client.post(receiver.url, {}, b"{}", 5.0)
    await client.close()

    assert (len(receiver.messages), receiver.connections) == (5, 1)


FORMS = ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "localhost", "[::ffff:127.0.0.1]")


@pytest.mark.parametrize("host", FORMS)
async def test_no_form_of_an_inside_address_is_connected_to(receiver: Receiver, host: str) -> None:
    error = await why_not(OutsideClient(NONE_ALLOWED), f"http://{host}:{receiver.port}/")

    assert error.is_refused
    assert "is an address inside; only public ones are allowed" in error.reason
    assert receiver.connections == 0


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
async def test_ipv6_is_checked_like_ipv4() -> None:
    async with Receiver(host="::1") as receiver:
        error = await why_not(OutsideClient(LOOPBACK), receiver.url)
        assert error.is_refused
        assert receiver.connections == 0
        assert (await post(OutsideClient(EVERYTHING), receiver.url)).status == 200


async def test_the_name_of_this_machine_leads_inside(receiver: Receiver) -> None:
    """A name that the real resolver knows: no address of it is a public one, or http is refused there."""
    error = await why_not(OutsideClient(NONE_ALLOWED), f"http://{socket.gethostname()}:{receiver.port}/")

    assert receiver.connections == 0
    assert error.reason


def answering(*answers: Sequence[str]):
    """A resolver that gives each of these in turn, and then the last one again."""
    left = list(answers)

    async def resolve(_host: str) -> Sequence[Address]:
        texts = left.pop(0) if len(left) > 1 else left[0]
        return [ipaddress.ip_address(each) for each in texts]

    return resolve


async def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    """The name would lead elsewhere the next time it is asked: it is asked once."""
    client = OutsideClient(LOOPBACK, resolve=answering(["127.0.0.1"], ["10.0.0.1"]))
    answer = await post(client, f"http://changing.example:{receiver.port}/")

    assert answer.status == 200
    assert receiver.messages[0].headers["host"] == f"changing.example:{receiver.port}"


async def test_a_name_that_leads_inside_is_refused_when_a_new_connection_is_made(receiver: Receiver) -> None:
    receiver.extra = {"Connection": "close"}
    client = OutsideClient(LOOPBACK, resolve=answering(["127.0.0.1"], ["10.0.0.1"]))
    await client.post(f"http://changing.example:{receiver.port}/", {}, b"{}", 5.0)
    error = await why_not(client, f"http://changing.example:{receiver.port}/")

    assert error.is_refused
    assert "10.0.0.1 is an address inside" in error.reason
    assert len(receiver.messages) == 1


async def test_of_several_addresses_only_the_allowed_ones_are_tried(receiver: Receiver) -> None:
    client = OutsideClient(LOOPBACK, resolve=answering(["10.0.0.1", "127.0.0.2", "127.0.0.1"]))

    assert (await post(client, f"http://several.example:{receiver.port}/")).status == 200


async def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    async with Receiver() as other:
        receiver.status, receiver.extra = 302, {"Location": other.url}
        answer = await post(OutsideClient(LOOPBACK), receiver.url)

        assert (answer.status, answer.headers["location"]) == (302, other.url)
        assert other.connections == 0


async def test_no_more_of_an_endless_answer_is_read_than_is_stored(receiver: Receiver) -> None:
    receiver.is_endless = True
    answer = await post(OutsideClient(LOOPBACK), receiver.url)

    assert answer.body == b"x" * MOST_READ


async def test_a_server_that_hangs_is_left_when_the_time_is_over(receiver: Receiver) -> None:
    receiver.is_hanging = True
    error = await why_not(OutsideClient(LOOPBACK), receiver.url, seconds=0.2)

    assert error.reason == "no answer within 0.2 s"
    assert not error.is_refused
    assert 0.15 < error.seconds < 3


async def test_what_prevents_an_answer_is_said() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hung_up = await why_not(OutsideClient(LOOPBACK), f"http://127.0.0.1:{port}/")
    server.close()
    closed = await why_not(OutsideClient(LOOPBACK), f"http://127.0.0.1:{port}/")
    unknown = await why_not(OutsideClient(LOOPBACK), "https://no-such-name.invalid/")
    wrong = await why_not(OutsideClient(LOOPBACK), "gopher://127.0.0.1/")

    assert hung_up.reason
    assert closed.reason
    assert "no-such-name.invalid cannot be looked up" in unknown.reason
    assert (unknown.is_refused, wrong.is_refused) == (False, True)


# --------------------------------------------------------------------------------------------------------- certificates


def certificate_for(name: str, directory: Path) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    path = directory / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return path


@pytest.mark.parametrize(("name", "is_trusted"), [("hooks.example", True), ("other.example", False)])
async def test_the_certificate_has_to_be_that_of_the_name(tmp_path: Path, name: str, is_trusted: bool) -> None:
    """The connection goes to an address, but the server has to be the one that the address was typed for."""
    file = certificate_for(name, tmp_path)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(file)
    async with Receiver(context=server_side) as receiver:
        client = OutsideClient(
            LOOPBACK, resolve=answering(["127.0.0.1"]), context=ssl.create_default_context(cafile=str(file))
        )
        url = f"https://hooks.example:{receiver.port}/"
        if is_trusted:
            assert (await post(client, url)).status == 200
        else:
            assert "certificate" in (await why_not(client, url)).reason.lower()
            assert receiver.messages == []
