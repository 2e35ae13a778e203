"""Secrets: checked first, over the raw body; an unset one equals nothing."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from leadroutes.intake.formats import FORMATS
from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading
from leadroutes.intake.sns import signed_text
from tests.support.samples import Sample, basic, certificate, only, sample, samples, secrets, why

GUARDED = [each for each in samples() if each.format in {format_.name for format_ in FORMATS if format_.check}]
REFUSALS = {"facebook": "bad_signature"}


def _read(each: Sample, headers: dict[str, str], secrets_: dict[str, Any]) -> Reading:
    return read(
        each.body,
        headers,
        format=each.format,
        secrets=secrets_,
        graph=each.graph,
        certificates=certificate,
    )


@pytest.mark.parametrize("each", GUARDED, ids=lambda each: each.name)
def test_an_unset_secret_equals_nothing(each: Sample) -> None:
    section = next(format_.secrets for format_ in FORMATS if format_.name == each.format)
    assert section
    expected = REFUSALS.get(each.format, "bad_secret")
    for unset in ({}, {section: None}, {section: {}}, {section: dict.fromkeys(secrets()[section], "")}):
        assert why(_read(each, each.headers, unset)) == expected
        assert why(_read(each, {}, unset)) == expected


@pytest.mark.parametrize("each", GUARDED, ids=lambda each: each.name)
def test_a_wrong_secret_is_refused(each: Sample) -> None:
    section = next(format_.secrets for format_ in FORMATS if format_.name == each.format)
    wrong = {section: {name: f"{value}x" for name, value in secrets()[section or ""].items()}}
    assert why(_read(each, each.headers, wrong)) == REFUSALS.get(each.format, "bad_secret")


@pytest.mark.parametrize("each", GUARDED, ids=lambda each: each.name)
def test_a_missing_secret_is_refused(each: Sample) -> None:
    if each.format != "google":
        assert why(_read(each, {}, secrets())) == REFUSALS.get(each.format, "bad_secret")


def test_the_secret_is_checked_before_the_body_is_read() -> None:
    for format_, header in (
        ("realtor-push", "x-api-key"),
        ("zapier", "X-Intake-Key"),
        ("zillow-rentals", "X-Intake-Key"),
    ):
        assert why(read(b"{", {header: "wrong"}, format=format_, secrets=secrets())) == "bad_secret"
    for format_ in ("followupboss", "liondesk-v1", "zillow-techconnect"):
        assert why(read(b"{", {"Authorization": "Basic !"}, format=format_, secrets=secrets())) == "bad_secret"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer x", "Basic", "Basic %%%", "Basic " + base64.b64encode(b"fub-test-only-51d0").decode(), "Basic /w=="],
)
def test_malformed_basic_auth_is_refused(header: str) -> None:
    each = sample("followupboss-event")
    assert why(_read(each, {"Authorization": header}, secrets())) == "bad_secret"


def test_the_password_beside_a_key_must_be_empty() -> None:
    for name, key in (("followupboss-event", "fub-test-only-51d0"), ("liondesk-v1-submission", "partner-test-only")):
        each = sample(name)
        assert only(_read(each, each.headers | {"Authorization": basic(key).replace("Basic", "basic")}, secrets()))
        assert why(_read(each, each.headers | {"Authorization": basic(key, "x")}, secrets())) == "bad_secret"


def test_the_old_partner_api_wants_the_users_key_too() -> None:
    each = sample("liondesk-v1-submission")
    assert why(_read(each, each.headers | {"X-LionDesk-Id": "other"}, secrets())) == "bad_secret"
    assert why(_read(each, {"Authorization": each.headers["Authorization"]}, secrets())) == "bad_secret"


# --------------------------------------------------------------------------------------------------- signatures


def _facebook(body: bytes, key: str = "facebook-app-secret-test-only") -> str:
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def test_facebooks_signature_is_of_the_raw_body() -> None:
    each = sample("facebook-leadgen")
    body = each.body.replace(b":", b" : ")
    headers = {"X-Hub-Signature-256": _facebook(body)}
    assert only(read(body, headers, format="facebook", secrets=secrets(), graph=each.graph))
    assert why(read(body + b" ", headers, format="facebook", secrets=secrets(), graph=each.graph)) == "bad_signature"


def test_facebooks_old_signature_is_not_enough() -> None:
    each = sample("facebook-leadgen")
    headers = {"X-Hub-Signature": each.headers["X-Hub-Signature"]}
    assert why(_read(each, headers, secrets())) == "bad_signature"
    sha1 = {"X-Hub-Signature-256": each.headers["X-Hub-Signature"]}
    assert why(_read(each, sha1, secrets())) == "bad_signature"


KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
TOPIC = "arn:aws:sns:us-west-2:000000000000:tech-connect-juniper-vale"
CERTIFICATE_URL = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-1.pem"
SUBSCRIBE_URL = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=t"
AUTHORIZATION = {"Authorization": basic("juniper-vale", "tech-connect-test-only")}


def _own_certificate(address: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + dt.timedelta(days=365))
        .sign(KEY, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def _signed(message: dict[str, Any], version: str = "2") -> bytes:
    whole = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": json.dumps({"ContactInfo": {"ContactEmail": "ann@example.com"}}),
        "Timestamp": "2026-11-14T18:22:09.314Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    } | message
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = KEY.sign(signed_text(whole), PKCS1v15(), algorithm)
    return json.dumps({"Signature": base64.b64encode(signature).decode()} | whole).encode()


def _zillow(body: bytes, **options: Any) -> Reading:
    arguments: dict[str, Any] = {"secrets": secrets(), "certificates": _own_certificate} | options
    return read(body, AUTHORIZATION, format="zillow-techconnect", **arguments)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_of_sns_is_signed_with_or_without_a_subject(version: str) -> None:
    assert only(_zillow(_signed({}, version))).email == "ann@example.com"
    assert only(_zillow(_signed({"Subject": "Lead ü"}, version))).email == "ann@example.com"


def test_no_signed_field_may_be_changed() -> None:
    for field in ("Message", "MessageId", "Timestamp"):
        body = json.loads(_signed({}))
        body[field] += " "
        assert why(_zillow(json.dumps(body).encode())) == "bad_signature"
    body = json.loads(_signed({})) | {"Subject": "added"}
    assert why(_zillow(json.dumps(body).encode())) == "bad_signature"


@pytest.mark.parametrize(
    "message",
    [
        {"Signature": ""},
        {"Signature": None},
        {"Signature": "not base64!"},
        {"Signature": "AAAA"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": None},
    ],
)
def test_a_message_without_a_good_signature_is_refused(message: dict[str, Any]) -> None:
    body = json.loads(_signed({})) | message
    assert why(_zillow(json.dumps(body).encode())) == "bad_signature"


@pytest.mark.parametrize("found", [None, b"", b"no certificate"])
def test_a_certificate_that_cannot_be_read_is_not_a_proof(found: bytes | None) -> None:
    assert why(_zillow(_signed({}), certificates=lambda _: found)) == "bad_signature"
    assert why(_zillow(_signed({}), certificates=None)) == "bad_signature"


def test_a_good_signature_of_another_topic_is_refused() -> None:
    assert why(_zillow(_signed({"TopicArn": TOPIC + "-other"}))) == "unknown_topic"


BAD_ADDRESSES = [
    "http://sns.us-west-2.amazonaws.com/x.pem",
    "https://sns.us-west-2.amazonaws.com.example.com/x.pem",
    "https://sns.us-west-2.example.com/x.pem",
    "https://evil.sns.us-west-2.amazonaws.com/x.pem",
    "https://sns.amazonaws.com/x.pem",
    "https://sns..amazonaws.com/x.pem",
    "https://sns.us.west.amazonaws.com/x.pem",
    "https://s3.us-west-2.amazonaws.com/x.pem",
    "https://user@sns.us-west-2.amazonaws.com/x.pem",
    "https://sns.us-west-2.amazonaws.com@example.com/x.pem",
    "https://sns.us-west-2.amazonaws.com:8443/x.pem",
    "https://sns.us-west-2.amazonaws.com\\@example.com/x.pem",
    "https://example.com/?https://sns.us-west-2.amazonaws.com/x.pem",
    "https://sns.us-west-2.amazonaws.com/\r\nx.pem",
    " https://sns.us-west-2.amazonaws.com/x.pem",
    "//sns.us-west-2.amazonaws.com/x.pem",
    "file:///etc/passwd",
    "",
    None,
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_only_amazons_own_addresses_are_asked(address: str | None) -> None:
    asked: list[str] = []

    def certificates(asked_address: str) -> bytes:
        asked.append(asked_address)
        return _own_certificate(asked_address)

    body = json.loads(_signed({})) | {"SigningCertURL": address}
    assert why(_zillow(json.dumps(body).encode(), certificates=certificates)) == "bad_url"
    assert asked == []

    confirmation = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": address}
    assert why(_zillow(_signed(confirmation))) == "bad_url"
    assert why(_zillow(_signed(confirmation), secrets=None)) == "bad_url"


@pytest.mark.parametrize(
    "address",
    [
        SUBSCRIBE_URL,
        "https://sns.eu-central-1.amazonaws.com:443/?Token=t",
        "https://SNS.us-gov-west-1.AmazonAWS.com/",
    ],
)
def test_a_subscription_is_confirmed_by_one_address(address: str) -> None:
    confirmation = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": address}
    (result,) = _zillow(_signed(confirmation)).results
    assert getattr(result, "get", None) == address


def test_the_address_of_a_subscription_is_signed() -> None:
    confirmation = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": SUBSCRIBE_URL}
    body = json.loads(_signed(confirmation)) | {"SubscribeURL": SUBSCRIBE_URL + "x"}
    assert why(_zillow(json.dumps(body).encode())) == "bad_signature"
