"""A connection of the HTTP server, with the limits that uvicorn leaves to a proxy: seconds, and bytes of a head.

It counts; what a request says and what is answered is decided elsewhere. A head beyond its limits reaches no reader.
"""

import socket
import struct
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from leadroutes.api.problems import problem_response
from leadroutes.errors import HeadTooLarge, Invalid, Problem, TargetTooLong

MAX_TARGET_BYTES = 16_384  # bytes of a path with its query
MAX_REQUEST_LINE_BYTES = 8_192  # bytes of one header line, from its name to the end of the line
MAX_HEAD_BYTES = 32_768  # bytes of the request line and all header lines
MAX_FRAME_BYTES = 131_072  # bytes of a request that are not its body: the head, and the lengths and trailers of chunks
MAX_DISCARDED_BYTES = 1_048_576  # bytes that a refused client may still send
MIN_BYTES_TAKEN = 16_384  # bytes of a long answer, each time that we look
_AROUND_TARGET = 64  # more bytes than a method, two blanks, a version and a line end have
_TARGET_TOO_LONG = f"The path with its query is longer than {MAX_TARGET_BYTES} bytes"
_LINE_TOO_LONG = f"A header line is longer than {MAX_REQUEST_LINE_BYTES} bytes"
_HEAD_TOO_LARGE = f"The head of the request is larger than {MAX_HEAD_BYTES} bytes"
_AT_ONCE = struct.pack("ii", 1, 0)  # of SO_LINGER: on, for no seconds


def http_protocol_with_timeout(seconds: float) -> Callable[..., HttpToolsProtocol]:
    """Returns a protocol that waits `seconds` for a head, for the rest of an unread body, for a client to receive.

    The reader of a body sets how long the body may take; uvicorn's keep-alive sets how long nothing may come.
    """
    return partial(_HttpProtocol, patience=seconds)


class _HttpProtocol(HttpToolsProtocol):
    def __init__(self, *, patience: float, **given: Any) -> None:
        super().__init__(**given)
        self._patience = patience
        self._is_in_head = True  # also between requests
        self._frame = 0
        self._line = 0  # bytes of the line of a head that has begun and not ended
        self._is_first_line = True
        self._head = 0  # bytes of the target and the header lines that were read
        self._problem: Problem | None = None  # what the parser was stopped for
        self._is_refused = False
        self._discarded = 0
        self._arriving: TimerHandle | None = None
        self._taking: TimerHandle | None = None

    # -- what comes

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_arrival()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._discard(data)
            return
        if self._is_in_head and not (self._frame == 0 and len(data) <= MAX_REQUEST_LINE_BYTES and b"\r\n\r\n" in data):
            data = self._read_lines(data)
        if data and not self._is_over:
            self._frame += len(data)
            super().data_received(data)
        if self._is_over:
            return
        if self._frame > MAX_FRAME_BYTES:
            self._refuse(Invalid("The chunks of the body are too small for its size"))
        elif self._is_in_head and self.timeout_keep_alive_task is None and not self._is_answering:
            self._await_arrival()

    def _read_lines(self, data: bytes) -> bytes:
        """Give the parser the head line by line, each measured as it was sent.

        Returns the bytes behind the head. A head that comes whole in one small packet is within all limits and does
        not need this; a head behind the body of another request in the same packet is measured as far as it is read.
        """
        start = 0
        while start < len(data) and self._is_in_head and not self._is_over:
            end = data.find(b"\n", start) + 1 or len(data)
            self._line += end - start
            self._frame += end - start
            if problem := self._problem_of_head():
                self._refuse(problem)
                break
            line = data[start:end]
            super().data_received(line)
            if line.endswith(b"\n"):
                self._is_first_line = self._is_in_head and self._is_first_line and self._line <= len(b"\r\n")
                self._line = 0
            start = end
        return data[start:]

    def _problem_of_head(self) -> Problem | None:
        if self._is_first_line and self._line > MAX_TARGET_BYTES + _AROUND_TARGET:  # on_url is exact
            return TargetTooLong(_TARGET_TOO_LONG)
        if self._line > MAX_REQUEST_LINE_BYTES and not self._is_first_line:
            return HeadTooLarge(_LINE_TOO_LONG)
        if self._frame > MAX_HEAD_BYTES:
            return HeadTooLarge(_HEAD_TOO_LARGE)
        return None

    @property
    def _is_over(self) -> bool:
        return self._is_refused or self.transport.is_closing()

    # What the parser has read. An exception stops it, and uvicorn then asks for send_400_response.

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head = len(self.url)
        if self._head > MAX_TARGET_BYTES:
            self._stop(TargetTooLong(_TARGET_TOO_LONG))

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_head:
            return  # a trailer of chunks; among the headers it would pass for one that a proxy has let through
        size = len(name) + len(value) + len(b":\r\n")
        self._head += size
        if size > MAX_REQUEST_LINE_BYTES:
            self._stop(HeadTooLarge(_LINE_TOO_LONG))
        if self._head > MAX_HEAD_BYTES:
            self._stop(HeadTooLarge(_HEAD_TOO_LARGE))
        super().on_header(name, value)

    def _stop(self, problem: Problem) -> NoReturn:
        self._problem = problem
        raise problem

    def on_headers_complete(self) -> None:
        super().on_headers_complete()  # raises where it cannot read the target
        self._is_in_head = False
        self._has_arrived()
        self._unset_keepalive_if_required()
        _send_whole(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._frame -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head, self._is_first_line, self._frame, self._line, self._head = True, True, 0, 0, 0
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
        """What is not HTTP has no path, so the API's form of errors is as good as any."""
        self._refuse(self._problem or Invalid(msg))

    def _refuse(self, problem: Problem) -> None:
        """Tell the client and close; never beside an answer that has begun, or behind one for the same request.

        What the client still sends is taken for a while: a connection that is closed with unread bytes is reset, and
        the reset can overtake the answer.
        """
        if self._is_answering or not self._is_in_head:
            self.transport.close()
            return
        self._is_refused = True
        self._unset_keepalive_if_required()
        self._has_arrived()
        self.transport.write(_refusal(problem))
        self.transport.write_eof()
        self._arriving = self.loop.call_later(self._patience, self._cut)

    def _discard(self, data: bytes) -> None:
        self._discarded += len(data)
        if self._discarded > MAX_DISCARDED_BYTES:
            self._cut()

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
        if left > before - MIN_BYTES_TAKEN:
            self._cut()
        else:
            self._look_again(left)

    def _has_taken(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def timeout_keep_alive_handler(self) -> None:
        """While a long answer is being taken, its pace is measured, and the idle timer does not run."""
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
    joining = _JoiningTransport(cycle, cycle.transport, cycle.on_response)
    cycle.transport = joining  # type: ignore[assignment]  # of a transport it uses these three methods
    cycle.on_response = joining.end


class _JoiningTransport:
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


def _refusal(problem: Problem) -> bytes:
    answer = problem_response(problem)
    return (
        STATUS_LINE[answer.status]
        + b"content-type: %s\r\naccess-control-allow-origin: *\r\nconnection: close\r\n" % answer.content_type
        + b"content-length: %d\r\n\r\n%s" % (len(answer.body), answer.body)
    )
