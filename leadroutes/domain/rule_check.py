"""The check of a rule set: what in it cannot work, and what is hardly meant. Pure: an account's rules in, findings out.

Each code is a declaration of `CHECKS`; a finding is certain, and names what causes it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leadroutes.domain.checked_rules import CheckedRules, FaultyRecord
from leadroutes.domain.contradictions import contradiction, follows
from leadroutes.domain.lineup import ordered_team
from leadroutes.domain.model import Route
from leadroutes.domain.moments import minutes
from leadroutes.domain.rule_findings import (
    CAMPAIGNS,
    CHANNELS,
    ROUTES,
    SOURCES,
    TEAMS,
    TEMPLATES,
    USERS,
    CheckedAccount,
    CheckedRecord,
    RuleFinding,
    Severity,
)
from leadroutes.domain.windows import can_ever_leave

LONGEST_WAIT: Final = minutes(24 * 60)
MOST_SEEN: Final = 20  # records that a finding refers to
MOST_NAMED: Final = 5  # zipcodes in a message
MOST_COMPARED: Final = 10_000  # pairs of routes whose conditions differ


_CHANNEL_NAMES: Final = {"email": "E-mail", "text": "Texting", "call": "Calling"}
_CHANNELS_OF_STEPS: Final = {"Email Contact": "email", "Text Contact": "text", "Call Contact": "call"}


def check_rules(account: CheckedAccount) -> list[RuleFinding]:
    """Returns all findings, errors first, then in the order of `CHECKS`."""
    view = CheckedRules(account)
    found = [
        RuleFinding(
            code=check.code,
            severity=check.severity,
            resource=cause.resource,
            id=cause.id,
            message=cause.message[0].upper() + cause.message[1:],
            see=tuple(CheckedRecord(*each) for each in list(dict.fromkeys(cause.see))[:MOST_SEEN]),
        )
        for check in CHECKS
        for cause in check.find(view)
    ]
    return sorted(found, key=lambda finding: finding.severity != "error")


def _of(resource: str, records: Sequence[Route]) -> list[tuple[str, int | None]]:
    return [(resource, record.id) for record in records]


# ------------------------------------------------------------------------------------------------------------ errors


def _no_postal_address(view: CheckedRules) -> Iterator[FaultyRecord]:
    routes = view.routes_that_start("Email Contact")
    if routes and not view.account.has_postal_address:
        yield FaultyRecord(
            USERS, view.rules.owner_id,
            "Campaigns that routes start send e-mails, which must end with a postal address; the account has none",
            _of(ROUTES, routes),
        )  # fmt: skip


def _condition_never_true(view: CheckedRules) -> Iterator[FaultyRecord]:
    for route in view.routes:
        if route.conditions is None:
            continue
        impossible = contradiction(route.conditions, route.filter, view.account.custom_fields)
        if impossible is not None:
            said = " and ".join(str(wish) for wish in impossible)
            never = "can never be met" if len(impossible) == 1 else "can never be met together"
            yield FaultyRecord(ROUTES, route.id, f"{view.named(ROUTES, route.id)} takes no lead: {said} {never}")


def _nobody_to_offer_to(view: CheckedRules) -> Iterator[FaultyRecord]:
    for team, routes in view.used_teams:
        if not view.candidates_of(team):
            yield FaultyRecord(
                TEAMS, team.id,
                f"{view.named(TEAMS, team.id)} has no accepted member with a distribution option and an active"
                " account: its leads are offered to the owner",
                _of(ROUTES, routes),
            )  # fmt: skip


def _never_available(view: CheckedRules) -> Iterator[FaultyRecord]:
    never = view.account.never_available
    for team, routes in view.used_teams:
        candidates = view.candidates_of(team)
        if candidates and all((team.id, each.member.user_id) in never for each in candidates):
            first = candidates[0].member.user_id
            yield FaultyRecord(
                TEAMS, team.id,
                f"No member of {view.named(TEAMS, team.id)} is ever available:"
                f" {view.person(first)} {never[team.id, first]}",
                [*((USERS, each.member.user_id) for each in candidates), *_of(ROUTES, routes)],
            )  # fmt: skip


def _no_address(view: CheckedRules) -> Iterator[FaultyRecord]:
    for each in view.candidates:
        person = view.rules.people[each.member.user_id]
        missing = [_ALERTS[channel] for channel in each.channels if channel in _ALERTS]
        if missing and not (person.phone or "").strip():
            yield FaultyRecord(
                *each.reference,
                f"{view.person(each.member.user_id)} is to be alerted by {' and '.join(missing)} in "
                f"{view.named(TEAMS, each.team.id)}, and has no phone number",
                [(USERS, each.member.user_id), (TEAMS, each.team.id)],
            )


_ALERTS: Final = {"call": "call", "text": "text"}  # those that need a phone number


def _step_without_template(view: CheckedRules) -> Iterator[FaultyRecord]:
    for campaign_id, action in view.steps:
        if action.type in _WITH_TEMPLATE and action.template_id is None and not action.variants:
            yield FaultyRecord(
                _steps_of(campaign_id), action.id,
                f"A step of {view.named(CAMPAIGNS, campaign_id)} ({action.type}) has no template:"
                " nothing can be sent",
                [(CAMPAIGNS, campaign_id), *_of(ROUTES, view.started[campaign_id])],
            )  # fmt: skip


_WITH_TEMPLATE: Final = frozenset({"Email Contact", "Text Contact"})


def _steps_of(campaign_id: int) -> str:
    return f"campaigns/{campaign_id}/actions"


def _template_does_not_render(view: CheckedRules) -> Iterator[FaultyRecord]:
    for template_id, campaigns in _using(view, view.account.template_faults).items():
        fault = view.account.template_faults[template_id].rstrip(".")
        named = view.named(TEMPLATES, template_id)
        yield FaultyRecord(TEMPLATES, template_id, f"{named} cannot be filled in: {fault}", campaigns)


def _using(view: CheckedRules, templates: Collection[int]) -> dict[int, list[tuple[str, int | None]]]:
    """Returns those of the templates that campaigns of active routes use, with the campaigns."""
    using: dict[int, list[tuple[str, int | None]]] = {}
    for campaign_id, action in view.steps:
        for template_id in (action.template_id, *(each.template_id for each in action.variants or ())):
            if template_id is not None and template_id in templates:
                using.setdefault(template_id, []).append((CAMPAIGNS, campaign_id))
    return using


def _step_never_sent(view: CheckedRules) -> Iterator[FaultyRecord]:
    sender_zones = {person.timezone for person in view.rules.people.values()}
    for campaign_id, action in view.steps:
        window = view.account.step_windows.get(action.id)
        if window is not None and not can_ever_leave(action.type, window, sender_zones, view.account.sending):
            said = window.in_words
            why = "no hours at all" if said == "at no time" else f"{said}, never within the lawful hours"
            yield FaultyRecord(
                _steps_of(campaign_id), action.id,
                f"A step of {view.named(CAMPAIGNS, campaign_id)} ({action.type}) is never sent: its window has {why}",
                [(CAMPAIGNS, campaign_id), *_of(ROUTES, view.started[campaign_id])],
            )  # fmt: skip


def _owner_cannot_be_told(view: CheckedRules) -> Iterator[FaultyRecord]:
    """Leads that nothing fits, or that no one claims, come to the owner by e-mail, and by text with a phone."""
    owner, channels = view.rule_set.owner, view.rule_set.channels
    fault = view.account.owner_mail_fault
    if not owner.is_active:
        why = "the account of the owner is closed"
    elif "text" in channels and (owner.phone or "").strip():
        return
    elif fault is not None:
        why = f"mail to the owner comes back ({fault.rstrip('.')}), and there is no phone number for texts"
    elif channels and "email" not in channels:
        why = "e-mail is not configured, and there is no phone number for texts"
    else:
        return
    yield FaultyRecord(USERS, view.rules.owner_id, f"Leads that no one else gets cannot reach the owner: {why}")


# ---------------------------------------------------------------------------------------------------------- warnings


def _unreachable_route(view: CheckedRules) -> Iterator[FaultyRecord]:
    """A route is covered by one that is tried earlier. Those with equal conditions are found by a look-up."""
    compared = 0
    earlier: dict[tuple[int, int], list[Route]] = {}
    for route in view.routes:
        before = earlier.setdefault((route.lead_source_id, route.contact_source_id), [])
        for each in before:
            is_compared = each.conditions is not None and each.conditions != route.conditions
            compared += is_compared
            if _filters(each, route) and not (is_compared and compared > MOST_COMPARED) and _covers(each, route):
                yield FaultyRecord(
                    ROUTES, route.id,
                    f"{view.named(ROUTES, route.id)} never gets a lead: {view.named(ROUTES, each.id)} is tried"
                    " before it, and takes all of them",
                    [(ROUTES, each.id)],
                )  # fmt: skip
                break
        else:
            before.append(route)


def _filters(earlier: Route, later: Route) -> bool:
    return (earlier.filter or "").casefold() in ("", (later.filter or "").casefold())


def _covers(earlier: Route, later: Route) -> bool:
    return follows(earlier.conditions, later.conditions, later.filter)


def _zipcode_in_two_teams(view: CheckedRules) -> Iterator[FaultyRecord]:
    shared: dict[tuple[int, int], list[str]] = {}
    for team in view.rules.teams.values():
        for zipcode in team.distribution_zipcodes:
            winner = view.rule_set.team_by_zipcode[zipcode]
            if winner != team.id:
                shared.setdefault((winner, team.id), []).append(zipcode)
    for (winner, loser), zipcodes in shared.items():
        yield FaultyRecord(
            TEAMS, loser,
            f"{view.named(TEAMS, loser)} and {view.named(TEAMS, winner)} both have {_zipcodes(zipcodes)}:"
            f" leads from there go to {view.named(TEAMS, winner)}",
            [(TEAMS, winner)],
        )  # fmt: skip


def _zipcodes(zipcodes: Sequence[str]) -> str:
    *others, last = sorted(zipcodes)
    if not others:
        return f"the zipcode {last}"
    if len(others) < MOST_NAMED:
        return f"the zipcodes {', '.join(others)} and {last}"
    return f"{len(zipcodes)} zipcodes ({', '.join(others[:MOST_NAMED])} …)"


def _no_alert(view: CheckedRules) -> Iterator[FaultyRecord]:
    for each in view.candidates:
        if not each.channels and not each.option.assign_automatically:
            yield FaultyRecord(
                *each.reference,
                f"{view.person(each.member.user_id)} gets no alert about leads of "
                f"{view.named(TEAMS, each.team.id)}, and no lead automatically either",
                [(USERS, each.member.user_id), (TEAMS, each.team.id)],
            )


def _channel_not_configured(view: CheckedRules) -> Iterator[FaultyRecord]:
    using: dict[str, list[tuple[str, int | None]]] = {}
    for each in view.candidates:
        for channel in each.channels:
            using.setdefault(channel, []).append(each.reference)
    for campaign_id, action in view.steps:
        if action.type in _CHANNELS_OF_STEPS:
            using.setdefault(_CHANNELS_OF_STEPS[action.type], []).append((_steps_of(campaign_id), action.id))
    for channel, name in _CHANNEL_NAMES.items():
        if channel in using and channel not in view.rule_set.channels:
            count = len(using[channel])
            uses = "is used once" if count == 1 else f"is used {count} times"
            yield FaultyRecord(
                CHANNELS, None, f"{name} is not configured, and {uses} by alerts and steps of campaigns", using[channel]
            )


def _empty_campaign(view: CheckedRules) -> Iterator[FaultyRecord]:
    for campaign_id, routes in view.started.items():
        if not view.rules.campaigns.get(campaign_id):
            yield FaultyRecord(
                CAMPAIGNS, campaign_id,
                f"{view.named(CAMPAIGNS, campaign_id)} has no steps: the leads of its routes are not followed up",
                _of(ROUTES, routes),
            )  # fmt: skip


def _source_without_route(view: CheckedRules) -> Iterator[FaultyRecord]:
    routed = {route.lead_source_id for route in view.routes}
    for source in view.account.sources:
        if source.id in routed or not (source.leads or source.intake_keys):
            continue
        leads = "1 lead" if source.leads == 1 else f"{source.leads:,} leads"
        why = f"brought {leads} in the last 30 days" if source.leads else "has an intake key"
        yield FaultyRecord(
            SOURCES, source.id,
            f"{view.named(SOURCES, source.id)} {why}, and no active route takes its leads: they are offered to the"
            " owner",
        )  # fmt: skip


def _zipcode_of_nobody(view: CheckedRules) -> Iterator[FaultyRecord]:
    by_zipcode = {route.id for route in view.routes if route.team_selection_method == "Zipcode"}
    unserved: dict[int, dict[str, int]] = {}
    for (route_id, zipcode), leads in view.account.zipcodes_of_nobody.items():
        if route_id in by_zipcode and zipcode not in view.rule_set.team_by_zipcode:
            unserved.setdefault(route_id, {})[zipcode] = leads
    for route_id, leads_of in unserved.items():
        leads = sum(leads_of.values())
        count = "1 lead" if leads == 1 else f"{leads:,} leads"
        yield FaultyRecord(
            ROUTES, route_id,
            f"No team has {_zipcodes(list(leads_of))}, where {count} of {view.named(ROUTES, route_id)} came from"
            " in the last 30 days",
        )  # fmt: skip


def _wait_too_long(view: CheckedRules) -> Iterator[FaultyRecord]:
    for team, routes in view.used_teams:
        queue = ordered_team(view.rule_set, team)
        late = next((place for place, delay in enumerate(queue.delays) if delay > LONGEST_WAIT), None)
        if late is not None:
            yield FaultyRecord(
                TEAMS, team.id,
                f"In {view.named(TEAMS, team.id)} number {late + 1} of the line-up is notified"
                f" {_span(queue.delays[late])} after a lead has come in",
                _of(ROUTES, routes),
            )  # fmt: skip


def _span(span: timedelta) -> str:
    hours, rest = divmod(int(span.total_seconds()) // 60, 60)
    said = f"{hours:,} hours"
    return f"{said} and {rest} {'minute' if rest == 1 else 'minutes'}" if rest else said


def _unknown_template_name(view: CheckedRules) -> Iterator[FaultyRecord]:
    for template_id, campaigns in _using(view, view.account.unknown_names).items():
        names = view.account.unknown_names[template_id]
        said = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
        message = f"{view.named(TEMPLATES, template_id)} uses names that are not known and stay empty: {said}"
        yield FaultyRecord(TEMPLATES, template_id, message, campaigns)


def _texts_without_consent(view: CheckedRules) -> Iterator[FaultyRecord]:
    for route in view.routes_that_start("Text Contact"):
        if route.id in view.account.texts_without_consent:
            yield FaultyRecord(
                ROUTES, route.id,
                f"The campaign of {view.named(ROUTES, route.id)} sends texts, and none of its leads has brought a"
                " consent to texts",
                [(CAMPAIGNS, route.campaign_id)],
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """One code: how bad it is, what it means in the documentation, and the function that finds it."""

    code: str
    severity: Severity
    about: str
    find: Callable[[CheckedRules], Iterator[FaultyRecord]]


CHECKS: Final = (
    RuleCheck("no_postal_address", "error", "an active route starts e-mails, and the owner has no postal address",
              _no_postal_address),
    RuleCheck("condition_never_true", "error", "no lead can meet the conditions of an active route",
              _condition_never_true),
    RuleCheck("nobody_to_offer_to", "error", "a team that gets leads has no accepted member with a distribution option"
              " and an active account", _nobody_to_offer_to),
    RuleCheck("never_available", "error", "all members of a team that gets leads are paused without an end, have no"
              " hours, or a cap of 0", _never_available),
    RuleCheck("no_address", "error", "a distribution option has an alert by text or call, and the member has no phone"
              " number", _no_address),
    RuleCheck("step_without_template", "error", "a step that a route starts has nothing to send",
              _step_without_template),
    RuleCheck("template_does_not_render", "error", "a template that a route's campaign uses cannot be filled in",
              _template_does_not_render),
    RuleCheck("step_never_sent", "error", "a step that a route starts has a window that never lets it go",
              _step_never_sent),
    RuleCheck("owner_cannot_be_told", "error", "no alert can reach the owner, who gets what no one else does",
              _owner_cannot_be_told),
    RuleCheck("unreachable_route", "warning", "an earlier route of the same sources takes every lead that this one"
              " would take", _unreachable_route),
    RuleCheck("zipcode_in_two_teams", "warning", "two teams have the same zipcode; the one with the lower id gets its"
              " leads", _zipcode_in_two_teams),
    RuleCheck("no_alert", "warning", "a distribution option has no alert, and does not assign automatically",
              _no_alert),
    RuleCheck("channel_not_configured", "warning", "an alert or a step uses a channel that is not configured",
              _channel_not_configured),
    RuleCheck("empty_campaign", "warning", "a route starts a campaign without steps", _empty_campaign),
    RuleCheck("source_without_route", "warning", "a lead source has leads of the last 30 days or an intake key, and no"
              " active route", _source_without_route),
    RuleCheck("zipcode_of_nobody", "warning", "leads of the last 30 days came to a route by zipcode from where no team"
              " is", _zipcode_of_nobody),
    RuleCheck("wait_too_long", "warning", "a member of a team that gets leads is notified more than 24 hours after they"
              " came", _wait_too_long),
    RuleCheck("unknown_template_name", "warning", "a template that a route's campaign uses names what is not known",
              _unknown_template_name),
    RuleCheck("texts_without_consent", "warning", "an active route starts texts, and none of its leads has brought a"
              " consent", _texts_without_consent),
)  # fmt: skip
