"""The types of fields: how a value in a body and text in a filter are read, how a column is compared and answered.

A type does not know resources and never repairs a value: it raises ValueError for one that breaks its rule.
"""

import re
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from leadroutes.domain import faults
from leadroutes.domain.moments import in_utc

LARGEST_ID = 2**63 - 1
LARGEST_INTEGER = 2**31 - 1
LONGEST_NUMBER = 400  # digits; no real value is longer
quoted = faults.quoted
BEYOND = 10**30  # in place of every integer that a column cannot hold

_SMALL_LETTERS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # as lower() of an e-mail's column
_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)
_WHOLE = re.compile(r"(-?[0-9]+)(\.0+)?", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", re.ASCII)
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?", re.ASCII
)


class FieldType(Protocol):
    """A type of field. `sql` is the PostgreSQL type that filter values are bound as."""

    @property
    def sql(self) -> str: ...
    @property
    def is_text(self) -> bool: ...
    @property
    def expected(self) -> str: ...
    def take(self, value: Any) -> Any: ...
    def read(self, text: str) -> Any: ...
    def shown(self, column: str) -> str: ...
    def compared(self, sql: str) -> str: ...
    def schema(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Plain:
    """The defaults of most types: a column is answered and compared as it is."""

    sql: ClassVar[str] = "text"
    is_text: ClassVar[bool] = False

    @property
    def expected(self) -> str:
        return "text"

    def take(self, value: Any) -> Any:
        if isinstance(value, str) and "\0" not in value:
            return value
        raise ValueError

    def read(self, text: str) -> Any:
        return text

    def shown(self, column: str) -> str:
        return column

    def compared(self, sql: str) -> str:
        return sql

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Integer(Plain):
    """A whole number of 32 bits, or within closer bounds."""

    least: int = -LARGEST_INTEGER - 1
    most: int = LARGEST_INTEGER
    sql: ClassVar[str] = "bigint"

    @property
    def expected(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def take(self, value: Any) -> int:
        number = whole_number(value)
        if not self.least <= number <= self.most:
            raise ValueError
        return number

    def read(self, text: str) -> int:
        found = _WHOLE.fullmatch(text)
        if found is None:
            raise ValueError
        return _integer(found[1])

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Id(Integer):
    """The id of a record."""

    least: int = -LARGEST_ID
    most: int = LARGEST_ID

    @property
    def expected(self) -> str:
        return "an id, a whole number"

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}


@dataclass(frozen=True, slots=True)
class Text(Plain):
    """Text of up to `limit` characters; None: as long as a body may be. `takes_number`: a number becomes its digits."""

    limit: int | None = None
    takes_number: bool = False
    pad: int = 0  # digits to which a number is padded with zeros
    is_text: ClassVar[bool] = True

    @property
    def expected(self) -> str:
        size = f"text of up to {self.limit} characters" if self.limit else "text"
        return f"{size} or a number" if self.takes_number else f"{size} without the character U+0000"

    def take(self, value: Any) -> str:
        text = value
        if self.takes_number and isinstance(value, int | Decimal) and not isinstance(value, bool):
            text = _decimal_text(value).zfill(self.pad)
        if not isinstance(text, str) or "\0" in text or (self.limit is not None and len(text) > self.limit):
            raise ValueError
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string"} | ({"maxLength": self.limit} if self.limit else {})


@dataclass(frozen=True, slots=True)
class EmailText(Text):
    """An address, not validated; filtered without regard to letter case."""

    def compared(self, sql: str) -> str:
        return f"lower({sql})"

    def read(self, text: str) -> str:
        return text.translate(_SMALL_LETTERS)


@dataclass(frozen=True, slots=True)
class Bool(Plain):
    """true or false."""

    sql: ClassVar[str] = "boolean"

    @property
    def expected(self) -> str:
        return "true or false"

    def take(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, Decimal):
            value = whole_number(value)
        return {"true": True, "1": True, 1: True, "false": False, "0": False, 0: False}[_hashable(value)]

    def read(self, text: str) -> bool:
        return {"true": True, "1": True, "false": False, "0": False}[text]

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Moment(Plain):
    """A date-time, stored to the millisecond and answered in UTC."""

    sql: ClassVar[str] = "timestamptz"

    @property
    def expected(self) -> str:
        return "a date-time such as 2018-01-16T12:12:12.000Z"

    def take(self, value: Any) -> datetime:
        moment = in_utc(_moment(value))
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def read(self, text: str) -> datetime:
        return _moment(re.sub(r" (?=[0-9]{2}:[0-9]{2}$)", "+", text))

    @staticmethod
    def written(moment: datetime) -> str:
        """Returns a date-time as answers have it."""
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def shown(self, column: str) -> str:
        return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True)
class Choice(Plain):
    """One of some words, exactly as written."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.words)

    def take(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Number(Plain):
    """A number, with a fraction or without."""

    sql: ClassVar[str] = "double precision"

    @property
    def expected(self) -> str:
        return "a number"

    def take(self, value: Any) -> float:
        if isinstance(value, str):
            return _finite(self.read(value))
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _finite(float(value))
        raise ValueError

    def read(self, text: str) -> float:
        if not _FLOAT.fullmatch(text):
            raise ValueError
        return float(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "number"}


@dataclass(frozen=True, slots=True)
class DecimalText(Plain):
    """A decimal number, stored and answered as the text that was sent; compared as a number."""

    sql: ClassVar[str] = "numeric"

    @property
    def expected(self) -> str:
        return "a decimal number such as 100500.90"

    def take(self, value: Any) -> str:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            value = _decimal_text(value)
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or len(value) > LONGEST_NUMBER:
            raise ValueError
        return value

    def read(self, text: str) -> Decimal:
        if not _DECIMAL.fullmatch(text) or len(text) > LONGEST_NUMBER:
            raise ValueError
        return Decimal(text)

    def compared(self, sql: str) -> str:
        return f"({sql})::numeric"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_DECIMAL.pattern}$"}


@dataclass(frozen=True, slots=True)
class TimeOfDay(Plain):
    """HH:MM or HH:MM:SS."""

    @property
    def expected(self) -> str:
        return "a time of day, HH:MM or HH:MM:SS"

    def take(self, value: Any) -> str:
        if not isinstance(value, str) or not _TIME_OF_DAY.fullmatch(value):
            raise ValueError
        return value

    def read(self, text: str) -> str:
        return self.take(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_TIME_OF_DAY.pattern}$"}


@dataclass(frozen=True, slots=True)
class Texts(Plain):
    """A list of texts; one text with commas, and numbers in the list, are accepted too. It is not a filter."""

    limit: int

    @property
    def expected(self) -> str:
        return f"a list of texts of up to {self.limit} characters each, or one text with commas"

    def take(self, value: Any) -> tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list):
            raise ValueError  # noqa: TRY004 -- the one error of every kind
        one = Text(self.limit, takes_number=True, pad=5)
        return tuple(one.take(part) for part in parts)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "maxLength": self.limit}}


@dataclass(frozen=True, slots=True)
class ChoiceList(Plain):
    """A list of values out of a fixed set, each once. It is not a filter."""

    choices: tuple[str, ...]
    may_be_empty: bool = False

    @property
    def expected(self) -> str:
        return f"a list of {'any' if self.may_be_empty else 'one or more'} of {', '.join(self.choices)}"

    def take(self, value: Any) -> list[str]:
        if not isinstance(value, list) or not (value or self.may_be_empty):
            raise ValueError
        if not all(each in self.choices for each in map(_hashable, value)):
            raise ValueError
        return list(dict.fromkeys(value))

    def schema(self) -> dict[str, Any]:
        least = {} if self.may_be_empty else {"minItems": 1}
        return {"type": "array", "items": {"type": "string", "enum": list(self.choices)}, **least}


@dataclass(frozen=True, slots=True)
class NamedTexts(Plain):
    """An object whose values are texts. It is not a filter."""

    limit: int

    @property
    def expected(self) -> str:
        return f"an object with texts of 1 to {self.limit} characters"

    def take(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not value:
            raise ValueError
        taken = {name: Text(self.limit).take(each) for name, each in value.items()}
        if not all(taken.values()):
            raise ValueError
        return taken

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "string", "minLength": 1, "maxLength": self.limit}}


@dataclass(frozen=True, slots=True)
class Nested(Plain):
    """An object or a list inside the record, read by the resource if it is written. `description`: its JSON schema."""

    description: dict[str, Any]

    @property
    def expected(self) -> str:
        return "a list of objects"

    def take(self, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        return self.description


def whole_number(value: Any) -> int:
    """Returns an integer from a JSON number without fraction or from digits. Raises ValueError for anything else."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return _integer(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value) if value.adjusted() <= 30 else BEYOND
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON schema of a value that may also be null."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": list(dict.fromkeys([*types, "null"]))} | enum


def _integer(digits: str) -> int:
    if len(digits.lstrip("-").lstrip("0")) > 30:
        return -BEYOND if digits.startswith("-") else BEYOND
    return int(digits)


def _decimal_text(number: int | Decimal) -> str:
    if isinstance(number, int):
        if abs(number) >= 10**LONGEST_NUMBER:
            raise ValueError
        return str(number)
    digits = len(number.as_tuple().digits)
    if not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER or digits > LONGEST_NUMBER:
        raise ValueError
    return format(number, "f")


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _hashable(value: Any) -> Any:
    if not isinstance(value, str | int):
        raise ValueError  # noqa: TRY004 -- the one error of every kind
    return value


def _moment(text: Any) -> datetime:
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError
    day, time, fraction, zone = found.groups()
    if time is None:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    bare = time.removesuffix(zone or "").removesuffix(fraction or "")
    moment = datetime.fromisoformat(f"{day}{bare}{(fraction or '')[:7]}{(zone or 'Z').replace('Z', '+00:00')}")
    return moment.astimezone(UTC)
