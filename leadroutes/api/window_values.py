"""The type of a field that holds a window: the hours of a week in which messages leave."""

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from leadroutes.api.values import Plain
from leadroutes.domain.weekly_hours import DAYS
from leadroutes.domain.windows import MOST_RANGES, read_send_window


@dataclass(frozen=True, slots=True)
class SendWindow(Plain):
    """An object, stored as it is read. It is not a filter."""

    sql: ClassVar[str] = "json"

    @property
    def expected(self) -> str:
        return 'an object such as {"weekly_hours": {"monday": [["09:00", "17:00"]]}}, or null'

    def take(self, value: Any) -> str:
        """Returns JSON. Raises Faults, each with its path."""
        return msgspec.json.encode(read_send_window(value, "send_window")).decode()

    def schema(self) -> dict[str, Any]:
        times = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
        day = {"type": "array", "items": times, "maxItems": MOST_RANGES}
        hours = {"type": "object", "properties": dict.fromkeys(DAYS, day), "additionalProperties": False}
        return {
            "type": "object", "properties": {"weekly_hours": hours}, "required": ["weekly_hours"],
            "additionalProperties": False,
        }  # fmt: skip
