"""Composes a letter to a contact from its template: subject, text and HTML. A template can read no file or database.

Loaded in sandbox processes only.
"""

import contextlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadroutes.domain.template import ComposeResult, MessageContent, TemplateInput, TriedTemplate
from leadroutes.intake.html import page_text
from leadroutes.sandbox.tasks.liquid import Unrenderable, breaks_lines, check_template, is_markup, names_in, render

LONGEST_SUBJECT = 1_000  # characters
UNSUBSCRIBE_TEXT = "No more of these e-mails"
SIGNATURE_MARK = "\ue000\ue001\ue000"  # private characters in place of a signature, until the rest has become HTML
_END_OF_BODY = re.compile(r"</body", re.IGNORECASE)
_LINE_END = re.compile(r"(<[^<>]*>)|\r?\n")  # outside of tags


def compose(template_input: TemplateInput) -> ComposeResult:
    """Returns the letter, or what is wrong with its template."""
    try:
        return ComposeResult(words=_content(template_input))
    except Unrenderable as error:
        return ComposeResult(fault=str(error))


def check(text: str) -> str:
    """Returns what is wrong with a template, as a sentence; empty if nothing is."""
    return check_template(text) or ""


def try_out(template: TriedTemplate) -> str:
    """Returns why a template cannot be filled in with an example; empty if it can."""
    return compose(TemplateInput(
        subject=template.subject, body=template.body, name="A template", is_email=template.is_email,
        variables=dict(_EXAMPLE), owner_name="Your Brokerage", unsubscribe_link="https://leads.example/unsubscribe/1",
        postal_address="1 Example Street, Denver, CO 80202",
    )).fault or ""  # fmt: skip


_EXAMPLE: Final[Mapping[str, Any]] = {
    "contact": {
        "first_name": "Mia", "last_name": "Lund", "email": "mia.lund@example.com", "phone": "+13035550147",
        "company": "Lund Ltd",
    },
    "property": {
        "street_address": "12 Elm Street", "city": "Denver", "state": "CO", "zipcode": "80202", "price": "450000",
        "mls_id": "123456",
    },
    "lead": {"type": "Buyer", "source": "Zillow", "message": "Is the garden sunny?"},
    "agent": {
        "first_name": "Bob", "last_name": "Berg", "name": "Bob Berg", "phone": "+13035550142",
        "email": "bob.berg@example.com",
    },
    "unsubscribe_link": "https://leads.example/unsubscribe/1",
    "postal_address": "1 Example Street, Denver, CO 80202",
}  # fmt: skip


def names_used(texts: tuple[str, ...]) -> list[str]:
    """Returns the names that texts use, each once; none of a text that cannot be filled in."""
    found: set[str] = set()
    for text in texts:
        with contextlib.suppress(Unrenderable):
            found |= set(names_in(text))
    return sorted(found)


def _content(template_input: TemplateInput) -> MessageContent:
    body, signature = template_input.body, _Signature.of(template_input)
    variables = template_input.variables | {"signature": signature.text or None}
    if not template_input.is_email:
        return MessageContent(subject=None, text_body=_plain(body, variables))
    subject = render(template_input.subject, variables) or template_input.name
    if len(subject) > LONGEST_SUBJECT:
        raise Unrenderable(f"The subject has {len(subject)} characters; {LONGEST_SUBJECT} are the limit")
    marked = variables | {"signature": SIGNATURE_MARK if signature.text else None}
    if is_markup(body):
        unsigned = _markup(body, marked)
        markup = signature.within_markup(unsigned)
        text = _text_of(signature.of_text.within_markup(unsigned))
    else:
        text = signature.behind_text(render(body, variables))
        markup = signature.within_markup(_html_of(render(body, marked), template_input.unsubscribe_link))
    end = _Footer.of(template_input, text)
    return MessageContent(subject=subject, text_body=end.behind_text(text), html_body=end.within_markup(markup))


def _plain(body: str, variables: Mapping[str, Any]) -> str:
    return _text_of(_markup(body, variables)) if is_markup(body) else render(body, variables)


def _markup(body: str, variables: Mapping[str, Any]) -> str:
    markup = render(body, variables, markup=True)
    return markup if breaks_lines(body) else _LINE_END.sub(lambda found: found[1] or "<br>\n", markup)


@dataclass(frozen=True, slots=True)
class _Signature:
    """The sender's signature in both forms, each made from the other where it is missing; empty: there is none."""

    text: str
    markup: str

    @staticmethod
    def of(template_input: TemplateInput) -> "_Signature":
        text, markup = template_input.signature_text.strip(), template_input.signature_html.strip()
        return _Signature(text or _text_of(markup), markup or _lines_of(text))

    @property
    def of_text(self) -> "_Signature":
        """The same with its text as HTML, for the text of a mail whose template is HTML."""
        return _Signature(self.text, _lines_of(self.text))

    def behind_text(self, text: str) -> str:
        """The signature at the end, unless the template has placed it."""
        is_placed = not self.text or _on_one_line(self.text) in _on_one_line(text)
        return text if is_placed else f"{text.rstrip()}\n\n{self.text}"

    def within_markup(self, markup: str) -> str:
        """The signature where the template has placed it, else at the end."""
        if not self.text:
            return markup
        if SIGNATURE_MARK in markup:
            return markup.replace(SIGNATURE_MARK, self.markup)
        return _at_the_end(markup, f"\n<div>{self.markup}</div>\n")


@dataclass(frozen=True, slots=True)
class _Footer:
    """What a mail must end with and its template has not placed, so that it is seen in both parts."""

    link: str
    address: Sequence[str]  # lines, the owner's name first

    @staticmethod
    def of(template_input: TemplateInput, text: str) -> "_Footer":
        """`text`: the words as a reader sees them; what a template hides has not been placed."""
        has_link = template_input.unsubscribe_link in text
        has_address = _on_one_line(template_input.postal_address) in _on_one_line(text)
        lines = [line for each in template_input.postal_address.splitlines() if (line := _on_one_line(each))]
        return _Footer(
            "" if has_link else template_input.unsubscribe_link,
            [] if has_address else [template_input.owner_name, *lines],
        )

    def behind_text(self, text: str) -> str:
        lines = [*self.address, *([f"{UNSUBSCRIBE_TEXT}: {self.link}"] if self.link else [])]
        return "\n".join([text.rstrip() + "\n", "--", *lines]) + "\n" if lines else text

    def within_markup(self, markup: str) -> str:
        lines = [html.escape(line) for line in self.address]
        if self.link:
            lines.append(_anchor(self.link, UNSUBSCRIBE_TEXT))
        if not lines:
            return markup
        return _at_the_end(markup, '\n<p style="color: #666; font-size: small">' + "<br>\n".join(lines) + "</p>\n")


def _at_the_end(markup: str, end: str) -> str:
    places = [found.start() for found in _END_OF_BODY.finditer(markup)] or [len(markup)]
    return markup[: places[-1]] + end + markup[places[-1] :]


def _anchor(link: str, words: str) -> str:
    return f'<a href="{html.escape(link)}">{html.escape(words)}</a>'


def _lines_of(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _text_of(markup: str) -> str:
    lines = (" ".join(line.split()) for line in page_text(markup, with_links=True).split("\n"))
    return re.sub(r"\n\n+", "\n\n", "\n".join(lines)).strip()


def _html_of(text: str, link: str = "") -> str:
    """The text as paragraphs, in which this link can be followed."""
    paragraphs = [html.escape(part).replace("\n", "<br>\n") for part in re.split(r"\n\s*\n", text.strip())]
    if link:
        paragraphs = [part.replace(html.escape(link), _anchor(link, link)) for part in paragraphs]
    return "<!doctype html>\n<html><body>\n" + "\n".join(f"<p>{part}</p>" for part in paragraphs) + "\n</body></html>\n"
