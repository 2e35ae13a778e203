"""The text of a document: YAML or JSON, read with the place of every part, and written in a fixed form. Pure.

Of YAML only what a rule set needs: mappings, lists and plain values. Anchors, tags and several documents are refused,
and so are repeated fields. Numbers are decimal: `01234` is a text, as a zipcode is.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
import yaml

from leadroutes.domain.rule_document import MOST_SIZE, DocumentFault, RuleDocument, TextSpot

DEEPEST: Final = 24  # levels of mappings and lists

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_FRACTION = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}", re.ASCII)
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False, "yes": True, "no": False}
_NAME = re.compile(r"\w+")


class UnreadableDocument(ValueError):  # noqa: N818 -- named for what the text is
    """The text is not a document. `fault` says where."""

    def __init__(self, fault: DocumentFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def read_document(data: bytes) -> RuleDocument:
    """Returns a document from YAML or JSON, whatever its form may be. Raises UnreadableDocument."""
    if len(data) > MOST_SIZE:
        raise _unreadable(f"{len(data)} bytes were given; expected at most {MOST_SIZE}", 1, 1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise _unreadable("the text is not UTF-8", line, column) from None
    start = text.lstrip()[:1]
    reading = _Json(text) if start in ("{", "[") and _is_json(text) else _Yaml(text)
    if not isinstance(reading.content, dict):
        place = reading.places[""]
        raise _unreadable("fields are expected, the first of them rules: 1", place.line, place.column)
    return RuleDocument(reading.content, reading.places)


def write_document(document: RuleDocument, form: Literal["yaml", "json"] = "yaml") -> str:
    """Returns the text of a document; the same document always gives the same text."""
    if form == "json":
        encoded = msgspec.json.encode(document.content)
        return msgspec.json.format(encoded, indent=2).decode() + "\n"
    return "".join(f"{line}\n" for line in _yaml_lines(document.content, ""))


def is_rules(data: bytes) -> bool:
    """Returns whether a text seems to be a rule set as a document, by its top level."""
    return re.search(rb'^(?:\{\s*)?\s{0,4}"?rules"?\s*:', data.removeprefix(b"\xef\xbb\xbf"), re.MULTILINE) is not None


def _unreadable(message: str, line: int, column: int) -> UnreadableDocument:
    return UnreadableDocument(DocumentFault("", message, line, column))


class _ContentTree:
    """A value being put together from its parts, with the place of each by its path."""

    def __init__(self) -> None:
        self.content: Any = None
        self.places: dict[str, TextSpot] = {}
        self._open: list[tuple[str, Any]] = []  # path and value of the lists and mappings that are not closed
        self._key: str | None = None  # of a mapping, whose value comes next

    @property
    def expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][1], dict) and self._key is None

    def key(self, name: Any, place: TextSpot) -> None:
        path, mapping = self._open[-1]
        if not isinstance(name, str):
            raise _unreadable(f"{name!r} was given as the name of a field; expected a text", place.line, place.column)
        if name in mapping:
            raise _unreadable(f"{_within(path, name)} was given a second time", place.line, place.column)
        self._key = name
        self.places[_within(path, name)] = place

    def add(self, value: Any, place: TextSpot) -> None:
        """Adds a value where the next one belongs; a list or a mapping is open until `close`."""
        if not self._open:
            path, self.content = "", value
            self.places[path] = place
        else:
            above, into = self._open[-1]
            if isinstance(into, dict):
                path = _within(above, self._key or "")
                into[self._key], self._key = value, None
            else:
                path = f"{above}[{len(into)}]"
                into.append(value)
            if not (isinstance(value, dict | list) and path in self.places):  # these are found at their name
                self.places[path] = place
        if isinstance(value, dict | list):
            if len(self._open) >= DEEPEST:
                raise _unreadable(f"at most {DEEPEST} levels are expected", place.line, place.column)
            self._open.append((path, value))

    def close(self) -> None:
        self._open.pop()


def _within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# --------------------------------------------------------------------------------------------------------------- YAML


class _Yaml(_ContentTree):
    def __init__(self, text: str) -> None:
        super().__init__()
        try:
            for event in yaml.parse(text, Loader=_loader()):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(filter(None, (error.context, error.problem)))
            raise _unreadable(f"the text is not YAML: {what}", *_at(mark)) from None
        except yaml.YAMLError as error:
            raise _unreadable(f"the text is not YAML: {str(error).splitlines()[0]}", 1, 1) from None
        if self.content is None:
            raise _unreadable("the document is empty; expected fields, the first of them rules: 1", 1, 1)

    def _take(self, event: yaml.Event) -> None:
        place = TextSpot(*_at(event.start_mark))
        if getattr(event, "anchor", None) is not None:
            raise _unreadable("anchors and aliases are not expected", place.line, place.column)
        if (tag := getattr(event, "tag", None)) is not None:
            raise _unreadable(f"tags such as {tag} are not expected", place.line, place.column)
        match event:
            case yaml.DocumentStartEvent():
                if self.places:
                    raise _unreadable("one document is expected, and another one begins here", *_at(event.start_mark))
            case yaml.MappingStartEvent():
                self._start({}, place)
            case yaml.SequenceStartEvent():
                self._start([], place)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.close()
            case yaml.ScalarEvent():
                is_plain = event.style is None or event.style == ""
                if self.expects_key:
                    self.key(event.value, place)
                else:
                    self.add(_plain_value(event.value) if is_plain else event.value, place)

    def _start(self, value: Any, place: TextSpot) -> None:
        if self.expects_key:
            raise _unreadable("a list or fields were given as the name of a field", place.line, place.column)
        self.add(value, place)


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _at(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _plain_value(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


# A text without quotes is read as a text again, and as nothing else.
_PLAIN_TEXT = re.compile(r"[^\W\d_](?:[\w./@+()&'-]| (?![# ]))*(?<! )")
_ESCAPED = re.compile(
    "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)  # a reader of YAML changes or refuses them


def _yaml_lines(value: Any, indent: str) -> Iterator[str]:
    """Yields the lines of a mapping or list that is not empty."""
    parts = [(f"{_yaml_text(name)}:", each) for name, each in value.items()] if isinstance(value, dict) else None
    for head, each in parts if parts is not None else [("-", each) for each in value]:
        if not isinstance(each, dict | list) or not each:
            yield f"{indent}{head} {_yaml_scalar(each)}"
        elif head == "-":
            first, *others = _yaml_lines(each, f"{indent}  ")
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from others
        else:
            yield f"{indent}{head}"
            yield from _yaml_lines(each, f"{indent}  ")


def _yaml_scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _yaml_text(value)
        case dict():
            return "{}"
        case list():
            return "[]"
        case datetime():
            return f'"{value.isoformat()}"'
    return format(value, "f") if isinstance(value, float) else str(value)


def _yaml_text(text: str) -> str:
    if _PLAIN_TEXT.fullmatch(text) and isinstance(_plain_value(text), str):
        return text
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


# --------------------------------------------------------------------------------------------------------------- JSON


def _is_json(text: str) -> bool:
    """YAML may begin with a brace as well; what is not JSON by far is read as YAML, whose messages are clearer."""
    return re.match(r'\s*[{\[]\s*(?:["{\[\]}]|$)', text) is not None


_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<mark>[{}\[\],:])|(?P<text>"(?:[^"\\\x00-\x1f]|\\.)*")|(?P<other>[-+.\w]+)|(?P<end>\Z))'
)


class _Json(_ContentTree):
    """Reads JSON by its tokens, without recursion."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._line, self._line_start, self._seen = 1, 0, 0
        after = ""  # the token before, as a rule of the grammar sees it
        for kind, word, start in self._tokens():
            after = self._take(kind, word, TextSpot(*self._place(start)), after)
        if self._open or not self.places:
            raise _unreadable("the text ends too early", *self._place(len(text)))

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        position = 0
        while True:
            found = _TOKEN.match(self._text, position)
            if found is None:
                position += len(self._text[position:]) - len(self._text[position:].lstrip(" \t\r\n"))
                raise _unreadable("the text is not JSON", *self._place(position))
            kind = found.lastgroup or "end"
            if kind == "end":
                return
            yield kind, found[kind], found.start(kind)
            position = found.end()

    def _place(self, position: int) -> tuple[int, int]:
        """Positions only grow."""
        lines = self._text.count("\n", self._seen, position)
        if lines:
            self._line += lines
            self._line_start = self._text.rfind("\n", 0, position) + 1
        self._seen = max(self._seen, position)
        return self._line, position - self._line_start + 1

    def _take(self, kind: str, word: str, place: TextSpot, after: str) -> str:
        """Takes a token behind `after`. Returns what the next one comes behind."""
        inside = "" if not self._open else "{" if isinstance(self._open[-1][1], dict) else "["
        if kind == "mark" and word in "}]":
            if inside != {"}": "{", "]": "["}[word] or after not in ("value", inside):
                raise self._unexpected(word, place)
            self.close()
            return "value"
        if kind == "mark" and word in ",:":
            if not (after == "value" and word == "," and inside) and not (after == "key" and word == ":"):
                raise self._unexpected(word, place)
            return word
        if after in ("value", "key") or (not inside and self.places):
            raise self._unexpected(word, place)
        if self.expects_key:
            if kind != "text":
                raise self._unexpected(word, place)
            self.key(_json_value(word, place), place)
            return "key"
        if kind == "mark":
            self.add({} if word == "{" else [], place)
            return word
        self.add(_json_value(word, place), place)
        return "value"

    def _unexpected(self, word: str, place: TextSpot) -> UnreadableDocument:
        return _unreadable(f"the text is not JSON: {word[:40]} was not expected here", place.line, place.column)


def _json_value(word: str, place: TextSpot) -> Any:
    try:
        value: Any = msgspec.json.decode(word)
    except msgspec.DecodeError:
        value = 2**63
    if isinstance(value, int) and abs(value) >= 2**63:
        raise _unreadable(f"the text is not JSON: {word[:40]} is not a value", place.line, place.column)
    return value
