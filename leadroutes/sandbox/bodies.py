"""Bodies that the sandbox reads. How is in `leadroutes.sandbox.tasks.bodies`, which only its processes load."""

from typing import Any, Final

from msgspec import Struct

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.results import ControlMessage, Pending, Reading, Refusal, Result
from leadroutes.sandbox.work import Work


class Body(Struct, frozen=True, kw_only=True):
    """A body with all that reading it takes; as `leadroutes.intake.reading.read` is told."""

    body: bytes
    headers: dict[str, str]
    format: str | None
    secrets: dict[str, Any] | None
    graph: dict[str, Any] | None
    certificates: dict[str, bytes]
    limit: int | None
    mail_limit: int | None


class Part(Struct, frozen=True, omit_defaults=True):
    """One result, as what it is."""

    inquiry: Inquiry | None = None
    refusal: Refusal | None = None
    control: ControlMessage | None = None
    pending: Pending | None = None

    @staticmethod
    def of(result: Result) -> "Part":
        match result:
            case Inquiry():
                return Part(inquiry=result)
            case Refusal():
                return Part(refusal=result)
            case ControlMessage():
                return Part(control=result)
            case Pending():
                return Part(pending=result)

    @property
    def result(self) -> Result:
        found = self.inquiry or self.refusal or self.control or self.pending
        assert found is not None
        return found


class Read(Struct, frozen=True, kw_only=True):
    """What is in a body, and the certificates that would have been needed."""

    format: str | None
    parts: tuple[Part, ...]
    marks: dict[str, str]
    wanted: list[str]

    @staticmethod
    def of(reading: Reading, wanted: list[str]) -> "Read":
        parts = tuple(Part.of(result) for result in reading.results)
        return Read(format=reading.format, parts=parts, marks=dict(reading.marks), wanted=wanted)

    @property
    def reading(self) -> Reading:
        return Reading(self.format, tuple(part.result for part in self.parts), self.marks)


READ: Final = Work("leadroutes.sandbox.tasks.bodies:read_body", Body, Read, seconds=5.0)
