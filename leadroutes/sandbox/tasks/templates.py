"""A letter to a contact: its template filled in, as subject, text and HTML. Whatever others wrote, it reads nothing.

Loaded where letters are composed, which is apart from the service.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadroutes.domain.template import Composed, Letter, Words
from leadroutes.intake.html import page_text
from leadroutes.sandbox.tasks.liquid import Unrenderable, breaks_lines, check_template, is_markup, render

LONGEST_SUBJECT = 1_000  # characters
WAY_OUT = "No more of these e-mails"
_END_OF_BODY = re.compile(r"</body", re.IGNORECASE)
_LINE_END = re.compile(r"(<[^<>]*>)|\r?\n")  # outside of tags


def compose(letter: Letter) -> Composed:
    """Its words, or what is wrong with its template."""
    try:
        return Composed(words=_words(letter))
    except Unrenderable as error:
        return Composed(fault=str(error))


def check(text: str) -> str:
    """What is wrong with a template, as a sentence; empty where nothing is."""
    return check_template(text) or ""


def _words(letter: Letter) -> Words:
    body, variables = letter.body, letter.variables
    if not letter.is_email:
        return Words(subject=None, text_body=render(body, variables))
    subject = render(letter.subject, variables) or letter.name
    if len(subject) > LONGEST_SUBJECT:
        raise Unrenderable(f"The subject has {len(subject)} characters; {LONGEST_SUBJECT} are the limit")
    if is_markup(body):
        markup = render(body, variables, markup=True)
        if not breaks_lines(body):
            markup = _LINE_END.sub(lambda found: found[1] or "<br>\n", markup)
        text = _text_of(markup)
    else:
        text = render(body, variables)
        markup = _html_of(text, letter.unsubscribe_link)
    end = _End.of(letter, text)
    return Words(subject=subject, text_body=end.behind_text(text), html_body=end.within_markup(markup))


@dataclass(frozen=True, slots=True)
class _End:
    """What a mail must end with and its template has not placed, so that it is seen in both parts."""

    link: str
    address: Sequence[str]  # lines, the owner's name first

    @staticmethod
    def of(letter: Letter, text: str) -> "_End":
        """`text`: the words as a reader sees them; what a template hides has not been placed."""
        has_link = letter.unsubscribe_link in text
        has_address = _on_one_line(letter.postal_address) in _on_one_line(text)
        lines = [line for each in letter.postal_address.splitlines() if (line := _on_one_line(each))]
        return _End("" if has_link else letter.unsubscribe_link, [] if has_address else [letter.owner_name, *lines])

    def behind_text(self, text: str) -> str:
        lines = [*self.address, *([f"{WAY_OUT}: {self.link}"] if self.link else [])]
        return "\n".join([text.rstrip() + "\n", "--", *lines]) + "\n" if lines else text

    def within_markup(self, markup: str) -> str:
        lines = [html.escape(line) for line in self.address]
        if self.link:
            lines.append(_anchor(self.link, WAY_OUT))
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
