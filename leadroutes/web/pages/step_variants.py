"""The templates among which a step divides its contacts, as rows of its form: the first one is what it says anyway.

Pure: records of the API in, bodies for the API out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadroutes.errors import Invalid
from leadroutes.web.sent import Sent

MOST: Final = 10
_PATH = re.compile(r"variants(?:\[(\d+)\])?(?:\.(template_id|share))?.*")


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One of the other templates, as it is typed."""

    template_id: int | str = ""
    share: int | str = 1


def template_ids(step: Mapping[str, Any]) -> list[int]:
    """Returns the templates of a step, the one that its form shows first."""
    if step["variants"]:
        return [each["template_id"] for each in step["variants"]]
    return [step["template_id"]] if step["template_id"] else []


def shown_rows(step: Mapping[str, Any] | None) -> tuple[int, Sequence[VariantRow]]:
    """Returns the share of the first template, and the rows of the others, with a blank one to add another."""
    first, *others = (step["variants"] if step else None) or [{"share": 1}]
    rows = [VariantRow(each["template_id"], each["share"]) for each in others]
    return first["share"], [*rows, VariantRow()] if len(rows) < MOST - 1 else rows


def read_variants(sent: Sent, first: int | str | None) -> list[dict[str, Any]] | None:
    """Returns what the API takes; None: there is only the first template. Blank rows do not count."""
    others = []
    for place in _places(sent):
        template_id = sent.id(f"variant-{place}")
        if template_id is not None:
            others.append({"template_id": template_id, "share": _share(sent, place)})
    return [{"template_id": first, "share": _share(sent, 0)}, *others] if others else None


def _places(sent: Sent) -> list[int]:
    found = (re.fullmatch(r"variant-(\d)", name) for name in sent.fields)
    return sorted(int(each[1]) for each in found if each)


def _share(sent: Sent, place: int) -> int:
    try:
        number = sent.number(f"share-{place}")
    except Invalid:
        number = None
    if number is None:
        raise Invalid.fields({f"share-{place}": "Say how many parts of all contacts get it, as a whole number."})
    return number


def by_row(errors: Mapping[str, str], sent: Sent) -> dict[str, str]:
    """Returns the faults of the API at the fields of the form that they are about."""
    filled = [0, *(place for place in _places(sent) if sent.get(f"variant-{place}").strip())]
    found: dict[str, str] = {}
    for path, message in errors.items():
        about = _PATH.fullmatch(path)
        if about is None or int(about[1] or 0) >= len(filled):
            found[path] = message
            continue
        place = filled[int(about[1] or 0)]
        name = f"share-{place}" if about[2] == "share" else f"variant-{place}" if place else "template_id"
        found.setdefault(name, f"Words {place + 1}: {message.removeprefix(path).removeprefix(': ')}")
    return found
