"""The list of all operations: the methods of each resource from its declaration, and the other calls.

The router, the description and the tests are built from it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from leadroutes.api import (
    account_calls,
    agent_calls,
    campaign_calls,
    channel_calls,
    check_calls,
    contact_calls,
    delegate_calls,
    example_calls,
    holding_calls,
    import_calls,
    intake_calls,
    junk_calls,
    lead_calls,
    message_calls,
    oauth_calls,
    order_calls,
    passed_over_calls,
    personal_data_calls,
    picture_calls,
    provider_calls,
    reads,
    report_calls,
    result_calls,
    rule_calls,
    service_calls,
    source_calls,
    suppression_calls,
    timeline_calls,
    trial_calls,
    webhook_calls,
    writes,
)
from leadroutes.api.call import Call, Response
from leadroutes.api.input_schema import body_schema
from leadroutes.api.lead_contacts import FIELDS as CONTACT_FIELDS
from leadroutes.api.resource import Resource
from leadroutes.api.resources import BY_PATH, RESOURCES
from leadroutes.api.resources.users import ME
from leadroutes.operations.reports import REPORTS

JSON = "application/json"
RunOperation = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `resource` is what the answer shows, `body` the JSON schema of what it takes."""

    method: str
    path: str
    run: RunOperation
    about: str
    is_public: bool = False  # needs no access token
    is_signed: bool = False  # by a provider, whose requests are not limited by their address
    answers_all: bool = False  # also for methods that the path does not take, in its own error format
    resource: Resource | None = None
    shows: str = "record"  # 'list', 'record', 'records' (a list without envelope) or 'other'
    status: int = 200
    body: Mapping[str, Any] | None = None
    parameters: tuple[Mapping[str, Any], ...] = ()  # of the query, in OpenAPI's words; of a list its filters
    other_formats: tuple[str, ...] = ()  # content types of the answer beside `gives`
    takes: str = JSON  # the content type of the body
    gives: str = JSON  # that of the answer


@dataclass(frozen=True, slots=True)
class ApiPath:
    """The operations of a path. `kind` selects the error for a method that is not among them."""

    operations: Mapping[str, Operation]
    kind: str = "other"  # 'collection', 'record' or 'other'
    allowed: tuple[str, ...] = ()
    replaces: bool = False  # a collection whose records take PUT
    for_all: Operation | None = None  # runs for every method


_COLLECTION = {"L": "GET", "C": "POST"}
_RECORD = {"G": "GET", "P": "PATCH", "U": "PUT", "D": "DELETE"}


def _of_resource(resource: Resource) -> list[Operation]:
    noun, kind = resource.noun, resource.noun.partition(" ")[2]
    collection, record = resource.path, f"{resource.path}/:id"
    make = partial(Operation, resource=resource)
    all_ = {
        "L": make(method="GET", path=collection, run=partial(reads.list_records, resource=resource), shows="list",
                  about=f"List: {kind}"),
        "C": make(method="POST", path=collection, run=partial(writes.create, resource=resource), status=201,
                  about=f"Add {noun}"),
        "G": make(method="GET", path=record, run=partial(reads.get_record, resource=resource), about=f"Get {noun}"),
        "P": make(method="PATCH", path=record, run=partial(writes.change, resource=resource),
                  about=f"Change {noun}"),
        "U": make(method="PUT", path=record, run=partial(writes.change, resource=resource),
                  about=f"Replace {noun}"),
        "D": make(method="DELETE", path=record, run=partial(writes.remove, resource=resource),
                  about=f"Remove {noun}"),
    }  # fmt: skip
    return [all_[letter] for letter in resource.methods]


_CONTACTS = BY_PATH["/contacts"]
_EVENTS, _COMMUNICATIONS = BY_PATH["/events"], BY_PATH["/contact-communications"]
_CAMPAIGN_CONTACTS = BY_PATH["/campaigns/:id/contacts"]
_HANDOVERS = BY_PATH["/handovers"]
_LEADS, _OFFERS = BY_PATH["/leads"], BY_PATH["/leads/:id/offers"]
_LEAD_OFFERS, _ARRIVALS, _MESSAGES = BY_PATH["/lead-offers"], BY_PATH["/arrivals"], BY_PATH["/messages"]
_WEBHOOK_DELIVERIES = BY_PATH["/webhooks/:id/deliveries"]
_DELEGATES = BY_PATH["/delegates"]
_NO_BODY: Mapping[str, Any] = {"type": "object", "properties": {}}
_INVITATIONS = BY_PATH["/user-invitations"]


def _needs(name: str) -> Mapping[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


_USER_ID: Mapping[str, Any] = {
    "type": "object", "properties": {"user_id": {"type": "integer"}}, "required": ["user_id"],
}  # fmt: skip

_NOTE: Mapping[str, Any] = {"type": "object", "properties": {"note": {"type": ["string", "null"], "maxLength": 2000}}}
_HANDOVER: Mapping[str, Any] = {
    "type": "object", "properties": {"user_id": {"type": "integer"}, **_NOTE["properties"]}, "required": ["user_id"],
}  # fmt: skip
_ANSWER: Mapping[str, Any] = {
    "type": "object", "properties": {"is_accepted": {"type": "boolean"}, **_NOTE["properties"]},
    "required": ["is_accepted"],
}  # fmt: skip
_ASSIGNMENTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "lead_ids": {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 1,
            "maxItems": holding_calls.MOST_LEADS,
        },
        "user_id": {"type": "integer"},
    },
    "required": ["lead_ids", "user_id"],
}

_MERGE: Mapping[str, Any] = {
    "type": "object", "properties": {"contact_id": {"type": "integer"}}, "required": ["contact_id"],
}  # fmt: skip

_NEW_LEAD: Mapping[str, Any] = {
    "oneOf": [
        {"$ref": "#/components/schemas/NewLead", "required": ["contact_id"]},
        {
            "type": "object",
            "description": "A lead with the person in place of contact_id, who is found by e-mail or phone, or added",
            "properties": {
                "contact": {"type": "object", "properties": {each.name: body_schema(each) for each in CONTACT_FIELDS}}
            },
            "required": ["contact"],
            "not": {"required": ["contact_id"]},
        },
    ]
}

CALLS = (
    Operation(method="POST", path="/leads", run=lead_calls.post_lead, status=201, resource=_LEADS, body=_NEW_LEAD,
              about="Add a lead and route it; with an Idempotency-Key once only"),
    Operation(method="POST", path="/leads/:id/claim", run=lead_calls.claim, resource=_LEADS, body=_NO_BODY,
              about="Claim a lead that you were notified of"),
    Operation(method="POST", path="/leads/:id/assignment", run=lead_calls.assign, resource=_LEADS, body=_USER_ID,
              about="Assign a lead of yours to someone you share a team with"),
    Operation(method="POST", path="/leads/:id/offers", run=lead_calls.distribute, resource=_OFFERS, status=201,
              shows="records", body=_NO_BODY, about="Route a lead that is held, and list its offers"),
    Operation(method="GET", path="/leads/:id/routing", run=lead_calls.explain, shows="other",
              about="Explain the routing of a lead"),
    Operation(method="GET", path="/leads/:id/history", run=lead_calls.history, shows="other",
              about="What happened to a lead, in order"),
    Operation(method="POST", path="/lead-offers/:id/decline", run=lead_calls.decline, resource=_LEAD_OFFERS,
              body=_NO_BODY, about="Decline an offer of a lead"),
    Operation(method="POST", path="/lead-routes/order", run=order_calls.order_routes, resource=BY_PATH["/lead-routes"],
              shows="records", body=order_calls.ROUTES_BODY, about="Put the routes of a lead source in order"),
    Operation(method="POST", path="/teams/:id/members/order", run=order_calls.order_members,
              resource=BY_PATH["/team-member-distribution-options"], shows="records", body=order_calls.LINE_UP_BODY,
              about="Put the members of a team in order; those in one list are notified together"),
    Operation(method="DELETE", path="/lead-offers/:id/decline", run=lead_calls.undo_decline, resource=_LEAD_OFFERS,
              about="Take a decline back, within 10 minutes and while the lead is open"),
    Operation(method="POST", path="/leads/:id/give-back", run=holding_calls.give_back, resource=_LEADS, body=_NOTE,
              about="End the claim of a lead, and offer it again to the rest of its line-up"),
    Operation(method="POST", path="/leads/:id/junk", run=junk_calls.mark, resource=_LEADS, body=junk_calls.BODY,
              about="Say that a lead is junk, and why; no one is offered it any more"),
    Operation(method="DELETE", path="/leads/:id/junk", run=junk_calls.undo, resource=_LEADS,
              about="Say that a lead is not junk after all; offers and campaign steps do not come back"),
    Operation(method="POST", path="/leads/:id/handover", run=holding_calls.hand_lead_over, resource=_HANDOVERS,
              status=201, body=_HANDOVER, about="Pass a lead that you have to a colleague, or ask its owner"),
    Operation(method="POST", path="/handovers/:id/answer", run=holding_calls.answer, resource=_HANDOVERS, body=_ANSWER,
              about="Accept or decline that a lead is passed on"),
    Operation(method="POST", path="/leads/assignments", run=holding_calls.assign_many, shows="other",
              body=_ASSIGNMENTS, about="Assign many leads of yours at once; what became of each"),
    Operation(method="POST", path="/contacts/:id/merge", run=contact_calls.merge, resource=_CONTACTS, body=_MERGE,
              about="Merge another contact into this one, which remains"),
    Operation(method="POST", path="/contacts/:id/conversation", run=contact_calls.note_conversation, resource=_EVENTS,
              status=201, body=_NOTE, about="Record that you have talked with a contact"),
    Operation(method="GET", path="/contacts/:id/upcoming", run=timeline_calls.upcoming, resource=_COMMUNICATIONS,
              shows="records", about="What campaigns will send to a contact, the next one first"),
    Operation(method="GET", path="/contacts/:id/timeline", run=timeline_calls.timeline_of_contact, shows="other",
              about="What happened with a contact and its leads, newest first; $before=KEY goes on"),
    Operation(method="GET", path="/leads/:id/timeline", run=timeline_calls.timeline_of_lead, shows="other",
              about="What happened with a lead and its contact, newest first; $before=KEY goes on"),
    Operation(method="GET", path="/inbox", run=timeline_calls.inbox, shows="other",
              about="Offers to claim, leads to be in touch about, tasks and calls, $limit of each; and invitations"),
    Operation(method="GET", path="/passed-over", run=passed_over_calls.passed_over, shows="other",
              about="Leads of the last 30 days that have passed you by, and why; $limit and $skip"),
    Operation(method="GET", path="/campaigns/:id/preview", run=campaign_calls.preview, shows="other",
              parameters=campaign_calls.PREVIEW_PARAMETERS,
              about="What a campaign sends to a contact, when, and by which rule: as if it started now, or as it runs"),
    Operation(method="GET", path="/calendar", run=campaign_calls.calendar, shows="other",
              parameters=campaign_calls.CALENDAR_PARAMETERS,
              about="How many messages of campaigns leave on each day, by channel"),
    Operation(method="POST", path="/campaigns/:id/contacts/:id/resumption", run=contact_calls.resume_campaign,
              resource=_CAMPAIGN_CONTACTS, body=_NO_BODY, about="Let a campaign go on that was stopped for a contact"),
    Operation(method="GET", path="/campaigns/:id/results", run=result_calls.show_results, shows="other",
              about="What came of the messages of a campaign to your contacts, by step and template"),
    Operation(method="POST", path="/delegates/:id/acceptance", run=delegate_calls.accept, resource=_DELEGATES,
              body=_NO_BODY, about="Agree to act for the owner who invited you"),
    Operation(method="GET", path="/me", run=service_calls.me, resource=ME, about="The user of the access token"),
    Operation(method="PATCH", path="/me", run=service_calls.change_me, resource=ME,
              about="Change your account; email and password need current_password, and email a confirmation"),
    Operation(method="PUT", path="/me/picture", run=picture_calls.put_my_picture, resource=ME,
              body=picture_calls.PICTURE, takes="image/*", about="Set your picture"),
    Operation(method="DELETE", path="/me/picture", run=picture_calls.delete_my_picture, resource=ME,
              about="Remove your picture"),
    Operation(method="PUT", path="/users/:id/picture", run=picture_calls.put_picture, resource=BY_PATH["/users"],
              body=picture_calls.PICTURE, takes="image/*", about="Set the picture of a user, for administrators"),
    Operation(method="DELETE", path="/users/:id/picture", run=picture_calls.delete_picture, resource=BY_PATH["/users"],
              about="Remove the picture of a user, for administrators"),
    Operation(method="GET", path="/pictures/:key", run=picture_calls.show_picture, is_public=True, shows="other",
              gives="image/jpeg",
              about="A picture of a user"),
    Operation(method="GET", path="/me/second-factor", run=account_calls.second_factor, shows="other",
              about="Whether you have a second factor at sign-in, and whether you need one"),
    Operation(method="POST", path="/me/second-factor", run=account_calls.begin_second_factor, shows="other", status=201,
              body=_needs("current_password"), about="Get a secret for an authenticator app"),
    Operation(method="POST", path="/me/second-factor/confirm", run=account_calls.confirm_second_factor, shows="other",
              body=_needs("code"), about="Put the second factor into force; the recovery codes are shown once"),
    Operation(method="POST", path="/me/second-factor/recovery-codes", run=account_calls.renew_recovery_codes,
              shows="other", body=_needs("current_password"),
              about="Replace your recovery codes; the new ones are shown once"),
    Operation(method="DELETE", path="/me/second-factor", run=account_calls.remove_own_second_factor, shows="other",
              body=_needs("current_password"), about="Remove your second factor"),
    Operation(method="DELETE", path="/users/:id/second-factor", run=account_calls.remove_users_second_factor,
              shows="other", about="Remove the second factor of a user who has lost it, as an administrator"),
    Operation(method="POST", path="/users/:id/sign-out", run=account_calls.sign_out_user, shows="other", body=_NO_BODY,
              about="End all sessions of a user: your own, or any as an administrator"),
    Operation(method="POST", path="/users/:id/password-link", run=account_calls.make_password_link, shows="other",
              status=201, body=_NO_BODY, about="Send a user a link that sets a password, as an administrator"),
    Operation(method="POST", path="/user-invitations/:id/send", run=account_calls.send_invitation,
              resource=_INVITATIONS, body=_NO_BODY, about="Send an invitation again, with a new link"),
    Operation(method="POST", path="/rules/trials", run=trial_calls.begin, shows="other", status=202,
              body=trial_calls.BODY, about="Try a draft of rules on your past leads"),
    Operation(method="GET", path="/rules/trials/:id", run=trial_calls.show, shows="other",
              about="A trial of yours: how far it is, and what the draft would have changed"),
    Operation(method="GET", path="/rules/check", run=check_calls.check, shows="other",
              about="What in your rules cannot work, and what is hardly meant"),
    Operation(method="GET", path="/ledger", run=service_calls.ledger, shows="other",
              about="How many leads came, and where they are"),
    Operation(method="GET", path="/arrivals/:id/raw", run=intake_calls.raw_arrival, shows="other",
              gives="application/octet-stream",
              about="An arrival byte for byte"),
    Operation(method="POST", path="/arrivals/:id/replay", run=intake_calls.replay_arrival, shows="other", body=_NO_BODY,
              about="Read an arrival again that was rejected or is pending"),
    Operation(method="GET", path="/arrivals/:id/reading", run=source_calls.reading, shows="other",
              about="An arrival as text, and what is read in it"),
    Operation(method="POST", path="/arrivals/:id/correction", run=source_calls.correct_arrival, shows="other",
              body=source_calls.CORRECTION, about="Write what is to be read in an arrival instead, and read it again"),
    Operation(method="POST", path="/arrivals/:id/handled", run=source_calls.mark_handled, resource=_ARRIVALS,
              body=_NO_BODY, about="Mark a rejected arrival as handled"),
    Operation(method="DELETE", path="/arrivals/:id/handled", run=source_calls.unmark_handled, resource=_ARRIVALS,
              about="Open a rejected arrival again that was marked as handled"),
    Operation(method="POST", path="/intake-keys/:id/rotate", run=source_calls.rotate, shows="other",
              body=source_calls.ROTATION, about="Replace an intake key; the old one works on for some days"),
    Operation(method="POST", path="/intake-keys/:id/test-lead", run=source_calls.send_test, resource=_LEADS, status=201,
              body=source_calls.TEST_LEAD, about="Make a test lead with your own addresses, which is counted nowhere"),
    Operation(method="DELETE", path="/test-leads", run=source_calls.remove_tests, shows="other",
              about="Remove all your test leads"),
    Operation(method="GET", path="/intake-vendors", run=source_calls.show_vendors, shows="other",
              about="How leads come from each vendor, step by step"),
    Operation(method="POST", path="/imports", run=import_calls.send_file, resource=BY_PATH["/imports"], status=201,
              body=import_calls.FILE, takes="text/csv", about="Send a file of past leads"),
    Operation(method="POST", path="/imports/:id/dry-run", run=import_calls.check, resource=BY_PATH["/imports"],
              status=202, body=_NO_BODY, about="Check all rows of an import, and store nothing of them"),
    Operation(method="POST", path="/imports/:id/start", run=import_calls.start, resource=BY_PATH["/imports"],
              status=202, body=_NO_BODY, about="Begin an import"),
    Operation(method="GET", path="/imports/:id/report", run=import_calls.report, shows="other", gives="text/csv",
              about="The rows of an import that were rejected, have a warning or were joined to someone, as CSV"),
    Operation(method="POST", path="/suppressions/import", run=suppression_calls.import_file, shows="other",
              body=suppression_calls.FILE, takes="text/csv",
              about="Add a list of addresses that must not be written to"),
    Operation(method="GET", path="/suppressions/export", run=suppression_calls.export_file, shows="other",
              gives="text/csv", about="The list of addresses that must not be written to, as CSV"),
    Operation(method="GET", path="/contacts/:id/export", run=personal_data_calls.export, shows="other",
              about="Everything that is stored about a contact"),
    Operation(method="POST", path="/contacts/:id/erasure", run=personal_data_calls.erase, shows="other", body=_NO_BODY,
              about="Remove all personal data of a contact"),
    Operation(method="GET", path="/example-brokerage", run=example_calls.show, shows="other",
              about="Whether the example brokerage is loaded, or can be, for administrators"),
    Operation(method="POST", path="/example-brokerage", run=example_calls.load, shows="other", status=201,
              body=_NO_BODY, about="Load the example brokerage, before the first real lead"),
    Operation(method="DELETE", path="/example-brokerage", run=example_calls.remove, shows="other",
              about="Remove the example brokerage as a whole"),
    Operation(method="GET", path="/channels", run=channel_calls.show_channels, shows="other",
              about="The channels of the installation and whether they work, for administrators"),
    Operation(method="POST", path="/channels/email/test", run=channel_calls.send_test_mail, shows="other",
              body=_NO_BODY, about="Send yourself a mail to try the e-mail channel, for administrators"),
    Operation(method="POST", path="/channels/text/test", run=channel_calls.send_test_text, shows="other",
              body=_NO_BODY, about="Send yourself a text to try the channel for texts, for administrators"),
    Operation(method="POST", path="/messages/:id/retry", run=message_calls.retry, resource=_MESSAGES, body=_NO_BODY,
              about="Send a message again that has failed"),
    Operation(method="POST", path="/webhooks/:id/rotation", run=webhook_calls.rotate, resource=BY_PATH["/webhooks"],
              body=_NO_BODY, about="Replace the secret of a webhook; for a day the old one signs as well"),
    Operation(method="POST", path="/webhooks/:id/test", run=webhook_calls.send_test, resource=_WEBHOOK_DELIVERIES,
              status=201, body=_NO_BODY, about="Send a test to a webhook"),
    Operation(method="POST", path="/webhooks/:id/deliveries/:id/retry", run=webhook_calls.retry,
              resource=_WEBHOOK_DELIVERIES, body=_NO_BODY, about="Send a delivery to a webhook again"),
    Operation(method="GET", path="/rules/versions", run=rule_calls.show_versions, shows="other",
              about="The versions of your rules, newest first: what each changed, who made it and when"),
    Operation(method="GET", path="/rules/versions/:id", run=rule_calls.show_version, shows="other",
              about="Get a version of your rules"),
    Operation(method="GET", path="/rules/versions/:id/changes", run=rule_calls.show_changes, shows="other",
              parameters=rule_calls.SINCE_PARAMETER, about="The net difference between two versions of your rules"),
    Operation(method="POST", path="/rules/versions/:id/restore", run=rule_calls.restore, shows="other", body=_NO_BODY,
              about="Bring routes, teams, options and listing agents to what they were in a version"),
    Operation(method="GET", path="/rules/document", run=rule_calls.show_document, shows="other",
              parameters=rule_calls.FORMAT_PARAMETER, other_formats=("application/yaml",),
              about="Your rules as a document, by names"),
    Operation(method="PUT", path="/rules/document", run=rule_calls.put_document, shows="other",
              body=rule_calls.DOCUMENT, parameters=rule_calls.LOAD_PARAMETERS,
              about="Make your rules what a document says; what it does not name stays, unless prune is true"),
    Operation(method="POST", path="/intake/:key", run=intake_calls.ingest, is_public=True, shows="other", status=201,
              body={"description": "a lead in any known format"}, about="Take a lead in, in any known format"),
    Operation(method="GET", path="/intake/:key", run=intake_calls.verify, is_public=True, shows="other",
              about="Answer the challenge of a platform that verifies the address"),
    Operation(method="POST", path="/v1/events", run=intake_calls.ingest_event, is_public=True, shows="other",
              status=201, body={"description": "an event as sites send it to Follow Up Boss"},
              about="Take a lead in from a sender to Follow Up Boss; the intake key is the user name of Basic auth"),
    Operation(method="POST", path="/intake-keys/:id/trials", run=intake_calls.try_body, shows="other",
              body={"description": "a body as a lead source sends it"},
              about="See what would be read in a body, and where the lead would go"),
    Operation(method="POST", path="/oauth2/token", run=oauth_calls.token, is_public=True, answers_all=True,
              shows="token", body=oauth_calls.TOKEN_FIELDS, about="Get an access token for a code or a refresh token"),
    Operation(method="POST", path="/oauth2/revoke", run=oauth_calls.revoke, is_public=True, answers_all=True,
              shows="other", body=oauth_calls.REVOCATION_FIELDS, about="Revoke a token"),
    Operation(method="GET", path="/healthz", run=service_calls.is_alive, is_public=True, shows="other",
              about="Whether this process answers"),
    Operation(method="GET", path="/readyz", run=service_calls.is_ready, is_public=True, shows="other",
              about="Whether the database and a worker are available"),
    Operation(method="GET", path="/metrics", run=service_calls.show_metrics, is_public=True, shows="other",
              about="Metrics for Prometheus, if they are switched on"),
)  # fmt: skip

REPORT_CALLS = tuple(
    Operation(method="GET", path=f"/reports/{each.name}", run=partial(report_calls.show_report, report=each),
              shows="other", about=each.about, parameters=report_calls.parameters_of(each), other_formats=("text/csv",))
    for each in REPORTS
)  # fmt: skip

PROVIDER_CALLS = tuple(
    Operation(method="POST", path=each.path, run=partial(provider_calls.answer, kind=each), is_public=True,
              is_signed=True, shows="other", takes=provider_calls.FORM, gives=provider_calls.TWIML, about=each.about,
              body={"type": "object", "description": "the fields that the provider sends, signed by it"})
    for each in (*provider_calls.PROVIDER_REQUESTS, agent_calls.CALL_STEP)
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (
    *(operation for resource in RESOURCES for operation in _of_resource(resource) if resource.path != "/leads"),
    *(operation for operation in _of_resource(_LEADS) if operation.method != "POST"),
    *CALLS,
    *PROVIDER_CALLS,
    *REPORT_CALLS,
)


def collect(operations: tuple[Operation, ...]) -> dict[str, ApiPath]:
    """Returns the operations by path."""
    grouped: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        grouped.setdefault(operation.path, {})[operation.method] = operation
    records = {f"{resource.path}/:id" for resource in RESOURCES}
    paths = {}
    for path, methods in grouped.items():
        kind = "collection" if path in BY_PATH else "record" if path in records else "other"
        allowed = tuple(name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") if _takes(methods, name))
        replaces = path in BY_PATH and "U" in BY_PATH[path].methods
        for_all = next((each for each in methods.values() if each.answers_all), None)
        paths[path] = ApiPath(methods, kind, (*allowed, "OPTIONS"), replaces, for_all)
    return paths


def _takes(methods: Mapping[str, Operation], name: str) -> bool:
    return name in methods or (name == "HEAD" and "GET" in methods)
