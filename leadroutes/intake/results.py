"""The possible results of reading a body: inquiries, refusals, control messages, reads to be tried again.

Values only; each format's own file reads bodies.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from msgspec import Struct, field

from leadroutes.domain.inquiry import Inquiry

Why = Literal[
    "too_large",
    "bad_secret",
    "bad_signature",
    "unknown_topic",
    "bad_url",
    "malformed",
    "too_deep",
    "dtd_forbidden",
    "unknown_format",
    "not_a_lead",
    "no_contact",
]

_STATUSES: Final[dict[Why, int]] = {
    "too_large": 413,
    "bad_secret": 401,
    "bad_signature": 401,
    "unknown_topic": 403,
    "bad_url": 400,
    "malformed": 400,
    "too_deep": 400,
    "dtd_forbidden": 400,
    "unknown_format": 422,
    "not_a_lead": 200,
    "no_contact": 200,
}

REASONS: Final = get_args(Why)


class Refusal(Struct, frozen=True):
    """No lead was made: `why` is a code, `detail` a sentence for people."""

    why: Why
    detail: str

    @property
    def status(self) -> int:
        """Returns the usual HTTP status of the answer."""
        return _STATUSES[self.why]


class ControlMessage(Struct, frozen=True):
    """A vendor's message that is not about a lead: `get` is an address to be fetched once, `reply` what to answer."""

    action: str
    get: str | None = None
    reply: Mapping[str, Any] | None = None


class Pending(Struct, frozen=True):
    """A lead of which only the id has arrived; it is read again once the vendor has answered.

    `why` is `not_fetched` if the vendor has not been asked yet, `graph_error` if the vendor answered with an error, and
    `no_certificate` if the certificate of a signature could not be fetched.
    """

    vendor_id: str
    why: Literal["not_fetched", "graph_error", "no_certificate"]


Result = Inquiry | Refusal | ControlMessage | Pending


class Reading(Struct, frozen=True):
    """All that one body holds, in order of arrival. `marks` are words the vendor wants back in the answer."""

    format: str | None
    results: tuple[Result, ...]
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def inquiries(self) -> tuple[Inquiry, ...]:
        """Returns the leads among the results."""
        return tuple(result for result in self.results if isinstance(result, Inquiry))

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Returns the results that have to be read again."""
        return tuple(result for result in self.results if isinstance(result, Pending))

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Returns the refusals among the results."""
        return tuple(result for result in self.results if isinstance(result, Refusal))


class Refused(Exception):  # noqa: N818 - an outcome, not a defect
    """The reading ends here; used inside the readers only, `read` turns it into a Refusal."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(why, detail)


def expected_json(reading: Reading) -> dict[str, Any]:
    """Returns the reading as one object: a lead, a refusal, an action, or `{"leads": […], "pending": […]}`."""
    pending = [result for result in reading.results if isinstance(result, Pending)]
    others = [_as_json(result) for result in reading.results if not isinstance(result, Pending)]
    if len(others) == 1 and not pending:
        return others[0]
    answer: dict[str, Any] = {"leads": others}
    if pending:
        answer["pending"] = [{"vendor_id": each.vendor_id, "why": each.why} for each in pending]
    return answer


def _as_json(result: Inquiry | Refusal | ControlMessage) -> dict[str, Any]:
    match result:
        case Inquiry():
            return result.as_json()
        case Refusal(why=why):
            return {"rejected": True, "why": why}
        case ControlMessage(action=action, get=get, reply=reply):
            details = {"get": get, "reply": reply and dict(reply)}
            return {"action": action} | {name: value for name, value in details.items() if value is not None}
