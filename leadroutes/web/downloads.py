"""Files that pages hand out."""

import codecs
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

MEDIA_TYPE = "text/csv; charset=utf-8"


def csv_download(name: str, content: bytes | AsyncIterator[bytes]) -> Response:
    """Return a CSV file in UTF-8 under this name.

    It begins with a byte order mark, without which Excel takes it for another character set; imports read over it.
    """
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    if isinstance(content, bytes):
        return Response(codecs.BOM_UTF8 + content, headers=headers, media_type=MEDIA_TYPE)
    return StreamingResponse(_marked(content), headers=headers, media_type=MEDIA_TYPE)


async def _marked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield codecs.BOM_UTF8
    async for piece in pieces:
        yield piece
