"""The provider of texts and calls: a client of an API of Twilio's shape, which makes six kinds of requests.

It says what an answer means for a message (DeliveryError), and knows no database.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from leadroutes.channels.envelope import Blame, DeliveryError
from leadroutes.domain.provider_errors import effect_of, read_code
from leadroutes.domain.text import one_line
from leadroutes.settings import Settings

CONNECT_TIMEOUT, TIMEOUT = 5.0, 15.0  # seconds
KEEP_ALIVE = 2.0  # seconds; a server that closes a connection while it is used leaves in doubt what it has read
NUMBERS_FRESH_FOR = 3_600.0  # seconds
PAGE_SIZE, MOST_PAGES = 1_000, 20
LONGEST_REASON = 300  # characters of what a provider says
RETRIES: Final = "#ct=3000&rc=3&rp=all"
"""Behind an address that the provider calls back: three more attempts, whatever went wrong; it does not sign this."""

_NEVER_LEFT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderMessage:
    """A text as the provider has it."""

    id: str
    state: str
    error_code: int | None = None
    body: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """A call as the provider has it."""

    id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderNumber:
    """A number of the account, and the addresses that it calls when a text or a call comes in."""

    number: str
    text_url: str | None = None
    call_url: str | None = None
    takes_texts: bool = True
    takes_calls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAccount:
    """The account at the provider; `status` is `active` where it can be used."""

    name: str | None
    status: str


def open_provider(settings: Settings, timeout: float = TIMEOUT) -> "Provider | None":
    """Returns a client, or None without credentials. `timeout`: seconds that an answer may take."""
    if settings.twilio_account is None:
        return None
    user, password = settings.twilio_account, settings.twilio_token
    if settings.twilio_key is not None:
        user, password = settings.twilio_key, settings.twilio_key_secret
    return Provider((user, password or ""), settings.twilio_url, settings.twilio_account, timeout)


class Provider:
    """A client of one account. Each method raises DeliveryError where no usable answer comes."""

    def __init__(self, credentials: tuple[str, str], url: str, account: str, timeout: float) -> None:
        self._credentials = credentials
        self._url = url
        self._account = account
        self._timeout = timeout
        self._numbers: tuple[ProviderNumber, ...] = ()
        self._numbers_fresh_until = 0.0

    async def close(self) -> None:
        if "_client" in vars(self):
            await self._client.aclose()

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """Made with the first request, as reading the certificates of authorities takes a while."""
        return httpx.AsyncClient(
            auth=httpx.BasicAuth(*self._credentials),
            timeout=httpx.Timeout(self._timeout, connect=CONNECT_TIMEOUT),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=5, keepalive_expiry=KEEP_ALIVE),
            follow_redirects=False,
        )

    async def send_text(self, to: str, text: str, sender: Mapping[str, str], callback: str | None) -> ProviderMessage:
        """Sends a text. `sender`: From, or MessagingServiceSid. `callback`: the address for what becomes of it."""
        fields = {"To": to, "Body": text, **sender}
        if callback is not None:
            fields["StatusCallback"] = callback + RETRIES
        return _message(await self._post("/Messages.json", fields))

    async def make_call(self, fields: Mapping[str, str]) -> ProviderCall:
        """Begins a call; `fields` are those of the API (To, From, Url, StatusCallback, …)."""
        return _call(await self._post("/Calls.json", fields))

    async def end_call(self, call_id: str) -> ProviderCall:
        """Ends a call that rings; one that has been answered goes on."""
        return _call(await self._post(f"/Calls/{quote(call_id, safe='')}.json", {"Status": "canceled"}))

    async def get_message(self, message_id: str) -> ProviderMessage | None:
        """Returns a text by the provider's id; None where the provider does not know it."""
        found = await self._get(self._address(f"/Messages/{quote(message_id, safe='')}.json"), is_optional=True)
        return _message(found) if found is not None else None

    async def find_messages(self, to: str, since: datetime) -> list[ProviderMessage]:
        """Returns the texts to a number since the day of a moment, in UTC."""
        query = {"To": to, "DateSent>": f"{since:%Y-%m-%d}", "PageSize": str(PAGE_SIZE)}
        return [_message(each) for each in await self._list("/Messages.json", "messages", query)]

    async def list_numbers(self) -> tuple[ProviderNumber, ...]:
        """Returns the numbers of the account, as they were at most an hour ago."""
        now = time.monotonic()
        if now >= self._numbers_fresh_until:
            listed = await self._list(
                "/IncomingPhoneNumbers.json", "incoming_phone_numbers", {"PageSize": str(PAGE_SIZE)}
            )
            self._numbers = tuple(_number(each) for each in listed if isinstance(each.get("phone_number"), str))
            self._numbers_fresh_until = now + NUMBERS_FRESH_FOR
        return self._numbers

    async def get_account(self) -> ProviderAccount:
        """Returns the account, which shows that the credentials are right."""
        found = await self._get(f"{self._url}/Accounts/{quote(self._account, safe='')}.json")
        assert found is not None
        return ProviderAccount(name=_text(found, "friendly_name"), status=_text(found, "status") or "unknown")

    # -- requests

    def _address(self, path: str) -> str:
        return f"{self._url}/Accounts/{quote(self._account, safe='')}{path}"

    async def _post(self, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """A request that does something: once it may have been read, only an answer says whether it was done."""
        try:
            response = await self._client.post(self._address(path), data=dict(fields))
        except _NEVER_LEFT as error:
            raise _unreachable(error) from error
        except httpx.HTTPError as error:
            reason = f"the provider broke off: {_words_of(error)}"
            raise DeliveryError(reason, is_doubtful=True) from error
        return _answer(response, is_done=True)

    async def _get(self, address: str, *, is_optional: bool = False) -> dict[str, Any] | None:
        try:
            response = await self._client.get(address)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        if is_optional and response.status_code == httpx.codes.NOT_FOUND:
            return None
        return _answer(response)

    async def _list(self, path: str, name: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        address = httpx.URL(self._address(path), params=dict(query))
        for _ in range(MOST_PAGES):
            page = await self._get(str(address))
            assert page is not None
            records = page.get(name)
            found += [each for each in records if isinstance(each, dict)] if isinstance(records, list) else []
            further = page.get("next_page_uri")
            if not isinstance(further, str) or not further:
                break
            further_address = address.join(further)
            if (further_address.host, further_address.port) != (address.host, address.port):
                break  # the credentials go nowhere else
            address = further_address
        return found


# ------------------------------------------------------------------------------------------------- what answers mean


def _answer(response: httpx.Response, *, is_done: bool = False) -> dict[str, Any]:
    """Returns the record that a request was answered with. `is_done`: what is unreadable was done all the same."""
    record = _record(response)
    if response.is_success:
        if record is None:
            reason = "the provider gave an answer that cannot be read; is LEADROUTES_TWILIO_URL right?"
            raise DeliveryError(reason, is_doubtful=is_done, blame="message" if is_done else "channel")
        return record
    raise _refusal(response.status_code, record or {})


def _refusal(status: int, record: Mapping[str, Any]) -> DeliveryError:
    code = read_code(record.get("code"))
    said = one_line(_text(record, "message")) or "no reason"
    reason = f"the provider said {code or status}: {said[:LONGEST_REASON]}"
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
        return DeliveryError(reason, code=code)
    return error_of(code, reason, is_account=status != httpx.codes.BAD_REQUEST)


def error_of(code: int | None, reason: str, *, is_account: bool = False) -> DeliveryError:
    """Returns what an error number means for the message. `is_account`: a refusal without one concerns all messages."""
    match effect_of(code):
        case "account":
            blame: Blame = "channel"
        case "sender":
            blame = "policy"
        case "later" | "window":
            return DeliveryError(reason, code=code)
        case None if is_account:
            blame = "channel"
        case _:
            return DeliveryError(reason, is_permanent=True, code=code)
    return DeliveryError(reason, blame=blame, code=code)


def _unreachable(error: Exception) -> DeliveryError:
    return DeliveryError(f"the provider cannot be reached: {_words_of(error)}", blame="channel")


def _words_of(error: Exception) -> str:
    return (one_line(str(error)) or type(error).__name__)[:LONGEST_REASON]


def _record(response: httpx.Response) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _message(record: Mapping[str, Any]) -> ProviderMessage:
    return ProviderMessage(
        id=_id(record),
        state=(_text(record, "status") or "queued").lower(),
        error_code=read_code(record.get("error_code")),
        body=_text(record, "body"),
        sent_at=_moment(_text(record, "date_sent") or _text(record, "date_created")),
    )


def _call(record: Mapping[str, Any]) -> ProviderCall:
    return ProviderCall(id=_id(record), state=(_text(record, "status") or "queued").lower())


def _number(record: Mapping[str, Any]) -> ProviderNumber:
    able = record.get("capabilities")
    able = able if isinstance(able, dict) else {}
    return ProviderNumber(
        number=str(record["phone_number"]),
        text_url=_text(record, "sms_url"),
        call_url=_text(record, "voice_url"),
        takes_texts=able.get("sms", able.get("SMS", True)) is not False,
        takes_calls=able.get("voice", True) is not False,
    )


def _id(record: Mapping[str, Any]) -> str:
    found = _text(record, "sid")
    if not found:
        raise DeliveryError("the provider gave an answer without an id", is_doubtful=True)
    return found


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    return value if isinstance(value, str) else None


def _moment(text: str | None) -> datetime | None:
    """RFC 2822, as Twilio writes moments."""
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
