"""A message of a campaign before and after its template is filled in. Values only."""

from typing import Any, Final

from msgspec import Struct

LARGEST_TEMPLATE: Final = 200_000  # characters


class Letter(Struct, frozen=True, kw_only=True):
    """A step of a campaign with all that its template may use; `name` is the subject where the template has none.

    An e-mail ends with the link to unsubscribe and the owner's postal address, where its template has not placed them.
    """

    subject: str
    body: str
    name: str
    is_email: bool
    variables: dict[str, Any]
    owner_name: str = ""
    unsubscribe_link: str = ""
    postal_address: str = ""


class Words(Struct, frozen=True, kw_only=True):
    """What a message says; without a subject and HTML where its channel has none."""

    subject: str | None
    text_body: str
    html_body: str | None = None


class Composed(Struct, frozen=True, kw_only=True):
    """The words of a letter, or why its template cannot be filled in."""

    words: Words | None = None
    fault: str | None = None
