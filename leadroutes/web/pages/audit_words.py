"""Acts in words: what someone did, to what, and what was before and after. It reads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadroutes.api.resources import BY_PATH

LONGEST = 600  # characters of a value on the page
VERBS: Final = {"POST": "made", "PATCH": "changed", "PUT": "replaced", "DELETE": "removed"}
OTHER_ACTS: Final[Mapping[tuple[str, str], str]] = {
    ("PATCH", "/me"): "changed their own account",
    ("PUT", "/me/picture"): "changed their own picture",
    ("DELETE", "/me/picture"): "removed their own picture",
    ("PUT", "/users/:id/picture"): "changed the picture of a user",
    ("DELETE", "/users/:id/picture"): "removed the picture of a user",
    ("POST", "/users/:id/sign-out"): "signed a user out everywhere",
    ("POST", "/users/:id/password-link"): "made a link that sets a password",
    ("DELETE", "/users/:id/second-factor"): "removed the second factor of a user",
    ("POST", "/user-invitations"): "invited a user",
    ("POST", "/user-invitations/:id/send"): "sent the invitation of a user again",
    ("DELETE", "/user-invitations/:id"): "took back the invitation of a user",
    ("DELETE", "/user-invitations"): "took back the invitation of a user",
    ("DELETE", "/sessions"): "signed a browser out",
    ("DELETE", "/trusted-browsers"): "ended the trust in a browser",
    ("POST", "/push-subscriptions"): "allowed notifications in a browser",
    ("DELETE", "/push-subscriptions"): "ended the notifications of a browser",
    ("PATCH", "/alert-preferences"): "changed which alerts reach them",
    ("POST", "/delegates"): "invited someone to act for the account",
    ("DELETE", "/delegates"): "removed a delegate",
    ("POST", "/delegates/:id/acceptance"): "agreed to act for the account",
    ("POST", "/team-members"): "invited a member into a team",
    ("POST", "/leads/:id/claim"): "claimed a lead",
    ("POST", "/leads/:id/assignment"): "assigned a lead",
    ("POST", "/leads/assignments"): "assigned several leads",
    ("POST", "/leads/:id/offers"): "had a held lead offered",
    ("POST", "/leads/:id/give-back"): "gave a lead back",
    ("POST", "/leads/:id/junk"): "said that a lead is junk",
    ("DELETE", "/leads/:id/junk"): "said that a lead is not junk after all",
    ("POST", "/leads/:id/handover"): "passed a lead on, or asked to",
    ("POST", "/handovers/:id/answer"): "answered whether a lead may be passed on",
    ("POST", "/lead-offers/:id/decline"): "passed on an offer",
    ("DELETE", "/lead-offers/:id/decline"): "took back that an offer was passed on",
    ("POST", "/lead-routes/order"): "put the routes of a source in another order",
    ("POST", "/teams/:id/members/order"): "put the line-up of a team in another order",
    ("PUT", "/rules/document"): "loaded rules from a document",
    ("POST", "/rules/versions/:id/restore"): "brought an earlier version of the rules back",
    ("POST", "/contacts/:id/merge"): "merged two contacts",
    ("POST", "/contacts/:id/conversation"): "noted a conversation with a contact",
    ("POST", "/contacts/:id/erasure"): "erased a contact",
    ("POST", "/campaigns/:id/contacts"): "started a campaign for a contact",
    ("DELETE", "/campaigns/:id/contacts"): "stopped a campaign for a contact",
    ("POST", "/campaigns/:id/contacts/:id/resumption"): "let a stopped campaign go on",
    ("POST", "/arrivals/:id/replay"): "had an arrival read again",
    ("POST", "/arrivals/:id/correction"): "corrected an arrival",
    ("POST", "/arrivals/:id/handled"): "marked an arrival as handled",
    ("DELETE", "/arrivals/:id/handled"): "marked an arrival as open again",
    ("POST", "/intake-keys/:id/rotate"): "replaced the secret of an intake key",
    ("POST", "/intake-keys/:id/test-lead"): "sent a test lead",
    ("DELETE", "/test-leads"): "removed the test leads",
    ("POST", "/consents"): "recorded what a contact agreed to",
    ("POST", "/suppressions/import"): "brought in a list of addresses that are not written to",
    ("POST", "/imports"): "sent a file to import",
    ("POST", "/imports/:id/dry-run"): "had a file checked",
    ("POST", "/imports/:id/start"): "began an import",
    ("POST", "/messages/:id/retry"): "sent a message again",
    ("POST", "/webhooks/:id/rotation"): "replaced the secret of a webhook",
    ("POST", "/webhooks/:id/test"): "sent a test to a webhook",
    ("POST", "/webhooks/:id/deliveries/:id/retry"): "sent an event to a webhook again",
    ("POST", "/example-brokerage"): "loaded the example brokerage",
    ("DELETE", "/example-brokerage"): "removed the example brokerage",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What the page may be narrowed to: paths of the API that are about the same things."""

    words: str
    resources: tuple[str, ...]


def _below(*words: str) -> tuple[str, ...]:
    """Returns the paths of resources and of other acts that begin with one of these words."""
    paths = [*BY_PATH, *[path for _, path in OTHER_ACTS]]
    return tuple(dict.fromkeys(path for path in paths if path.split("/")[1] in words))


KINDS: Final[Mapping[str, Kind]] = {
    "routes": Kind("routes and listing agents", _below("lead-routes", "rules", "listing-agents")),
    "teams": Kind("teams and line-ups", _below("teams", "team-members", "team-member-distribution-options")),
    "sources": Kind("sources and arrivals", _below("lead-sources", "contact-sources", "intake-keys", "arrivals")),
    "campaigns": Kind("campaigns, templates and messages", _below(
        "campaigns", "contact-communications", "templates", "template-folders", "messages",
    )),
    "leads": Kind("leads", _below("leads", "lead-offers", "handovers", "test-leads")),
    "contacts": Kind(
        "contacts",
        _below("contacts", "tasks", "events", "suppressions", "consents", "tags", "custom-fields", "hotnesses"),
    ),
    "people": Kind("people, rights and availability", _below(
        "users", "me", "user-invitations", "delegates", "sub-accounts", "sessions", "trusted-browsers",
        "phone-numbers", "push-subscriptions", "alert-preferences", "availabilities", "time-off", "signatures",
    )),
    "webhooks": Kind("webhooks", _below("webhooks")),
    "imports": Kind("imports", _below("imports", "example-brokerage")),
}  # fmt: skip
PLACES: Final = {
    "/lead-routes": "/routes/{}",
    "/teams": "/teams/{}",
    "/campaigns": "/campaigns/{}",
    "/templates": "/templates/{}",
    "/leads": "/leads/{}",
    "/contacts": "/contacts/{}",
    "/users": "/people/{}",
    "/webhooks": "/webhooks/{}",
}


def act_in_words(entry: Mapping[str, Any]) -> str:
    """Returns what was done, such as `changed a lead route`."""
    method, path = entry["method"], entry["resource"]
    if words := OTHER_ACTS.get((method, path)):
        return words
    resource = BY_PATH.get(path)
    return f"{VERBS.get(method, method)} {resource.noun}" if resource else f"{method} {path}"


def place_of(entry: Mapping[str, Any]) -> str:
    """Returns the page of the record, below /app; "" where there is none, or not any more."""
    path: str = entry["resource"]
    pattern = PLACES.get("/" + path.split("/")[1])
    is_one = entry["method"] != "DELETE" if path in PLACES else path.count(":id") == 1 and not _has_own_records(path)
    return pattern.format(entry["record_id"]) if pattern and is_one and entry["record_id"] is not None else ""


def _has_own_records(path: str) -> bool:
    """Returns whether what is written at a path below a record has ids of its own, such as the steps of a campaign."""
    resource = BY_PATH.get(path)
    return resource is not None and not set(resource.methods) <= set("LG")


def users_in(entries: Iterable[Mapping[str, Any]]) -> set[int]:
    """Returns the ids of all users that these entries mention."""
    named = {entry[name] for entry in entries for name in ("user_id", "owner_user_id")}
    for entry in entries:
        for change in entry["changes"]:
            if _is_user(change["field"]):
                named |= {change[side] for side in ("before", "after") if isinstance(change.get(side), int)}
    return named


def changes_in_words(changes: Sequence[Mapping[str, Any]], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Returns for each field its name, and its values before and after; None where they are not recorded."""
    return [
        {
            "field": _field(change["field"]),
            "before": _value(change["field"], change["before"], names) if "before" in change else None,
            "after": _value(change["field"], change["after"], names) if "after" in change else None,
        }
        for change in changes
    ]


def _field(name: str) -> str:
    words = name.removeprefix("is_").removeprefix("has_").removesuffix("_id").replace("_", " ")
    return words.replace("mins ", "minutes ")


def _is_user(field: str) -> bool:
    return field == "user_id" or field.endswith("_user_id")


def _value(field: str, value: Any, names: Mapping[int, str]) -> str:
    match value:
        case None | "" | []:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case int() if _is_user(field):
            return names.get(value) or f"user {value}"
        case int() if field.endswith("_id"):
            return f"number {value}"
        case list():
            text = ", ".join(_value(field, each, names) for each in value)
        case dict():
            text = ", ".join(f"{name}: {_value(name, each, names)}" for name, each in value.items())
        case _:
            text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
