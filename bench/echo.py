"""The bare limit of HTTP: it reads a body and answers one, under the same server and loop as the service.

A program (`python -m bench.echo BYTES`); its first line of output is the port.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
import uvloop

Message = MutableMapping[str, Any]


async def serve(size: int) -> None:
    """Answers every request with a body of so many bytes until the process is ended."""
    body = b"x" * size
    headers = [(b"content-type", b"application/json"), (b"content-length", str(size).encode())]

    async def application(
        _: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        application, loop="none", http="httptools", ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False,
    )  # fmt: skip
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(int(sys.argv[1])))
