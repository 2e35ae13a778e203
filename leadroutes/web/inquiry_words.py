"""What a person wrote in an inquiry, as pages show it. Of HTML only the words, which are made in a sandbox."""

from leadroutes.domain.text import MESSAGE_LIMIT
from leadroutes.errors import Unavailable
from leadroutes.sandbox.html_text import WORDS
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.work import ComputationFailed

MOST_MARKUP = 524_288  # characters of HTML that are read


async def words_of_inquiry(text_body: str | None, html_body: str | None, owner_id: int, *, most: int) -> str:
    """Returns the words of an inquiry, `most` characters of them; where some are missing, three dots say so."""
    words = text_body or ""
    if not words and html_body:
        try:
            words = await run_sandboxed(WORDS, html_body[:MOST_MARKUP], owner=owner_id)
        except (ComputationFailed, Unavailable):
            words = "(This cannot be shown.)"
    is_cut = len(words) == MESSAGE_LIMIT  # when it came in; the history of the lead says so
    return words if len(words) <= most and not is_cut else words[:most] + " …"
