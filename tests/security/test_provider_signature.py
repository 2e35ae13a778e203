"""Requests of the provider are recognised by their signature; the provider's own SDK is what signs them here."""

import hashlib

import pytest
from twilio.request_validator import RequestValidator

from leadroutes.security.provider_signature import Signatures, both_ports, signed

TOKEN, KEY, SECRET = "the token", "webhooks_sharedkey_1", "the secret of the key"
URL = "https://leads.example"
FIELDS = {"MessageSid": "SM1", "Body": "Käse & café +1", "From": "+13035550199", "Empty": ""}
TARGET = "/twilio/messages?message=1.2&name=J%C3%B6rg%20L"
KEYS_HEADER = f"key={KEY},algorithm=HMAC_SHA256"


def signatures(url: str = URL, token: str | None = TOKEN) -> Signatures:
    return Signatures(url, token, {KEY: SECRET})


def by_sdk(address: str, fields: dict[str, str], secret: str = TOKEN, algorithm: str | None = None) -> str:
    return str(RequestValidator(secret).compute_signature(address, fields, algorithm))


@pytest.mark.parametrize("url", ["https://leads.example", "http://leads.example", "https://leads.example:8443",
                                 "https://leads.example/a/path", "http://[::1]:8080"])  # fmt: skip
def test_a_form_that_the_provider_has_signed_is_right(url: str) -> None:
    signature = by_sdk(url + TARGET, FIELDS)
    assert signed(TOKEN, url + TARGET, FIELDS.items()) == signature
    assert signatures(url).is_right(TARGET, signature, None, list(FIELDS.items()))


@pytest.mark.parametrize(
    ("url", "signed_for"),
    [
        ("https://leads.example", "https://leads.example:443"),
        ("http://leads.example", "http://leads.example:80"),
        ("https://leads.example:8443", "https://leads.example"),
        ("https://leads.example:443", "https://leads.example"),
    ],
)
def test_the_port_may_be_in_what_is_signed_or_not(url: str, signed_for: str) -> None:
    assert signatures(url).is_right(TARGET, by_sdk(signed_for + TARGET, FIELDS), None, list(FIELDS.items()))


def test_the_address_is_otherwise_signed_as_it_is() -> None:
    assert both_ports("https://a.example/x//y?&a=%2f&b=#") == (
        "https://a.example/x//y?&a=%2f&b=#", "https://a.example:443/x//y?&a=%2f&b=#",
    )  # fmt: skip
    assert both_ports("https://a.example") == ("https://a.example", "https://a.example:443")


WRONG = {
    "no signature": (TARGET, None, FIELDS),
    "an empty one": (TARGET, "", FIELDS),
    "one of another token": (TARGET, by_sdk(URL + TARGET, FIELDS, "another token"), FIELDS),
    "another host": (TARGET, by_sdk("https://evil.example" + TARGET, FIELDS), FIELDS),
    "another scheme": (TARGET, by_sdk("http://leads.example" + TARGET, FIELDS), FIELDS),
    "another port": (TARGET, by_sdk("https://leads.example:8443" + TARGET, FIELDS), FIELDS),
    "another query": (TARGET + "0", by_sdk(URL + TARGET, FIELDS), FIELDS),
    "another field": (TARGET, by_sdk(URL + TARGET, FIELDS), {**FIELDS, "Body": "STOP"}),
    "a field more": (TARGET, by_sdk(URL + TARGET, FIELDS), {**FIELDS, "OptOutType": "STOP"}),
    "bytes that are not a text": (TARGET, "\udcff", FIELDS),
}


@pytest.mark.parametrize(("target", "signature", "fields"), WRONG.values(), ids=WRONG)
def test_anything_else_is_wrong(target: str, signature: str | None, fields: dict[str, str]) -> None:
    assert not signatures().is_right(target, signature, None, list(fields.items()))


def test_without_a_token_nothing_is_right() -> None:
    for token in ("", "None"):
        assert not signatures(token=None).is_right(
            TARGET, by_sdk(URL + TARGET, FIELDS, token), None, list(FIELDS.items())
        )


def test_a_field_that_comes_several_times_counts_with_each_value_once() -> None:
    class Many(dict[str, list[str]]):
        def getlist(self, name: str) -> list[str]:
            return self[name]

    signature = str(RequestValidator(TOKEN).compute_signature(URL + TARGET, Many(b=["2", "1", "2"], a=["x"])))
    assert signatures().is_right(TARGET, signature, None, [("b", "2"), ("a", "x"), ("b", "1"), ("b", "2")])


def test_json_is_signed_by_its_hash_in_the_query() -> None:
    body = '{"CallSid": "CA1", "text": "ä"}'.encode()
    target = f"/twilio/status?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = by_sdk(URL + target, {})
    assert RequestValidator(TOKEN).validate(URL + target, body.decode(), signature)
    assert signatures().is_right(target, signature, None, body)
    assert not signatures().is_right(target, signature, None, body + b" ")
    assert not signatures().is_right("/twilio/status", by_sdk(URL + "/twilio/status", {}), None, body)


def test_the_other_form_needs_a_key_that_is_known_and_its_hash() -> None:
    pairs = list(FIELDS.items())
    right = by_sdk(URL + TARGET, FIELDS, SECRET, "HMAC_SHA256")
    assert signatures().is_right(TARGET, right, KEYS_HEADER, pairs)
    assert signatures().is_right(TARGET, right, f"algorithm=HMAC_SHA256, key={KEY}", pairs)
    for header in (None, "", f"key={KEY},algorithm=HMAC_SHA1", f"key={KEY}", "key=other,algorithm=HMAC_SHA256", "x"):
        assert not signatures().is_right(TARGET, right, header, pairs), header


def test_the_token_is_no_fallback_for_the_other_form() -> None:
    pairs = list(FIELDS.items())
    for algorithm in ("HMAC_SHA1", "HMAC_SHA256"):
        by_token = by_sdk(URL + TARGET, FIELDS, TOKEN, algorithm)
        assert not signatures().is_right(TARGET, by_token, KEYS_HEADER, pairs)
        assert not signatures().is_right(TARGET, by_token, "key=other,algorithm=HMAC_SHA256", pairs)
    by_key = by_sdk(URL + TARGET, FIELDS, SECRET, "HMAC_SHA1")
    assert not signatures().is_right(TARGET, by_key, None, pairs)
