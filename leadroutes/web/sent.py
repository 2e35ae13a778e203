"""What a form has sent: its fields, its files, which form of the page it was, and how a page shows it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leadroutes.errors import Invalid
from leadroutes.web.forms import read_id


@dataclass(frozen=True, slots=True)
class File:
    """A file that was sent."""

    name: str
    content: bytes
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of a form by name, each with all its values. `do` names the form, `on` the record that it is about."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict, repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)  # of its fields, once it was refused

    @property
    def do(self) -> str:
        return self.get("do")

    @property
    def on(self) -> str:
        return self.get("on")

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def get(self, name: str, default: str = "") -> str:
        """Returns the last value of a field."""
        values = self.fields.get(name)
        return values[-1] if values else default

    def all(self, name: str) -> list[str]:
        return list(self.fields.get(name, ()))

    def text(self, name: str) -> str | None:
        """Returns a text without blanks around it; None where nothing was filled in."""
        return self.get(name).strip() or None

    def is_checked(self, name: str) -> bool:
        return self.get(name) not in ("", "no", "false")

    def id(self, name: str) -> int | None:
        """Returns an id; None where none was chosen. Raises Invalid for what cannot be one."""
        text = self.get(name).strip()
        if not text:
            return None
        number = read_id(text)
        if number is None:
            raise Invalid.fields({name: f"{name}: {text[:40]!r} was given; expected the id of a record"})
        return number

    def ids(self, name: str) -> list[int]:
        """Returns ids, in the order in which they were sent."""
        return [number for text in self.all(name) if (number := Sent({name: [text]}).id(name)) is not None]

    def number(self, name: str) -> int | None:
        """Returns a whole number; None where nothing was filled in. Raises Invalid for anything else."""
        text = self.get(name).strip().replace(",", "")
        if not text:
            return None
        if not (text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) <= 12):
            raise Invalid.fields({name: f"{name}: {text[:40]!r} was given; expected a whole number"})
        return int(text)

    def form(self, do: str, on: object = "") -> "Form":
        """Returns what the page shows in the form of this name: what was sent, if it was this one."""
        is_sent = self.do == do and self.on == str(on)
        return Form(do, str(on), self if is_sent else None)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page as it is shown: empty, or as it was sent with what is wrong with it."""

    do: str
    on: str = ""
    sent: Sent | None = None

    def value(self, name: str, stored: object = "") -> str:
        """Returns what a field shows: what was sent, else what is stored."""
        if self.sent is not None and name in self.sent:
            return self.sent.get(name)
        return "" if stored is None else str(stored)

    def values(self, name: str, stored: Sequence[object] = ()) -> list[str]:
        if self.sent is not None:
            return self.sent.all(name)
        return [str(each) for each in stored]

    def checked(self, name: str, stored: object = False) -> bool:
        """Returns whether a box is checked. A browser does not send a box that is not."""
        return self.sent.is_checked(name) if self.sent is not None else bool(stored)

    def error(self, name: str) -> str:
        return self.sent.errors.get(name, "") if self.sent is not None else ""

    @property
    def errors(self) -> Mapping[str, str]:
        return self.sent.errors if self.sent is not None else {}

    def field_id(self, name: str) -> str:
        """Returns an id that no other form of the page has."""
        return "-".join(part for part in (self.do, self.on, name) if part)


def plain_form(fields: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> Form:
    """Returns the form of a page that has one: what was sent, and what is wrong with its fields."""
    return Form("", sent=Sent({name: [value] for name, value in (fields or {}).items()}, errors=errors or {}))
