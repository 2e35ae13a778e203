"""What the rows of conditions do on any page: one more, one less, and what the API says of them shown beside them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from leadroutes.errors import Invalid
from leadroutes.web.page import Act, Load, Revealed, Visit
from leadroutes.web.pages.condition_rows import by_row, pressed, typed_rows
from leadroutes.web.sent import Sent


def set_rows(load: Load, form: Callable[[Sent], str]) -> Act:
    """One of the buttons beside the conditions: one row more or less, and nothing that was typed is lost.

    `form`: the name of the form that the rows are in.
    """

    async def act(visit: Visit, sent: Sent) -> Revealed:
        sent = pressed(sent, visit.query.get("press", ""), form(sent))
        return Revealed({**await load(replace(visit, sent=sent)), "sent": sent})

    return act


@contextmanager
def faults_by_row(sent: Sent) -> Iterator[None]:
    """What the API says of conditions is shown at the rows."""
    try:
        yield
    except Invalid as refused:
        if not refused.errors:
            raise
        raise Invalid.fields(by_row(refused.errors, typed_rows(sent))) from None
