"""The list of all operations: the methods of each resource from its declaration, and the other calls.

The router, the description and the tests are built from it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from leadroutes.api import intake_calls, lead_calls, message_calls, oauth_calls, reads, service_calls, writes
from leadroutes.api.call import Call, Response
from leadroutes.api.resource import Resource
from leadroutes.api.resources import BY_PATH, RESOURCES
from leadroutes.api.resources.users import ME

RunOperation = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `resource` is what the answer shows, `body` the JSON schema of what it takes."""

    method: str
    path: str
    run: RunOperation
    about: str
    is_public: bool = False  # needs no access token
    answers_all: bool = False  # also for methods that the path does not take, in its own error format
    resource: Resource | None = None
    shows: str = "record"  # 'list', 'record', 'records' (a list without envelope) or 'other'
    status: int = 200
    body: Mapping[str, Any] | None = None


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


_LEADS, _OFFERS = BY_PATH["/leads"], BY_PATH["/leads/:id/offers"]
_LEAD_OFFERS, _ARRIVALS, _MESSAGES = BY_PATH["/lead-offers"], BY_PATH["/arrivals"], BY_PATH["/messages"]
_NO_BODY: Mapping[str, Any] = {"type": "object", "properties": {}}
_USER_ID: Mapping[str, Any] = {
    "type": "object", "properties": {"user_id": {"type": "integer"}}, "required": ["user_id"],
}  # fmt: skip

CALLS = (
    Operation(method="POST", path="/leads", run=lead_calls.post_lead, status=201, resource=_LEADS,
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
    Operation(method="GET", path="/me", run=service_calls.me, resource=ME, about="The user of the access token"),
    Operation(method="PATCH", path="/me", run=service_calls.change_me, resource=ME,
              about="Change your account; email and password need current_password, and email a confirmation"),
    Operation(method="GET", path="/ledger", run=service_calls.ledger, shows="other",
              about="How many leads came, and where they are"),
    Operation(method="GET", path="/arrivals/:id/raw", run=intake_calls.raw_arrival, shows="other",
              about="An arrival byte for byte"),
    Operation(method="POST", path="/arrivals/:id/replay", run=intake_calls.replay_arrival, shows="other", body=_NO_BODY,
              about="Read an arrival again that was rejected or is pending"),
    Operation(method="POST", path="/messages/:id/retry", run=message_calls.retry, resource=_MESSAGES, body=_NO_BODY,
              about="Send a message again that has failed"),
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

OPERATIONS: tuple[Operation, ...] = (
    *(operation for resource in RESOURCES for operation in _of_resource(resource) if resource.path != "/leads"),
    *(operation for operation in _of_resource(_LEADS) if operation.method != "POST"),
    *CALLS,
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
