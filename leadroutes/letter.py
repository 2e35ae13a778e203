"""A letter to a contact: its template filled in, as subject, text and HTML. Whatever others wrote, it reads nothing.

Loaded where letters are composed, which is apart from the service.
"""

import html
import re

from leadroutes.intake.pages import page_text
from leadroutes.liquid import Unrenderable, breaks_lines, check_template, is_markup, render
from leadroutes.security.letters import Composed, Letter, Words

LONGEST_SUBJECT = 1_000  # characters
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
    if not is_markup(body):
        text = render(body, variables)
        return Words(subject=subject, text_body=text, html_body=_html_of(text))
    markup = render(body, variables, markup=True)
    if not breaks_lines(body):
        markup = _LINE_END.sub(lambda found: found[1] or "<br>\n", markup)
    return Words(subject=subject, text_body=_text_of(markup), html_body=markup)


def _text_of(markup: str) -> str:
    lines = (" ".join(line.split()) for line in page_text(markup, with_links=True).split("\n"))
    return re.sub(r"\n\n+", "\n\n", "\n".join(lines)).strip()


def _html_of(text: str) -> str:
    paragraphs = [html.escape(part).replace("\n", "<br>\n") for part in re.split(r"\n\s*\n", text.strip())]
    return "<!doctype html>\n<html><body>\n" + "\n".join(f"<p>{part}</p>" for part in paragraphs) + "\n</body></html>\n"
