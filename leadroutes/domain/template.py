"""A message of a campaign before and after its template is filled in. Values only."""

from typing import Any, Final

from msgspec import Struct

MAX_TEMPLATE_CHARACTERS: Final = 200_000  # characters


class TemplateInput(Struct, frozen=True, kw_only=True):
    """A step of a campaign with all that its template may use; `name` is the subject where the template has none.

    An e-mail ends with the sender's signature, the link to unsubscribe and the owner's postal address, where its
    template has not placed them. Either form of the signature may be missing.
    """

    subject: str
    body: str
    name: str
    is_email: bool
    variables: dict[str, Any]
    owner_name: str = ""
    unsubscribe_link: str = ""
    postal_address: str = ""
    signature_text: str = ""
    signature_html: str = ""


class MessageContent(Struct, frozen=True, kw_only=True):
    """The content of a message; subject and HTML are None if its channel has none."""

    subject: str | None
    text_body: str
    html_body: str | None = None


class ComposeResult(Struct, frozen=True, kw_only=True):
    """The content of a letter, or why its template cannot be filled in."""

    words: MessageContent | None = None
    fault: str | None = None


class TriedTemplate(Struct, frozen=True):
    """A template that is filled in with an example, to see whether it can be."""

    subject: str
    body: str
    is_email: bool
