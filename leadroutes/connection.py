"""A connection of the HTTP server, with limits that uvicorn leaves to a proxy: nobody holds one open a byte a minute.

It counts seconds and bytes; what a request says and what is answered is none of its business.
"""

import socket
import struct
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LARGEST_FRAME = 131_072  # bytes of a request that are not its body: the line, the headers, the lengths of chunks
LEAST_TAKEN = 16_384  # bytes of a long answer, each time that we look
_AT_ONCE = struct.pack("ii", 1, 0)  # of SO_LINGER: on, for no seconds


def patient_for(seconds: float) -> Callable[..., HttpToolsProtocol]:
    """Makes connections that wait so long for a head, for the rest of a body that nobody reads, for an answer's taking.

    How long a body may take that is read, its reader says; how long nothing at all may come, uvicorn's keep-alive.
    """
    return partial(_Connection, patience=seconds)


class _Connection(HttpToolsProtocol):
    def __init__(self, *, patience: float, **given: Any) -> None:
        super().__init__(**given)
        self._patience = patience
        self._is_in_head = True  # also between requests
        self._frame = 0
        self._arriving: TimerHandle | None = None
        self._taking: TimerHandle | None = None

    # -- what comes

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_arrival()

    def data_received(self, data: bytes) -> None:
        self._frame += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._frame > LARGEST_FRAME:
            self.send_400_response("The head of the request is too large")
        elif self._is_in_head and self.timeout_keep_alive_task is None and not self._is_answering:
            self._await_arrival()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._has_arrived()
        self._unset_keepalive_if_required()
        super().on_headers_complete()
        _send_whole(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._frame -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head, self._frame = True, 0
        if not self._is_answering:  # the rest of a body that was answered without it
            self._has_arrived()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_arrival(self) -> None:
        """Until the whole head is there; what comes in between gives no more time."""
        if self._arriving is None:
            self._arriving = self.loop.call_later(self._patience, self._cut)

    def _has_arrived(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP has no path, so the API's form of errors is as good as any; never beside an answer begun."""
        if not self._is_answering:
            self.transport.write(_refusal(msg))
        self.transport.close()

    # -- what goes

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._has_taken()
        if self.transport.is_closing():  # it ends with what is left, and may be left lying about as well
            self._await_taking()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_taking()
        elif not self._is_in_head and not self._is_answering:
            self._await_arrival()

    def _await_taking(self) -> None:
        if self._taking is None:
            self._look_again(self.transport.get_write_buffer_size())

    def _look_again(self, left: int) -> None:
        self._taking = self.loop.call_later(self._patience, self._judge_taking, left)

    def _judge_taking(self, before: int) -> None:
        """A long answer may take long, as long as it goes."""
        left = self.transport.get_write_buffer_size()
        if left > before - LEAST_TAKEN:
            self._cut()
        else:
            self._look_again(left)

    def _has_taken(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def timeout_keep_alive_handler(self) -> None:
        """While a long answer is being taken, its pace is judged, and nothing stands idle."""
        if self.flow.write_paused:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        else:
            self._cut()

    def _cut(self) -> None:
        """Without lingering: the kernel would keep what the client does not take."""
        connected = self.transport.get_extra_info("socket")
        if self.flow.write_paused and connected is not None and connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._has_arrived()
        self._has_taken()


def _send_whole(cycle: RequestResponseCycle) -> None:
    """The head of this answer waits for the first of its body: one packet, where uvicorn sends two."""
    joining = _Joining(cycle, cycle.transport, cycle.on_response)
    cycle.transport = joining  # type: ignore[assignment]  # of a transport it uses these three methods
    cycle.on_response = joining.end


class _Joining:
    """What a cycle writes to in place of its transport."""

    __slots__ = ("_cycle", "_ended", "_head", "_transport")

    def __init__(self, cycle: RequestResponseCycle, transport: Transport, ended: Callable[[], None]) -> None:
        self._cycle = cycle
        self._transport = transport
        self._ended = ended
        self._head: bytes | None = None  # b"" once it is gone

    def write(self, data: bytes) -> None:
        if self._head is None and self._cycle.response_started:
            self._head = data
            return
        self._transport.write((self._head or b"") + data)
        self._head = self._head and b""

    def end(self) -> None:
        """The whole answer has been written; it may have had no body. No ring of references stays."""
        self._send_head()
        self._cycle.transport = self._transport
        self._ended()

    def close(self) -> None:
        self._send_head()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _send_head(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""


def _refusal(message: str) -> bytes:
    told = {"name": "BadRequest", "message": message, "code": 400, "className": "bad-request", "errors": {}}
    body = msgspec.json.encode(told)
    return (
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    )
