"""What web push asks of a sender: a body that only the browser can read (RFC 8291), and a signature (RFC 8292).

Both are a few lines on top of the library that does all other cryptography here; the packages for them are not
published as wheels, from which alone this project is installed.
"""

import json
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
POINT_BYTES, SECRET_BYTES, SALT_BYTES = 65, 16, 16
RECORD_BYTES = 4_096  # what every browser takes
LARGEST_BODY = RECORD_BYTES - (SALT_BYTES + 4 + 1 + POINT_BYTES) - 17  # without header, tag and the mark of the end
_END = b"\x02"  # of the last record
SIGNATURE_LIFE = 43_200  # seconds; push services take a day at most


@dataclass(frozen=True, slots=True)
class PushKeys:
    """The keys by which push services know this installation."""

    public_key: str  # in base64url
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> "PushKeys":
        return cls._of(ec.generate_private_key(CURVE))

    @classmethod
    def read(cls, number: str) -> "PushKeys":
        """Returns the keys of a private key that was written by `written`. Raises ValueError for anything else."""
        return cls._of(ec.derive_private_key(int(number, 16), CURVE))

    @classmethod
    def _of(cls, private_key: ec.EllipticCurvePrivateKey) -> "PushKeys":
        return cls(encoded(point_of(private_key.public_key())), private_key)

    @property
    def written(self) -> str:
        """The private key as text; a secret."""
        return f"{self.private_key.private_numbers().private_value:064x}"


def encrypted(body: bytes, p256dh: str, auth: str) -> bytes:
    """Returns the body as only the browser with these keys reads it. Raises ValueError for keys that are none."""
    theirs = browser_key(p256dh)
    ours = ec.generate_private_key(CURVE)
    point = point_of(ours.public_key())
    salt = os.urandom(SALT_BYTES)
    shared = ours.exchange(ec.ECDH(), theirs)
    key, nonce = _key_and_nonce(shared, browser_secret(auth), salt, point_of(theirs) + point)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([POINT_BYTES]) + point
    return header + AESGCM(key).encrypt(nonce, body + _END, None)


def decrypted(body: bytes, key: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """Returns what the browser with these keys reads. Raises ValueError or InvalidTag where it is not meant for it."""
    salt, rest = body[:SALT_BYTES], body[SALT_BYTES + 5 :]
    point, record = rest[:POINT_BYTES], rest[POINT_BYTES:]
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point))
    its_key, nonce = _key_and_nonce(shared, secret, salt, point_of(key.public_key()) + point)
    return AESGCM(its_key).decrypt(nonce, record, None).rstrip(b"\0").removesuffix(_END)


def _key_and_nonce(shared: bytes, secret: bytes, salt: bytes, points: bytes) -> tuple[bytes, bytes]:
    """`points`: the browser's, then the sender's."""
    material = _derived(shared, secret, b"WebPush: info\0" + points, 32)
    key = _derived(material, salt, b"Content-Encoding: aes128gcm\0", 16)
    return key, _derived(material, salt, b"Content-Encoding: nonce\0", 12)


def browser_key(p256dh: str) -> ec.EllipticCurvePublicKey:
    """Returns the public key of a browser. Raises ValueError for any other text."""
    point = decoded(p256dh)
    if len(point) != POINT_BYTES:
        raise ValueError("not a point of this curve")
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)


def browser_secret(auth: str) -> bytes:
    """Returns the secret of a browser. Raises ValueError for any other text."""
    secret = decoded(auth)
    if len(secret) != SECRET_BYTES:
        raise ValueError("not a secret of 16 bytes")
    return secret


def signature(keys: PushKeys, audience: str, subject: str) -> str:
    """Returns the header by which a push service at this origin knows who sends, and whom to ask about it."""
    head = {"typ": "JWT", "alg": "ES256"}
    claims = {"aud": audience, "exp": int(time.time()) + SIGNATURE_LIFE, "sub": subject}
    signed = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    r, s = decode_dss_signature(keys.private_key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"vapid t={signed}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}, k={keys.public_key}"


def encoded(data: bytes) -> str:
    """Returns base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Returns what base64url, or base64, says. Raises ValueError for anything else."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not plain.isascii() or not plain.replace("-", "").replace("_", "").isalnum():
        raise ValueError("not base64url")
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """Returns a public key as it is sent."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
