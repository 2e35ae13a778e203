"""Composes a letter to a contact from its template: subject, text and HTML. A template can read no file or database.

Loaded in sandbox processes only.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadroutes.domain.template import ComposeResult, MessageContent, TemplateInput
from leadroutes.intake.html import page_text
from leadroutes.sandbox.tasks.liquid import Unrenderable, breaks_lines, check_template, is_markup, render

LONGEST_SUBJECT = 1_000  # characters
UNSUBSCRIBE_TEXT = "No more of these e-mails"
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


def _content(template_input: TemplateInput) -> MessageContent:
    body, variables = template_input.body, template_input.variables
    if not template_input.is_email:
        return MessageContent(subject=None, text_body=render(body, variables))
    subject = render(template_input.subject, variables) or template_input.name
    if len(subject) > LONGEST_SUBJECT:
        raise Unrenderable(f"The subject has {len(subject)} characters; {LONGEST_SUBJECT} are the limit")
    if is_markup(body):
        markup = render(body, variables, markup=True)
        if not breaks_lines(body):
            markup = _LINE_END.sub(lambda found: found[1] or "<br>\n", markup)
        text = _text_of(markup)
    else:
        text = render(body, variables)
        markup = _html_of(text, template_input.unsubscribe_link)
    end = _Footer.of(template_input, text)
    return MessageContent(subject=subject, text_body=end.behind_text(text), html_body=end.within_markup(markup))


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
        places = [found.start() for found in _END_OF_BODY.finditer(markup)] or [len(markup)]
        end = '\n<p style="color: #666; font-size: small">' + "<br>\n".join(lines) + "</p>\n"
        return markup[: places[-1]] + end + markup[places[-1] :]


def _anchor(link: str, words: str) -> str:
    return f'<a href="{html.escape(link)}">{html.escape(words)}</a>'


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
