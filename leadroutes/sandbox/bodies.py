"""Reading of bodies in the sandbox; `leadroutes.sandbox.tasks.bodies` implements it, for child processes."""

from typing import Any, Final

from msgspec import Struct

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.results import ControlMessage, Pending, Reading, Refusal, Result
from leadroutes.sandbox.work import SandboxFunction


class SandboxBody(Struct, frozen=True, kw_only=True):
    """A body with all that is needed to read it: the arguments of `leadroutes.intake.reading.read`."""

    body: bytes
    headers: dict[str, str]
    format: str | None
    secrets: dict[str, Any] | None
    graph: dict[str, Any] | None
    certificates: dict[str, bytes]
    limit: int | None
    mail_limit: int | None


class ResultPart(Struct, frozen=True, omit_defaults=True):
    """One result in the field of its type."""

    inquiry: Inquiry | None = None
    refusal: Refusal | None = None
    control: ControlMessage | None = None
    pending: Pending | None = None

    @staticmethod
    def of(result: Result) -> "ResultPart":
        match result:
            case Inquiry():
                return ResultPart(inquiry=result)
            case Refusal():
                return ResultPart(refusal=result)
            case ControlMessage():
                return ResultPart(control=result)
            case Pending():
                return ResultPart(pending=result)

    @property
    def result(self) -> Result:
        found = self.inquiry or self.refusal or self.control or self.pending
        assert found is not None
        return found


class SandboxReading(Struct, frozen=True, kw_only=True):
    """The reading of a body, and the addresses of certificates that were missing."""

    format: str | None
    parts: tuple[ResultPart, ...]
    marks: dict[str, str]
    wanted: list[str]

    @staticmethod
    def of(reading: Reading, wanted: list[str]) -> "SandboxReading":
        parts = tuple(ResultPart.of(result) for result in reading.results)
        return SandboxReading(format=reading.format, parts=parts, marks=dict(reading.marks), wanted=wanted)

    @property
    def reading(self) -> Reading:
        return Reading(self.format, tuple(part.result for part in self.parts), self.marks)


READ_BODY: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.bodies:read_body", SandboxBody, SandboxReading, seconds=5.0
)
