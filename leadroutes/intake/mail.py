"""Mails with a lead in them: ADF anywhere, else lead metadata tags in HTML, else labels in the text.

The innermost of forwarded mails counts. The mailbox is the secret, so nothing is checked here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from leadroutes.domain.identity import RELAY_DOMAIN, is_relay, normal_email
from leadroutes.domain.normalize import lead_type_named_by
from leadroutes.domain.places import Place
from leadroutes.domain.text import field_text, message_text, one_line
from leadroutes.intake.adf import declared_encoding, is_adf, read_adf
from leadroutes.intake.automatic import has_automatic_subject, why_automatic
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import decode
from leadroutes.intake.draft import Draft
from leadroutes.intake.forwarded import inner_headers, inner_page, inner_text
from leadroutes.intake.html import PAGE_LIMIT, meta_tags, page_text
from leadroutes.intake.labels import labelled_draft
from leadroutes.intake.mail_date import mail_date
from leadroutes.intake.mime import MimePart, open_mail, readable_texts
from leadroutes.intake.results import Refused, Result

PORTALS: Final = {
    "zillow.com": "Zillow",
    "realtor.com": "Realtor.com",
    "realtorpro.io": "Realtor.com",
    "homes.com": "Homes.com",
    "trulia.com": "Trulia",
}
"""Domains (and all below them) that portals send from."""

_FIRST_HEADERS = re.compile(
    rb"\s{0,10}(?:From [^\n]{1,200}\n)?(?:[!-9;-~]{1,60}:[^\n]*\n(?:[ \t][^\n]*\n)*){0,60}?"
    rb"(?:from|date|received|return-path|subject|mime-version|message-id|delivered-to|reply-to):",
    re.IGNORECASE,
)
_NO_REPLY = re.compile(r"no[-_.]?reply|do[-_.]?not[-_.]?reply", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MailContent:
    """The innermost mail: who sent it when, its texts, its HTML pages, and what may be ADF.

    `subjects` are its own and those of the mails around it.
    """

    sender: str | None
    reply_to: str | None
    subjects: Sequence[str | None]
    sent_at: Sequence[datetime | None]
    texts: Sequence[str]
    pages: Sequence[str]
    page_texts: Sequence[str]
    sheets: Sequence[str]


def recognises(incoming: Body) -> bool:
    """Whether a body is a declared mail, or a text that begins with a mail's headers."""
    if incoming.media_type in {"message/rfc822", "message/global"}:
        return True
    return incoming.media_type in {"", "text/plain", "application/octet-stream"} and bool(
        _FIRST_HEADERS.match(incoming.body[:65_536]),
    )


def read(incoming: Body) -> Iterable[Result]:
    """Returns one lead, or one for each prospect of ADF, read as they are asked for.

    `not_a_lead`: nothing names a person, or it is an automatic reply.
    """
    mail_content = read_mail_content(incoming.body)
    if mail_content.sheets:
        return (
            result
            for sheet in mail_content.sheets
            for result in read_adf(sheet, incoming.default_source, mail_content.sent_at)
        )
    draft = _tagged_draft(mail_content.pages)
    if draft is None and any(map(has_automatic_subject, mail_content.subjects)):
        raise Refused("not_a_lead", "The subject says that the mail is an automatic reply.")
    draft = draft or _labelled(mail_content)
    if draft is None:
        raise Refused("not_a_lead", "The mail has neither lead metadata nor a label of a name, mail or phone.")
    whole = replace(
        draft,
        email=draft.email if normal_email(draft.email) else _address_in_headers(mail_content),
        default_source=portal_of(mail_content.sender) or incoming.default_source,
        times=mail_content.sent_at,
    )
    return [whole.normalize()]


# ------------------------------------------------------------------------------------------ the innermost mail


def read_mail_content(raw: bytes) -> MailContent:
    """Returns the innermost of attached and inline forwarded mails. Raises Refused."""
    mail = open_mail(raw)
    chain = [mail]
    while inner := chain[0].attached_mail():
        chain.insert(0, inner)
    if why := next((why for part in chain if (why := why_automatic(part))), None):
        raise Refused("not_a_lead", f"The mail is an automatic reply or report: {why}.")
    dates = [mail_date(part.headers.get("date"), needs_zone=part is not mail) for part in chain]
    return _mail_content(chain[0], dates, [part.headers.get("subject") for part in chain])


def _mail_content(mail: MimePart, dates: list[datetime | None], subjects: list[str | None]) -> MailContent:
    leaves = list(mail.leaves())
    texts = readable_texts(part for part in leaves if part.media_type == "text/plain" and not part.is_attachment)
    pages = readable_texts((part for part in leaves if part.media_type == "text/html"), PAGE_LIMIT)
    sheets = [sheet for part in leaves if _may_hold_adf(part) and is_adf(sheet := _xml_text(part))]
    headers = mail.headers
    inner_texts = [inner for inner in map(inner_text, texts) if inner]
    inner_pages = [inner for inner in map(inner_page, pages) if inner is not None]
    if inner_texts or inner_pages:
        texts, pages = [inner.text for inner in inner_texts], inner_pages
        headers = inner_texts[0].headers if inner_texts else inner_headers(page_text(inner_pages[0])).headers
        dates = [mail_date(headers.get("date") or headers.get("sent"), needs_zone=True), *dates]
        subjects = [headers.get("subject"), *subjects]
    page_texts = [page_text(page) for page in pages]
    return MailContent(
        sender=_address(headers.get("from")),
        reply_to=_address(headers.get("reply-to")),
        subjects=subjects,
        sent_at=dates,
        texts=texts,
        pages=pages,
        page_texts=page_texts,
        sheets=sheets or _adf_in(texts, pages, page_texts),
    )


def _address(header: str | None) -> str | None:
    """Returns the address in a header; Outlook writes `Ann [mailto:ann@example.com]` above what it forwards."""
    return normal_email((header or "").replace("[mailto:", "<").replace("]", ">"))


def _may_hold_adf(part: MimePart) -> bool:
    is_xml = "xml" in part.media_type.replace("xhtml+xml", "") or "adf" in part.media_type
    return is_xml or (part.filename or "").lower().endswith((".xml", ".adf"))


def _xml_text(part: MimePart) -> str:
    return decode(part.content, part.parameter("charset") or declared_encoding(part.content))


def _adf_in(texts: Sequence[str], pages: Sequence[str], page_texts: Sequence[str]) -> list[str]:
    """Returns ADF from the text of a mail, else as the text of an HTML part, else as its very markup."""
    found = [text for text in (*texts, *page_texts) if is_adf(text)]
    return found[:1] or [page[_beginning_of_adf(page) :] for page in pages if is_adf(page)][:1]


def _beginning_of_adf(page: str) -> int:
    """Returns the position after the page's own `<!DOCTYPE html>`, which is not a DTD of the ADF."""
    starts = (page.lower().find(tag) for tag in ("<?adf", "<adf", "<prospect"))
    return min((start for start in starts if start >= 0), default=0)


# ---------------------------------------------------------------------------------------------- tags and labels


def _tagged_draft(pages: Sequence[str]) -> Draft | None:
    """Returns the draft of the first page with lead metadata of version 1.0."""
    for page in pages:
        tags: dict[str, str] = {}
        for name, content in meta_tags(page):
            says_something = message_text if name == "lead_message" else one_line if "name" in name else field_text
            if name.startswith("lead_") and says_something(content):
                tags.setdefault(name, content)
        if tags.get("lead_information_version", "").strip() in {"1.0", "1"}:
            return _draft_of_tags(tags)
    return None


def _draft_of_tags(tags: dict[str, str]) -> Draft:
    estate = Place(
        tags.get("lead_property_address"),
        tags.get("lead_property_city"),
        tags.get("lead_property_state"),
        tags.get("lead_property_zip"),
    )
    return Draft(
        first=tags.get("lead_first_name"),
        last=tags.get("lead_last_name"),
        full=tags.get("lead_name"),
        email=tags.get("lead_email"),
        phone=tags.get("lead_phone"),
        type=lead_type_named_by(tags["lead_type"]) if "lead_type" in tags else "Buyer",
        source=tags.get("lead_source"),
        message=tags.get("lead_message"),
        places=(estate, Place(zipcode=tags.get("lead_primary_zip"))),
        prices=(tags.get("lead_property_price"), tags.get("lead_price"), tags.get("lead_max_price")),
        mls_id=tags.get("lead_mls"),
        vendor_id=tags.get("lead_id"),
        test=tags.get("lead_test"),
    )


def _labelled(mail_content: MailContent) -> Draft | None:
    """Returns the draft of the labels in the text, else in the HTML turned into text."""
    draft = labelled_draft("\n".join(mail_content.texts))
    return draft or next((draft for text in mail_content.page_texts if (draft := labelled_draft(text))), None)


# ---------------------------------------------------------------------------------------- what the headers add


def portal_of(address: str | None) -> str | None:
    """Returns the name of the portal that an address belongs to."""
    domain = (address or "").rpartition("@")[2]
    return next((name for portal, name in PORTALS.items() if _is_within(domain, portal)), None)


def _address_in_headers(mail_content: MailContent) -> str | None:
    """Returns Reply-To if it is a person's (or a relay's), else From if it is a relay's."""
    reply_to, sender = mail_content.reply_to, mail_content.sender
    if reply_to and (is_relay(reply_to) or _is_somebodys(reply_to, sender)):
        return reply_to
    return sender if is_relay(sender) else None


def _is_somebodys(address: str, sender: str | None) -> bool:
    local, _, domain = address.rpartition("@")
    sender_domain = (sender or "").rpartition("@")[2]
    is_senders = bool(sender_domain) and (_is_within(domain, sender_domain) or _is_within(sender_domain, domain))
    return not is_senders and portal_of(address) is None and not _NO_REPLY.search(local) and domain != RELAY_DOMAIN


def _is_within(domain: str, whole: str) -> bool:
    return domain == whole or domain.endswith(f".{whole}")
