"""What a contact has after another one was merged into it: its own fields win, and gaps are filled."""

from collections.abc import Iterable, Mapping
from typing import Any

from leadroutes.domain.dedupe import EMAILS, PHONES
from leadroutes.domain.identity import normal_email, normal_phone

# Further e-mails and phones go into the fields of their kind that are free.
FILLED = (
    "first_name", "last_name", "fax", "company", "birthday", "anniversary", "spouse_name", "spouse_email",
    "spouse_phone", "spouse_birthday", "hotness_id", "source_id", "assigned_user_id", "time_zone",
)  # fmt: skip
MERGED = (*FILLED, *EMAILS, *PHONES, "tags")


def merged_fields(target: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of the remaining contact that change."""
    after = {name: other[name] for name in FILLED if _is_gap(target[name])}
    if not _is_gap(target["first_name"]) or not _is_gap(target["last_name"]):  # names are not mixed of two
        after = {name: value for name, value in after.items() if name not in ("first_name", "last_name")}
    after |= _placed(EMAILS, target, other, normal_email)
    after |= _placed(PHONES, target, other, normal_phone)
    after["tags"] = _joined_tags(target["tags"], other["tags"])
    return {name: value for name, value in after.items() if not _is_gap(value) and value != target[name]}


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _placed(names: Iterable[str], target: Mapping[str, Any], other: Mapping[str, Any], normal: Any) -> dict[str, Any]:
    """Puts each value of the other contact that is not there into its own field, else into the next free one."""
    after = {name: target[name] for name in names}
    for name in after:
        value = other[name]
        if _is_gap(value) or (normal(value) or value) in {normal(each) or each for each in after.values() if each}:
            continue
        free = [each for each in (name, *after) if _is_gap(after[each])]
        if free:
            after[free[0]] = value
    return after


def _joined_tags(target: str | None, other: str | None) -> str | None:
    known = {each.strip().casefold() for each in (target or "").split(",")}
    more: list[str] = []
    for each in (other or "").split(","):
        if each.strip() and each.strip().casefold() not in known:
            known.add(each.strip().casefold())
            more.append(each.strip())
    return ", ".join([*([target] if target and target.strip() else []), *more]) if more else target
