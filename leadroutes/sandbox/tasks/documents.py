"""Reads rules as a document. Loaded in sandbox processes only."""

from leadroutes.domain.document_text import UnreadableDocument, read_document
from leadroutes.sandbox.documents import DocumentReading, DocumentText


def read(asked: DocumentText) -> DocumentReading:
    """Returns the document, or where its text is wrong."""
    try:
        return DocumentReading(document=read_document(asked.data))
    except UnreadableDocument as error:
        return DocumentReading(fault=error.fault)
