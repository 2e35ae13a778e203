"""Types of fields of a campaign's step: on what it is sent, and among which templates contacts are divided."""

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from leadroutes.api.rule_values import RouteConditions
from leadroutes.api.values import Id, Integer
from leadroutes.domain.condition_fields import STEP_FIELDS
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.faults import Faults, refusal
from leadroutes.domain.rule_fields import LARGEST_SHARE, MOST_VARIANTS

_ID, _SHARE = Id(), Integer(1, LARGEST_SHARE)


@dataclass(frozen=True, slots=True)
class StepConditions(RouteConditions):
    """The conditions of a step: those of a route, with the fields that a campaign has besides."""

    def take(self, value: Any) -> str:
        """Returns JSON. Raises Faults, each with its path."""
        return msgspec.json.encode(Conditions.read(value, fields=STEP_FIELDS).given).decode()


@dataclass(frozen=True, slots=True)
class StepVariants(RouteConditions):
    """A list of templates with shares, stored as it is read. It is not a filter."""

    sql: ClassVar[str] = "json"

    @property
    def expected(self) -> str:
        return f"a list of 2 to {MOST_VARIANTS} objects with template_id and share"

    def take(self, value: Any) -> str:
        """Returns JSON. Raises Faults, each with its path."""
        if not isinstance(value, list) or not 2 <= len(value) <= MOST_VARIANTS:
            raise Faults({"variants": refusal("variants", value, self.expected)})
        faults: dict[str, str] = {}
        read = [_variant(each, f"variants[{place}]", faults) for place, each in enumerate(value)]
        seen: set[int] = set()
        for place, each in enumerate(read):
            if each.get("template_id", -1) in seen:
                at = f"variants[{place}].template_id"
                faults[at] = refusal(at, each["template_id"], "each template once")
            seen.add(each.get("template_id", 0))
        if faults:
            raise Faults(faults)
        return msgspec.json.encode(read).decode()

    def schema(self) -> dict[str, Any]:
        properties = {"template_id": _ID.schema(), "share": _SHARE.schema()}
        variant = {"type": "object", "properties": properties, "required": list(properties)}
        return {"type": "array", "items": variant, "minItems": 2, "maxItems": MOST_VARIANTS}


def _variant(value: Any, at: str, faults: dict[str, str]) -> dict[str, int]:
    """Returns what can be read of it, and adds what is wrong with the rest."""
    if not isinstance(value, dict):
        faults[at] = refusal(at, value, "an object with template_id and share")
        return {}
    faults |= {
        f"{at}.{name[:60]}": f"{at}.{name[:60]}: this key is not known; expected template_id, share"
        for name in value
        if name not in ("template_id", "share")
    }
    found: dict[str, int] = {}
    for name, kind in (("template_id", _ID), ("share", _SHARE)):
        if value.get(name) is None:
            faults[f"{at}.{name}"] = f"{at}.{name} is required"
            continue
        try:
            found[name] = kind.take(value[name])
        except ValueError:
            faults[f"{at}.{name}"] = refusal(f"{at}.{name}", value[name], kind.expected)
    return found
