"""The types of fields that hold rules: conditions of a route, hours of a week. Read by the domain, stored as JSON."""

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from leadroutes.api.values import Plain
from leadroutes.domain.condition_fields import OPERATORS
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.weekly_hours import DAYS, read_weekly_hours


@dataclass(frozen=True, slots=True)
class RouteConditions(Plain):
    """The conditions of a route: an object, stored as it is read. It is not a filter."""

    sql: ClassVar[str] = "json"

    @property
    def expected(self) -> str:
        return "an object with all, any or not, or with field and is"

    def take(self, value: Any) -> str:
        """Returns JSON. Raises Faults, each with its path."""
        return msgspec.json.encode(Conditions.read(value).given).decode()

    def schema(self) -> dict[str, Any]:
        inside: dict[str, Any] = {"type": "object"}
        group = {"type": "array", "items": inside, "minItems": 1}
        operators = dict.fromkeys(each for names in OPERATORS.values() for each in names)
        return {
            "type": "object",
            "properties": {
                "all": group, "any": group, "not": inside, "field": {"type": "string"},
                "is": {"type": "string", "enum": list(operators)}, "value": {},
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hours(Plain):
    """Hours of a week: an object with lists of pairs of times by day, stored as it is read. It is not a filter."""

    name: str  # of the field, for errors
    most_a_day: int = 24
    sql: ClassVar[str] = "json"

    @property
    def expected(self) -> str:
        return f"an object with at most {self.most_a_day} pairs of times for each day, or null"

    def take(self, value: Any) -> str:
        """Returns JSON. Raises Faults, each with its path."""
        read_weekly_hours(value, self.name)
        if any(len(ranges) > self.most_a_day for ranges in value.values()):
            raise ValueError
        return msgspec.json.encode(value).decode()

    def schema(self) -> dict[str, Any]:
        pair = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
        ranges = {"type": "array", "items": pair, "maxItems": self.most_a_day}
        return {"type": "object", "properties": dict.fromkeys(DAYS, ranges), "additionalProperties": False}
