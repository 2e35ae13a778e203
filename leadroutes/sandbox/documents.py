"""Rules as a document in the sandbox; `leadroutes.sandbox.tasks.documents` implements it."""

from typing import Final

from msgspec import Struct

from leadroutes.domain.rule_document import DocumentFault, RuleDocument
from leadroutes.sandbox.work import SandboxFunction


class DocumentText(Struct, frozen=True):
    """The text of a document, as it was sent."""

    data: bytes


class DocumentReading(Struct, frozen=True):
    """The document, or why there is none."""

    document: RuleDocument | None = None
    fault: DocumentFault | None = None


READ_DOCUMENT: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.documents:read", DocumentText, DocumentReading, seconds=10
)
