"""Recognises automatic mails: automatic replies, out-of-office notes, reports about a delivery. None is a lead.

Other mails of programs may be leads: portals and websites send their leads as `auto-generated` or in bulk.
"""

import re
from typing import Final

from leadroutes.intake.mime import MimePart, decoded_header

REPORT: Final = "multipart/report"
"""RFC 6522: a report about another mail, such as that it could not be delivered or that it was read."""

_KEYWORD = re.compile(r"\s*(?:\([^()]*\)\s*)?([a-z-]+)", re.IGNORECASE)
_VENDORS_OWN: Final = ("x-autoreply", "x-autorespond")
_SUBJECT = re.compile(
    r"\s*(?:re\s*:\s*)?(?:"
    r"auto(?:matic|mated)?[ -]?(?:reply|response|responder)|"
    r"(?:i am |i'm )?out of (?:the |my )?office(?=\s*(?:$|[:;,.!(\[\u2013\u2014-]|until|from|auto|reply|message|re\b))|"
    r"(?:vacation|away) (?:reply|response|message|notice)|"
    r"automatische (?:antwort|r\u00fcckantwort)|abwesenheits(?:notiz|nachricht|meldung)|"
    r"r\u00e9ponse automatique|absence du bureau|"
    r"respuesta autom\u00e1tica|fuera de (?:la )?oficina|"
    r"resposta autom\u00e1tica|risposta automatica|fuori sede|"
    r"automatisch antwoord|automatiskt svar|autosvar"
    r")",
    re.IGNORECASE,
)


def why_automatic(mail: MimePart) -> str | None:
    """Why the headers say that the mail is an automatic answer, as the end of a sentence; None if they do not.

    RFC 3834: only `auto-replied` marks an answer; a comment or parameters may follow it.
    """
    if mail.media_type == REPORT:
        return f"its type is {REPORT}"
    submitted = _KEYWORD.match(mail.headers.get("auto-submitted", ""))
    if submitted and submitted[1].lower() == "auto-replied":
        return "its header Auto-Submitted is auto-replied"
    if mail.headers.get("precedence", "").strip().lower() in {"auto_reply", "auto-reply"}:
        return "its header Precedence is auto_reply"
    name = next((name for name in _VENDORS_OWN if mail.headers.get(name, "no").strip().lower() not in {"", "no"}), None)
    return f"it has the header {name}" if name else None


def has_automatic_subject(subject: str | None) -> bool:
    """Whether the subject begins as mail programs begin those of automatic replies."""
    return subject is not None and _SUBJECT.match(decoded_header(subject)) is not None
