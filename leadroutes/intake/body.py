"""One body with its headers and what intake knows about it; parsed once, when first used.

Knows how bodies are packed (JSON, forms), not what they mean.
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from leadroutes.intake.decoding import decode, parse_json
from leadroutes.intake.forms import Pair, content_type_of, multipart_pairs, urlencoded_pairs
from leadroutes.intake.results import Refused

FindCertificate = Callable[[str], bytes | None]
"""The PEM certificate at an address that has passed the rules for such addresses; None if it cannot be had."""


@dataclass(frozen=True)
class Body:
    """A body with its headers. `secret` holds the vendor's secrets; None if the sender is already authenticated."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    default_source: str | None = None
    secret: Mapping[str, Any] | None = None
    graph: Mapping[str, Any] | None = None
    certificates: FindCertificate | None = None

    def with_secret(self, default_source: str, secret: Mapping[str, Any] | None) -> "Body":
        """Returns the same body for a format; it is not parsed again."""
        same = copy(self)
        same.__dict__.update(default_source=default_source, secret=secret)
        return same

    def header(self, name: str) -> str | None:
        """Returns a header's value by its name in any case."""
        return self._folded.get(name.lower())

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    @cached_property
    def media_type(self) -> str:
        """Returns the media type in lower case without parameters; empty if none was sent."""
        return content_type_of(self.header("Content-Type"))[0]

    @cached_property
    def charset(self) -> str | None:
        """Returns the declared charset."""
        return content_type_of(self.header("Content-Type"))[1].get("charset")

    @cached_property
    def text(self) -> str:
        """Returns the body as text."""
        return decode(self.body, self.charset)

    @cached_property
    def json(self) -> Any:
        """Returns the body as JSON, numbers as text. Raises Refused."""
        return parse_json(self.text)

    @cached_property
    def json_if_any(self) -> Any:
        """Returns the body as JSON, None if it is not JSON."""
        if self.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["} and self.body[:1] not in {b"\xff", b"\xfe"}:
            return None
        try:
            return self.json
        except Refused:
            return None

    @cached_property
    def form(self) -> list[Pair]:
        """Returns the fields of a urlencoded or multipart body in their order. Raises Refused."""
        if self.media_type == "multipart/form-data":
            return multipart_pairs(self.body, self.header("Content-Type") or "")
        return urlencoded_pairs(self.body, self.charset)

    @property
    def is_form(self) -> bool:
        """Whether it was declared as a form."""
        return self.media_type in {"application/x-www-form-urlencoded", "multipart/form-data"}
