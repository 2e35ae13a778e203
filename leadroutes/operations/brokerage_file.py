"""What a brokerage file may say: its objects by name, their fields, and what each may hold.

Reading it either gives all of it or one clear error that names the place in the file; it knows no database.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from datetime import datetime
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from leadroutes.domain.campaign import wrong_recurrence
from leadroutes.domain.condition_fields import FIELDS, STEP_FIELDS, Compared
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.faults import Faults
from leadroutes.domain.model import OrderMethod, ReturningContact
from leadroutes.domain.moments import in_utc
from leadroutes.domain.recurrence import read_rule
from leadroutes.domain.rule_fields import LARGEST
from leadroutes.domain.stops import DEFAULT_STOPS, StopEvent
from leadroutes.domain.windows import read_send_window
from leadroutes.errors import Invalid

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Cap = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Place = Annotated[int, msgspec.Meta(ge=-LARGEST - 1, le=LARGEST)]
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
    when_nobody_is_available: Literal["Owner", "Hold", "Offer Anyway"] = "Owner"
    connect_on_claim: bool = False
    distribution_zipcodes: list[str | int] | None = None


class TeamMember(_Entry, frozen=True, kw_only=True):
    team: Name
    user: Name
    request_status: Literal["Accepted", "Pending", "Declined"] = "Pending"


class TeamMemberDistributionOption(_Entry, frozen=True, kw_only=True):
    team: Name
    user: Name
    assign_automatically: bool
    rank: Place | None = None
    mins_until_lead_offer: Minutes = 0
    has_call_alert: bool = False
    has_text_alert: bool = False
    has_email_alert: bool = False
    has_night_calls: bool = False
    weight: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    max_open_leads: Cap | None = None
    max_leads_per_day: Cap | None = None
    max_leads_per_week: Cap | None = None


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


class VariantTemplate(_Entry, frozen=True, kw_only=True):
    template: Name
    share: Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Action(_Entry, frozen=True, kw_only=True):
    """`assigned_user`: a username, or null and "claimer", which both mean whoever has the contact at that moment."""

    type: ActionType
    timing_type: TimingType
    template: Name | None = None
    assigned_user: Name | None = None
    delay_by_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] | None = None
    dispatch_time: str | None = None
    delay_by_seconds: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)] | None = None
    dispatch_datetime: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    recurrence: str | None = None
    trigger_type: Literal[1, 2] = 1
    is_stopped_on_text_reply: bool = False
    description: str | None = None
    send_window: dict[str, Any] | None = None
    conditions: dict[str, Any] | None = None
    variants: Annotated[list[VariantTemplate], msgspec.Meta(min_length=2, max_length=10)] | None = None
    smallest_difference: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5


class Campaign(_Entry, frozen=True, kw_only=True):
    name: Name
    is_broker_sharing_on: bool = False
    is_default: bool = False
    send_window: dict[str, Any] | None = None
    first_answer_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    stops_on: list[StopEvent] | None = msgspec.field(default_factory=lambda: list(DEFAULT_STOPS))
    pause_on_offer: bool = False
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
    priority: Place = 0
    campaign_start: Literal["Arrival", "Claim"] = "Arrival"
    conditions: dict[str, Any] | None = None
    returning_contact: ReturningContact = "Route Again"
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
        brokerage = msgspec.json.decode(content.removeprefix(BOM_UTF8), type=BrokerageFile)
    except msgspec.ValidationError as error:
        raise Invalid(_sentence(str(error))) from error
    except UnicodeDecodeError as error:
        raise Invalid(
            f"the file is not UTF-8: {error.object[error.start : error.end]!r} is in one of its texts"
        ) from error
    except msgspec.DecodeError as error:
        raise Invalid(f"the file is not JSON in UTF-8: {error}") from error
    _check_texts(msgspec.to_builtins(brokerage), "")
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


def _check_texts(value: Any, path: str) -> None:
    """The database stores no character 0."""
    match value:
        case str() if "\0" in value:
            raise Invalid(f"{path}: {value!r} was given; expected a text without the character 0")
        case dict():
            for name, inner in value.items():
                _check_texts(name, path)
                _check_texts(inner, f"{path}.{name}".lstrip("."))
        case list():
            for place, inner in enumerate(value):
                _check_texts(inner, f"{path}[{place}]")


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
        _check_window(campaign.send_window, f"campaigns[{number}].send_window")
        for place, action in enumerate(campaign.actions):
            _check_action(action, f"campaigns[{number}].actions[{place}]")


def _check_action(action: Action, path: str) -> None:
    for field in TIMING_FIELDS[action.timing_type]:
        if getattr(action, field) is None:
            raise Invalid(f"{path}.{field}: is missing; {action.timing_type!r} needs it")
    if action.dispatch_time and not TIME_OF_DAY.fullmatch(action.dispatch_time):
        raise Invalid(f"{path}.dispatch_time: {action.dispatch_time!r} was given; expected HH:MM or HH:MM:SS")
    if action.timing_type == "Recurring" and action.recurrence is not None and read_rule(action.recurrence) is None:
        raise Invalid("; ".join(f"{path}.{each}" for each in wrong_recurrence(action.recurrence).errors.values()))
    if action.timing_type == "Exact Date and Time":
        _check_moment(action.dispatch_datetime, f"{path}.dispatch_datetime")
    is_task = action.type.startswith("Agent Task")
    if is_task and action.template:
        raise Invalid(f"{path}.template: {action.template!r} was given; {action.type!r} takes none")
    if not is_task and action.timing_type == "Recurring":
        raise Invalid(f"{path}.timing_type: 'Recurring' was given; only tasks recur")
    for field in ("send_window", "conditions", "variants"):
        if is_task and getattr(action, field) is not None:
            raise Invalid(f"{path}.{field}: was given; {action.type!r} takes none")
    if action.variants is not None and action.template is not None:
        raise Invalid(f"{path}.variants: were given; they take the place of template, which has to be missing")
    names = [variant.template for variant in action.variants or ()]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Invalid(f"{path}.variants: {twice!r} was given a second time")
    _check_window(action.send_window, f"{path}.send_window")
    _check_conditions(action.conditions, f"{path}.conditions", STEP_FIELDS)


def _check_moment(moment: datetime | None, path: str) -> None:
    try:
        if moment is not None:
            in_utc(moment)
    except ValueError:
        raise Invalid(f"{path}: '{moment}' was given; expected a moment in the years 1 to 9999") from None


def _check_window(window: dict[str, Any] | None, path: str) -> None:
    try:
        if window is not None:
            read_send_window(window, path)
    except Faults as faults:
        raise Invalid(str(faults)) from None


def _check_conditions(conditions: dict[str, Any] | None, path: str, fields: Mapping[str, Compared]) -> None:
    try:
        if conditions is not None:
            Conditions.read(conditions, path, fields)
    except Faults as faults:
        raise Invalid(str(faults)) from None


def _check_routes(brokerage: BrokerageFile) -> None:
    for number, route in enumerate(brokerage.lead_routes):
        if route.team_selection_method == "Specific Team" and not route.team:
            raise Invalid(f"lead_routes[{number}].team: is missing; 'Specific Team' needs it")
        _check_conditions(route.conditions, f"lead_routes[{number}].conditions", FIELDS)
