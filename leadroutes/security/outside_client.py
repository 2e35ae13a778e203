"""Makes requests to addresses that users have typed, and to no address inside (leadroutes.security.outside_addresses).

The host is looked up, each address is checked, and the connection goes to the very address that was checked, so that a
name cannot lead elsewhere in between. The certificate is that of the host's name. No redirect is followed.
"""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import httpcore
import httpx

from leadroutes.security.outside_addresses import Address, AllowedNetworks, literal_address, why_refused

MOST_READ = 4096  # bytes of an answer; the rest is not waited for
IDLE_CONNECTION = 4.0  # seconds that a connection waits for its next request, less than the usual 5 of servers
LOOK_UPS = 32  # names that are looked up at once, each in a thread, as a name server may not answer

Resolve = Callable[[str], Awaitable[Sequence[Address]]]


@dataclass(frozen=True, slots=True)
class OutsideResponse:
    """What a server answered: the status, its headers in lower case, the beginning of the body, and in which time."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class NoOutsideResponse(Exception):  # noqa: N818 -- an outcome, not a defect
    """No answer came; the message says why. `is_refused`: no request was made, as the address is not allowed."""

    def __init__(self, reason: str, seconds: float, *, is_refused: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.is_refused = is_refused


class _Refused(httpcore.ConnectError):
    """A host leads to no address that is allowed."""


class OutsideClient:
    """One per process; it keeps connections for further requests to the same host, and needs `close()`.

    `resolve` and `context` replace the system's name look-up and the certificates that are trusted.
    """

    def __init__(
        self, allowed: AllowedNetworks, *, resolve: Resolve | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._look_ups = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="look-up")
        self._resolve = resolve or partial(_resolve, self._look_ups)
        self._allowed = allowed
        self._context = context
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}  # by scheme, made when first needed

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> OutsideResponse:  # noqa: ASYNC109
        """Returns the answer, whatever its status. Raises NoOutsideResponse where none comes in `timeout` seconds."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                return await self._post(url, headers, body, begun)
        except TimeoutError:
            raise NoOutsideResponse(f"no answer within {timeout:g} s", time.monotonic() - begun) from None
        except _Refused as error:
            raise NoOutsideResponse(str(error), time.monotonic() - begun, is_refused=True) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise NoOutsideResponse(_words(error), time.monotonic() - begun) from None
        except (httpx.InvalidURL, httpcore.UnsupportedProtocol, ValueError) as error:
            raise NoOutsideResponse(f"the address cannot be used: {error}", 0.0, is_refused=True) from None

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes, begun: float) -> OutsideResponse:
        parsed = httpx.URL(url)
        if parsed.scheme not in ("http", "https"):
            raise httpx.InvalidURL("expected https")
        target = httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)
        sent = {"Host": parsed.netloc.decode(), "Accept-Encoding": "identity", "Content-Length": str(len(body))} | dict(
            headers
        )
        pool = self._pool(parsed.scheme)
        async with pool.stream("POST", target, headers=list(sent.items()), content=body) as response:
            read = b""
            async for part in response.aiter_stream():
                read += part
                if len(read) >= MOST_READ:
                    break
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return OutsideResponse(response.status, found, read[:MOST_READ], time.monotonic() - begun)

    def _pool(self, scheme: str) -> httpcore.AsyncConnectionPool:
        if scheme not in self._pools:
            is_encrypted = scheme == "https"
            self._pools[scheme] = httpcore.AsyncConnectionPool(
                ssl_context=(self._context or httpx.create_ssl_context()) if is_encrypted else None,
                max_connections=None,
                max_keepalive_connections=100,
                keepalive_expiry=IDLE_CONNECTION,
                network_backend=_CheckedBackend(self._allowed, self._resolve, is_encrypted=is_encrypted),
            )
        return self._pools[scheme]

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._look_ups.shutdown(wait=False, cancel_futures=True)


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the first allowed address of a host that answers. TLS is begun by the caller, for the host's name."""

    def __init__(self, allowed: AllowedNetworks, resolve: Resolve, *, is_encrypted: bool) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._is_encrypted = is_encrypted
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self._addresses(host):
            try:
                return await self._backend.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def _addresses(self, host: str) -> Sequence[Address]:
        """Returns the addresses of a host that are allowed. Raises _Refused where it has others only."""
        literal = literal_address(host)
        found = [literal] if literal is not None else await self._resolve(host)
        reasons = [why_refused(each, self._allowed, is_encrypted=self._is_encrypted) for each in found]
        allowed = [each for each, reason in zip(found, reasons, strict=True) if reason is None]
        if found and not allowed:
            raise _Refused(f"the request was not made: {reasons[0]}")
        return allowed


async def _resolve(look_ups: ThreadPoolExecutor, host: str) -> Sequence[Address]:
    """Returns the addresses of a name in the order of the system, once each."""
    look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(look_ups, look_up)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be looked up ({_words(error)})") from None
    texts = dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found)
    return [ipaddress.ip_address(each) for each in texts]


def _words(error: BaseException) -> str:
    """Returns what went wrong in words, also for an error that has none."""
    return str(error.args[-1] if isinstance(error, OSError) and error.args else error) or type(error).__name__
