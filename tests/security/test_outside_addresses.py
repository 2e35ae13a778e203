"""Which addresses a user may type, and which are inside: a table."""

import ipaddress

import pytest

from leadroutes.security.outside_addresses import (
    NONE_ALLOWED,
    AllowedNetworks,
    is_inside,
    literal_address,
    why_not_target,
    why_refused,
)
from leadroutes.settings import Settings

PUBLIC = ("93.184.216.34", "8.8.8.8", "172.32.0.1", "2606:2800:220:1::1", "2a00:1450:4001::1")
INSIDE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
    "2002:7f00:1::", "2001:0:53aa:64c:0:0:0:1",
)  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_allowed_by_https_alone(text: str) -> None:
    address = ipaddress.ip_address(text)

    assert not is_inside(address)
    assert why_refused(address, NONE_ALLOWED, is_encrypted=True) is None
    assert "expected https" in (why_refused(address, NONE_ALLOWED, is_encrypted=False) or "")
    assert "expected https" in (why_refused(address, AllowedNetworks(is_all=True), is_encrypted=False) or "")


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_refused_unless_all_are_allowed(text: str) -> None:
    address = ipaddress.ip_address(text)

    assert is_inside(address)
    assert why_refused(address, NONE_ALLOWED, is_encrypted=True) == (
        f"{address} is an address inside; only public ones are allowed"
    )
    for is_encrypted in (True, False):
        assert why_refused(address, AllowedNetworks(is_all=True), is_encrypted=is_encrypted) is None


def test_networks_that_are_named_are_allowed_and_no_others() -> None:
    allowed = AllowedNetworks.of(Settings(webhooks_to_private="10.0.0.0/8,fd00::/8"))

    assert why_refused(ipaddress.ip_address("10.9.9.9"), allowed, is_encrypted=False) is None
    assert why_refused(ipaddress.ip_address("fd00::5"), allowed, is_encrypted=False) is None
    for text in ("11.0.0.1", "192.168.0.1", "::ffff:10.9.9.9", "fe80::1"):
        assert why_refused(ipaddress.ip_address(text), allowed, is_encrypted=False) is not None, text


LITERALS = {
    "127.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "127.0.1": "127.0.0.1", "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1", "0x7f.0.0.1": "127.0.0.1", "017700000001": "127.0.0.1", "0177.0.0.1": "127.0.0.1",
    "127.0.0.1.": "127.0.0.1", "0": "0.0.0.0", "[::1]": "::1", "::1": "::1", "fe80::1%eth0": "fe80::1",
    "[::ffff:7f00:1]": "::ffff:127.0.0.1", "3232235521": "192.168.0.1",
}  # fmt: skip


@pytest.mark.parametrize(("host", "address"), LITERALS.items())
def test_numbers_are_read_in_every_form_that_the_resolver_reads(host: str, address: str) -> None:
    assert literal_address(host) == ipaddress.ip_address(address)


NAMES = ("example.com", "localhost", "", "1.2.3.4.5", "0x7f.example", "999.1.1.1", "127.0.0.1 x")


@pytest.mark.parametrize("host", NAMES)
def test_names_are_no_numbers(host: str) -> None:
    assert literal_address(host) is None


REFUSED = {
    "ftp://example.com/": "expected an address such as https://",
    "//example.com/": "expected an address such as https://",
    "example.com": "expected an address such as https://",
    "https://": "expected an address such as https://",
    "https:///leads": "expected an address such as https://",
    "": "expected an address such as https://",
    "https://exa mple.com/": "expected an address such as https://",
    "https://example.com/\u0007": "expected an address such as https://",
    "https://example.com:0/": "expected an address such as https://",
    "https://example.com:99999/": "expected an address such as https://",
    "https://user:word@example.com/": "without a user and a password",
    "http://example.com/": "expected https in place of http",
    "https://localhost/": "localhost is inside",
    "https://LOCALHOST./": "localhost is inside",
    "https://api.localhost/": "localhost is inside",
    "https://127.0.0.1/": "127.0.0.1 is an address inside",
    "https://2130706433/": "127.0.0.1 is an address inside",
    "https://0x7f.1/": "127.0.0.1 is an address inside",
    "https://0177.0.0.1/": "expected an address such as https://",
    "https://017700000001/": "127.0.0.1 is an address inside",
    "https://[::1]/": "::1 is an address inside",
    "https://[::ffff:169.254.169.254]/": "is an address inside",
    "https://[64:ff9b::10.0.0.1]/": "is an address inside",
    "https://169.254.169.254/latest/meta-data": "169.254.169.254 is an address inside",
    "http://8.8.8.8/": "expected https",
}


@pytest.mark.parametrize(("url", "why"), REFUSED.items())
def test_what_may_not_be_typed_is_refused_with_what_is_expected(url: str, why: str) -> None:
    assert why in (why_not_target(url, NONE_ALLOWED) or "")


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/", "https://münchen.example/x"]
)
def test_public_targets_may_be_typed(url: str) -> None:
    assert why_not_target(url, NONE_ALLOWED) is None


def test_where_networks_are_allowed_their_addresses_and_names_may_be_typed_with_http() -> None:
    allowed = AllowedNetworks.of(Settings(webhooks_to_private="192.168.1.0/24"))

    for url in ("http://192.168.1.7/", "https://192.168.1.7/", "http://crm.internal/", "http://localhost:9000/"):
        assert why_not_target(url, allowed) is None, url
    for url in ("http://192.168.2.7/", "https://127.0.0.1/"):
        assert why_not_target(url, allowed) is not None, url


def test_a_number_in_foreign_digits_is_the_number_that_it_becomes() -> None:
    """IDNA turns fullwidth digits into ASCII ones, or refuses them."""
    assert why_not_target("https://１２７.0.0.1/", NONE_ALLOWED) is not None
