"""What the check of a rule set looks at, and what it reports. Values only."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from leadroutes.domain.model import RuleSet
from leadroutes.domain.windows import SendingRules, StepWindow

Severity = Literal["error", "warning"]


UNSTORED: Final = 0  # the id of a route that is not stored yet
ROUTES, TEAMS, OPTIONS = "lead-routes", "teams", "team-member-distribution-options"
CAMPAIGNS, TEMPLATES, USERS, SOURCES, CHANNELS = "campaigns", "templates", "users", "lead-sources", "channels"


class CheckedRecord(Struct, frozen=True):
    """A record of the API: `/{resource}/{id}` is its address. A channel has no id."""

    resource: str
    id: int | None


class RuleFinding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, the record that causes it, and further ones to look at."""

    code: str
    severity: Severity
    resource: str
    id: int | None
    message: str
    see: tuple[CheckedRecord, ...] = ()


class UsedSource(Struct, frozen=True, kw_only=True):
    """A lead source with the leads of the last 30 days, and the intake keys that are in force."""

    id: int
    leads: int = 0
    intake_keys: int = 0


class CheckedAccount(Struct, frozen=True, kw_only=True):
    """An owner's rules, and what else the check needs to know.

    `never_available` is by team and user, `zipcodes_of_nobody` by route and zipcode with the number of leads;
    `texts_without_consent`: routes of which no lead has brought a consent to texts. `step_windows`: by step, of those
    that have one. `unknown_names`: by template, of those that use some.
    """

    rule_set: RuleSet
    names: Mapping[str, Mapping[int, str]] = {}  # by resource and id
    has_postal_address: bool = True
    custom_fields: frozenset[str] = frozenset()  # keys of facts, such as custom.shoe size
    template_faults: Mapping[int, str] = {}
    never_available: Mapping[tuple[int, int], str] = {}
    owner_mail_fault: str | None = None  # why mail to the owner comes back
    sources: tuple[UsedSource, ...] = ()
    zipcodes_of_nobody: Mapping[tuple[int, str], int] = {}
    texts_without_consent: frozenset[int] = frozenset()
    unknown_names: Mapping[int, tuple[str, ...]] = {}
    step_windows: Mapping[int, StepWindow] = {}
    sending: SendingRules = SendingRules()
