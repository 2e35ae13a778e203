"""A tolerant reader of ADF's XML: what dealers' software really sends is seldom well-formed.

Knows ADF's elements and where they may stand, which is what tells where an element without an end tag ends.
Resolves no entity but characters, reads no DTD, fetches nothing; linear in the size of the text.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from leadroutes.intake.results import Refused

_PARTY: Final = ("customer", "vendor", "provider")
_VEHICLE: Final = (
    *("year", "make", "model", "vin", "stock", "trim", "doors", "bodystyle", "transmission", "odometer", "condition"),
    *("colorcombination", "imagetag", "price", "pricecomments", "option", "finance", "comments"),
)

PARENTS: Final[dict[str, frozenset[str]]] = {
    "adf": frozenset(),
    "prospect": frozenset({"adf"}),
    **dict.fromkeys(("requestdate", "vehicle", "customer", "vendor", "provider"), frozenset({"prospect", "adf"})),
    **dict.fromkeys(_VEHICLE, frozenset({"vehicle"})),
    **dict.fromkeys(("interiorcolor", "exteriorcolor", "preference"), frozenset({"colorcombination"})),
    **dict.fromkeys(("optionname", "manufacturercode", "weighting"), frozenset({"option"})),
    **dict.fromkeys(("stock", "price"), frozenset({"vehicle", "option"})),
    **dict.fromkeys(("method", "amount", "balance"), frozenset({"finance"})),
    "id": frozenset({"prospect", "adf", "vehicle", *_PARTY}),
    "contact": frozenset(_PARTY),
    "comments": frozenset({"vehicle", "customer"}),
    "timeframe": frozenset({"customer"}),
    **dict.fromkeys(("description", "earliestdate", "latestdate"), frozenset({"timeframe"})),
    "vendorname": frozenset({"vendor"}),
    "service": frozenset({"provider"}),
    "url": frozenset({"vendor", "provider"}),
    **dict.fromkeys(("name", "email", "phone"), frozenset({"contact", *_PARTY})),
    "address": frozenset({"contact", "customer"}),
    **dict.fromkeys(("street", "apartment", "city", "regioncode", "postalcode", "country"), frozenset({"address"})),
}
"""Which elements each of ADF's may stand in. The nearest open one of them is its parent; all inside that has ended."""

DEPTH_LIMIT: Final = 100
ELEMENT_LIMIT: Final = 50_000


@dataclass(slots=True, eq=False)
class Element:
    """An element with its name in small letters and its attributes; text and elements inside in order."""

    name: str
    attributes: str = ""
    inside: "list[str | Element]" = field(default_factory=list)

    def attribute(self, name: str) -> str | None:
        """Returns an attribute's value by its name in small letters, quoted or not."""
        for found in _ATTRIBUTE.finditer(self.attributes[:2_000]):
            if found[1].rpartition(":")[2].lower() == name:
                return _unescaped(found[2] or found[3] or (found[4] or "").removesuffix("/"))
        return None

    def all(self, name: str) -> "list[Element]":
        """Returns the child elements of that name."""
        return [child for child in self.inside if isinstance(child, Element) and child.name == name]

    def find(self, *path: str) -> "Element | None":
        """Returns the first element at the end of a path of names."""
        found: Element | None = self
        for name in path:
            found = next(iter(found.all(name)), None) if found else None
        return found

    @property
    def text(self) -> str:
        """Returns all text inside, `<br>` as a line break."""
        parts: list[str] = []
        waiting: list[str | Element] = [self]
        while waiting:
            match waiting.pop():
                case str() as text:
                    parts.append(text)
                case Element(name="br"):
                    parts.append("\n")
                case Element(inside=inside):
                    waiting.extend(reversed(inside))
        return "".join(parts)


_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_TAG = re.compile(
    r"""<(?P<end>/?)\s?(?:[\w.-]{1,60}:)?(?P<name>[a-z_][\w.-]{0,60})"""
    r"""(?P<attributes>(?:[\s/](?:(?:[^<>"']|"[^"<]*"|'[^'<]*')*+(?=>)|[^<>]*))?)>""",
    re.IGNORECASE,
)
_END_TAG = re.compile(r"</\s?(?:[\w.-]{1,60}:)?([a-z_][\w.-]{0,60})\s*>", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")


def read_markup(text: str) -> Element:
    """Returns the tree of a text, under an element without a name that holds the text around it too. Raises Refused."""
    tree = _Tree(frozenset(found[1].lower() for found in _END_TAG.finditer(text)))
    for token in _tokens(text):
        match token:
            case str():
                tree.add_text(token)
            case re.Match():
                tree.add_tag(token)
    return tree.root


def _is_closed(text: str, start: int, end: int) -> bool:
    """Whether `>` comes before the next `<`: no tag of ADF holds either."""
    next_start = text.find("<", start + 1)
    return end <= len(text) and (next_start < 0 or next_start >= end)


_OPENER = re.compile("<(?=[/!?a-zA-Z_])")


def _unescaped(text: str) -> str:
    """Returns the text with character references resolved; a bare `&` is unchanged."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


_SECTIONS: Final = (("<![cdata[", "]]>"), ("<!--", "-->"), ("<?", "?>"))


def _tokens(text: str) -> Iterator[str | re.Match[str]]:
    """Yields text with its references resolved, CDATA unchanged, and tags; comments and instructions are left out."""
    closers = {end: text.rfind(end) for _, end in _SECTIONS}
    position = 0
    next_end = 0
    while opener := _OPENER.search(text, position):
        start = opener.start()
        if start > position:
            yield _unescaped(text[position:start])
        if next_end <= start:
            next_end = text.find(">", start) + 1 or len(text) + 1
        section = text[start : start + 9].lower()
        opening, closing = next((pair for pair in _SECTIONS if section.startswith(pair[0])), ("", ""))
        if opening and closers[closing] >= start + len(opening):
            position = text.find(closing, start + len(opening)) + len(closing)
            if opening == "<![cdata[":
                yield text[start + len(opening) : position - len(closing)]
        elif opening:
            position = start + len(opening)
        elif _is_closed(text, start, next_end) and (found := _TAG.match(text, start)):
            yield found
            position = found.end()
        else:
            position = text.find("<", start + 1)
            position = len(text) if position < 0 else position
            yield _unescaped(text[start:position])
    yield _unescaped(text[position:])


class _Tree:
    """Builds the tree; `ended` are the names that have an end tag anywhere, so that `<b` in prose is not an element."""

    def __init__(self, ended: frozenset[str]) -> None:
        self.root = Element("")
        self._open = [self.root]
        self._names: Counter[str] = Counter()
        self._ended = ended
        self._count = 0

    def add_text(self, text: str) -> None:
        self._open[-1].inside.append(text)

    def add_tag(self, tag: re.Match[str]) -> None:
        name, attributes = tag["name"].lower(), tag["attributes"]
        if tag["end"]:
            self._close(name)
            return
        is_empty = attributes.endswith("/")
        is_markup = name in PARENTS or name in self._ended or is_empty or name == "br"
        if not is_markup or len(self._open) > DEPTH_LIMIT:
            self.add_text(tag[0])
            return
        self._count += 1
        if self._count > ELEMENT_LIMIT:
            raise Refused("too_large", f"The XML has more than {ELEMENT_LIMIT} elements.")
        self._close_up_to_parent(name)
        element = Element(name, attributes)
        self._open[-1].inside.append(element)
        if not is_empty and name != "br":
            self._open.append(element)
            self._names[name] += 1

    def _close_up_to_parent(self, name: str) -> None:
        """What is open inside the nearest possible parent has ended. An element that ADF does not know may hold all."""
        parents = PARENTS.get(name)
        if parents is None or not any(self._names[parent] for parent in parents):
            return
        while self._open[-1].name in PARENTS and self._open[-1].name not in parents:
            self._pop()

    def _close(self, name: str) -> None:
        if self._names[name]:
            while self._pop() != name:
                pass

    def _pop(self) -> str:
        name = self._open.pop().name
        self._names[name] -= 1
        return name
