"""A push service on loopback with the browsers behind it: it checks each signature, and each browser reads its body.

It reads what it is sent by itself, by RFC 8291 and RFC 8292, and shares no code with the sender.
"""

import asyncio
import hashlib
import hmac
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from leadroutes.store.postgres import Database

CURVE = ec.SECP256R1()


def from_text(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def as_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def read_body(body: bytes, private_key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """What a browser reads in the body of a push, by RFC 8291 and RFC 8188."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    theirs, record = body[21 : 21 + length], body[21 + length :]
    assert len(record) <= size
    shared = private_key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
    own = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    material = _mac(_mac(auth, shared), b"WebPush: info\x00" + own + theirs + b"\x01")
    secret = _mac(salt, material)
    key = _mac(secret, b"Content-Encoding: aes128gcm\x00\x01")[:16]
    nonce = _mac(secret, b"Content-Encoding: nonce\x00\x01")[:12]
    plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\x00")
    assert plain.endswith(b"\x02"), "the last record ends with 2"
    return plain[:-1]


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def check_signature(header: str, audience: str) -> dict[str, Any]:
    """The claims of a signature, which has to be right; `key` is by whom."""
    found = re.fullmatch(r"vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)", header)
    assert found is not None, header
    head, claims = (json.loads(from_text(found[number])) for number in (1, 2))
    assert head == {"typ": "JWT", "alg": "ES256"}
    signed, signature = f"{found[1]}.{found[2]}".encode(), from_text(found[3])
    point = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_text(found[4]))
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    point.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    assert claims["aud"] == audience
    assert time.time() < claims["exp"] <= time.time() + 86_400
    return {**claims, "key": found[4]}


@dataclass
class FakeBrowser:
    """A browser behind the service; `shown` are the notifications that it got, `status` what the service says."""

    endpoint: str
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = b"sixteen bytes...!"[:16]
    shown: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    status: int = 201

    @property
    def keys(self) -> dict[str, str]:
        """As `PushSubscription.toJSON()` gives them."""
        point = self.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": as_text(point), "auth": as_text(self.auth)}

    @property
    def titles(self) -> list[str]:
        return [each["title"] for each in self.shown]


class PushServer:
    """HTTP by hand."""

    def __init__(self) -> None:
        self.browsers: dict[str, FakeBrowser] = {}
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    def browser(self) -> FakeBrowser:
        path = f"/push/{len(self.browsers) + 1}"
        self.browsers[path] = browser = FakeBrowser(self.url + path)
        return browser

    async def allowed(self, database: Database, user_id: int) -> FakeBrowser:
        """One more browser that shows notifications to this user, as a row."""
        browser = self.browser()
        await database.execute(
            "INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth) VALUES ($1, $2, $3, $4)",
            user_id, browser.endpoint, browser.keys["p256dh"], browser.keys["auth"],
        )  # fmt: skip
        return browser

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                status = self._take(head[0], headers, body)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 4\r\n\r\nsaid".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _take(self, request: str, headers: dict[str, str], body: bytes) -> int:
        method, path, _ = request.split(" ")
        browser = self.browsers[path]
        if browser.status == 201:
            assert (method, headers["content-encoding"]) == ("POST", "aes128gcm")
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", headers["topic"])
            browser.claims.append(check_signature(headers["authorization"], self.url))
            browser.shown.append(json.loads(read_body(body, browser.private_key, browser.auth)))
            browser.headers.append(headers)
        return browser.status


@pytest.fixture
async def push_service() -> AsyncIterator[PushServer]:
    async with PushServer() as service:
        yield service
