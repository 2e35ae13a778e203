"""What a campaign would send to a contact, when, and by which rule: as if it started now, or as it runs.

Nothing is stored. Moments are found by the decisions of the worker, words by the composition of the delivery.
"""

import asyncio
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec
from msgspec.structs import replace

from leadroutes.channels.words import campaign_template_input
from leadroutes.domain.campaign import plan_steps
from leadroutes.domain.condition_fields import CUSTOM, STEP_FIELDS
from leadroutes.domain.conditions import Conditions, conditions_in
from leadroutes.domain.forecast import Forecast, forecast
from leadroutes.domain.message import MessageStatus, MessageTemplate, OutgoingMessage
from leadroutes.domain.segments import count_segments
from leadroutes.domain.step_facts import SKIPPED, UNREADABLE, step_facts, why_skipped
from leadroutes.domain.template import MessageContent
from leadroutes.domain.variants import template_for
from leadroutes.domain.windows import CALL, TEXT, SendingRules, StepFacts
from leadroutes.engine.campaigns import first_moments
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.templates import COMPOSE_MESSAGE
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.store import statement
from leadroutes.store.campaigns import load_actions
from leadroutes.store.contacts import load_contact
from leadroutes.store.drips import MessageRecords, load_previews
from leadroutes.store.facts import load_step_state
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.windows import NOWHERE, facts_of, load_step_facts, places

MAIL: Final = "Email Contact"
CHANNELS: Final = {MAIL: "email", TEXT: "text", CALL: "call"}
PAUSED: Final = "until someone has the lead"
LONG_TEXT: Final = 3  # segments, above which a text is worth a word
AT_ONCE: Final = 16  # templates that one preview has filled in at the same time; others may want the sandbox, too


class _OtherTexts(NamedTuple):
    """The texts of other campaigns that the contact is to get: when they leave, by id, and what they depend on."""

    facts: Mapping[int, StepFacts]
    rows: Sequence[asyncpg.Record]


class _Looked(NamedTuple):
    """A step that is to be looked at; `id` None: it is not made yet. `is_dropped`: it will say nothing."""

    id: int | None
    action_id: int | None  # None: of another campaign
    facts: StepFacts
    is_dropped: bool


_Loaded = tuple[list[asyncpg.Record], dict[int, datetime], _OtherTexts]


async def preview_campaign(
    database: Database, rules: SendingRules, public_url: str, owner_id: int, campaign_id: int, contact_id: int
) -> list[dict[str, Any]]:
    """Returns the steps in the order in which they leave; what does not leave is shown at its moment."""
    now = database.clock.now()

    async def work(transaction: Transaction) -> _Loaded:
        return await _load(transaction, owner_id, campaign_id, contact_id, now)

    rows, moments, others = await database.run(work)
    rows = [row for row in rows if row["action_id"] in moments]
    shown = await _words_of_all(database, public_url, rows, owner_id, contact_id)
    unmet = await _unmet_conditions(database, rows, owner_id, contact_id, now)
    to_leave = [row for row in rows if row["type"] in CHANNELS and _is_to_leave(row, moments[row["action_id"]], now)]
    worded = {each["action_id"] for each in shown if each["text_body"] is not None}
    silent = await _silent_texts(database, public_url, others.rows, owner_id, contact_id, now)
    steps = [
        _Looked(
            row["communication_id"], row["action_id"], _facts(row, moments[row["action_id"]]),
            is_dropped=_is_dropped(row, worded, unmet),
        )
        for row in to_leave
    ]  # fmt: skip
    steps += [_Looked(each, None, facts, each in silent) for each, facts in others.facts.items()]
    forecasts = _forecasts(steps, now, rules)
    for row, each in zip(rows, shown, strict=True):
        moment = moments[row["action_id"]]
        each.update(_when(row, moment, forecasts.get(row["action_id"])))
        each["warnings"] += _warnings(row, each, rules, now, moment)
        each["warnings"] += unmet.get(row["action_id"], [])
    shown.sort(key=lambda each: (each["leaves_at"] or each["moment"], each["action_id"]))
    if shown and (why := rows[0]["stopped"]):
        shown[0]["warnings"].append(f"The campaign has ended for the contact ({why}): this is as if it began anew")
    return shown


async def _load(transaction: Transaction, owner_id: int, campaign_id: int, contact_id: int, now: datetime) -> _Loaded:
    """Returns the actions, the moments of their steps, and the other texts that the contact is to get."""
    key = {"owner_id": owner_id, "contact_id": contact_id}
    actions = await load_actions(transaction, campaign_id)
    templates = {each.id: template_for(each, campaign_id, contact_id) for each in actions}
    wanted = {"action_ids": list(templates), "template_ids": list(templates.values())}
    rows = await transaction.fetch(
        *statement("load_preview_steps").bind(**key, **wanted, campaign_id=campaign_id, now=now)
    )
    if not rows:
        return [], {}, _OtherTexts({}, ())
    contact = await load_contact(transaction, owner_id, contact_id)
    zone = await transaction.fetchval(*statement("find_timezone").bind(user_id=contact.assigned_user_id or owner_id))
    start, first = rows[0]["started_at"] or now, first_moments(owner_id)
    planned = plan_steps(actions, start, contact.time_zone or zone, contact.birthday, first.first)
    first.demand()
    moments = {step.action.id: step.due_at for step in planned}
    moments |= {row["action_id"]: row["send_at"] for row in rows if row["send_at"] is not None}
    others = await transaction.fetch(*statement("list_other_texts").bind(**key, run_id=rows[0]["run_id"]))
    loaded = await load_step_facts(transaction, others, now) if others else []
    return rows, moments, _OtherTexts({row["id"]: facts_of(row) for row in loaded}, others)


def _is_to_leave(row: asyncpg.Record, moment: datetime, now: datetime) -> bool:
    """Whether the step is still to leave: it waits in the run, or would be made by a start, unless it is past then."""
    if row["send_at"] is not None:
        return row["is_active"] and row["taken_at"] is None and not row["pauses"]
    return row["run_id"] is None and moment >= now


def _is_dropped(row: asyncpg.Record, worded: Container[int], unmet: Container[int]) -> bool:
    """Whether a text will say nothing once it is its turn, as things are."""
    says_something = row["action_id"] in worded and row["action_id"] not in unmet
    return not says_something or row["suppressed_because"] is not None


def _forecasts(steps: list[_Looked], now: datetime, rules: SendingRules) -> dict[int | None, Forecast]:
    """Returns when the steps of the campaign leave, by action. Of one moment, the one with the lowest id is first."""
    steps.sort(key=lambda each: (each.id is None, each.id or 0))
    unsent = {place for place, each in enumerate(steps) if each.is_dropped or not rules.has_provider}
    found = forecast([each.facts for each in steps], now, rules, unsent)
    return {step.action_id: each for step, each in zip(steps, found, strict=True)}


def _is_paused(row: asyncpg.Record) -> bool:
    """Whether the step waits until someone has the lead, or will at its moment."""
    return bool(row["is_active"] and (row["is_held"] or (row["taken_at"] is None and row["pauses"])))


async def _unmet_conditions(
    database: Database, rows: Sequence[asyncpg.Record], owner_id: int, contact_id: int, now: datetime
) -> dict[int, list[str]]:
    """Returns a warning for each step that is to come and whose conditions do not hold now, by action."""
    asked = {
        row["action_id"]: conditions_in(row["conditions"], STEP_FIELDS)
        for row in rows
        if row["conditions"] is not None and (row["send_at"] is None or row["is_active"])
    }
    if not asked:
        return {}
    row = rows[0]
    whys = await _why_unmet(
        database, asked, owner_id, contact_id, now, run_id=row["run_id"], lead_id=row["lead_id"], pauses=row["pauses"]
    )
    return {key: [f"As things are, it would be skipped{why.removeprefix(SKIPPED)}"] for key, why in whys.items()}


async def _silent_texts(
    database: Database,
    public_url: str,
    others: Sequence[asyncpg.Record],
    owner_id: int,
    contact_id: int,
    now: datetime,
) -> set[int]:
    """Returns which texts of other campaigns will not be sent once it is their turn, as things are.

    By their conditions, or because they have no words, or words that cannot be filled in for the contact.
    """
    silent = {row["id"] for row in others if row["body"] is None}
    for run_id, lead_id in {(row["run_id"], row["lead_id"]) for row in others if row["conditions"] is not None}:
        asked = {
            row["id"]: conditions_in(row["conditions"], STEP_FIELDS)
            for row in others
            if row["run_id"] == run_id and row["conditions"] is not None
        }
        silent |= (await _why_unmet(database, asked, owner_id, contact_id, now, run_id=run_id, lead_id=lead_id)).keys()
    asked_words = [row for row in others if row["id"] not in silent]
    composed = await _compose(database, public_url, asked_words, owner_id, contact_id)
    return silent | {
        row["id"] for row, (words, fault) in zip(asked_words, composed, strict=True) if fault or not words.text_body
    }


async def _why_unmet(
    database: Database,
    asked: Mapping[int, Conditions | None],
    owner_id: int,
    contact_id: int,
    now: datetime,
    *,
    run_id: int | None,
    lead_id: int | None,
    pauses: bool = False,
) -> dict[int, str]:
    """Returns of those conditions that do not hold now, by their key, why; None: they cannot be read."""
    with_custom = any(key.startswith(CUSTOM) for each in asked.values() if each is not None for key in each.keys)
    state = await load_step_state(
        database, owner_id, None, contact_id=contact_id, run_id=run_id, lead_id=lead_id, with_custom=with_custom
    )
    if state is None:  # the contact has gone meanwhile
        return {}
    if pauses:
        state = replace(state, is_claimed=True)  # as it is once they leave
    found: dict[int, str] = {}
    for key, conditions in asked.items():
        why = UNREADABLE
        if conditions is not None:
            why = why_skipped(conditions, step_facts(conditions.keys, state, now)) or ""
        if why:
            found[key] = why
    return found


def _facts(row: asyncpg.Record, moment: datetime) -> StepFacts:
    return StepFacts(
        type=row["type"],
        send_at=moment,
        late_from=row["late_from"],
        campaign_window=row["campaign_window"],
        step_window=row["step_window"],
        contact_zone=row["contact_zone"],
        sender_zone=row["sender_zone"],
        places=NOWHERE if row["type"] == MAIL else places(row),
        first_answer_minutes=row["first_answer_minutes"],
        inquired_at=row["inquired_at"],
        texts=tuple(row["texts"]) if row["type"] == TEXT else (),
    )


# ------------------------------------------------------------------------------------------------------- the words


async def _words_of_all(
    database: Database, public_url: str, rows: Sequence[asyncpg.Record], owner_id: int, contact_id: int
) -> list[dict[str, Any]]:
    """Returns what each step says, as its recipient will read it."""
    filled_in = [row for row in rows if row["type"] in CHANNELS and row["body"] is not None]
    words = await _compose(database, public_url, filled_in, owner_id, contact_id)
    composed = {row["action_id"]: each for row, each in zip(filled_in, words, strict=True)}
    nothing = MessageContent(subject=None, text_body=""), None
    return [_words(row, *composed.get(row["action_id"], nothing)) for row in rows]


async def _compose(
    database: Database, public_url: str, rows: Sequence[asyncpg.Record], owner_id: int, contact_id: int
) -> list[tuple[MessageContent, str | None]]:
    """Returns the words of these steps with templates, in their order; or why they cannot be filled in."""
    records: dict[tuple[int | None, int | None], MessageRecords] = {}
    for lead_id in {row["lead_id"] for row in rows}:
        senders = [row["sender_id"] for row in rows if row["lead_id"] == lead_id]
        found = await load_previews(database, owner_id, contact_id, senders, lead_id)
        records |= {(lead_id, sender_id): each for sender_id, each in found.items()}
    composed: list[tuple[MessageContent, str | None]] = []
    for start in range(0, len(rows), AT_ONCE):
        composed += await asyncio.gather(*(
            _composed(public_url, row, records[row["lead_id"], row["sender_id"]], owner_id)
            for row in rows[start : start + AT_ONCE]
        ))  # fmt: skip
    return composed


def _words(row: asyncpg.Record, words: MessageContent, fault: str | None) -> dict[str, Any]:
    is_text = row["type"] == TEXT and words.text_body
    return {
        "action_id": row["action_id"],
        "type": row["type"],
        "subject": words.subject,
        "text_body": words.text_body or None,
        "html_body": words.html_body,
        "segments": count_segments(words.text_body).count if is_text else None,
        "sender_user_id": row["sender_id"],
        "warnings": [fault] if fault else [],
    }


async def _composed(
    public_url: str, row: asyncpg.Record, records: MessageRecords, owner_id: int
) -> tuple[MessageContent, str | None]:
    message = OutgoingMessage(
        owner_id=owner_id,
        id=0,
        kind="campaign",
        channel=CHANNELS[row["type"]],
        attempts=0,
        was_sending=False,
        status=MessageStatus(),
        contact=records.contact,
        lead=records.lead,
        sender=records.sender,
        owner=records.owner,
        template=MessageTemplate(id=row["template_id"], subject=row["subject"], body=row["body"]),
        campaign_name=row["campaign_name"],
    )
    template_input = campaign_template_input(message, f"{public_url}/unsubscribe/example")
    try:
        composed = await run_sandboxed(COMPOSE_MESSAGE, template_input, owner=owner_id)
    except ComputationFailed as error:
        return MessageContent(subject=None, text_body=""), f"The template {error.reason}"
    return composed.words or MessageContent(subject=None, text_body=""), composed.fault


# ------------------------------------------------------------------------------------------------- the moment


def _when(row: asyncpg.Record, moment: datetime, found: Forecast | None) -> dict[str, Any]:
    """Returns the moment of a step, when it leaves, and what it waits for in between."""
    window = row["step_window"] or row["campaign_window"] if row["type"] in CHANNELS else None
    when: dict[str, Any] = {
        "moment": moment,
        "leaves_at": None,
        "window": msgspec.json.decode(window) if window else None,
        "rule": None,
        "waits_for": None,
    }
    if row["type"] not in CHANNELS:
        return when | {"leaves_at": moment}
    if _is_paused(row):
        return when | {"rule": PAUSED}
    if found is None and row["is_active"] and row["taken_at"] is not None and not row["is_held"]:
        return when | {"leaves_at": row["message_leaves_at"] or row["taken_at"]}
    if found is None:
        return when | {"leaves_at": row["completed_at"] if row["sent_from_user_id"] else None}
    when["leaves_at"] = found.leaves_at
    if found.wait is not None:
        when["rule"] = found.wait.rule
        when["waits_for"] = {"until": found.wait.until, "rule": found.wait.rule, "text": found.wait.text}
    return when


def _warnings(
    row: asyncpg.Record, shown: dict[str, Any], rules: SendingRules, now: datetime, moment: datetime
) -> Sequence[str]:
    """Returns what keeps the step from being sent, or makes it other than expected."""
    channel = CHANNELS.get(row["type"])
    if channel is None:
        return ()
    found = []
    if channel != "call" and row["body"] is None:
        found.append("The step has no template, so nothing is sent")
    if channel == "email" and not row["email"]:
        found.append("The contact has no e-mail address")
    if channel != "email" and not row["phone"]:
        found.append("The contact has no mobile phone number")
    if channel in ("email", "text") and row["suppressed_because"]:
        found.append(f"Nothing is sent: {row['suppressed_because']}")
    if channel == "text" and not rules.has_provider:
        found.append("No channel for texts is configured, so it stays in the outbox")
    if _is_paused(row):
        found.append(f"It waits {PAUSED}")
    if row["is_changing"]:
        found.append("A change of this step is being carried over: it may leave otherwise")
    if row["send_at"] is not None and not row["is_active"] and row["sent_from_user_id"] is None:
        found.append(f"It is not sent: {row['reason'] or 'it was stopped'}")
    is_to_leave = _is_to_leave(row, moment, now)
    if row["send_at"] is None and not is_to_leave:
        is_new = row["run_id"] is not None
        why = "It was added after the campaign had begun for the contact" if is_new else "Its moment has passed"
        found.append(f"{why}, so it is not sent")
    if is_to_leave and shown["leaves_at"] is None:
        found.append("No window lets it go before it is 7 days late, so it is skipped")
    if (shown["segments"] or 0) > LONG_TEXT:
        found.append(f"It takes {shown['segments']} segments")
    if channel == "email" and rules.mails_per_hour is not None and is_to_leave:
        found.append(f"It may leave later: its sender sends at most {rules.mails_per_hour} mails in an hour")
    return found
