"""HTML of mails: its text as lines, and its meta tags. A stream of tags, not a tree.

A tree would cost quadratic time on nested `<div>`s, and the nesting is not needed here. Fetches and runs nothing.
"""

import html
import re
from collections.abc import Iterator
from typing import Final

PAGE_LIMIT: Final = 524_288
"""Characters of a page that are read."""

_PIECE = re.compile(
    r"""<!--.*?(?:-->|\Z)|<[!?][^<>]*>|"""
    r"""<(?P<end>/?)(?P<name>[a-z][a-z0-9:-]{0,30})"""
    r"""(?:(?P<attributes>(?:[\s/](?:[^<>"']|"[^"]*"|'[^']*')*+)?)>|(?P<broken>(?:[\s/][^<>]*)?)>)""",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z][a-zA-Z0-9]{1,31};?)")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_UNSEEN: Final = {name: re.compile(rf"</{name}[\s/>]|\Z", re.IGNORECASE) for name in ("script", "style", "title")}
_BLOCKS: Final = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure"),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "li", "main", "nav"),
        *("ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    },
)


def meta_tags(page: str) -> Iterator[tuple[str, str]]:
    """Yields name (in lower case) and content of each meta tag, wherever it is."""
    for found in _pieces(page[:PAGE_LIMIT]):
        if isinstance(found, str) or (found["name"] or "").lower() != "meta":
            continue
        values = _attributes(found)
        if "name" in values:
            yield values["name"].strip().lower(), unescaped(values.get("content", ""))


def page_text(page: str, *, with_links: bool = False) -> str:
    """Returns the text that a reader sees: blocks on lines of their own, cells of a row divided by tabs.

    `with_links`: the address of a link is put before its words.
    """
    lines = _Lines()
    for piece in _pieces(page[:PAGE_LIMIT]):
        if isinstance(piece, str):
            lines.add_text(piece)
        elif piece["name"]:
            name = piece["name"].lower()
            lines.add_tag(name, is_end=bool(piece["end"]))
            if with_links and name == "a" and (address := _attributes(piece).get("href")):
                lines.add_text(f"{address} ")
    return "".join(lines.parts)


def _attributes(tag: re.Match[str]) -> dict[str, str]:
    """Returns the attributes of a tag by their names in lower case; values are unchanged."""
    attributes = (tag["attributes"] or tag["broken"] or "")[:40_000]
    return {each[1].lower(): each[2] or each[3] or each[4] or "" for each in _ATTRIBUTE.finditer(attributes)}


def unescaped(text: str) -> str:
    """Returns the text with character references resolved as browsers do."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def _pieces(page: str) -> Iterator[str | re.Match[str]]:
    """Yields text unchanged, and tags; the contents of scripts, styles and the title are left out."""
    position = 0
    while found := _PIECE.search(page, position):
        if found.start() > position:
            yield page[position : found.start()]
        yield found
        position = found.end()
        unseen = None if found["end"] else _UNSEEN.get((found["name"] or "").lower())
        if unseen and (closing := unseen.search(page, position)):
            position = closing.start()
    yield page[position:]


class _Lines:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self._is_at_start = True
        self._preformatted = 0

    def add_text(self, text: str) -> None:
        text = text if self._preformatted else _BLANKS.sub(" ", text)
        if self._is_at_start and not self._preformatted:
            text = text.lstrip(" ")
        if text:
            self.parts.append(unescaped(text))
            self._is_at_start = text.endswith("\n")

    def add_tag(self, name: str, *, is_end: bool) -> None:
        if name == "pre":
            self._preformatted = max(0, self._preformatted + (-1 if is_end else 1))
        if name == "br" or (name in _BLOCKS and not self._is_at_start):
            self._break()
        elif name in {"td", "th"} and is_end and not self._is_at_start:
            self.parts.append("\t")

    def _break(self) -> None:
        self.parts.append("\n")
        self._is_at_start = True
