"""Web push by its standards: what only a browser reads, who says so, and what a push service may answer."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from leadroutes.channels.envelope import DeliveryError, Envelope, NoLongerWanted, Notification
from leadroutes.channels.push import PushChannel, push_subject
from leadroutes.channels.push_encryption import PushKeys, browser_key, browser_secret, encrypted, signature
from leadroutes.channels.push_services import is_of_push_service, origin_of
from leadroutes.settings import Settings
from leadroutes.settings.values import origins
from tests.support.push_service import CURVE, FakeBrowser, PushServer, check_signature, from_text, read_body

# The example of RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_reader_of_these_tests_reads_the_example_of_the_standard() -> None:
    private_key = ec.derive_private_key(int.from_bytes(from_text(PRIVATE), "big"), CURVE)
    assert read_body(from_text(BODY), private_key, from_text(AUTH)) == PLAIN


def test_what_is_encrypted_is_read_by_the_browser_alone() -> None:
    browser, other = FakeBrowser("https://push.example/1"), FakeBrowser("https://push.example/2")
    bodies = [encrypted(PLAIN, browser.keys["p256dh"], browser.keys["auth"]) for _ in range(2)]

    assert [read_body(body, browser.private_key, browser.auth) for body in bodies] == [PLAIN, PLAIN]
    assert bodies[0] != bodies[1], "no key and no salt is used twice"
    with pytest.raises(InvalidTag):
        read_body(bodies[0], other.private_key, browser.auth)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", AUTH),
        ("AAAA", AUTH),
        ("B" * 87, AUTH),
        (None, "AAAA"),
        (None, "BTBZMqHH6r4Tts7J*aSIgg"),
        ("\u00e4" * 87, AUTH),
    ],
)
def test_keys_that_no_browser_makes_are_refused(p256dh: str | None, auth: str) -> None:
    given = p256dh if p256dh is not None else FakeBrowser("https://push.example/1").keys["p256dh"]
    with pytest.raises(ValueError, match=r".+"):
        (browser_key(given), browser_secret(auth))


def test_the_keys_of_an_installation_are_the_same_once_they_are_read_again() -> None:
    keys = PushKeys.generate()
    again = PushKeys.read(keys.written)
    assert again.public_key == keys.public_key
    claims = check_signature(signature(again, "https://push.example", "mailto:a@b.example"), "https://push.example")
    assert (claims["sub"], claims["key"]) == ("mailto:a@b.example", keys.public_key)
    assert keys.written not in repr(keys)


@pytest.mark.parametrize(
    ("mail_from", "public_url", "subject"),
    [
        ("Leads <leads@brokerage.example>", "http://127.0.0.1:8080", "mailto:leads@brokerage.example"),
        ("leads@localhost", "https://leads.example", "https://leads.example"),
        ("leads@localhost", "http://leads.example", "mailto:leads@localhost"),
        ("leads@localhost", "https://localhost", "mailto:leads@localhost"),
    ],
)
def test_push_services_get_a_real_address_where_there_is_one(mail_from: str, public_url: str, subject: str) -> None:
    assert push_subject(Settings(mail_from=mail_from, public_url=public_url)) == subject


@pytest.mark.parametrize(
    ("endpoint", "is_known"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://FCM.googleapis.com:443/fcm/send/abc", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://web.push.apple.com/abc", True),
        ("https://wns2-par02p.notify.windows.com/w/?token=abc", True),
        ("http://fcm.googleapis.com/fcm/send/abc", False),
        ("https://fcm.googleapis.com:8443/abc", False),
        ("https://fcm.googleapis.com.evil.example/abc", False),
        ("https://evil.example/fcm.googleapis.com", False),
        ("https://fcm.googleapis.com@evil.example/abc", False),
        ("https://notify.windows.com.evil.example/", False),
        ("https://evilnotify.windows.com/", False),
        ("https://127.0.0.1/abc", False),
        ("https://[::1]/abc", False),
        ("http://127.0.0.1:9000/abc", False),
        ("ftp://fcm.googleapis.com/abc", False),
        ("fcm.googleapis.com", False),
        ("https://fcm.googleapis.com/\u00e4", False),
        ("https://[", False),
        ("", False),
        ("https://fcm.googleapis.com/" + "a" * 1000, False),
    ],
)
def test_only_known_push_services_are_asked(endpoint: str, is_known: bool) -> None:
    assert is_of_push_service(endpoint, None) is is_known


@pytest.mark.parametrize(
    ("setting", "endpoint", "is_known"),
    [
        ("push.example.com", "https://push.example.com/1", True),
        ("push.example.com", "http://push.example.com/1", False),
        ("push.example.com, http://127.0.0.1:9000", "http://127.0.0.1:9000/push/1", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9001/push/1", False),
        ("http://127.0.0.1:9000", "https://127.0.0.1:9000/push/1", False),
        ("HTTPS://Push.Example.com:443/", "https://push.example.com/1", True),
    ],
)
def test_a_setting_adds_push_services(setting: str, endpoint: str, is_known: bool) -> None:
    assert is_of_push_service(endpoint, origins(setting)) is is_known
    assert origin_of(endpoint) is not None


@pytest.mark.parametrize(
    "setting", ["", "a b", "https://push.example.com/path", "https://u@push.example.com", "ftp://a", "a,,b"]
)
def test_a_setting_that_names_no_push_services_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="expected hosts or addresses"):
        origins(setting)


# ----------------------------------------------------------------------------------------------- over a connection


def envelope(browser: FakeBrowser, **changes: object) -> Envelope:
    keys = (browser.keys["p256dh"], browser.keys["auth"])
    shown = Notification(path="offers/7", tag="lead-3", life=60, is_urgent=True, keys=keys)
    whole = Envelope(
        address=browser.endpoint, subject="New lead: Mia", text_body="It came from Zillow.", notification=shown
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.fixture
def channel(push_service: PushServer, tmp_path: Path) -> PushChannel:
    settings = Settings(data=tmp_path, mail_from="leads@brokerage.example", push_services=push_service.url)
    return PushChannel(PushKeys.generate(), settings)


async def test_a_notification_arrives_as_it_was_written(channel: PushChannel, push_service: PushServer) -> None:
    browser = push_service.browser()
    await channel.send(envelope(browser))
    await channel.close()

    [shown] = browser.shown
    assert shown == {
        "title": "New lead: Mia", "body": "It came from Zillow.", "path": "offers/7", "tag": "lead-3", "silent": False
    }  # fmt: skip
    [headers] = browser.headers
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == ("60", "high", "lead-3")
    assert browser.claims[0]["sub"] == "mailto:leads@brokerage.example"


async def test_the_longest_words_fit_into_a_notification(channel: PushChannel, push_service: PushServer) -> None:
    browser = push_service.browser()
    for words in ("\u0000" * 5000, '"' * 5000, "🏠" * 5000, "\ud800" * 5000):
        await channel.send(envelope(browser, subject=words, text_body=words))
    await channel.close()

    assert [len(each["body"]) for each in browser.shown] == [400] * 4
    assert all(each["title"].endswith("…") for each in browser.shown)


@pytest.mark.parametrize(
    ("status", "is_permanent", "is_dead"),
    [(404, True, True), (410, True, True), (400, True, False), (403, True, False), (413, True, False),
     (429, False, False), (500, False, False), (503, False, False), (302, True, False)],
)  # fmt: skip
async def test_what_a_push_service_says_is_understood(
    channel: PushChannel, push_service: PushServer, status: int, is_permanent: bool, is_dead: bool
) -> None:
    browser = push_service.browser()
    browser.status = status
    with pytest.raises(DeliveryError, match=f"the push service said {status} said") as refused:
        await channel.send(envelope(browser))
    await channel.close()

    assert (refused.value.is_permanent, refused.value.is_dead_address) == (is_permanent, is_dead)


async def test_a_service_that_does_not_answer_is_asked_again_later(push_service: PushServer, tmp_path: Path) -> None:
    browser = push_service.browser()
    await push_service.stop()
    channel = PushChannel(PushKeys.generate(), Settings(data=tmp_path, push_services=origin_of(browser.endpoint)))
    with pytest.raises(DeliveryError, match="cannot be reached") as refused:
        await channel.send(envelope(browser))
    await channel.close()
    assert not refused.value.is_permanent


async def test_nothing_is_sent_elsewhere_or_too_late(channel: PushChannel, push_service: PushServer) -> None:
    async def taken() -> str:
        return "Bob had claimed the lead"

    browser = push_service.browser()
    with pytest.raises(DeliveryError, match="not a known one"):
        await channel.send(envelope(browser, address="http://127.0.0.1:1/push/1"))
    with pytest.raises(NoLongerWanted, match="Bob had claimed"):
        await channel.send(envelope(browser), taken)
    await channel.close()
    assert browser.shown == []
