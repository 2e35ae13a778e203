"""A connection of the HTTP server, with the limits that uvicorn leaves to a proxy: seconds, and bytes of a head.

It counts; what a request says and what is answered is decided elsewhere. A head beyond its limits reaches no reader.
"""

import re
import socket
import struct
from asyncio import TimerHandle, Transport
from collections import deque
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
MAX_BYTES_AT_ONCE = 4_096  # bytes that are read before we look whether requests wait
MAX_DISCARDED_BYTES = 1_048_576  # bytes that a refused client may still send
MAX_UNREAD_BYTES = 67_108_864  # bytes of a body that may still come once the request is answered
MIN_BYTES_TAKEN = 16_384  # bytes of a long answer, each time that we look
_AROUND_TARGET = 64  # more bytes than a method, two blanks, a version and a line end have
_TARGET_TOO_LONG = f"The path with its query is longer than {MAX_TARGET_BYTES} bytes"
_LINE_TOO_LONG = f"A header line is longer than {MAX_REQUEST_LINE_BYTES} bytes"
_HEAD_TOO_LARGE = f"The head of the request is larger than {MAX_HEAD_BYTES} bytes"
_UPGRADE = b"upgrade:"
_HAS_UPGRADE = re.compile(rb"\n" + _UPGRADE, re.IGNORECASE)
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
        self._begun = b""  # of a line that may be one of _UPGRADE
        self._is_left_out = False  # this line is
        self._head = 0  # bytes of the target and the header lines that were read
        self._problem: Problem | None = None  # what the parser was stopped for
        self._is_ending = False  # no more is read; what comes is discarded
        self._unread = b""  # behind a request that waits for the answer to the one before it
        self._cycles: deque[RequestResponseCycle] = deque()  # not answered yet, in order; uvicorn's is the last one
        self._discarded = 0
        self._max_discarded = MAX_DISCARDED_BYTES
        self._arriving: TimerHandle | None = None
        self._taking: TimerHandle | None = None

    # -- what comes

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_arrival()

    def data_received(self, data: bytes) -> None:
        """Read as long as no request waits: a packet holds thousands of them, and each takes memory until its turn.

        What is left is read when the answers have caught up; until then the transport receives nothing.
        """
        received = self._unread + data if self._unread else data
        start = 0
        while start < len(received) and not self._is_over and not self.pipeline:
            self._read(received[start : start + MAX_BYTES_AT_ONCE])
            start += MAX_BYTES_AT_ONCE
        self._unread = received[start:]
        if self._is_ending:
            self._discard_unread()
        elif self._unread:
            self.flow.pause_reading()

    def _read(self, data: bytes) -> None:
        if self._is_in_head and not self._is_small_head(data):
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

    def _is_small_head(self, data: bytes) -> bool:
        """A head that comes whole in one small packet is within all limits."""
        is_whole = self._frame == 0 and not self._begun and b"\r\n\r\n" in data
        return is_whole and len(data) <= MAX_REQUEST_LINE_BYTES and _HAS_UPGRADE.search(data) is None

    def _read_lines(self, data: bytes) -> bytes:
        """Give the parser the head line by line, each measured as it was sent.

        Returns the bytes behind the head. A head behind the body of another request in the same packet is measured as
        far as it is read. A line that asks for another protocol is left out, which is how it is declined: the parser
        would take what follows for that protocol, and lose the body of this request.
        """
        data, self._begun = self._begun + data, b""
        start = 0
        while start < len(data) and self._is_in_head and not self._is_over:
            end = data.find(b"\n", start) + 1 or len(data)
            line = data[start:end]
            if self._line == 0 and not self._is_first_line:
                if len(line) < len(_UPGRADE) and _UPGRADE.startswith(line.lower()):
                    self._begun = line
                    return b""
                self._is_left_out = line.lower().startswith(_UPGRADE)
            self._line += end - start
            self._frame += end - start
            if problem := self._problem_of_head():
                self._refuse(problem)
                break
            if not self._is_left_out:
                super().data_received(line)
            if line.endswith(b"\n"):
                self._is_first_line = self._is_in_head and self._is_first_line and self._line <= len(b"\r\n")
                self._line, self._is_left_out = 0, False
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
        return self._is_ending or self.transport.is_closing()

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
        if self.parser.should_upgrade():  # where no line could be left out; the body is about to be lost
            self._stop(Invalid("No other protocol is spoken here; send the request without Upgrade"))
        super().on_headers_complete()  # raises where it cannot read the target
        self._is_in_head = False
        self._has_arrived()
        self._unset_keepalive_if_required()
        self._cycles.append(self.cycle)
        _send_whole(self.cycle, self._end_after_answer)

    def on_body(self, body: bytes) -> None:
        self._frame -= len(body)
        super().on_body(body)
        if not self._is_answering:
            self._discarded += len(body)
            if self._discarded > MAX_UNREAD_BYTES:
                self._cut()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head, self._is_first_line, self._frame, self._line, self._head = True, True, 0, 0, 0
        self._discarded = 0
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
        """Tell the client and close; never beside an answer that has begun, or behind one for the same request."""
        if self._is_answering or not self._is_in_head:
            self.transport.close()
            return
        self.transport.write(_refusal(problem))
        self._end(MAX_DISCARDED_BYTES)

    def _end(self, max_discarded: int) -> None:
        """Say that no more follows, and take what the client still sends for a while.

        A connection that is closed with unread bytes is reset, and the reset can overtake the answer.
        """
        self._is_ending, self._max_discarded = True, max_discarded
        self.pipeline.clear()
        self._unset_keepalive_if_required()
        self._has_arrived()
        self.transport.write_eof()
        self.flow.resume_reading()
        self._discard_unread()
        self._await_arrival()

    def _end_after_answer(self) -> None:
        """A client that sends a body which was answered without it reads the answer only once it has sent all."""
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self.transport.close()
        else:
            self._end(MAX_UNREAD_BYTES)

    def _discard_unread(self) -> None:
        self._discarded += len(self._unread)
        self._unread = b""
        if self._discarded > self._max_discarded:
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
        self._cycles.popleft()
        if self._is_ending:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_taking()
        elif self._unread:
            self.data_received(b"")
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
        """While a long answer is being taken, its pace is measured, and the idle timer does not run.

        The end of it, which is too short for a pace, may still be taken.
        """
        if self.flow.write_paused:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif self.transport.get_write_buffer_size():
            self.transport.close()
            self._await_taking()
        else:
            self._cut()

    def _cut(self) -> None:
        """Without lingering: the kernel would keep what the client does not take."""
        connected = self.transport.get_extra_info("socket")
        if self.flow.write_paused and connected is not None and connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever makes an answer hears of it; uvicorn tells the request that came last, which may not have begun."""
        for cycle in self._cycles:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._has_arrived()
        self._has_taken()


def _send_whole(cycle: RequestResponseCycle, end: Callable[[], None]) -> None:
    """`end` closes the connection behind the answer.

    The head of this answer waits for the first of its body: one packet, where uvicorn sends two.
    """
    joining = _JoiningTransport(cycle, cycle.transport, cycle.on_response, end)
    cycle.transport = joining  # type: ignore[assignment]  # of a transport it uses these three methods
    cycle.on_response = joining.end


class _JoiningTransport:
    """What a cycle writes to in place of its transport; nothing once that is closing, where uvloop raises."""

    __slots__ = ("_close", "_cycle", "_ended", "_head", "_transport")

    def __init__(
        self, cycle: RequestResponseCycle, transport: Transport, ended: Callable[[], None], close: Callable[[], None]
    ) -> None:
        self._cycle = cycle
        self._transport = transport
        self._ended = ended
        self._close = close
        self._head: bytes | None = None  # b"" once it is gone

    def write(self, data: bytes) -> None:
        if self._head is None and self._cycle.response_started:
            self._head = data
            return
        if not self._transport.is_closing():
            self._transport.write((self._head or b"") + data)
        self._head = self._head and b""

    def end(self) -> None:
        """The whole answer has been written; it may have had no body. No ring of references stays."""
        self._send_head()
        self._cycle.transport = self._transport
        self._ended()

    def close(self) -> None:
        self._send_head()
        self._close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _send_head(self) -> None:
        if self._head and not self._transport.is_closing():
            self._transport.write(self._head)
            self._head = b""


def _refusal(problem: Problem) -> bytes:
    answer = problem_response(problem)
    return (
        STATUS_LINE[answer.status]
        + b"content-type: %s\r\naccess-control-allow-origin: *\r\nconnection: close\r\n" % answer.content_type
        + b"content-length: %d\r\n\r\n%s" % (len(answer.body), answer.body)
    )
