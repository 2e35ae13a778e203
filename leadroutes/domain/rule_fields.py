"""What the rules of an owner consist of: the kinds of records and their fields, once for all who show or change them.

The document, its checks, the difference between two rule sets and a restore read this list; a new field is one line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from leadroutes.domain.campaign_steps import ACTION_TYPES, TIMINGS
from leadroutes.domain.condition_fields import FIELDS, STEP_FIELDS, Compared
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.faults import Faults, refusal
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import (
    ORDER_METHODS,
    RETURNING_CONTACTS,
    WHEN_NOBODY,
    DistributionOption,
    ListingAgent,
    Member,
    Route,
    Team,
)
from leadroutes.domain.moments import in_utc
from leadroutes.domain.stops import STOP_EVENTS
from leadroutes.domain.windows import read_send_window

LARGEST: Final = 2**31 - 1
MOST_LISTINGS: Final = 5_000  # with an agent, of one owner: every decision has all of them at hand
MOST_VARIANTS: Final = 10
LARGEST_SHARE: Final = 1_000
MOST_FIRST_ANSWER: Final = 1440  # minutes
_DAY_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
Named = Literal["teams", "campaigns", "lead_sources", "contact_sources", "people", "templates"]


# -------------------------------------------------------------------------------------------------- what a field holds


@dataclass(frozen=True, slots=True)
class Flag:
    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        if not isinstance(value, bool):
            raise Faults({at: refusal(at, value, "true or false")})
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    least: int = -LARGEST - 1
    most: int = LARGEST

    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise Faults({at: refusal(at, value, f"a whole number from {self.least} to {self.most}")})
        return value


@dataclass(frozen=True, slots=True)
class Seconds(Whole):
    """A span, which sentences say in days, hours and minutes."""


@dataclass(frozen=True, slots=True)
class StepStart(Whole):
    """From when a step's delay counts: 1, from the start of the campaign, or 2, from the contact's birthdays."""


@dataclass(frozen=True, slots=True)
class Word:
    allowed: tuple[str, ...]

    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        if not isinstance(value, str) or value not in self.allowed:
            raise Faults({at: refusal(at, value, f"one of {', '.join(self.allowed)}")})
        return value


@dataclass(frozen=True, slots=True)
class Words:
    most: int = 255
    least: int = 0

    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        fits = isinstance(text, str) and self.least <= len(text) <= self.most and "\0" not in text
        if not fits or (self.least and not text.strip()):
            expected = f"text of {self.least} to {self.most} characters" if self.least else f"at most {self.most}"
            raise Faults({at: refusal(at, value, expected if self.least else f"text of {expected} characters")})
        return text


@dataclass(frozen=True, slots=True)
class OneOf(Words):
    """A word that sentences show as they show a text."""

    among: tuple[str, ...] = ()

    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        return Word(self.among).read(value, at)


@dataclass(frozen=True, slots=True)
class SeveralWords:
    among: tuple[str, ...]

    def read(self, value: Any, at: str) -> Any:
        """Returns the words, each once. Raises Faults."""
        if not isinstance(value, list):
            raise Faults({at: refusal(at, value, f"a list of {', '.join(self.among)}")})
        return list(dict.fromkeys(Word(self.among).read(each, f"{at}[{place}]") for place, each in enumerate(value)))


@dataclass(frozen=True, slots=True)
class DayTime(Words):
    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        if not isinstance(value, str) or not _DAY_TIME.fullmatch(value):
            raise Faults({at: refusal(at, value, "a time of day, HH:MM or HH:MM:SS")})
        return value


@dataclass(frozen=True, slots=True)
class RuleMoment:
    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
            if isinstance(moment, datetime) and moment.tzinfo is not None:
                return in_utc(moment)
        except ValueError:
            pass
        raise Faults({at: refusal(at, value, "a moment like 2026-01-12T09:00:00Z")})


@dataclass(frozen=True, slots=True)
class Zipcodes:
    def read(self, value: Any, at: str) -> Any:
        """Returns them in the form in which they are compared, each once. Raises Faults."""
        if not isinstance(value, list):
            raise Faults({at: refusal(at, value, "a list of zipcodes")})
        for place, each in enumerate(value):
            if isinstance(each, bool) or not isinstance(each, str | int) or len(str(each)) > 45:
                raise Faults({f"{at}[{place}]": refusal(f"{at}[{place}]", each, "a zipcode")})
        found = (comparable_zipcode(str(each).zfill(5) if isinstance(each, int) else each) for each in value)
        return list(dict.fromkeys(filter(None, found)))


@dataclass(frozen=True, slots=True)
class ConditionTree:
    fields: Mapping[str, Compared] = field(default_factory=lambda: FIELDS, hash=False)

    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        return Conditions.read(value, at, self.fields).given


@dataclass(frozen=True, slots=True)
class SendingHours:
    def read(self, value: Any, at: str) -> Any:
        """Returns the value in the form in which it is stored. Raises Faults."""
        return read_send_window(value, at)


@dataclass(frozen=True, slots=True)
class Shares:
    """Templates, each with its share of the contacts; a document says the names of the templates."""

    def read(self, value: Any, at: str) -> Any:
        """Returns the list as it is given: `template` and `share`. Raises Faults."""
        if not isinstance(value, list) or not 2 <= len(value) <= MOST_VARIANTS:
            raise Faults({at: refusal(at, value, f"a list of 2 to {MOST_VARIANTS}, each with template and share")})
        for place, each in enumerate(value):
            if not isinstance(each, dict) or each.keys() != {"template", "share"}:
                raise Faults({f"{at}[{place}]": refusal(f"{at}[{place}]", each, "template and share")})
            Words(2_000, 1).read(each["template"], f"{at}[{place}].template")
            Whole(1, LARGEST_SHARE).read(each["share"], f"{at}[{place}].share")
        return value


@dataclass(frozen=True, slots=True)
class RuleReference:
    """The id of a record; a document says its name instead."""

    to: Named

    def read(self, value: Any, at: str) -> Any:
        """Returns the name. Raises Faults."""
        return Words(2_000, 1).read(value, at)


FieldKind = (
    Flag
    | Whole
    | Word
    | Words
    | SeveralWords
    | RuleMoment
    | Zipcodes
    | ConditionTree
    | RuleReference
    | SendingHours
    | Shares
)


# ----------------------------------------------------------------------------------------------------------- the fields


@dataclass(frozen=True, slots=True)
class RuleField:
    """A field by the name that it has in the model, in its table and in the API."""

    name: str
    kind: FieldKind
    default: Any = None
    is_required: bool = False  # of a new record
    words: str = ""  # in sentences; "": from the name
    is_in_document: bool = True
    is_restored: bool = True

    @property
    def in_document(self) -> str:
        """Returns its name in a document, which says `team` in place of `team_id`."""
        return self.name.removesuffix("_id") if isinstance(self.kind, RuleReference) else self.name

    @property
    def is_nullable(self) -> bool:
        return not self.is_required and self.default is None

    @property
    def in_words(self) -> str:
        return self.words or self.in_document.replace("_", " ").replace("mins ", "minutes ")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleKind:
    """A kind of record. `model` None: rule sets have such records in a form of their own."""

    name: str  # of its table
    resource: str  # its path in the API
    noun: str
    fields: tuple[RuleField, ...]
    model: type | None = None
    section: str = ""  # the list of the document that has them; "": they are within another record
    apart: frozenset[str] = frozenset()  # fields of the model that say where the record is

    @property
    def documented(self) -> tuple[RuleField, ...]:
        return tuple(each for each in self.fields if each.is_in_document)

    @property
    def written(self) -> tuple[RuleField, ...]:
        """Returns the fields that a document or a restore changes."""
        return tuple(each for each in self.fields if each.is_in_document or each.is_restored)


TEAM: Final = RuleKind(
    name="teams",
    resource="/teams",
    noun="Team",
    model=Team,
    section="teams",
    apart=frozenset({"id", "members"}),
    fields=(
        RuleField("name", Words(255, 1), is_required=True),
        RuleField("order_method", Word(ORDER_METHODS), "Rank"),
        RuleField("mins_until_next_alert", Whole(0), 0),
        RuleField("offer_mode", Word(("Cumulative", "Exclusive")), "Cumulative"),
        RuleField("distribution_zipcodes", Zipcodes(), (), words="zipcodes"),
        RuleField("when_nobody_is_available", Word(WHEN_NOBODY), "Owner"),
        RuleField("is_handover_free", Flag(), False, words="passing on is free"),
        RuleField("connect_on_claim", Flag(), False, words="connects on claim"),
        # To share contacts is agreed upon by each member, so neither a file nor a restore does it.
        RuleField("is_contact_resource_sharing_enabled", Flag(), False, words="shares contacts",
                  is_in_document=False, is_restored=False),
    ),
)  # fmt: skip

MEMBER: Final = RuleKind(
    name="team_members",
    resource="/team-members",
    noun="Member",
    model=Member,
    apart=frozenset({"id", "user_id", "option", "option_id"}),
    # Whether a member takes part is for the member to say.
    fields=(RuleField("request_status", Word(("Accepted", "Pending", "Declined")), "Pending", words="request",
                      is_in_document=False, is_restored=False),),
)  # fmt: skip

OPTION: Final = RuleKind(
    name="team_member_distribution_options",
    resource="/team-member-distribution-options",
    noun="Option",
    model=DistributionOption,
    fields=(
        RuleField("rank", Whole()),
        RuleField("mins_until_lead_offer", Whole(0), 0),
        RuleField("weight", Whole(0), 1),
        RuleField("assign_automatically", Flag(), is_required=True, words="assigns automatically"),
        RuleField("has_call_alert", Flag(), False, words="alert by call"),
        RuleField("has_text_alert", Flag(), False, words="alert by text"),
        RuleField("has_email_alert", Flag(), False, words="alert by e-mail"),
        RuleField("has_night_calls", Flag(), False, words="calls at night"),
        RuleField("is_paused", Flag(), False, words="paused"),
        RuleField("paused_until", RuleMoment()),
        RuleField("max_open_leads", Whole(0), words="most open leads"),
        RuleField("max_leads_per_day", Whole(0), words="most leads a day"),
        RuleField("max_leads_per_week", Whole(0), words="most leads a week"),
    ),
)

ROUTE: Final = RuleKind(
    name="lead_routes",
    resource="/lead-routes",
    noun="Route",
    model=Route,
    section="routes",
    apart=frozenset({"id"}),
    fields=(
        RuleField("name", Words(100)),
        RuleField("lead_source_id", RuleReference("lead_sources"), is_required=True),
        RuleField("contact_source_id", RuleReference("contact_sources"), is_required=True),
        RuleField("is_active", Flag(), True, words="active"),
        RuleField("priority", Whole(), 0),
        RuleField("filter", Words(45)),
        RuleField("conditions", ConditionTree()),
        RuleField("distribution_target", Word(("Myself", "Team Rollout")), is_required=True, words="goes to"),
        RuleField("team_selection_method", Word(("Specific Team", "Zipcode")), words="team by"),
        RuleField("team_id", RuleReference("teams")),
        RuleField("campaign_id", RuleReference("campaigns"), is_required=True),
        RuleField("campaign_start", Word(("Arrival", "Claim")), "Arrival", words="campaign starts at"),
        RuleField("returning_contact", Word(RETURNING_CONTACTS), "Route Again", words="people who come back"),
    ),
)

LISTING_AGENT: Final = RuleKind(
    name="listing_agents",
    resource="/listing-agents",
    noun="Listing agent",
    model=ListingAgent,
    section="listing_agents",
    apart=frozenset({"id"}),
    fields=(
        RuleField("mls_id", Words(255, 1), is_required=True, words="MLS number"),
        RuleField("user_id", RuleReference("people"), is_required=True, words="agent"),
    ),
)

CAMPAIGN: Final = RuleKind(  # of which no version is stored, and none is restored
    name="campaigns",
    resource="/campaigns",
    noun="Campaign",
    section="campaigns",
    fields=(
        RuleField("name", Words(255, 1), is_required=True),
        RuleField("is_broker_sharing_on", Flag(), False, words="shared with sub-accounts"),
        RuleField("send_window", SendingHours(), words="sent only"),
        RuleField("first_answer_minutes", Whole(0, MOST_FIRST_ANSWER), 0, words="minutes of a first answer"),
        RuleField("stops_on", SeveralWords(tuple(STOP_EVENTS)), words="stops on"),
        RuleField("pause_on_offer", Flag(), False, words="waits for the claim"),
    ),
)

STEP: Final = RuleKind(  # of campaigns; not restored
    name="campaign_actions",
    resource="/campaigns/:id/actions",
    noun="Campaign step",
    fields=(
        RuleField("type", OneOf(among=ACTION_TYPES), is_required=True),
        RuleField("template_id", RuleReference("templates")),
        RuleField("assigned_user_id", RuleReference("people"), words="done by"),
        RuleField("timing_type", OneOf(among=tuple(TIMINGS)), is_required=True, words="timing"),
        RuleField("delay_by_days", Whole(0), words="delay in days"),
        RuleField("delay_by_seconds", Seconds(0), words="delay"),
        RuleField("dispatch_time", DayTime(), words="time of day"),
        RuleField("dispatch_datetime", RuleMoment(), words="moment"),
        RuleField("recurrence", Words(1_000)),
        RuleField("trigger_type", StepStart(1, 2), words="counted from"),
        RuleField("is_stopped_on_text_reply", Flag(), words="stops on a reply by text"),
        RuleField("description", Words(500)),
        RuleField("send_window", SendingHours(), words="sent only"),
        RuleField("conditions", ConditionTree(STEP_FIELDS)),
        RuleField("variants", Shares()),
        RuleField("smallest_difference", Whole(1, 50), 5, words="smallest difference in percentage points"),
    ),
)

KINDS: Final = (
    TEAM,
    MEMBER,
    OPTION,
    ROUTE,
    LISTING_AGENT,
    CAMPAIGN,
    STEP,
)  # in the order in which differences are listed
BY_NAME: Final = {kind.name: kind for kind in KINDS}
_ID_SUFFIX = re.compile(r"^(?P<name>.*) \(#(?P<id>[0-9]{1,18})\)$", re.DOTALL)


def with_id(name: str, record_id: int) -> str:
    """Returns how a record is named whose name others have as well."""
    return f"{name} (#{record_id})"


def id_in_name(text: str) -> tuple[str, int] | None:
    """Returns name and id of what with_id made, or None."""
    found = _ID_SUFFIX.match(text)
    return (found["name"], int(found["id"])) if found else None


# --------------------------------------------------------------------------------------------- rules between the fields


def settle_route(record: dict[str, Any]) -> dict[str, str]:
    """Clears what has no effect under a route's target and method, in place. Returns what is wrong, by field."""
    record["name"] = record["name"] or None
    if record["team_selection_method"] == "None":
        record["team_selection_method"] = None
    if record["distribution_target"] == "Myself":
        record |= {"team_id": None, "team_selection_method": None}
    elif record["team_selection_method"] == "Zipcode":
        record["team_id"] = None
    elif record["team_selection_method"] == "Specific Team" and record["team_id"] is None:
        return {"team_id": "team_id is required with Specific Team"}
    return {}


def settle_team(record: dict[str, Any]) -> None:
    """Clears what has no effect under the order of a team, in place."""
    if record["order_method"] == "Time":
        record["mins_until_next_alert"] = 0


def settle_option(record: dict[str, Any], order_method: str) -> None:
    """Clears what has no effect under the order of the option's team, in place."""
    if order_method != "Time":
        record["mins_until_lead_offer"] = 0
