"""What a brokerage file may say: its objects by name, their fields, and what each may hold.

Reading it either gives all of it or one clear error that names the place in the file; it knows no database.
"""

import re
from datetime import datetime
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from leadroutes.errors import Invalid

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
OrderMethod = Literal["Rank", "Time", "Round Robin"]
ActionType = Literal[
    "Email Contact", "Call Contact", "Text Contact", "Agent Task - Email Reminder", "Agent Task - Call Reminder",
    "Agent Task - Text Reminder", "Agent Task - No Reminder",
]  # fmt: skip
TimingType = Literal["Delay by Day and Time", "Delay by Minutes", "Exact Date and Time", "Recurring"]
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
NAMED_BY = {
    "users": "username", "teams": "name", "lead_sources": "name", "contact_sources": "name",
    "template_folders": "name", "templates": "description", "campaigns": "name",
}  # fmt: skip
TIMING_FIELDS = {
    "Delay by Day and Time": ("delay_by_days", "dispatch_time"),
    "Delay by Minutes": ("delay_by_seconds",),
    "Exact Date and Time": ("dispatch_datetime",),
    "Recurring": ("recurrence",),
}


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One object of the file; a field that it does not know is a mistake."""


class Head(_Entry, frozen=True, kw_only=True):
    owner: Name
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    address: dict[str, str | None] | None = None
    timezone: str | None = None


class User(_Entry, frozen=True, kw_only=True):
    username: Name
    email: Name
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    system_phone: str | None = None
    timezone: str = "UTC"
    role: str | None = None


class TeamEntry(_Entry, frozen=True, kw_only=True):
    name: Name
    is_contact_resource_sharing_enabled: bool = False
    order_method: OrderMethod = "Rank"
    mins_until_next_alert: Minutes = 0
    offer_mode: Literal["Cumulative", "Exclusive"] = "Cumulative"
    distribution_zipcodes: list[str | int] | None = None


class TeamMember(_Entry, frozen=True, kw_only=True):
    team: Name
    user: Name
    request_status: Literal["Accepted", "Pending", "Declined"] = "Pending"


class TeamMemberDistributionOption(_Entry, frozen=True, kw_only=True):
    team: Name
    user: Name
    assign_automatically: bool
    rank: int | None = None
    mins_until_lead_offer: Minutes = 0
    has_call_alert: bool = False
    has_text_alert: bool = False
    has_email_alert: bool = False
    weight: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class LeadSource(_Entry, frozen=True, kw_only=True):
    name: Name


class ContactSource(_Entry, frozen=True, kw_only=True):
    name: Name
    user: Name | None = None


class TemplateFolder(_Entry, frozen=True, kw_only=True):
    name: Name
    description: str | None = None


class Template(_Entry, frozen=True, kw_only=True):
    description: Name
    template_folder: Name
    template_type: Literal["Email", "Text", "Phone", "Direct Mail Letter", "Direct Mail Postcard"]
    subject: str | None = None
    body: str | None = None


class Action(_Entry, frozen=True, kw_only=True):
    """`assigned_user`: a username, or null and "claimer", which both mean whoever has the contact at that moment."""

    type: ActionType
    timing_type: TimingType
    template: Name | None = None
    assigned_user: Name | None = None
    delay_by_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] | None = None
    dispatch_time: str | None = None
    delay_by_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    dispatch_datetime: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    recurrence: str | None = None
    trigger_type: Literal[1, 2] = 1
    is_stopped_on_text_reply: bool = False
    description: str | None = None


class Campaign(_Entry, frozen=True, kw_only=True):
    name: Name
    is_broker_sharing_on: bool = False
    is_default: bool = False
    actions: list[Action] = []


class LeadRoute(_Entry, frozen=True, kw_only=True):
    lead_source: Name
    contact_source: Name
    distribution_target: Literal["Myself", "Team Rollout"]
    campaign: Name
    team_selection_method: Literal["None", "Specific Team", "Zipcode"] | None = None
    team: Name | None = None
    filter: str | None = None
    is_active: bool = True
    priority: int = 0
    campaign_start: Literal["Arrival", "Claim"] = "Arrival"
    note: str | None = None


class BrokerageFile(_Entry, frozen=True, kw_only=True):
    """A brokerage: users by `username`, templates by `description`, all else by `name`."""

    brokerage: Head
    users: list[User] = []
    teams: list[TeamEntry] = []
    team_members: list[TeamMember] = []
    team_member_distribution_options: list[TeamMemberDistributionOption] = []
    lead_sources: list[LeadSource] = []
    contact_sources: list[ContactSource] = []
    template_folders: list[TemplateFolder] = []
    templates: list[Template] = []
    campaigns: list[Campaign] = []
    lead_routes: list[LeadRoute] = []


def read_brokerage(content: bytes) -> BrokerageFile:
    """The file's content; Invalid with `teams[2].order_method: …` where it is not as it should be."""
    try:
        brokerage = msgspec.json.decode(content, type=BrokerageFile)
    except msgspec.ValidationError as error:
        raise Invalid(_sentence(str(error))) from error
    except msgspec.DecodeError as error:
        raise Invalid(f"the file is not JSON: {error}") from error
    _check_names(brokerage)
    _check_actions(brokerage)
    _check_routes(brokerage)
    return brokerage


def _sentence(message: str) -> str:
    """Where first, then what; msgspec says it the other way round and does not name the allowed values."""
    what, _, path = message.partition(" - at `$")
    where = path.rstrip("`").lstrip(".") or "the file"
    if what.startswith("Invalid enum value") and (expected := _allowed(where)):
        what = f"{what.removeprefix('Invalid enum value ')} was given; expected one of {', '.join(expected)}"
    return f"{where}: {what[0].lower() + what[1:]}"


def _allowed(path: str) -> list[str]:
    """The allowed values of the field at a path like `teams[2].order_method`."""
    kind: Any = BrokerageFile
    for step in re.findall(r"\b\w+(?=\[|\.|$)", re.sub(r"\[\d*\]", "", path)):
        kind = _inner(get_type_hints(kind)[step])
    return [str(value) for value in get_args(kind)] if get_origin(kind) is Literal else []


def _inner(kind: Any) -> Any:
    """Without `| None` and `list[…]`."""
    if NoneType in get_args(kind):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return get_args(kind)[0] if get_origin(kind) is list else kind


def _check_names(brokerage: BrokerageFile) -> None:
    """Whatever is referred to by name has one of its own."""
    for kind, field in NAMED_BY.items():
        seen: set[str] = set()
        for place, entry in enumerate(getattr(brokerage, kind)):
            name = getattr(entry, field)
            if name in seen:
                raise Invalid(f"{kind}[{place}].{field}: {name!r} was given a second time")
            seen.add(name)


def _check_actions(brokerage: BrokerageFile) -> None:
    for number, campaign in enumerate(brokerage.campaigns):
        for place, action in enumerate(campaign.actions):
            _check_action(action, f"campaigns[{number}].actions[{place}]")


def _check_action(action: Action, path: str) -> None:
    for field in TIMING_FIELDS[action.timing_type]:
        if getattr(action, field) is None:
            raise Invalid(f"{path}.{field}: is missing; {action.timing_type!r} needs it")
    if action.dispatch_time and not TIME_OF_DAY.fullmatch(action.dispatch_time):
        raise Invalid(f"{path}.dispatch_time: {action.dispatch_time!r} was given; expected HH:MM or HH:MM:SS")
    is_task = action.type.startswith("Agent Task")
    if is_task and action.template:
        raise Invalid(f"{path}.template: {action.template!r} was given; {action.type!r} takes none")
    if not is_task and action.timing_type == "Recurring":
        raise Invalid(f"{path}.timing_type: 'Recurring' was given; only tasks recur")


def _check_routes(brokerage: BrokerageFile) -> None:
    for number, route in enumerate(brokerage.lead_routes):
        if route.team_selection_method == "Specific Team" and not route.team:
            raise Invalid(f"lead_routes[{number}].team: is missing; 'Specific Team' needs it")
